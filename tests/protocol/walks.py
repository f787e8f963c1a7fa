"""Walks over a state table: what can be reached, and by which inputs."""

from collections import Counter
from collections.abc import Collection, Iterable
from enum import Enum
from typing import TypeVar

from protocol.state_table import StateTable

S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741  # S and I as in the tables


def reachable(table: StateTable[S, I], start: S, *, without: Collection[I] = ()) -> set[S]:
    """Return the states that can be reached from a state, itself included.

    Args:
        table: the table.
        start: where the walk begins.
        without: inputs that never happen on it.
    """
    found, edge = {start}, [start]
    while edge:
        state = edge.pop()
        for row in table.rows:
            if row.state is state and row.input not in without and row.next not in found:
                found.add(row.next)
                edge.append(row.next)
    return found


def verdicts(table: StateTable[S, I], states: Iterable[S], inputs: Iterable[I]) -> Counter[str]:
    """Count what the table says about every pair of state and input."""
    every_input = tuple(inputs)
    return Counter(
        "row"
        if table.moves(state, input_)
        else "out of order"
        if table.next(state, input_) is None
        else "ignored"
        for state in states
        for input_ in every_input
    )
