"""Carries bytes over MQTT: one connection that comes back by itself, bounded in both directions.

MQTT delivers hints, not guarantees: a message may be lost, doubled or late, and the broker's
acknowledgement proves nothing about the other end. What must not be lost is repeated by the
telegrams' own rules. So sessions are clean, nothing is retained, and what does not fit is dropped,
counted and reported.

Only what MQTT 3.1.1 and 5 share is used: QoS 1, no shared subscriptions, no properties (TP-003).
"""

import asyncio
import errno
import functools
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from protocol.errors import AdapterError, Misuse
from protocol.secret import Secret

RECONNECT_WAIT_MS_MIN = 100
RECONNECT_WAIT_MS_MAX = 5_000
BROKER_WAIT_MS_MAX = 10_000  # for each answer of the broker: CONNACK, SUBACK, PUBACK
KEEP_ALIVE_S = 20
IN_FLIGHT_MAX = 64  # publications without their PUBACK; the next ones wait
REASON_CODE_FAILED_MIN = 0x80

# Without it Nagle's algorithm and the peer's delayed acknowledgement cost 44 ms per telegram.
_SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

# The client library logs topics; what is worth telling is told through ``on_event``.
_SILENT = logging.getLogger("protocol.shells.mqtt.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_Handler: TypeAlias = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is and how it knows us.

    Attributes:
        host: name or IP address.
        port: TCP port, 1 to 65535.
        username: the name for brokers that ask for one; with TLS client certificates, None.
        password: goes with ``username``.
        tls: context for MQTT over TLS; None for plain TCP. The line inside does not rely on it.
    """

    host: str
    port: int
    username: str | None = None
    password: Secret | None = None
    tls: ssl.SSLContext | None = None


def pass_over_closed_sockets(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop say nothing of a socket that was closed before it could be watched.

    The client library asks the loop to watch a socket a moment later. Where the connection breaks
    in between, the loop would print a traceback. The library notices by itself that it is broken.
    """
    before = loop.get_exception_handler()
    if isinstance(before, _PassesOverClosedSockets):
        return
    loop.set_exception_handler(_PassesOverClosedSockets(before))


class _PassesOverClosedSockets:
    """What a loop does with an exception that nobody caught."""

    def __init__(self, before: _Handler | None) -> None:
        self._before = before

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        watching = any(word in str(context.get("message")) for word in ("add_writer", "add_reader"))
        if isinstance(error, OSError) and error.errno == errno.EBADF and watching:
            return
        if self._before is None:
            loop.default_exception_handler(context)
        else:
            self._before(loop, context)


class MqttGateway:
    """The way to the broker and back.

    ``run`` is one task for the life of the process: it connects, subscribes, and connects again
    for ever. Messages wait in a bounded queue until ``incoming`` takes them; when it is full, new
    ones are dropped. ``on_event`` is called in the event loop with an event's name and fields:
    ``broker.connected``, ``broker.lost`` (once per outage and reason) and ``gateway.queue_full``
    (once per jam).

    Attributes:
        connected: set while the connection stands and all subscriptions are granted.
        dropped_count: messages dropped because the queue was full, since the start.
    """

    def __init__(
        self,
        *,
        broker: BrokerAddress,
        client_id: str,
        subscriptions: Sequence[str],
        incoming_max: int,
        on_event: Callable[..., None],
    ) -> None:
        """Prepare; nothing connects before ``run``.

        Args:
            broker: where to connect.
            client_id: unique among all clients of the broker, or the two throw each other out.
            subscriptions: topic filters, subscribed with QoS 1 at every connection.
            incoming_max: messages that may wait for ``incoming``, 1 or more.
            on_event: takes ``(name, **fields)``; must not block or raise.
        """
        if incoming_max < 1:
            raise Misuse("incoming_max must be 1 or more")
        self.connected = asyncio.Event()
        self.dropped_count = 0
        self._broker = broker
        self._client_id = client_id
        self._subscriptions = tuple(subscriptions)
        self._incoming_max = incoming_max
        self._on_event = on_event
        self._incoming: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._jammed = False
        self._in_flight = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._client: aiomqtt.Client | None = None
        self._lost = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until ``close`` or cancellation."""
        if self._runner is not None:
            raise Misuse("run is called once")
        if self._closed.is_set():
            return
        pass_over_closed_sockets(asyncio.get_running_loop())
        self._runner = asyncio.create_task(self._stay_connected())
        try:
            await asyncio.wait({self._runner})
        finally:
            await self.close()
        if not self._runner.cancelled():
            self._runner.result()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand ``payload`` to the broker with QoS 1 and wait for its acknowledgement.

        At most ``IN_FLIGHT_MAX`` publications are under way; more wait here, in order.

        Raises:
            AdapterError: not connected, the connection broke, or no acknowledgement came in time.
                The message may or may not have been delivered.
        """
        async with self._in_flight:
            client, lost = self._client, self._lost
            if client is None:
                raise AdapterError("not connected to the broker")
            await _before(lost, client.publish(topic, payload, qos=1))

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give ``(topic, payload)`` in order of arrival; ends after ``close``. For one reader."""
        while (message := await self._incoming.get()) is not None:
            if self._incoming.qsize() <= self._incoming_max // 2:
                self._jammed = False
            yield message
        self._incoming.put_nowait(None)

    async def close(self) -> None:
        """Disconnect, fail what is under way, and end ``incoming``. May be called twice."""
        if not self._closed.is_set():
            self._closed.set()
            self._incoming.put_nowait(None)
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})

    async def _stay_connected(self) -> None:
        wait_ms = RECONNECT_WAIT_MS_MIN
        told: str | None = None
        while not self._closed.is_set():
            was_connected = False
            try:
                async with self._new_client() as client:
                    await self._subscribe(client)
                    if self._closed.is_set():
                        break  # aiomqtt dropped the cancellation, as asyncio.wait_for may do
                    self._set_connected(client)
                    was_connected, wait_ms, told = True, RECONNECT_WAIT_MS_MIN, None
                    # Arrivals bypass this iterator: it only waits for the end of the connection.
                    async for _ in client.messages:
                        pass
            except (aiomqtt.MqttError, AdapterError) as error:
                reason = "connection_broken" if was_connected else _reason_code(error)
                if reason != told:
                    self._tell("broker.lost", reason=reason)
                    told = reason
            finally:
                self._set_lost()
            if not self._closed.is_set():
                await asyncio.sleep(wait_ms / 1000)
                wait_ms = min(2 * wait_ms, RECONNECT_WAIT_MS_MAX)

    def _new_client(self) -> aiomqtt.Client:
        broker = self._broker
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            identifier=self._client_id,
            username=broker.username,
            password=broker.password.reveal().decode() if broker.password is not None else None,
            tls_context=broker.tls,
            clean_session=True,
            keepalive=KEEP_ALIVE_S,
            timeout=BROKER_WAIT_MS_MAX / 1000,
            max_inflight_messages=IN_FLIGHT_MAX,
            socket_options=_SOCKET_OPTIONS,
            logger=_SILENT,
            queue_type=cast(
                "type[asyncio.Queue[aiomqtt.Message]]", functools.partial(_Arrivals, self._arrive)
            ),
        )
        client.pending_calls_threshold = IN_FLIGHT_MAX
        return client

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        if not self._subscriptions:
            return
        granted = await client.subscribe([(topic, 1) for topic in self._subscriptions])
        for code in granted:
            number = code.value if isinstance(code, ReasonCode) else code
            if number >= REASON_CODE_FAILED_MIN:
                raise AdapterError("the broker refused a subscription")

    def _arrive(self, message: aiomqtt.Message) -> None:
        if self._incoming.qsize() < self._incoming_max:
            self._incoming.put_nowait((message.topic.value, message.payload))
            return
        self.dropped_count += 1
        if not self._jammed:
            self._jammed = True
            self._on_event(
                "gateway.queue_full",
                queued=self._incoming_max,
                dropped_since_start=self.dropped_count,
            )

    def _set_connected(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._lost = asyncio.Event()
        self.connected.set()
        self._tell("broker.connected")

    def _set_lost(self) -> None:
        self._client = None
        self.connected.clear()
        self._lost.set()

    def _tell(self, event: str, **fields: object) -> None:
        self._on_event(event, host=self._broker.host, port=self._broker.port, **fields)


class _Arrivals(asyncio.Queue[aiomqtt.Message]):
    """Stands in for the client's own queue, which would cost a task per message and has no bound.

    It stays empty: each message goes to ``arrive`` at once.
    """

    def __init__(self, arrive: Callable[[aiomqtt.Message], None], maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._arrive = arrive

    def put_nowait(self, item: aiomqtt.Message) -> None:
        self._arrive(item)


async def _before(lost: asyncio.Event, call: Coroutine[Any, Any, None]) -> None:
    """Await ``call``, but no longer than the connection lives."""
    sending = asyncio.ensure_future(call)
    breaking = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait({sending, breaking}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            raise AdapterError("the connection to the broker broke")
        sending.result()
    except aiomqtt.MqttError as error:
        raise AdapterError("the broker did not take the message") from error
    finally:
        sending.cancel()
        breaking.cancel()


def _reason_code(error: Exception) -> str:
    """Say in one word why a connection attempt failed."""
    if isinstance(error, AdapterError):
        return "subscription_refused"
    if isinstance(error, aiomqtt.MqttCodeError):
        return f"refused_{_number(error.rc)}"
    return "unreachable"


def _number(code: int | ReasonCode | None) -> int:
    return code.value if isinstance(code, ReasonCode) else code or 0
