"""What a fuzz target is: a piece of the project that takes bytes which anybody could have made.

A target takes any bytes and says in a word what came of them. It lets through every exception that
is not documented for that piece, and raises ``BrokenPromise`` where the answer itself is wrong.
Either of the two is a crash.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec


class BrokenPromise(AssertionError):
    """No exception came out, but what came is not what the documents promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One piece under test.

    Attributes:
        name: as in ``make fuzz TARGET=…``.
        run: takes an input and says in a word what came of it.
        seeds: makes the inputs from which the search starts.
        verdicts: words that the seeds and their mutations must bring, or the target tests nothing.
        input_bytes_max: no input is longer.
        short_runs: inputs of the short form, in ``make test``.
    """

    name: str
    run: Callable[[bytes], str]
    seeds: Callable[[], tuple[bytes, ...]]
    verdicts: frozenset[str]
    input_bytes_max: int
    short_runs: int


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """One change of a byte string.

    Attributes:
        at: offset, taken modulo the length.
        removed: how many bytes go.
        inserted: what comes in their place.
    """

    at: int
    removed: int = 0
    inserted: bytes = b""


def edited(content: bytes, edits: list[Edit]) -> bytes:
    """Return the bytes after all changes, one after the other."""
    for edit in edits:
        at = edit.at % (len(content) + 1)
        content = content[:at] + edit.inserted + content[at + max(edit.removed, 0) :]
    return content


def demand(holds: bool, promise: str) -> None:  # reads like an assertion
    """Raise unless the promise holds.

    Raises:
        BrokenPromise: it does not.
    """
    if not holds:
        raise BrokenPromise(promise)
