"""Where the serials of certificate numbers (発行番号) begin: in a block that nobody used before.

A city that was put back to an earlier state does not know which numbers it gave after that. So each
restore opens a block of serials that lies above all that could have been given, and stays there on
every later day. The block follows from the time of the restore, not from the database: an old copy
that is restored twice opens two blocks.
"""

from collections.abc import Iterable

NUMBERS_PER_BLOCK = 1_000_000
"""More than a city can give in a day."""
BLOCK_MS = 60_000
FIRST_BLOCK_AT_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC; before it there was no restore."""


def block_begin(at_ms: int, used: Iterable[int]) -> int:
    """Return the first serial of the block that a restore opens.

    Args:
        at_ms: real time of the restore, Unix time in milliseconds.
        used: serials that are known to be given, or to be the next ones.
    """
    by_time = (at_ms - FIRST_BLOCK_AT_MS) // BLOCK_MS + 1
    above = max(used, default=0) // NUMBERS_PER_BLOCK + 1
    return max(by_time, above) * NUMBERS_PER_BLOCK + 1
