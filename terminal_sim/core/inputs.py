"""Everything that can happen to a terminal. Ids are drawn outside and come in as arguments."""

from dataclasses import dataclass
from typing import TypeAlias

from protocol.kinds import Kind, Options
from protocol.telegrams import NoticeKind, Refused
from terminal_sim.core.requests import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The process has folded its journal: what the last one left undone is decided now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReady:
    """A handshake gave fresh keys: the line is to be opened (again)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request was answered. One that is no longer asked changes nothing."""

    request: Request
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A request was given up."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGiven:
    """The city says something unasked."""

    notice: NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """A deadline may have come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAsked:
    """Close the line as soon as nothing is left to settle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardInserted:
    """A card, and the id of its visit (16 bytes, random)."""

    visit_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PinEntered:
    """The keypad has a PIN for this attempt; only the shell knows it."""

    visit_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTaken:
    """The person is done, or the card itself says no for good."""

    visit_id: bytes
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked:
    """The person, or the machine's operator, wants to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateChosen:
    """An application, and its id (16 bytes, random)."""

    visit_id: bytes
    issuance_id: bytes
    kind: Kind
    options: Options
    copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DomicileWanted:
    """A form by 本籍 is filled in (its id, 16 bytes, random), or its state is asked for (None)."""

    visit_id: bytes
    request_id: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPressed:
    """The person does not want this issuance any more; the visit goes on."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyInserted:
    """The person has put in this much and no more is coming."""

    issuance_id: bytes
    amount_yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CiphertextStored:
    """The pieces were joined.

    Attributes:
        issuance_id: the issuance.
        sealed_digest: SHA-256 of the whole; it is on the disk if this is the expected one.
            None if the disk refused.
    """

    issuance_id: bytes
    sealed_digest: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterReady:
    """The printer can lay the next sheet."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOut:
    """The sheet, counted from 1, has left the printer."""

    issuance_id: bytes
    sheet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterFailed:
    """The printer gave up; a sheet that was started may or may not have left."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Spool file and key of the issuance are gone."""

    issuance_id: bytes


Input: TypeAlias = (
    Started
    | LineReady
    | Answered
    | Unanswered
    | NoticeGiven
    | TimePassed
    | CloseAsked
    | CardInserted
    | PinEntered
    | CardTaken
    | CancelAsked
    | CertificateChosen
    | CancelPressed
    | DomicileWanted
    | MoneyInserted
    | CiphertextStored
    | PrinterReady
    | SheetOut
    | PrinterFailed
    | Erased
)
