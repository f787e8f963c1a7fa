"""The edge between the server and its store: where commits take time, fail, and are seen.

Whatever store lies behind it (the double in memory, or SQLite), this is the disk of the world: a
commit takes a drawn while, before which nothing of it is durable and after which all of it is. The
server may die before it, or between it and the first effect. Reads may take a while as well.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from issuance_server.core.effects import ChangeCopy, DropKey, KeepAside, KeepKey, TakeExtract
from issuance_server.core.facts import Facts
from issuance_server.core.records import AnyRecord
from issuance_server.core.switch import Needs
from protocol.errors import JournalFailed
from tests.sim.checks.witness import Court
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, Node, pause_us

COMMIT_US = 1_500
SLOW_MS_MAX = 4_000
READ_US_MAX = 3_000
READ_SLOWLY = 0.1


class DiskRefused(JournalFailed):
    """It is drawn that the disk takes nothing."""


class SeenTransaction:
    """A transaction of the store behind, and what it will have changed."""

    __slots__ = ("_faults", "_inner", "changes", "dropped", "kept", "records")

    def __init__(self, inner: Any, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self.records: list[AnyRecord] = []
        self.kept: list[bytes] = []
        self.dropped: list[bytes] = []
        self.changes: list[ChangeCopy | TakeExtract] = []

    async def facts(self, needs: Needs, real_ms: int) -> Facts:
        """Read, sometimes after a while."""
        roll = self._faults.dice.random()
        if roll < READ_SLOWLY:
            await pause_us(int(roll / READ_SLOWLY * READ_US_MAX))
        facts: Facts = await self._inner.facts(needs, real_ms)
        return facts

    def write(self, record: AnyRecord) -> None:
        """Write a record."""
        self.records.append(record)
        self._inner.write(record)

    def keep_key(self, kept: KeepKey) -> None:
        """Keep a wrapped key."""
        self.kept.append(kept.issuance_id)
        self._inner.keep_key(kept)

    def drop_key(self, dropped: DropKey) -> None:
        """Delete one."""
        self.dropped.append(dropped.issuance_id)
        self._inner.drop_key(dropped)

    def keep_aside(self, kept: KeepAside) -> None:
        """Keep what no record may hold."""
        self._inner.keep_aside(kept)

    async def change_copy(self, effect: ChangeCopy | TakeExtract) -> None:
        """Change the register copy."""
        self.changes.append(effect)
        await self._inner.change_copy(effect)


class StoreEdge:
    """A ``ports.Store`` of one life of the server, over a store that lasts."""

    def __init__(self, inner: Any, *, node: Node, faults: Faults, court: Court, clock: Any) -> None:
        self._inner = inner
        self._node = node
        self._faults = faults
        self._court = court
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @asynccontextmanager
    async def transaction(self, attached: str | None = None) -> AsyncIterator[SeenTransaction]:
        """Run one transaction of the store behind."""
        faults, rates = self._faults, self._faults.rates
        try:
            async with self._inner.transaction(attached) as inner:
                seen = SeenTransaction(inner, faults)
                yield seen
                await self._reach_the_disk()
        except DiskRefused:
            raise
        except JournalFailed as refused:  # a constraint has stopped what the core decided
            self._court.found(0, f"the store refused to write: {refused}")
            raise
        self._court.city_records(
            self._clock.now(), seen.records, seen.kept, seen.dropped, seen.changes
        )
        if faults.hits(rates.server_dies_at_commit, "server died after a commit"):
            self._node.kill()
            await pause_us(0)

    async def set_watermark(self, at_ms: int) -> None:
        """Note that the register copy is as of now."""
        await self._inner.set_watermark(at_ms)
        self._court.watermark(at_ms)

    async def _reach_the_disk(self) -> None:
        """Let a commit take its time; the disk may refuse it, and the server may die before it.

        Raises:
            DiskRefused: nothing of it was written.
        """
        faults, rates = self._faults, self._faults.rates
        wait_us = COMMIT_US
        if faults.hits(rates.slow_disk, "slow disk of the server"):
            wait_us += int(faults.dice.random() ** 3 * SLOW_MS_MAX * US_PER_MS)
        await pause_us(wait_us)
        if faults.hits(rates.server_disk_refuses, "server's disk refused"):
            raise DiskRefused("the disk is full")
        if faults.hits(rates.server_dies_at_commit, "server died before a commit"):
            self._node.kill()
            await pause_us(0)

    async def checkpoint(self) -> bool:
        """Empty the write-ahead log; a reader may be in the way for a while."""
        if self._faults.hits(self._faults.rates.slow_disk, "checkpoint in a reader's way"):
            return False
        done: bool = await self._inner.checkpoint()
        if done:
            self._court.checkpoint()
        return done
