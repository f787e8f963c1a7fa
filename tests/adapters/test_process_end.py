"""Waiting for a process's end: bounded, and never at the cost of a cancellation."""

import asyncio
import signal

import pytest

from issuance_server.adapters import process_end
from issuance_server.adapters.process_end import exit_status_of

WAIT_MS = 10_000
TURNS_MAX = 5  # of the event loop, from a process's end to the one who waits for it


class Held(asyncio.subprocess.Process):
    """Stands for a process, and ends when the test says so."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.kills = 0

    async def wait(self) -> int:
        await self.ended.wait()
        return 3

    def kill(self) -> None:
        self.kills += 1


class EndsWhenKilled(Held):
    """Ends between the time-out and the kill."""

    def kill(self) -> None:
        self.ended.set()
        raise ProcessLookupError


@pytest.mark.parametrize("turns", range(TURNS_MAX))
async def test_cancellation_in_the_turn_of_the_end_is_not_lost(turns: int) -> None:
    """However close to the process's end it comes, an accepted cancellation takes effect."""
    process = Held()
    waiting = asyncio.create_task(exit_status_of(process, WAIT_MS))
    for _ in range(TURNS_MAX):
        await asyncio.sleep(0)
    process.ended.set()
    for _ in range(turns):
        await asyncio.sleep(0)

    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting
    else:
        assert 3 == await waiting
    assert 0 == process.kills


async def test_end_in_the_last_moment_is_its_own() -> None:
    """A process that ends just before it would be killed keeps its exit status."""
    assert 3 == await exit_status_of(EndsWhenKilled(), 0)


async def test_killed_process_is_not_waited_for_without_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that the kernel does not let go counts as killed."""
    monkeypatch.setattr(process_end, "KILL_WAIT_MS_MAX", 1)
    process = Held()

    assert -signal.SIGKILL == await exit_status_of(process, 1)
    assert 1 == process.kills
