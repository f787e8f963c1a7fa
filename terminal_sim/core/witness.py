"""The terminal as a witness (立会い) of the city's audit record (SPEC.md §17).

It keeps the latest checkpoint that the city showed it; the next one has to contain it. If not, the
city's record was put back or written anew, and nothing is issued here until the operator says so.
"""

from collections.abc import Iterator, Sequence

from protocol.checkpoint import Checkpoint, grew_from
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.telegrams import Closed, Opened, Refused
from protocol.terminal_statements import FailureCause
from protocol.visit import VisitInput
from terminal_sim.core import visit_desk
from terminal_sim.core.effects import Forget, RecordDoubted
from terminal_sim.core.endings import fail
from terminal_sim.core.records import CheckpointKept, Doubt, DoubtRaised
from terminal_sim.core.state import Profile
from terminal_sim.core.turn import Turn, order


def holds(turn: Turn, answer: Opened | Closed) -> bool:
    """Hold what the city shows against what is kept, and keep it if it holds (TP-122).

    If not, both are on record, the line goes no further, and what waits for a key never prints.
    """
    state = turn.state
    kept, shown = state.witnessed, answer.checkpoint
    doubt = find_doubt(kept, shown, answer.proof, state.profile)
    if doubt is not None:
        raised = DoubtRaised(
            doubt=doubt, kept=kept, shown=shown, proof=answer.proof, at_ms=turn.now_ms
        )
        turn.record(raised)
        _stop(turn)
        turn.do(RecordDoubted(raised=raised))
        return False
    if shown is not None and (kept is None or shown.size > kept.size):
        turn.record(CheckpointKept(checkpoint=shown, at_ms=turn.now_ms))
    return True


def find_doubt(
    kept: Checkpoint | None, shown: Checkpoint | None, proof: Sequence[bytes], profile: Profile
) -> Doubt | None:
    """Return the first point in which a checkpoint does not fit, or None.

    Args:
        kept: what the terminal keeps; None: it is a witness from the next one on.
        shown: what the city shows; None: nothing.
        proof: that the shown one grew from the kept one.
        profile: with the city and its checkpoint keys.
    """
    return next(_doubts(kept, shown, proof, profile), None)


def _doubts(
    kept: Checkpoint | None, shown: Checkpoint | None, proof: Sequence[bytes], profile: Profile
) -> Iterator[Doubt]:
    if shown is None:
        if kept is not None:
            yield Doubt.WITHHELD
        return
    if not shown.signed_under(profile.checkpoint_keys, profile.city):
        yield Doubt.SIGNATURE
    if kept is None:
        return
    if shown.size < kept.size:
        yield Doubt.PUT_BACK
    elif not grew_from(kept, shown, proof):
        yield Doubt.REWRITTEN


def _stop(turn: Turn) -> None:
    """End the visit, let nothing print that was not released, and say no more to this city."""
    state = turn.state
    state.opening = None
    stopped = Refused(code=ReplyCode.LINE_STOPPED)
    visit_desk.end(turn, VisitInput.VISIT_ENDED, refusal=stopped)
    for issuance in list(state.issuances.values()):
        if issuance.state is IssuanceState.RELEASING:
            cause = FailureCause.NO_RELEASE_ANSWER
            fail(turn, issuance.issuance_id, cause=cause, refusal=stopped)
    for request in sorted(state.asked, key=order):
        turn.do(Forget(request=request))
    state.asked.clear()
    state.again.clear()
