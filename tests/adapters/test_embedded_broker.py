"""The embedded broker as a program, and behind its listener."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys

import aiomqtt
import pytest

from issuance_server.adapters import broker_process, embedded_broker
from issuance_server.adapters.broker_process import BrokerProcess
from issuance_server.adapters.embedded_broker import EmbeddedBroker
from protocol.errors import Misuse, SetUpError

PROGRAM = [sys.executable, "-m", "issuance_server.adapters.embedded_broker"]
TURNS_MAX = 5  # of the event loop, from a line's arrival to the one who waits for it


@pytest.mark.processes
def test_ends_with_its_standard_input() -> None:
    """A parent that goes away closes the pipe, and the broker ends in order."""
    with subprocess.Popen(
        [*PROGRAM, "--port", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as broker:
        assert broker.stdout is not None
        assert broker.stdin is not None
        assert broker.stdout.readline().startswith(b"ready 127.0.0.1 ")
        broker.stdin.close()

        assert broker.wait(timeout=10) == 0


@pytest.mark.processes
def test_ends_quietly_where_nobody_hears_that_it_is_ready() -> None:
    """A parent killed while its broker starts leaves no traceback in the log of them both."""
    hearing, speaking = os.pipe()
    os.close(hearing)
    with subprocess.Popen(
        [*PROGRAM, "--port", "0"], stdin=subprocess.PIPE, stdout=speaking, stderr=subprocess.PIPE
    ) as broker:
        os.close(speaking)
        assert broker.stderr is not None
        assert b"" == broker.stderr.read()

    assert 0 == broker.returncode


@pytest.mark.processes
async def test_tells_places_only(capfd: pytest.CaptureFixture[str]) -> None:
    """A client without manners is worth a line, but no line holds what was carried."""
    process = BrokerProcess()
    await process.start()
    _, rude = await asyncio.open_connection(process.host, process.port)
    rude.transport.abort()
    client = aiomqtt.Client(process.host, process.port, identifier="one")
    await client.__aenter__()
    await client.subscribe("t", qos=1)
    await client.publish("t", b"PAYLOAD", qos=1)
    await process.stop()

    lines = capfd.readouterr().err.splitlines()
    assert all(re.fullmatch(r"embedded broker: \w+ at [\w.]+:\d+", line) for line in lines), lines


def test_busy_port_is_told_plainly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that stays taken ends the start with one sentence and no traceback."""
    monkeypatch.setattr(embedded_broker, "PORT_WAIT_MS_MAX", 0)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]

        assert embedded_broker.main(["--port", str(port)]) == 1
    assert f"port {port} on 127.0.0.1 is taken" in capsys.readouterr().err


async def test_port_is_tried_again_while_busy() -> None:
    """A port that becomes free within the wait is taken."""
    holder = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = holder.sockets[0].getsockname()[1]
    broker = EmbeddedBroker()
    starting = asyncio.create_task(broker.start("127.0.0.1", port))
    asyncio.get_running_loop().call_later(0.05, holder.close)

    assert port == await starting
    broker.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "broker.example"])
async def test_listens_on_loopback_only(host: str) -> None:
    """It lets everybody in, so it may not be reachable from another machine."""
    with pytest.raises(SetUpError, match="loopback only"):
        await EmbeddedBroker().start(host, 0)


async def test_accepted_sockets_have_no_delay() -> None:
    """The broker's answers leave at once, or each telegram would wait 44 ms."""
    broker = EmbeddedBroker()
    port = await broker.start("127.0.0.1", 0)
    async with aiomqtt.Client("127.0.0.1", port, identifier="one"):
        (writer,) = broker._connections
        accepted = writer.get_extra_info("socket")

        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    broker.stop()


async def test_number_of_connections_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection too many is closed at once."""
    monkeypatch.setattr(embedded_broker, "CONNECTIONS_MAX", 0)
    broker = EmbeddedBroker()
    port = await broker.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    broker.stop()


@pytest.mark.processes
async def test_process_is_started_once() -> None:
    """A second start is the caller's bug; a stopped broker cannot be waited for."""
    process = BrokerProcess()
    await process.start()
    with pytest.raises(Misuse):
        await process.start()
    await process.stop()
    await process.stop()
    with pytest.raises(Misuse):
        await process.wait()


@pytest.mark.processes
async def test_stop_that_was_cancelled_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that does not end by itself is not forgotten with the one who waited, but killed."""
    process = BrokerProcess()
    await process.start()
    assert process._process is not None
    number = process._process.pid
    os.kill(number, signal.SIGSTOP)
    stopping = asyncio.create_task(process.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    monkeypatch.setattr(broker_process, "STOP_WAIT_MS_MAX", 1)
    await process.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


class Talks(asyncio.subprocess.Process):
    """Stands for a broker's process of which only the standard output is read."""

    def __init__(self) -> None:
        self.stdout = asyncio.StreamReader()


@pytest.mark.parametrize("turns", range(TURNS_MAX))
async def test_cancellation_beside_the_ready_line_is_not_lost(turns: int) -> None:
    """A server that is told to stop as its broker comes up stops: the accepted word counts."""
    broker = Talks()
    starting = asyncio.create_task(BrokerProcess()._ready_port(broker))
    for _ in range(TURNS_MAX):
        await asyncio.sleep(0)
    assert broker.stdout is not None
    broker.stdout.feed_data(b"ready 127.0.0.1 1883\n")
    for _ in range(turns):
        await asyncio.sleep(0)

    if starting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await starting
    else:
        assert 1883 == await starting
