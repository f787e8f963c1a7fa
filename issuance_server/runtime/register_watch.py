"""Tells, once each time, that the register copy became old, or that stand-in operation ended."""

from collections.abc import Callable

from issuance_server.ports import Clock, Store


class RegisterWatch:
    """Compares how the copy stands with how it stood at the last look."""

    def __init__(
        self, *, store: Store, clock: Clock, age_ms_max: int, log: Callable[..., None]
    ) -> None:
        """Prepare; ``look`` is called now and then.

        Args:
            store: with the copy.
            clock: real time.
            age_ms_max: an older copy refuses.
            log: writes events.
        """
        self._store = store
        self._clock = clock
        self._age_ms_max = age_ms_max
        self._log = log
        self._stale = False
        self._standing_in = False

    async def look(self) -> None:
        """Look at the copy, and log what has become of it."""
        state = await self._store.copy_state()
        now_ms = self._clock.now().real_ms
        stale = state.is_stale(now_ms, self._age_ms_max)
        if stale != self._stale:
            event = "register.stale" if stale else "register.fresh"
            self._log(event, age_ms=state.age_ms(now_ms))
        self._stale = stale
        standing_in = state.stands_in(now_ms)
        declared = state.stand_in_until_ms is not None
        if self._standing_in and not standing_in and declared:  # else an operator ended it
            self._log("register.stand_in_ended", reason="time-over", operator="")
        self._standing_in = standing_in
