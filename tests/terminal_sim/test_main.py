"""The command line: what is refused before anything begins, and with which exit code."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.city_folder import CityFolder
from keys.city_keys import create_city_keys
from keys.distribution import distribute
from keys.key_record import Purpose
from keys.life_cycle import rotate
from keys.terminal_keys import create_terminal_keys
from protocol.codes import ReplyCode
from protocol.errors import Misuse
from protocol.kinds import Item, Options, Scope
from protocol.telegrams import Refused
from terminal_sim import __main__ as program
from terminal_sim import machine as machine_module
from terminal_sim.arguments import parser, terminal_folders
from terminal_sim.core.state import Issuance
from terminal_sim.crash_points import DIED, POINTS, dying_at, point_of
from terminal_sim.journal import JOURNAL_FILE, Journal, locked_storage
from terminal_sim.keyboard import pin_of
from terminal_sim.result import Exit, deletion_confirmed, durations_ms, exit_of
from terminal_sim.wishes import options_of
from tests.terminal_sim.city import CITY, City
from tests.terminal_sim.conftest import LINE_ID, Town
from tests.terminal_sim.world import Person, World, number

Run = Callable[..., int]

KEYBOARD_WAIT_S_MAX = 20


@pytest.fixture
def issue(town: Town) -> Run:
    """Return a way to run ``issue`` on the town's terminal, with more or other arguments."""

    def run(*arguments: str, pin: tuple[str, ...] = ("--pin", "1234")) -> int:
        given = ("--terminal", "7-0001", "--terminals", str(town.folder), "--card", str(town.card))
        wanted = ("--certificate", "juminhyo", "--out", str(town.tray))
        try:
            return program.main(["issue", *given, *wanted, *pin, *arguments])
        except SystemExit as ended:
            return int(ended.code or 0)

    return run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--option", "colour=red"], "scope, members, items"),
        (["--option", "scope=all"], "self, household, some"),
        (["--option", "members=0"], "numbers from 1 to 32"),
        (["--option", "members=a"], "numbers from 1 to 32"),
        (["--option", "items=seal"], "relationship, domicile, my-number"),
        (["--copies", "0"], "a number from 1 to 5"),
        (["--insert", "-1"], "a number from 0"),
        (["--timeout", "x"], "a number from 1"),
        (["--certificate", "passport"], "juminhyo"),
        (["--certificate", "inkan:colour=red"], "copies, scope, members, items, cancel-at"),
        (["--certificate", "inkan:copies=6"], "a number from 1 to 5"),
        (["--certificate", "inkan:copies=1,copies=2"], "given once"),
        (["--certificate", "inkan:twice"], "KEY=VALUE"),
        (["--certificate", "inkan:cancel-at=never"], "menu, application, quotation"),
        (["--certificate", "inkan", "--copies", "2"], "each its own"),
        ([word for _ in range(10) for word in ("--certificate", "inkan")], "at most 10"),
        (["--cancel-at", "never"], "quotation"),
        (["--die-at", "sheet-x-after"], "release-sent"),
        (["--pin-stdin"], "not allowed with argument --pin"),
    ],
)
def test_a_wrong_usage_says_what_may_be_given(
    issue: Run, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, the command's own usage, and the way out."""
    assert Exit.USAGE == issue(*arguments)

    said = capsys.readouterr()
    assert told in said.err
    assert "usage: terminal-sim issue" in said.err
    assert "" == said.out


@pytest.mark.parametrize("pin", ["123", "1234567890123", "12 34", "１２３４", "abcd"])
def test_what_is_no_pin_is_refused_and_not_repeated(
    issue: Run, pin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A PIN with a slip of the finger does not end up on the screen."""
    assert Exit.USAGE == issue(pin=("--pin", pin))
    assert pin_of(pin) is None

    said = capsys.readouterr().err
    assert "4 to 12 digits" in said
    assert pin not in said.replace("terminal-sim issue", "")


@pytest.mark.parametrize("typed", ["", "12\n", "1234\nabcd\n"])
def test_pins_from_standard_input_are_pins(
    issue: Run, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One a line, and at least one."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

    assert Exit.USAGE == issue(pin=("--pin-stdin",))
    assert "--pin-stdin" in capsys.readouterr().err


def test_without_a_keyboard_a_pin_must_be_given(
    issue: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe is no keypad unless it is named."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("1234\n"))

    assert Exit.USAGE == issue(pin=())
    assert "--pin-stdin" in capsys.readouterr().err


def test_a_city_that_is_not_there_is_a_matter_of_set_up(
    issue: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 and a sentence, for standard input as well as for ``settle``."""
    monkeypatch.setattr(machine_module, "OPEN_MS_MAX", 30)
    monkeypatch.setattr(sys, "stdin", io.StringIO("1234\n"))

    assert Exit.SET_UP == issue("--verbose", "--json", pin=("--pin-stdin",))
    said = capsys.readouterr()
    assert "broker.lost" in said.err
    assert "is the city running?" in said.err
    assert "" == said.out


def test_settle_needs_a_city_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is settled without the other side."""
    monkeypatch.setattr(machine_module, "OPEN_MS_MAX", 30)

    assert Exit.SET_UP == program.main(["settle", "--terminal", str(town.config.path)])


def test_set_up_errors_are_told_without_a_traceback(
    issue: Run, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing card, a missing terminal, a terminal in use."""
    assert Exit.SET_UP == issue("--card", str(town.folder / "no-card"))
    assert Exit.SET_UP == issue("--card", str(town.config.path))
    assert Exit.SET_UP == issue("--terminal", "7-9999")
    with locked_storage(town.config.storage):
        assert Exit.SET_UP == issue()

    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "another process is this terminal" in said


@pytest.mark.parametrize(
    ("error", "ends", "told"),
    [
        (Misuse("a rule was broken"), Exit.SET_UP, "fault of the program itself"),
        (OSError(28, "No space left on device"), Exit.SET_UP, "No space left"),
        (KeyboardInterrupt(), Exit.FAILED, ""),
    ],
)
def test_no_error_shows_its_insides(
    issue: Run,
    error: BaseException,
    ends: Exit,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever happens inside, the user gets a sentence."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(program, "run_opening", fail)

    assert ends == issue()
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said


def test_options_are_read_as_the_telegram_has_them() -> None:
    """Scope, members and items, in the order given."""
    given = ["scope=some", "members=1,3", "items=relationship,domicile"]

    assert Options(
        scope=Scope.SOME, members=(1, 3), items=(Item.RELATIONSHIP, Item.DOMICILE)
    ) == options_of(given)
    assert Options() == options_of([])


def test_terminals_are_looked_for_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, then the variable, then the usual folders."""
    named = parser().parse_args(["settle", "--terminal", "x", "--terminals", "/here"])
    unnamed = parser().parse_args(["settle", "--terminal", "x"])

    monkeypatch.setenv("KOFU_TERMINALS", "/there")
    assert [Path("/here")] == terminal_folders(named)
    assert [Path("/there")] == terminal_folders(unnamed)
    monkeypatch.delenv("KOFU_TERMINALS")
    assert [Path("terminals"), Path("var/run/terminals")] == terminal_folders(unnamed)


@pytest.mark.parametrize("command", ["issue", "settle"])
def test_help_names_every_exit_code(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And warns of the PIN on the command line, and hides what is for tests."""
    with pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])

    said = capsys.readouterr().out
    assert all(f"  {code.value}  " in said for code in Exit)
    assert "--die-at" not in said
    if command == "issue":
        assert "other users" in said
        assert "Of several certificates" in said


def issuance_of(world: World) -> Issuance:
    return world.visit().state.issuances[number(101)]


def test_exit_codes_follow_the_end_of_the_issuance() -> None:
    """Done only with paper and confirmed deletion."""
    refused = Refused(code=ReplyCode.DATA_CHANGED)
    done, withdrawn = issuance_of(World()), issuance_of(World(person=Person(insert_yen=1)))
    running = World(person=Person(insert_yen=None)).begin().state.issuances[number(101)]

    assert Exit.DONE is exit_of(done, None)
    assert Exit.FAILED is exit_of(withdrawn, None)
    assert Exit.REFUSED is exit_of(withdrawn, refused)
    assert Exit.UNKNOWN is exit_of(running, None)
    assert Exit.REFUSED is exit_of(None, refused)
    assert Exit.FAILED is exit_of(None, None)


def test_a_city_that_does_not_know_the_issuance_confirms_nothing() -> None:
    """The paper is out, but nobody has recorded the deletion."""

    class Forgetful(City):
        def _delete(self, report: object) -> Refused:
            return Refused(code=ReplyCode.UNKNOWN)

    issuance = issuance_of(World(Forgetful()))
    assert not deletion_confirmed(issuance)
    assert Exit.UNKNOWN is exit_of(issuance, None)


def test_stretches_are_named_by_what_they_led_to() -> None:
    """And add up to the total."""
    marks = [("started", 5), ("opened", 7), ("quoted", 10)]

    assert {"opened": 2, "quoted": 3, "total": 5} == durations_ms(marks)


def test_every_record_of_a_visit_has_a_place_to_die() -> None:
    """All but the end of the visit, after which nothing differs."""
    points = {point_of(record) for record in World().visit().journal}

    assert {"", "visit", "applied", "sheet-2-before", "settled"} <= points
    assert "sheet-N-after" in POINTS


def test_dying_is_a_power_cut(tmp_path: Path) -> None:
    """No handler runs, and the record before it is on the disk."""
    path = tmp_path / JOURNAL_FILE
    code = (
        "import sys; from pathlib import Path; from terminal_sim.journal import Journal\n"
        "from terminal_sim.crash_points import dying_at\n"
        "from terminal_sim.core.records import VisitOpened\n"
        "record = VisitOpened(visit_id=bytes(16), at_ms=1)\n"
        "Journal(Path(sys.argv[1]), '7-0001').append([record])\n"
        "dying_at('applied')(record)\n"
        "try: dying_at('visit')(record)\n"
        "finally: print('a handler ran')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)

    assert (DIED, b"", b"") == (ended.returncode, ended.stdout, ended.stderr)
    assert 1 == len(Journal(path, "7-0001").read())
    assert dying_at(None)(Journal(path, "7-0001").read()[0]) is None


def test_a_pin_at_the_keyboard_is_hidden() -> None:
    """The typed digits are read and never shown; a slip is no PIN."""
    code = (
        "import asyncio; from terminal_sim.keyboard import prompt_for_pin\n"
        "for _ in range(2):\n"
        "    pin = asyncio.run(prompt_for_pin())\n"
        "    print('read', pin and len(pin), flush=True)\n"
    )
    child, keyboard = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])
    shown = b""
    try:
        for nth, (typed, read) in enumerate(((b"739105\n", b"read 6"), (b"12\n", b"read None"))):
            shown = read_until(keyboard, shown, b"(PIN): ", times=nth + 1)
            os.write(keyboard, typed)
            shown = read_until(keyboard, shown, read)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(keyboard)

    assert b"739105" not in shown


