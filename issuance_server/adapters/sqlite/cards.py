"""The table of cards: what a decision reads of one, what records change, what commands ask."""

from datetime import date
from typing import Any

import aiosqlite
import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r
from issuance_server.core.card_registration import CardStep
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
        certificate_serial: of a 個人番号カード, in hexadecimal.
    """

    card_ref: str
    kind: str
    registered_at_ms: int
    usable_from: str | None = None
    withdrawn_at_ms: int | None = None
    certificate_serial: str | None = None


async def registered_cards(reader: Reader, card_ref: str | None = None) -> list[RegisteredCard]:
    """Return all cards by their registration, or one."""
    sql = (
        "SELECT card_ref, kind, registered_at_ms, usable_from, withdrawn_at_ms,"
        " certificate_serial FROM card"
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
        certificate_serial=row["certificate_serial"],
    )


class RegistrationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A registration that is not finished.

    Attributes:
        card_ref: the reference that the card is to have.
        kind: ``juki`` or ``mynumber``.
        resident_id: 宛名番号 of its holder.
        certificate_serial: of a 個人番号カード.
        occasion: why.
        begun_by: the first operator.
        begun_at_ms: when.
        approved_by: the second operator; None: it waits for one.
        approved_at_ms: when.
        subject: what the first operator signed.
    """

    card_ref: str
    kind: str
    resident_id: str
    certificate_serial: str | None
    occasion: str
    begun_by: str
    begun_at_ms: int
    approved_by: str | None
    approved_at_ms: int | None
    subject: str


async def registrations(reader: Reader) -> list[RegistrationRow]:
    """Return the registrations that are not finished, oldest first."""
    rows = await reader.all("SELECT * FROM card_registration ORDER BY begun_at_ms, card_ref")
    fields = RegistrationRow.__struct_fields__
    return [RegistrationRow(**{name: row[name] for name in fields}) for row in rows]


async def card_in_the_way(
    reader: Reader, resident_id: str, kind: CardKind, serial: str | None
) -> str | None:
    """Return a card that has to be withdrawn before another one is registered, or None.

    Args:
        reader: of the city's database.
        resident_id: 宛名番号 of the holder, who has one card of a kind.
        kind: of the new card.
        serial: of its certificate, which is nobody else's.
    """
    sql = (
        "SELECT card_ref FROM card WHERE withdrawn_at_ms IS NULL"
        " AND ((resident_id = ?1 AND kind = ?2) OR certificate_serial = ?3) LIMIT 1"
    )
    rows = await reader.all(sql, (resident_id, kind.value, serial))
    return rows[0]["card_ref"] if rows else None


def statements_for(record: r.CardRegistrationBegun | r.CardChanged) -> list[Statement]:
    """Return what a record changes in the tables of cards."""
    if isinstance(record, r.CardRegistrationBegun):
        sql = (
            "INSERT INTO card_registration (card_ref, kind, resident_id, occasion, begun_by,"
            " begun_at_ms, subject) VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        whose = (record.card_ref, record.kind.value, record.resident_id)
        begun = (record.occasion.value, record.operator, record.at_ms, record.subject)
        return [(sql, (*whose, *begun))]
    return _changing(record)


def _changing(record: r.CardChanged) -> list[Statement]:
    card_ref, at_ms = record.card_ref, record.at_ms
    ended = ("DELETE FROM card_registration WHERE card_ref = ?", (card_ref,))
    match record.step:
        case CardStep.APPROVED:
            sql = "UPDATE card_registration SET approved_by = ?, approved_at_ms = ?"
            return [(sql + " WHERE card_ref = ?", (record.operator, at_ms, card_ref))]
        case CardStep.REGISTERED:
            sql = (
                "INSERT INTO card (card_ref, kind, resident_id, certificate_serial,"
                " registered_at_ms, usable_from) SELECT card_ref, kind, resident_id,"
                " certificate_serial, ?, ? FROM card_registration WHERE card_ref = ?"
            )
            return [(sql, (at_ms, record.usable_from, card_ref)), ended]
        case CardStep.CANCELLED:
            return [ended]
        case CardStep.WITHDRAWN:
            sql = "UPDATE card SET withdrawn_at_ms = ? WHERE card_ref = ?"
            return [(sql, (at_ms, card_ref))]
        case CardStep.PIN_RESET:
            sql = "UPDATE card SET usable_from = ? WHERE card_ref = ?"
            return [(sql, (record.usable_from, card_ref))]
        case CardStep.UNLOCKED:
            return []
