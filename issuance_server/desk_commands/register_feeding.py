"""``issuance-server register feed``: changes as they come, batch by batch, each a signed act."""

import argparse
import asyncio
import contextlib
import itertools
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec

from issuance_server.adapters.register_file import decoded
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.core.register_feed import (
    CHANGES_PER_BATCH_MAX,
    AnyChange,
    batch_subject,
)
from issuance_server.desk_commands.acts import Acting
from issuance_server.desk_commands.reach import ask
from protocol.errors import SetUpError

LINE_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 3 * 1024 * 1024
"""Far below what the control socket carries (``adapters.frames``)."""
LINES_WAITING_MAX = 2 * CHANGES_PER_BATCH_MAX
STANDARD_INPUT = Path("-")

_decoder: msgspec.json.Decoder[AnyChange] = msgspec.json.Decoder(AnyChange)


async def feed(city: City, arguments: argparse.Namespace) -> int:
    """Take changes until the end of the file, signed by a named operator with a reason.

    What has come by then is one batch; a batch that cannot be taken ends the command.
    """
    acting = Acting.unlock(city, arguments)
    feeding = _Feeding(acting, await read_sequence(city))
    try:
        async for batch in _batches(arguments.changes):
            await feeding.take(batch)
    except BaseException:
        if feeding.taken or feeding.skipped:
            feeding.tell()
        raise
    feeding.tell()
    return 0


async def read_sequence(city: City) -> int:
    """Return the number of the last change that the copy has."""
    answer = await ask(city, wire.ReadRegister())
    if not isinstance(answer, wire.RegisterStatus):
        raise SetUpError("the server gave another answer than was asked")
    return answer.sequence


class _Feeding:
    """What has been taken so far."""

    def __init__(self, acting: Acting, sequence: int) -> None:
        self._acting = acting
        self.sequence = sequence
        self.taken = 0
        self.skipped = 0

    def tell(self) -> None:
        """Say how far it came."""
        sys.stderr.write(
            f"{self.taken} changes taken, {self.skipped} skipped because the copy had them;"
            f" the last one is {self.sequence}\n"
        )

    async def take(self, changes: list[AnyChange]) -> None:
        """Send what the copy does not have; what is missing before it, the server will say."""
        fresh = [change for change in changes if change.sequence > self.sequence]
        self.skipped += len(changes) - len(fresh)
        expected = itertools.count(self.sequence + 1)
        follows = [one.sequence == number for one, number in zip(fresh, expected, strict=False)]
        gap = follows.index(False) if False in follows else len(fresh)
        for part in (fresh[:gap], fresh[gap:]):
            if part:
                await self._send(tuple(part))

    async def _send(self, fresh: tuple[AnyChange, ...]) -> None:
        await self._acting.do(
            wire.ACT_REGISTER_FEED,
            subject=batch_subject(fresh),
            brought=wire.FeedBatch(changes=fresh),
        )
        self.taken += len(fresh)
        self.sequence = fresh[-1].sequence


async def _batches(source: Path) -> AsyncIterator[list[AnyChange]]:
    """Yield batches of a bounded size until the end; a pipe is not waited for to fill one."""
    is_whole = await asyncio.to_thread(source.is_file)
    lines: asyncio.Queue[tuple[int, bytes] | OSError | None] = asyncio.Queue()
    room = threading.Semaphore(LINES_WAITING_MAX)
    loop = asyncio.get_running_loop()

    def put(line: tuple[int, bytes] | OSError | None) -> None:
        room.acquire()
        loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=_read, args=(source, put), daemon=True).start()
    batch: list[AnyChange] = []
    batch_bytes = 0
    while True:
        line = await lines.get()
        room.release()
        if isinstance(line, tuple):
            batch.append(_change(*line))
            batch_bytes += len(line[1])
            full = len(batch) == CHANGES_PER_BATCH_MAX or batch_bytes >= BATCH_BYTES_MAX
            if not full and (is_whole or not lines.empty()):
                continue
        if batch:
            yield batch
            batch, batch_bytes = [], 0
        if isinstance(line, OSError):
            raise SetUpError(f"the changes of {source} cannot be read: {line.strerror}")
        if line is None:
            return


def _read(source: Path, put: Callable[[tuple[int, bytes] | OSError | None], None]) -> None:
    """Read lines in a thread of its own; the end of the command ends it."""
    with contextlib.suppress(RuntimeError):  # nobody takes them any more
        try:
            for numbered in enumerate(_lines(source), start=1):
                put(numbered)
        except OSError as error:
            put(error)
        finally:
            put(None)


def _lines(source: Path) -> Iterator[bytes]:
    """Yield lines, each at most a byte longer than may be.

    Standard input is read as text, because the passphrase may have been read from it before.
    """
    if source == STANDARD_INPUT:
        while text := sys.stdin.readline(LINE_BYTES_MAX + 1):
            yield text.encode(errors="replace")
    else:
        with source.open("rb") as file:
            while line := file.readline(LINE_BYTES_MAX + 1):
                yield line


def _change(number: int, line: bytes) -> AnyChange:
    """Read a line.

    Raises:
        SetUpError: it is none; the text names the line and the place, not what stands there.
    """
    if len(line) > LINE_BYTES_MAX:
        raise SetUpError(f"line {number} has more than {LINE_BYTES_MAX} bytes")
    try:
        return decoded(_decoder.decode, line)
    except ValueError as error:
        raise SetUpError(
            f"line {number} {error}; it and what was read with it are not taken"
        ) from None
