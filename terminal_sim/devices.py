"""The machine's devices: card reader, coin box, printer. Each is simulated by files."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from keys.cards import Card, CardFile
from keys.pin_sealing import PinSealer
from protocol.codes import ReplyCode
from protocol.errors import AdapterError, MalformedTelegram, Misuse, SetUpError
from protocol.secret import Secret
from protocol.sheet_digest import first_sheets
from protocol.statements import pin_block_info
from protocol.telegrams import Authenticate, AuthenticateCertificate, Refused
from terminal_sim.core.requests import Authentication

COIN_BOX_FILE = "coin-box.sqlite"
_PAPER_MODE = 0o600  # a certificate lies in the tray for its holder alone


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReader:
    """The slot with a card in it, and the keypad, which seals or asks the card.

    Attributes:
        card: the card.
        sealer: seals PINs to the city's PIN judge.
        terminal: the terminal's id.
        city: municipality code, 6 digits.
    """

    card: Card
    sealer: PinSealer
    terminal: str
    city: str

    @property
    def card_judges(self) -> bool:
        """Whether the card judges its PIN itself, so that nobody else is told it."""
        return not isinstance(self.card, CardFile)

    def show_pin(self, pin: Secret) -> Refused | None:
        """Show a PIN to a card that judges it; None if it is right.

        The call blocks; give it a thread.

        Raises:
            SetUpError: the card is not one any more.
            KeyManagementError: its file cannot be written.
        """
        if isinstance(self.card, CardFile) or self.card.present(pin):
            return None
        tries_left = self.card.tries_left
        code = ReplyCode.PIN_WRONG if tries_left else ReplyCode.CARD_LOCKED
        return Refused(code=code, tries_left=tries_left)

    def authenticate(
        self, asked: Authentication, pin: Secret | None
    ) -> Authenticate | AuthenticateCertificate:
        """Let the card sign, and seal the PIN unless the card has judged it.

        Args:
            asked: the attempt.
            pin: as it was typed; None where the card judged it.
        """
        if not isinstance(self.card, CardFile):
            return AuthenticateCertificate(
                visit_id=asked.visit_id,
                attempt=asked.attempt,
                certificate=self.card.certificate,
                card_signature=self.card.sign(
                    challenge=asked.challenge,
                    visit_id=asked.visit_id,
                    attempt=asked.attempt,
                    terminal=self.terminal,
                    city=self.city,
                ),
            )
        if pin is None:
            raise Misuse("no PIN to authenticate with")
        info = pin_block_info(
            challenge=asked.challenge,
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            terminal=self.terminal,
            city=self.city,
            card=self.card.number,
        )
        signature = self.card.sign(
            challenge=asked.challenge,
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            terminal=self.terminal,
            city=self.city,
        )
        return Authenticate(
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            card=self.card.number,
            card_signature=signature,
            pin_block=self.sealer.seal(pin, info),
        )


class CoinBox:
    """Coins: inserted into a hopper of their issuance, then earned or given back, once.

    The real hopper keeps its coins through a power cut, so this one lasts on the disk. Moving what
    was moved that way before does nothing; moving it the other way is refused.
    """

    def __init__(self, storage: Path) -> None:
        """Open the coin box under ``storage``, or make it.

        Raises:
            SetUpError: its file cannot be used.
        """
        path = storage / COIN_BOX_FILE
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS hoppers (issuance TEXT PRIMARY KEY, "
                "inside_yen INTEGER NOT NULL, change_yen INTEGER NOT NULL DEFAULT 0, "
                "earned_yen INTEGER NOT NULL DEFAULT 0, returned_yen INTEGER NOT NULL DEFAULT 0)"
            )
        except sqlite3.Error:
            raise SetUpError(f"{path} is not a coin box that can be used") from None

    def insert(self, issuance_id: bytes, amount_yen: int) -> None:
        """Take coins for an issuance."""
        self._change(
            "INSERT INTO hoppers (issuance, inside_yen) VALUES (?, ?)",
            (issuance_id.hex(), amount_yen),
        )

    def hold(self, issuance_id: bytes, amount_yen: int) -> None:
        """Keep this much and give the rest as change."""
        self._change(
            "UPDATE hoppers SET change_yen = inside_yen - ?, inside_yen = ? "
            "WHERE issuance = ? AND inside_yen > ?",
            (amount_yen, amount_yen, issuance_id.hex(), amount_yen),
        )

    def earn(self, issuance_id: bytes) -> None:
        """Move what the hopper holds to the cash box."""
        self._move(issuance_id, "earned_yen", other="returned_yen")

    def give_back(self, issuance_id: bytes) -> None:
        """Give back what the hopper holds."""
        self._move(issuance_id, "returned_yen", other="earned_yen")

    def give_back_others(self, held: frozenset[bytes]) -> None:
        """Give back every coin that belongs to none of these issuances."""
        rows = self._rows("SELECT issuance FROM hoppers WHERE inside_yen > 0", ())
        for (issuance,) in rows:
            if bytes.fromhex(str(issuance)) not in held:
                self.give_back(bytes.fromhex(str(issuance)))

    def totals_yen(self) -> tuple[int, int, int]:
        """Return what lies in the hoppers, what was earned, and what was given back."""
        rows = self._rows(
            "SELECT total(inside_yen), total(earned_yen), total(returned_yen) FROM hoppers", ()
        )
        inside, earned, returned = rows[0]
        return int(inside), int(earned), int(returned)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _move(self, issuance_id: bytes, into: str, *, other: str) -> None:
        rows = self._rows(
            f"SELECT {other} FROM hoppers WHERE issuance = ?",  # noqa: S608  # our own two words
            (issuance_id.hex(),),
        )
        if rows and rows[0][0]:
            raise Misuse("the money of this issuance went the other way before")
        self._change(
            f"UPDATE hoppers SET {into} = {into} + inside_yen, inside_yen = 0 "  # noqa: S608
            "WHERE issuance = ? AND inside_yen > 0",
            (issuance_id.hex(),),
        )

    def _rows(self, statement: str, values: tuple[object, ...]) -> list[tuple[int, ...]]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error:
            raise AdapterError("the coin box cannot be read") from None

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.Error:
            raise AdapterError("the coin box cannot be moved") from None


class Printer:
    """Lays sheet after sheet into a tray: a PDF that grows each time by the sides of a sheet.

    While k of n sheets are out the file holds the first k, each with its face and its back if it
    has one; with the last sheet it is, byte for byte, what the city signed. The calls block; give
    them a thread.
    """

    def __init__(self, tray: Path) -> None:
        self._tray = tray

    def paper(self, issuance_id: bytes) -> Path:
        """Return where the paper of an issuance lies."""
        return self._tray / f"{issuance_id.hex()}.pdf"

    def make_ready(self) -> None:
        """See that there is a tray.

        Raises:
            OSError: there is none and none can be made.
        """
        self._tray.mkdir(parents=True, exist_ok=True)
        if not os.access(self._tray, os.W_OK):
            raise PermissionError("the tray is not writable")

    def lay(self, issuance_id: bytes, pdf: bytes, *, sheet: int, sheets: int) -> None:
        """Let one sheet leave.

        Args:
            issuance_id: whose paper.
            pdf: the whole document.
            sheet: which sheet, from 1; those before it are out already.
            sheets: of the document.

        Raises:
            OSError: the sheet may be out or not.
        """
        try:
            out = pdf if sheet == sheets else first_sheets(pdf, first=sheet, sheets=sheets)
        except MalformedTelegram:
            raise OSError("the printer cannot take the document apart") from None
        # The sheet that is on its way out is a file of its own until it lies on the others, as a
        # sheet that is stuck in the printer would be.
        leaving = self.paper(issuance_id).with_suffix(".leaving")
        descriptor = os.open(leaving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PAPER_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(out)
            file.flush()
            os.fsync(file.fileno())
        leaving.replace(self.paper(issuance_id))
