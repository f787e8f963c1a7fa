"""A terminal's spool, coin box and printer, with the disks, coins and paper of a world.

Each has the methods of the part in ``terminal_sim`` that it stands for, and its promises: what it
took is durable when it returns (``test_stand_ins.py`` runs both through the same course). At each
act it may fail, and the power may fail before or after it. The court sees every coin and sheet.
"""

from pathlib import Path

from protocol.errors import Misuse
from tests.sim.checks.witness import Court
from tests.sim.faults import Faults
from tests.sim.loop import Killed, present_node


class Power:
    """The plug of one terminal.

    Attributes:
        terminal: its id.
    """

    def __init__(self, terminal: str, faults: Faults) -> None:
        self.terminal = terminal
        self._faults = faults

    def may_fail(self, moment: str) -> None:
        """Let the power fail at a moment of a device, if it is drawn.

        Raises:
            Killed: it failed, now or before.
        """
        node = present_node()
        if self._faults.hits(self._faults.rates.power_cut_at_device, f"power cut {moment}"):
            node.kill()
        if not node.alive:
            raise Killed


class MemorySpool:
    """In place of ``terminal_sim.spool.Spool``."""

    def __init__(self, power: Power, faults: Faults, court: Court) -> None:
        self.files: dict[bytes, bytes] = {}
        self._power = power
        self._faults = faults
        self._court = court

    def write(self, issuance_id: bytes, sealed: bytes) -> None:
        """Write a ciphertext.

        Raises:
            OSError: the disk refuses, or there is one already.
        """
        self._power.may_fail("before the spool is written")
        if issuance_id in self.files:
            raise FileExistsError
        if self._faults.hits(self._faults.rates.spool_fails, "spool refused"):
            raise OSError
        self.files[issuance_id] = sealed
        self._court.spool(self._power.terminal, issuance_id, True)
        self._power.may_fail("after the spool is written")

    def read(self, issuance_id: bytes) -> bytes:
        """Return a ciphertext.

        Raises:
            OSError: it is not there.
        """
        if self._faults.hits(self._faults.rates.spool_fails, "spool unreadable"):
            raise OSError
        try:
            return self.files[issuance_id]
        except KeyError:
            raise FileNotFoundError from None

    def erase(self, issuance_id: bytes) -> None:
        """Erase a ciphertext, if there is one."""
        self._power.may_fail("before the spool is erased")
        if self.files.pop(issuance_id, None) is not None:
            self._court.spool(self._power.terminal, issuance_id, False)
        self._power.may_fail("after the spool is erased")

    def erase_others(self, kept: frozenset[bytes]) -> int:
        """Erase what belongs to none of these."""
        strays = [issuance_id for issuance_id in self.files if issuance_id not in kept]
        for issuance_id in strays:
            self.erase(issuance_id)
        return len(strays)


class MemoryCoinBox:
    """In place of ``terminal_sim.devices.CoinBox``."""

    def __init__(self, power: Power, court: Court) -> None:
        self.inside: dict[bytes, int] = {}
        self.moved: dict[bytes, str] = {}
        self.earned_yen = 0
        self._power = power
        self._court = court

    def insert(self, issuance_id: bytes, amount_yen: int) -> None:
        """Take coins."""
        if issuance_id in self.inside or issuance_id in self.moved:
            raise Misuse("money is put in once")
        self.inside[issuance_id] = amount_yen
        self._tell(issuance_id, "insert", amount_yen)

    def hold(self, issuance_id: bytes, amount_yen: int) -> None:
        """Give change."""
        change_yen = self.inside.get(issuance_id, 0) - amount_yen
        if change_yen > 0:
            self.inside[issuance_id] = amount_yen
            self._tell(issuance_id, "change", change_yen)

    def earn(self, issuance_id: bytes) -> None:
        """Move coins into the cash box."""
        self._move(issuance_id, "earn")

    def give_back(self, issuance_id: bytes) -> None:
        """Give coins back."""
        self._move(issuance_id, "return")

    def give_back_others(self, held: frozenset[bytes]) -> None:
        """Give back every coin that belongs to none of these."""
        for issuance_id in [one for one in self.held() if one not in held]:
            self.give_back(issuance_id)

    def held(self) -> list[bytes]:
        """Return the issuances of which coins are inside, neither earned nor returned."""
        return [issuance_id for issuance_id, amount_yen in self.inside.items() if amount_yen]

    def _move(self, issuance_id: bytes, way: str) -> None:
        if self.moved.get(issuance_id, way) != way:
            raise Misuse("the money of this issuance went the other way before")
        self._power.may_fail("before coins move")
        amount_yen = self.inside.pop(issuance_id, 0)
        if amount_yen:
            self.moved[issuance_id] = way
            self.earned_yen += amount_yen if way == "earn" else 0
            self._tell(issuance_id, way, amount_yen)

    def _tell(self, issuance_id: bytes, move: str, amount_yen: int) -> None:
        self._court.coins(self._power.terminal, issuance_id, move, amount_yen)
        self._power.may_fail(f"after coins: {move}")


class MemoryPrinter:
    """In place of ``terminal_sim.devices.Printer``: the court sees every sheet that is out."""

    def __init__(self, power: Power, faults: Faults, court: Court) -> None:
        self._power = power
        self._faults = faults
        self._court = court

    def paper(self, issuance_id: bytes) -> Path:
        """Return where the paper would lie."""
        return Path(issuance_id.hex())

    def make_ready(self) -> None:
        """See that it can print.

        Raises:
            OSError: it cannot.
        """
        if self._faults.hits(self._faults.rates.printer_fails, "printer not ready"):
            raise OSError

    def lay(self, issuance_id: bytes, pdf: bytes, *, sheet: int, sheets: int) -> None:
        """Let one sheet leave.

        Raises:
            OSError: it may be out or not.
        """
        self._power.may_fail("before a sheet")
        if self._faults.hits(self._faults.rates.printer_fails, "printer failed before a sheet"):
            raise OSError
        text = pdf.split(b"\n")[sheet - 1].decode()
        self._court.sheet(self._power.terminal, issuance_id, sheet, text)
        self._power.may_fail("after a sheet")
        if self._faults.hits(self._faults.rates.printer_fails, "printer failed after a sheet"):
            raise OSError
