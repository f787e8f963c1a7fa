"""A supervised child: asked, killed, started again, and gone when its parent is."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from issuance_server.adapters import child_process, frames
from issuance_server.adapters.child_process import Child
from protocol.errors import AdapterError, Misuse

pytestmark = pytest.mark.processes

MODULE = "tests.adapters.child_for_tests"
WAIT_MS = 10_000


class Restarts:
    """Keeps the exit statuses, and lets a test wait for one."""

    def __init__(self) -> None:
        self.statuses: asyncio.Queue[int] = asyncio.Queue()

    async def next(self) -> int:
        return await asyncio.wait_for(self.statuses.get(), WAIT_MS / 1000)


@pytest.fixture
def restarts() -> Restarts:
    return Restarts()


@pytest.fixture
async def child(restarts: Restarts) -> AsyncIterator[Child]:
    started = Child(module=MODULE, on_restart=restarts.statuses.put_nowait)
    await started.start()
    yield started
    await started.stop()


async def pid(child: Child) -> int:
    return int(await child.ask(b"pid", WAIT_MS))


def kill_while_the_loop_stands(number: int) -> None:
    """Kill a child and block until it is dead: nothing of it reaches the event loop meanwhile."""
    os.kill(number, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # asyncio's thread took its exit status before us
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)


async def turns_until(holds: Callable[[], bool]) -> None:
    """Let the event loop go on turn by turn, and stop in the very one in which it holds."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not holds():  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0)


