"""Lines of an extract: how they are counted, and which rules they break."""

import msgspec
import pytest

from issuance_server.core.register_extract import (
    AnyLine,
    Content,
    Counts,
    EditLine,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
    content_faults,
)
from issuance_server.core.suppression import SubjectKind
from issuance_server.sample.records import sample_record
from issuance_server.sample.residents import sample_households
from protocol.kinds import Kind
from tests.core.changes import suppression

A = sample_households()[0]
SEAL = sample_record(A.head_id, Kind.INKAN)
assert SEAL is not None
NOBODY = "12345678"
HOUSEHOLD = HouseholdLine(household=A)
RECORD = RecordLine(record=SEAL)
SUPPRESSION = SuppressionLine(suppression=suppression("1", A.head_id))
EDIT = EditLine(subject_kind=SubjectKind.PERSON, subject_id=A.head_id)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (HOUSEHOLD, Counts(households=1, residents=len(A.members))),
        (RECORD, Counts(records=1)),
        (SUPPRESSION, Counts(suppressions=1)),
        (EDIT, Counts(edits=1)),
    ],
)
def test_lines_are_counted_by_what_they_hold(line: Content, counts: Counts) -> None:
    """A household with all its residents; sound lines break no rule and show nobody."""
    assert counts == Counts().with_line(line)
    assert [] == list(content_faults(line))
    assert A.head.name not in repr(line)
    assert line == msgspec.json.decode(msgspec.json.encode(line), type=AnyLine)


@pytest.mark.parametrize(
    ("line", "item"),
    [
        (HouseholdLine(household=msgspec.structs.replace(A, address="")), "住所"),
        (RecordLine(record=msgspec.structs.replace(SEAL, resident_id=NOBODY)), "宛名番号"),
        (SuppressionLine(suppression=suppression("1", NOBODY)), "宛名番号"),
        (EditLine(subject_kind=SubjectKind.HOUSEHOLD, subject_id=NOBODY), "世帯番号"),
    ],
)
def test_broken_line_is_named_by_its_item(line: Content, item: str) -> None:
    """The same rules as in the feed."""
    assert item in [fault.item for fault in content_faults(line)]
