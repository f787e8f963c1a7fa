"""A city of its own for faults: its folder, its processes under the shim, and what is examined."""

import contextlib
import io
import re
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from issuance_server.__main__ import main as issuance_server
from issuance_server.demo.stage import free_port
from issuance_server.desk_commands.set_up import BROKER_PORT, init, sample_pin
from protocol.errors import SetUpError
from tests.faults.ledger import CARDS, Findings, Ledger
from tests.faults.panel import Panel, compiled_shim
from tests.faults.tray import TrayWitness
from tests.processes.town import Terminal, Town

TERMINALS = ("LW-0001", "FM-0001", "7E-0001", "LW-0002")
SETTLE_S_MAX = 120
SETTLE_PLANTED_S_MAX = 10
"""A planted bug may leave what never settles; nobody waits for that."""
VISIT_S_MAX = 150
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What is made once for all cities: the folder that is copied, and the shim."""

    folder: Path
    city: Path
    shim: Path

    @classmethod
    def lay(cls, folder: Path) -> "Foundation":
        """Found a city with few terminals and cards, and compile the shim.

        Raises:
            SetUpError: there is no C compiler.
        """
        city = folder / "founded"
        shim = compiled_shim(folder)
        with _quiet():
            init(city, sample="toyonaka")
        for place in (city / "terminals").iterdir():
            if place.name not in TERMINALS:
                shutil.rmtree(place)
        for card in (city / "cards").iterdir():
            if card.is_file() and card.name.split(".")[0] not in CARDS:
                card.unlink()
        return cls(folder=folder, city=city, shim=shim)


@dataclass(slots=True, kw_only=True)
class Stage:
    """One city under faults."""

    town: Town
    panel: Panel
    ledger: Ledger
    witness: TrayWitness
    settle_s_max: float = SETTLE_S_MAX
    broken: list[str] = field(default_factory=list)

    def start(self) -> float:
        """Start the server and return the milliseconds until it said so."""
        began = time.monotonic()
        self.town.start()
        return (time.monotonic() - began) * _MS_PER_S

    def visit(self, terminal: str, card: str, *, pins: int = 3) -> Terminal:
        """Begin a visit for one certificate of the card's whole household."""
        scope = () if card == "h001-m1" else ("--option", "scope=household")
        return self.town.issue(
            terminal, card, *scope, "--timeout", "60", pins=(sample_pin(card),) * pins
        )

    def end_of(self, terminal: Terminal) -> int:
        """Return a terminal's exit status; a terminal that hangs is a finding, and killed."""
        limit = time.monotonic() + VISIT_S_MAX
        while terminal.process.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        if terminal.process.poll() is None:
            self.broken.append(f"a terminal hangs: {terminal.said[-3:]}")
            terminal.process.kill()
        status = terminal.wait()
        if any("Traceback" in line for line in terminal.said):
            at = next(n for n, line in enumerate(terminal.said) if "Traceback" in line)
            self.broken.append("a terminal's traceback: " + " / ".join(terminal.said[at:][:40]))
        return status

    def settle(self, terminals: Sequence[str] = TERMINALS) -> bool:
        """Open and close the lines until nothing is unfinished on either side; False: never."""
        limit = time.monotonic() + self.settle_s_max
        while self.ledger.unsettled():
            if time.monotonic() > limit:
                return False
            left = " ".join(self.ledger.unsettled())
            named = [name for name in terminals if name in left] or list(terminals)
            for name in named:
                self.town.settle(name)
        return True

    def examine(self) -> Findings:
        """Return all that does not hold now."""
        found = self.ledger.examine(self.witness.sheets())
        found.other += self.broken
        self.broken.clear()
        if not self.audit_holds():
            found.other.append("audit verify finds something")
        return found

    def audit_holds(self) -> bool:
        """Tell whether ``issuance-server audit verify`` ends with 0."""
        words = ["audit", "verify", "--config", str(self.town.folder / "server.toml")]
        with _quiet():
            return issuance_server(words) == 0

    def serves(self) -> bool:
        """Tell whether the server runs."""
        return self.town.server is not None and self.town.server.process.poll() is None

    def wait_for_death(self, wait_s: float) -> bool:
        """Wait for the server's end; False: it lives on."""
        assert self.town.server is not None
        limit = time.monotonic() + wait_s
        while self.serves() and time.monotonic() < limit:
            time.sleep(0.005)
        return not self.serves()

    def rise(self) -> float:
        """Start the server again after a death, however often it must be tried; return the ms."""
        began = time.monotonic()
        while True:
            try:
                self.start()
            except SetUpError:
                if time.monotonic() - began > SETTLE_S_MAX:
                    raise
            else:
                return (time.monotonic() - began) * _MS_PER_S


@contextmanager
def _quiet() -> Iterator[None]:
    nowhere = io.TextIOWrapper(io.BytesIO())
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


@contextmanager
def staged(
    foundation: Foundation,
    name: str,
    *,
    unsynced: bool = False,
    planted: str = "",
    trace: Path | None = None,
) -> Iterator[Stage]:
    """Set up a copy of the founded city, with nothing started; everything ends with the block.

    Args:
        foundation: what is copied.
        name: of the copy's folder.
        unsynced: whether what was not synced can be lost.
        planted: a bug that all its processes have.
        trace: a file for every counted call.
    """
    folder = foundation.folder / name
    shutil.copytree(foundation.city, folder)
    port = free_port()
    for settings in (folder / "server.toml", *folder.glob("terminals/*/terminal.toml")):
        settings.write_text(re.sub(rf"\b{BROKER_PORT}\b", str(port), settings.read_text()))
    town = Town(folder=folder, port=port)
    town.paper.mkdir()
    (folder / "log").mkdir(exist_ok=True)
    (folder / "log" / "server.jsonl").touch()
    panel = Panel(folder, foundation.shim)
    witness = TrayWitness(town.paper)
    with panel.installed(unsynced=unsynced, planted=planted, trace=trace):
        try:
            yield Stage(
                town=town,
                panel=panel,
                ledger=Ledger(folder),
                witness=witness,
                settle_s_max=SETTLE_PLANTED_S_MAX if planted else SETTLE_S_MAX,
            )
        finally:
            for terminal in town.terminals:
                if terminal.process.poll() is None:
                    terminal.process.send_signal(signal.SIGCONT)
            town.end()
            witness.close()
            shutil.rmtree(folder)
