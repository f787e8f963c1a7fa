"""Sums of a day: what counts, in which day, and that money fits paper."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_server.core.day_counts import (
    NOTHING,
    CountedIssuance,
    Counts,
    FeeState,
    balanced,
    by_chain,
    by_chain_and_kind,
    by_kind,
    by_line,
    counting_day,
    counts_of,
    day_after,
    total,
    totals_by,
)
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from tests.core.made import MINUTE_MS, business_ms

S = IssuanceState
ONE = CountedIssuance(
    issuance_id=b"i" * 16,
    terminal="7E-0001",
    chain="見本",
    kind=Kind.JUMINHYO,
    copies=2,
    fee_yen=400,
    fee=FeeState.EARNED,
    state=S.COMPLETED,
    commission_yen=234,
)
ENDS = [
    (S.COMPLETED, FeeState.EARNED),
    (S.REVERSED, FeeState.RETURNED),
    (S.WITHDRAWN, FeeState.NONE),
    (S.CLOSED, FeeState.EARNED),
    (S.CLOSED, FeeState.RETURNED),
]


@pytest.mark.parametrize(
    ("state", "fee", "expected"),
    [
        (
            S.COMPLETED,
            FeeState.EARNED,
            Counts(completed=1, copies=2, collected_yen=400, earned_yen=400, commission_yen=234),
        ),
        (S.REVERSED, FeeState.RETURNED, Counts(reversed=1, collected_yen=400, returned_yen=400)),
        (S.WITHDRAWN, FeeState.NONE, Counts(withdrawn=1)),
        (
            S.CLOSED,
            FeeState.EARNED,
            Counts(closed=1, copies=2, collected_yen=400, earned_yen=400, commission_yen=234),
        ),
        (S.CLOSED, FeeState.RETURNED, Counts(closed=1, collected_yen=400, returned_yen=400)),
        (S.UNCONFIRMED, FeeState.HELD, Counts(unconfirmed=1, collected_yen=400)),
        (S.RELEASED, FeeState.HELD, Counts(under_way=1, collected_yen=400)),
        (S.SEALED, FeeState.NONE, Counts(under_way=1)),
        (
            S.PRINTED,
            FeeState.EARNED,
            Counts(under_way=1, copies=2, collected_yen=400, earned_yen=400, commission_yen=234),
        ),
    ],
)
def test_each_state_counts_once(state: S, fee: FeeState, expected: Counts) -> None:
    """A copy, a fee and a commission count where the certificate is out, and nowhere else."""
    assert expected == counts_of(replace(ONE, state=state, fee=fee))


def test_what_is_neither_earned_nor_returned_is_held() -> None:
    """Between the release and a word of the terminal."""
    assert 400 == counts_of(replace(ONE, state=S.RELEASED, fee=FeeState.HELD)).held_yen
    assert 0 == counts_of(ONE).held_yen == NOTHING.held_yen


_ended = st.builds(
    lambda number, terminal, kind, copies, end: replace(
        ONE,
        issuance_id=number.to_bytes(16),
        terminal=terminal,
        chain={"7E-0001": "見本", "7E-0002": "見本", "LW-0001": "手本"}[terminal],
        kind=kind,
        copies=copies,
        fee_yen=200 * copies,
        commission_yen=117 * copies,
        state=end[0],
        fee=end[1],
    ),
    st.integers(0, 1 << 64),
    st.sampled_from(["7E-0001", "7E-0002", "LW-0001"]),
    st.sampled_from(Kind),
    st.integers(1, 5),
    st.sampled_from(ENDS),
)


@given(issuances=st.lists(_ended, max_size=30))
def test_every_sum_adds_up_to_the_city(issuances: list[CountedIssuance]) -> None:
    """By line, chain, kind and both: the same city; and the money fits the paper."""
    city = total(issuances)
    for key in (by_line, by_chain, by_kind, by_chain_and_kind):
        assert city == sum(totals_by(key, issuances).values(), NOTHING)
    assert city.collected_yen - city.returned_yen == sum(
        one.fee_yen for one in issuances if one.issued
    )
    assert 0 == city.held_yen
    assert balanced(issuances)


def test_fee_that_is_still_held_does_not_balance() -> None:
    """It is collected, and nobody knows whether for paper."""
    assert not balanced([ONE, replace(ONE, state=S.RELEASED, fee=FeeState.HELD)])


@pytest.mark.parametrize(
    ("through", "now_ms", "expected"),
    [
        ("", business_ms(2026, 11, 30, 23, 59), "2026-11-30"),
        ("", business_ms(2026, 11, 30, 23, 59) + MINUTE_MS, "2026-12-01"),
        ("2026-11-29", business_ms(2026, 11, 30), "2026-11-30"),
        ("2026-11-30", business_ms(2026, 11, 30), "2026-12-01"),
        ("2026-12-31", business_ms(2026, 11, 30), "2027-01-01"),
    ],
)
def test_what_ends_on_a_closed_day_counts_in_the_next(
    through: str, now_ms: int, expected: str
) -> None:
    """Midnight in Japan begins a day; a closed one takes nothing more, whatever the clock says."""
    assert expected == counting_day(through, now_ms)


def test_day_after_knows_the_calendar() -> None:
    """Also the last of February."""
    assert ("2028-02-29", "2027-03-01") == (day_after("2028-02-28"), day_after("2027-02-28"))
