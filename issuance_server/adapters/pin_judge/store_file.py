"""The judge's file: SQLite, opened by one process at a time, every commit on the disk.

WAL with ``synchronous=FULL`` flushes each commit. The lock lies beside the file, is held through a
descriptor that no child inherits, and goes with the process, however that dies.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Self, TypeAlias, final

import aiosqlite

from issuance_server.adapters.file_lock import LOCK_WAIT_MS_MAX, take_lock
from protocol.errors import SetUpError

APPLICATION_ID = 0x6B_66_50_4A
SCHEMA_VERSION = 4

Value: TypeAlias = int | str | bytes | None
Row: TypeAlias = tuple[Value, ...]

_FILE_MODE = 0o600

SCHEMA = """
CREATE TABLE identity (
    city TEXT NOT NULL
) STRICT;
CREATE TABLE card (
    card_ref TEXT PRIMARY KEY,      -- random; the only name of a card outside
    card_index BLOB NOT NULL UNIQUE,  -- HMAC of the card number, so a stolen store lists no cards
    public_key BLOB NOT NULL,
    salt BLOB NOT NULL,
    verifier BLOB NOT NULL,
    pepper TEXT NOT NULL,           -- key id of what index and verifier were made under
    tries_left INTEGER NOT NULL CHECK (tries_left BETWEEN 0 AND 3),
    tries_max INTEGER NOT NULL DEFAULT 3  -- after a restore one, until the counter clears the card
        CHECK (tries_max IN (1, 3)),
    locked_at_ms INTEGER,
    stage TEXT NOT NULL DEFAULT 'valid'  -- before that 'begun' and 'approved', in the end 'gone'
        CHECK (stage IN ('begun', 'approved', 'valid', 'gone')),
    begun_by TEXT,                  -- the operator who registered it
    subject TEXT                    -- what that operator signed, and a second one is to sign
) STRICT;
CREATE INDEX card_by_pepper ON card (pepper);
CREATE INDEX card_not_in_order ON card (card_ref) WHERE tries_left < 3;
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    visit_id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    request_digest BLOB NOT NULL,
    card_ref TEXT REFERENCES card (card_ref),
    outcome TEXT NOT NULL,          -- 'pending': counted, not yet answered
    forgiven INTEGER NOT NULL DEFAULT 0,  -- the terminal was unfrozen since
    at_ms INTEGER NOT NULL,
    signed_verdict BLOB,
    UNIQUE (terminal, visit_id, attempt),
    CHECK ((outcome = 'pending') = (signed_verdict IS NULL))
) STRICT;
CREATE UNIQUE INDEX attempt_one_pending ON attempt (card_ref) WHERE outcome = 'pending';
CREATE INDEX attempt_by_terminal ON attempt (terminal, at_ms)
    WHERE forgiven = 0 AND outcome IN ('pending', 'wrong', 'burned', 'forged');
CREATE INDEX attempt_by_time ON attempt (at_ms);
CREATE TABLE frozen_terminal (
    terminal TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE operator_act (
    nonce BLOB PRIMARY KEY,         -- an act is done once
    signed_act BLOB NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    card_ref TEXT,
    terminal TEXT,
    tries_left INTEGER,
    operator TEXT
) STRICT;
"""


@final
class StoreFile:
    """An open store; statements run only inside ``transaction``."""

    def __init__(self, lock: int, connection: aiosqlite.Connection) -> None:
        self._lock = lock
        self._connection = connection
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, *, lock_wait_ms: int = LOCK_WAIT_MS_MAX) -> Self:
        """Open the file, made with its tables if it is not there.

        Args:
            path: the database; its lock is ``PATH.lock``.
            lock_wait_ms: how long another process may still hold it.

        Raises:
            SetUpError: another process holds it, or it is damaged or no store of this version.
        """
        async with contextlib.AsyncExitStack() as undo:
            in_use = f"{path} is in use by another PIN judge; stop that server first"
            lock = await take_lock(path, wait_ms=lock_wait_ms, in_use=in_use)
            undo.callback(os.close, lock)
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))  # -wal takes after it
                connection = await aiosqlite.connect(path, isolation_level=None)
                undo.push_async_callback(connection.close)
                await _prepare(path, connection)
            except (OSError, sqlite3.Error) as error:
                raise SetUpError(f"{path} cannot be the PIN judge's store: {error}") from None
            undo.pop_all()
        return cls(lock, connection)

    async def close(self) -> None:
        """Close the file and let go of the lock."""
        async with self._turn:
            try:
                await self._connection.close()
            finally:
                os.close(self._lock)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator["Transaction"]:
        """Run the block's statements as one transaction, alone; on the disk when it ends.

        Whatever leaves the block by an exception undoes all of it.
        """
        async with self._turn:
            await self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self._connection)
                await self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.OperationalError):  # SQLite undid it already
                    await self._connection.execute("ROLLBACK")
                raise


@final
class Transaction:
    """The statements of one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def change(self, statement: str, *values: Value) -> int:
        """Run a statement and return how many rows it changed."""
        async with self._connection.execute(statement, values) as cursor:
            return cursor.rowcount

    async def insert_all(self, statement: str, rows: Iterable[Row]) -> None:
        """Run a statement once for each of the rows."""
        await self._connection.executemany(statement, rows)

    async def first(self, statement: str, *values: Value) -> Row | None:
        """Return the first row of a query."""
        async with self._connection.execute(statement, values) as cursor:
            row = await cursor.fetchone()
        return None if row is None else tuple(row)

    async def rows(self, statement: str, *values: Value) -> list[Row]:
        """Return all rows of a query; it has a LIMIT or few rows by its nature."""
        return [tuple(row) for row in await self._connection.execute_fetchall(statement, values)]


async def _prepare(path: Path, connection: aiosqlite.Connection) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
    ):
        await connection.execute(f"PRAGMA {pragma}")
    application_id = await _pragma(connection, "application_id")
    version = await _pragma(connection, "user_version")
    if (application_id, version) == (APPLICATION_ID, SCHEMA_VERSION):
        await _check_whole(path, connection)
        return
    tables = await connection.execute_fetchall("SELECT 1 FROM sqlite_schema LIMIT 1")
    if application_id or version or list(tables):
        raise SetUpError(f"{path} is not a PIN judge's store of this version")
    await connection.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA}"
        f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
    )


async def _check_whole(path: Path, connection: aiosqlite.Connection) -> None:
    """Read the whole store once: a torn page may hold tries that nobody asks for today."""
    found = await connection.execute_fetchall("PRAGMA quick_check(1)")
    if [row[0] for row in found] != ["ok"]:
        raise SetUpError(
            f"{path} is damaged; keep it as it is for whoever looks into it, and put the city"
            " back: issuance-server restore"
        )


async def _pragma(connection: aiosqlite.Connection, name: str) -> int:
    async with connection.execute(f"PRAGMA {name}") as cursor:
        row = await cursor.fetchone()
    return 0 if row is None else int(row[0])
