"""The terminal's state: what its records say, and what is only in memory.

Rules:

1. The recorded part changes in ``evolve`` alone, and every step of an issuance is a row of
   ``ISSUANCE_TABLE``.
2. The rest is lost with the process, and nothing that must survive depends on it.
3. No part is a secret; everything is hashable through ``key``, so that an explorer can compare.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from protocol.checkpoint import Checkpoint
from protocol.errors import Misuse
from protocol.issuance import ISSUANCE_TABLE, IssuanceInput, IssuanceState
from protocol.kinds import Options
from protocol.telegrams import MenuItem, Refused
from protocol.terminal_statements import FailureCause
from protocol.visit import VisitState
from terminal_sim.core.records import (
    AnyRecord,
    Applied,
    CheckpointKept,
    CiphertextHeld,
    DeletionTaken,
    Doubt,
    DoubtDismissed,
    DoubtRaised,
    IssuanceRecord,
    Printed,
    PrintFailed,
    Quoted,
    ReleaseAsked,
    ReleaseGranted,
    ReportTaken,
    SheetLaid,
    SheetStarted,
    SpoolErased,
    VisitEnded,
    VisitOpened,
    Withdrawn,
)
from terminal_sim.core.requests import Request

S, I = IssuanceState, IssuanceInput  # noqa: E741  # short, for the tables

BEFORE_RELEASE = frozenset({S.APPLIED, S.QUOTED, S.SEALED})
"""States in which an issuance can still be withdrawn without a word from the city."""


class Money(Enum):
    """Where the fee of an issuance is."""

    NONE = "none"
    HELD = "held"
    EARNED = "earned"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who this terminal is.

    Attributes:
        terminal: its id.
        city: municipality code, 6 digits.
        software: name and version of its program.
        binding_keys: under any of these the city signs releases, 32 bytes each.
        checkpoint_keys: under any of these it signs its audit record.
    """

    terminal: str
    city: str
    software: str
    binding_keys: tuple[bytes, ...]
    checkpoint_keys: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """One issuance, as its records tell it.

    Attributes:
        applied: what was applied for.
        state: where it stands.
        quoted: the quotation, once it came.
        money: where the fee is.
        amount_yen: what was held, earned or returned.
        sheets_started: sheets that were about to leave; at most one more than ``sheets_laid``.
        sheets_laid: sheets that left.
        failure: how it failed, if it did.
        withdrawal: how it was withdrawn, if it was.
        over_at_ms: when printing ended, well or not; the report's time.
        erased_at_ms: when spool and key were erased; the deletion report's time.
        report_answer: how the city took the report.
        deletion_answer: how the city took the deletion report.
    """

    applied: Applied
    state: IssuanceState = S.APPLIED
    quoted: Quoted | None = None
    money: Money = Money.NONE
    amount_yen: int = 0
    sheets_started: int = 0
    sheets_laid: int = 0
    failure: PrintFailed | None = None
    withdrawal: Withdrawn | None = None
    over_at_ms: int | None = None
    erased_at_ms: int | None = None
    report_answer: str | None = None
    deletion_answer: str | None = None

    @property
    def issuance_id(self) -> bytes:
        """The issuance's id, 16 bytes."""
        return self.applied.issuance_id

    @property
    def ended(self) -> bool:
        """Whether nothing is owed to the city any more."""
        return self.state in ISSUANCE_TABLE.ends

    @property
    def over(self) -> bool:
        """Whether printing has ended, well or not, or was withdrawn."""
        return self.over_at_ms is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the desk remembers of a running issuance, in memory only.

    Attributes:
        options: as applied for.
        expected_fee_yen: what the menu promised for all copies.
        until_ms: when the quotation ends; before there is one, when the visit ends.
        release_until_ms: until when an answer to the release is awaited.
        pieces_asked: pieces asked for so far, from 0.
        pieces_kept: pieces that came.
    """

    options: Options
    expected_fee_yen: int
    until_ms: int
    release_until_ms: int | None = None
    pieces_asked: int = 0
    pieces_kept: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The visit in front of the terminal, in memory only.

    Attributes:
        visit_id: its id.
        state: where it stands.
        attempt: of the PIN, from 1.
        until_ms: when it ends by itself.
        challenge: of this attempt, once it came.
        menu: what may be had.
        refusal: the last thing that the city refused.
    """

    visit_id: bytes
    state: VisitState
    attempt: int
    until_ms: int
    challenge: bytes | None = None
    menu: tuple[MenuItem, ...] = ()
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What was agreed when the line was opened.

    Attributes:
        listed: what the city had not ended: issuance id and the state's name there.
        before: issuances that this terminal owed a word when it asked to open.
    """

    listed: tuple[tuple[bytes, str], ...]
    before: frozenset[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted since the opening (精査)."""

    completed: int = 0
    reversed: int = 0
    fees_earned_yen: int = 0


