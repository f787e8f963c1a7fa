"""Witnesses that look at what has been looked at before, from another side."""

from tests.sim.checks.acceptance import Acceptance
from tests.sim.checks.alarms import Alarms
from tests.sim.checks.bindings import Bindings
from tests.sim.checks.challenges import Challenges
from tests.sim.checks.copies import Copies
from tests.sim.checks.numbers import Numbers
from tests.sim.checks.witness import Witness
from tests.sim.loop import SimLoop


def second_looks(loop: SimLoop) -> tuple[Witness, ...]:
    """Return the witnesses of one world."""
    return (
        Acceptance(),
        Alarms(),
        Bindings(),
        Challenges(),
        Copies(lambda: loop.now_us),
        Numbers(),
    )
