"""A small MQTT broker in a child process, so that a laptop needs nothing but pip.

``python -m issuance_server.adapters.embedded_broker --port N`` listens on loopback only, lets
every client in (the lines inside are authenticated and encrypted end to end), prints one line
``ready HOST PORT`` on standard output, and ends when its standard input does: a parent that dies
takes it along. A city runs a broker of its own instead.

It is amqtt: MQTT 3.1.1, no shared subscriptions, sessions of anonymous clients die with their
connection, and no status topics unless a plugin is loaded.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import sys
import threading
from asyncio import StreamReader, StreamWriter

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker

from protocol.errors import SetUpError

PORT_WAIT_MS_MAX = 5_000  # a broker that was just stopped may hold the port for a moment
PORT_RETRY_MS = 100
CONNECTIONS_MAX = 1_024
STDIN_FD, STDOUT_FD = 0, 1
STDIN_PIECE_BYTES = 4_096

_LISTENER = "default"
_CONFIG = {
    "listeners": {_LISTENER: {"type": "external"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


class EmbeddedBroker:
    """amqtt behind a listener of ours, which knows its port and how many may come."""

    def __init__(self) -> None:
        self._connections: set[StreamWriter] = set()
        self._broker: Broker | None = None
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on ``host``; returns the port, which the system picks if ``port`` is 0.

        Raises:
            SetUpError: ``host`` is not loopback, or the port stayed busy.
        """
        if not _is_loopback(host):
            raise SetUpError(
                f"the embedded broker listens on loopback only, not on {host}: "
                "for other machines run a broker of their own, such as mosquitto"
            )
        self._broker = Broker(_CONFIG)
        await self._broker.start()
        self._server = await self._listen(host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Stop listening and cut all connections.

        amqtt's own shutdown is left out: it waits for its clients, and there is no state to save.
        """
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # it complains of being cut off
        if self._server is not None:
            self._server.close()
        for writer in self._connections:
            writer.transport.abort()

    async def _listen(self, host: str, port: int) -> asyncio.Server:
        clock = asyncio.get_running_loop().time
        give_up = clock() + PORT_WAIT_MS_MAX / 1000
        while True:
            try:
                # asyncio sets TCP_NODELAY on what it accepts.
                return await asyncio.start_server(self._serve, host, port)
            except OSError as error:
                if clock() >= give_up:
                    raise SetUpError(
                        f"port {port} on {host} is taken: stop the program that listens there, "
                        f"or choose another port ({error.strerror})"
                    ) from error
            await asyncio.sleep(PORT_RETRY_MS / 1000)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._broker is None or len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(writer)
        try:
            await self._broker.external_connected(
                StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER
            )
        finally:
            self._connections.discard(writer)
            writer.close()


class _PlaceOnly(logging.Formatter):
    """Tells where amqtt complained, not what it said: its texts can hold topics and payloads."""

    def format(self, record: logging.LogRecord) -> str:
        return f"embedded broker: {record.levelname.lower()} at {record.name}:{record.lineno}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _quiet_logs() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlaceOnly())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _stop_when_stdin_ends(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def wait_for_end() -> None:
        while os.read(STDIN_FD, STDIN_PIECE_BYTES):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, name="stdin", daemon=True).start()


async def _run(host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    _stop_when_stdin_ends(loop, stop)
    broker = EmbeddedBroker()
    try:
        bound_port = await broker.start(host, port)
        # A parent that died meanwhile takes us along, and nobody is left to be told.
        with contextlib.suppress(BrokenPipeError):
            os.write(STDOUT_FD, f"ready {host} {bound_port}\n".encode())
            await stop.wait()
    finally:
        broker.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run the broker until standard input ends; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m issuance_server.adapters.embedded_broker",
        description="A small MQTT broker on loopback, for trying out. Ends with standard input.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address (%(default)s)")
    parser.add_argument("--port", type=int, required=True, help="TCP port; 0 for any free one")
    options = parser.parse_args(arguments)
    _quiet_logs()
    try:
        asyncio.run(_run(options.host, options.port))
    except SetUpError as error:
        print(f"embedded broker: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
