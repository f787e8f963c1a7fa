"""Which faults there are, in which order they are tried, and how many of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tests.faults.disk import DAMAGES, REFUSALS, damaged, refused
from tests.faults.network import TROUBLES, troubled
from tests.faults.report import Row
from tests.faults.soak import soak
from tests.faults.stage import Foundation
from tests.faults.storm import storm
from tests.faults.sweep import SWEEPS, Plan, counted, sweep

SHORT_POINTS = 4
STORM_SHORT = 6
SOAK_SHORT_S = 20
TROUBLES_SHORT, TROUBLES_LONG = 2, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for on the command line."""

    only: Sequence[str]
    short: bool
    seed: int
    at: Sequence[int]
    kills: int
    soak_s: float
    planted: str


NAMES = (
    *(plan.name for plan in SWEEPS),
    "storm",
    "disk-refuses",
    "disk-damaged",
    *(trouble.name for trouble in TROUBLES),
    "soak",
)


def run(foundation: Foundation, wishes: Wishes) -> list[Row]:
    """Try what was asked for, in the order of ``NAMES``."""
    bug, short = wishes.planted, wishes.short
    trials: dict[str, Callable[[], Row]] = {
        plan.name: partial(_swept, foundation, replace(plan, planted=bug), wishes)
        for plan in SWEEPS
    }
    kills = STORM_SHORT if short else wishes.kills
    trials["storm"] = lambda: storm(foundation, faults=kills, seed=wishes.seed, planted=bug)
    refusals = REFUSALS[:: len(REFUSALS) // SHORT_POINTS] if short else REFUSALS
    trials["disk-refuses"] = lambda: refused(foundation, refusals, planted=bug)
    damages = DAMAGES[:: len(DAMAGES) // SHORT_POINTS] if short else DAMAGES
    trials["disk-damaged"] = lambda: damaged(foundation, damages, planted=bug)
    for trouble in TROUBLES:
        trials[trouble.name] = partial(
            troubled,
            foundation,
            trouble,
            faults=TROUBLES_SHORT if short else TROUBLES_LONG,
            seed=wishes.seed,
            planted=bug,
        )
    length_s = SOAK_SHORT_S if short else wishes.soak_s
    trials["soak"] = lambda: soak(foundation, length_s=length_s, seed=wishes.seed, planted=bug)
    return [trials[name]() for name in NAMES if name in wishes.only]


def _swept(foundation: Foundation, plan: Plan, wishes: Wishes) -> Row:
    if wishes.at:
        return sweep(foundation, plan, wishes.at)
    if not wishes.short:
        return sweep(foundation, plan)
    return sweep(foundation, plan, spread(counted(foundation, plan), SHORT_POINTS))


def spread(count: int, points: int) -> list[int]:
    """Return so many numbers from 1 to ``count``, evenly apart."""
    return sorted({1 + (2 * n + 1) * count // (2 * points) for n in range(points)})
