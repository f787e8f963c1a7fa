"""Evolving: the state changes by records that the tables allow, and by nothing else."""

import pytest

from issuance_server.core import records as r
from issuance_server.core.state import SwitchState, evolve
from protocol.codes import ReplyCode
from protocol.errors import Misuse
from protocol.issuance import IssuanceState
from tests.core.desk import Desk, fold
from tests.core.made import CARD_REF, DAY, ISSUANCE, START_REAL_MS, TERMINAL, VISIT, line_closed

S = IssuanceState


class Stranger(r.Record, frozen=True, kw_only=True, tag="stranger-to-the-state"):
    """A record that no rule knows."""

    issuance_id: bytes


def test_record_without_a_row_is_misuse() -> None:
    """A completed life does not begin with its end."""
    desk = Desk()
    desk.reach(S.APPLIED)
    released = r.IssuanceReleased(
        at_ms=START_REAL_MS, issuance_id=ISSUANCE, amount_yen=200, deadline_ms=START_REAL_MS
    )
    with pytest.raises(Misuse, match="no row for applied on release granted"):
        evolve(desk.state, released)
    judged = r.AttemptJudged(
        at_ms=START_REAL_MS, visit_id=VISIT, attempt=1, code=ReplyCode.DONE, card_ref=CARD_REF
    )
    with pytest.raises(Misuse, match="no row for authenticated on pin right"):
        evolve(desk.state, judged)


def test_record_that_no_rule_knows_is_misuse() -> None:
    """Nothing is written that a restart could not read."""
    desk = Desk()
    desk.reach(S.APPLIED)
    with pytest.raises(Misuse, match="no rule for the record Stranger"):
        evolve(desk.state, Stranger(at_ms=0, issuance_id=ISSUANCE))  # type: ignore[arg-type]  # the point


def test_two_operators_close_an_unconfirmed_issuance() -> None:
    """It has ended, and counts as neither completed nor reversed."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.pass_time(5 * 60_000)
    closed = r.IssuanceClosed(
        at_ms=START_REAL_MS,
        issuance_id=ISSUANCE,
        day=DAY,
        operators=("a", "b"),
        reason="burnt down",
        fee=r.ClosedFee.RETURNED,
    )
    touched = evolve(desk.state, closed)

    assert touched is not None
    assert S.CLOSED is touched.state
    assert {} == desk.state.issuances
    counters = desk.state.counters[TERMINAL]
    assert (0, 0, 0) == (counters.completed, counters.reversed, counters.fees_earned_yen)


def test_issuance_is_folded_without_its_visit() -> None:
    """The visit was over long before a restart; the issuance is not."""
    desk = Desk()
    desk.reach(S.SEALED)
    own = [record for record in desk.records if r.subject_of(record) == ISSUANCE]

    assert desk.state.issuances == fold(own).issuances


def test_records_of_the_house_touch_nothing() -> None:
    """An operator's act, what came of it, and a closing are for the audit and the tables only."""
    state = SwitchState()
    for record in (
        r.OperatorActed(at_ms=0, operator="a", act="b", subject="c", reason="d", nonce=bytes(16)),
        r.OperatorActEnded(at_ms=0, nonce=bytes(16), outcome=r.ActOutcome.DONE),
        line_closed(0),
    ):
        assert evolve(state, record) is None
    assert SwitchState() == state
