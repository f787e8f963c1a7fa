"""The sliding window against a plain set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CounterReplayed
from protocol.limits import REPLAY_WINDOW_COUNTERS
from protocol.replay_window import ReplayWindow

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["near", "back", "far", "edge"]),
        st.integers(0, REPLAY_WINDOW_COUNTERS + 8),
    ),
    max_size=60,
)


def taken(window: ReplayWindow, counter: int) -> bool:
    """Check a counter and strike it out, as an opener does."""
    try:
        window.check(counter)
    except CounterReplayed:
        return False
    window.strike(counter)
    return True


def chosen(how: str, offset: int, highest: int) -> int:
    """Return a counter near the highest, behind it, far ahead, or at the window's edge."""
    if how == "far":
        return highest + offset * 3
    if how == "edge":
        return max(0, highest - REPLAY_WINDOW_COUNTERS + offset % 3)
    return max(0, highest + (offset % 4 if how == "near" else -offset))


@given(STEPS)
def test_the_window_agrees_with_a_set(steps: list[tuple[str, int]]) -> None:
    """A counter is taken exactly once, and never from behind the window (TP-031)."""
    window, seen, highest = ReplayWindow(), set[int](), -1
    for how, offset in steps:
        counter = chosen(how, offset, highest)
        expected = counter not in seen and counter > highest - REPLAY_WINDOW_COUNTERS

        assert expected == taken(window, counter)
        if expected:
            seen.add(counter)
            highest = max(highest, counter)


def test_the_edge_of_the_window() -> None:
    """The counter 1,023 behind the highest is still known, the next is not (TP-031)."""
    window = ReplayWindow()
    assert taken(window, 5_000)

    assert taken(window, 5_000 - REPLAY_WINDOW_COUNTERS + 1)
    assert not taken(window, 5_000 - REPLAY_WINDOW_COUNTERS)


@pytest.mark.parametrize("leap", [1, 1_023, 1_024, 1_025, 1 << 40])
def test_a_leap_forgets_nothing_that_it_must_know(leap: int) -> None:
    """After a leap, the old highest is refused and one between them is taken if near."""
    window = ReplayWindow()
    assert taken(window, 0)
    assert taken(window, leap)

    assert not taken(window, 0)
    assert not taken(window, leap)
    assert taken(window, leap - 1) == (leap > 1)


def test_checking_strikes_nothing_out() -> None:
    """A forged envelope that is checked and never opens leaves the counter free (TP-032)."""
    window = ReplayWindow()
    window.check(3)

    assert taken(window, 3)
