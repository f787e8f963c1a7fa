"""Clocks of a world: they go with the loop, and sometimes jump."""

from dataclasses import dataclass

from issuance_server.core.facts import Now
from tests.core.made import START_REAL_MS
from tests.sim.loop import US_PER_MS, SimLoop


@dataclass(slots=True)
class Clock:
    """One machine's clock.

    Attributes:
        loop: whose time it goes with.
        ahead_ms: how far it is ahead of the world's time.
    """

    loop: SimLoop
    ahead_ms: int = 0

    def real_ms(self) -> int:
        """Return Unix time in milliseconds, as this machine sees it."""
        return START_REAL_MS + self.loop.now_us // US_PER_MS + self.ahead_ms


@dataclass(slots=True)
class CityClock:
    """Real and business time of the city."""

    clock: Clock
    business_ahead_ms: int

    def now(self) -> Now:
        """Return both."""
        real_ms = self.clock.real_ms()
        return Now(real_ms=real_ms, business_ms=real_ms + self.business_ahead_ms)


class SteadyClock:
    """The clock of one life of a terminal: it never goes back (``terminal_sim.opening.Clock``)."""

    def __init__(self, clock: Clock) -> None:
        self._loop = clock.loop
        self._offset_ms = clock.real_ms() - clock.loop.now_us // US_PER_MS

    def __call__(self) -> int:
        """Return milliseconds since 1970."""
        return self._offset_ms + self._loop.now_us // US_PER_MS
