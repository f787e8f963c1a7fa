"""Changes of the registers, as they come one after the other from the city's own systems.

Changes are numbered without a gap from the full extract on; each is taken once, in order. What one
notification changes (異動) is one change, so that nobody is in two households, or in none, between
two of them.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from issuance_server.core.bars import OtherRecord
from issuance_server.core.family_register import (
    AddressHistory,
    FamilyRegister,
    RegisterItem,
)
from issuance_server.core.freshness import CLOCK_STEP_MS_MAX
from issuance_server.core.record_faults import Fault, inconsistent
from issuance_server.core.register import Household, is_numbered_rightly
from issuance_server.core.register_rules import household_faults
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.suppression import SubjectKind, SuppressionLevel, SuppressionReason
from issuance_server.core.tax_register import TaxRecord

SEQUENCE_MAX = (1 << 53) - 1
"""What every JSON reader can hold exactly."""
CHANGES_PER_BATCH_MAX = 200
HOUSEHOLDS_PER_CHANGE_MAX = 16
FISCAL_YEAR_MIN = 1950
FISCAL_YEAR_MAX = 2200
ITEM_DEPTH_MAX = 8
_ID_CHARACTERS_MAX = 64
_OWN_WORDS = re.compile(r"(戸籍事項|身分事項) .*")

Sequence: TypeAlias = Annotated[int, Meta(ge=1, le=SEQUENCE_MAX)]
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=_ID_CHARACTERS_MAX)]
AsOf: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Change(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="change", forbid_unknown_fields=True
):
    """What all changes share. Their ``repr`` shows nothing personal.

    Attributes:
        sequence: one more than that of the change before.
        as_of: when the registers were as they are after this change, with its offset from UTC.
    """

    sequence: Sequence
    as_of: AsOf

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sequence={self.sequence})"

    @property
    def as_of_ms(self) -> int:
        """Unix time in milliseconds."""
        return int(self.as_of.timestamp() * 1_000)


class HouseholdsChanged(Change, frozen=True, kw_only=True, tag="households"):
    """One notification: all households that it touches, as they are from now on.

    It ends the edit of each of these households, and that of every resident whose entry it changes.

    Attributes:
        put: new or changed households, in full.
        removed: 世帯番号 of those that are gone; whoever is in no other one is gone, too.
    """

    put: Annotated[tuple[Household, ...], Meta(max_length=HOUSEHOLDS_PER_CHANGE_MAX)] = ()
    removed: Annotated[tuple[Id, ...], Meta(max_length=HOUSEHOLDS_PER_CHANGE_MAX)] = ()


class RecordPut(Change, frozen=True, kw_only=True, tag="record-put"):
    """A record of another register is new or changed."""

    record: OtherRecord


class RecordRemoved(Change, frozen=True, kw_only=True, tag="record-removed"):
    """A record of another register is gone.

    Attributes:
        key: register and number, such as ``seal/1234567``, ``tax/1234567``, ``family-register/..``
            or ``address-history/..``.
    """

    key: Annotated[str, Meta(min_length=1, max_length=2 * _ID_CHARACTERS_MAX)]


class RegisterSuppression(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A suppression as the resident system has it.

    Attributes:
        suppression_id: the resident system's id of it.
        subject_kind: person or household.
        subject_id: 宛名番号 or 世帯番号.
        why: the reason.
        level: what a counter does.
        until: the last day that was named, ``YYYY-MM-DD``; it ends nothing.
    """

    suppression_id: Id
    subject_kind: SubjectKind
    subject_id: Id
    why: SuppressionReason
    level: SuppressionLevel = SuppressionLevel.ERROR
    until: date | None = None

    def __repr__(self) -> str:
        return "RegisterSuppression(...)"


class SuppressionNoted(Change, frozen=True, kw_only=True, tag="suppression-set"):
    """A suppression is set; one with the same id takes its words."""

    suppression: RegisterSuppression


class SuppressionEnded(Change, frozen=True, kw_only=True, tag="suppression-lifted"):
    """A suppression is lifted.

    Attributes:
        suppression_id: the resident system's id of it.
        for_a_time: only for one errand at a counter (一時解除): changes nothing here (§3.1).
    """

    suppression_id: Id
    for_a_time: bool = False


class EditBegun(Change, frozen=True, kw_only=True, tag="edit-begun"):
    """Staff has opened a resident or a household for editing (排他): nothing is issued."""

    subject_kind: SubjectKind
    subject_id: Id


class EditEnded(Change, frozen=True, kw_only=True, tag="edit-ended"):
    """Staff has closed it; nothing happens if a change has ended the edit already."""

    subject_kind: SubjectKind
    subject_id: Id


