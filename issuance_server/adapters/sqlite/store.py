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

from issuance_server.adapters.sqlite import (
    day_reading,
    domicile_reading,
    issuing_projections,
    register_copy,
)
from issuance_server.adapters.sqlite.audit_proofs import AuditProofs
from issuance_server.adapters.sqlite.domicile_erasing import forget_applicants
from issuance_server.adapters.sqlite.outbox import Outbox
from issuance_server.adapters.sqlite.register_reading import STATE_SQL, state_of
from issuance_server.adapters.sqlite.register_stage import (
    attached_extract,
    remove_left,
)
from issuance_server.adapters.sqlite.schema import (
    BUSY_TIMEOUT_PRAGMA,
    READER_PRAGMAS,
    REQUIRED_SQLITE_VERSION,
    SCHEMA_VERSION,
    WRITER_PRAGMAS,
)
from issuance_server.adapters.sqlite.tables_projections import (
    LATEST_SQL,
    loaded_tables,
)
from issuance_server.adapters.sqlite.transaction import Transaction, one_row
from issuance_server.certificates.source import CertificateSource
from issuance_server.core.audit_tree import AuditTree, leaf_hash
from issuance_server.core.freshness import CopyState
from issuance_server.core.line_table import RegisteredTerminal
from issuance_server.core.records import AnyRecord, decode_record
from issuance_server.core.register import Household
from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.ports import ShownCheckpoint, Sign
from protocol.checkpoint import checkpoint_statement
from protocol.errors import JournalFailed, SetUpError
from protocol.kinds import Kind


