"""What a batch must agree with in the copy, change by change."""

import msgspec
import pytest

from issuance_server.core import register_feed as f
from issuance_server.core.record_holders import holders_of, record_key
from issuance_server.core.register_index import Index, touched
from issuance_server.sample.records import sample_record
from issuance_server.sample.residents import sample_households
from protocol.kinds import Kind
from tests.core.changes import change, moved_in, remarked, suppression, without

A, B = sample_households()[:2]
MOVER = A.members[1].resident_id
REGISTER = sample_record(A.head_id, Kind.KOSEKI_ZENBU)
assert REGISTER is not None


def copy() -> Index:
    """Return a copy of two households and a family register."""
    assert REGISTER is not None
    key = record_key(REGISTER)
    return Index(
        households={A.household_id, B.household_id},
        residents={one.resident_id: of.household_id for of in (A, B) for one in of.members},
        records={key},
        holdings={(who, kind.value): key for who, kind in holders_of(REGISTER)},
        suppressions={"1"},
    )


def households(*put: f.Household, removed: tuple[str, ...] = ()) -> f.HouseholdsChanged:
    """Return a change of households."""
    return change(f.HouseholdsChanged, 1, put=put, removed=removed)


COPIED = msgspec.structs.replace(REGISTER, register_id="another")


@pytest.mark.parametrize(
    "changes",
    [
        (households(remarked(A)),),
        (households(without(A, 1), moved_in(B, MOVER, A)),),
        (households(moved_in(B, MOVER, A), without(A, 1)),),
        (households(without(A, 1)), households(moved_in(B, MOVER, A))),
        (households(removed=(A.household_id,)), households(A)),
        (change(f.RecordPut, 1, record=REGISTER),),
        (
            change(f.RecordRemoved, 1, key=record_key(REGISTER)),
            change(f.RecordPut, 2, record=COPIED),
        ),
        (change(f.SuppressionEnded, 1, suppression_id="1"),),
        (change(f.SuppressionEnded, 1, suppression_id="2", for_a_time=True),),
        (
            change(f.SuppressionNoted, 1, suppression=suppression("2", MOVER)),
            change(f.SuppressionEnded, 2, suppression_id="2"),
        ),
    ],
)
def test_changes_that_follow_from_the_copy_are_taken(changes: tuple[f.AnyChange, ...]) -> None:
    """Who moves is named in both households at once, in whichever order."""
    index = copy()

    assert [] == [why for one in changes if (why := index.conflict(one))]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ((households(moved_in(B, MOVER, A)),), "is in another household"),
        ((households(removed=("50000990",)),), "not in the copy"),
        ((households(removed=(A.household_id,)), households(removed=(A.household_id,))), "not in"),
        ((change(f.RecordPut, 1, record=COPIED),), "another record of this kind"),
        ((change(f.RecordRemoved, 1, key="seal/10000017"),), "record that is removed is not in"),
        ((change(f.SuppressionEnded, 1, suppression_id="2"),), "suppression that is lifted"),
    ],
)
def test_change_against_the_copy_says_why(changes: tuple[f.AnyChange, ...], why: str) -> None:
    """Nobody is in two households or has two records of a kind; what is not there cannot go."""
    index = copy()
    *before, last = changes
    for one in before:
        assert index.conflict(one) is None

    found = index.conflict(last)
    assert found is not None
    assert why in found
    assert A.head.name not in found


def test_no_more_is_read_than_a_batch_names() -> None:
    """A batch in a city of half a million reads a handful of rows."""
    named = touched(
        (
            households(A, removed=(B.household_id,)),
            change(f.RecordPut, 2, record=REGISTER),
            change(f.RecordRemoved, 3, key="tax/10000017"),
            change(f.SuppressionEnded, 4, suppression_id="9"),
        )
    )

    assert {A.household_id, B.household_id} == named.households
    assert {one.resident_id for one in A.members} == named.residents
    assert {record_key(REGISTER), "tax/10000017"} == named.keys
    assert {who for who, _ in holders_of(REGISTER)} == named.holders
    assert {"9"} == named.suppressions
