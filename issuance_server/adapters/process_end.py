"""The end of a child process: waited for, hastened, and never waited for without a bound.

``asyncio.wait_for`` is not used here, nor by those who call this: until Python 3.12 it drops the
cancellation of a task when what it waits for is done in the same turn of the event loop. A
supervisor that is told to stop at the moment at which its child dies would then go on for ever.
"""

import asyncio
import contextlib
import signal

KILL_WAIT_MS_MAX = 5_000  # for a killed process to be gone; the kernel may hold it in a bad disk


async def exit_status_of(process: asyncio.subprocess.Process, wait_ms: int) -> int:
    """Wait for the end of ``process``, kill it if it takes too long, and return its exit status.

    Takes no longer than ``wait_ms`` and ``KILL_WAIT_MS_MAX``. A killed process that the kernel
    still holds then does nothing any more but vanish, so it counts as gone.

    Args:
        process: the child.
        wait_ms: how long it may take before it is killed.

    Returns:
        what it ended with; negative: the signal.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_ms / 1000):
            return await process.wait()
    with contextlib.suppress(ProcessLookupError):  # it ended by itself in the last moment
        process.kill()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILL_WAIT_MS_MAX / 1000):
            return await process.wait()
    return -signal.SIGKILL
