"""A deterministic event loop: virtual time, an order drawn from a seed, nodes that die at once.

What it replaces of asyncio is the loop alone; tasks, futures, queues and locks are asyncio's own.

1. Time passes only when nobody has anything to do, and then jumps to the next timer. It is counted
   in whole microseconds.
2. Of the callbacks that are ready, the seed draws the next one (or, in some seeds, they run in the
   order in which they became ready, as asyncio promises inside of one process).
3. Every callback belongs to the node (process) whose context it carries, or to the world outside.
   A node that was killed runs nothing any more: no ``except``, no ``finally``, no destructor, for
   its tasks are kept until the world is over.
4. What production gives to a thread runs in one piece, some drawn time later.
"""

import asyncio
import contextvars
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

_T = TypeVar("_T")
US_PER_S = 1_000_000
US_PER_MS = 1_000
TASKS_LOOKED_THROUGH_EVERY = 256


class Killed(BaseException):
    """Raised by a double in the hand of a node that has died; nobody can catch it in earnest."""


class Stalled(Exception):
    """Nothing is left to do, and the world's own course has not ended."""


class Node:
    """One life of one process.

    Attributes:
        name: which process.
        alive: whether anything of it may still run.
        dies_in: how many more callbacks it runs; None: it lives on.
        on_death: called at the moment of its death.
    """

    __slots__ = ("alive", "dies_in", "name", "on_death")

    def __init__(self, name: str, on_death: Callable[["Node"], None] | None = None) -> None:
        self.name = name
        self.alive = True
        self.dies_in: int | None = None
        self.on_death = on_death

    def kill(self) -> None:
        """Let it be dead from this moment on; a second time changes nothing."""
        if self.alive:
            self.alive = False
            if self.on_death is not None:
                self.on_death(self)


NODE: contextvars.ContextVar[Node | None] = contextvars.ContextVar("node", default=None)


def present_node() -> Node:
    """Return the node whose code is running."""
    node = NODE.get()
    assert node is not None, "no node is running"
    return node


class _Handle:
    """What asyncio keeps of a callback to come."""

    __slots__ = ("args", "callback", "context", "dead", "when_us")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context, when_us: int
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.when_us = when_us
        self.dead = False

    def cancel(self) -> None:
        self.dead = True

    def cancelled(self) -> bool:
        return self.dead

    def when(self) -> float:
        return self.when_us / US_PER_S


