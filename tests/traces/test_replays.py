"""What a replay says of a city that answers otherwise, and how tests of others use it."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from protocol.shells.trace_reading import read_trace
from protocol.trace import stream
from protocol.trace.entries import Said
from protocol.trace.scenario import compile_scenario
from terminal_sim.__main__ import main
from terminal_sim.pytest_traces import TraceCity
from terminal_sim.replay.cast import read_pins

pytestmark = [pytest.mark.processes, pytest.mark.slow]

OTHERWISE = """\
terminal = "SK-0001"
steps = [
  { say = "open" },
  { expect = "opened", city = "011002" },
  { say = "begin", visit_id = "$visit" },
  { expect = "challenge", visit_id = "$visit" },
  { say = "authenticate", visit_id = "$visit", card = "h001-m1" },
  { expect = "refused", code = "CARD_NOT_ACCEPTED" },
  { say = "end-visit", visit_id = "$visit" },
  { expect = "acknowledged" },
]
"""
SHORT = """\
terminal = "SK-0001"
steps = [{ say = "open" }, { expect = "opened" }, { say = "close" }, { expect = "closed" }]
"""
TEST = """\
import pytest

@pytest.mark.trace("short.jsonl")
def test_short():
    pass
"""


def replayed(
    city: TraceCity, capsys: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it says."""
    status = main(["replay", *map(str, words), "--terminals", str(city.terminals)])
    said = capsys.readouterr()
    return status, said.out, said.err


def written(folder: Path, text: str, name: str = "course.scenario.toml") -> Path:
    """Write a scenario."""
    path = folder / name
    path.write_text(text)
    return path


def test_difference_is_told_field_by_field(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The telegram that was expected, the one that came, and each field that differs."""
    status, out, _ = replayed(trace_city, capsys, written(tmp_path, OTHERWISE))

    assert 1 == status
    assert "telegram 2, to SK-0001" in out
    assert "city: expected 011002, was 272035" in out
    assert "expected  refused code=CARD_NOT_ACCEPTED" in out
    assert re.search(r"actual    menu .*visit_id", out)
    assert 0 == replayed(trace_city, capsys, written(tmp_path, SHORT))[0]


def test_difference_as_json(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs are told the same; a field that may differ is not told."""
    course = written(tmp_path, OTHERWISE)
    status, out, _ = replayed(trace_city, capsys, course, "--json", "--ignore", "city")

    told = json.loads(out)
    assert (1, False, 1) == (status, told["as_recorded"], len(told["mismatches"]))
    assert "menu" == told["mismatches"][0]["actual"]["telegram"]
    assert [{"path": "telegram", "expected": "refused", "actual": "menu"}] == told["mismatches"][0][
        "differences"
    ]


def test_copies_play_at_once_on_terminals_of_their_own(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the folder as they come, or those of a mapping."""
    course = written(tmp_path, SHORT)
    status, out, _ = replayed(trace_city, capsys, course, "--parallel", "5")
    assert (0, 5) == (status, out.count("as recorded"))

    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[[copy]]\nterminals = { SK-0001 = "FM-0001" }\n'
        '[[copy]]\nterminals = { SK-0001 = "FM-0002" }\n'
    )
    words = (course, "--parallel", "2", "--mapping", mapping, "--speed", "50")
    assert 0 == replayed(trace_city, capsys, *words)[0]


def test_what_is_missing_is_named(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A card that nobody gave, and more copies than terminals: the way out is named."""
    course = written(tmp_path, OTHERWISE.replace("h001-m1", "hers").replace("011002", "272035"))
    status, _, err = replayed(trace_city, capsys, course)
    assert 2 == status
    assert "--card hers=FILE" in err

    status, _, err = replayed(trace_city, capsys, written(tmp_path, SHORT), "--parallel", "99")
    assert 2 == status
    assert "each copy needs 1 of its own" in err


def test_damaged_trace_is_played_as_far_as_it_can_be_read(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The place of the damage is told, and that what comes before it was played."""
    whole = b"".join(map(stream.encode, compile_scenario(SHORT)))
    cut = tmp_path / "cut.trace"
    cut.write_bytes(whole[: len(whole) * 3 // 4])
    status, out, err = replayed(trace_city, capsys, cut)
    assert 2 == status
    assert "as recorded" in out
    assert re.search(r"the file ends here \(at byte \d+\); what comes before was played", err)

    cut.write_bytes(whole[:30])
    status, out, err = replayed(trace_city, capsys, cut)
    assert (2, "") == (status, out)
    assert "(at byte 0)" in err


def test_recording_of_a_machine_happens_again(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A visit with a slip of the finger, recorded by the terminal itself, cards by pseudonym."""
    assert trace_city.pins is not None
    pin = read_pins(trace_city.pins)["h014-m1"].reveal().decode()
    wrong = f"{(int(pin) + 1) % 10_000:04}"
    card, trace = trace_city.cards / "h014-m1.card.json", tmp_path / "visit.trace"
    words = ("--terminal", "SK-0101", "--terminals", trace_city.terminals, "--card", card)
    more = ("--pin", wrong, "--pin", pin, "--certificate", "inkan", "--out", tmp_path)
    assert 0 == main(["issue", *map(str, (*words, *more)), "--trace", str(trace)])
    names = {
        entry.telegram["card"]["is"]
        for entry in read_trace(trace)
        if isinstance(entry, Said) and "card" in entry.telegram
    }
    (name,) = names
    capsys.readouterr()

    status, out, _ = replayed(trace_city, capsys, trace, "--card", f"{name}={card}")
    assert (0, True) == (status, "as recorded" in out), out


def run_tests(city: TraceCity, folder: Path, *words: str) -> tuple[int, str]:
    """Run pytest with the plugin on a folder of tests, against the city that runs already."""
    settings = next(city.terminals.glob("*/terminal.toml")).read_text()
    (port,) = re.findall(r"broker_port = (\d+)", settings)
    command: Sequence[str] = [
        *(sys.executable, "-m", "pytest", "-p", "terminal_sim.pytest_traces"),
        *("-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)),
        *("--trace-server", f"127.0.0.1:{port}", "--trace-terminals", str(city.terminals), *words),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_plugin_compares_with_a_city_elsewhere_and_updates(
    trace_city: TraceCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test fails with both telegrams; the update flag writes what the city really says."""
    trace = tmp_path / "short.jsonl"
    assert 0 == replayed(trace_city, capsys, written(tmp_path, SHORT), "--record", trace)[0]
    (tmp_path / "test_short.py").write_text(TEST)
    recorded = trace.read_text()
    trace.write_text(recorded.replace('"completed":0', '"completed":7'))

    status, said = run_tests(trace_city, tmp_path)
    assert 1 == status, said
    assert "counters.completed: expected 7, was 0" in said
    assert "expected  closed" in said

    status, said = run_tests(trace_city, tmp_path, "--trace-update")
    assert 0 == status, said
    assert '"completed":0' in trace.read_text()
