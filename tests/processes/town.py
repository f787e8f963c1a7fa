"""A city as real processes: server, broker, judge, renderer, terminals."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from issuance_server.demo.stage import ISSUANCE_SERVER, TERMINAL_SIM, Server, Visit, start_server
from issuance_server.desk_commands.set_up import sample_pin

WAIT_S_MAX = 60


@dataclass(slots=True, kw_only=True)
class Terminal:
    """A running ``terminal-sim`` whose words are collected."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)
    output: str = ""

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        if self.process.stdout is not None:
            self.output = self.process.stdout.read()
        return self.process.wait(WAIT_S_MAX)

    @property
    def result(self) -> dict[str, Any]:
        """What it printed with ``--json``."""
        return json.loads(self.output)


@dataclass(slots=True, kw_only=True)
class Town:
    """The city's folder and the processes that were started on it."""

    folder: Path
    port: int
    server: Server | None = None
    terminals: list[Terminal] = field(default_factory=list)

    @property
    def paper(self) -> Path:
        """Where the terminals lay their paper."""
        return self.folder / "paper"

    @property
    def log_text(self) -> str:
        """Everything that the server has logged."""
        path = self.folder / "log" / "server.jsonl"
        return path.read_text() if path.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of one event."""
        lines = (json.loads(line) for line in self.log_text.splitlines() if line.startswith("{"))
        return [line for line in lines if line.get("event") == name]

    def start(self, *options: str) -> Server:
        """Start the server."""
        self.server = start_server(self.folder, *options)
        return self.server

    def kill(self) -> None:
        """Kill the server as ``kill -9`` does; its children notice by themselves."""
        assert self.server is not None
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait(WAIT_S_MAX)

    def end(self) -> None:
        """End everything that still runs."""
        for terminal in self.terminals:
            if terminal.process.poll() is None:
                terminal.process.kill()
                terminal.process.wait()
        if self.server is not None and self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()

    def issue(
        self, terminal: str, card: str, *options: str, pins: tuple[str, ...] = ()
    ) -> Terminal:
        """Start ``terminal-sim issue`` with the card's right PIN, or with those given."""
        visit = Visit(
            terminal=terminal, card=card, pins=pins or (sample_pin(card),), options=options
        )
        self.paper.mkdir(exist_ok=True)
        return self.begin([*visit.command(self.folder, out=self.paper), "--json"])

    def settle(self, terminal: str) -> int:
        """Run ``terminal-sim settle`` and return its exit status."""
        place = self.folder / "terminals" / terminal / "terminal.toml"
        return self.begin([*TERMINAL_SIM, "settle", "--terminal", str(place)]).wait()

    def begin(self, command: list[str]) -> Terminal:
        """Start a program and collect what it says on standard error."""
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        started = Terminal(process=process)
        self.terminals.append(started)

        def listen() -> None:
            for line in process.stderr or ():
                started.said.append(line.rstrip())

        threading.Thread(target=listen, daemon=True).start()
        return started

    def city(self, *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command of ``issuance-server`` on this city."""
        command = [*ISSUANCE_SERVER, *words, "--config", str(self.folder / "server.toml")]
        return subprocess.run(
            command, input=typed, capture_output=True, text=True, check=False, timeout=WAIT_S_MAX
        )

    def plain(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ``issuance-server`` that needs no city."""
        return subprocess.run(
            [*ISSUANCE_SERVER, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S_MAX,
        )

    def issuances(self) -> list[dict[str, Any]]:
        """Return the table of issuances."""
        return json.loads(self.city("issuance", "list", "--json").stdout)

    def terminals_listed(self) -> list[dict[str, Any]]:
        """Return the list of terminals."""
        return json.loads(self.city("terminal", "list", "--json").stdout)

    def child_process(self, module: str) -> int:
        """Return the process number of one of the server's children."""
        assert self.server is not None
        parent = self.server.process.pid
        tasks = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in tasks:
            if module in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
        raise AssertionError(f"no child runs {module}")


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail with its name if it never does."""
    until = time.monotonic() + WAIT_S_MAX
    while not holds():
        assert time.monotonic() < until, f"waited in vain until {what}"
        time.sleep(0.002)


def alive(process: int) -> bool:
    """Tell whether a process exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
