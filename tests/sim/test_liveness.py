"""The short form of the simulation, second half: faults end, and everything comes to its end."""

import pytest

from tests.sim.campaign import simulated
from tests.sim.plan import Mode

HOURS_MIN = 150
FAULTS_MIN = 75_000
FULL_FACTOR = 10


@pytest.mark.slow
def test_everything_comes_to_its_end(pytestconfig: pytest.Config) -> None:
    """In 150 virtual hours and under 75,000 faults no rule is broken, and nothing is left open."""
    factor = FULL_FACTOR if pytestconfig.getoption("--full") else 1
    sums = simulated(Mode.LIVENESS, hours=factor * HOURS_MIN, faults=factor * FAULTS_MIN)

    assert [] == sums.broken
    assert sums.counts["completed"] > 0
    assert sums.counts["begun"] >= sums.counts["completed"] + sums.counts["withdrawn"]
