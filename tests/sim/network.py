"""The carrier between one server and its terminals, in place of MQTT and its broker.

It delivers hints, not guarantees, as ``issuance_server.ports.Gateway`` says. What it does to a
message is drawn: lost, doubled, delayed for seconds, overtaken, damaged, kept and carried once more
minutes later, carried to a terminal that it was not meant for, or cut off with its line. Who has
not subscribed when a message arrives never gets it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from protocol.errors import AdapterError
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, SimLoop, pause_us
from tests.sim.trace import Trace

BASE_US = 3_000
JITTER_US = 40_000
DELAY_MS_MAX = 15_000
REPLAY_MS_MAX = 10 * 60_000
KEPT_MAX = 64
WAITS = 0.1
"""How often somebody who publishes waits for the carrier's acknowledgement."""
CUT_MS_MAX = 3 * 60_000
DOWN, UP = "down", "up"

Take = Callable[[str, bytes], None]


class Network:
    """Carries.

    Attributes:
        tap: called with topic and content of every message that anybody hands over.
    """

    def __init__(self, loop: SimLoop, faults: Faults, trace: Trace) -> None:
        self.tap: Take = lambda _topic, _payload: None
        self._loop = loop
        self._faults = faults
        self._trace = trace
        self._terminals: dict[str, Take] = {}
        self._server: Take | None = None
        self._cut_until_us: dict[str, int] = {}
        self._due_us: dict[str, int] = {}
        self._kept: list[tuple[str, bytes]] = []

    def subscribe_server(self, take: Take | None) -> None:
        """Deliver what terminals send; None: nobody is there."""
        self._server = take

    def subscribe(self, topic: str, take: Take | None) -> None:
        """Deliver what goes to one terminal; None: nobody is there."""
        if take is None:
            self._terminals.pop(topic, None)
        else:
            self._terminals[topic] = take

    def cut(self, line: str, for_ms: int) -> None:
        """Cut a line (a topic without its direction), or everything where it is empty."""
        self._faults.note("network cut")
        self._cut_until_us[line] = self._loop.now_us + for_ms * US_PER_MS

    def heal(self) -> None:
        """End all cuts, and forget what was kept for later."""
        self._cut_until_us.clear()
        self._kept.clear()

    def is_cut(self, topic: str) -> bool:
        """Tell whether nothing comes through."""
        if not self._cut_until_us:
            return False
        now_us = self._loop.now_us
        line = topic.rpartition("/")[0]
        return any(self._cut_until_us.get(one, 0) > now_us for one in ("", line))

    def carry(self, topic: str, payload: bytes) -> None:
        """Take a message over."""
        self.tap(topic, payload)
        faults, rates = self._faults, self._faults.rates
        if self.is_cut(topic):
            faults.note("message into a cut")
            return
        if rates.replay:
            self._keep(topic, payload)
        if faults.hits(rates.loss, "message lost"):
            return
        self._schedule(topic, payload)
        if faults.hits(rates.doubling, "message doubled"):
            self._schedule(topic, payload)
        if rates.misdirection and faults.hits(rates.misdirection, "message misdirected"):
            others = sorted(self._terminals) or [topic]
            self._schedule(faults.dice.choice(others), payload)
        if rates.replay and faults.hits(rates.replay, "message replayed"):
            old = faults.dice.choice(self._kept)
            wait_us = int(faults.dice.random() ** 3 * REPLAY_MS_MAX * US_PER_MS)
            self._loop.outside_us(wait_us, self._deliver, *old)

    def _keep(self, topic: str, payload: bytes) -> None:
        if len(self._kept) < KEPT_MAX:
            self._kept.append((topic, payload))
        else:
            self._kept[int(self._faults.dice.random() * KEPT_MAX)] = (topic, payload)

    def _schedule(self, topic: str, payload: bytes) -> None:
        faults, rates = self._faults, self._faults.rates
        roll = faults.dice.random
        wait_us = BASE_US + int(roll() * 1_000)
        if rates.jitter and roll() < rates.jitter:
            wait_us += int(roll() * JITTER_US)
        if faults.hits(rates.delay, "message delayed"):
            wait_us += int(roll() ** 3 * DELAY_MS_MAX * US_PER_MS)
        due_us = self._loop.now_us + wait_us
        before_us = self._due_us.get(topic, 0)
        if due_us < before_us:
            faults.note("message overtaken")
        else:
            self._due_us[topic] = due_us
        if rates.corruption and faults.hits(rates.corruption, "message damaged"):
            payload = self._damaged(payload)
        self._loop.outside_us(wait_us, self._deliver, topic, payload)

    def _damaged(self, payload: bytes) -> bytes:
        dice = self._faults.dice
        kind = dice.random()
        if kind < 0.15:
            return payload[: int(dice.random() * len(payload))]
        if kind < 0.25:
            return payload + dice.randbytes(1 + int(dice.random() * 16))
        at = int(dice.random() ** 2 * len(payload))
        flipped = bytes([payload[at] ^ 1 << int(dice.random() * 8)])
        return payload[:at] + flipped + payload[at + 1 :]

    def _deliver(self, topic: str, payload: bytes) -> None:
        take = self._server if topic.endswith(UP) else self._terminals.get(topic)
        if self._cut_until_us and self.is_cut(topic):
            self._faults.note("message into a cut")
            return
        self._trace.event("net", topic[-20:], str(len(payload)))
        if take is not None:
            take(topic, payload)


class Port:
    """One process's connection to the network: the server's gateway, or a terminal's carrier."""

    def __init__(self, network: Network, faults: Faults, topic: str | None) -> None:
        """Connect.

        Args:
            network: carries.
            faults: decides what fails.
            topic: what a terminal listens to; None: the server.
        """
        self.connected = asyncio.Event()
        self.connected.set()
        self._network = network
        self._faults = faults
        self._topic = topic
        self._arrived: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._subscribe(self._take)

    def detach(self) -> None:
        """Hear nothing any more: the process is gone."""
        self._subscribe(None)

    async def run(self) -> None:
        """Stay connected."""
        await asyncio.Event().wait()

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give what arrives."""
        while (message := await self._arrived.get()) is not None:
            yield message

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over.

        Raises:
            AdapterError: it may or may not have been delivered.
        """
        refused = self._faults.hits(self._faults.rates.refused_by_carrier, "carrier refused")
        if not refused or self._faults.dice.random() < 0.5:
            self._network.carry(topic, payload)
        if refused or self._faults.dice.random() < WAITS:
            await pause_us(1_000)
        if refused:
            raise AdapterError("the carrier took too long")

    async def close(self) -> None:
        """Disconnect."""
        self.detach()
        self._arrived.put_nowait(None)

    def _subscribe(self, take: Take | None) -> None:
        if self._topic is None:
            self._network.subscribe_server(take)
        else:
            self._network.subscribe(self._topic, take)

    def _take(self, topic: str, payload: bytes) -> None:
        self._arrived.put_nowait((topic, payload))
