"""The table of cards: what a decision reads of one, what records change, what commands ask."""

from datetime import date
from typing import Any

import aiosqlite
import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.cards import CardFacts, CardKind


def founding(card_ref: str, resident_id: str, serial: str | None, at_ms: int) -> Statement:
    """Return what registers a card with the founding of a city; it is usable at once.

    Args:
        card_ref: its reference.
        resident_id: 宛名番号 of its holder.
        serial: of its certificate, for a 個人番号カード.
        at_ms: the time of the registration.
    """
    sql = (
        "INSERT INTO card (card_ref, kind, resident_id, certificate_serial, registered_at_ms)"
        " VALUES (?, ?, ?, ?, ?)"
    )
    kind = CardKind.JUKI if serial is None else CardKind.MYNUMBER
    return sql, (card_ref, kind.value, resident_id, serial, at_ms)


async def card_facts(
    connection: aiosqlite.Connection, card_ref: str | None, serial: str | None
) -> CardFacts | None:
    """Return a registered card that was not withdrawn, or None.

    Args:
        connection: in the deciding transaction.
        card_ref: the card's reference; or
        serial: that of its certificate, in hexadecimal.
    """
    columns = "SELECT card_ref, kind, resident_id, usable_from FROM card WHERE "
    named = "card_ref = ?" if serial is None else "certificate_serial = ?"
    sql = columns + named + " AND withdrawn_at_ms IS NULL"
    async with connection.execute(sql, (card_ref if serial is None else serial,)) as cursor:
        row = await cursor.fetchone()
    if row is None:
        return None
    return CardFacts(
        card_ref=row[0],
        kind=CardKind(row[1]),
        resident_id=row[2],
        usable_from=None if row[3] is None else date.fromisoformat(row[3]),
    )


class RegisteredCard(msgspec.Struct, frozen=True, kw_only=True):
    """A registered card, for operators.

    Attributes:
        card_ref: its reference.
        kind: ``juki`` or ``mynumber``.
        registered_at_ms: when.
        usable_from: the first day, ``YYYY-MM-DD``, where there is one.
        withdrawn_at_ms: when it was withdrawn.
    """

    card_ref: str
    kind: str
    registered_at_ms: int
    usable_from: str | None = None
    withdrawn_at_ms: int | None = None


async def registered_cards(reader: Reader, card_ref: str | None = None) -> list[RegisteredCard]:
    """Return all cards by their registration, or one."""
    sql = (
        "SELECT card_ref, kind, registered_at_ms, usable_from, withdrawn_at_ms FROM card"
        " WHERE ?1 IS NULL OR card_ref = ?1 ORDER BY registered_at_ms, card_ref"
    )
    return [_registered(row) for row in await reader.all(sql, (card_ref,))]


def _registered(row: Any) -> RegisteredCard:
    return RegisteredCard(
        card_ref=row["card_ref"],
        kind=row["kind"],
        registered_at_ms=row["registered_at_ms"],
        usable_from=row["usable_from"],
        withdrawn_at_ms=row["withdrawn_at_ms"],
    )
