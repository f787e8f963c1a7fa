"""The one writer of the city's database: transactions with facts, journal and projections.

Group commit: the runtime puts many inputs into one transaction, so that one flush of the disk
serves them all. Whatever fails in here is fatal (``JournalFailed``): nothing is sent after it.
"""

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from issuance_server.adapters.sqlite import register_copy
from issuance_server.adapters.sqlite.cards import card_facts
from issuance_server.adapters.sqlite.projections import statements_for
from issuance_server.adapters.sqlite.register_copy import CertificateSource
from issuance_server.adapters.sqlite.schema import (
    BUSY_TIMEOUT_PRAGMA,
    READER_PRAGMAS,
    REQUIRED_SQLITE_VERSION,
    SCHEMA_VERSION,
    WRITER_PRAGMAS,
)
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.adapters.sqlite.tables_projections import (
    LATEST_SQL,
    LoadedTables,
    loaded_tables,
)
from issuance_server.core.audit_tree import AuditTree, checkpoint_statement
from issuance_server.core.effects import DropKey, KeepKey
from issuance_server.core.facts import EndedIssuance, Facts
from issuance_server.core.line_table import RegisteredTerminal
from issuance_server.core.records import AnyRecord, decode_record, encode_record, subject_of
from issuance_server.core.register import Household
from issuance_server.core.switch import Needs
from issuance_server.core.terminal_place import TerminalClass, TerminalPlace
from issuance_server.ports import Sign
from protocol.codes import ReplyCode
from protocol.errors import JournalFailed, SetUpError
from protocol.issuance import IssuanceState
from protocol.kinds import Kind


