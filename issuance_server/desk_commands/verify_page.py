"""``issuance-server verify-page``: the page that tells whether a certificate is genuine."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn

from issuance_server import city
from issuance_server.adapters.hardening import harden, silence_libraries
from issuance_server.certificates.verify.verdict import NumberStatus
from issuance_server.control import wire
from issuance_server.desk_commands.parsing import Commands, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.verify_page.guard import Origins
from issuance_server.verify_page.page import City, verification_page
from issuance_server.verify_page.workers import Workers
from keys.key_record import Purpose
from keys.trust import CityTrust
from protocol.errors import SetUpError

HOST = "127.0.0.1"
PORT = 8090
CONNECTIONS_MAX = 64
QUIET_SECONDS_MAX = 5
STOP_SECONDS_MAX = 5
EXIT_DONE = 0


def add_commands(commands: Commands) -> None:
    """Add ``verify-page``."""
    page = commands.add_parser(
        "verify-page",
        help="serve the page that tells whether a certificate is genuine, until Ctrl-C",
        description="Serve a web page that does what verify does, for a file or a photograph, and"
        " stores nothing. It speaks plain HTTP: put a proxy with TLS before it to serve others than"
        " this machine, and name the proxy's address with --public-address.",
    )
    add_config(page)
    page.add_argument(
        "--trust",
        type=Path,
        metavar="FOLDER",
        help="use the public keys in this folder (issuance-keys export --out) alone, without the"
        " city's records",
    )
    page.add_argument("--host", default=HOST, help="address to listen on (%(default)s)")
    page.add_argument(
        "--port", type=_port, default=PORT, help="TCP port; 0 for any that is free (%(default)s)"
    )
    page.add_argument(
        "--public-address",
        action="append",
        default=[],
        metavar="URL",
        help="where visitors reach the page, if not here: https://verify.example.jp/; may be"
        " repeated; the configuration's city.verify_page is one by itself",
    )
    page.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.trust is None:
        return of_city(serve_with_records)(arguments)
    CityTrust.load(arguments.trust)
    city = City(name="", trust=lambda: CityTrust.load(arguments.trust))
    reading = ["--trust", str(arguments.trust)]
    return asyncio.run(_serve(city, reading, arguments, arguments.public_address))


async def serve_with_records(configured: city.City, arguments: argparse.Namespace) -> int:
    """Serve the page of a configured city, which looks numbers up in its records."""

    async def statuses_of(numbers: Sequence[str]) -> Sequence[NumberStatus]:
        statuses: list[NumberStatus] = []
        for start in range(0, len(numbers), wire.NUMBERS_MAX):
            asked = tuple(numbers[start : start + wire.NUMBERS_MAX])
            answer = await ask(configured, wire.ReadNumbers(numbers=asked))
            if not isinstance(answer, wire.Numbers):
                raise SetUpError("the server gave another answer than was asked")
            statuses += answer.statuses
        return statuses

    folder = configured.paths.key_folder
    city = City(
        name=configured.config.city.name,
        trust=lambda: CityTrust.load(folder.trust),
        statuses_of=statuses_of,
    )
    reading = ["--trust", str(folder.trust)]
    if folder.records(Purpose.BACK):
        reading += ["--keys", str(folder.root), "--storage", str(folder.storage)]
    else:
        sys.stderr.write(
            "verify-page: there is no secret of backs here, so scans of both sides are not"
            f" compared; issuance-keys rotate back {folder.root} makes one\n"
        )
    public = [*arguments.public_address, configured.config.city.verify_page]
    return await _serve(city, reading, arguments, public)


async def _serve(
    city: City, reading: Sequence[str], arguments: argparse.Namespace, public: Sequence[str]
) -> int:
    """Serve until SIGINT or SIGTERM."""
    with _listening(arguments.host, arguments.port) as listener:
        host, port = listener.getsockname()[:2]
        harden()  # what is uploaded goes into no core file and no log
        silence_libraries()
        async with Workers(reading) as workers:
            page = verification_page(city, workers, Origins.of(host=host, port=port, public=public))
            server = _Server(
                uvicorn.Config(
                    page,
                    access_log=False,  # who verified what is nobody's business
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
            sys.stdout.write(f"the page is at http://{shown}:{port}/ (Ctrl-C stops it)\n")
            sys.stdout.flush()
            await server.serve(sockets=[listener])
    return EXIT_DONE


class _Server(uvicorn.Server):
    """Ends orderly on SIGINT and SIGTERM, and does not raise them again as uvicorn does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to the signals while the page is served."""
        loop = asyncio.get_running_loop()
        stops = (signal.SIGINT, signal.SIGTERM)
        for stop in stops:
            loop.add_signal_handler(stop, self._stop)
        try:
            yield
        finally:
            for stop in stops:
                loop.remove_signal_handler(stop)

    def _stop(self) -> None:
        self.should_exit = True


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


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004  # TCP has no more
        raise argparse.ArgumentTypeError("from 0 to 65535")
    return port
