"""A full extract of the registers: JSON Lines, one for each household and record.

The header says of when it is and what is to come, the trailer that all of it has come. Lines may
stand in any order between the two. ``docs/register-extract.schema.json`` is made from these types.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from issuance_server.core.bars import OtherRecord
from issuance_server.core.record_faults import Fault
from issuance_server.core.register import Household
from issuance_server.core.register_feed import (
    SEQUENCE_MAX,
    AsOf,
    Id,
    RegisterSuppression,
    record_faults,
    subject_faults,
)
from issuance_server.core.register_rules import household_faults
from issuance_server.core.suppression import SubjectKind

FORMAT: Literal["kofu-register-extract/1"] = "kofu-register-extract/1"
COUNT_MAX = 100_000_000
_Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", forbid_unknown_fields=True):
    """What all lines share. Their ``repr`` shows nothing personal."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Counts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of each there are.

    Attributes:
        households: households.
        residents: their members, all together.
        records: records of other registers.
        suppressions: those that are in force.
        edits: residents and households that staff has open for editing.
    """

    households: _Count = 0
    residents: _Count = 0
    records: _Count = 0
    suppressions: _Count = 0
    edits: _Count = 0

    def with_line(self, line: "Content") -> "Counts":
        """Return the counts with one more line."""
        match line:
            case HouseholdLine(household=household):
                residents = self.residents + len(household.members)
                return _more(self, households=self.households + 1, residents=residents)
            case RecordLine():
                return _more(self, records=self.records + 1)
            case SuppressionLine():
                return _more(self, suppressions=self.suppressions + 1)
            case EditLine():
                return _more(self, edits=self.edits + 1)


class Header(Line, frozen=True, kw_only=True, tag="header"):
    """The first line.

    Attributes:
        format: version of this format.
        city: municipality code, 6 digits.
        as_of: when the registers were like this, with its offset from UTC.
        sequence: number of the last change that is in it; 0 before the first one.
        counts: what follows.
    """

    format: Literal["kofu-register-extract/1"]
    city: Annotated[str, Meta(pattern="^[0-9]{6}$")]
    as_of: AsOf
    sequence: Annotated[int, Meta(ge=0, le=SEQUENCE_MAX)]
    counts: Counts


class HouseholdLine(Line, frozen=True, kw_only=True, tag="household"):
    """A household with its residents."""

    household: Household


class RecordLine(Line, frozen=True, kw_only=True, tag="record"):
    """A record of another register; it says itself whose it is."""

    record: OtherRecord


class SuppressionLine(Line, frozen=True, kw_only=True, tag="suppression"):
    """A suppression of the resident system that is in force."""

    suppression: RegisterSuppression


class EditLine(Line, frozen=True, kw_only=True, tag="edit"):
    """A resident or household that staff has open for editing."""

    subject_kind: SubjectKind
    subject_id: Id


class Trailer(Line, frozen=True, kw_only=True, tag="trailer"):
    """The last line.

    Attributes:
        counts: what has come.
        sha256: of all bytes before this line, 64 hex digits.
    """

    counts: Counts
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


Content: TypeAlias = HouseholdLine | RecordLine | SuppressionLine | EditLine
AnyLine: TypeAlias = Header | Content | Trailer


def content_faults(line: Content) -> Iterator[Fault]:
    """Yield the rules that a line breaks by itself."""
    match line:
        case HouseholdLine(household=household):
            yield from household_faults(household)
        case RecordLine(record=record):
            yield from record_faults(record)
        case SuppressionLine(suppression=suppression):
            yield from subject_faults(suppression.subject_kind, suppression.subject_id)
        case EditLine():
            yield from subject_faults(line.subject_kind, line.subject_id)


def _more(counts: Counts, **changed: int) -> Counts:
    return msgspec.structs.replace(counts, **changed)
