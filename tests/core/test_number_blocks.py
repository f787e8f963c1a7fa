"""Blocks of serials that restores open."""

from hypothesis import given
from hypothesis import strategies as st

from issuance_server.core.number_blocks import (
    BLOCK_MS,
    FIRST_BLOCK_AT_MS,
    NUMBERS_PER_BLOCK,
    block_begin,
)

_SERIALS = st.lists(st.integers(1, 50 * NUMBERS_PER_BLOCK), max_size=5)


@given(st.integers(0, 100), st.integers(1, 100), _SERIALS)
def test_later_restore_opens_another_block(minutes: int, later: int, used: list[int]) -> None:
    """An old copy that is restored twice begins above all that the first one could have given."""
    at_ms = FIRST_BLOCK_AT_MS + minutes * BLOCK_MS
    first = block_begin(at_ms, used)
    second = block_begin(at_ms + later * BLOCK_MS, used)

    assert all(serial < first for serial in used)
    known = max(used, default=0) // NUMBERS_PER_BLOCK
    if known < minutes:
        assert second >= first + NUMBERS_PER_BLOCK
    assert second >= first


def test_numbers_known_to_be_used_are_never_given_again() -> None:
    """Also in the same minute: where the replaced city is at hand, its block counts."""
    first = block_begin(FIRST_BLOCK_AT_MS, [])

    assert first + NUMBERS_PER_BLOCK == block_begin(FIRST_BLOCK_AT_MS, [first])
