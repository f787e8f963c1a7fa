"""What takes a database or a memory apart overlooks nothing."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.leaks.canaries import Canary, Scanner
from tests.leaks.database_pages import rows_outside, without_tables
from tests.leaks.process_memory import memory_of

WORD = "KANARIENVOGEL-ZWITSCHERLING"
SCANNER = Scanner([Canary(name="word", text=WORD)])
LONG = WORD + "x" * 20_000 + WORD
"""Fills pages of its own behind the table's."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for the copy."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database with a register and a journal, in which the register alone holds the word."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE register (id TEXT PRIMARY KEY, record TEXT)")
        connection.execute("CREATE TABLE journal (id INTEGER PRIMARY KEY, record TEXT)")
        connection.execute("INSERT INTO register VALUES (?, ?)", (WORD, LONG))
        yield connection


def found(folder: Path, place: Path) -> dict[str, bool]:
    """Tell in which files the word is found outside of the register's pages."""
    kept = without_tables(folder / "a.db", {"register"}, place)
    return {name: SCANNER.scan(content) != [] for name, content in kept.items()}


def test_the_register_is_left_out_in_file_and_log(
    database: sqlite3.Connection, tmp_path: Path, place: Path
) -> None:
    """Its rows, its index and what overflows its pages are not looked at, on either side."""
    assert {"a.db": False, "a.db-shm": False, "a.db-wal": False} == found(tmp_path, place)
    assert b"ZWITSCHERLING" in (tmp_path / "a.db-wal").read_bytes()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (place / "a.db-wal").unlink(missing_ok=True)
    assert not any(found(tmp_path, place).values())
    assert b"ZWITSCHERLING" in (tmp_path / "a.db").read_bytes()


@pytest.mark.parametrize("record", [WORD, LONG])
def test_another_table_is_looked_at(
    database: sqlite3.Connection, tmp_path: Path, place: Path, record: str
) -> None:
    """A word in the journal is found in the log, in the file, and in the rows."""
    database.execute("INSERT INTO journal (record) VALUES (?)", (record,))
    assert found(tmp_path, place)["a.db-wal"]
    assert [] != SCANNER.scan(rows_outside(tmp_path / "a.db", {"register"})["journal"])
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (place / "a.db-wal").unlink(missing_ok=True)
    assert found(tmp_path, place)["a.db"]


def test_what_was_deleted_and_not_overwritten_is_looked_at(
    database: sqlite3.Connection, tmp_path: Path, place: Path
) -> None:
    """Rows are gone and their freed pages are nobody's: the word is still there, and found."""
    database.execute("PRAGMA secure_delete = OFF")
    database.execute("DELETE FROM register")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert found(tmp_path, place)["a.db"]


def test_memory_is_read() -> None:
    """A word that this process holds is found in its memory."""
    held = os.urandom(24)
    scanner = Scanner([Canary(name="held", octets=held)])

    assert any(scanner.scan(region, layers_max=0) for region in memory_of(os.getpid()))
