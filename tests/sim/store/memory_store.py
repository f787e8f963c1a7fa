"""The store of a simulated city: ``issuance_server.ports.Store`` over a disk in memory.

It keeps the law of the real one: what is committed is on the disk whole, what is not is gone, facts
are read after what was written before them, and one transaction at a time is open.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Literal, Self, TypeAlias

import msgspec

from issuance_server.adapters.sqlite.domicile_reading import source_by_domicile
from issuance_server.certificates.source import CertificateSource
from issuance_server.core.audit_tree import AuditTree, leaf_hash
from issuance_server.core.effects import ChangeCopy, DropKey, KeepAside, KeepKey, TakeExtract
from issuance_server.core.facts import Facts
from issuance_server.core.freshness import CopyState
from issuance_server.core.line_table import RegisteredTerminal
from issuance_server.core.records import AnyRecord, encode_record, subject_of
from issuance_server.core.register import Household
from issuance_server.core.switch import Needs
from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.ports import ShownCheckpoint, Sign
from protocol.checkpoint import checkpoint_statement
from protocol.errors import JournalFailed
from protocol.kinds import Kind
from tests.sim.store.disk import Entry, MemoryDisk, SignedTree, Staged
from tests.sim.store.facts import read_facts
from tests.sim.store.house_projections import keep_aside
from tests.sim.store.memory_outbox import MemoryOutbox
from tests.sim.store.memory_proofs import MemoryProofs
from tests.sim.store.projections import project
from tests.sim.store.register_tables import change_copy, change_state, packed, take_extract
from tests.sim.store.tables import Tables

Moment: TypeAlias = Literal[
    "begin", "facts", "copy", "commit", "committed", "read", "write", "written", "checkpoint"
]
"""Where the store waits for the disk. Before ``committed`` and ``written``, nothing is durable."""
Pause: TypeAlias = Callable[[Moment], Awaitable[None]]
"""Awaited at each of these moments: it may take time, fail (``JournalFailed``), or never return."""


class MemoryTransaction:
    """What can be read and written between begin and commit."""

    __slots__ = ("_entered", "_entries", "_staged", "_store")

    def __init__(self, store: "MemoryStore", staged: Staged | None) -> None:
        self._store = store
        self._staged = staged
        self._entries: list[Entry] = []

    async def __aenter__(self) -> Self:
        store = self._store
        self._entered = store.disk.writing
        await self._entered.acquire()
        try:
            if store.pause is not None:
                await store.pause("begin")
            store.check_alive()
        except BaseException:
            self._entered.release()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        store = self._store
        try:
            if kind is None:
                await store.commit(self._entries)
        finally:
            if store.alive:
                store.disk.tables.roll_back()
            self._entered.release()

    async def facts(self, needs: Needs, real_ms: int) -> Facts:
        """Read what an input needs, as of this very transaction."""
        store = self._store
        if store.pause is not None:
            await store.pause("facts")
            store.check_alive()
        return read_facts(store.disk.tables, needs, real_ms)

    def write(self, record: AnyRecord) -> None:
        """Append a record and what it projects."""
        self._entries.append((record.at_ms, subject_of(record), encode_record(record)))
        project(self._store.disk.tables, record)

    def keep_key(self, kept: KeepKey) -> None:
        """Store a wrapped content key."""
        keys = self._store.disk.tables.issuance_key
        keys.insert(kept.issuance_id, (kept.key_day, kept.wrapped_key))

    def drop_key(self, dropped: DropKey) -> None:
        """Delete a wrapped content key."""
        self._store.disk.tables.issuance_key.drop(dropped.issuance_id)

    def keep_aside(self, kept: KeepAside) -> None:
        """Keep what no record may hold."""
        keep_aside(self._store.disk.tables, kept.aside)

    async def change_copy(self, effect: ChangeCopy | TakeExtract) -> None:
        """Change the register copy, or let the attached extract take its place."""
        store = self._store
        if store.pause is not None:
            await store.pause("copy")
            store.check_alive()
        if isinstance(effect, ChangeCopy):
            change_copy(store.disk.tables, effect.changes)
        elif self._staged is None:
            raise JournalFailed("the journal cannot be written: no extract is attached")
        else:
            take_extract(store.disk.tables, self._staged.lines, self._staged.as_of_ms)


class MemoryStore:
    """Journal, register and keys of one city, for one life of its process.

    Attributes:
        disk: what outlives it.
        pause: awaited wherever the real store waits for its disk; None: nothing takes time.
    """

    def __init__(self, disk: MemoryDisk, pause: Pause | None = None) -> None:
        """Open what is on the disk, as a starting process does."""
        self.disk = disk
        self.pause = pause
        self.outbox = MemoryOutbox(self)
        self._life = disk.lives
        self._proofs = MemoryProofs(disk)
        self._tree = AuditTree(*disk.frontier)
        signed = disk.signed[-1].size if disk.signed else 0
        self._unsigned = [leaf_hash(packed) for _, _, packed in disk.journal[signed:]]

    @property
    def alive(self) -> bool:
        """Whether the disk has not crashed since this store was opened."""
        return self._life == self.disk.lives

    def check_alive(self) -> None:
        """Stop what a process does after its end.

        Raises:
            JournalFailed: it has ended.
        """
        if not self.alive:
            raise JournalFailed("this process has ended")

    def transaction(self, attached: str | None = None) -> MemoryTransaction:
        """Run one transaction; it is on the disk when the block is left, or nothing of it is.

        Raises:
            JournalFailed: no such extract lies ready.
        """
        staged = None
        if attached is not None:
            staged = self.disk.staged.pop(attached, None)
            if staged is None:
                raise JournalFailed("the extract cannot be attached: it is not there")
        return MemoryTransaction(self, staged)

    async def commit(self, entries: list[Entry]) -> None:
        """Make the open transaction durable."""
        if self.pause is not None:
            await self.pause("commit")
        self.check_alive()
        tree = self._tree
        if entries:
            tree = AuditTree(tree.size, tree.frontier)
            leaves = [leaf_hash(packed) for _, _, packed in entries]
            for leaf in leaves:
                tree.append_hash(leaf)
            self.disk.commit(entries, (tree.size, tree.frontier))
            self._tree = tree
            self._unsigned += leaves
        else:
            self.disk.commit(entries, self.disk.frontier)
        if self.pause is not None:
            await self.pause("committed")

    async def records_of_open_subjects(self, now_ms: int) -> list[AnyRecord]:
        """Return the journal's records of everything that has not ended, in order."""
        await self.reading()
        subjects = self.disk.tables.open_subject.kept.items()
        return self.disk.records_of(one for one, until_ms in subjects if until_ms > now_ms)

    async def stopped_terminals(self) -> set[str]:
        """Return the terminals that an integrity alarm stopped, or that are revoked."""
        await self.reading()
        return {
            name
            for name, one in self.disk.tables.terminal.kept.items()
            if one.stopped_at_ms is not None or one.revoked_at_ms is not None
        }

    async def issuing_stopped(self) -> bool:
        """Tell whether nothing is issued in the whole city until two operators reopen it."""
        await self.reading()
        return bool(self.disk.tables.issuing_stopped.kept)

    async def terminals(self, now_ms: int) -> list[RegisteredTerminal]:
        """Return the list: terminals that are not revoked, with what is accepted of them now."""
        await self.reading()
        tables = self.disk.tables
        certified = [
            (fingerprint, one)
            for fingerprint, one in tables.terminal_certificate.kept.items()
            if one.revoked_at_ms is None
        ]
        certified.sort(key=lambda pair: -pair[1].since_ms)
        listed = []
        for name, terminal in tables.terminal.kept.items():
            mine = [pair for pair in certified if pair[1].terminal == name]
            if terminal.revoked_at_ms is not None or not mine:
                continue
            entry = RegisteredTerminal(
                terminal=name,
                line_id=terminal.line_id,
                fingerprints=frozenset(one for one, row in mine if now_ms < row.until_ms),
                report_keys=tuple(row.report_key for _, row in mine),
            )
            listed.append(entry)
        return listed

    async def tables(self) -> LoadedTables | None:
        """Return the city's tables in force; None: none were ever loaded."""
        await self.reading()
        loaded = self.disk.tables.city_tables.kept
        return loaded[max(loaded)] if loaded else None

    async def closed_through(self) -> str:
        """Return the last business day that is closed, ``YYYY-MM-DD``; empty: none is."""
        await self.reading()
        return max(self.disk.tables.closed_day.kept, default="")

    async def last_judge_report(self) -> tuple[int, int]:
        """Return number and time of the last of the judge's events that is in the journal."""
        await self.reading()
        return self.disk.tables.judge_report.kept.get(None, (0, 0))

    async def household_of(self, resident_id: str) -> tuple[Household, int] | None:
        """Return a resident's household and its version, from one consistent read."""
        await self.reading()
        tables = self.disk.tables
        household_id = tables.resident.kept.get(resident_id)
        if household_id is None:
            return None
        household, version = tables.household.kept[household_id]
        return household.without_removed(), version

    async def source_of(self, resident_id: str, kind: Kind) -> CertificateSource | None:
        """Return what a resident's certificate of a kind is made of, from one consistent read."""
        found = await self.household_of(resident_id)
        if found is None:
            return None
        key = self._record_key(resident_id, kind)
        row = None if key is None else self.disk.tables.register_record.kept[key]
        return CertificateSource(
            household=found[0],
            register_version=found[1],
            record=None if row is None else row.record,
            record_version=None if row is None else row.version,
        )

    async def source_by_domicile(self, resident_id: str, kind: Kind) -> CertificateSource | None:
        """Return the same for a holder who lives elsewhere and stands in a family register here."""
        await self.reading()
        key = self._record_key(resident_id, kind)
        if key is None:
            return None
        row = self.disk.tables.register_record.kept[key]
        return source_by_domicile((packed(row.record), row.version), resident_id)

    async def wrapped_key(self, issuance_id: bytes) -> tuple[str, bytes] | None:
        """Return the day and the wrapped content key of an issuance, if it is still there."""
        await self.reading()
        return self.disk.tables.issuance_key.kept.get(issuance_id)

    async def key_days(self) -> set[str]:
        """Return the days whose keys still wrap something."""
        await self.reading()
        return {day for day, _ in self.disk.tables.issuance_key.kept.values()}

    async def copy_state(self) -> CopyState:
        """Return how the register copy stands."""
        await self.reading()
        return self.disk.tables.register_state.kept[None]

    async def set_watermark(self, at_ms: int) -> None:
        """Note that the register copy is as of now."""
        await self.write_aside(lambda tables: change_state(tables, watermark_ms=at_ms))

    async def forget_applicants(self, before_ms: int) -> int:
        """Erase what was typed for requests that were decided before a time; return how many."""
        await self.reading()
        forgotten = [
            (request_id, request)
            for request_id, request in self.disk.tables.domicile_request.kept.items()
            if request.decided_at_ms is not None and request.decided_at_ms < before_ms
        ]
        typed = self.disk.tables.domicile_applicant.kept
        count = sum(request_id in typed for request_id, _ in forgotten)

        def forget(tables: Tables) -> None:
            for request_id, request in forgotten:
                silent = msgspec.structs.replace(request, words=None)
                tables.domicile_request.put(request_id, silent)
                tables.domicile_applicant.drop(request_id)

        if count:
            await self.write_aside(forget)
        return count

    async def sign_tree(self, *, city: str, at_ms: int, sign: Sign) -> None:
        """Store a signed checkpoint of the audit tree if it has grown since the last one."""
        async with self.disk.writing:
            if not self._unsigned:
                return
            size, root = self._tree.size, self._tree.root()
            signature = sign(checkpoint_statement(city=city, size=size, root=root, at_ms=at_ms))
            if self.pause is not None:
                await self.pause("write")
            self.check_alive()
            leaves = b"".join(self._unsigned)
            self.disk.add_signed(
                SignedTree(size=size, root=root, at_ms=at_ms, signature=signature, leaves=leaves)
            )
            self._unsigned.clear()
            if self.pause is not None:
                await self.pause("written")

    async def shown_checkpoint(self, witnessed: int) -> ShownCheckpoint | None:
        """Return the latest signed checkpoint, with the proof that it grew from a witness's."""
        await self.reading()
        return self._proofs.shown(witnessed)

    async def checkpoint(self) -> bool:
        """Let what was deleted be gone; False if a reader was in the way."""
        async with self.disk.writing:
            if self.pause is not None:
                await self.pause("checkpoint")
            self.check_alive()
            return self.disk.empty_log()

    async def write_aside(self, change: Callable[[Tables], None]) -> None:
        """Change tables that are kept beside the journal, in a transaction of its own."""
        async with self.disk.writing:
            if self.pause is not None:
                await self.pause("write")
            self.check_alive()
            self.disk.edit_at_once(change)
            if self.pause is not None:
                await self.pause("written")

    async def reading(self) -> None:
        """Wait for the disk before a read."""
        if self.pause is not None:
            await self.pause("read")
        self.check_alive()

    def _record_key(self, resident_id: str, kind: Kind) -> str | None:
        held = self.disk.tables.records_of.kept.get(resident_id, ())
        return next((key for one, key in held if one is kind), None)
