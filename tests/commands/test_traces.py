"""``issuance-server trace``: what it shows of a trace, and what it says of a damaged one."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from issuance_server.__main__ import main
from issuance_server.desk_commands.traces import growing
from protocol.codes import ReplyCode
from protocol.secret import Secret
from protocol.telegrams import AnyTelegram, Apply, Authenticate, Quotation, Refused, RequestRef
from protocol.trace import stream
from protocol.trace.entries import (
    FORMAT,
    MAJOR,
    MINOR,
    Ended,
    Happened,
    Header,
    Known,
    LineWord,
    Recorder,
    Said,
    TraceKind,
    Way,
)
from protocol.trace.redaction import Redactor
from tests.protocol.samples import SAMPLES

LINE = bytes(8)
HEADER = Header(
    format=FORMAT,
    major=MAJOR,
    minor=MINOR,
    kind=TraceKind.TELEGRAMS,
    recorder=Recorder.SERVER,
    city="272035",
    software="konbini-kofu 0.1.0",
    tables_version=1,
    started_at_ms=1_764_000_000_000,
)


def course(seed: int, fee_yen: int = 200) -> list[Known]:
    """Return a short trace of an application; ids, keys and times are drawn from the seed."""
    redactor = Redactor(Secret(bytes([seed]) * 32))
    issuance, visit, digest = (bytes([seed, n]) * 8 for n in (1, 2, 3))
    digest *= 2
    asked = next(one for one in SAMPLES if isinstance(one, Apply))
    quoted = next(one for one in SAMPLES if isinstance(one, Quotation))
    proved = next(one for one in SAMPLES if isinstance(one, Authenticate))
    ref = RequestRef(generation=seed, counter=5, digest=digest)
    said: list[tuple[Way, int, AnyTelegram]] = [
        (Way.UP, 4, msgspec.structs.replace(proved, visit_id=visit)),
        (Way.UP, 5, msgspec.structs.replace(asked, visit_id=visit, issuance_id=issuance)),
        (Way.UP, 6, msgspec.structs.replace(asked, visit_id=visit, issuance_id=issuance)),
        (
            Way.DOWN,
            9,
            msgspec.structs.replace(quoted, issuance_id=issuance, fee_yen=fee_yen, in_reply_to=ref),
        ),
        (Way.DOWN, 10, Refused(code=ReplyCode.CARD_LOCKED)),
    ]
    entries: list[Known] = [
        HEADER,
        Happened(at_ms=1, word=LineWord.READY, line=LINE, terminal="LW-0001", generation=seed),
    ]
    entries += [
        Said(
            at_ms=seed * place,
            line=LINE,
            terminal="LW-0001",
            way=way,
            generation=seed,
            counter=counter,
            digest=digest if counter in {5, 6} else bytes(32),
            envelope_bytes=552,
            telegram=redactor.redact(telegram),
        )
        for place, (way, counter, telegram) in enumerate(said, start=1)
    ]
    return [*entries, Ended(at_ms=900, entries=len(entries))]


def written(path: Path, entries: list[Known]) -> Path:
    """Write a trace."""
    path.write_bytes(b"".join(map(stream.encode, entries)))
    return path


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A whole trace."""
    return written(tmp_path / "city.trace", course(7))


