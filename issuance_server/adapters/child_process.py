"""A child process that is asked over a socket pair and started again when it dies.

The socket is handed over by number, so nothing lies in the file system and nobody else can
connect. When the parent dies the child reads the end of the stream and ends too; when the child
dies, what was under way fails and a new one is started. ``child_serve.serve`` is the other side.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Sequence

from issuance_server.adapters import frames
from issuance_server.adapters.frames import Frame
from protocol.errors import AdapterError, Misuse

ASKS_MAX = 256
START_WAIT_MS_MAX = 20_000
STOP_WAIT_MS_MAX = 5_000
DEATH_WAIT_MS_MAX = 500  # a child whose stream ended is about to end itself
RESTART_WAIT_MS_MIN = 100
RESTART_WAIT_MS_MAX = 5_000
STEADY_MS_MIN = 10_000  # a child that lived so long is restarted without a longer wait


class Child:
    """One supervised child process.

    Attributes:
        running: set while the child answers.
    """

    def __init__(
        self,
        *,
        module: str,
        arguments: Sequence[str] = (),
        on_restart: Callable[[int], None] = lambda _exit_status: None,
    ) -> None:
        """Prepare; nothing is started before ``start``.

        Args:
            module: run as ``python -m MODULE --fd N ARGUMENTS...``; it calls ``serve``.
            arguments: further arguments; visible to other users of the machine, so no secrets.
            on_restart: called with the dead child's exit status (negative: the signal) when its
                successor answers.
        """
        self.running = asyncio.Event()
        self._module = module
        self._arguments = tuple(arguments)
        self._on_restart = on_restart
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None
        self._asks: dict[int, asyncio.Future[bytes]] = {}
        self._last_id = frames.GREETING_ID
        self._supervisor: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the child and wait until it answers.

        Raises:
            AdapterError: it died or was silent at its start; it has told why on standard error.
        """
        if self._supervisor is not None:
            raise Misuse("the child was started before")
        await self._spawn()
        self._supervisor = asyncio.create_task(self._supervise())

    async def ask(self, request: bytes, timeout_ms: int) -> bytes:
        """Return the child's answer to ``request``.

        Args:
            request: at most ``frames.FRAME_BYTES_MAX`` less a few bytes.
            timeout_ms: how long to wait. A later answer is thrown away, but the child may have
                done what was asked.

        Raises:
            AdapterError: the child refused, died, is being restarted, was too slow, or already
                has ``ASKS_MAX`` requests.
        """
        writer = self._writer
        if writer is None or not self.running.is_set():
            raise AdapterError(f"{self._module} is not running")
        if len(self._asks) >= ASKS_MAX:
            raise AdapterError(f"{self._module} is busy with {ASKS_MAX} requests")
        self._last_id += 1
        request_id = self._last_id
        frame = frames.encode(Frame(request_id=request_id, body=request))
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asks[request_id] = answer
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                writer.write(frame)
                await writer.drain()
                return await answer
        except TimeoutError:
            raise AdapterError(f"{self._module} did not answer in {timeout_ms} ms") from None
        except ConnectionError:
            raise AdapterError(f"{self._module} ended") from None
        finally:
            self._asks.pop(request_id, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even if the write failed first

    async def stop(self) -> None:
        """End the child. Asks fail at once; it may finish its work, then it is killed."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait({supervisor})
        await self._end(STOP_WAIT_MS_MAX)

    async def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                # -P: a folder named like a package, where the server was started, is no package
                *(sys.executable, "-P", "-m", self._module, "--fd", str(theirs.fileno())),
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent, which stops us in its own time
            )
            self._reader, self._writer = await asyncio.open_connection(sock=ours)
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError):
                text = f"{self._module} could not be started: {error.strerror}"
                raise AdapterError(text) from error
            raise
        finally:
            theirs.close()
        try:
            async with asyncio.timeout(START_WAIT_MS_MAX / 1000):
                greeting = await frames.read(self._reader)
        except TimeoutError:
            greeting = None
        except BaseException:
            await self._end(DEATH_WAIT_MS_MAX)
            raise
        if greeting is None or greeting.request_id != frames.GREETING_ID:
            exit_status = await self._end(DEATH_WAIT_MS_MAX)
            raise AdapterError(f"{self._module} did not start: exit status {exit_status}")
        self.running.set()

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        wait_ms = RESTART_WAIT_MS_MIN
        while True:
            started = clock()
            await self._read_answers()
            exit_status = await self._end(DEATH_WAIT_MS_MAX)
            if clock() - started >= STEADY_MS_MIN / 1000:
                wait_ms = RESTART_WAIT_MS_MIN
            while not self.running.is_set():
                await asyncio.sleep(wait_ms / 1000)
                wait_ms = min(2 * wait_ms, RESTART_WAIT_MS_MAX)
                with contextlib.suppress(AdapterError):
                    await self._spawn()
            self._on_restart(exit_status)

    async def _read_answers(self) -> None:
        """Hand out answers until the child closes, or sends what is no frame."""
        if self._reader is None:
            raise Misuse("no child to read from")
        with contextlib.suppress(AdapterError):
            while (reply := await frames.read(self._reader)) is not None:
                answer = self._asks.get(reply.request_id)
                if answer is None or answer.done():
                    continue  # too late: the asker has left
                if reply.refusal:
                    answer.set_exception(AdapterError(reply.refusal))
                else:
                    answer.set_result(reply.body)

    async def _end(self, wait_ms: int) -> int:
        """Close the stream, fail what is under way, and return the child's exit status.

        Args:
            wait_ms: how long the child may take before it is killed.
        """
        self.running.clear()
        for answer in self._asks.values():
            if not answer.done():
                answer.set_exception(AdapterError(f"{self._module} ended"))
        process, self._process = self._process, None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()
        if process is None:
            return 0
        try:
            return await asyncio.wait_for(process.wait(), wait_ms / 1000)
        except TimeoutError:
            process.kill()
            return await process.wait()
