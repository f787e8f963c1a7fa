"""The journal (取引記録) of one terminal: records in SQLite, appended and never changed."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from protocol.codec import UNREADABLE
from protocol.errors import JournalFailed, SetUpError
from terminal_sim.core.records import AnyRecord

JOURNAL_FILE = "journal.sqlite"
LOCK_FILE = "terminal.lock"
STORAGE_FOLDER_MODE = 0o700

_FORMAT = "kofu-terminal-journal/1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS belongs_to (format TEXT NOT NULL, terminal TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, record TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS records_stay BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS records_last BEFORE DELETE ON records
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


@contextmanager
def locked_storage(storage: Path) -> Iterator[None]:
    """Be the only process that is this terminal, while the block runs.

    Args:
        storage: the terminal's folder; made, for its owner alone, if it is not there.

    Raises:
        SetUpError: another process is this terminal, or the folder cannot be used.
    """
    try:
        storage.mkdir(mode=STORAGE_FOLDER_MODE, parents=True, exist_ok=True)
        handle = os.open(storage / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetUpError(f"{storage} cannot be used: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetUpError(
                f"another process is this terminal ({storage}); wait until it is done"
            ) from None
        yield
    finally:
        os.close(handle)


class Journal:
    """The open journal. What ``append`` took is on the disk when it returns."""

    def __init__(self, path: Path, terminal: str) -> None:
        """Open the journal, or begin one.

        Args:
            path: the file.
            terminal: whose it is.

        Raises:
            SetUpError: it is another terminal's, or no journal.
        """
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_SCHEMA)
            self._belong(path, terminal)
        except sqlite3.Error:
            raise SetUpError(f"{path} is not a journal that can be used") from None

    def append(self, records: Sequence[AnyRecord]) -> None:
        """Write the records of one step, all or none.

        Raises:
            JournalFailed: the disk refuses; nothing of the step may leave.
        """
        rows = [(_encoder.encode(record).decode(),) for record in records]
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT INTO records (record) VALUES (?)", rows)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise JournalFailed("the terminal's journal cannot be written") from None

    def read(self) -> list[AnyRecord]:
        """Return all records, oldest first.

        Raises:
            SetUpError: a record cannot be read; it is never skipped.
        """
        rows = self._database.execute("SELECT number, record FROM records ORDER BY number")
        records = []
        for number, text in rows:
            try:
                records.append(_decoder.decode(text))
            except UNREADABLE:
                raise SetUpError(f"record {number} of the terminal's journal is damaged") from None
        return records

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _belong(self, path: Path, terminal: str) -> None:
        row = self._database.execute("SELECT format, terminal FROM belongs_to").fetchone()
        if row is None:
            self._database.execute("INSERT INTO belongs_to VALUES (?, ?)", (_FORMAT, terminal))
        elif row != (_FORMAT, terminal):
            self._database.close()
            raise SetUpError(f"{path} is the journal of terminal {row[1]}, format {row[0]}")
