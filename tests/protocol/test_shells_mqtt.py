"""The MQTT edge against a real broker."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence

import aiomqtt
import pytest

from issuance_server.adapters.broker_process import BrokerProcess
from protocol.errors import AdapterError, Misuse
from protocol.shells import mqtt
from protocol.shells.mqtt import BrokerAddress, MqttGateway

pytestmark = pytest.mark.processes

WAIT_S = 10


class Events:
    """Keeps what was told, and lets a test wait for one event."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self._news = asyncio.Event()

    def __call__(self, event: str, **fields: object) -> None:
        self.told.append((event, fields))
        self._news.set()

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    async def until(self, name: str) -> dict[str, object]:
        async with asyncio.timeout(WAIT_S):
            while name not in self.names():
                self._news.clear()
                await self._news.wait()
        return next(fields for told, fields in self.told if told == name)


@pytest.fixture
async def broker() -> AsyncIterator[BrokerProcess]:
    process = BrokerProcess()
    await process.start()
    yield process
    await process.stop()


def gateway_to(
    port: int,
    client_id: str,
    events: Events | None = None,
    subscriptions: Sequence[str] = (),
    incoming_max: int = 100,
) -> MqttGateway:
    return MqttGateway(
        broker=BrokerAddress(host="127.0.0.1", port=port),
        client_id=client_id,
        subscriptions=subscriptions,
        incoming_max=incoming_max,
        on_event=events or Events(),
    )


def arrive(gateway: MqttGateway, payload: bytes) -> None:
    gateway._arrive(aiomqtt.Message("t", payload, 1, False, 1, None))


@contextlib.asynccontextmanager
async def running(
    port: int,
    client_id: str,
    *,
    subscriptions: Sequence[str] = (),
    incoming_max: int = 100,
) -> AsyncIterator[tuple[MqttGateway, Events]]:
    events = Events()
    gateway = gateway_to(port, client_id, events, subscriptions, incoming_max)
    task = asyncio.create_task(gateway.run())
    try:
        yield gateway, events
    finally:
        async with asyncio.timeout(WAIT_S):
            await gateway.close()
            await task


async def connected(gateway: MqttGateway) -> None:
    async with asyncio.timeout(WAIT_S):
        await gateway.connected.wait()


async def take(gateway: MqttGateway, count: int) -> list[tuple[str, bytes]]:
    taken: list[tuple[str, bytes]] = []
    async with asyncio.timeout(WAIT_S):
        async for message in gateway.incoming:
            taken.append(message)
            if len(taken) == count:
                break
    return taken


async def test_carries_bytes_both_ways(broker: BrokerProcess) -> None:
    """What one side publishes arrives whole and in order at the other, up to 128 KiB a message."""
    async with (
        running(broker.port, "server", subscriptions=["to/server/+"]) as (server, events),
        running(broker.port, "terminal", subscriptions=["to/terminal"]) as (terminal, _),
    ):
        await connected(server)
        await connected(terminal)
        bodies = [bytes([number]) * 300 for number in range(20)] + [bytes(131_072), b""]
        for body in bodies:
            await terminal.publish("to/server/1", body)
        await server.publish("to/terminal", b"answer")

        assert [("to/server/1", body) for body in bodies] == await take(server, len(bodies))
        assert [("to/terminal", b"answer")] == await take(terminal, 1)
        assert [("broker.connected", {"host": "127.0.0.1", "port": broker.port})] == events.told


async def test_many_publications_at_once(broker: BrokerProcess) -> None:
    """More publications than may be in flight wait for each other and all arrive."""
    count = 2 * mqtt.IN_FLIGHT_MAX
    async with running(broker.port, "both", subscriptions=["t"], incoming_max=count) as (both, _):
        await connected(both)
        await asyncio.gather(*(both.publish("t", b"%d" % number) for number in range(count)))

        assert {b"%d" % number for number in range(count)} == {
            body for _, body in await take(both, count)
        }


async def test_full_queue_drops_and_tells_once_per_jam() -> None:
    """Messages beyond the bound are dropped and counted; each jam is told once."""
    events = Events()
    gateway = gateway_to(1, "slow", events=events, incoming_max=2)
    for number in range(5):
        arrive(gateway, b"%d" % number)

    assert [("t", b"0"), ("t", b"1")] == await take(gateway, 2)
    assert [("gateway.queue_full", {"queued": 2, "dropped_since_start": 1})] == events.told
    assert gateway.dropped_count == 3

    for number in range(5, 9):
        arrive(gateway, b"%d" % number)

    assert [("t", b"5"), ("t", b"6")] == await take(gateway, 2)
    assert ["gateway.queue_full", "gateway.queue_full"] == events.names()
    assert gateway.dropped_count == 5