def read_until(handle: int, shown: bytes, words: bytes, *, times: int = 1) -> bytes:
    while shown.count(words) < times:
        ready, _, _ = select.select([handle], [], [], KEYBOARD_WAIT_S_MAX)
        assert ready, f"never shown: {words!r}"
        shown += os.read(handle, 1_024)
    return shown


def test_a_result_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read standard output; people read standard error."""
    program._print({"state": "completed", "sentence": "完了しました。"})

    assert {"state": "completed", "sentence": "完了しました。"} == json.loads(
        capsys.readouterr().out
    )


def test_a_terminal_takes_what_the_city_tells(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A newer number once, the same one without a change, another city's not at all."""
    city = town.folder / "own-city"
    now = datetime.now(UTC)
    create_city_keys(city, CITY, now)
    (town.folder / "7-0001" / "keys").unlink()
    create_terminal_keys(city, "7-0001", town.folder / "7-0001" / "keys", LINE_ID, now)
    rotate(CityFolder.at(city), Purpose.BINDING, now=now)
    told = distribute(CityFolder.at(city), tmp_path / "told", now)
    command = ["trust", "--terminal", str(town.config.path), "--json", "--from"]

    assert Exit.DONE == program.main([*command, str(tmp_path / "told")])
    taken = json.loads(capsys.readouterr().out)
    assert {"terminal": "7-0001", "serial": 2, "new": True} == taken
    assert told.binding_keys == town.config.load_keys().trust.binding_keys
    assert Exit.DONE == program.main([*command, str(tmp_path / "told")])
    assert not json.loads(capsys.readouterr().out)["new"]
    assert Exit.SET_UP == program.main([*command, str(town.folder / "city" / "trust")])
    assert "not signed by the authority" in capsys.readouterr().err
    assert Exit.SET_UP == program.main([*command, str(tmp_path / "nowhere")])
