"""What people in a world's city have in their pockets, and what lasts of the city's files.

Everybody is fictitious (``residents``), with cards that the seed draws.
"""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from issuance_server.adapters.pin_judge.registration import (
    CARD_REF_PREFIX,
    CARD_REF_RANDOM_BYTES,
    NewCard,
    card_row,
)
from issuance_server.adapters.pin_judge.store import JudgeStore
from issuance_server.adapters.pin_judge.store_file import (
    APPLICATION_ID,
    SCHEMA,
    SCHEMA_VERSION,
    StoreFile,
)
from issuance_server.adapters.sqlite.founding import NewTerminal
from keys.cards import CARD_NUMBER_BYTES
from keys.pepper import SALT_BYTES
from keys.signing import PUBLIC_KEY_BYTES
from protocol.kinds import Kind
from protocol.secret import Secret
from tests.core.made import CHAIN, RULES, START_REAL_MS, TABLES_TOML, tables_toml
from tests.sim.inline_sqlite import InlineConnection
from tests.sim.residents import PINS_DRAWN, DrawnCard, SampleResidents
from tests.sim.stand_ins import DayKeysHere, JudgeKeysHere, Peppers, StandInKey

CITY = RULES.city
ALL_DAY_TOML = tables_toml({Kind.JUMINHYO: 200}, hours='daily = "00:00-24:00"')
CERTIFICATE_MS = 800 * 24 * 60 * 60 * 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cardholder:
    """Somebody with a card.

    Attributes:
        resident_id: 宛名番号.
        number: card number, 16 bytes.
        key: what the chip signs with.
        pin: the right one.
        card_ref: the judge's name for the card.
        typed: gives what is typed for a number below ``PINS_DRAWN``; for one of them it is right.
    """

    resident_id: str
    number: bytes
    key: StandInKey
    pin: Secret
    card_ref: str
    typed: Callable[[int], Secret]


@dataclass(slots=True, kw_only=True)
class TerminalIdentity:
    """One terminal on the list. Its key certificate may be followed by another one.

    Attributes:
        name: its id.
        line_id: 8 bytes.
        fingerprint: of its key certificate, 32 bytes.
        report_key: signs its reports.
    """

    name: str
    line_id: bytes
    fingerprint: bytes
    report_key: StandInKey

    @property
    def entry(self) -> NewTerminal:
        """How it stands on the list."""
        return NewTerminal(
            terminal=self.name,
            line_id=self.line_id,
            fingerprint=self.fingerprint,
            report_key=self.report_key.public_key,
            until_ms=START_REAL_MS + CERTIFICATE_MS,
            chain=CHAIN,
            store="見本店",
            in_city=True,
        )


class City:
    """What lasts of one world's city beside the server's store.

    Attributes:
        residents: everybody.
        holders: those with cards.
        key: what the city signs with.
        peer: how its end of a handshake shows itself.
        judge_keys: the judge's.
        judge_file: the judge's database, committed and not.
        day_keys: the server's.
        tables: the city's tables.
    """

    def __init__(
        self, dice: random.Random, residents: SampleResidents, *, cards: int, all_day: bool
    ) -> None:
        self.residents = residents
        self.key = StandInKey(dice.randbytes(32))
        self.fingerprint = dice.randbytes(32)
        self.judge_keys = JudgeKeysHere(
            city=CITY, peppers=Peppers(dice.randbytes(32)), verdict=StandInKey(dice.randbytes(32))
        )
        self.day_keys = DayKeysHere(dice.randbytes)
        self.tables = ALL_DAY_TOML if all_day else TABLES_TOML
        self.judge_file = sqlite3.connect(":memory:", isolation_level=None)
        self.judge_file.executescript(
            f"PRAGMA foreign_keys=ON; BEGIN; {SCHEMA}"
            f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION};"
            f"INSERT INTO identity VALUES ('{CITY}'); COMMIT;"
        )
        adults = residents.adults
        having = dice.sample(adults, min(cards, len(adults)))
        drawn = residents.cards([_drawn(dice) for _ in having])
        self.holders = tuple(
            self._card(card, resident_id) for card, resident_id in zip(drawn, having, strict=True)
        )

    def _card(self, card: DrawnCard, resident_id: str) -> Cardholder:
        key = StandInKey(card.key)
        pin = self.residents.pin(card, card.lucky)
        new = NewCard(number=card.number, public_key=key.public_key, pin=pin)
        drawn = iter((card.salt, bytes.fromhex(card.card_ref.removeprefix(CARD_REF_PREFIX))))
        peppers: Any = self.judge_keys.peppers
        row = card_row(peppers, new, lambda _count: next(drawn))
        enrolled = row.enrolled
        self.judge_file.execute(
            "INSERT INTO card (card_ref, card_index, public_key, salt, verifier, pepper,"
            " tries_left, locked_at_ms) VALUES (?, ?, ?, ?, ?, ?, 3, NULL)",
            (
                row.card_ref,
                enrolled.card_index,
                row.public_key,
                enrolled.salt,
                enrolled.verifier,
                enrolled.pepper,
            ),
        )
        return Cardholder(
            resident_id=resident_id,
            number=card.number,
            key=key,
            pin=pin,
            card_ref=row.card_ref,
            typed=lambda number: self.residents.pin(card, number),
        )

    def open_judge_store(self, connection: InlineConnection) -> JudgeStore:
        """Return the judge's own store over the file that lasts."""
        return JudgeStore(StoreFile(-1, connection))  # type: ignore[arg-type]


def _drawn(dice: random.Random) -> DrawnCard:
    return DrawnCard(
        number=dice.randbytes(CARD_NUMBER_BYTES),
        key=dice.randbytes(PUBLIC_KEY_BYTES),
        lucky=dice.randrange(PINS_DRAWN),
        salt=dice.randbytes(SALT_BYTES),
        card_ref=CARD_REF_PREFIX + dice.randbytes(CARD_REF_RANDOM_BYTES).hex(),
    )


def draw_terminals(dice: random.Random, count: int) -> tuple[TerminalIdentity, ...]:
    """Return the terminals of a world."""
    return tuple(
        TerminalIdentity(
            name=f"T-{number:04}",
            line_id=dice.randbytes(8),
            fingerprint=dice.randbytes(32),
            report_key=StandInKey(dice.randbytes(32)),
        )
        for number in range(1, count + 1)
    )
