"""A database of which a page was torn is not served from."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from issuance_server.adapters.sqlite.store import SqliteStore
from protocol.errors import SetUpError


@pytest.mark.parametrize("table", ["household", "closed_day"])
def test_torn_page_is_found_at_the_start(city_path: Path, table: str) -> None:
    """Also one that no query of a start would touch."""
    whole = city_path.read_bytes()
    with closing(sqlite3.connect(city_path)) as connection:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = connection.execute(sql, (table,)).fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    at = (page - 1) * page_bytes
    city_path.write_bytes(whole[:at] + b"\xa5" * page_bytes + whole[at + page_bytes :])

    with pytest.raises(SetUpError, match="issuance-server restore"):
        asyncio.run(SqliteStore.open(city_path))
