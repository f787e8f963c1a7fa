"""The table of suppressions: what sets and lifts one, and who asks for the list.

Commands and the resident system's change feed write through the same two statements.
"""

from datetime import date
from typing import Any

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r
from issuance_server.core.suppression import SubjectKind, Suppression


class SuppressionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One suppression that is in force, for operators.

    Attributes:
        suppression: its id.
        subject_kind: ``person`` or ``household``.
        subject_id: 宛名番号 or 世帯番号.
        why: the reason's code.
        level: ``error`` or ``alert``.
        since_ms: when it was set.
        until: the last day that was named, ``YYYY-MM-DD``.
        past: whether that day is over; the suppression goes on.
        origin: ``operator`` or ``register``.
    """

    suppression: str
    subject_kind: str
    subject_id: str
    why: str
    level: str
    since_ms: int
    until: str | None
    past: bool
    origin: str


def setting(new: Suppression) -> Statement:
    """Return what sets a suppression; one that is there under the same id takes its words."""
    sql = (
        "INSERT OR REPLACE INTO suppression (suppression_id, resident_id, household_id, reason,"
        " level, since_ms, until_day, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    person = new.subject_kind is SubjectKind.PERSON
    return sql, (
        new.suppression_id,
        new.subject_id if person else None,
        None if person else new.subject_id,
        new.reason.value,
        new.level.value,
        new.since_ms,
        None if new.until is None else new.until.isoformat(),
        new.origin.value,
    )


def lifting(suppression_id: str) -> Statement:
    """Return what lifts a suppression."""
    return "DELETE FROM suppression WHERE suppression_id = ?", (suppression_id,)


def statements_for(record: r.SuppressionSet | r.SuppressionLifted) -> list[Statement]:
    """Return what a record changes in the table."""
    if isinstance(record, r.SuppressionLifted):
        return [lifting(record.suppression_id)]
    until = record.until_day
    return [
        setting(
            Suppression(
                suppression_id=record.suppression_id,
                subject_kind=record.subject_kind,
                subject_id=record.subject_id,
                reason=record.reason,
                level=record.level,
                since_ms=record.at_ms,
                until=None if until is None else date.fromisoformat(until),
                origin=record.origin,
            )
        )
    ]


async def suppressions(reader: Reader, today: str) -> list[SuppressionRow]:
    """Return those in force, oldest first.

    Args:
        reader: of the city's database.
        today: the business day, ``YYYY-MM-DD``.
    """
    sql = "SELECT * FROM suppression ORDER BY since_ms, suppression_id"
    return [_row(row, today) for row in await reader.all(sql)]


async def subject_known(reader: Reader, kind: SubjectKind, subject_id: str) -> bool:
    """Tell whether the copy has this person, as a resident or in a record, or this household."""
    if kind is SubjectKind.HOUSEHOLD:
        sql = "SELECT 1 FROM household WHERE household_id = ?1"
    else:  # who has left the city is still shown by the family register that is kept here
        sql = (
            "SELECT 1 FROM resident WHERE resident_id = ?1 UNION ALL"
            " SELECT 1 FROM register_record_holder WHERE resident_id = ?1 LIMIT 1"
        )
    return bool(await reader.all(sql, (subject_id,)))


def _row(row: Any, today: str) -> SuppressionRow:
    person = row["resident_id"] is not None
    until = row["until_day"]
    return SuppressionRow(
        suppression=row["suppression_id"],
        subject_kind=(SubjectKind.PERSON if person else SubjectKind.HOUSEHOLD).value,
        subject_id=row["resident_id"] if person else row["household_id"],
        why=row["reason"],
        level=row["level"],
        since_ms=row["since_ms"],
        until=until,
        past=until is not None and until < today,
        origin=row["origin"],
    )
