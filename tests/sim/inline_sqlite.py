"""SQLite without a thread, under ``aiosqlite``'s names: a statement is done when it is asked for.

Held against the real thing by ``test_stand_ins.py``. What it cannot show is another thread.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable
from typing import Any, Self

from tests.sim.loop import Killed


class Cursor:
    """What a statement gave."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    async def fetchone(self) -> Any:
        return self._cursor.fetchone()

    async def fetchall(self) -> Any:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


class _Given:
    """A statement's outcome, to be awaited or entered."""

    __slots__ = ("_before", "_cursor")

    def __init__(self, cursor: sqlite3.Cursor, before: Any = None) -> None:
        self._cursor = cursor
        self._before = before

    def __await__(self) -> Generator[Any, Any, Cursor]:
        if self._before is not None:
            yield from self._before.__await__()
        return Cursor(self._cursor)

    async def __aenter__(self) -> Cursor:
        return await self

    async def __aexit__(self, *_: object) -> None:
        self._cursor.close()


class InlineConnection:
    """A connection of one life of a process.

    Attributes:
        around_commit: awaited before (False) and after (True) every commit.
    """

    def __init__(self, connection: sqlite3.Connection, alive: Callable[[], bool]) -> None:
        self._connection = connection
        self._alive = alive
        self.around_commit: Callable[[bool], Any] | None = None

    def execute(self, sql: str, values: Iterable[Any] = ()) -> Any:
        if not self._alive():
            raise Killed
        if sql == "COMMIT" and self.around_commit is not None:
            return self._commit()
        return _Given(self._connection.execute(sql, values))  # type: ignore[arg-type]

    async def _commit(self) -> Cursor:
        assert self.around_commit is not None
        await self.around_commit(False)
        cursor = self._connection.execute("COMMIT")
        await self.around_commit(True)
        return Cursor(cursor)

    async def execute_fetchall(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        if not self._alive():
            raise Killed
        return self._connection.execute(sql, values).fetchall()  # type: ignore[arg-type]

    async def executemany(self, sql: str, rows: Iterable[Iterable[Any]]) -> Cursor:
        if not self._alive():
            raise Killed
        return Cursor(self._connection.executemany(sql, rows))  # type: ignore[arg-type]

    async def executescript(self, sql: str) -> Cursor:
        return Cursor(self._connection.executescript(sql))

    async def close(self) -> None:
        self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()

    def __await__(self) -> Generator[Any, Any, Self]:
        yield from ()
        return self
