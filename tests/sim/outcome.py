"""What became of a world, and what a planted bug is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.sim.checks.witness import Violation
from tests.sim.plan import Mode

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a world.

    Attributes:
        seed: its seed.
        mode: its mode.
        trace_hash: of every event, 64 hexadecimal digits.
        virtual_ms: how long it lasted, in its own time.
        steps: callbacks that ran.
        counts: issuances begun and ended by state, papers, sheets, applications in one second.
        faults: by kind.
        violations: what must never be, and was.
        last: the last events, if there were violations.
    """

    seed: int
    mode: Mode
    trace_hash: str
    virtual_ms: int
    steps: int
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: tuple[Violation, ...] = ()
    last: tuple[str, ...] = ()
