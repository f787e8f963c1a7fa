"""The PIN judge of the explored world: a stand-in that counts on its disk before it compares.

The rules are those of ``pin_policy``; ghosts beside it remember what was really compared.
"""

from dataclasses import dataclass, replace

from issuance_server.core.pin_policy import TRIES_MAX, Verdict, VerdictOutcome
from tests.core.made import START_REAL_MS
from tests.explorer.server_side import Job

COUNT_BEFORE_COMPARING = True
"""The rule of the judge; a test turns it round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """The judge at one moment.

    Attributes:
        failures: in a row, counted for each card.
        outcomes: of attempts; None: counted, and not answered yet.
        at_work: the attempts of which it still knows that it was about to compare.
        compared: ghost: wrong comparisons since the last right one, for each card.
    """

    failures: tuple[int, ...]
    outcomes: tuple[tuple[tuple[bytes, int], VerdictOutcome | None], ...] = ()
    at_work: frozenset[tuple[bytes, int]] = frozenset()
    compared: tuple[int, ...] = ()

    @property
    def fault(self) -> str | None:
        """What must not happen, if it did."""
        tried = any(count > TRIES_MAX for count in self.compared)
        return "20: more than three wrong PINs were compared in a row" if tried else None


def begin(residents: int) -> JudgeState:
    """Return the judge before the first attempt."""
    return JudgeState(failures=(0,) * residents, compared=(0,) * residents)


def count(state: JudgeState, job: Job, resident: int, *, right: bool) -> JudgeState:
    """Take an attempt: a new one costs a try on the disk before anything is compared."""
    key = (job.subject, job.number)
    known = dict(state.outcomes)
    if key in known:
        return replace(state, at_work=state.at_work | {key})
    if state.failures[resident] >= TRIES_MAX:
        outcomes = _with(state, key, VerdictOutcome.LOCKED)
        return replace(state, outcomes=outcomes, at_work=state.at_work | {key})
    if not COUNT_BEFORE_COMPARING:
        compared = _compared(state, resident, right=right)
        return replace(state, compared=compared, at_work=state.at_work | {key})
    return replace(
        state,
        failures=_changed(state.failures, resident, state.failures[resident] + 1),
        outcomes=_with(state, key, None),
        at_work=state.at_work | {key},
    )


def answer(
    state: JudgeState, job: Job, resident: int, *, right: bool
) -> tuple[JudgeState, VerdictOutcome]:
    """Compare, if this is the first time, and answer; a repeat has the same answer."""
    key = (job.subject, job.number)
    known = dict(state.outcomes)
    working = state.at_work - {key}
    outcome = known.get(key)
    if outcome is None:
        outcome = VerdictOutcome.RIGHT if right else VerdictOutcome.WRONG
        failures = state.failures
        if COUNT_BEFORE_COMPARING:
            compared = _compared(state, resident, right=right)
        else:
            compared = state.compared
            failures = _changed(failures, resident, failures[resident] + 1)
        if right:
            failures = _changed(failures, resident, 0)
        state = replace(state, failures=failures, compared=compared)
    return replace(state, outcomes=_with(state, key, outcome), at_work=working), outcome


def crash(state: JudgeState) -> JudgeState:
    """Let it die: what was counted and not answered is burned."""
    burned = tuple(
        (key, VerdictOutcome.BURNED if outcome is None else outcome)
        for key, outcome in state.outcomes
    )
    return replace(state, outcomes=burned, at_work=frozenset())


def verdict(
    state: JudgeState, job: Job, outcome: VerdictOutcome, card_ref: str, resident: int
) -> Verdict:
    """Return what it says."""
    left = max(0, TRIES_MAX - state.failures[resident])
    assert job.ref is not None
    return Verdict(
        terminal=job.terminal,
        visit_id=job.subject,
        attempt=job.number,
        request_digest=job.ref.digest,
        outcome=outcome,
        card_ref=card_ref,
        tries_left=None if outcome is VerdictOutcome.RIGHT else left,
        locked_now=outcome is VerdictOutcome.WRONG and left == 0,
        at_ms=START_REAL_MS,
    )


def _compared(state: JudgeState, resident: int, *, right: bool) -> tuple[int, ...]:
    return _changed(state.compared, resident, 0 if right else state.compared[resident] + 1)


def _changed(counts: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*counts[:index], value, *counts[index + 1 :])


def _with(
    state: JudgeState, key: tuple[bytes, int], outcome: VerdictOutcome | None
) -> tuple[tuple[tuple[bytes, int], VerdictOutcome | None], ...]:
    return tuple(sorted({**dict(state.outcomes), key: outcome}.items(), key=lambda item: item[0]))