async def test_comes_back_after_the_broker(broker: BrokerProcess) -> None:
    """When the broker stops, publishing fails; when it is back, messages flow again."""
    async with running(broker.port, "one", subscriptions=["t"]) as (gateway, events):
        await connected(gateway)
        await broker.stop()
        fields = await events.until("broker.lost")
        with pytest.raises(AdapterError, match="not connected"):
            await gateway.publish("t", b"lost")

        again = BrokerProcess(port=broker.port)
        await again.start()
        await connected(gateway)
        await gateway.publish("t", b"back")

        assert [("t", b"back")] == await take(gateway, 1)
        assert fields["reason"] == "connection_broken"
        assert events.names()[0] == events.names()[-1] == "broker.connected"
        await again.stop()


async def test_publication_under_way_fails_when_the_connection_breaks() -> None:
    """A peer that takes the message, never acknowledges it and hangs up makes publish fail."""
    silent = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(bytes.fromhex("20020000"))  # CONNACK, accepted
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server, running(server.sockets[0].getsockname()[1], "one") as (gateway, events):
        await connected(gateway)
        publishing = asyncio.create_task(gateway.publish("t", b"body"))
        silent.set()
        with pytest.raises(AdapterError, match="broke"):
            await publishing
        await events.until("broker.lost")


async def test_unreachable_broker_is_told_once() -> None:
    """An outage gives one event with a reason, however often the connection is tried."""
    holder = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = holder.sockets[0].getsockname()[1]
    holder.close()
    await holder.wait_closed()
    async with running(port, "one") as (gateway, events):
        fields = await events.until("broker.lost")

        assert {"host": "127.0.0.1", "port": port, "reason": "unreachable"} == fields
        assert not gateway.connected.is_set()


async def test_refusal_is_told_with_its_code() -> None:
    """A broker that refuses the name is told apart from one that is not there."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(bytes.fromhex("20020005"))  # CONNACK, not authorised
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server, running(server.sockets[0].getsockname()[1], "one") as (_, events):
        fields = await events.until("broker.lost")

        assert str(fields["reason"]).startswith("refused_")


async def test_close_ends_incoming() -> None:
    """After close, waiting messages are still given; then every reader comes to the end."""
    gateway = gateway_to(1, "one")
    arrive(gateway, b"last")
    await gateway.close()
    await gateway.close()
    await gateway.run()

    assert [("t", b"last")] == [message async for message in gateway.incoming]
    assert [] == [message async for message in gateway.incoming]


async def test_close_as_the_connection_comes_up(
    broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Close returns even if its cancellation is lost in the library's waiting for an answer."""
    subscribing = asyncio.Event()

    async def loses_cancellation(client: aiomqtt.Client, topics: object) -> tuple[int, ...]:
        subscribing.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return (1,)

    monkeypatch.setattr(aiomqtt.Client, "subscribe", loses_cancellation)
    async with running(broker.port, "one", subscriptions=["t"]) as (gateway, events):
        async with asyncio.timeout(WAIT_S):
            await subscribing.wait()
            await gateway.close()

        assert not gateway.connected.is_set()
    assert [] == events.names()


async def test_socket_has_no_delay(broker: BrokerProcess) -> None:
    """Nagle's algorithm is off, or each telegram would wait 44 ms for an acknowledgement."""
    async with running(broker.port, "one") as (gateway, _):
        await connected(gateway)
        assert gateway._client is not None
        client_socket = gateway._client._client.socket()
        assert isinstance(client_socket, socket.socket)

        assert client_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_a_socket_closed_before_it_is_watched_makes_no_traceback(
    broker: BrokerProcess,
) -> None:
    """Of a connection that broke a moment ago nothing is printed; other errors are told on."""
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[str] = asyncio.Queue()
    loop.set_exception_handler(lambda _loop, context: told.put_nowait(str(context["message"])))
    gone, other = socket.socketpair()
    number = gone.fileno()
    gone.close()
    async with running(broker.port, "watcher") as (gateway, _):
        await connected(gateway)
        loop.call_soon_threadsafe(loop.add_writer, number, int)
        loop.call_soon_threadsafe(loop.remove_writer, "nonsense")
        async with asyncio.timeout(WAIT_S):
            assert "remove_writer" in await told.get()
    other.close()

    assert told.empty()


async def test_misuse_is_told() -> None:
    """A queue without room and a second run are bugs of the caller."""
    with pytest.raises(Misuse):
        gateway_to(1, "x", incoming_max=0)
    async with running(1, "one") as (gateway, _):
        await asyncio.sleep(0)
        with pytest.raises(Misuse):
            await gateway.run()
