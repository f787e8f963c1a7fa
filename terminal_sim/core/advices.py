"""What the terminal owes the city: report, deletion report, withdrawal; repeated until taken.

What is due follows from the state alone, so that a restart owes the same. A report comes before
its deletion report, and a deletion report only after the erasure is on record.
"""

from dataclasses import replace

from protocol.issuance import IssuanceState
from protocol.limits import REQUEST_REPEAT_MS_MAX
from protocol.telegrams import Acknowledged, Cancel, Refused
from protocol.terminal_statements import DeletionReport, FailureCause, PrintOutcome, PrintReport
from terminal_sim.core.records import DeletionTaken, ReportTaken, SpoolErased
from terminal_sim.core.requests import GONE_CODES, Answer, Request, Step
from terminal_sim.core.state import Issuance, Opening, TerminalState
from terminal_sim.core.turn import Turn

S = IssuanceState

ADVICES_OUTSTANDING_MAX = 4
"""Leaves room on the line for a visit beside what is settled."""
CANCEL_MS_MAX = 10_000
"""How long a withdrawal is told; the city's own deadline does the rest."""

_ADVICES = frozenset({Step.REPORT, Step.DELETED, Step.CANCEL})
_KEY_WAS_OUT = frozenset(
    state.value for state in (S.RELEASED, S.UNCONFIRMED, S.PRINTED, S.PRINT_FAILED)
)
_WITHDRAWABLE = frozenset(state.value for state in (S.APPLIED, S.QUOTED, S.SEALED))


def go_on(turn: Turn) -> None:
    """Ask what is due, oldest first, as far as the line has room."""
    state = turn.state
    if state.opening is None:
        return
    for issuance_id in list(state.cancels):
        question = Cancel(issuance_id=issuance_id, cause=state.cancels[issuance_id])
        _ask(turn, Request(Step.CANCEL, issuance_id), question, CANCEL_MS_MAX)
    for issuance in state.issuances.values():
        said = state.said_again.get(issuance.issuance_id)
        if issuance.state in (S.PRINTED, S.PRINT_FAILED):
            said = issuance.report_answer is not None
        if said is False:
            _ask(turn, Request(Step.REPORT, issuance.issuance_id), report_of(issuance), None)
        elif said is True and issuance.erased_at_ms is not None:
            _ask(turn, Request(Step.DELETED, issuance.issuance_id), deletion_of(issuance), None)


def pass_time(turn: Turn) -> None:
    """Make due again what was to be said again about now."""
    again = turn.state.again
    for request in [asked for asked, at_ms in again.items() if at_ms <= turn.now_ms]:
        if request.step in _ADVICES:
            del again[request]


def erased(turn: Turn, issuance_id: bytes) -> None:
    """Record that spool and key are gone; a second word changes nothing."""
    issuance = turn.issuance(issuance_id)
    if issuance.over and issuance.erased_at_ms is None:
        turn.record(SpoolErased(issuance_id=issuance_id, at_ms=turn.now_ms))


def report_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to a print report."""
    taken = _taken(answer)
    if taken is None:
        turn.ask_again_later(request, REQUEST_REPEAT_MS_MAX)
    elif request.subject in turn.state.said_again:
        turn.state.said_again[request.subject] = True
    else:
        turn.record(ReportTaken(issuance_id=request.subject, answer=taken, at_ms=turn.now_ms))


def deletion_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to a deletion report: the issuance has ended."""
    taken = _taken(answer)
    if taken is None:
        turn.ask_again_later(request, REQUEST_REPEAT_MS_MAX)
    elif turn.state.said_again.pop(request.subject, None) is None:
        _count(turn.state, turn.issuance(request.subject), taken)
        turn.record(DeletionTaken(issuance_id=request.subject, answer=taken, at_ms=turn.now_ms))


def cancel_answered(turn: Turn, request: Request) -> None:
    """A withdrawal was told, or as well as that: the city's deadline does the rest."""
    turn.state.cancels.pop(request.subject, None)


def compare(state: TerminalState, opening: Opening) -> None:
    """Find what the city has not ended and this terminal has, and say the last words again.

    An issuance that this terminal never knew is withdrawn where that is still possible; about one
    whose key was given it can say nothing, and the city's operators decide.
    """
    for issuance_id, state_there in opening.listed:
        issuance = state.issuances.get(issuance_id)
        if issuance is not None and not issuance.ended:
            continue
        if state_there in _WITHDRAWABLE:
            state.cancels.setdefault(issuance_id, FailureCause.POWER_LOSS)
        elif issuance is not None and state_there in _KEY_WAS_OUT:
            state.said_again[issuance_id] = False


def report_of(issuance: Issuance) -> PrintReport:
    """Return the print report of an issuance that is over: the same whenever it is asked."""
    failure, printed = issuance.failure, issuance.withdrawal is None and issuance.failure is None
    if failure is not None:
        cause = failure.cause
    else:
        cause = FailureCause.NONE if printed else FailureCause.NO_RELEASE_ANSWER
    return PrintReport(
        issuance_id=issuance.issuance_id,
        outcome=PrintOutcome.PRINTED if printed else PrintOutcome.FAILED,
        sheets_out=issuance.sheets_laid,
        sheets_unknown=failure is not None and failure.sheets_unknown,
        cause=cause,
        at_ms=issuance.over_at_ms or 0,
    )


def deletion_of(issuance: Issuance) -> DeletionReport:
    """Return the deletion report of an issuance whose erasure is on record."""
    return DeletionReport(
        issuance_id=issuance.issuance_id, at_ms=issuance.erased_at_ms or issuance.over_at_ms or 0
    )


def outstanding(state: TerminalState) -> bool:
    """Tell whether anything is still owed to the city."""
    return bool(state.unfinished() or state.cancels or state.said_again)


def _ask(
    turn: Turn,
    request: Request,
    question: Cancel | PrintReport | DeletionReport,
    give_up_ms: int | None,
) -> None:
    state = turn.state
    room = sum(1 for asked in state.asked if asked.step in _ADVICES) < ADVICES_OUTSTANDING_MAX
    if request not in state.asked and request not in state.again and room:
        turn.ask(request, question, give_up_ms=give_up_ms)


def _taken(answer: Answer | None) -> str | None:
    """Return how the city took an advice; None if it must be said again."""
    match answer:
        case Acknowledged():
            return answer.state
        case Refused() if answer.code in GONE_CODES:
            return answer.code.name.lower()
    return None


def _count(state: TerminalState, issuance: Issuance, taken: str) -> None:
    """Count an end as the city does: when the deletion is recorded there."""
    opening, counted = state.opening, state.counted
    issuance_id = issuance.issuance_id
    if opening is None:
        return
    if issuance_id in opening.before and issuance_id not in dict(opening.listed):
        return  # the city ended it before the opening and counted it then
    if taken == S.COMPLETED.value:
        state.counted = replace(
            counted,
            completed=counted.completed + 1,
            fees_earned_yen=counted.fees_earned_yen + issuance.amount_yen,
        )
    elif taken == S.REVERSED.value:
        state.counted = replace(counted, reversed=counted.reversed + 1)
