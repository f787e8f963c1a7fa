"""The outbox of notices of a simulated city."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from issuance_server.adapters.sqlite.outbox import DUE_AT_ONCE_MAX
from issuance_server.core import notices
from issuance_server.core.calendar import JST
from issuance_server.core.notices import Letter, NoticeState
from tests.sim.store.disk import MemoryDisk
from tests.sim.store.tables import Tables


class Aside(Protocol):
    """What the outbox needs of its store."""

    @property
    def disk(self) -> MemoryDisk:
        """What outlives the process."""
        ...

    def reading(self) -> Awaitable[None]:
        """Wait for the disk before a read."""
        ...

    def write_aside(self, change: Callable[[Tables], None]) -> Awaitable[None]:
        """Change tables that are kept beside the journal."""
        ...


class MemoryOutbox:
    """Where notices wait until somebody has taken them."""

    def __init__(self, store: Aside) -> None:
        self._store = store

    async def due(self, now_ms: int) -> list[Letter]:
        """Return notices whose time has come, the longest waiting first."""
        await self._store.reading()
        tables = self._store.disk.tables
        waiting = [
            (notice.next_try_at_ms, key, notice)
            for key, notice in tables.notice.kept.items()
            if notice.next_try_at_ms is not None and notice.next_try_at_ms <= now_ms
        ]
        waiting.sort(key=lambda one: one[0])
        letters = []
        for _, key, notice in waiting:
            wanted = tables.notice_subscription.kept.get(notice.resident_id)
            if wanted is None or notice.state is not NoticeState.PENDING:
                continue
            issued = datetime.fromtimestamp(notice.issued_business_ms / 1_000, UTC)
            letter = Letter(
                key=key,
                address=wanted[0],
                issued_at=issued.astimezone(JST),
                kind=notice.kind,
                store=notice.store,
                tries=notice.tries,
            )
            letters.append(letter)
        return letters[:DUE_AT_ONCE_MAX]

    async def sent(self, key: str, now_ms: int) -> None:
        """Mark a notice that has gone out."""
        tries = self._tries(key) + 1
        sent = {"state": NoticeState.SENT, "next_try_at_ms": None, "sent_at_ms": now_ms}
        await self._mark(key, tries=tries, **sent)

    async def not_sent(self, letter: Letter, now_ms: int) -> NoticeState:
        """Mark a try that failed, and return how the notice stands now."""
        tries = letter.tries + 1
        over = tries >= notices.TRIES_MAX
        state = NoticeState.FAILED if over else NoticeState.PENDING
        next_ms = None if over else now_ms + notices.wait_ms(tries)
        await self._mark(letter.key, state=state, tries=tries, next_try_at_ms=next_ms)
        return state

    async def forget_old(self, now_ms: int) -> None:
        """Erase what was sent, or given up, long ago."""

        def forget(tables: Tables) -> None:
            for key, notice in list(tables.notice.items()):
                old = notice.queued_at_ms < now_ms - notices.KEPT_MS
                if old and notice.state is not NoticeState.PENDING:
                    tables.notice.drop(key)

        await self._store.write_aside(forget)

    def _tries(self, key: str) -> int:
        notice = self._store.disk.tables.notice.kept.get(key)
        return 0 if notice is None else notice.tries

    async def _mark(self, key: str, **changes: object) -> None:
        def mark(tables: Tables) -> None:
            notice = tables.notice.get(key)
            if notice is not None:
                tables.notice.put(key, msgspec.structs.replace(notice, **changes))

        await self._store.write_aside(mark)
