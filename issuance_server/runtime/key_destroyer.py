"""Sees to it that deleted keys are off the disk before their deletion is confirmed.

A row that was deleted is overwritten (``secure_delete``), but the write-ahead log still holds the
old page until it is emptied; so a truncating checkpoint follows, one for all that have come.
"""

import asyncio
from collections.abc import Awaitable, Callable

from issuance_server.core.inputs import KeysDestroyed
from issuance_server.ports import Clock, Store

RETRY_WAIT_MS = 50
BLOCKED_ALARM_MS = 10_000


class KeyDestroyer:
    """Collects issuances whose keys were deleted, and reports when they are gone."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        submit: Callable[[KeysDestroyed], Awaitable[None]],
        log: Callable[..., None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._submit = submit
        self._log = log
        self._waiting: list[bytes] = []
        self._some = asyncio.Event()

    def add(self, issuance_id: bytes) -> None:
        """Take an issuance whose key row has been deleted and committed."""
        self._waiting.append(issuance_id)
        self._some.set()

    async def run(self) -> None:
        """Destroy for ever; a reader that blocks the checkpoint for long raises an alarm."""
        while True:
            await self._some.wait()
            self._some.clear()
            gone, self._waiting = tuple(self._waiting), []
            since_ms = self._clock.now().real_ms
            alarmed = False
            while not await self._store.checkpoint():
                blocked_ms = self._clock.now().real_ms - since_ms
                if blocked_ms >= BLOCKED_ALARM_MS and not alarmed:
                    alarmed = True
                    self._log("key.destruction_blocked", waited_ms=blocked_ms, keys=len(gone))
                await asyncio.sleep(RETRY_WAIT_MS / 1_000)
            await self._submit(KeysDestroyed(issuance_ids=gone))
