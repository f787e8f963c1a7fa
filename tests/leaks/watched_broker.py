"""A broker that writes down what any broker sees, and loses, doubles and delays as told."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from protocol.envelope import HEADER_BYTES
from tests.leaks.people import Course
from tests.leaks.virtual_time import now_us

ACKNOWLEDGED_AFTER_S = 0.001
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a broker sees of one message. The body is what the seal makes of anything: noise.

    Attributes:
        at_us: when it was handed over.
        topic: where to.
        header: of the envelope; it is not encrypted.
        length: of the whole message, in bytes.
    """

    at_us: int
    topic: str
    header: str
    length: int


class WatchedBroker:
    """Carries between one server and its terminals.

    Attributes:
        passed: every message, in order.
    """

    def __init__(self, what: Course, seed: int) -> None:
        self.passed: list[Passed] = []
        self._what = what
        self._dice = random.Random(f"broker {seed}")
        self._subscribers: dict[str, Callable[[str, bytes], None]] = {}

    def subscribe(self, ending: str, take: Callable[[str, bytes], None]) -> None:
        """Deliver what goes to topics with this ending, in place of whoever was there before."""
        self._subscribers[ending] = take

    def unsubscribe(self, ending: str) -> None:
        """Deliver no more."""
        self._subscribers.pop(ending, None)

    def carry(self, topic: str, message: bytes) -> None:
        """Take a message over; when it arrives, and how often, is a matter of the dice."""
        header = message[:HEADER_BYTES].hex()
        self.passed.append(Passed(at_us=now_us(), topic=topic, header=header, length=len(message)))
        copies = 2 if self._dice.random() < self._what.doubling else 1
        for _ in range(copies):
            lost = self._dice.random() < self._what.loss
            delay_ms = self._dice.randint(1, self._what.delay_ms_max)
            if not lost:
                loop = asyncio.get_running_loop()
                loop.call_later(delay_ms / _MS_PER_S, self._deliver, topic, message)

    def _deliver(self, topic: str, message: bytes) -> None:
        for ending, take in list(self._subscribers.items()):
            if topic.endswith(ending):
                take(topic, message)


class TerminalCarrier:
    """A terminal's connection to the broker."""

    def __init__(self, broker: WatchedBroker, topic_down: str) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self._broker = broker
        self._topic_down = topic_down
        self._arrived: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        broker.subscribe(topic_down, lambda *message: self._arrived.put_nowait(message))

    async def run(self) -> None:
        """Stay connected."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over and wait for the acknowledgement."""
        self._broker.carry(topic, payload)
        await asyncio.sleep(ACKNOWLEDGED_AFTER_S)

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give what arrives."""
        while True:
            yield await self._arrived.get()

    async def close(self) -> None:
        """Disconnect."""
        self._broker.unsubscribe(self._topic_down)
