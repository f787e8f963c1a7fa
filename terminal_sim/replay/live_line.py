"""One terminal's line over MQTT in the hand of a replay: it says what it is told to say, once.

Nothing is repeated here by itself, but for the flights of a handshake, and for a request whose
answer the trace has and that does not come in the protocol's time: a message may be lost. Answers
wait until somebody asks for them by the digest of their request.
"""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from keys.line_tls import LineTls
from protocol import codec
from protocol.errors import AdapterError, SetUpError
from protocol.handshake_port import Role
from protocol.limits import HANDSHAKE_ID_BYTES, REQUEST_REPEAT_MS, REQUEST_REPEAT_MS_MAX
from protocol.line import Dropped, KeysUnknown, Line, LineEvent, LineReady, TelegramReceived
from protocol.shells.mqtt import BrokerAddress, MqttGateway
from protocol.telegrams import AnyTelegram, LineTest, LineTested
from protocol.topics import line_topic
from terminal_sim.replay.hand import Hand

CONNECT_MS_MAX = 20_000
KEYS_MS_MAX = 20_000
INCOMING_MAX = 256
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A telegram that came, and the digest of the request that it answers; None: none."""

    digest: bytes | None
    telegram: AnyTelegram


class LiveLine:
    """One line.

    Attributes:
        waiting: what came and was not asked for yet.
        counts: what was dropped, by reason.
    """

    def __init__(self, hand: Hand, clock: Callable[[], int]) -> None:
        """Prepare; ``connected`` connects.

        Args:
            hand: which terminal, with its keys.
            clock: the time in milliseconds, never going back.
        """
        self.waiting: list[Heard] = []
        self.counts: Counter[str] = Counter()
        self._config = hand.config
        self._clock = clock
        self._arrived = asyncio.Event()
        self._made_keys = 0
        self._keys_unknown = False
        handshakes = LineTls(
            Role.TERMINAL,
            hand.keys.line,
            hand.keys.trust.authority_certificate,
            expected_city=hand.config.city,
        )
        self._line = Line(
            role=Role.TERMINAL,
            city=hand.config.city,
            terminal=hand.config.terminal,
            line_id=hand.config.line_id,
            handshakes=handshakes,
        )
        self._gateway = MqttGateway(
            broker=BrokerAddress(host=hand.config.broker_host, port=hand.config.broker_port),
            client_id=f"kofu-{hand.config.line_id.hex()}",
            subscriptions=[line_topic(hand.config.city, hand.config.line_id, "down")],
            incoming_max=INCOMING_MAX,
            on_event=lambda _name, **_fields: None,
        )
        self._topic = line_topic(hand.config.city, hand.config.line_id, "up")
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["LiveLine"]:
        """Be connected to the broker, with keys, while the block runs.

        Raises:
            SetUpError: broker or city do not answer.
        """
        tasks = [
            asyncio.create_task(work)
            for work in (self._gateway.run(), self._receive(), self._publish())
        ]
        try:
            try:
                async with asyncio.timeout(CONNECT_MS_MAX / _MS_PER_S):
                    await self._gateway.connected.wait()
            except TimeoutError:
                config = self._config
                raise SetUpError(
                    f"the broker at {config.broker_host}:{config.broker_port} cannot be reached; "
                    "is the city running?"
                ) from None
            await self.new_keys()
            yield self
        finally:
            await self._gateway.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def new_keys(self) -> None:
        """Make new keys.

        Raises:
            SetUpError: the city does not answer.
        """
        made_before, until_ms = self._made_keys, self._clock() + KEYS_MS_MAX
        self._line.start_handshake(secrets.token_bytes(HANDSHAKE_ID_BYTES), self._clock())
        self._flush()
        while self._made_keys == made_before:
            now_ms = self._clock()
            if now_ms >= until_ms:
                raise SetUpError(
                    f"the city does not answer on the line of {self._config.terminal}; is its "
                    "server running, and is this terminal admitted?"
                )
            due_ms = self._line.next_deadline_ms() or until_ms
            await self._wait(min(due_ms, until_ms) - now_ms)
            self._note(self._line.wake(self._clock()))
            if not self._line.handshaking and self._made_keys == made_before:
                self._line.start_handshake(secrets.token_bytes(HANDSHAKE_ID_BYTES), self._clock())
            self._flush()

    def say(self, plaintext: bytes) -> bytes:
        """Send a copy of a telegram and return its digest."""
        self._line.send(plaintext)
        self._flush()
        return codec.digest(plaintext)

    async def hear(self, plaintext: bytes, wait_ms: int) -> AnyTelegram | None:
        """Return the next answer to a request that was sent; None: there is none in this time."""
        digest, until_ms = codec.digest(plaintext), self._clock() + wait_ms
        repeat_ms = REQUEST_REPEAT_MS
        repeat_at_ms = self._clock() + repeat_ms
        while True:
            self._arrived.clear()
            for heard in self.waiting:
                if heard.digest == digest:
                    self.waiting.remove(heard)
                    return heard.telegram
            now_ms = self._clock()
            if now_ms >= until_ms:
                return None
            self._note(self._line.wake(now_ms))  # the last flight of a handshake may be lost
            self._flush()
            if self._keys_unknown:
                await self.new_keys()
                self.say(plaintext)
            if now_ms >= repeat_at_ms:
                self.counts["repeated"] += 1
                self.say(plaintext)
                repeat_ms = min(2 * repeat_ms, REQUEST_REPEAT_MS_MAX)
                repeat_at_ms = now_ms + repeat_ms
            due_ms = self._line.next_deadline_ms() or until_ms
            await self._wait(min(until_ms, repeat_at_ms, due_ms) - now_ms)

    async def _wait(self, wait_ms: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, wait_ms) / _MS_PER_S):
                await self._arrived.wait()
        self._arrived.clear()

    async def _receive(self) -> None:
        async for _, payload in self._gateway.incoming:
            self._note(self._line.receive(payload, self._clock()))
            self._flush()
            self._arrived.set()

    async def _publish(self) -> None:
        while True:
            message = await self._outgoing.get()
            with contextlib.suppress(AdapterError):  # lost: it is repeated, or missed
                await self._gateway.publish(self._topic, message)

    def _flush(self) -> None:
        for message in self._line.messages_to_send():
            self._outgoing.put_nowait(message)

    def _note(self, events: list[LineEvent]) -> None:
        for event in events:
            match event:
                case LineReady():
                    self._made_keys += 1
                    self._keys_unknown = False
                case TelegramReceived(telegram=LineTest() as test):
                    answer = LineTested(in_reply_to=event.ref, nonce=test.nonce)
                    self._line.send(codec.encode(answer))
                case TelegramReceived():
                    ref = event.telegram.in_reply_to
                    self.waiting.append(Heard(ref.digest if ref else None, event.telegram))
                case KeysUnknown():
                    self.counts["keys-unknown"] += 1
                    self._keys_unknown = True
                case Dropped():
                    self.counts[event.reason] += 1
                case _:
                    self.counts["malformed"] += 1
