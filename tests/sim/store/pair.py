"""A city over two stores at once: the real one on a file, and the one in memory.

Both get the same inputs, through the real switch and the real commit loop. Whatever a decision
reads, whatever leaves and whatever is read back has to be the same.
"""

from collections.abc import Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core.facts import Facts
from issuance_server.core.state import SwitchState
from issuance_server.core.switch import Needs, Switch
from issuance_server.ports import Store
from issuance_server.runtime.commit_loop import CommitLoop
from issuance_server.runtime.folding import folded_state
from protocol.errors import JournalFailed
from protocol.kinds import Kind
from tests.adapters.city_file import HOUSEHOLDS, RECORDS, TERMINALS, HandClock, found
from tests.core.made import CARD_REF, RULES, START_REAL_MS, TABLES_TOML
from tests.sim.store.disk import MemoryDisk, found_in_memory
from tests.sim.store.memory_store import MemoryStore

HOLDER_ID = HOUSEHOLDS[0].head_id
CARDS = ((CARD_REF, HOLDER_ID), ("card-mynumber", HOUSEHOLDS[1].head_id, "5e71a1"))


def found_disk() -> MemoryDisk:
    """Return the same city in memory as ``tests.adapters.city_file.found`` makes on a file."""
    return found_in_memory(
        households=HOUSEHOLDS,
        records=RECORDS,
        terminals=TERMINALS,
        cards=CARDS,
        at_ms=START_REAL_MS,
        tables_content=TABLES_TOML,
    )


