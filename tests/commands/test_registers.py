"""``register`` commands, as people run them: without a server, and beside one."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from issuance_server.__main__ import main
from issuance_server.adapters.register_file import write_extract
from issuance_server.core import records as r
from issuance_server.core import register_feed as f
from issuance_server.core.register_extract import SuppressionLine
from issuance_server.sample.extract import sample_contents
from issuance_server.sample.residents import sample_households
from tests.commands.desk import PASSPHRASE, Commands
from tests.core.changes import beats, change, edit, remarked

A = sample_households()[0]
TABLES = ("household", "resident", "register_record", "register_record_holder")


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city's registers as a full extract."""
    path = tmp_path_factory.mktemp("extract") / "sample.jsonl"
    assert 0 == main(["register", "export", "--sample", "toyonaka", str(path)])
    return path


def rows(commands: Commands, sql: str) -> list[Any]:
    """Read the city's file from outside."""
    with closing(sqlite3.connect(commands.database)) as connection:
        return connection.execute(sql).fetchall()


def copy(commands: Commands) -> list[list[Any]]:
    """Return the whole copy, with all versions."""
    return [rows(commands, f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES]


def journal(commands: Commands) -> list[r.AnyRecord]:
    """Return the city's journal after its founding."""
    found = rows(commands, "SELECT record FROM journal ORDER BY seq")
    every = [r.decode_record(row[0]) for row in found]
    return [one for one in every if not isinstance(one, r.TablesLoaded)]


def written(path: Path, *changes: f.AnyChange) -> Path:
    """Write changes as a register system does."""
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in changes))
    return path


def now_beats(*sequences: int) -> tuple[f.AnyChange, ...]:
    """Return heartbeats of now."""
    return tuple(change(f.Heartbeat, one, as_of=datetime.now(UTC)) for one in sequences)


def status(commands: Commands) -> dict[str, Any]:
    """Return what ``register status --json`` says."""
    found: dict[str, Any] = json.loads(commands.run("register", "status", "--json").out)["status"]
    return found


def test_export_comes_back_by_import(commands: Commands, extract: Path) -> None:
    """Nothing differs afterwards, and every version is the one of before."""
    before = copy(commands)
    done = commands.act("register", "import", str(extract))

    assert (0, "") == (done.status, done.out)
    assert "the copy has 90 households with 199 residents, 529 other records and 4 supp" in done.err
    assert "(0 lifted, which the extract does not have)" in done.err
    assert before == copy(commands)
    acted, imported, ended = journal(commands)
    assert isinstance(acted, r.OperatorActed)
    assert ("mado-1", "register.import") == (acted.operator, acted.act)
    assert isinstance(imported, r.RegisterImported)
    assert isinstance(ended, r.OperatorActEnded)
    left = [file.name for file in commands.database.parent.iterdir() if "extract-" in file.name]
    assert [] == left


def test_import_tells_how_many_suppressions_it_lifts(commands: Commands, tmp_path: Path) -> None:
    """An extract without any lifts those of the registers, and both commands give the number."""
    whole, none = tmp_path / "whole.jsonl", tmp_path / "none.jsonl"
    exported = commands.plain("register", "export", "--sample", "toyonaka", str(whole))
    assert "529 other records and 4 suppressions" in exported.err
    write_extract(
        none,
        city="272035",
        as_of=datetime.now(UTC),
        sequence=0,
        contents=lambda: [one for one in sample_contents() if not isinstance(one, SuppressionLine)],
    )
    lifted = commands.act("register", "import", str(none))

    assert "0 suppressions of the registers (4 lifted, which the extract" in lifted.err
    rows_left = json.loads(commands.run("suppression", "list", "--json").out)
    assert [] == [row for row in rows_left if row["origin"] == "register"]


def test_copy_is_set_back_by_two(commands: Commands, extract: Path, tmp_path: Path) -> None:
    """Who is too few or too many is told before the extract is read."""
    fed = written(tmp_path / "fed.jsonl", *now_beats(1))
    assert 0 == commands.act("register", "feed", str(fed)).status
    backwards = ("register", "import", str(extract), "--set-back")
    one = commands.act(*backwards)
    none_needed = commands.act_of_two(*backwards[:-1])
    assert (1, 1, 1) == (one.status, none_needed.status, status(commands)["sequence"])
    assert "--set-back takes two operators; name the other one: --second-operator" in one.err
    assert "an import takes one operator" in none_needed.err
    done = commands.act_of_two(*backwards)

    assert (0, 0) == (done.status, status(commands)["sequence"]), done.err


def test_import_beside_a_server_is_the_servers_doing(commands: Commands, extract: Path) -> None:
    """The one writer swaps the copy; the command never opens the city's file."""
    with commands.served() as log:
        done = commands.act("register", "import", str(extract))
        assert 0 == done.status, done.err
        assert 0 == status(commands)["sequence"]
    events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]

    assert ["register.imported", "control.act_done"] == events


