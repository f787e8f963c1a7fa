"""What is known of requests by 本籍, and what operators change of them."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeAlias


class RequestState(Enum):
    """Where a request stands at the counter."""

    ACCEPTED = "accepted"  # nobody has looked yet
    MATCHED = "matched"  # one operator has found the register; another one is to approve
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """A request that is on record.

    Attributes:
        request_id: 16 bytes.
        request_digest: of the telegram that made it.
        state: where it stands.
        usable_from: of an approved one, the first day.
        words: of a rejected one, what the applicant is told.
    """

    request_id: bytes
    request_digest: bytes
    state: RequestState
    usable_from: date | None = None
    words: str = ""

    def __repr__(self) -> str:
        return f"KnownRequest({self.request_id.hex()}, {self.state.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An operator found the person in a family register of this city."""

    request_id: bytes
    resident_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A second operator agrees: the card is registered, usable from a day on."""

    request_id: bytes
    usable_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The counter cannot register the card. The words go into a table and into no record."""

    request_id: bytes
    words: str

    def __repr__(self) -> str:
        return f"Rejection({self.request_id.hex()})"


DomicileChange: TypeAlias = Match | Approval | Rejection
