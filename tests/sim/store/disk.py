"""The disk of a city in memory: it outlives the process that writes it, and loses what it may lose.

A commit is whole or not there. What a process had not committed is gone with it, and a disk that
lies (``lazy``) loses commits that it had acknowledged.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from issuance_server.adapters.sqlite.founding import NewTerminal
from issuance_server.certificates.order import Record
from issuance_server.core.cards import CardKind
from issuance_server.core.freshness import CopyState
from issuance_server.core.record_holders import record_key
from issuance_server.core.records import AnyRecord, decode_record
from issuance_server.core.register import Household
from issuance_server.core.register_extract import Content
from protocol.errors import JournalFailed
from protocol.kinds import Kind
from tests.sim.store.house_projections import add_card, add_terminal, load_tables
from tests.sim.store.register_tables import put_household, put_record
from tests.sim.store.tables import GONE, Card, Certificate, Tables, Terminal

Entry = tuple[int, bytes | None, bytes]
"""One record of the journal: its time, what it is about, and its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTree:
    """One signed statement about the audit tree, with the hashes of the leaves since the last."""

    size: int
    root: bytes
    at_ms: int
    signature: bytes
    leaves: bytes


@dataclass(frozen=True, slots=True)
class Staged:
    """A full extract that lies ready to be taken over."""

    lines: tuple[Content, ...]
    as_of_ms: int


@dataclass(slots=True)
class _Unsynced:
    """A commit that the disk acknowledged and may lose: how everything was before it."""

    rows: list[tuple[dict[Any, Any], Any, Any]]
    journal_length: int
    frontier: tuple[int, bytes]
    signed_length: int


@dataclass(slots=True)
class MemoryDisk:
    """What is durable, and what a crash does to it.

    Attributes:
        tables: projections, registers, lists and wrapped keys.
        journal: all records, in order.
        frontier: size and roots of the audit tree.
        signed: the signed statements about the tree.
        remains: wrapped keys that were deleted, and are on the disk until the next checkpoint.
        staged: full extracts that lie ready, by the name that ``NewExtract.staged`` gives.
        lazy: whether commits are acknowledged before they are durable.
        full: whether nothing can be written.
        reader_in_the_way: asked at each checkpoint; as long as it says so, nothing is emptied.
        lives: counts the crashes; a process of an earlier life can write no more.
    """

    tables: Tables = field(default_factory=Tables)
    journal: list[Entry] = field(default_factory=list)
    frontier: tuple[int, bytes] = (0, b"")
    signed: list[SignedTree] = field(default_factory=list)
    remains: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    staged: dict[str, Staged] = field(default_factory=dict)
    lazy: bool = False
    full: bool = False
    reader_in_the_way: Callable[[], bool] = lambda: False
    lives: int = 0
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _by_subject: dict[bytes, list[int]] = field(default_factory=dict)
    _unsynced: list[_Unsynced] = field(default_factory=list)

    def crash(self) -> int:
        """End the process that writes; return how many acknowledged commits went with it."""
        self.tables.roll_back()
        self.writing = asyncio.Lock()
        self.lives += 1
        lost = self._unsynced
        for commit in reversed(lost):
            self._take_back(commit)
        self._unsynced = []
        return len(lost)

    def sync(self) -> None:
        """Make durable what a lazy disk has acknowledged."""
        self._unsynced = []

    async def edit(self, change: Callable[[Tables], None]) -> None:
        """Let another program write, in a transaction of its own, when no other one is open."""
        async with self.writing:
            self.edit_at_once(change)

    def edit_at_once(self, change: Callable[[Tables], None]) -> None:
        """Do the same where no transaction is open.

        Raises:
            JournalFailed: a constraint does not hold; nothing of it was written.
        """
        assert not self.tables.changed, "a transaction is open"
        try:
            change(self.tables)
        except BaseException:
            self.tables.roll_back()
            raise
        self.commit([], self.frontier)

    def commit(self, entries: Iterable[Entry], frontier: tuple[int, bytes]) -> None:
        """Make the open transaction durable: tables, keys, records and frontier at once.

        Raises:
            JournalFailed: the disk is full; nothing of it was written.
        """
        if self.full:
            raise JournalFailed("the journal cannot be written: the disk is full")
        tables = self.tables
        if self.lazy:
            self._unsynced.append(self._as_it_is())
        keys = tables.issuance_key
        for issuance_id, row in keys.new.items():
            if row is GONE:
                self.remains[issuance_id] = keys.kept[issuance_id]
        tables.commit()
        for entry in entries:
            subject = entry[1]
            if subject is not None:
                self._by_subject.setdefault(subject, []).append(len(self.journal))
            self.journal.append(entry)
        self.frontier = frontier

    def add_signed(self, signed: SignedTree) -> None:
        """Keep a signed statement about the tree, in a transaction of its own."""
        self.commit([], self.frontier)
        self.signed.append(signed)

    def empty_log(self) -> bool:
        """Overwrite what was deleted; False while a reader is in the way."""
        if self.reader_in_the_way():
            return False
        self.remains.clear()
        return True

    def records(self) -> list[AnyRecord]:
        """Return the whole journal."""
        return [decode_record(packed) for _, _, packed in self.journal]

    def records_of(self, subjects: Iterable[bytes]) -> list[AnyRecord]:
        """Return the records of these subjects, in the order of the journal."""
        places = sorted(at for subject in subjects for at in self._by_subject.get(subject, ()))
        return [decode_record(self.journal[at][2]) for at in places]

    def keys_left(self) -> dict[bytes, tuple[str, bytes]]:
        """Return every wrapped key that somebody finds who takes the disk out now."""
        return self.remains | self.tables.issuance_key.kept

    def _as_it_is(self) -> _Unsynced:
        return _Unsynced(
            rows=self.tables.undoing(),
            journal_length=len(self.journal),
            frontier=self.frontier,
            signed_length=len(self.signed),
        )

    def _take_back(self, commit: _Unsynced) -> None:
        for kept, key, row in commit.rows:
            if row is GONE:
                kept.pop(key, None)
            else:
                kept[key] = row
        for _, subject, _ in self.journal[commit.journal_length :]:
            if subject is not None:
                self._by_subject[subject].pop()
        del self.journal[commit.journal_length :]
        del self.signed[commit.signed_length :]
        self.frontier = commit.frontier
        self.tables.ends = None