def test_extract_with_faults_changes_nothing(
    commands: Commands, extract: Path, tmp_path: Path
) -> None:
    """All of them are listed with their lines, and nobody is named."""
    before = copy(commands)
    lines = extract.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(A.head.name.encode(), b"")
    lines[2] = lines[2].replace(b'"sex":"', b'"sex":"' + A.head.name.encode())
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b"".join(lines))
    refused = commands.act("register", "import", str(broken))

    assert 1 == refused.status
    told = refused.err.splitlines()
    assert "line 2: record-incomplete: 世帯員1 氏名" in told
    assert "line 3: does not fit the schema: $.household.members[0].sex" in told
    assert "the copy stays as it was" in told[-1]
    assert A.head.name not in refused.err
    assert (before, []) == (copy(commands), journal(commands))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "line 1: the file is empty"),
        ("a letter\n" * 99, "line 1: is no JSON"),
        ('{"change":"heartbeat","sequence":1}\n' * 99, "line 1: does not fit the schema"),
        ('{"line":"edit","subject_kind":"person","subject_id":"10000017"}\n', "is no header"),
    ],
    ids=["nothing", "text", "changes", "without a header"],
)
def test_file_of_another_kind_is_told_in_two_lines(
    commands: Commands, tmp_path: Path, content: str, line: str
) -> None:
    """Its lines are no faults of an extract."""
    path = tmp_path / "other.jsonl"
    path.write_text(content, encoding="utf-8")
    refused = commands.act("register", "import", str(path))
    told = refused.err.splitlines()

    assert (1, 2) == (refused.status, len(told))
    assert line in told[0]
    assert "the file is no full extract, whose first line is a header" in told[1]


def test_one_fault_is_told_as_one(commands: Commands, extract: Path, tmp_path: Path) -> None:
    """As people say it."""
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(extract.read_bytes().splitlines(keepends=True)[:-1]))

    assert "the extract has 1 fault; " in commands.act("register", "import", str(cut)).err


def test_extract_of_another_city_is_refused(commands: Commands, tmp_path: Path) -> None:
    """However whole it is."""
    path = tmp_path / "other.jsonl"
    now = datetime.now(UTC)
    write_extract(path, city="131016", as_of=now, sequence=0, contents=tuple)
    refused = commands.act("register", "import", str(path))

    assert 1 == refused.status
    assert "the extract is of city 131016, this is 272035" in refused.err
    assert 199 == len(rows(commands, "SELECT * FROM resident"))


def test_import_with_a_wrong_passphrase_ends_before_it_begins(
    commands: Commands, extract: Path
) -> None:
    """Nobody waits for a check that nobody may use."""
    refused = commands.act("register", "import", str(extract), passphrase="another one")

    assert 1 == refused.status
    assert [] == journal(commands)


def test_feed_takes_what_is_new_and_says_what_it_skipped(
    commands: Commands, tmp_path: Path
) -> None:
    """The same file again changes nothing."""
    put = change(f.HouseholdsChanged, 2, put=(remarked(A),), as_of=datetime.now(UTC))
    path = written(tmp_path / "feed.jsonl", *now_beats(1), put, *now_beats(3))
    first = commands.act("register", "feed", str(path))
    before = copy(commands)
    again = commands.act("register", "feed", str(path))

    assert (0, 0) == (first.status, again.status)
    assert "3 changes taken, 0 skipped because the copy had them; the last one is 3" in first.err
    assert "0 changes taken, 3 skipped because the copy had them; the last one is 3" in again.err
    assert before == copy(commands)
    assert 1 == sum(isinstance(one, r.RegisterFed) for one in journal(commands))


def test_gap_in_a_file_stops_behind_what_follows(commands: Commands, tmp_path: Path) -> None:
    """What is before it is taken, the missing number is named and shown, and nothing is lost."""
    path = written(tmp_path / "feed.jsonl", *now_beats(1, 2, 5, 6))
    refused = commands.act("register", "feed", str(path))
    assert 1 == refused.status
    assert "2 changes taken" in refused.err
    assert "number 3 is expected, 5 came" in refused.err
    shown = commands.run("register", "status").out
    assert "3 (came: 5)" in shown
    rest = written(tmp_path / "rest.jsonl", *now_beats(3, 4, 5, 6))
    assert 0 == commands.act("register", "feed", str(rest)).status

    found = status(commands)
    assert (6, None) == (found["sequence"], found["gap_expected"])


def test_feed_is_taken_in_batches_of_a_bounded_size(commands: Commands, tmp_path: Path) -> None:
    """However long the file is."""
    path = written(tmp_path / "feed.jsonl", *now_beats(*range(1, 451)))
    with commands.served():
        done = commands.act("register", "feed", str(path))
    fed = [one for one in journal(commands) if isinstance(one, r.RegisterFed)]

    assert 0 == done.status, done.err
    assert [(1, 200), (201, 400), (401, 450)] == [(one.first, one.sequence) for one in fed]


