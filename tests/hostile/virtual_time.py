"""An event loop whose time jumps: hours pass in no time, and a run is the same whenever it is run.

Work that others give to threads is done on the spot, so nothing outside the loop can be slow.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import aiosqlite.core
import pytest

_T = TypeVar("_T")
_MS_PER_S = 1_000


class Stalled(AssertionError):
    """Everybody waits and nothing will ever come."""


class _Jump(selectors.DefaultSelector):
    """Waits for nothing: the time that would be waited has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, the time is over."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Stalled
        self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; its time begins at 0."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jump.now_s

    @property
    def now_ms(self) -> int:
        """The virtual time in milliseconds."""
        return round(self._jump.now_s * _MS_PER_S)

    def run_in_executor(  # type: ignore[override]  # a future of this loop is enough for asyncio
        self, executor: object, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """Do the work here and now."""
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whoever waits for it gets it
            future.set_exception(error)
        return future


class _OnTheSpot:
    """Stands for the queue to SQLite's thread: what is put in is done at once."""

    def put_nowait(self, work: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """Do it, and give the outcome to whoever waits."""
        future, function = work
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001  # as the thread does
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _NoThread:
    """Stands for SQLite's thread."""

    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        """There is nothing to start."""


@contextmanager
def sqlite_on_the_spot() -> Iterator[None]:
    """Let databases be asked without threads while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiosqlite.core, "SimpleQueue", _OnTheSpot)
        patch.setattr(aiosqlite.core, "Thread", _NoThread)
        yield


def run(work: Callable[[VirtualLoop], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine to its end in virtual time."""
    with sqlite_on_the_spot():
        loop = VirtualLoop()
        try:
            return loop.run_until_complete(work(loop))
        finally:
            loop.run_until_complete(_end_others())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
