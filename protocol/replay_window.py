"""The sliding window that tells a fresh counter from a repeated one (after RFC 6479)."""

from protocol.errors import CounterReplayed
from protocol.limits import REPLAY_WINDOW_COUNTERS

_WHOLE_WINDOW = (1 << REPLAY_WINDOW_COUNTERS) - 1


class ReplayWindow:
    """Remembers the highest counter and which of the 1,024 below it were seen.

    Starts empty, which is right only because keys are new at every process start. ``strike`` is
    called after the seal opened, never before: a forged envelope must not strike out a true one.
    """

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        self._highest = -1
        self._seen = 0

    def check(self, counter: int) -> None:
        """Raise if the counter was struck out already, or lies too far back to know.

        Raises:
            CounterReplayed: as said (TP-031).
        """
        behind = self._highest - counter
        if behind >= REPLAY_WINDOW_COUNTERS or (behind >= 0 and self._seen >> behind & 1):
            raise CounterReplayed(counter)

    def strike(self, counter: int) -> None:
        """Remember a counter whose seal opened."""
        if counter > self._highest:
            shift = counter - self._highest
            kept = self._seen << shift if shift < REPLAY_WINDOW_COUNTERS else 0
            self._seen = (kept | 1) & _WHOLE_WINDOW
            self._highest = counter
        else:
            self._seen |= 1 << (self._highest - counter)
