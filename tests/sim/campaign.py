"""Many worlds one after the other, in one process, until there is enough of them."""

import time
from itertools import count

from tests.sim.outcome import Outcome, Plant
from tests.sim.plan import HOUR_MS, Mode
from tests.sim.report import Sums, told
from tests.sim.world import simulate

Task = tuple[int, str, str]


def simulate_one(task: Task) -> tuple[Outcome, float]:
    """Run one world; return it with the processor's time that it took, in seconds."""
    seed, mode, store = task
    began_s = time.process_time()
    outcome = simulate(seed, Mode(mode), store=store)
    return outcome, time.process_time() - began_s


def simulated(mode: Mode, *, hours: int, faults: int, first_seed: int = 1) -> Sums:
    """Simulate seeds until so many virtual hours and faults are over, or a rule is broken.

    Args:
        mode: of every world.
        hours: at least so many virtual hours.
        faults: at least so many faults.
        first_seed: where to begin.
    """
    sums = Sums()
    for seed in count(first_seed):
        began_s = time.process_time()
        outcome = simulate(seed, mode)
        sums.add(outcome, time.process_time() - began_s)
        if outcome.violations:
            print(told(outcome))
            break
        enough = sums.virtual_ms >= hours * HOUR_MS
        if enough and sum(sums.faults.values()) >= faults:
            break
    print(sums.table())
    return sums


def seeds_until_found(plant: Plant, *, seeds_max: int, first_seed: int = 1) -> int | None:
    """Return how many seeds it takes until a planted bug breaks a rule; None: not within so many.

    Every seed is simulated in both modes.
    """
    for seed in range(first_seed, first_seed + seeds_max):
        if any(simulate(seed, mode, plant=plant).violations for mode in Mode):
            return seed - first_seed + 1
    return None