class SimLoop(asyncio.AbstractEventLoop):
    """The loop.

    Attributes:
        now_us: microseconds since the world began.
        steps: callbacks that were run.
        errors: what nobody has caught in a node that lives, with the node's name.
        thread_us: draws how long a thread takes.
        threads_at_once: what is given to a thread is done within the call.
    """

    def __init__(self, dice: random.Random, *, shuffles: bool = True) -> None:
        self.now_us = 0
        self.steps = 0
        self.errors: list[tuple[str, BaseException | None, str]] = []
        self.thread_us: Callable[[], int] = lambda: 0
        self.threads_at_once = False
        self._outside = contextvars.copy_context()
        self._dice = dice.random
        self._shuffles = shuffles
        self._ready: list[_Handle] | deque[_Handle] = [] if shuffles else deque()
        self._timers: list[tuple[int, float, int, _Handle]] = []
        self._timers_made = 0
        self._kept: list[asyncio.Task[Any]] = []
        self._looked = TASKS_LOOKED_THROUGH_EVERY

    def run(self, course: Coroutine[Any, Any, _T]) -> _T:
        """Run the world's own course to its end, and everything beside it as long.

        Raises:
            Stalled: nothing can happen any more.
        """
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(course)
            while not task.done():
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(None)

    def spawn(self, node: Node, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        """Start something that belongs to a node."""
        context = contextvars.copy_context()
        context.run(NODE.set, node)
        return self.create_task(work, context=context)

    def _step(self) -> None:
        ready = self._ready
        if not ready:
            self._let_time_pass()
            return
        if self._shuffles:
            assert isinstance(ready, list)
            if len(ready) > 1:
                chosen = int(self._dice() * len(ready))
                ready[chosen], ready[-1] = ready[-1], ready[chosen]
            handle = ready.pop()
        else:
            assert isinstance(ready, deque)
            handle = ready.popleft()
        if handle.dead:
            return
        context = handle.context
        node = context.get(NODE)
        if node is not None:
            if not node.alive:
                return
            if node.dies_in is not None:
                node.dies_in -= 1
                if node.dies_in < 0:
                    node.kill()
                    return
        self.steps += 1
        context.run(handle.callback, *handle.args)

    def _let_time_pass(self) -> None:
        timers = self._timers
        while timers and timers[0][3].dead:
            heapq.heappop(timers)
        if not timers:
            raise Stalled
        self.now_us = timers[0][0]
        while timers and timers[0][0] <= self.now_us:
            handle = heapq.heappop(timers)[3]
            if not handle.dead:
                self._ready.append(handle)

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self.now_us / US_PER_S

    def call_soon(  # type: ignore[override]  # a handle of our own is enough for asyncio
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> _Handle:
        handle = _Handle(callback, args, context or contextvars.copy_context(), self.now_us)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,
    ) -> _Handle:
        return self.after_us(round(delay * US_PER_S), callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,
    ) -> _Handle:
        wait_us = round(when * US_PER_S) - self.now_us
        return self.after_us(wait_us, callback, *args, context=context)

    def after_us(
        self,
        wait_us: int,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,
    ) -> _Handle:
        """Call back after so many microseconds; of two at one moment the seed draws the first."""
        when_us = self.now_us + max(0, wait_us)
        handle = _Handle(callback, args, context or contextvars.copy_context(), when_us)
        self._timers_made += 1
        tie = self._dice() if self._shuffles else 0.0
        heapq.heappush(self._timers, (when_us, tie, self._timers_made, handle))
        return handle

    def outside_us(self, wait_us: int, callback: Callable[..., Any], *args: Any) -> _Handle:
        """Call back after a while on behalf of the world, whoever asks for it and dies."""
        return self.after_us(wait_us, callback, *args, context=self._outside)

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, _T], *, name: Any = None, context: Context | None = None
    ) -> "asyncio.Task[_T]":
        task = asyncio.Task(coro, loop=self, context=context)
        self._kept.append(task)
        if len(self._kept) >= self._looked:
            self._kept = [one for one in self._kept if not one.done()]
            self._looked = len(self._kept) + TASKS_LOOKED_THROUGH_EVERY
        return task

    def tasks_left(self) -> list["asyncio.Task[Any]"]:
        """Return all tasks that have not ended, of the living and of the dead."""
        return [one for one in self._kept if not one.done()]

    def run_in_executor(  # type: ignore[override]  # a future of this loop is enough for asyncio
        self, executor: object, func: Callable[..., _T], *args: Any
    ) -> "asyncio.Future[_T]":
        """Do the work in one piece, some drawn time later."""
        future: asyncio.Future[_T] = self.create_future()
        if self.threads_at_once:
            future.set_result(func(*args))
            return future

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except Killed:
                return
            except Exception as error:  # noqa: BLE001  # whoever waits for it gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        self.after_us(self.thread_us(), work)
        return future

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Remember what nobody caught."""
        error = context.get("exception")
        if isinstance(error, Killed):
            return
        node = NODE.get()
        if node is None or node.alive:
            name = "the world" if node is None else node.name
            self.errors.append((name, error, str(context.get("message", ""))))


def present_loop() -> SimLoop:
    """Return the loop that is running."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    return loop


def pause_us(wait_us: int) -> "asyncio.Future[None]":
    """Return what is done after so many microseconds; cheaper than ``asyncio.sleep``."""
    loop = present_loop()
    future: asyncio.Future[None] = loop.create_future()
    loop.after_us(wait_us, _done, future)
    return future


def _done(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def bury(tasks: list["asyncio.Task[Any]"]) -> None:
    """Close what was never finished, once nothing that it does can be seen by anybody.

    Whatever a block does on its way out changes doubles that nobody looks at any more.
    """
    for task in tasks:
        if task.done():
            continue
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        work = task.get_coro()
        for _ in range(16):
            try:
                work.close()
            except BaseException:  # noqa: BLE001  # it wanted to wait on its way out
                continue
            break
