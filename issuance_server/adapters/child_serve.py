"""The child's side of ``child_process``: answers requests until its parent is gone."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from issuance_server.adapters import frames
from issuance_server.adapters.build import build_digest
from issuance_server.adapters.frames import Frame
from protocol.errors import KofuError

UNDER_WAY_MAX = 512  # twice what a parent asks at once: answers on their way count here still
FAREWELL_WAIT_MS_MAX = 2_000

Handler = Callable[[bytes], Awaitable[bytes]]


async def serve(fd: int, handler: Handler) -> None:
    """Answer the requests that come over ``fd`` until the parent closes it or dies.

    At most ``UNDER_WAY_MAX`` requests are handled at once; the next ones are refused, not left
    unread, for behind them lies the end of the stream. What is under way when the parent goes has
    ``FAREWELL_WAIT_MS_MAX`` to end.

    Args:
        fd: the socket that ``Child`` passed as ``--fd``.
        handler: turns a request into its answer. A ``KofuError`` becomes a refusal with its text;
            any other exception is a bug and ends the process, so that it starts afresh.

    Raises:
        ExceptionGroup: the bug that ended it.
    """
    connection = socket.socket(fileno=fd)
    connection.set_inheritable(False)
    reader, writer = await asyncio.open_connection(sock=connection)
    places = asyncio.Semaphore(UNDER_WAY_MAX)

    async def send(reply: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the parent went: nobody to answer
            writer.write(reply)
            await writer.drain()

    async def answer(request: Frame) -> None:
        try:
            await send(await _reply(handler, request))
        finally:
            places.release()

    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as farewell, asyncio.TaskGroup() as under_way:
                greeting = Frame(request_id=frames.GREETING_ID, body=build_digest().encode())
                writer.write(frames.encode(greeting))
                while (request := await frames.read(reader)) is not None:
                    if places.locked():
                        await send(_busy(request))
                        continue
                    await places.acquire()
                    under_way.create_task(answer(request))
                now = asyncio.get_running_loop().time()
                farewell.reschedule(now + FAREWELL_WAIT_MS_MAX / 1000)
    finally:
        writer.transport.abort()


async def _reply(handler: Handler, request: Frame) -> bytes:
    try:
        body = await handler(request.body)
        return frames.encode(Frame(request_id=request.request_id, body=body))
    except KofuError as error:
        return frames.encode(Frame(request_id=request.request_id, refusal=str(error)))


def _busy(request: Frame) -> bytes:
    refusal = f"busy with {UNDER_WAY_MAX} requests"
    return frames.encode(Frame(request_id=request.request_id, refusal=refusal))
