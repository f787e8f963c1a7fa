"""Opening (開局) and closing (閉局) of the line."""

from protocol.limits import REQUEST_REPEAT_MS, TABLES_VERSION, UNFINISHED_LISTED_MAX
from protocol.telegrams import Close, Closed, Counters, Open, Opened, Refused, UnfinishedIssuance
from protocol.visit import VisitState
from terminal_sim.core import advices, witness
from terminal_sim.core.effects import Forget, LineClosed, LineOpened, LineRefused
from terminal_sim.core.endings import end_after_restart
from terminal_sim.core.records import VisitEnded
from terminal_sim.core.requests import AGAIN_CODES, Answer, Request, Step
from terminal_sim.core.state import Counted, Opening, TerminalState
from terminal_sim.core.turn import Turn, order

CLOSE_MS_MAX = 10_000

_OPEN = Request(Step.OPEN)
_CLOSE = Request(Step.CLOSE)
_OF_ONE_OPENING = frozenset({Step.OPEN, Step.CLOSE, Step.DELETED})
"""Requests whose answers mean something under one opening of the line only."""


def start(turn: Turn) -> None:
    """Decide over everything that the process before this one left."""
    state = turn.state
    for issuance in list(state.issuances.values()):
        end_after_restart(turn, issuance)
    if state.open_visit is not None:
        turn.record(VisitEnded(visit_id=state.open_visit, at_ms=turn.now_ms))


def open_line(turn: Turn) -> None:
    """Ask to take up business under fresh keys; an opening under way is given up for it.

    A closing under way is asked again when the line is open, and so are deletion reports: only then
    both sides count what ends under the same opening (TP-103).
    """
    state = turn.state
    if state.doubt is not None:
        return  # nothing more is said to this city (TP-122)
    state.opening = None
    state.closing |= _CLOSE in state.asked
    state.again.pop(_OPEN, None)
    for request in sorted(state.asked, key=order):
        if request.step in _OF_ONE_OPENING:
            state.asked.discard(request)
            turn.do(Forget(request=request))
    state.owed_before = frozenset(i.issuance_id for i in state.unfinished() if i.over)
    unfinished = tuple(
        UnfinishedIssuance(issuance_id=issuance.issuance_id, state=issuance.state.value)
        for issuance in state.unfinished()
    )
    turn.ask(
        _OPEN,
        Open(
            terminal=state.profile.terminal,
            software=state.profile.software,
            tables_version=TABLES_VERSION,
            unfinished=unfinished[:UNFINISHED_LISTED_MAX],
            witnessed=_witnessed(state),
        ),
        give_up_ms=None,
    )


def opening_answered(turn: Turn, answer: Answer | None) -> None:
    """Take the answer to ``open``: compare what both sides have not ended."""
    state = turn.state
    match answer:
        case Opened() if answer.city == state.profile.city:
            if not witness.holds(turn, answer):
                return
            opening = Opening(
                listed=tuple((entry.issuance_id, entry.state) for entry in answer.unfinished),
                before=state.owed_before,
            )
            state.opening = opening
            state.counted = Counted()
            advices.compare(state, opening)
            turn.do(LineOpened(call_centre=answer.call_centre))
        case Refused() if answer.code not in AGAIN_CODES:
            turn.do(LineRefused(code=answer.code))
        case _:
            turn.ask_again_later(_OPEN, REQUEST_REPEAT_MS)


def closing_answered(turn: Turn, answer: Answer | None) -> None:
    """Take the answer to ``close`` and compare the counters; None if there was none."""
    theirs = None
    if isinstance(answer, Closed):
        witness.holds(turn, answer)
        theirs = answer.counters
    turn.do(LineClosed(ours=_counters(turn.state.counted), theirs=theirs))


def pass_time(turn: Turn) -> None:
    """Open again after a refusal that decided nothing."""
    if turn.now_ms >= turn.state.again.get(_OPEN, turn.now_ms + 1):
        open_line(turn)


def go_on(turn: Turn) -> None:
    """Close the line once that was asked and nothing is left to settle."""
    state, visit = turn.state, turn.state.visit
    busy = visit is not None and visit.state is not VisitState.ENDED
    if not state.closing or state.opening is None or busy:
        return
    if state.asked or advices.outstanding(state) or _erasing(state):
        return
    state.closing = False
    close = Close(counters=_counters(state.counted), witnessed=_witnessed(state))
    turn.ask(_CLOSE, close, give_up_ms=CLOSE_MS_MAX)


def _erasing(state: TerminalState) -> bool:
    """Tell whether a spool file is still to go: the process does not end before."""
    return any(one.over and one.erased_at_ms is None for one in state.issuances.values())


def _witnessed(state: TerminalState) -> int:
    return 0 if state.witnessed is None else state.witnessed.size


def _counters(counted: Counted) -> Counters:
    return Counters(
        completed=counted.completed,
        reversed=counted.reversed,
        fees_earned_yen=counted.fees_earned_yen,
    )
