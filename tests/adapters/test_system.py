"""The two clocks and the entropy of a real machine."""

import time

import pytest

from issuance_server.adapters.system import (
    SAMPLE_START,
    SystemClock,
    SystemEntropy,
    business_start_ms,
)
from issuance_server.core.calendar import civil
from protocol.errors import SetUpError
from tests.core.made import business_ms


def test_both_clocks_are_one_in_operation() -> None:
    """Real time, in milliseconds since 1970."""
    before_ms = time.time_ns() // 1_000_000
    now = SystemClock().now()

    assert now.real_ms == now.business_ms
    assert before_ms <= now.real_ms <= time.time_ns() // 1_000_000


def test_sample_clock_starts_where_it_is_told_and_runs_as_fast() -> None:
    """The two keep their distance."""
    start_ms = business_ms(2026, 11, 30)
    clock = SystemClock(start_ms)
    first, second = clock.now(), clock.now()

    assert 0 <= first.business_ms - start_ms < 10_000
    assert second.real_ms - first.real_ms == second.business_ms - first.business_ms


@pytest.mark.parametrize(
    ("text", "start_ms"),
    [
        ("system", None),
        (SAMPLE_START, business_ms(2026, 11, 30)),
        ("2026-11-30T23:30:00", business_ms(2026, 11, 30, 23, 30)),
        ("2026-11-30T01:00:00+00:00", business_ms(2026, 11, 30)),
        ("2026-12-01", business_ms(2026, 12, 1, 0)),
    ],
)
def test_start_is_in_japan_unless_it_names_a_zone(text: str, start_ms: int | None) -> None:
    """Or ``system`` for the real time."""
    assert start_ms == business_start_ms(text)


def test_sample_starts_on_a_monday_at_ten() -> None:
    """So that the city is open."""
    start_ms = business_start_ms(SAMPLE_START)
    assert start_ms is not None

    assert (0, 10) == (civil(start_ms).weekday(), civil(start_ms).hour)


@pytest.mark.parametrize("text", ["", "noon", "10:00", "2026-13-01T10:00:00"])
def test_what_is_no_time_is_told_with_an_example(text: str) -> None:
    """The text says what to write instead."""
    with pytest.raises(SetUpError, match=f"write system, or a time such as {SAMPLE_START}"):
        business_start_ms(text)


def test_entropy_is_drawn_in_any_length_and_never_twice() -> None:
    """A secret, of as many bytes as were asked for."""
    drawn = [SystemEntropy().draw(32) for _ in range(3)]

    assert [32] * 3 == [len(one) for one in drawn]
    assert 3 == len({one.reveal() for one in drawn})