def shown(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[str]:
    """Run a command that must succeed; return its lines."""
    assert 0 == main(["trace", *map(str, words)])
    return capsys.readouterr().out.splitlines()


def test_show_tells_line_by_line(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who said what, which issuance, what is a copy, how long the answer took; nothing hidden."""
    lines = shown(capsys, "show", trace)
    assert "a trace of telegrams by the server of city 272035" in lines[0]
    assert "line ready keys 00000007" in lines[1]
    assert "──▶ authenticate" in lines[2]
    assert "<card " in lines[2]
    assert "<sealed " in lines[2]
    assert "#07010701" in lines[3]
    assert "(copy 2)" in lines[4]
    assert "◀── quotation" in lines[5]
    assert "[14 ms]" in lines[5]
    assert "code=CARD_LOCKED" in lines[6]
    assert "end after 7 entries" in lines[7]


@pytest.mark.parametrize(
    ("words", "telegrams"),
    [
        (("--issuance", "0701"), ["apply", "apply", "quotation"]),
        (("--issuance", "ff"), []),
        (("--kind", "refused", "--kind", "quotation"), ["quotation", "refused"]),
        (("--line", "LW-0001", "--until", "0.02"), ["authenticate", "apply"]),
        (("--line", LINE.hex(), "--since", "0.025"), ["quotation", "refused"]),
        (("--line", "7E-0001"), []),
    ],
)
def test_show_filters(
    trace: Path,
    words: tuple[str, ...],
    telegrams: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By issuance, kind, line and time."""
    entries = [json.loads(line) for line in shown(capsys, "show", trace, "--json", *words)]
    said = [entry["telegram"]["telegram"] for entry in entries if entry["entry"] == "said"]
    assert telegrams == said


def test_show_follows_a_file_that_grows(tmp_path: Path) -> None:
    """What is appended is given; where another file takes the name, it is at its end."""
    path = written(tmp_path / "city.trace", course(7)[:3])
    begun = path.read_bytes()
    chunks = growing(path)
    assert begun == next(chunks)
    with path.open("ab") as file:
        file.write(stream.encode(HEADER))
    assert stream.encode(HEADER) == next(chunks)
    path.rename(tmp_path / "city.trace.1")
    written(path, [HEADER])

    assert [] == list(chunks)


def test_two_runs_of_one_course_do_not_differ(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other ids, keys, pseudonyms, digests and times are no difference; another fee is."""
    again = written(tmp_path / "again.trace", course(9))
    dearer = written(tmp_path / "dearer.trace", course(9, fee_yen=300))
    assert [] == shown(capsys, "diff", trace, again)
    assert 1 == main(["trace", "diff", str(trace), str(dearer)])
    assert "4: quotation.fee_yen: 200 in the first, 300 in the second\n" == capsys.readouterr().out


def test_a_mixed_up_id_is_a_difference(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same id has to stand in the same places."""
    entries = course(9)
    quotation = entries[5]
    assert isinstance(quotation, Said)
    other = quotation.telegram | {"issuance_id": bytes(16)}
    entries[5] = msgspec.structs.replace(quotation, telegram=other)
    mixed = written(tmp_path / "mixed.trace", entries)
    assert 1 == main(["trace", "diff", str(trace), str(mixed)])
    assert "quotation.issuance_id" in capsys.readouterr().out


def test_convert_there_and_back_is_the_same(trace: Path, tmp_path: Path) -> None:
    """JSON Lines and back: byte for byte."""
    lines, back = tmp_path / "city.jsonl", tmp_path / "back.trace"
    assert 0 == main(["trace", "convert", str(trace), str(lines)])
    assert 0 == main(["trace", "convert", str(lines), str(back)])
    assert trace.read_bytes() == back.read_bytes()


def test_an_issuance_is_drawn(trace: Path, tmp_path: Path) -> None:
    """As Mermaid text and as SVG: one arrow for each telegram of it."""
    text, picture = tmp_path / "one.mmd", tmp_path / "one.svg"
    assert 0 == main(["trace", "convert", str(trace), str(text), "--issuance", "0701"])
    assert 0 == main(["trace", "convert", str(trace), str(picture)])
    assert 3 == sum("->>" in line or "-->>" in line for line in text.read_text().splitlines())
    lines = ET.fromstring(picture.read_text()).findall(
        "{http://www.w3.org/2000/svg}line[@marker-end]"
    )
    assert 3 == len(lines)


def test_stats_count(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Telegrams, copies, waits, refusals and drops."""
    found = json.loads("\n".join(shown(capsys, "stats", trace, "--json")))
    assert (1, 1, {"CARD_LOCKED": 1}) == (
        found["terminals"],
        found["issuances"],
        found["refusals"],
    )
    applied = next(row for row in found["telegrams"] if row["telegram"] == "apply")
    assert {"telegram": "apply", "count": 2, "copies": 1, "median_ms": 14, "p99_ms": 14} == applied
    assert any("apply" in line for line in shown(capsys, "stats", trace))


@pytest.mark.parametrize(
    ("damage", "said", "lines"),
    [
        (lambda whole: whole[:-3], "the file ends here (at byte ", 7),
        (lambda whole: whole[:600] + b"\0" + whole[601:], "its checksum is another (at byte ", 2),
        (lambda _whole: b"%PDF-1.7", "this is no trace (at byte 0)", 0),
        (lambda _whole: b"", "the file is empty", 0),
    ],
)
def test_damage_is_named_and_what_was_readable_is_shown(
    trace: Path,
    damage: "object",
    said: str,
    lines: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 1, the place, and all entries before it."""
    assert callable(damage)
    trace.write_bytes(damage(trace.read_bytes()))
    assert 1 == main(["trace", "show", str(trace)])
    captured = capsys.readouterr()
    assert said in captured.err
    assert lines <= len(captured.out.splitlines()) <= lines + 1


@pytest.mark.parametrize(
    ("target", "said"),
    [("there.trace", "exists already"), ("new.docx", "named by its suffix")],
)
def test_convert_writes_over_nothing(
    trace: Path, target: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is there stays, and an unknown form is refused."""
    (trace.parent / "there.trace").write_bytes(b"mine")
    assert 1 == main(["trace", "convert", str(trace), str(trace.parent / target)])
    assert said in capsys.readouterr().err
    assert b"mine" == (trace.parent / "there.trace").read_bytes()


def test_a_bad_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its number."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"entry":"missed","at_ms":1,"count":2}\n{"entry":"mis\n')
    assert 1 == main(["trace", "show", str(path)])
    assert "line 2:" in capsys.readouterr().err


def test_scenario_is_converted_or_its_line_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was written by hand becomes a trace; a slip is told with its line and column."""
    scenario = tmp_path / "course.scenario.toml"
    scenario.write_text('terminal = "LW-0001"\nsteps = [\n  { say = "open" },\n]\n')
    shown(capsys, "convert", scenario, tmp_path / "course.trace")
    assert "──▶ open" in shown(capsys, "show", tmp_path / "course.trace")[1]

    scenario.write_text(scenario.read_text().replace("open", "opne"))
    assert 1 == main(["trace", "convert", str(scenario), str(tmp_path / "other.trace")])
    assert "line 3, column 5: there is no telegram 'opne'" in capsys.readouterr().err
    assert not (tmp_path / "other.trace").exists()
