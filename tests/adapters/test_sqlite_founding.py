"""Founding a city: once, whole, with everything that a server needs to begin."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from issuance_server.adapters.sqlite.founding import found_city
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core.register import Household
from protocol.errors import SetUpError
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS, TERMINALS, CityFile, found
from tests.core.made import START_REAL_MS


async def test_founded_city_has_register_cards_and_terminals(city: CityFile) -> None:
    """What was given comes back: households whole, terminals with their keys."""
    listed = await city.store.terminals(START_REAL_MS)
    assert [
        (one.terminal, one.line_id, {one.fingerprint}, (one.report_key,)) for one in TERMINALS
    ] == [(one.terminal, one.line_id, one.fingerprints, one.report_keys) for one in listed]
    assert (0, 0) == await city.store.last_judge_report()
    assert (HOUSEHOLDS[0], 1) == await city.store.household_of(HOLDER_ID)
    assert await city.store.household_of("99999999") is None
    assert [(START_REAL_MS,)] == city.rows("SELECT watermark_ms FROM register_state")
    assert set() == await city.store.stopped_terminals()
    assert set() == await city.store.key_days()
    assert {} == city.state.issuances
    assert {} == city.state.visits


async def test_only_the_citys_account_may_read_it(tmp_path: Path) -> None:
    """The database and what SQLite puts beside it, wherever the folder lies."""
    store = await SqliteStore.open(found(tmp_path / "city.db"))
    modes = modes_in(tmp_path)
    await store.close()
    assert {"city.db": 0o600, "city.db-shm": 0o600, "city.db-wal": 0o600} == modes


def modes_in(folder: Path) -> dict[str, int]:
    """Return who may do what with each file of a folder."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def test_personal_data_lives_in_the_register_only(city_path: Path) -> None:
    """No other table holds a name or an address of anybody."""
    names = [m.name for household in HOUSEHOLDS for m in household.members]
    with closing(sqlite3.connect(city_path)) as connection:
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table'"
        tables = {row[0] for row in connection.execute(sql)}
        for table in tables - {"household", "resident", "register_record"}:
            text = repr(connection.execute(f"SELECT * FROM {table}").fetchall())
            assert not any(name in text for name in names), table
        packed = connection.execute("SELECT record FROM household").fetchall()
    assert [msgspec.msgpack.decode(row[0], type=Household) for row in packed] == list(HOUSEHOLDS)


def test_city_is_founded_once(city_path: Path) -> None:
    """An existing database is never overwritten."""
    before = city_path.read_bytes()
    with pytest.raises(SetUpError, match="founded once"):
        found(city_path)

    assert before == city_path.read_bytes()


async def test_founding_that_fails_leaves_no_tables(tmp_path: Path) -> None:
    """One transaction: a card twice, and there is nothing that a server would start on."""
    path = tmp_path / "city.db"
    with pytest.raises(sqlite3.IntegrityError):
        found_city(path, households=HOUSEHOLDS, terminals=(), cards=[("a", "b")] * 2, at_ms=0)
    with pytest.raises(SetUpError):
        await SqliteStore.open(path)