class SqliteStore:
    """Journal, register and keys of one city. One per process; the file is locked by the caller."""

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._tree = AuditTree()
        self._signed_size = 0
        self._writing = asyncio.Lock()  # what the writer does may not fall into a transaction

    @classmethod
    async def open(cls, path: Path) -> "SqliteStore":
        """Open an existing database.

        Raises:
            SetUpError: there is none, it is another version's, or SQLite is too old.
        """
        if sqlite3.sqlite_version_info < REQUIRED_SQLITE_VERSION:
            raise SetUpError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or newer is needed")
        if not await asyncio.to_thread(path.exists):
            raise SetUpError(f"there is no database at {path}; make one: issuance-server init")
        async with contextlib.AsyncExitStack() as opened:
            try:
                writer = await _connect(path, WRITER_PRAGMAS, opened)
                reader = await _connect(path, READER_PRAGMAS, opened)
                store = cls(writer, reader)
                await store._load()
            except sqlite3.Error as error:
                raise SetUpError(f"the database at {path} cannot be opened: {error}") from error
            opened.pop_all()  # it stays open: ``close`` is the caller's
        return store

    async def close(self) -> None:
        """Close both connections; the write-ahead log is emptied first."""
        await self.checkpoint()
        await self._reader.close()
        await self._writer.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Transaction"]:
        """Run one transaction; it is on the disk when the block is left, or nothing of it is.

        Raises:
            JournalFailed: it could not be written.
        """
        async with self._writing, _undone_on_error(self._writer):
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                transaction = Transaction(self._writer)
                yield transaction
                await transaction.flush()
                tree = AuditTree(self._tree.size, self._tree.frontier)
                tree.extend(transaction.leaves)
                await self._writer.execute(
                    "UPDATE audit_frontier SET size = ?, frontier = ? WHERE id = 1",
                    (tree.size, tree.frontier),
                )
                await self._writer.execute("COMMIT")
                self._tree = tree
            except sqlite3.Error as error:
                raise JournalFailed(f"the journal cannot be written: {error}") from error

    async def records_of_open_subjects(self, now_ms: int) -> list[AnyRecord]:
        """Return the journal's records of everything that has not ended, in order."""
        sql = (
            "SELECT record FROM journal WHERE subject IN"
            " (SELECT subject FROM open_subject WHERE until_ms IS NULL OR until_ms > ?)"
            " ORDER BY seq"
        )
        rows = await self._writer.execute_fetchall(sql, (now_ms,))
        return [decode_record(row[0]) for row in rows]

    async def stopped_terminals(self) -> set[str]:
        """Return the terminals that an integrity alarm stopped, or that are revoked."""
        sql = "SELECT terminal FROM terminal WHERE stopped_at_ms NOT NULL OR revoked_at_ms NOT NULL"
        return {row[0] for row in await self._read(sql)}

    async def terminals(self, now_ms: int) -> list[RegisteredTerminal]:
        """Return the list: terminals that are not revoked, with what is accepted of them now."""
        sql = (
            "SELECT t.terminal, t.line_id, c.fingerprint, c.report_key, c.until_ms"
            " FROM terminal t JOIN terminal_certificate c USING (terminal)"
            " WHERE t.revoked_at_ms IS NULL AND c.revoked_at_ms IS NULL"
            " ORDER BY t.rowid, c.since_ms DESC"
        )
        return [
            RegisteredTerminal(
                terminal=terminal,
                line_id=line_id,
                fingerprints=frozenset(row[2] for row in rows if now_ms < row[4]),
                report_keys=tuple(row[3] for row in rows),
            )
            for (terminal, line_id), rows in _by_terminal(await self._read(sql))
        ]

    async def tables(self) -> LoadedTables | None:
        """Return the city's tables in force; None: none were ever loaded."""
        rows = await self._read(LATEST_SQL)
        return loaded_tables(rows[0]) if rows else None

    async def last_judge_report(self) -> tuple[int, int]:
        """Return number and time of the last of the judge's events that is in the journal."""
        row = await self._read_one("SELECT number, at_ms FROM judge_report", ())
        return (0, 0) if row is None else (row[0], row[1])

    async def household_of(self, resident_id: str) -> tuple[Household, int] | None:
        """Return a resident's household and its version, from one consistent read."""
        row = await self._read_one(register_copy.HOUSEHOLD_SQL, (resident_id,))
        return None if row is None else register_copy.household_of(row)

    async def source_of(self, resident_id: str, kind: Kind) -> CertificateSource | None:
        """Return what a resident's certificate of a kind is made of, from one consistent read."""
        row = await self._read_one(register_copy.SOURCE_SQL, (kind.value, resident_id))
        return None if row is None else register_copy.source_of(row)

    async def wrapped_key(self, issuance_id: bytes) -> tuple[str, bytes] | None:
        """Return the day and the wrapped content key of an issuance, if it is still there."""
        sql = "SELECT key_day, wrapped_key FROM issuance_key WHERE issuance_id = ?"
        row = await self._read_one(sql, (issuance_id,))
        return None if row is None else (row[0], row[1])

    async def key_days(self) -> set[str]:
        """Return the days whose keys still wrap something."""
        rows = await self._read("SELECT DISTINCT key_day FROM issuance_key")
        return {row[0] for row in rows}

    async def set_watermark(self, at_ms: int) -> None:
        """Note that the register copy is as of now (the sample city's own heartbeat)."""
        sql = "UPDATE register_state SET watermark_ms = ? WHERE id = 1"
        async with self._writing:
            await self._write(sql, (at_ms,))

    async def checkpoint(self) -> bool:
        """Empty the write-ahead log, so that what was deleted is off the disk.

        Returns:
            False if a reader was in the way; try again.
        """
        async with self._writing:
            # Who waits here for a reader keeps the journal waiting too; the caller tries again.
            await self._writer.execute("PRAGMA busy_timeout = 0")
            try:
                row = await _one(self._writer, "PRAGMA wal_checkpoint(TRUNCATE)", ())
            except sqlite3.OperationalError:
                return False
            finally:
                await self._writer.execute(BUSY_TIMEOUT_PRAGMA)
        return row is not None and row[0] == 0

    async def sign_tree(self, *, city: str, at_ms: int, sign: Sign) -> None:
        """Store a signed checkpoint of the audit tree if it has grown since the last one."""
        async with self._writing:  # two that ask at once sign it once
            size, root = self._tree.size, self._tree.root()
            if size == self._signed_size:
                return
            signature = sign(checkpoint_statement(city=city, size=size, root=root, at_ms=at_ms))
            sql = "INSERT INTO audit_checkpoint (size, root, at_ms, signature) VALUES (?, ?, ?, ?)"
            await self._write(sql, (size, root, at_ms, signature))
            self._signed_size = size

    async def _read_one(self, sql: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        rows = await self._read(sql, values)
        return rows[0] if rows else None

    async def _read(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Read with the reader; a database that cannot be read is as fatal as one not written."""
        try:
            return [tuple(row) for row in await self._reader.execute_fetchall(sql, values)]
        except sqlite3.Error as error:
            raise JournalFailed(f"the database cannot be read: {error}") from error

    async def _write(self, sql: str, values: tuple[object, ...]) -> None:
        try:
            await self._writer.execute(sql, values)
        except sqlite3.Error as error:
            raise JournalFailed(f"the database cannot be written: {error}") from error

    async def _load(self) -> None:
        version = await _one(self._reader, "SELECT value FROM meta WHERE key = 'schema'", ())
        if version is None or version[0] != str(SCHEMA_VERSION):
            raise SetUpError(
                "the database is of another version of this program; use that one, or found the"
                " city anew: issuance-server init"
            )
        row = await _one(self._reader, "SELECT size, frontier FROM audit_frontier", ())
        signed = await _one(self._reader, "SELECT max(size) FROM audit_checkpoint", ())
        if row is not None:
            self._tree = AuditTree(row[0], row[1])
        self._signed_size = signed[0] or 0 if signed else 0


class Transaction:
    """What can be read and written between BEGIN and COMMIT."""

    def __init__(self, writer: aiosqlite.Connection) -> None:
        self._writer = writer
        self._journal: list[tuple[int, bytes | None, bytes]] = []
        self._statements: list[Statement] = []
        self.leaves: list[bytes] = []

    def write(self, record: AnyRecord) -> None:
        """Append a record and what it projects; it reaches the file at the next ``flush``."""
        packed = encode_record(record)
        self._journal.append((record.at_ms, subject_of(record), packed))
        self._statements += statements_for(record)
        self.leaves.append(packed)

    def keep_key(self, kept: KeepKey) -> None:
        """Store a wrapped content key."""
        sql = "INSERT INTO issuance_key (issuance_id, key_day, wrapped_key) VALUES (?, ?, ?)"
        self._statements.append((sql, (kept.issuance_id, kept.key_day, kept.wrapped_key)))

    def drop_key(self, dropped: DropKey) -> None:
        """Delete a wrapped content key (overwritten in place: ``secure_delete``)."""
        sql = "DELETE FROM issuance_key WHERE issuance_id = ?"
        self._statements.append((sql, (dropped.issuance_id,)))

    async def flush(self) -> None:
        """Hand what was written so far to the database."""
        sql = "INSERT INTO journal (at_ms, subject, record) VALUES (?, ?, ?)"
        if self._journal:
            await self._writer.executemany(sql, self._journal)
            self._journal = []
        for statement, group in _grouped(self._statements):
            await self._writer.executemany(statement, group)
        self._statements = []

    async def facts(self, needs: Needs, real_ms: int) -> Facts:
        """Read what an input needs, as of this very transaction.

        Args:
            needs: what to read.
            real_ms: the register's age is counted from this.
        """
        await self.flush()
        resident_id = needs.resident_id
        card = None
        if needs.card_ref is not None or needs.certificate_serial is not None:
            card = await card_facts(self._writer, needs.card_ref, needs.certificate_serial)
            resident_id = resident_id or (card.resident_id if card else None)
        holder = (
            None
            if resident_id is None
            else await register_copy.holder_facts(self._writer, resident_id, real_ms)
        )
        next_serial = 1
        if needs.serial_day is not None:
            sql = "SELECT next_serial FROM number_serial WHERE day = ?"
            row = await _one(self._writer, sql, (needs.serial_day,))
            next_serial = row[0] if row else 1
        ended = None if needs.issuance_id is None else await self._ended(needs.issuance_id)
        place = None if needs.terminal is None else await self._place(needs.terminal)
        return Facts(
            holder=holder,
            next_serial=next_serial,
            ended=ended,
            resident_id=resident_id,
            place=place,
            card=card,
        )

    async def _place(self, terminal: str) -> TerminalPlace | None:
        sql = "SELECT class, chain, in_city FROM terminal WHERE terminal = ?"
        row = await _one(self._writer, sql, (terminal,))
        if row is None:
            return None
        return TerminalPlace(
            terminal=terminal,
            terminal_class=TerminalClass(row[0]),
            chain=row[1],
            in_city=bool(row[2]),
        )

    async def _ended(self, issuance_id: bytes) -> EndedIssuance | None:
        sql = "SELECT terminal, state, code FROM issuance WHERE issuance_id = ?"
        row = await _one(self._writer, sql, (issuance_id,))
        if row is None:
            return None
        code = None if row[2] is None else ReplyCode(row[2])
        return EndedIssuance(terminal=row[0], state=IssuanceState(row[1]), code=code)


def _grouped(statements: Iterable[Statement]) -> Iterable[tuple[str, list[tuple[object, ...]]]]:
    """Join neighbours with the same text, so that the thread is crossed less often."""
    group: list[tuple[object, ...]] = []
    text = ""
    for sql, values in statements:
        if sql != text and group:
            yield text, group
            group = []
        text = sql
        group.append(values)
    if group:
        yield text, group


def _by_terminal(
    rows: Iterable[tuple[Any, ...]],
) -> Iterable[tuple[tuple[str, bytes], list[tuple[Any, ...]]]]:
    """Join neighbours with the same terminal and line."""
    for key, group in itertools.groupby(rows, key=lambda row: (row[0], row[1])):
        yield key, list(group)


async def _one(
    connection: aiosqlite.Connection, sql: str, values: tuple[object, ...]
) -> tuple[Any, ...] | None:
    async with connection.execute(sql, values) as cursor:
        row = await cursor.fetchone()
    return None if row is None else tuple(row)


@contextlib.asynccontextmanager
async def _undone_on_error(writer: aiosqlite.Connection) -> AsyncIterator[None]:
    """Take back a transaction that did not come to its end, so that the next one can begin."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error, ValueError):  # none is open, or the file is closed
            await writer.execute("ROLLBACK")
        raise


async def _connect(
    path: Path, pragmas: Iterable[str], opened: contextlib.AsyncExitStack
) -> aiosqlite.Connection:
    connection = await opened.enter_async_context(aiosqlite.connect(path, isolation_level=None))
    for pragma in pragmas:
        await connection.execute(pragma)
    return connection