def assert_gone(number: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


async def test_answers_come_to_who_asked(child: Child) -> None:
    """Many asks at once each get their own answer, also behind one that takes for ever."""
    slow = asyncio.create_task(child.ask(b"wait for ever", WAIT_MS))
    texts = [b"%d" % number for number in range(200)]
    answers = await asyncio.gather(*(child.ask(b"echo:" + text, WAIT_MS) for text in texts))

    assert texts == answers
    assert not slow.done()
    slow.cancel()


async def test_large_bodies_pass(child: Child) -> None:
    """A body just under the bound comes back whole."""
    body = os.urandom(frames.FRAME_BYTES_MAX - 100)

    assert body == await child.ask(b"echo:" + body, WAIT_MS)


async def test_refusal_keeps_its_sentence(child: Child) -> None:
    """An error that the child may tell arrives as an AdapterError with its text."""
    with pytest.raises(AdapterError, match="not today"):
        await child.ask(b"refuse", WAIT_MS)


async def test_slow_answer_ends_the_ask_only(child: Child) -> None:
    """After a time-out the child goes on answering others."""
    with pytest.raises(AdapterError, match="did not answer in 1 ms"):
        await child.ask(b"wait for ever", 1)

    assert await child.ask(b"echo:still here", WAIT_MS) == b"still here"


async def test_too_many_asks_are_refused(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound an ask fails at once instead of waiting in a queue without end."""
    monkeypatch.setattr(child_process, "ASKS_MAX", 1)
    slow = asyncio.create_task(child.ask(b"wait for ever", WAIT_MS))
    await asyncio.sleep(0)
    with pytest.raises(AdapterError, match="busy"):
        await child.ask(b"echo:", WAIT_MS)
    slow.cancel()


async def test_killed_child_comes_back(child: Child, restarts: Restarts) -> None:
    """A kill -9 fails what is under way, a new child answers, and its coming is told."""
    first = await pid(child)
    slow = asyncio.create_task(child.ask(b"wait for ever", WAIT_MS))
    await asyncio.sleep(0)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(AdapterError, match="ended"):
        await slow

    assert await restarts.next() == -signal.SIGKILL
    assert first != await pid(child)


async def test_no_answer_between_two_lives(child: Child, restarts: Restarts) -> None:
    """While the child is being restarted, an ask fails at once."""
    os.kill(await pid(child), signal.SIGKILL)
    with pytest.raises(AdapterError, match="ended"):
        await child.ask(b"wait for ever", WAIT_MS)
    with pytest.raises(AdapterError, match="not running"):
        await child.ask(b"echo:", WAIT_MS)
    await restarts.next()


async def test_write_to_a_dead_child_is_its_end(child: Child, restarts: Restarts) -> None:
    """An ask that finds the child dead before its supervisor does is the last one to be sent."""
    kill_while_the_loop_stands(await pid(child))
    with pytest.raises(AdapterError, match="ended"):
        await child.ask(b"wait for ever", WAIT_MS)
    with pytest.raises(AdapterError, match="not running"):
        await child.ask(b"echo:", WAIT_MS)

    assert await restarts.next() == -signal.SIGKILL
    assert await child.ask(b"echo:sound", WAIT_MS) == b"sound"


async def test_listener_that_fails_does_not_end_the_supervision() -> None:
    """What goes wrong in telling of one restart does not prevent the next one."""
    restarts = Restarts()

    def tell(exit_status: int) -> None:
        restarts.statuses.put_nowait(exit_status)
        raise ZeroDivisionError

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: told.append(what))
    child = Child(module=MODULE, on_restart=tell)
    await child.start()
    for _ in range(2):
        os.kill(await pid(child), signal.SIGKILL)
        await restarts.next()
    assert await child.ask(b"echo:sound", WAIT_MS) == b"sound"
    await child.stop()

    assert 2 == len(told)


async def test_bug_in_the_child_starts_it_afresh(child: Child, restarts: Restarts) -> None:
    """An unexpected exception ends the child, and the next one is sound."""
    with pytest.raises(AdapterError, match="ended"):
        await child.ask(b"bug", WAIT_MS)

    assert await restarts.next() == 1
    assert await child.ask(b"echo:sound", WAIT_MS) == b"sound"


async def test_frames_that_are_too_long(child: Child, restarts: Restarts) -> None:
    """Neither side sends a frame beyond the bound; a child that announces one is replaced."""
    with pytest.raises(AdapterError, match="too long"):
        await child.ask(bytes(frames.FRAME_BYTES_MAX), WAIT_MS)
    with pytest.raises(AdapterError, match="too long"):
        await child.ask(b"long answer", WAIT_MS)
    with pytest.raises(AdapterError, match="ended"):
        await child.ask(b"announce too much", WAIT_MS)

    await restarts.next()
    assert await child.ask(b"echo:sound", WAIT_MS) == b"sound"


async def test_child_inherits_one_socket_only(child: Child) -> None:
    """Whatever else the parent holds open stays with the parent."""
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    other = Child(module=MODULE)
    await other.start()

    assert await child.ask(b"open files", WAIT_MS) == await other.ask(b"open files", WAIT_MS)
    await other.stop()
    os.close(read_end)
    os.close(write_end)


async def test_stop_ends_the_child(child: Child) -> None:
    """After stop there is no process and no answer, and stopping twice is harmless."""
    number = await pid(child)
    await child.stop()
    await child.stop()

    assert_gone(number)
    with pytest.raises(AdapterError, match="not running"):
        await child.ask(b"pid", WAIT_MS)


async def test_stop_kills_a_child_that_hung_up_but_lives(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop while the supervisor waits for such a child's end does not lose the process."""
    monkeypatch.setattr(child_process, "DEATH_WAIT_MS_MAX", 10 * WAIT_MS)
    monkeypatch.setattr(child_process, "STOP_WAIT_MS_MAX", 1)
    number = await pid(child)
    with pytest.raises(AdapterError, match="ended"):
        await child.ask(b"hang up", WAIT_MS)
    await child.stop()

    assert_gone(number)


@pytest.mark.parametrize("turns", range(10))
async def test_stop_beside_the_end_of_the_child(child: Child, turns: int) -> None:
    """In whatever turn of the event loop it comes after a death, stop returns, and for good."""
    kill_while_the_loop_stands(await pid(child))
    await turns_until(lambda: not child.running.is_set())
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(WAIT_MS / 1000):
        await child.stop()

    assert (None, False) == (child._process, child.running.is_set())


async def test_stop_does_without_cancellation(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor whose cancellation gets lost in a library starts no successor."""
    waits: asyncio.Queue[int] = asyncio.Queue()

    async def loses_cancellation(process: asyncio.subprocess.Process, wait_ms: int) -> int:
        waits.put_nowait(wait_ms)
        if waits.qsize() == 1:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return await process.wait()

    monkeypatch.setattr(child_process, "exit_status_of", loses_cancellation)
    os.kill(await pid(child), signal.SIGKILL)
    await turns_until(lambda: not waits.empty())
    supervisor = child._supervisor
    async with asyncio.timeout(WAIT_MS / 1000):
        await child.stop()

    assert supervisor is not None
    assert supervisor.done()
    assert child._process is None


async def test_stop_does_without_its_supervisor(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor that does not leave off at all is not waited for longer than the bound."""
    monkeypatch.setattr(child_process, "SUPERVISOR_WAIT_MS_MAX", 1)
    free = asyncio.Event()
    waits: asyncio.Queue[int] = asyncio.Queue()

    async def stays(process: asyncio.subprocess.Process, wait_ms: int) -> int:
        waits.put_nowait(wait_ms)
        while waits.qsize() == 1 and not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()
        return await process.wait()

    monkeypatch.setattr(child_process, "exit_status_of", stays)
    number = await pid(child)
    os.kill(number, signal.SIGKILL)
    await turns_until(lambda: not waits.empty())
    async with asyncio.timeout(WAIT_MS / 1000):
        await child.stop()
    free.set()

    assert_gone(number)


@pytest.mark.parametrize("process_there", [False, True])
async def test_stop_during_the_start(process_there: bool) -> None:
    """The start fails, and leaves no process behind that nobody would end."""
    child = Child(module=MODULE)
    starting = asyncio.create_task(child.start())
    await asyncio.sleep(0)
    if process_there:
        await turns_until(lambda: child._process is not None)
    await child.stop()
    with pytest.raises(AdapterError, match="did not start"):
        await starting

    assert child._process is None
    with pytest.raises(AdapterError, match="not running"):
        await child.ask(b"pid", WAIT_MS)


async def test_cancelled_start_leaves_no_process() -> None:
    """Whoever gives up waiting for a start has nothing to stop."""
    child = Child(module=MODULE)
    starting = asyncio.create_task(child.start())
    await turns_until(lambda: child._process is not None)
    assert child._process is not None
    number = child._process.pid
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert_gone(number)


async def test_child_that_is_full_refuses_and_still_sees_the_end() -> None:
    """Requests that never end keep the child neither from saying so nor from ending in order."""
    child = Child(module=MODULE, arguments=["--under-way-max", "1"])
    await child.start()
    slow = asyncio.create_task(child.ask(b"wait for ever", WAIT_MS))
    await asyncio.sleep(0)
    with pytest.raises(AdapterError, match="busy with 1 requests"):
        await child.ask(b"echo:", WAIT_MS)
    process = child._process
    await child.stop()

    assert process is not None
    assert 0 == process.returncode
    with pytest.raises(AdapterError, match="ended"):
        await slow


async def test_start_fails_plainly() -> None:
    """A child that dies at once makes start fail with its exit status; it is not started again."""
    with pytest.raises(AdapterError, match="exit status 7"):
        await Child(module=MODULE, arguments=["--die-at-start"]).start()


async def test_second_start_is_misuse(child: Child) -> None:
    """Starting twice would lose the first child."""
    with pytest.raises(Misuse):
        await child.start()


def test_child_ends_with_its_parent() -> None:
    """When the parent is killed, the child ends: standard output, held by both, is closed."""
    program = (
        "import asyncio\n"
        "from issuance_server.adapters.child_process import Child\n"
        "async def main():\n"
        f"    child = Child(module={MODULE!r})\n"
        "    await child.start()\n"
        "    print('up', flush=True)\n"
        "    await child.ask(b'wait for ever', 60_000)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        parent.kill()

        assert parent.stdout.read() == b""
