"""Whose a page of a SQLite file is, so that some tables can be left out of what is looked at.

A page belongs to a table or to one of its indices; a page of nobody (freed, or between the two) is
always looked at. In a write-ahead log a page belongs to whom it belongs to now.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_PAGE_NUMBER_BYTES = 4


def without_tables(database: Path, left_out: set[str], scratch: Path) -> dict[str, bytes]:
    """Return the bytes of a database and its companions, with the pages of some tables blanked.

    Args:
        database: the file; nobody writes to it meanwhile.
        left_out: tables whose pages, and whose indices' pages, are not to be looked at.
        scratch: a folder for a copy, so that opening it changes nothing.
    """
    files = {path.name: path.read_bytes() for path in database.parent.glob(f"{database.name}*")}
    for name in files:
        shutil.copy(database.parent / name, scratch / name)
    with closing(sqlite3.connect(scratch / database.name)) as connection:
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        blank = _pages_of(connection, left_out)
    kept = dict(files)
    kept[database.name] = _blanked(files[database.name], page_bytes, blank)
    log = f"{database.name}-wal"
    if log in files:
        kept[log] = _log_blanked(files[log], page_bytes, blank)
    return kept


def rows_outside(database: Path, left_out: set[str]) -> dict[str, bytes]:
    """Return every value of every row of all other tables, by table."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if name not in left_out
        ]
        return {
            table: b"\0".join(
                value if isinstance(value, bytes) else str(value).encode()
                for row in connection.execute(f'SELECT * FROM "{table}"')
                for value in row
            )
            for table in tables
        }


def _pages_of(connection: sqlite3.Connection, tables: set[str]) -> set[int]:
    return {
        page
        for table, page in connection.execute(
            "SELECT s.tbl_name, p.pageno FROM dbstat p JOIN sqlite_schema s USING (name)"
        )
        if table in tables
    }


def _blanked(content: bytes, page_bytes: int, blank: set[int]) -> bytes:
    made = bytearray(content)
    for page in blank:
        start = (page - 1) * page_bytes
        made[start : start + page_bytes] = bytes(len(made[start : start + page_bytes]))
    return bytes(made)


def _log_blanked(content: bytes, page_bytes: int, blank: set[int]) -> bytes:
    made = bytearray(content)
    frame_bytes = _FRAME_HEADER_BYTES + page_bytes
    for start in range(_WAL_HEADER_BYTES, len(made), frame_bytes):
        page = int.from_bytes(made[start : start + _PAGE_NUMBER_BYTES], "big")
        if page in blank:
            inside = slice(start + _FRAME_HEADER_BYTES, start + frame_bytes)
            made[inside] = bytes(len(made[inside]))
    return bytes(made)