def found_in_memory(
    *,
    households: Iterable[Household],
    records: Mapping[tuple[str, Kind], Record] = MappingProxyType({}),
    terminals: Iterable[NewTerminal],
    cards: Iterable[tuple[str, str] | tuple[str, str, str]],
    at_ms: int,
    tables_content: bytes | None = None,
) -> MemoryDisk:
    """Return the disk of a new city; the same as ``adapters.sqlite.founding.found_city`` makes.

    Args:
        households: the copy of the resident register.
        records: those of the other registers; the holders are residents.
        terminals: the list of terminals.
        cards: card reference, 宛名番号 of its holder, and of a 個人番号カード the serial of its
            certificate, in hexadecimal.
        at_ms: the time of registration, and the register copy's watermark.
        tables_content: the city's tables in force, beside the journal; None: there are none.
    """
    disk = MemoryDisk()

    def found(tables: Tables) -> None:
        tables.register_state.put(None, CopyState(watermark_ms=at_ms))
        tables.judge_report.put(None, (0, 0))
        version = 0
        for version, household in enumerate(households, start=1):
            put_household(tables, household, version)
        once = {record_key(record): record for record in records.values()}
        for record_version, record in enumerate(once.values(), start=version + 1):
            put_record(tables, record, record_version)
        tables.last_version.put(None, version + len(once))
        for new in terminals:
            list_terminal(tables, new, at_ms)
        for card_ref, resident_id, *serial in cards:
            kind = CardKind.MYNUMBER if serial else CardKind.JUKI
            card = Card(
                kind=kind,
                resident_id=resident_id,
                certificate_serial=serial[0] if serial else None,
                registered_at_ms=at_ms,
            )
            add_card(tables, card_ref, card)
        if tables_content is not None:
            load_tables(tables, tables_content, at_ms)

    disk.edit_at_once(found)
    return disk


def list_terminal(tables: Tables, new: NewTerminal, at_ms: int) -> None:
    """Put a terminal on the list with its first key certificate."""
    terminal = Terminal(
        line_id=new.line_id,
        chain=new.chain,
        store=new.store,
        in_city=new.in_city,
        terminal_class=new.terminal_class,
        registered_at_ms=at_ms,
    )
    add_terminal(tables, new.terminal, terminal)
    certificate = Certificate(
        terminal=new.terminal, report_key=new.report_key, since_ms=at_ms, until_ms=new.until_ms
    )
    tables.terminal_certificate.insert(new.fingerprint, certificate)
