"""A TCP proxy that cuts, stalls, slows and corrupts, between server or terminals and the broker.

It runs in a thread with an event loop of its own; what it does to the bytes may be changed at any
time from another thread.
"""

import asyncio
import contextlib
import random
import threading
from dataclasses import dataclass

PIECE_BYTES = 4_096
POLL_S = 0.02
START_WAIT_S = 10


@dataclass(slots=True)
class Weather:
    """What happens to the bytes that pass.

    Attributes:
        open: whether connections are taken.
        stalled: whether bytes stand still, and nobody is told.
        bytes_per_s: how many pass, in each direction of each connection; 0: all.
        flips_per_kib: how many bits are turned in each KiB, on average.
        passed_bytes: what has passed.
        flipped_bits: what was turned.
        cuts: connections that were cut.
    """

    open: bool = True
    stalled: bool = False
    bytes_per_s: int = 0
    flips_per_kib: float = 0.0
    passed_bytes: int = 0
    flipped_bits: int = 0
    cuts: int = 0


class Proxy:
    """Listens on loopback and passes every connection on to a port there."""

    def __init__(self, target_port: int, seed: int) -> None:
        """Listen; ``port`` is where.

        Args:
            target_port: of the broker.
            seed: of the bits that are turned.
        """
        self.weather = Weather()
        self.port = 0
        self._target_port = target_port
        self._chance = random.Random(seed)
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        if not self._ready.wait(START_WAIT_S):
            raise OSError("the proxy does not listen")

    def cut(self) -> None:
        """Break every connection, and take no new one until ``weather.open`` is set again."""
        self.weather.open = False
        self.weather.cuts += 1

        def abort() -> None:
            for writer in list(self._writers):
                writer.transport.abort()

        self._loop.call_soon_threadsafe(abort)

    def clear(self) -> None:
        """Let everything pass as it is."""
        weather = self.weather
        weather.open, weather.stalled, weather.bytes_per_s = True, False, 0
        weather.flips_per_kib = 0.0

    def close(self) -> None:
        """End."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.weather.open:
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, there[1]}
        self._writers |= ends
        # Cancelled when the proxy closes; the task is the stream's, which would tell of it.
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                while self.weather.stalled:  # noqa: ASYNC110  # it is set by another thread
                    await asyncio.sleep(POLL_S)
                if self.weather.bytes_per_s:
                    await asyncio.sleep(len(piece) / self.weather.bytes_per_s)
                writer.write(self._turned(piece))
                await writer.drain()
                self.weather.passed_bytes += len(piece)
        writer.transport.abort()

    def _turned(self, piece: bytes) -> bytes:
        expected = self.weather.flips_per_kib * len(piece) / 1_024
        count = int(expected) + (self._chance.random() < expected % 1)
        if not count:
            return piece
        turned = bytearray(piece)
        for _ in range(count):
            turned[self._chance.randrange(len(piece))] ^= 1 << self._chance.randrange(8)
        self.weather.flipped_bits += count
        return bytes(turned)
