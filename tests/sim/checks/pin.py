"""20: at most three wrong PINs are compared in a row, whoever dies in between."""

from collections import defaultdict

from issuance_server.core.pin_policy import TRIES_MAX
from tests.sim.checks.witness import Witness


class PinGhost(Witness):
    """Counts inside of the comparison; nothing in the judge knows of it."""

    def __init__(self) -> None:
        super().__init__()
        self.comparisons = 0
        self._failed: defaultdict[str, int] = defaultdict(int)
        self._unlocks: defaultdict[str, int] = defaultdict(int)

    def on_compared(self, card_ref: str, right: bool, unlocks: int) -> None:
        """Count, from the last success or the last unlocking."""
        self.comparisons += 1
        if unlocks != self._unlocks[card_ref]:
            self._unlocks[card_ref] = unlocks
            self._failed[card_ref] = 0
        if self._failed[card_ref] >= TRIES_MAX:
            self.broken(20, f"{card_ref} was compared after {TRIES_MAX} failures in a row")
        self._failed[card_ref] = 0 if right else self._failed[card_ref] + 1
