"""An event loop whose time passes only when nobody has anything to do, and in which nothing waits.

Whole servers and terminals run in it the same way every time: timers fire in order at the
microsecond they asked for, what would go to a thread is done at once, and so is every statement of
a database. What such a loop cannot show is how long a processor takes.
"""

import asyncio
import math
import selectors
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import aiosqlite
import pytest

_US_PER_S = 1_000_000
_ROWS_AT_ONCE = 64
_T = TypeVar("_T")


class Stalled(Exception):
    """Everybody waits for something that nobody will do."""


class _Jump(selectors.SelectSelector):
    """Waits for nothing: the time that a loop would sleep has passed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stalled
        self.now_us += max(0, math.ceil(timeout * _US_PER_S))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; its time begins at 0."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    @property
    def now_us(self) -> int:
        """Microseconds since the loop was made."""
        return self._jump.now_us

    def time(self) -> float:
        return self._jump.now_us / _US_PER_S

    def run_in_executor(  # type: ignore[override]  # the answer is there already
        self, executor: Any, func: Callable[..., _T], *args: Any
    ) -> "asyncio.Future[_T]":
        done: asyncio.Future[_T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits for the answer
            done.set_exception(error)
        return done


def run_virtually(main: Coroutine[Any, Any, _T]) -> _T:
    """Run to the end in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now_us() -> int:
    """Return the time of the running virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.now_us


class _AtOnce(aiosqlite.Connection):
    """A connection without a thread: every statement is done when it is asked for."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    async def _connect(self) -> aiosqlite.Connection:
        self._connection = self._connection or self._connector()
        return self

    def __await__(self) -> Any:
        return self._connect().__await__()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def connect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every database that is opened from now on answer within the call."""

    def connect(database: Any, **options: Any) -> _AtOnce:
        return _AtOnce(lambda: sqlite3.connect(database, **options), _ROWS_AT_ONCE)

    monkeypatch.setattr(aiosqlite, "connect", connect)
