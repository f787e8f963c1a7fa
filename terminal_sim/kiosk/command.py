"""``terminal-sim kiosk``: serve the panel until Ctrl-C."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from protocol.errors import SetUpError
from terminal_sim.config import TerminalConfig
from terminal_sim.devices import Printer
from terminal_sim.kiosk.cabinet import Tray
from terminal_sim.kiosk.guard import hosts_of
from terminal_sim.kiosk.kiosk import Kiosk, Surroundings
from terminal_sim.kiosk.page import kiosk_page
from terminal_sim.opening import Clock, gateway

CONNECTIONS_MAX = 64
QUIET_SECONDS_MAX = 5
STOP_SECONDS_MAX = 1
"""The stream of screens never ends by itself."""


def serve_kiosk(config: TerminalConfig, arguments: argparse.Namespace) -> int:
    """Serve the panel until SIGINT or SIGTERM.

    Raises:
        SetUpError: port, cards or tray are not as needed.
        KeyManagementError: keys or cards are not as needed.
    """
    config.load_keys()
    names = tuple(name for name in arguments.show.split(",") if name)
    tray = Tray.lay_out(arguments.cards, names=names, notes=arguments.notes)
    try:
        Printer(arguments.out).make_ready()
    except OSError as error:
        raise SetUpError(
            f"no paper can be laid into {arguments.out}: {error.strerror or error}; give another "
            "--out"
        ) from None
    asyncio.run(_serve(config, tray, arguments))
    return 0


async def _serve(config: TerminalConfig, tray: Tray, arguments: argparse.Namespace) -> None:
    with _listening(arguments.host, arguments.port) as listener:
        host, port = listener.getsockname()[:2]
        surroundings = Surroundings(
            clock=Clock(),
            carrier=lambda: gateway(config, lambda _: None),
            sheet_ms=arguments.sheet_ms,
        )
        kiosk = Kiosk(config, tray=tray, paper=arguments.out, surroundings=surroundings)
        server = _Server(
            uvicorn.Config(
                kiosk_page(kiosk, hosts_of(host, port)),
                access_log=False,
                log_config=None,
                log_level="critical",
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=QUIET_SECONDS_MAX,
                timeout_graceful_shutdown=STOP_SECONDS_MAX,
            )
        )
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"the panel is at http://{shown}:{port}/ (Ctrl-C stops it)\n")
        sys.stdout.flush()
        running = asyncio.create_task(kiosk.run())
        running.add_done_callback(server.stop)
        await server.serve(sockets=[listener])
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class _Server(uvicorn.Server):
    """Ends orderly on SIGINT and SIGTERM, and does not raise them again as uvicorn does."""

    def stop(self, _ended: object = None) -> None:
        """Serve no more."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to the signals while the panel is served."""
        loop = asyncio.get_running_loop()
        stops = (signal.SIGINT, signal.SIGTERM)
        for stop in stops:
            loop.add_signal_handler(stop, self.stop)
        try:
            yield
        finally:
            for stop in stops:
                loop.remove_signal_handler(stop)


def _listening(host: str, port: int) -> socket.socket:
    """Open the port before anything else is started.

    Raises:
        SetUpError: it is in use, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SetUpError(
            f"{host} port {port} cannot be listened on: {error.strerror}; choose another one with"
            " --port or --host"
        ) from None