def test_feed_from_standard_input(commands: Commands, tmp_path: Path) -> None:
    """The passphrase comes first, then the changes, as they come."""
    changes = written(tmp_path / "feed.jsonl", *now_beats(1, 2)).read_text(encoding="utf-8")
    names = ("--operator", "mado-1", "--reason", "regular", "--passphrase-stdin")
    done = commands.run("register", "feed", "-", *names, stdin=f"{PASSPHRASE}\n{changes}").status

    assert 0 == done
    assert 2 == status(commands)["sequence"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"{}\n", "line 2 does not fit the schema"),
        (b"hello\n", "line 2 is no JSON; it and what was read with it are not taken"),
        (b'{"change":"heartbeat","sequence":0}\n', "line 2 does not fit the schema: $.sequence"),
        (b'{"change":"heartbeat","sequence":2,"as_of":"2026-11-30"}\n', "schema: $.as_of"),
        (b"x" * 1_048_577 + b"\n", "line 2 has more than 1048576 bytes"),
    ],
)
def test_line_that_is_no_change_ends_the_feed(
    commands: Commands, tmp_path: Path, line: bytes, text: str
) -> None:
    """The error has the line and the place."""
    path = written(tmp_path / "feed.jsonl", *now_beats(1))
    path.write_bytes(path.read_bytes() + line)
    refused = commands.act("register", "feed", str(path))

    assert 1 == refused.status
    assert text in refused.err
    assert "changes taken" not in refused.err
    assert 0 == status(commands)["sequence"]


def test_feed_that_is_not_there_is_told(commands: Commands, tmp_path: Path) -> None:
    """With its name."""
    refused = commands.act("register", "feed", str(tmp_path / "no.jsonl"))

    assert 1 == refused.status
    assert "no.jsonl cannot be read: No such file" in refused.err
    assert 1 == refused.err.count("\n")


def test_status_shows_age_and_open_edits(commands: Commands, tmp_path: Path) -> None:
    """For people as a table, for programs as JSON."""
    old = change(f.Heartbeat, 1, as_of=datetime.now(UTC) - timedelta(hours=1))
    begun = edit(f.EditBegun, 2, A.head_id)
    early = msgspec.structs.replace(begun, as_of=old.as_of)
    commands.act("register", "feed", str(written(tmp_path / "feed.jsonl", old, early)))
    shown = commands.run("register", "status").out

    assert "older than 600 s" in shown
    assert f"person {A.head_id}" in shown
    assert [A.head_id] == [one["subject_id"] for one in status(commands)["edits"]]


def two(commands: Commands, *arguments: str) -> Any:
    """Run a command of two operators."""
    return commands.run(
        *("register", "stand-in", *arguments, "--operator", "mado-1"),
        *("--second-operator", "mado-2", "--reason", "outage", "--passphrase-stdin"),
        stdin=f"{PASSPHRASE}\n{PASSPHRASE}\n",
    )


def test_stand_in_is_declared_shown_and_ended(commands: Commands) -> None:
    """With an end in Japan's time, that the table shows."""
    until = datetime.now(UTC) + timedelta(hours=9 + 2)
    text = f"{until:%Y-%m-%dT%H:%M}"
    begun = two(commands, "begin", "--until", text)

    assert 0 == begun.status, begun.err
    assert f"until {text.replace('T', ' ')}:00.000" in commands.run("register", "status").out
    assert 0 == two(commands, "end").status
    assert status(commands)["stand_in_until_ms"] is None
    assert 1 == two(commands, "end").status


def test_stand_in_until_an_hour_ends_when_that_comes_next(commands: Commands) -> None:
    """Without a day it is the machine's next one in Japan, today or tomorrow."""
    until = datetime.now(UTC) + timedelta(hours=9 - 1)
    begun = two(commands, "begin", "--until", f"{until:%H:%M}")

    assert 0 == begun.status, begun.err
    assert f"until {until + timedelta(days=1):%Y-%m-%d %H:%M}:00.000" in begun.err


@pytest.mark.parametrize(
    ("until", "text"),
    [
        ("tomorrow", "is no time"),
        ("25:00", "is no time"),
        ("2020-01-01T00:00", "at most 24 hours from now"),
        ("2020-01-01T00:00", "by the machine's clock, whatever the city's business clock says"),
    ],
)
def test_stand_in_needs_a_time_that_comes(commands: Commands, until: str, text: str) -> None:
    """And says how to write it."""
    refused = two(commands, "begin", "--until", until)

    assert 1 == refused.status
    assert text in refused.err
    assert [] == journal(commands)


def test_export_never_overwrites(commands: Commands, extract: Path) -> None:
    """Neither an extract nor anything else."""
    before = extract.read_bytes()
    refused = commands.plain("register", "export", "--sample", "toyonaka", str(extract))

    assert 1 == refused.status
    assert "exists already" in refused.err
    assert before == extract.read_bytes()


def test_beats_of_tests_lie_in_the_future() -> None:
    """Tests with the system's clock make their own; those of the core are of the year 2027."""
    assert beats(1)[0].as_of > datetime.now(UTC)
