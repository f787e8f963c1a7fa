"""One process per database: an advisory lock on a file beside it, gone with its process."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from protocol.errors import SetUpError

LOCK_WAIT_MS_MAX = 5_000
_POLL_MS = 50


@asynccontextmanager
async def only_one(path: Path, *, wait_ms: int = LOCK_WAIT_MS_MAX) -> AsyncIterator[None]:
    """Hold the lock while the block runs.

    Args:
        path: the file that is protected; the lock lies beside it with ``.lock`` added.
        wait_ms: how long to wait for a predecessor that is just ending.

    Raises:
        SetUpError: another process holds it, or the folder cannot be written.
    """
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetUpError(f"{path} cannot be locked: {error.strerror}") from error
    try:
        waited_ms = 0
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited_ms >= wait_ms:
                    raise SetUpError(
                        f"another server works on {path}; stop it first, or use its control socket"
                    ) from None
                await asyncio.sleep(_POLL_MS / 1_000)
                waited_ms += _POLL_MS
        yield
    finally:
        os.close(handle)
