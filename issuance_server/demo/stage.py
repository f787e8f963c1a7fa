"""What scenes need: a city folder, a server process, and terminals as processes."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from issuance_server.adapters.control_socket import ask_control
from issuance_server.control import wire
from issuance_server.desk_commands.set_up import init
from protocol.errors import SetUpError

SERVER_START_S_MAX = 30
SERVER_STOP_S_MAX = 90
PANEL_PORT = 8091
PANEL_STOP_S_MAX = 30
TERMINAL_S_MAX = 60
_MARK = ".made-by-make-demo"


def program(name: str, module: str) -> list[str]:
    """Return how to start one of the project's programs: the command beside this Python."""
    script = Path(sys.executable).with_name(name)
    return [str(script)] if script.exists() else [sys.executable, "-P", "-m", module]


ISSUANCE_SERVER = program("issuance-server", "issuance_server")
TERMINAL_SIM = program("terminal-sim", "terminal_sim")


def free_port() -> int:
    """Return a TCP port on loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fresh_city(folder: Path) -> None:
    """Make the sample city anew; an older one is removed only if it was made here.

    Raises:
        SetUpError: the folder holds something else.
    """
    if folder.exists():
        if not (folder / _MARK).exists():
            raise SetUpError(f"{folder} was not made by the demonstration; move it away")
        shutil.rmtree(folder)
    init(folder, sample="toyonaka", broker_port=free_port())
    (folder / _MARK).touch()


def is_open(folder: Path) -> bool:
    """Tell whether a server answers on the city's control socket."""
    question = wire.encode(wire.ListIssuances(limit=0))
    answer = asyncio.run(ask_control(folder / "run" / "control.sock", question))
    return answer is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running issuance server; its log lines are JSON in ``log_file``."""

    process: "subprocess.Popen[bytes]"
    log_file: Path

    def stop(self) -> int:
        """Ask it to stop in order, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SERVER_STOP_S_MAX)


def start_server(folder: Path, *options: str) -> Server:
    """Start the city's server and wait until it says so in its log.

    Raises:
        SetUpError: it ended instead; the end of its log says why.
    """
    log_file = folder / "log" / "server.jsonl"
    log_file.parent.mkdir(exist_ok=True)
    seen = log_file.stat().st_size if log_file.exists() else 0
    command = [*ISSUANCE_SERVER, "run", "--config", str(folder / "server.toml")]
    with log_file.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # our own program
            [*command, "--log-format", "json", *options],
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we stop it in order
        )
    until = time.monotonic() + SERVER_START_S_MAX
    while time.monotonic() < until:
        text = log_file.read_bytes()[seen:].decode()
        if '"event":"server.started"' in text:
            return Server(process=process, log_file=log_file)
        if process.poll() is not None:
            raise SetUpError(f"the server did not start:\n{text.strip()}")
        time.sleep(0.05)
    process.kill()
    raise SetUpError(f"the server was not ready within {SERVER_START_S_MAX} s; see {log_file}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The touch panel of one machine, served to browsers on this computer."""

    process: "subprocess.Popen[str]"
    address: str

    def stop(self) -> None:
        """Switch the machine off in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PANEL_STOP_S_MAX)


def start_panel(folder: Path, terminal: str) -> Panel:
    """Start a machine with sample cards beside it, and wait until its panel is served.

    Raises:
        SetUpError: it ended instead; what it said is on standard error.
    """
    process = subprocess.Popen(  # noqa: S603  # our own program
        [
            *TERMINAL_SIM,
            "kiosk",
            *("--terminal", str(folder / "terminals" / terminal)),
            *("--cards", str(folder / "cards"), "--notes", str(folder / "README.md")),
            *("--out", str(folder / "paper"), "--port", str(_panel_port())),
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # as with the server
    )
    told = process.stdout.readline() if process.stdout else ""
    address = next((word for word in told.split() if word.startswith("http://")), "")
    if not address:
        process.kill()
        raise SetUpError(f"the panel of {terminal} was not served")
    return Panel(process=process, address=address)


def _panel_port() -> int:
    """Return the usual port, so that a page stays where it was; 0 if somebody else has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PANEL_PORT))
        except OSError:
            return 0
    return PANEL_PORT


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """Run a server while the block runs, and stop it in order."""
    server = start_server(folder, *options)
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One run of ``terminal-sim issue``.

    Attributes:
        terminal: where.
        card: name of the card file, such as ``h001-m1``.
        pins: the PINs to type, one after the other.
        options: further words of the command line.
    """

    terminal: str
    card: str
    pins: tuple[str, ...]
    options: tuple[str, ...] = ()

    def command(self, folder: Path, *, out: Path) -> list[str]:
        """Return the command line."""
        pins = [word for pin in self.pins for word in ("--pin", pin)]
        return [
            *TERMINAL_SIM,
            "issue",
            *("--terminal", str(folder / "terminals" / self.terminal / "terminal.toml")),
            *("--card", str(folder / "cards" / f"{self.card}.card.json")),
            *pins,
            *(() if "--certificate" in self.options else ("--certificate", "juminhyo")),
            *self.options,
            *("--out", str(out)),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a visit."""

    exit_status: int
    result: dict[str, Any]


def run_visits(folder: Path, visits: Sequence[Visit], stage: TextIO) -> list[Seen]:
    """Run visits at the same time, each as a process, and show what the terminals say."""
    started = [(visit, _start(folder, visit)) for visit in visits]
    speakers = [
        threading.Thread(target=_repeat, args=(process, visit.terminal, stage))
        for visit, process in started
    ]
    for speaker in speakers:
        speaker.start()
    seen = []
    for _, process in started:
        output = process.stdout.read() if process.stdout else ""
        exit_status = process.wait(TERMINAL_S_MAX)
        seen.append(Seen(exit_status=exit_status, result=json.loads(output) if output else {}))
    for speaker in speakers:
        speaker.join()
    return seen


def _start(folder: Path, visit: Visit) -> "subprocess.Popen[str]":
    out = folder / "paper"
    out.mkdir(exist_ok=True)
    return subprocess.Popen(  # noqa: S603  # our own program
        [*visit.command(folder, out=out), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def _repeat(process: "subprocess.Popen[str]", terminal: str, stage: TextIO) -> None:
    for line in process.stderr or ():
        stage.write(f"    {terminal} | {line.rstrip()}\n")
        stage.flush()