class SqliteStore:
    """Journal, register and keys of one city. One per process; the file is locked by the caller."""

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._tree = AuditTree()
        self._unsigned: list[bytes] = []  # the hashes of the leaves since the last checkpoint
        self._proofs = AuditProofs(self._read)
        self._writing = asyncio.Lock()  # what the writer does may not fall into a transaction
        self.outbox = Outbox(self)

    @classmethod
    async def open(cls, path: Path) -> "SqliteStore":
        """Open an existing database.

        Raises:
            SetUpError: there is none, it is another version's or damaged, or SQLite is too old.
        """
        if sqlite3.sqlite_version_info < REQUIRED_SQLITE_VERSION:
            raise SetUpError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or newer is needed")
        if not await asyncio.to_thread(path.exists):
            raise SetUpError(f"there is no database at {path}; make one: issuance-server init")
        async with contextlib.AsyncExitStack() as opened:
            try:
                writer = await _connect(path, WRITER_PRAGMAS, opened)
                reader = await _connect(path, READER_PRAGMAS, opened)
                await _check_whole(path, reader)
                await asyncio.to_thread(remove_left, path)
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
    async def transaction(self, attached: str | None = None) -> AsyncIterator["Transaction"]:
        """Run one transaction; it is on the disk when the block is left, or nothing of it is.

        Args:
            attached: a staged extract for it; its file is removed afterwards.

        Raises:
            JournalFailed: it could not be written.
        """
        async with (
            self._writing,
            attached_extract(self._writer, attached),
            _undone_on_error(self._writer),
        ):
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
                self._unsigned += map(leaf_hash, transaction.leaves)
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

    async def issuing_stopped(self) -> bool:
        """Tell whether nothing is issued in the whole city until two operators reopen it."""
        return await issuing_projections.issuing_stop(self._read) is not None

    async def declared_manifest(self) -> dict[str, str] | None:
        """Return what the city's node has to be; None: nothing was ever declared."""
        return await issuing_projections.declared_manifest(self._read)

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

    async def some_cards(self, count: int) -> list[str]:
        """Return the references of some cards that are in use; none only if no card is."""
        sql = "SELECT card_ref FROM card WHERE withdrawn_at_ms IS NULL LIMIT ?"
        return [row[0] for row in await self._read(sql, (count,))]

    async def closed_through(self) -> str:
        """Return the last business day that is closed, ``YYYY-MM-DD``; empty: none is."""
        return await day_reading.closed_through(self._read)

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

    async def source_by_domicile(self, resident_id: str, kind: Kind) -> CertificateSource | None:
        """Return the same for a holder who lives elsewhere and stands in a family register here."""
        row = await self._read_one(domicile_reading.SOURCE_SQL, (kind.value, resident_id))
        return None if row is None else domicile_reading.source_by_domicile(row, resident_id)

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

    async def forget_applicants(self, before_ms: int) -> int:
        """Erase what was typed for requests that were decided before a time; return how many."""
        return await forget_applicants(self, before_ms)

    async def read(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Return rows of tables that are kept beside the journal."""
        return await self._read(sql, values)

    async def write_aside(self, sql: str, values: tuple[object, ...]) -> None:
        """Change such a table, in a transaction of its own.

        Raises:
            JournalFailed: it could not be written.
        """
        async with self._writing:
            await self._write(sql, values)

    async def copy_state(self) -> CopyState:
        """Return how the register copy stands."""
        return state_of((await self._read(STATE_SQL))[0])

    async def checkpoint(self) -> bool:
        """Empty the write-ahead log, so that what was deleted is off the disk.

        Returns:
            False if a reader was in the way; try again.
        """
        async with self._writing:
            # Who waits here for a reader keeps the journal waiting too; the caller tries again.
            await self._writer.execute("PRAGMA busy_timeout = 0")
            try:
                row = await one_row(self._writer, "PRAGMA wal_checkpoint(TRUNCATE)", ())
            except sqlite3.OperationalError:
                return False
            finally:
                await self._writer.execute(BUSY_TIMEOUT_PRAGMA)
        return row is not None and row[0] == 0

    async def sign_tree(self, *, city: str, at_ms: int, sign: Sign) -> None:
        """Store a signed checkpoint of the audit tree if it has grown since the last one."""
        async with self._writing:  # two that ask at once sign it once
            size, root = self._tree.size, self._tree.root()
            if not self._unsigned:
                return
            signature = sign(checkpoint_statement(city=city, size=size, root=root, at_ms=at_ms))
            sql = (
                "INSERT INTO audit_checkpoint (size, root, at_ms, signature, leaves)"
                " VALUES (?, ?, ?, ?, ?)"
            )
            await self._write(sql, (size, root, at_ms, signature, b"".join(self._unsigned)))
            self._unsigned.clear()

    async def shown_checkpoint(self, witnessed: int) -> ShownCheckpoint | None:
        """Return the latest signed checkpoint, with the proof that it grew from a witness's."""
        return await self._proofs.shown(witnessed)

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
        version = await one_row(self._reader, "SELECT value FROM meta WHERE key = 'schema'", ())
        if version is None or version[0] != str(SCHEMA_VERSION):
            raise SetUpError(
                "the database is of another version of this program; use that one, or found the"
                " city anew: issuance-server init"
            )
        row = await one_row(self._reader, "SELECT size, frontier FROM audit_frontier", ())
        if row is not None:
            self._tree = AuditTree(row[0], row[1])
        sql = (
            "SELECT record FROM journal"
            " WHERE seq > (SELECT coalesce(max(size), 0) FROM audit_checkpoint) AND seq <= ?"
            " ORDER BY seq"
        )
        rows = await self._reader.execute_fetchall(sql, (self._tree.size,))
        self._unsigned = [leaf_hash(row[0]) for row in rows]


def _by_terminal(
    rows: Iterable[tuple[Any, ...]],
) -> Iterable[tuple[tuple[str, bytes], list[tuple[Any, ...]]]]:
    """Join neighbours with the same terminal and line."""
    for key, group in itertools.groupby(rows, key=lambda row: (row[0], row[1])):
        yield key, list(group)


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


async def _check_whole(path: Path, connection: aiosqlite.Connection) -> None:
    """Read the whole database once: a torn page may lie where nobody looks for days.

    Raises:
        SetUpError: it is damaged.
    """
    found = await connection.execute_fetchall("PRAGMA quick_check(1)")
    if [row[0] for row in found] != ["ok"]:
        raise SetUpError(
            f"the database at {path} is damaged; keep it as it is for whoever looks into it, and"
            " put the city back: issuance-server restore"
        )
