"""Commands run as people run them, and a server that only answers commands."""

import asyncio
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from issuance_server import config
from issuance_server.__main__ import main
from issuance_server.adapters.control_socket import serve_control
from issuance_server.adapters.file_lock import only_one
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.adapters.system import SystemClock
from issuance_server.city import City
from issuance_server.control.desk import ControlDesk
from issuance_server.core.copy_changes import staged_by
from issuance_server.core.effects import DropKey, Effect, Log
from issuance_server.core.inputs import ActAccepted, ActEnded
from issuance_server.core.switch import Switch
from issuance_server.desk_commands import serving
from issuance_server.observe.logging import EventLog
from issuance_server.runtime.commit_loop import CommitLoop
from issuance_server.runtime.folding import folded_state

PASSPHRASE = "toyonaka-sample"
WAIT_S = 20


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass
class Commands:
    """Runs ``issuance-server`` in this process on one city."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def config(self) -> Path:
        return self.folder / "server.toml"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "city.db"

    def city(self) -> City:
        """Return the configured city."""
        return City.load(self.config, config.load(self.config))

    def run(self, *arguments: str, stdin: str = "") -> Ran:
        """Run a command that works on the city."""
        return self.plain(*arguments, "--config", str(self.config), stdin=stdin)

    def plain(self, *arguments: str, stdin: str = "") -> Ran:
        """Run a command as it stands."""
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self.monkeypatch.setattr(serving, "harden", lambda: None)  # for this process is pytest's
        self.capture.readouterr()
        status = main(arguments)
        out, err = self.capture.readouterr()
        return Ran(status, out, err)

    def act(self, *arguments: str, passphrase: str = PASSPHRASE, operator: str = "mado-1") -> Ran:
        """Run a command that changes something."""
        return self.run(
            *arguments,
            *("--operator", operator, "--reason", "came to the counter", "--passphrase-stdin"),
            stdin=passphrase + "\n",
        )

    def act_of_two(self, *arguments: str, typed: str = "", second: str = "mado-2") -> Ran:
        """Run a command that takes two operators, and perhaps a PIN after the passphrases."""
        return self.run(
            *arguments,
            *("--operator", "mado-1", "--second-operator", second),
            *("--reason", "came to the counter", "--passphrase-stdin"),
            stdin=f"{PASSPHRASE}\n{PASSPHRASE}\n{typed}\n",
        )

    @contextmanager
    def served(self) -> Iterator[io.BytesIO]:
        """Answer commands from another thread, as a running server does; give its log."""
        stream = io.BytesIO()
        log = EventLog()
        log.configure(log_format="json", stream=stream)
        ready, stop = threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with AsyncExitStack() as stack:
                await _start(self.city(), log, stack)
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        assert ready.wait(WAIT_S)
        try:
            yield stream
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


async def _start(city: City, log: EventLog, stack: AsyncExitStack) -> None:
    """Start what a server needs to answer commands."""
    await stack.enter_async_context(only_one(city.paths.database))
    store = await SqliteStore.open(city.paths.database)
    stack.push_async_callback(store.close)
    judge = city.judge()
    await judge.start()
    stack.push_async_callback(judge.stop)
    clock = SystemClock()

    def perform(effect: Effect) -> None:
        if isinstance(effect, Log):
            log(effect.event, **effect.fields)
        else:
            assert isinstance(effect, DropKey), effect

    async def record(act: ActAccepted | ActEnded) -> None:
        state = await folded_state(store, clock.now().real_ms)
        commits = CommitLoop(
            switch=Switch(city.config.rules("served"), state),
            store=store,
            clock=clock,
            perform=perform,
            committed=lambda: None,
        )
        staged = staged_by(act.change) if isinstance(act, ActAccepted) else None
        await commits.commit([act], attached=staged)

    desk = ControlDesk(
        queries=Queries(city.paths.database),
        judge=judge,
        believed=city.believed(),
        record=record,
        clock=clock,
        log=log,
    )
    await stack.enter_async_context(serve_control(city.paths.control_socket, desk.handle))
