"""What a client of a replay has in its hand: a terminal's keys, cards, and their PINs."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from keys.cards import CARD_NUMBER_BYTES, Card, CardFile, load_card
from keys.pin_sealing import PinSealer
from keys.terminal_keys import TerminalKeys
from protocol.codes import ReplyCode
from protocol.errors import SetUpError
from protocol.secret import Secret
from protocol.telegrams import Authenticate, AuthenticateCertificate
from protocol.terminal_statements import DeletionReport, PrintReport
from terminal_sim.config import TerminalConfig
from terminal_sim.core.requests import Authentication
from terminal_sim.devices import CardReader
from terminal_sim.replay.arguments import NEW_CARD

CARD_SUFFIX = ".card.json"
_WRONG_PIN_CODES = frozenset({ReplyCode.PIN_WRONG, ReplyCode.CARD_LOCKED})
_SPOILT_BYTES = 16


@dataclass(slots=True)
class Wallet:
    """The cards of a replay, by the names that they have in the trace.

    Attributes:
        files: where a card is; ``new`` instead of a file is a card that nobody knows.
        folder: where a card is looked for under its name otherwise.
        pins: of cards, by name.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    pins: Mapping[str, Secret] = field(default_factory=dict)
    _cards: dict[str, Card] = field(default_factory=dict)

    def card(self, name: str) -> Card:
        """Return a card.

        Raises:
            SetUpError: it is nowhere; the text says how to give it.
        """
        if name not in self._cards:
            self._cards[name] = self._found(name)
        return self._cards[name]

    def pin(self, name: str) -> Secret:
        """Return the right PIN of a card.

        Raises:
            SetUpError: it is not known.
        """
        file_name = Path(self.files.get(name, "")).name
        known = self.pins.get(file_name.removesuffix(CARD_SUFFIX)) or self.pins.get(name)
        if known is not None:
            return known
        if self.files.get(name) == NEW_CARD:
            return Secret(b"0000")
        raise SetUpError(f"the PIN of card {name} is not known; give it with --pins FILE")

    def _found(self, name: str) -> Card:
        if self.files.get(name) == NEW_CARD:
            return _new_card()
        path = Path(self.files[name]) if name in self.files else self._in_folder(name)
        if path is None or not path.is_file():
            raise SetUpError(
                f"the trace has a card {name}; say which it is with --card {name}=FILE, or "
                f"--card {name}={NEW_CARD} for one that the city does not know"
            )
        return load_card(path)

    def _in_folder(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{name}{CARD_SUFFIX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """One terminal that is played.

    Attributes:
        config: which terminal.
        keys: its keys.
        wallet: the cards.
    """

    config: TerminalConfig
    keys: TerminalKeys
    wallet: Wallet

    def authenticate(
        self, asked: Authentication, card_name: str, answered: ReplyCode | None
    ) -> Authenticate | AuthenticateCertificate:
        """Return what card and keypad make of an attempt, so that it can be answered as recorded.

        Args:
            asked: the attempt, with its live challenge.
            card_name: the card, as the trace names it.
            answered: the code with which it was refused in the trace; None: it was not.
        """
        wallet = self.wallet
        card = wallet.card(card_name)
        reader = CardReader(
            card=card,
            sealer=PinSealer(self.keys.trust.pin_sealing_key),
            terminal=self.config.terminal,
            city=self.config.city,
        )
        pin = wallet.pin(card_name)
        if reader.card_judges:
            if reader.show_pin(pin) is not None:
                raise SetUpError(f"card {card_name} does not take its PIN; see --pins")
            return reader.authenticate(asked, None)
        if answered in _WRONG_PIN_CODES:
            pin = _another(pin)
        if answered is ReplyCode.PIN_BLOCK_INVALID:
            spoilt = asked.challenge[_SPOILT_BYTES:] + asked.challenge[:_SPOILT_BYTES]
            return _with_block_for(reader, asked, pin, spoilt)
        return reader.authenticate(asked, pin)

    def sign(self, report: PrintReport | DeletionReport) -> bytes:
        """Return the terminal's signature under a report."""
        return self.keys.report_key.sign(report.statement(self.config.terminal))


def _with_block_for(
    reader: CardReader, asked: Authentication, pin: Secret, challenge: bytes
) -> Authenticate | AuthenticateCertificate:
    """Return an attempt whose PIN block was sealed for another challenge."""
    right = reader.authenticate(asked, pin)
    other = Authentication(visit_id=asked.visit_id, attempt=asked.attempt, challenge=challenge)
    spoilt = reader.authenticate(other, pin)
    assert isinstance(right, Authenticate)
    assert isinstance(spoilt, Authenticate)
    return Authenticate(
        visit_id=right.visit_id,
        attempt=right.attempt,
        card=right.card,
        card_signature=right.card_signature,
        pin_block=spoilt.pin_block,
    )


def _another(pin: Secret) -> Secret:
    """Return a PIN that is wrong, of the same length."""
    digits = pin.reveal()
    last = (digits[-1] - ord("0") + 1) % 10
    return Secret(digits[:-1] + bytes([ord("0") + last]))


def _new_card() -> CardFile:
    with TemporaryDirectory() as folder:
        return CardFile.create(
            Path(folder) / "new.card.json",
            holder="nobody",
            number=secrets.token_bytes(CARD_NUMBER_BYTES),
        )