class Heartbeat(Change, frozen=True, kw_only=True, tag="heartbeat"):
    """Nothing has changed: the copy is as of now."""


AnyChange: TypeAlias = (
    HouseholdsChanged
    | RecordPut
    | RecordRemoved
    | SuppressionNoted
    | SuppressionEnded
    | EditBegun
    | EditEnded
    | Heartbeat
)

_pack = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Changes that follow those that the copy has.

    Attributes:
        changes: to be taken, in order.
        skipped: how many came again.
    """

    changes: tuple[AnyChange, ...]
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Changes are missing.

    Attributes:
        expected: number of the first that is missing.
        found: number that came instead.
    """

    expected: int
    found: int


def placed(changes: tuple[AnyChange, ...], last_sequence: int) -> Placed | Gap:
    """Sort out what the copy has already, and find what is missing.

    Args:
        changes: in the order of their coming.
        last_sequence: number of the last change that the copy has.
    """
    fresh: list[AnyChange] = []
    for change in changes:
        expected = last_sequence + len(fresh) + 1
        if change.sequence > expected:
            return Gap(expected=expected, found=change.sequence)
        if change.sequence == expected:
            fresh.append(change)
    return Placed(changes=tuple(fresh), skipped=len(changes) - len(fresh))


def batch_subject(changes: tuple[AnyChange, ...]) -> str:
    """Return what an operator signs for a batch: its numbers and a digest of all of it."""
    digest = hashlib.sha256(_pack(changes)).hexdigest()
    return f"{changes[0].sequence}-{changes[-1].sequence} sha256:{digest}"


def is_from_the_future(change: AnyChange, now_ms: int) -> bool:
    """Tell whether a change claims a time that has not come."""
    return change.as_of_ms > now_ms + CLOCK_STEP_MS_MAX


def change_faults(change: AnyChange) -> tuple[Fault, ...]:
    """Return every rule that a change breaks by itself; none in a sound one."""
    return tuple(_faults(change))


def record_faults(record: OtherRecord) -> Iterator[Fault]:
    """Yield the broken rules of a record of another register."""
    if isinstance(record, SealRegistration | TaxRecord):
        yield from inconsistent("宛名番号", unless=is_numbered_rightly(record.resident_id))
    if isinstance(record, TaxRecord):
        year_fits = FISCAL_YEAR_MIN <= record.fiscal_year <= FISCAL_YEAR_MAX
        yield from inconsistent("年度", unless=year_fits)
    if isinstance(record, FamilyRegister):
        events = (*record.events, *(event for one in record.people for event in one.events))
        deepest = max((_depth(event.items) for event in events), default=0)
        yield from inconsistent("記録の入れ子", unless=deepest <= ITEM_DEPTH_MAX)
    if isinstance(record, TaxRecord):  # births are in the years of our era or of one's own
        of_foreigner = record.birth.text[:1].isdigit()
        faults = record.faults(western=of_foreigner)
    else:
        faults = record.faults()
    for fault in faults:
        yield Fault(reason=fault.reason, item=_without_own_words(record, fault.item))


def subject_faults(kind: SubjectKind, subject_id: str) -> Iterator[Fault]:
    """Yield a fault if the subject of a suppression or an edit cannot be one."""
    item = "宛名番号" if kind is SubjectKind.PERSON else "世帯番号"
    yield from inconsistent(item, unless=is_numbered_rightly(subject_id))


def _depth(items: tuple[RegisterItem, ...]) -> int:
    """Return how deep items stand in one another; 従前の記録 makes two."""
    return max((1 + _depth(item.items) for item in items), default=0)


def _without_own_words(record: OtherRecord, item: str) -> str:
    """Cut off what a record says itself: in a broken one, a heading can be anything."""
    if isinstance(record, AddressHistory) and item == record.made_by:
        return "編製日"
    if isinstance(record, FamilyRegister):
        return _OWN_WORDS.sub(r"\1", item)
    return item


def _faults(change: AnyChange) -> Iterator[Fault]:
    match change:
        case HouseholdsChanged():
            ids = [one.household_id for one in change.put] + list(change.removed)
            yield from inconsistent("世帯番号", unless=0 < len(ids) == len(set(ids)))
            members = [one.resident_id for of in change.put for one in of.members]
            yield from inconsistent("宛名番号", unless=len(members) == len(set(members)))
            for household in change.put:
                yield from household_faults(household)
        case RecordPut():
            yield from record_faults(change.record)
        case SuppressionNoted():
            noted = change.suppression
            yield from subject_faults(noted.subject_kind, noted.subject_id)
        case EditBegun() | EditEnded():
            yield from subject_faults(change.subject_kind, change.subject_id)
