"""The stores that can lie behind a world's server: SQLite, or the double in memory."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from issuance_server.adapters.sqlite.founding import found_city
from issuance_server.adapters.sqlite.store import SqliteStore
from tests.adapters.city_file import put_tables
from tests.core.made import START_REAL_MS
from tests.sim.city import City, TerminalIdentity
from tests.sim.inline_sqlite import InlineConnection
from tests.sim.store.disk import found_in_memory
from tests.sim.store.memory_store import MemoryStore

MEMORY_FOLDER = Path("/dev/shm")
"""Files in here cost no disk; where there is none, any folder will do."""


class SqliteLasting:
    """The shipped store, on files in memory, its statements done at once."""

    def __init__(self, city: City, terminals: tuple[TerminalIdentity, ...]) -> None:
        where = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="kofu-sim-", dir=where))
        self.path = self._folder / "city.db"
        found_city(
            self.path,
            households=city.residents.households,
            terminals=[one.entry for one in terminals],
            cards=[(one.card_ref, one.resident_id) for one in city.holders],
            at_ms=START_REAL_MS,
        )
        put_tables(self.path, city.tables)
        self._open: list[sqlite3.Connection] = []

    async def open(self) -> SqliteStore:
        """Open it for one life."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiosqlite, "connect", self._connect)
            return await SqliteStore.open(self.path)

    def lose(self) -> None:
        """Roll back what was not committed, and close."""
        for connection in self._open:
            connection.close()
        self._open = []

    def close(self) -> None:
        """Remove the files."""
        self.lose()
        shutil.rmtree(self._folder)

    def _connect(self, path: Path, **options: Any) -> InlineConnection:
        connection = sqlite3.connect(path, **options)
        self._open.append(connection)
        return InlineConnection(connection, lambda: connection in self._open)


class MemoryLasting:
    """The double in memory (``tests.sim.store``); ``test_store_double.py`` verifies it."""

    def __init__(self, city: City, terminals: tuple[TerminalIdentity, ...]) -> None:
        self.disk = found_in_memory(
            households=city.residents.households,
            terminals=[one.entry for one in terminals],
            cards=[(one.card_ref, one.resident_id) for one in city.holders],
            at_ms=START_REAL_MS,
            tables_content=city.tables,
        )

    async def open(self) -> MemoryStore:
        """Open it for one life."""
        return MemoryStore(self.disk)

    def lose(self) -> None:
        """Lose what was not committed."""
        self.disk.crash()

    def close(self) -> None:
        """Nothing lies anywhere."""


@contextmanager
def lasting(kind: str, city: City, terminals: tuple[TerminalIdentity, ...]) -> Iterator[Any]:
    """Give the store of a world while the block runs.

    Args:
        kind: ``memory`` or ``sqlite``.
        city: whose.
        terminals: on the list.
    """
    make = {"memory": MemoryLasting, "sqlite": SqliteLasting}[kind]
    with closing(make(city, terminals)) as store:
        yield store
