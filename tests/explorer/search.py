"""Breadth first over all states of a world, so that the first counterexample is a shortest one."""

import itertools
import time
from array import array
from dataclasses import dataclass, field

from tests.explorer.checks import Checks
from tests.explorer.configuration import Configuration
from tests.explorer.world import Move, State, World


@dataclass(slots=True, kw_only=True)
class Found:
    """What came of a search.

    Attributes:
        configuration: what was explored.
        states: different states of the world.
        moves: steps between them.
        depth: of the deepest state.
        ends: states in which nothing more needs to happen.
        exhausted: whether every state was looked at.
        fault: what must not happen, if it did.
        trace: the steps that lead there.
        took_s: how long it took.
    """

    configuration: Configuration
    states: int = 0
    moves: int = 0
    depth: int = 0
    ends: int = 0
    exhausted: bool = False
    fault: str | None = None
    trace: list[str] = field(default_factory=list)
    took_s: float = 0.0


class Search:
    """One search through one world."""

    def __init__(self, configuration: Configuration, states_max: int | None = None) -> None:
        """Prepare.

        Args:
            configuration: what to explore.
            states_max: after so many states it stops without an answer.
        """
        self.world = World(configuration)
        self._checks = Checks(self.world)
        self._states_max = states_max
        self._states: list[State] = [self.world.begin]
        self._numbers: dict[State, int] = {self.world.begin: 0}
        self._parents = array("q", [-1])
        self._from, self._to = array("l"), array("l")
        self._ends: list[int] = []
        self._found = Found(configuration=configuration)

    def run(self) -> Found:
        """Look at every state, or until something is found."""
        started = time.process_time()
        found, at, level_end = self._found, 0, 1
        while at < len(self._states) and found.fault is None:
            if at == level_end:
                found.depth += 1
                level_end = len(self._states)
            if self._states_max is not None and at >= self._states_max:
                break
            self._look_at(at)
            at += 1
        if at == len(self._states) and found.fault is None:
            self._check_ways_to_an_end()
        found.exhausted = at == len(self._states) and found.fault is None
        found.states = len(self._states)
        found.took_s = time.process_time() - started
        return found

    def _look_at(self, at: int) -> None:
        """Follow all steps from a state; what waits, only if nothing else can happen."""
        state = self._states[at]
        waiting: list[Move] = []
        rests = True
        for move in self.world.moves(state):
            if move.waits:
                waiting.append(move)
            elif self._follow(at, state, move) and not move.troubled:
                rests = False
            if self._found.fault is not None:
                return
        if not rests:
            return
        for move in waiting:
            if self._follow(at, state, move):
                rests = False
        if rests and self._found.fault is None:
            self._found.ends += 1
            self._ends.append(at)
            self._report(at, None, self._checks.end_fault(state))

    def _follow(self, at: int, state: State, move: Move) -> bool:
        """Go one step; tell whether it leads anywhere else."""
        self._found.moves += 1
        if move.fault is not None:
            self._report(at, move, move.fault)
            return False
        if move.after == state:
            return False
        if move.after not in self._numbers:
            self._numbers[move.after] = len(self._states)
            self._states.append(move.after)
            self._parents.append(at)
            fault = self._checks.fault(move.after)
            if fault is not None:
                self._report(at, move, fault)
        if not move.troubled:
            self._from.append(at)
            self._to.append(self._numbers[move.after])
        return True

    def _check_ways_to_an_end(self) -> None:
        """See to it that every state has a way to an end on which no more trouble comes."""
        before: list[list[int]] = [[] for _ in self._states]
        for one, other in zip(self._from, self._to, strict=True):
            before[other].append(one)
        safe = bytearray(len(self._states))
        waiting = list(self._ends)
        for at in waiting:
            safe[at] = 1
        while waiting:
            for at in before[waiting.pop()]:
                if not safe[at]:
                    safe[at] = 1
                    waiting.append(at)
        trapped = safe.find(0)
        if trapped >= 0:
            self._report(trapped, None, "8: from here on no end is ever reached")

    def _report(self, at: int, last: Move | None, fault: str | None) -> None:
        if fault is None or self._found.fault is not None:
            return
        self._found.fault = fault
        chain = [at]
        while self._parents[chain[-1]] >= 0:
            chain.append(self._parents[chain[-1]])
        chain.reverse()
        steps = [self._label(before, after) for before, after in itertools.pairwise(chain)]
        self._found.trace = steps + ([last.label] if last is not None else [])

    def _label(self, before: int, after: int) -> str:
        wanted = self._states[after]
        moves = self.world.moves(self._states[before])
        return next(move.label for move in moves if move.after == wanted)
