"""The hostile broker: every message of every line passes through its hands.

Honest ends give it what they publish. It keeps a copy, asks its acts one after the other what is to
arrive, and delivers that in virtual time, in order of arrival. Acts may also put in messages of
their own at any moment.

MQTT carries the envelopes and is trusted with nothing but delivery (ADR 0001), so everything that
a broker could do to them is done here, to real ends of real lines:

* ``broker``        the double: sees everything, and lets acts decide what arrives, where and when
* ``acts``          what it does with a message: lose, repeat, delay, damage, splice, replay, forge
* ``impostor``      ends of lines with keys of another authority, that answer in somebody's place
* ``recorder``      the oracle: what comes out of a line was sent into its other end, and once
* ``town``          a whole server and whole machines between which the broker stands
* ``virtual_time``  an event loop whose time passes only when nobody has anything to do

The handshakes are TLS 1.3 with certificates of a real authority, the server is the whole runtime on
a real file with the real PIN judge, and the terminals are whole machines; only the renderer, the
carrier and the clock are doubles.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from protocol.envelope import Direction, Envelope, parse
from protocol.errors import TelegramError
from protocol.topics import line_topic
from tests.hostile.virtual_time import VirtualLoop

LATENCY_MS = 5
"""How long a message takes that nobody delays."""
HISTORY_MAX = 4_096
"""Messages that the broker remembers for splicing and replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A message on its way.

    Attributes:
        topic: where it is published.
        message: its bytes.
        delay_ms: beyond the usual latency.
    """

    topic: str
    message: bytes
    delay_ms: int = 0

    @property
    def envelope(self) -> Envelope | None:
        """The message as an envelope; None if it is none."""
        try:
            return parse(self.message)
        except TelegramError:
            return None


class Act(Protocol):
    """One thing that a broker does."""

    def __call__(self, passing: Passing, broker: "HostileBroker") -> Iterable[Passing]:
        """Return what arrives instead of a message: nothing, it, others, or several."""
        ...


def topic_of(city: str, line_id: bytes, direction: Direction) -> str:
    """Return the topic on which envelopes of a line travel in a direction."""
    return line_topic(city, line_id, "up" if direction is Direction.UP else "down")


class HostileBroker:
    """The carrier between the ends; honest while it has no acts.

    Attributes:
        acts: applied in order to everything that an honest end publishes.
        history: what honest ends have published, oldest first; the latest ``HISTORY_MAX``.
        delivered: virtual time, topic and bytes of everything that reached an end.
        bent: how many messages did not simply pass.
    """

    def __init__(self, loop: VirtualLoop, city: str) -> None:
        self.city = city
        self.acts: Sequence[Act] = ()
        self.history: list[Passing] = []
        self.delivered: list[tuple[int, str, bytes]] = []
        self.bent = 0
        self._loop = loop
        self._on_the_way: list[tuple[int, int, Passing]] = []
        self._sequence = 0
        self._inboxes: dict[str, asyncio.Queue[tuple[str, bytes] | None]] = {}

    @property
    def now_ms(self) -> int:
        """The virtual time."""
        return self._loop.now_ms

    def publish(self, topic: str, message: bytes) -> None:
        """Take a message of an honest end, and let the acts decide what becomes of it."""
        passing = Passing(topic=topic, message=message)
        arriving = [passing]
        for act in self.acts:
            arriving = [outcome for each in arriving for outcome in act(each, self)]
        self.bent += arriving != [passing]
        self.history = [*self.history[-HISTORY_MAX + 1 :], passing]
        for each in arriving:
            self.put_in(each)

    def put_in(self, passing: Passing) -> None:
        """Send a message, whoever made it up."""
        at_ms = self.now_ms + LATENCY_MS + passing.delay_ms
        self._sequence += 1
        heapq.heappush(self._on_the_way, (at_ms, self._sequence, passing))
        self._loop.call_at(at_ms / 1_000, self._deliver)

    def subscribe(self, topic: str) -> asyncio.Queue[tuple[str, bytes] | None]:
        """Return a fresh inbox for a topic, ``up`` for all lines' topics of that direction."""
        inbox: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._inboxes[topic] = inbox
        return inbox

    def unsubscribe(self, topic: str) -> None:
        """Forget an inbox; what still comes for it is lost, as with a clean session."""
        self._inboxes.pop(topic, None)

    def _deliver(self) -> None:
        while self._on_the_way and self._on_the_way[0][0] <= self.now_ms:
            _, _, passing = heapq.heappop(self._on_the_way)
            key = "up" if passing.topic.endswith("/up") else passing.topic
            inbox = self._inboxes.get(key)
            if inbox is not None:
                self.delivered.append((self.now_ms, passing.topic, passing.message))
                inbox.put_nowait((passing.topic, passing.message))


class Carrier:
    """An end's connection with the broker: the server's ``Gateway`` and a machine's ``Carrier``."""

    def __init__(self, broker: HostileBroker, subscription: str) -> None:
        """Connect.

        Args:
            broker: the broker.
            subscription: a ``…/down`` topic, or ``up`` for all lines.
        """
        self.connected = asyncio.Event()
        self.connected.set()
        self._broker = broker
        self._subscription = subscription
        self._inbox = broker.subscribe(subscription)

    async def run(self) -> None:
        """Stay connected."""
        await asyncio.Event().wait()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over."""
        self._broker.publish(topic, payload)

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give what arrives."""
        while (arrived := await self._inbox.get()) is not None:
            yield arrived

    async def close(self) -> None:
        """Disconnect."""
        self._broker.unsubscribe(self._subscription)
        self._inbox.put_nowait(None)
