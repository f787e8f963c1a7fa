"""Takes changes into the register copy, inside the transaction that records them."""

from collections.abc import Iterable

import aiosqlite
import msgspec

from issuance_server.adapters.sqlite.register_writing import (
    LAST_VERSION_SQL,
    SET_LAST_VERSION_SQL,
    empty_household,
    put_household,
    put_record,
    remove_household,
    remove_record,
)
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.register import Household
from issuance_server.core.register_feed import (
    AnyChange,
    EditBegun,
    EditEnded,
    HouseholdsChanged,
    RecordPut,
    RecordRemoved,
)
from issuance_server.core.suppression import SubjectKind


async def change_copy(writer: aiosqlite.Connection, changes: Iterable[AnyChange]) -> None:
    """Write changes, in order.

    Args:
        writer: in a transaction.
        changes: sound, and in no conflict with the copy (``core.register_index``).
    """
    async with writer.execute(LAST_VERSION_SQL) as cursor:
        row = await cursor.fetchone()
    version: int = row[0] if row else 0
    for change in changes:
        for sql, values in await _statements(writer, change, version):
            await writer.execute(sql, values)
        version += len(change.put) if isinstance(change, HouseholdsChanged) else 1
    await writer.execute(SET_LAST_VERSION_SQL, (version,))


async def _statements(
    writer: aiosqlite.Connection, change: AnyChange, version: int
) -> list[Statement]:
    """Return what one change writes; versions after ``version`` are free."""
    match change:
        case HouseholdsChanged():
            return [*await _ended_edits(writer, change), *_households(change, version)]
        case RecordPut(record=record):
            return put_record(record, version + 1)
        case RecordRemoved(key=key):
            return remove_record(key)
        case EditBegun():
            column = edit_column(change.subject_kind)
            sql = f"INSERT OR IGNORE INTO register_edit ({column}, since_ms) VALUES (?, ?)"  # noqa: S608  # one of two words
            return [(sql, (change.subject_id, change.as_of_ms))]
        case EditEnded():
            return [_ended(change.subject_kind, change.subject_id)]
    return []


def edit_column(kind: SubjectKind) -> str:
    """Return the column that names the subject of an edit."""
    return "resident_id" if kind is SubjectKind.PERSON else "household_id"


def _households(change: HouseholdsChanged, version: int) -> list[Statement]:
    """Let everybody go first: who moves between two households must never be in both."""
    statements = [empty_household(household.household_id) for household in change.put]
    for household_id in change.removed:
        statements += remove_household(household_id)
    for version_of, household in enumerate(change.put, start=version + 1):
        statements += put_household(household, version_of)
    return statements


async def _ended_edits(writer: aiosqlite.Connection, change: HouseholdsChanged) -> list[Statement]:
    """End the edits of these households, and of the residents whose entries change."""
    ended: list[Statement] = []
    for household_id in (*(one.household_id for one in change.put), *change.removed):
        before = await _household(writer, household_id)
        after = next((one for one in change.put if one.household_id == household_id), None)
        ended.append(_ended(SubjectKind.HOUSEHOLD, household_id))
        ended += [_ended(SubjectKind.PERSON, one) for one in _changed(before, after)]
    return ended


def _changed(before: Household | None, after: Household | None) -> list[str]:
    entries = set(before.members if before else ()) ^ set(after.members if after else ())
    return sorted({entry.resident_id for entry in entries})


async def _household(writer: aiosqlite.Connection, household_id: str) -> Household | None:
    sql = "SELECT record FROM household WHERE household_id = ?"
    async with writer.execute(sql, (household_id,)) as cursor:
        row = await cursor.fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=Household)


def _ended(kind: SubjectKind, subject_id: str) -> Statement:
    return f"DELETE FROM register_edit WHERE {edit_column(kind)} = ?", (subject_id,)  # noqa: S608  # one of two words
