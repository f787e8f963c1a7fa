"""A plugin for pytest: tests that are traces, played against a city that is started for them.

``@pytest.mark.trace("course.jsonl")`` lets the conversation of the file happen again before the
test runs, and fails with the telegram that was expected and the one that came, field by field. The
city is a fresh sample, started once for all tests by its own commands, or one that stands elsewhere
(``--trace-server``). ``docs/testing-with-traces.md`` tells more.
"""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from protocol.errors import KofuError

if TYPE_CHECKING:
    from terminal_sim.replay.playing import Played

MARKER = "trace"
START_S_MAX = 60
STOP_S_MAX = 2
"""What a failed test left unfinished is waited for no longer; the city is thrown away."""
PORT_MAX = 65_535
_STARTED = '"event":"server.started"'
_LOOK_AGAIN_S = 0.02
_LOG_CHARACTERS = 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of traces."""
    group = parser.getgroup("traces", "telegram traces, played against a city")
    group.addoption(
        "--trace-update",
        action="store_true",
        help="write into the files what the city really says, instead of comparing",
    )
    group.addoption("--trace-server", metavar="HOST:PORT", help="the broker of a city that runs")
    group.addoption("--trace-terminals", metavar="DIR", help="terminals of that city")
    group.addoption("--trace-cards", metavar="DIR", help="cards of that city; default: ../cards")
    group.addoption("--trace-pins", metavar="FILE", help="their PINs; default: ../README.md")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "trace(file, cards={}, ignore=()): play a telegram trace against the city of the session; "
        "the file is looked for beside the test",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCity:
    """A city that traces are played against.

    Attributes:
        terminals: folder of its terminals.
        cards: folder of its cards.
        pins: file with their PINs; None: none are known.
        broker: host and port, where they are others than in the terminals' files.
        log: what the city says, where it was started here; None: it stands elsewhere.
    """

    terminals: Path
    cards: Path
    pins: Path | None
    broker: tuple[str, int] | None = None
    log: Path | None = None

    def play(
        self,
        trace: Path,
        *,
        cards: dict[str, str] | None = None,
        ignore: tuple[str, ...] = (),
        to_the_end: bool = False,
    ) -> "Replayed":
        """Let a conversation happen again.

        Args:
            trace: ``.trace``, ``.jsonl`` or ``.scenario.toml``.
            cards: files of cards by their names in the trace; ``new`` for one that nobody knows.
            ignore: names of fields that may differ.
            to_the_end: go on after an answer of another kind.
        """
        # Imported here: pytest loads a plugin before anything is measured or needed.
        from protocol.shells.trace_reading import read_trace  # noqa: PLC0415
        from terminal_sim.replay.cast import Cast, read_pins  # noqa: PLC0415
        from terminal_sim.replay.command import play_all  # noqa: PLC0415
        from terminal_sim.replay.hand import Wallet  # noqa: PLC0415
        from terminal_sim.replay.script import script_of  # noqa: PLC0415

        script = script_of(read_trace(trace))
        pins = {} if self.pins is None else read_pins(self.pins)
        wallet = Wallet(files=cards or {}, folder=self.cards, pins=pins)
        cast = Cast(folders=[self.terminals], wallet=wallet, broker=self.broker)
        (played,) = play_all(
            script,
            cast.hands(script.terminals, 1),
            None,
            ignore=frozenset(ignore),
            to_the_end=to_the_end,
        )
        return Replayed(path=trace, script=script, played=played)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A trace that was played.

    Attributes:
        path: its file.
        script: what was played.
        played: what came of it.
    """

    path: Path
    script: Any = field(repr=False)
    played: "Played"

    def check(self) -> None:
        """Fail the test if something came otherwise."""
        from terminal_sim.replay.report import words_of  # noqa: PLC0415

        if not self.played.as_recorded:
            pytest.fail("\n".join(words_of(self.path.name, self.played)), pytrace=False)

    def update(self) -> None:
        """Write into the file what the city really said."""
        from terminal_sim.replay.report import as_it_was, lines_of  # noqa: PLC0415

        if self.path.suffix != ".jsonl" or self.script.of_an_earlier_version:
            self.check()  # written by hand, or kept as it was recorded
            return
        if not self.played.as_recorded:
            entries = as_it_was(self.script, self.played, keep_patterns=True)
            self.path.write_text(lines_of(entries), encoding="utf-8")


