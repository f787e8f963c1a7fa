"""Changes of the registers for tests, as a register system would send them."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from issuance_server.core import register_feed as f
from issuance_server.core.register import Household
from issuance_server.core.suppression import SubjectKind, SuppressionReason
from tests.core.made import START_REAL_MS

C = TypeVar("C", bound=f.Change)
AS_OF = datetime.fromtimestamp(START_REAL_MS / 1_000, UTC)


def change(kind: type[C], sequence: int, **fields: Any) -> C:
    """Return a change as of the start of tests."""
    return kind(sequence=sequence, as_of=fields.pop("as_of", AS_OF), **fields)


def beats(*sequences: int) -> tuple[f.AnyChange, ...]:
    """Return heartbeats with these numbers."""
    return tuple(change(f.Heartbeat, sequence) for sequence in sequences)


def edit(kind: type[C], sequence: int, resident_id: str) -> C:
    """Return the beginning or end of a resident's edit."""
    return change(kind, sequence, subject_kind=SubjectKind.PERSON, subject_id=resident_id)


def remarked(household: Household, number: int = 0, remarks: str = "備考") -> Household:
    """Return a household with another entry of one member."""
    members = list(household.members)
    members[number] = msgspec.structs.replace(members[number], remarks=remarks)
    return msgspec.structs.replace(household, members=tuple(members))


def without(household: Household, number: int) -> Household:
    """Return a household without one of its members, who is not the head."""
    members = household.members[:number] + household.members[number + 1 :]
    return msgspec.structs.replace(household, members=members)


def moved_in(household: Household, resident_id: str, like: Household) -> Household:
    """Return a household to which a member of another one has come, as 同居人."""
    member = like.member(resident_id)
    assert member is not None
    joined = msgspec.structs.replace(
        member, household_id=household.household_id, relationship="同居人"
    )
    return msgspec.structs.replace(household, members=(*household.members, joined))


def suppression(suppression_id: str, resident_id: str) -> f.RegisterSuppression:
    """Return a suppression of the resident system."""
    return f.RegisterSuppression(
        suppression_id=suppression_id,
        subject_kind=SubjectKind.PERSON,
        subject_id=resident_id,
        why=SuppressionReason.SUPPORT,
    )