class _Watched:
    """A store, and the facts that were read of it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.read: list[tuple[Needs, Facts]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @asynccontextmanager
    async def transaction(self, attached: str | None = None) -> Any:
        """Run one transaction of the store."""
        async with self._store.transaction(attached) as inner:
            yield _WatchedTransaction(inner, self.read)


class _WatchedTransaction:
    def __init__(self, inner: Any, read: list[tuple[Needs, Facts]]) -> None:
        self._inner = inner
        self._read = read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def facts(self, needs: Needs, real_ms: int) -> Facts:
        """Read, and remember what was read."""
        facts: Facts = await self._inner.facts(needs, real_ms)
        self._read.append((needs, facts))
        return facts


@dataclass
class Side:
    """A switch over one of the stores."""

    store: Store
    watched: _Watched
    loop: CommitLoop
    switch: Switch
    left: list[e.Effect] = field(default_factory=list)

    @classmethod
    async def start(cls, store: Store, clock: HandClock) -> "Side":
        """Begin as a starting server does."""
        watched = _Watched(store)
        left: list[e.Effect] = []
        switch = Switch(RULES, await folded_state(store, clock.real_ms))
        loop = CommitLoop(
            switch=switch,
            store=watched,
            clock=clock,
            perform=left.append,
            committed=lambda: None,
        )
        return cls(store=store, watched=watched, loop=loop, switch=switch, left=left)

    async def give(self, inputs: Iterable[i.Input], attached: str | None) -> tuple[Any, ...]:
        """Commit inputs in one transaction; return what left, what was read, and what failed."""
        before, self.watched.read = len(self.left), []
        failed = ""
        try:
            await self.loop.commit(list(inputs), attached=attached)
        except JournalFailed:
            failed = "the journal"
        return self.left[before:], self.watched.read, failed


@dataclass
class Pair:
    """Two cities that must not differ."""

    path: Path
    clock: HandClock = field(default_factory=HandClock)
    disk: MemoryDisk = field(default_factory=found_disk)

    async def open(self) -> None:
        """Open both stores and begin."""
        store = await SqliteStore.open(self.path)
        await store._writer.execute("PRAGMA synchronous = OFF")  # no power cut in here: be quick
        self.real = await Side.start(store, self.clock)
        self.memory = await Side.start(MemoryStore(self.disk), self.clock)

    async def close(self) -> None:
        """End both processes."""
        store = self.real.store
        assert isinstance(store, SqliteStore)
        await store.close()
        self.disk.crash()

    async def restart(self) -> None:
        """End both processes and start them anew."""
        await self.close()
        await self.open()
        await self.give(i.Restarted())

    @property
    def state(self) -> SwitchState:
        """The state of the one that has the real store."""
        return self.real.switch.state

    async def give(self, *inputs: i.Input, attached: str | None = None) -> list[e.Effect]:
        """Give both the same inputs in one transaction, and return what left.

        Raises:
            JournalFailed: both could not write it.
        """
        real = await self.real.give(inputs, attached)
        memory = await self.memory.give(inputs, attached)
        assert real == memory, inputs
        if real[2]:
            raise JournalFailed(str(real[2]))
        left: list[e.Effect] = real[0]
        return left

    async def facts(self, needs: Needs) -> Facts:
        """Return what both read."""
        read = []
        for side in (self.real, self.memory):
            async with side.store.transaction() as transaction:
                read.append(await transaction.facts(needs, self.clock.real_ms))
        assert read[0] == read[1], needs
        return read[0]

    async def check(self) -> None:
        """Compare everything that a runtime reads back."""
        now_ms = self.clock.real_ms
        seen, other = [await _seen(side.store, now_ms) for side in (self.real, self.memory)]
        for name, found_there in seen.items():
            assert found_there == other[name], name
        assert self.real.switch.state == self.memory.switch.state
        await self._check_journal()

    async def _check_journal(self) -> None:
        store = self.real.store
        assert isinstance(store, SqliteStore)
        journal = await store.read("SELECT at_ms, subject, record FROM journal ORDER BY seq", ())
        assert journal == self.disk.journal
        rows = await store.read("SELECT size, frontier FROM audit_frontier", ())
        assert rows == [self.disk.frontier]
        keys = await store.read("SELECT issuance_id, key_day, wrapped_key FROM issuance_key", ())
        assert {row[0]: row[1:] for row in keys} == self.disk.tables.issuance_key.kept
        issuances = await store.read(
            "SELECT issuance_id, state, fee_state, sheets, ended_at_ms, end_day FROM issuance", ()
        )
        assert issuances == [
            (key, one.state.value, one.fee.value, one.sheets, one.ended_at_ms, one.end_day)
            for key, one in self.disk.tables.issuance.kept.items()
        ]
        numbers = await store.read("SELECT number, state FROM certificate_number", ())
        kept = self.disk.tables.certificate_number.kept
        assert dict(numbers) == {number: one.state for number, one in kept.items()}
        versions = await store.read("SELECT last_version FROM register_state", ())
        assert versions == [(self.disk.tables.last_version.kept[None],)]


async def _seen(store: Store, now_ms: int) -> dict[str, object]:
    """Return everything that a runtime reads back."""
    residents = [one.resident_id for household in HOUSEHOLDS for one in household.members]
    kinds = [(one, kind) for one in residents for kind in Kind]
    return {
        "records": await store.records_of_open_subjects(now_ms),
        "open": await store.records_of_open_subjects(0),
        "stopped": await store.stopped_terminals(),
        "issuing": await store.issuing_stopped(),
        "terminals": await store.terminals(now_ms),
        "tables": await store.tables(),
        "closed": await store.closed_through(),
        "judge": await store.last_judge_report(),
        "households": [await store.household_of(one) for one in residents],
        "sources": [await store.source_of(*one) for one in kinds],
        "elsewhere": [await store.source_by_domicile(*one) for one in kinds],
        "days": await store.key_days(),
        "copy": await store.copy_state(),
        "due": await store.outbox.due(now_ms),
        "shown": await store.shown_checkpoint(1),
    }


async def opened(folder: Path) -> Pair:
    """Found both cities and open them."""
    pair = Pair(found(folder / "city.db", cards=CARDS))  # type: ignore[arg-type]  # it takes both
    await pair.open()
    return pair
