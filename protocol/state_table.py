"""The form of a state table: rows, what is ignored, and the look-up. No other module has any.

Rules:

1. All transitions of a machine stand in one table, and nothing else moves it.
2. The table does not know which role it serves, so neither role can cheat.
3. A pair of state and input is a row, or is named in ``ignored``, or is out of order.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from protocol.errors import Misuse

S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741  # S and I as in the tables


class Row(NamedTuple, Generic[S, I]):
    """In a state, on an input, enter the next state; what each role does besides, in words."""

    state: S
    input: I
    next: S
    server: str
    terminal: str


class StateTable(Generic[S, I]):
    """A checked table with its look-up."""

    def __init__(
        self, *, rows: Iterable[Row[S, I]], ignored: Iterable[tuple[S, I]], ends: Iterable[S]
    ) -> None:
        self.rows = tuple(rows)
        self.ignored = frozenset(ignored)
        self.ends = frozenset(ends)
        self._next = {(row.state, row.input): row.next for row in self.rows}
        if len(self._next) != len(self.rows):
            raise Misuse("two rows for one pair of state and input")
        if self.ignored & self._next.keys():
            raise Misuse("a pair is both handled and ignored")

    def next(self, state: S, input_: I) -> S | None:
        """Return the next state; the same state if the input is ignored; None if out of order."""
        if (state, input_) in self.ignored:
            return state
        return self._next.get((state, input_))

    def moves(self, state: S, input_: I) -> bool:
        """Tell whether the pair has a row."""
        return (state, input_) in self._next
