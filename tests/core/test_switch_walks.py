"""Random walks: whatever comes in whatever order, the switch holds its word.

``Desk.give`` checks after every step that the state is the fold of the records, that log effects
are of the catalogue, and that no name, PIN or card number is in a record or a log line.
"""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.standing import Standing
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from protocol.terminal_statements import FailureCause
from tests.core.desk import Desk
from tests.core.made import (
    HOLDER,
    OTHER_TERMINAL,
    SEALED_DIGEST,
    SUPPRESSED,
    TERMINAL,
    VISIT,
    applying,
    authenticating,
    deletion,
    failed_report,
    opening,
    print_report,
    rendered,
    signed,
    verdict,
)

VISITS = (VISIT, b"walk visit 2----")
ISSUANCES = (b"walk issuance 1-", b"walk issuance 2-", b"walk issuance 3-")
WAITS_MS = (0, 1, 20_000, 31_000, 301_000, 601_000, 1_000_000)
STEPS_MAX = 60
STARTS = (
    IssuanceState.QUOTED,
    IssuanceState.SEALED,
    IssuanceState.RELEASED,
    IssuanceState.PRINTED,
    IssuanceState.PRINT_FAILED,
)

visits, issuances = st.sampled_from(VISITS), st.sampled_from(ISSUANCES)
attempts = st.integers(1, 3)
outcomes = st.sampled_from((VerdictOutcome.RIGHT, VerdictOutcome.RIGHT, *VerdictOutcome))


def _reports(issuance_id: bytes) -> st.SearchStrategy[t.Report]:
    causes = (FailureCause.PRINTER, FailureCause.PRINTER, FailureCause.BINDING_MISMATCH)
    return st.sampled_from(
        (
            signed(print_report(issuance_id)),
            *(signed(failed_report(issuance_id, cause=cause)) for cause in causes),
        )
    )


telegrams: st.SearchStrategy[Any] = st.one_of(
    st.builds(t.Begin, visit_id=visits, attempt=attempts),
    st.builds(authenticating, attempts, visit_id=visits),
    st.builds(applying, issuances, visit_id=visits, copies=st.integers(1, 2)),
    st.builds(applying, issuances, visit_id=visits, kind=st.just(Kind.INKAN)),
    st.builds(t.Fetch, issuance_id=issuances, piece=st.just(0)),
    st.builds(t.Held, issuance_id=issuances, sealed_digest=st.just(SEALED_DIGEST)),
    st.builds(t.Release, issuance_id=issuances, amount_yen=st.sampled_from((200, 200, 400))),
    issuances.flatmap(_reports),
    st.builds(deletion, issuances),
    st.builds(t.Cancel, issuance_id=issuances, cause=st.just(FailureCause.CANCELLED)),
    st.builds(t.EndVisit, visit_id=visits),
    st.builds(opening, issuances),
    st.builds(t.LineTest, nonce=st.just(1)),
)
answers: st.SearchStrategy[i.Input] = st.one_of(
    st.builds(i.ChallengeDrawn, visit_id=visits, attempt=attempts, challenge=st.just(bytes(32))),
    st.builds(
        i.VerdictGiven,
        visit_id=visits,
        attempt=attempts,
        verdict=st.none() | st.builds(verdict, outcomes),
    ),
    st.builds(rendered, issuances, register_version=st.sampled_from((7, 7, 7, 8))),
    st.builds(
        i.RenderingFailed,
        issuance_id=issuances,
        code=st.sampled_from((ReplyCode.CANNOT_BE_PRINTED, ReplyCode.RENDERING_FAILED)),
        reason=st.just("missing-glyph"),
    ),
    st.builds(i.KeysDestroyed, issuance_ids=st.tuples(issuances)),
    st.just(i.Woken()),
)
REFUSED = {
    "suppressed": replace(HOLDER, suppressions=SUPPRESSED),
    "moves out": replace(HOLDER, standing=Standing.MOVE_OUT_FILED),
    "dead": replace(HOLDER, standing=Standing.DIED),
    "another one moves out": replace(HOLDER, others=frozenset({Standing.MOVE_OUT_FILED})),
}
"""What the register can say under the same version, and nothing is released then."""
surroundings = st.sampled_from(
    ("time", "time", "time", "restart", "drain", "register", *REFUSED, "usual")
)
steps = st.lists(
    st.one_of(telegrams, telegrams, answers, answers, surroundings), max_size=STEPS_MAX
)
terminals = st.sampled_from((TERMINAL, TERMINAL, TERMINAL, OTHER_TERMINAL))


@given(start=st.none() | st.sampled_from(STARTS), steps=steps, data=st.data())
def test_switch_never_breaks(
    start: IssuanceState | None, steps: list[Any], data: st.DataObject
) -> None:
    """From nothing, or from an issuance that is far along: nothing raises, nothing ends twice."""
    desk = Desk()
    if start is not None:
        desk.reach(start, ISSUANCES[0])
    for step in steps:
        if isinstance(step, t.Telegram):
            desk.ask(step, terminal=data.draw(terminals))  # type: ignore[arg-type]  # any of them
        elif isinstance(step, str):
            _change(desk, step, data)
        else:
            desk.give(step)
        _check_effects(desk)
    _check_journal(desk)


def _change(desk: Desk, what: str, data: st.DataObject) -> None:
    desk.effects = []
    if what == "time":
        desk.pass_time(data.draw(st.sampled_from(WAITS_MS)))
    elif what == "restart":
        desk.restart()
    elif what == "drain":
        desk.give(i.DrainBegun())
    else:
        changed = {"register": replace(HOLDER, register_version=8), "usual": HOLDER, **REFUSED}
        desk.holder = changed[what]


def _check_effects(desk: Desk) -> None:
    """A key leaves only while it is being printed, and first only after a good last check."""
    for effect in desk.asked_for(e.ReplyReleased):
        issuance = desk.state.issuances[effect.issuance_id]
        assert IssuanceState.RELEASED is issuance.state
        if desk.asked_for(e.Write):
            assert desk.holder is not None
            assert desk.holder not in REFUSED.values()
            assert desk.holder.register_version == issuance.applied.register_version
    refs = [ref for ref, _ in desk.answers()]
    assert len(refs) == len(set(refs)), "one copy has one answer"


def _check_journal(desk: Desk) -> None:
    """Each issuance is released, reported and ended at most once, and numbers are given once."""
    for kind in (r.IssuanceReleased, r.PrintReported, r.DeletionReported, r.IssuanceApplied):
        ids = [record.issuance_id for record in desk.written(kind)]
        assert len(ids) == len(set(ids)), kind
    ends = [
        record.issuance_id
        for kind in (r.KeyDestroyed, r.IssuanceWithdrawn, r.IssuanceClosed)
        for record in desk.written(kind)
    ]
    assert len(ends) == len(set(ends))
    numbers = [n for record in desk.written(r.IssuanceApplied) for n in record.numbers]
    assert len(numbers) == len(set(numbers))
