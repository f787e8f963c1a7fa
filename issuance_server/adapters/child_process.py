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
from issuance_server.adapters.build import BuildCheck
from issuance_server.adapters.frames import Frame
from issuance_server.adapters.process_end import exit_status_of
from protocol.errors import AdapterError, Misuse

ASKS_MAX = 256
START_WAIT_MS_MAX = 20_000
STOP_WAIT_MS_MAX = 5_000
SUPERVISOR_WAIT_MS_MAX = 2_000  # for it to leave off; what it started is ended without it
DEATH_WAIT_MS_MAX = 2_000  # a child whose stream ended is about to end itself
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
        build: BuildCheck | None = None,
    ) -> None:
        """Prepare; nothing is started before ``start``.

        Args:
            module: run as ``python -m MODULE --fd N ARGUMENTS...``; it calls ``serve``.
            arguments: further arguments; visible to other users of the machine, so no secrets.
            on_restart: called by the event loop with the dead child's exit status (negative: the
                signal) when its successor answers. What it raises is told by the loop.
            build: what program it has to run; None: whatever lies on the disk.
        """
        self.running = asyncio.Event()
        self._module = module
        self._arguments = tuple(arguments)
        self._on_restart = on_restart
        self._build = build
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None
        self._asks: dict[int, asyncio.Future[bytes]] = {}
        self._last_id = frames.GREETING_ID
        self._supervisor: asyncio.Task[None] | None = None
        self._told_build = ""
        self._wanted = False  # from start to stop

    async def start(self) -> None:
        """Start the child and wait until it answers.

        Raises:
            AdapterError: it died or was silent at its start, and has told why on standard error;
                or it was stopped meanwhile.
        """
        if self._wanted:
            raise Misuse("the child was started before")
        self._wanted = True
        try:
            await self._spawn()
        except BaseException:
            self._wanted = False
            raise
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
        # A write to a dead child closes the stream before the supervisor reads its end.
        if writer is None or writer.is_closing() or not self.running.is_set():
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
        except OSError:
            raise AdapterError(f"{self._module} ended") from None
        finally:
            self._asks.pop(request_id, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even if the write failed first

    async def stop(self) -> None:
        """End the child. Asks fail at once; it may finish its work, then it is killed.

        Returns after ``SUPERVISOR_WAIT_MS_MAX``, ``STOP_WAIT_MS_MAX`` and the wait for a killed
        process at the latest. A start that is under way fails, and ends what it started.
        """
        self._wanted = False
        self._close()
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait({supervisor}, timeout=SUPERVISOR_WAIT_MS_MAX / 1000)
        await self._end(STOP_WAIT_MS_MAX)

    async def _spawn(self) -> None:
        """Start a process and wait until it answers; none is left if it does not."""
        try:
            await self._launch()
            greeted = await self._greeting()
        except BaseException:
            await self._end(DEATH_WAIT_MS_MAX)
            raise
        if not greeted or not self._wanted:
            exit_status = await self._end(DEATH_WAIT_MS_MAX)
            raise AdapterError(f"{self._module} did not start: exit status {exit_status}")
        self.running.set()

    async def _launch(self) -> None:
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

    async def _greeting(self) -> bool:
        """Say whether the child says that it serves, and runs the program that it has to run."""
        if self._reader is None:
            raise Misuse("no child to read from")
        try:
            async with asyncio.timeout(START_WAIT_MS_MAX / 1000):
                greeting = await frames.read(self._reader)
        except TimeoutError:
            return False
        if greeting is None or greeting.request_id != frames.GREETING_ID:
            return False
        found = greeting.body.decode("ascii", "replace")
        if self._build is None or found == self._build.build:
            return True
        if found != self._told_build:  # once, and not at every try to start it again
            self._told_build = found
            self._build.on_difference(found)
        return not self._build.refuse

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        wait_ms = RESTART_WAIT_MS_MIN
        while self._wanted:
            started = clock()
            await self._read_answers()
            exit_status = await self._end(DEATH_WAIT_MS_MAX)
            if clock() - started >= STEADY_MS_MIN / 1000:
                wait_ms = RESTART_WAIT_MS_MIN
            wait_ms = await self._start_again(wait_ms)
            if self.running.is_set():
                # Not called from here: what it raises would end the supervision.
                asyncio.get_running_loop().call_soon(self._on_restart, exit_status)

    async def _start_again(self, wait_ms: int) -> int:
        """Try until a successor answers, or none is wanted; return how long to wait next time."""
        while self._wanted and not self.running.is_set():
            await asyncio.sleep(wait_ms / 1000)
            wait_ms = min(2 * wait_ms, RESTART_WAIT_MS_MAX)
            with contextlib.suppress(AdapterError):
                await self._spawn()
        return wait_ms

    async def _read_answers(self) -> None:
        """Hand out answers until the child closes, or sends what is no frame."""
        if self._reader is None:
            raise Misuse("no child to read from")
        with contextlib.suppress(AdapterError, OSError):
            while (reply := await frames.read(self._reader)) is not None:
                answer = self._asks.get(reply.request_id)
                if answer is None or answer.done():
                    continue  # too late: the asker has left
                if reply.refusal:
                    answer.set_exception(AdapterError(reply.refusal))
                else:
                    answer.set_result(reply.body)

    def _close(self) -> None:
        """Close the stream, and fail what is under way."""
        self.running.clear()
        for answer in self._asks.values():
            if not answer.done():
                answer.set_exception(AdapterError(f"{self._module} ended"))
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()

    async def _end(self, wait_ms: int) -> int:
        """Close the stream, and return the child's exit status; 0 when there is none.

        The process stays ours until it is gone: whoever is cancelled here leaves it to ``stop``.

        Args:
            wait_ms: how long the child may take before it is killed.
        """
        self._close()
        process = self._process
        if process is None:
            return 0
        exit_status = await exit_status_of(process, wait_ms)
        if self._process is process:
            self._process = None
        return exit_status
