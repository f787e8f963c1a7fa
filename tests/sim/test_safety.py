"""The short form of the simulation, first half: faults to the last moment."""

import pytest

from tests.sim.campaign import simulated
from tests.sim.plan import Mode

HOURS_MIN = 150
FAULTS_MIN = 75_000
FULL_FACTOR = 10


@pytest.mark.slow
def test_nothing_forbidden_happens(pytestconfig: pytest.Config) -> None:
    """In 150 virtual hours and under 75,000 faults no rule is broken."""
    factor = FULL_FACTOR if pytestconfig.getoption("--full") else 1
    sums = simulated(Mode.SAFETY, hours=factor * HOURS_MIN, faults=factor * FAULTS_MIN)

    assert [] == sums.broken
    assert sums.counts["completed"] > 0
    assert sums.same_second_percent >= 20