_CITY = pytest.StashKey[TraceCity]()


@pytest.fixture(scope="session")
def trace_city(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TraceCity]:
    """A city that runs for all tests of the session."""
    server = request.config.getoption("--trace-server")
    terminals = request.config.getoption("--trace-terminals")
    if (server is None) != (terminals is None):
        raise pytest.UsageError("--trace-server and --trace-terminals are given together")
    if server is not None:
        yield _city_elsewhere(request.config, server, Path(terminals))
        return
    folder = tmp_path_factory.mktemp("trace-city") / "city"
    yield from _own_city(folder)


@pytest.fixture(autouse=True)
def _trace_city_of_the_test(request: pytest.FixtureRequest) -> None:
    """Have the city ready where a marker asks for it."""
    if request.node.get_closest_marker(MARKER) is not None:
        request.node.stash[_CITY] = request.getfixturevalue("trace_city")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Play what the marker names, before the test itself."""
    marker = pyfuncitem.get_closest_marker(MARKER)
    if marker is None:
        return
    if len(marker.args) != 1:
        pytest.fail('the marker names one file: @pytest.mark.trace("course.jsonl")', pytrace=False)
    update = bool(pyfuncitem.config.getoption("--trace-update"))
    try:
        replayed = pyfuncitem.stash[_CITY].play(
            pyfuncitem.path.parent / marker.args[0],
            cards=marker.kwargs.get("cards"),
            ignore=tuple(marker.kwargs.get("ignore", ())),
            to_the_end=update,
        )
    except KofuError as error:
        pytest.fail(str(error), pytrace=False)
    if update:
        replayed.update()
    else:
        replayed.check()


def _city_elsewhere(config: pytest.Config, server: str, terminals: Path) -> TraceCity:
    host, colon, port = server.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) <= PORT_MAX:
        raise pytest.UsageError("--trace-server is HOST:PORT")
    beside = terminals.resolve().parent
    cards, pins = config.getoption("--trace-cards"), config.getoption("--trace-pins")
    pins_file = Path(pins) if pins else beside / "README.md"
    return TraceCity(
        terminals=terminals,
        cards=Path(cards) if cards else beside / "cards",
        pins=pins_file if pins_file.is_file() else None,
        broker=(host, int(port)),
    )


def _own_city(folder: Path) -> Iterator[TraceCity]:
    """Found a sample city and run its server while the tests run."""
    command = _server_command()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    founded = subprocess.run(  # noqa: S603  # our own program
        [*command, "init", str(folder), "--sample", "toyonaka", "--broker-port", port],
        capture_output=True,
        text=True,
        check=False,
    )
    if founded.returncode != 0:
        pytest.fail(f"no sample city could be made:\n{founded.stderr}", pytrace=False)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # likewise
            [*command, "run", "--config", str(folder / "server.toml"), "--log-format", "json"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_started(process, log)
        yield TraceCity(
            terminals=folder / "terminals",
            cards=folder / "cards",
            pins=folder / "README.md",
            log=log,
        )
    finally:
        _stop(process)


def _server_command() -> list[str]:
    """Return how the server's program is started; it is another package, and no import of ours."""
    beside = Path(sys.executable).with_name("issuance-server")
    found = str(beside) if beside.exists() else shutil.which("issuance-server")
    return [found] if found else [sys.executable, "-P", "-m", "issuance_server"]


def _wait_until_started(process: "subprocess.Popen[bytes]", log: Path) -> None:
    until_s = time.monotonic() + START_S_MAX
    while _STARTED not in (text := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None or time.monotonic() > until_s:
            pytest.fail(f"the server did not start:\n{text[-_LOG_CHARACTERS:]}", pytrace=False)
        time.sleep(_LOOK_AGAIN_S)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
