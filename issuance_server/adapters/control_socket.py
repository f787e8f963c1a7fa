"""The socket on which commands of the same machine talk to a running server.

Only the server's own user can open it (mode 0600). A path may be longer than the 107 bytes
that the kernel takes: then it is reached through the folder's descriptor.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from issuance_server.adapters import frames
from issuance_server.adapters.frames import Frame
from protocol.errors import AdapterError, KofuError

ASK_WAIT_MS_MAX = 15_000
CONNECTIONS_MAX = 16

Handler = Callable[[bytes], Awaitable[bytes]]


@contextmanager
def _short_path(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@asynccontextmanager
async def serve_control(path: Path, handler: Handler) -> AsyncIterator[None]:
    """Answer requests while the block runs; a refusal is a ``KofuError`` of the handler.

    Raises:
        AdapterError: the socket cannot be made.
    """
    _make_room(path)
    places = asyncio.Semaphore(CONNECTIONS_MAX)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, AdapterError):
            async with places:
                while (request := await frames.read(reader)) is not None:
                    writer.write(await _reply(handler, request))
                    await writer.drain()
        writer.close()

    try:
        with _short_path(path) as short:
            server = await asyncio.start_unix_server(connected, short)
            os.chmod(short, 0o600)  # noqa: PTH101  # the short form of the path
    except OSError as error:
        raise AdapterError(f"the control socket {path} cannot be made: {error}") from error
    try:
        yield
    finally:
        server.close()
        _remove(path)


async def ask_control(
    path: Path, request: bytes, *, wait_ms: int = ASK_WAIT_MS_MAX
) -> bytes | None:
    """Ask a running server; None if none runs.

    Args:
        path: the socket.
        request: what is asked.
        wait_ms: how long the answer may take.

    Raises:
        AdapterError: it refused, or did not answer.
    """
    try:
        with _short_path(path) as short:
            reader, writer = await asyncio.open_unix_connection(short)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise AdapterError(f"the control socket {path} cannot be used: {error.strerror}") from error
    try:
        async with asyncio.timeout(wait_ms / 1_000):
            writer.write(frames.encode(Frame(request_id=1, body=request)))
            await writer.drain()
            reply = await frames.read(reader)
    except (TimeoutError, ConnectionError):
        raise AdapterError("the server did not answer on its control socket") from None
    finally:
        writer.close()
    if reply is None:
        raise AdapterError("the server closed its control socket")
    if reply.refusal:
        raise AdapterError(reply.refusal)
    return reply.body


def _make_room(path: Path) -> None:
    """Make the folder, and remove what a killed server left; the lock says that it is dead."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _reply(handler: Handler, request: Frame) -> bytes:
    try:
        return frames.encode(Frame(request_id=request.request_id, body=await handler(request.body)))
    except KofuError as error:
        return frames.encode(Frame(request_id=request.request_id, refusal=str(error)))