@dataclass(slots=True, kw_only=True)
class TerminalState:
    """Everything that a step needs to know.

    Attributes:
        profile: who this terminal is.
        issuances: recorded: every issuance by its id.
        open_visit: recorded: the visit that has not ended.
        witnessed: recorded: the latest checkpoint of the city's audit record.
        doubt: recorded: the city's record does not fit; nothing goes on until it is dismissed.
        opening: the line is open; None before.
        owed_before: what ``before`` of the next opening will be: fixed when ``open`` is sent, for
            what ends while it is unanswered ends under the new opening.
        visit: the visit under way, or the last one.
        desks: the running issuances by id.
        asked: requests without an answer so far.
        again: requests to be asked again, and when.
        cancels: withdrawals that the city should hear of, with their cause.
        said_again: ended issuances of which the city asks once more; True once reported.
        counted: this terminal's counters.
        closing: the line is to be closed when nothing is left.
    """

    profile: Profile
    issuances: dict[bytes, Issuance] = field(default_factory=dict)
    open_visit: bytes | None = None
    witnessed: Checkpoint | None = None
    doubt: DoubtRaised | None = None
    opening: Opening | None = None
    owed_before: frozenset[bytes] = frozenset()
    visit: Visit | None = None
    desks: dict[bytes, Desk] = field(default_factory=dict)
    asked: set[Request] = field(default_factory=set)
    again: dict[Request, int] = field(default_factory=dict)
    cancels: dict[bytes, FailureCause] = field(default_factory=dict)
    said_again: dict[bytes, bool] = field(default_factory=dict)
    counted: Counted = field(default_factory=Counted)
    closing: bool = False

    def unfinished(self) -> list[Issuance]:
        """Return the issuances that have not ended, oldest first."""
        return [issuance for issuance in self.issuances.values() if not issuance.ended]

    def copy(self) -> "TerminalState":
        """Return a state that can go another way."""
        return replace(
            self,
            issuances=dict(self.issuances),
            desks=dict(self.desks),
            asked=set(self.asked),
            again=dict(self.again),
            cancels=dict(self.cancels),
            said_again=dict(self.said_again),
        )

    def key(self) -> Hashable:
        """Return a hashable value that is equal for equal states."""
        return (
            tuple(self.issuances.items()),
            self.open_visit,
            self.witnessed,
            self.doubt,
            self.opening,
            self.owed_before,
            self.visit,
            frozenset(self.desks.items()),
            frozenset(self.asked),
            frozenset(self.again.items()),
            frozenset(self.cancels.items()),
            frozenset(self.said_again.items()),
            self.counted,
            self.closing,
        )


def fold(profile: Profile, records: Iterable[AnyRecord]) -> TerminalState:
    """Return the state after a restart."""
    state = TerminalState(profile=profile)
    for record in records:
        evolve(state, record)
    return state


def evolve(state: TerminalState, record: AnyRecord) -> None:
    """Take a record into the state.

    Raises:
        Misuse: the record does not follow from those before it.
    """
    match record:
        case VisitOpened():
            state.open_visit = record.visit_id
        case VisitEnded():
            state.open_visit = None
        case CheckpointKept():
            state.witnessed = record.checkpoint
        case DoubtRaised():
            state.doubt = record
        case DoubtDismissed():
            _dismiss(state)
        case Applied():
            if record.issuance_id in state.issuances:
                raise Misuse("an issuance id was used twice")
            state.issuances[record.issuance_id] = Issuance(applied=record)
        case _:
            issuance = state.issuances.get(record.issuance_id)
            if issuance is None:
                raise Misuse("a record of an issuance that was never applied for")
            state.issuances[record.issuance_id] = evolved(issuance, record)


def _dismiss(state: TerminalState) -> None:
    """Be a witness anew, from what the city showed if it had signed that, else from its next."""
    raised, state.doubt = state.doubt, None
    if raised is None:
        raise Misuse("there is no doubt to dismiss")
    state.witnessed = None if raised.doubt is Doubt.SIGNATURE else raised.shown


def evolved(issuance: Issuance, record: IssuanceRecord) -> Issuance:
    """Return the issuance after one more record."""
    after = replace(issuance, state=_next_state(issuance.state, record))
    match record:
        case Quoted():
            after = replace(after, quoted=record)
        case ReleaseAsked():
            after = replace(after, money=Money.HELD, amount_yen=record.amount_yen)
        case SheetStarted():
            after = replace(after, sheets_started=record.sheet)
        case SheetLaid():
            after = replace(after, sheets_laid=record.sheet)
        case Printed():
            after = replace(after, money=Money.EARNED, over_at_ms=record.at_ms)
        case PrintFailed():
            after = replace(after, money=Money.RETURNED, over_at_ms=record.at_ms, failure=record)
        case Withdrawn():
            after = replace(
                after,
                money=Money.RETURNED if record.returned_yen else Money.NONE,
                amount_yen=record.returned_yen,
                over_at_ms=record.at_ms,
                withdrawal=record,
            )
        case SpoolErased():
            after = replace(after, erased_at_ms=record.at_ms)
        case ReportTaken():
            after = replace(after, report_answer=record.answer)
        case DeletionTaken():
            after = replace(after, deletion_answer=record.answer)
    return after


_INPUT_OF: dict[type[AnyRecord], IssuanceInput] = {
    Quoted: I.QUOTATION_GIVEN,
    CiphertextHeld: I.CIPHERTEXT_HELD,
    ReleaseAsked: I.RELEASE_ASKED,
    ReleaseGranted: I.RELEASE_GRANTED,
    Printed: I.PRINT_REPORTED,
    PrintFailed: I.FAILURE_REPORTED,
    Withdrawn: I.WITHDRAWAL,
    DeletionTaken: I.DELETION_RECORDED,
}
"""Records that move an issuance; the others only add to what is known of it."""


def _next_state(state: IssuanceState, record: IssuanceRecord) -> IssuanceState:
    input_ = _INPUT_OF.get(type(record))
    if input_ is None:
        return state
    if not ISSUANCE_TABLE.moves(state, input_):
        raise Misuse(f"{input_.value} in state {state.value} is out of order")
    following = ISSUANCE_TABLE.next(state, input_)
    assert following is not None
    return following
