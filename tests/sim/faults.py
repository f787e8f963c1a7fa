"""What went wrong so far, by kind, and the dice that decide whether it does."""

import random
from collections import Counter

from tests.sim.plan import NO_FAULTS, Rates


class Faults:
    """Draws faults and counts those that happened.

    Attributes:
        rates: as they are now; calm weather has none.
        counts: by kind.
        dice: for how much and for how long.
    """

    def __init__(self, rates: Rates, dice: random.Random) -> None:
        self.rates = rates
        self.counts: Counter[str] = Counter()
        self.dice = dice
        self._random = dice.random

    def hits(self, probability: float, kind: str) -> bool:
        """Tell whether it goes wrong now, and count it if it does."""
        if not probability or self._random() >= probability:
            return False
        self.counts[kind] += 1
        return True

    def note(self, kind: str) -> None:
        """Count what went wrong."""
        self.counts[kind] += 1

    def stop(self) -> None:
        """From now on nothing goes wrong any more."""
        self.rates = NO_FAULTS

    def gap_us(self, mean_ms: int) -> int:
        """Return the time to the next of what comes every so often, in microseconds."""
        return int(self.dice.expovariate(1 / (mean_ms * 1_000)))
