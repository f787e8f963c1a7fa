"""The page's side of its reading processes: few, each with one upload, killed when too slow.

A thread could not be stopped, and PDFium is not safe in threads.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Self, TypeAlias

from issuance_server.adapters.process_end import exit_status_of
from issuance_server.verify_page import worker_wire as wire
from protocol.codec import UNREADABLE
from protocol.errors import AdapterError

WORKER_MODULE = "issuance_server.verify_page.worker"
WORKERS = 2
START_MS_MAX = 30_000
READING_MS_MAX = 2 * wire.CPU_SECONDS_MAX * 1_000
ANSWER_BYTES_MAX = 64 * 1024 * 1024

Reading: TypeAlias = wire.Found | wire.Unreadable


class Workers:
    """Some reading processes; each upload goes to one that is free, or waits.

    ``async with Workers(...) as workers`` starts and ends them.
    """

    def __init__(self, arguments: Sequence[str], count: int = WORKERS) -> None:
        """Prepare the processes.

        Args:
            arguments: of ``worker.py``; visible to other users of the machine, so no secrets.
            count: how many, 1 or more.
        """
        self._workers = [_Worker(arguments) for _ in range(count)]
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()  # one that runs goes first
        for worker in reversed(self._workers):
            self._free.put_nowait(worker)

    async def __aenter__(self) -> Self:
        """Start the first, which tells whether it can read the keys; others start when needed.

        Raises:
            AdapterError: it did not start; it has told why on standard error.
        """
        try:
            await self._workers[0].start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End them, whatever they do."""
        for worker in self._workers:
            await worker.stop()

    async def read(self, files: Sequence[bytes]) -> Reading:
        """Return what is found in the files of one upload.

        Raises:
            AdapterError: reading took too long or broke the process.
        """
        worker = await self._free.get()
        try:
            return await worker.read(files)
        finally:
            self._free.put_nowait(worker)


class _Worker:
    """One process; started again for the next upload when it had to be killed."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> asyncio.subprocess.Process:
        """Start the process unless it runs."""
        if self._process is not None and self._process.returncode is None:
            return self._process
        process = await asyncio.create_subprocess_exec(
            # -P: a folder named like a package, where the page was started, is no package
            *(sys.executable, "-P", "-m", WORKER_MODULE, *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which stops us in its own time
        )
        self._process = process
        try:
            async with asyncio.timeout(START_MS_MAX / 1_000):
                await _frame(process)
        except (TimeoutError, AdapterError):
            await self.stop()
            raise AdapterError("a reading process did not start") from None
        return process

    async def read(self, files: Sequence[bytes]) -> Reading:
        """Have one upload read."""
        answered = False
        try:
            async with asyncio.timeout(READING_MS_MAX / 1_000):
                process = await self.start()
                assert process.stdin is not None
                process.stdin.write(wire.framed(wire.encode(wire.Upload(files=tuple(files)))))
                await process.stdin.drain()
                answer = wire.decode_answer(await _frame(process))
                if isinstance(answer, wire.Broken):
                    raise AdapterError(f"reading was stopped by {answer.error}")
                answered = True
                return answer
        except (TimeoutError, ConnectionError, *UNREADABLE):
            raise AdapterError("reading the files took too long or failed") from None
        finally:
            if not answered:  # it may still be at work, also when the page itself is stopping
                await self.stop()

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        await exit_status_of(process, 0)


async def _frame(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    try:
        length = int.from_bytes(await process.stdout.readexactly(wire.LENGTH_BYTES))
        if length > ANSWER_BYTES_MAX:
            raise AdapterError("a reading process gave an answer that is none")
        return await process.stdout.readexactly(length)
    except asyncio.IncompleteReadError:
        raise AdapterError("a reading process ended") from None
