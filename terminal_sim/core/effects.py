"""What a step wants done: records first, in one transaction, and then what leaves.

If the records cannot be written, nothing of the rest may happen.
"""

from dataclasses import dataclass
from typing import TypeAlias

from protocol.codes import ReplyCode
from protocol.domicile_telegrams import DomicileTold
from protocol.telegrams import Counters, MenuItem, Refused, Unavailable
from terminal_sim.core.records import AnyRecord, DoubtRaised
from terminal_sim.core.requests import Question, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Append to the journal, durably."""

    record: AnyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Send a request and repeat it.

    Attributes:
        request: its name.
        question: its content, to be completed by the shell where it needs a secret.
        give_up_ms: how long to try; None: until it is answered or forgotten.
    """

    request: Request
    question: Question
    give_up_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Stop repeating a request; an answer that still comes is late."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOpened:
    """The line is open; ``call_centre`` is for the screen."""

    call_centre: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRefused:
    """The city does not take up business with this terminal."""

    code: ReplyCode


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDoubted:
    """The city's audit record is not what this terminal witnessed: raise the alarm and stop."""

    raised: DoubtRaised


@dataclass(frozen=True, slots=True, kw_only=True)
class LineClosed:
    """The line is closed, with what both sides counted (精査).

    Attributes:
        ours: this terminal's counters since the opening.
        theirs: the city's; None if it did not answer.
    """

    ours: Counters
    theirs: Counters | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForPin:
    """Let the person type the PIN of this attempt; ``refusal`` says what was wrong before."""

    visit_id: bytes
    attempt: int
    refusal: Refused | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowMenu:
    """Let the person choose."""

    visit_id: bytes
    items: tuple[MenuItem, ...]
    unavailable: tuple[Unavailable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDomicile:
    """Let the person ask for registration by 本籍; ``refusal`` says why nothing else is offered."""

    visit_id: bytes
    refusal: Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class TellDomicile:
    """Show how a request by 本籍 stands."""

    visit_id: bytes
    told: DomicileTold


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCard:
    """The visit is over; ``refusal`` says why, if the city refused."""

    visit_id: bytes
    refusal: Refused | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCiphertext:
    """Join the pieces and, if the digest is this one, write them to the spool, durably."""

    issuance_id: bytes
    sealed_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForMoney:
    """Let the person put in the fee."""

    issuance_id: bytes
    fee_yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMoney:
    """Keep the fee apart until its fate is decided, and give the change."""

    issuance_id: bytes
    amount_yen: int
    change_yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnMoney:
    """Move the held amount to the cash box."""

    issuance_id: bytes
    amount_yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMoney:
    """Give back what was put in for this issuance."""

    issuance_id: bytes
    amount_yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeReady:
    """Tell when the printer can lay the next sheet."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LaySheet:
    """Let this sheet, counted from 1, leave the printer."""

    issuance_id: bytes
    sheet: int
    sheets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSpool:
    """Erase ciphertext, pieces, document and key of the issuance, durably."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceOver:
    """Nothing more will happen in front of the person; what is owed to the city goes on."""

    issuance_id: bytes
    refusal: Refused | None


Leaving: TypeAlias = (
    Ask
    | Forget
    | LineOpened
    | LineRefused
    | RecordDoubted
    | LineClosed
    | AskForPin
    | ShowMenu
    | OfferDomicile
    | TellDomicile
    | ReturnCard
    | StoreCiphertext
    | AskForMoney
    | HoldMoney
    | EarnMoney
    | ReturnMoney
    | MakeReady
    | LaySheet
    | EraseSpool
    | IssuanceOver
)
Effect: TypeAlias = Record | Leaving
