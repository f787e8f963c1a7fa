"""The register copy in memory: what changes it, and what the copy says of a holder.

Families of rules live in the core (who holds a record, what bars it); here is only what the real
store's statements do with them.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec

from issuance_server.core.bars import OtherRecord, bar_of, fiscal_year_of
from issuance_server.core.freshness import CopyState
from issuance_server.core.record_holders import holders_of, record_key
from issuance_server.core.register import Household
from issuance_server.core.register_desk import of_register
from issuance_server.core.register_extract import (
    Content,
    EditLine,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from issuance_server.core.register_feed import (
    AnyChange,
    EditBegun,
    EditEnded,
    HouseholdsChanged,
    RecordPut,
    RecordRemoved,
)
from issuance_server.core.suppression import SubjectKind, Suppression, SuppressionOrigin
from protocol.errors import JournalFailed
from tests.sim.store.tables import OtherRow, Tables

PERSON, HOUSEHOLD = SubjectKind.PERSON, SubjectKind.HOUSEHOLD


def copy_state(tables: Tables) -> CopyState:
    """Return how the copy stands."""
    state = tables.register_state.get(None)
    assert state is not None, "the city was founded"
    return state


def change_state(tables: Tables, **changes: Any) -> None:
    """Change how the copy stands."""
    before = copy_state(tables)
    fields = {name: getattr(before, name) for name in before.__dataclass_fields__}
    tables.register_state.put(None, CopyState(**(fields | changes)))


def set_suppression(tables: Tables, suppression: Suppression) -> None:
    """Set a suppression; one that is there under the same id takes its words."""
    lift_suppression(tables, suppression.suppression_id)
    subject = (suppression.subject_kind, suppression.subject_id)
    ids = tables.suppressions_of.get(subject) or ()
    tables.suppression.put(suppression.suppression_id, suppression)
    tables.suppressions_of.put(subject, (*ids, suppression.suppression_id))


def lift_suppression(tables: Tables, suppression_id: str) -> None:
    """Lift a suppression, if it is there."""
    known = tables.suppression.get(suppression_id)
    if known is None:
        return
    tables.suppression.drop(suppression_id)
    subject = (known.subject_kind, known.subject_id)
    ids = tables.suppressions_of.get(subject) or ()
    left = tuple(one for one in ids if one != suppression_id)
    if left:
        tables.suppressions_of.put(subject, left)
    else:
        tables.suppressions_of.drop(subject)


def put_household(tables: Tables, household: Household, version: int) -> None:
    """Add a household or take the place of what was known of it.

    Raises:
        JournalFailed: a member is in another household.
    """
    empty_household(tables, household.household_id)
    known = tables.household.get(household.household_id)
    if known is None or known[0] != household:
        tables.household.put(household.household_id, (household, version))
    for member in household.members:
        tables.resident.insert(member.resident_id, household.household_id)


def empty_household(tables: Tables, household_id: str) -> None:
    """Let the members go, so that they can come into another household."""
    known = tables.household.get(household_id)
    for member in () if known is None else known[0].members:
        if tables.resident.get(member.resident_id) == household_id:
            tables.resident.drop(member.resident_id)


def remove_household(tables: Tables, household_id: str) -> None:
    """Remove a household with its members."""
    empty_household(tables, household_id)
    tables.household.drop(household_id)


def put_record(tables: Tables, record: OtherRecord, version: int) -> None:
    """Add a record of another register or take the place of the one of its key.

    Raises:
        JournalFailed: a holder has another record for the same kind.
    """
    key = record_key(record)
    _free_holders(tables, key)
    known = tables.register_record.get(key)
    if known is None or known.record != record:
        row = OtherRow(
            version=version, record=record, bar=bar_of(record), fiscal_year=fiscal_year_of(record)
        )
        tables.register_record.put(key, row)
    for resident_id, kind in holders_of(record):
        held = tables.records_of.get(resident_id) or ()
        if any(one[0] is kind for one in held):
            raise JournalFailed("the journal cannot be written: a holder has another record")
        sorted_held = tuple(sorted((*held, (kind, key)), key=lambda one: one[0].value))
        tables.records_of.put(resident_id, sorted_held)


def remove_record(tables: Tables, key: str) -> None:
    """Remove a record; ``key`` is that of ``core.record_holders.record_key``."""
    _free_holders(tables, key)
    tables.register_record.drop(key)


def begin_edit(tables: Tables, kind: SubjectKind, subject_id: str, since_ms: int) -> None:
    """Open an entry for editing, unless it is."""
    if tables.register_edit.get((kind, subject_id)) is None:
        tables.register_edit.put((kind, subject_id), since_ms)


def end_edit(tables: Tables, kind: SubjectKind, subject_id: str) -> None:
    """End the edit of an entry, if it is open."""
    tables.register_edit.drop((kind, subject_id))


def change_copy(tables: Tables, changes: Iterable[AnyChange]) -> None:
    """Take changes in order; they are in no conflict with the copy."""
    version = tables.last_version.get(None) or 0
    for change in changes:
        match change:
            case HouseholdsChanged():
                _change_households(tables, change, version)
                version += len(change.put)
                continue
            case RecordPut(record=record):
                put_record(tables, record, version + 1)
            case RecordRemoved(key=key):
                remove_record(tables, key)
            case EditBegun():
                begin_edit(tables, change.subject_kind, change.subject_id, change.as_of_ms)
            case EditEnded():
                end_edit(tables, change.subject_kind, change.subject_id)
        version += 1
    tables.last_version.put(None, version)


def take_extract(tables: Tables, lines: Iterable[Content], as_of_ms: int) -> None:
    """Let an extract take the place of the copy; what is the same keeps its version."""
    last, highest = tables.last_version.get(None) or 0, 0
    for table in (tables.resident, tables.records_of, tables.register_edit):
        table.clear()
    for suppression_id, one in list(tables.suppression.items()):
        if one.origin is SuppressionOrigin.REGISTER:
            lift_suppression(tables, suppression_id)
    households, records = set(), set()
    for number, line in enumerate(lines, start=1):
        match line:
            case HouseholdLine(household=household):
                put_household(tables, household, last + number)
                households.add(household.household_id)
                highest = number
            case RecordLine(record=record):
                put_record(tables, record, last + number)
                records.add(record_key(record))
                highest = number
            case SuppressionLine(suppression=noted):
                set_suppression(tables, of_register(noted, as_of_ms))
            case EditLine():
                begin_edit(tables, line.subject_kind, line.subject_id, as_of_ms)
    for household_id, _ in list(tables.household.items()):
        if household_id not in households:
            tables.household.drop(household_id)
    for key, _ in list(tables.register_record.items()):
        if key not in records:
            tables.register_record.drop(key)
    tables.last_version.put(None, last + highest)


def _change_households(tables: Tables, change: HouseholdsChanged, version: int) -> None:
    """Let everybody go first: who moves between two households must never be in both."""
    for household_id in (*(one.household_id for one in change.put), *change.removed):
        before = tables.household.get(household_id)
        after = next((one for one in change.put if one.household_id == household_id), None)
        end_edit(tables, HOUSEHOLD, household_id)
        for resident_id in _changed(None if before is None else before[0], after):
            end_edit(tables, PERSON, resident_id)
    for household in change.put:
        empty_household(tables, household.household_id)
    for household_id in change.removed:
        remove_household(tables, household_id)
    for number, household in enumerate(change.put, start=version + 1):
        put_household(tables, household, number)


def _changed(before: Household | None, after: Household | None) -> Iterator[str]:
    entries = set(before.members if before else ()) ^ set(after.members if after else ())
    yield from {entry.resident_id for entry in entries}


def _free_holders(tables: Tables, key: str) -> None:
    known = tables.register_record.get(key)
    for resident_id, _ in () if known is None else holders_of(known.record):
        held = tables.records_of.get(resident_id) or ()
        left = tuple(one for one in held if one[1] != key)
        if left:
            tables.records_of.put(resident_id, left)
        else:
            tables.records_of.drop(resident_id)


def packed(record: OtherRecord) -> bytes:
    """Return a record as the real store keeps it."""
    return msgspec.msgpack.encode(record)


def day(on: str | None) -> date | None:
    """Return a day that stands in a row as ``YYYY-MM-DD``."""
    return None if on is None else date.fromisoformat(on)
