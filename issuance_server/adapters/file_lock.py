"""One process per database: an advisory lock on a file beside it, gone with its process."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from protocol.errors import SetUpError

LOCK_WAIT_MS_MAX = 5_000
"""A predecessor that is about to end has let go by then."""
_LOOK_MS = 50


@asynccontextmanager
async def only_one(path: Path, *, wait_ms: int = LOCK_WAIT_MS_MAX) -> AsyncIterator[None]:
    """Hold a server's lock while the block runs.

    Args:
        path: the file that is protected; the lock lies beside it with ``.lock`` added.
        wait_ms: how long to wait for a predecessor that is just ending.

    Raises:
        SetUpError: another process holds it, or the folder cannot be written.
    """
    in_use = f"another server works on {path}; stop it first, or use its control socket"
    handle = await take_lock(path, wait_ms=wait_ms, in_use=in_use)
    try:
        yield
    finally:
        os.close(handle)


async def take_lock(path: Path, *, wait_ms: int, in_use: str) -> int:
    """Return the descriptor that holds the lock; it is close-on-exec, and closing it lets go.

    Args:
        path: the file that is protected.
        wait_ms: how long another process may still hold it.
        in_use: what to say if it does not let go.

    Raises:
        SetUpError: as ``in_use`` says, or the lock's file cannot be opened.
    """
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetUpError(f"{path} cannot be locked: {error.strerror}") from error
    deadline_s = time.monotonic() + wait_ms / 1_000
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    raise SetUpError(in_use) from None
                await asyncio.sleep(_LOOK_MS / 1_000)
            else:
                return handle
    except BaseException:
        os.close(handle)
        raise
