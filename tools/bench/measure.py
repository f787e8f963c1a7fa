"""What a benchmark is, and how CPU time is taken.

CPU time is that of this process in user and system mode, all threads together, so that other work
on the machine shows as little as it can. It still shows: caches and clock rates are shared. So a
benchmark runs in rounds, and its figure is the median of them; the least and the most are shown.
"""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

NS_PER_US = 1_000
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to measure.

    Attributes:
        rounds: how often the figure is taken.
        scale: share of the usual number of operations in a round, 0 to 1; at least one is done.
    """

    rounds: int
    scale: float

    def operations(self, usual: int) -> int:
        """Return how many operations a round has."""
        return max(1, int(usual * self.scale))


USUAL = Effort(rounds=7, scale=1.0)
ONCE = Effort(rounds=1, scale=0.0)
"""Runs the code once; the figure is worth nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One figure that is worth watching.

    Attributes:
        name: as on the command line.
        what: what is done, in a few words.
        unit: of the figure.
        measure: gives the figure of each round.
        at_most: the target, if small is good.
        at_least: the target, if large is good.
    """

    name: str
    what: str
    unit: str
    measure: Callable[[Effort], list[float]]
    at_most: float | None = None
    at_least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one benchmark."""

    benchmark: Benchmark
    figures: list[float]

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.figures)

    @property
    def within(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        target = self.benchmark
        if target.at_most is not None:
            return self.median <= target.at_most
        if target.at_least is not None:
            return self.median >= target.at_least
        return None


def cpu_of(
    effort: Effort, operation: Callable[[], object], *, usual: int, unit_ns: int
) -> list[float]:
    """Return the CPU time of one operation, once for each round.

    Args:
        effort: how many rounds, and which share of ``usual`` in each.
        operation: what is measured; it runs once before the first round.
        usual: operations in a round; enough for some 50 ms.
        unit_ns: nanoseconds of the unit in which the figures are.
    """
    operation()
    count = effort.operations(usual)
    return [_cpu_ns(operation, count) / count / unit_ns for _ in range(effort.rounds)]


def _cpu_ns(operation: Callable[[], object], count: int) -> int:
    """Run without the collector, which would charge one operation for the litter of others."""
    gc.collect()
    gc.disable()
    try:
        started_ns = time.process_time_ns()
        for _ in range(count):
            operation()
        return time.process_time_ns() - started_ns
    finally:
        gc.enable()
