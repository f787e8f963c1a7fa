"""Full extracts as files: everything is checked, line by line, and no name is told."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from issuance_server.adapters import register_file
from issuance_server.adapters.register_file import Extract, ExtractReader, write_extract
from issuance_server.core.register_extract import (
    Content,
    Counts,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from issuance_server.sample.extract import sample_contents
from protocol.errors import SetUpError
from protocol.kinds import Kind
from tests.adapters.city_file import HOUSEHOLDS, RECORDS
from tests.core.changes import AS_OF, suppression

CONTENTS: tuple[Content, ...] = (
    *(HouseholdLine(household=household) for household in HOUSEHOLDS),
    RecordLine(record=next(iter(RECORDS.values()))),
    SuppressionLine(suppression=suppression("1", HOUSEHOLDS[0].head_id)),
)
NAME = HOUSEHOLDS[0].head.name
LAST = len(CONTENTS) + 2
Edit = Callable[[list[bytes]], list[bytes]]


def write(path: Path, contents: tuple[Content, ...] = CONTENTS) -> Counts:
    """Write an extract of the tests' city."""
    return write_extract(path, city="272035", as_of=AS_OF, sequence=4, contents=lambda: contents)


def read(path: Path) -> tuple[Extract, list[Content]]:
    """Read an extract and return what it hands on."""
    taken: list[Content] = []
    return ExtractReader(take=lambda line, _at: taken.append(line)).read(path), taken


def changed(edit: Edit, path: Path, *, rightly_digested: bool = True) -> list[str]:
    """Return the faults of an extract after a change of its lines."""
    write(path)
    lines = edit(path.read_bytes().splitlines(keepends=True))
    if rightly_digested and lines:
        digest = hashlib.sha256(b"".join(lines[:-1])).hexdigest().encode()
        lines[-1] = re.sub(rb'(?<="sha256":")[0-9a-f]{64}', digest, lines[-1])
    path.write_bytes(b"".join(lines))
    return [f"{one.number}: {one.fault}" for one in read(path)[0].faults]


def in_line(number: int, old: bytes, new: bytes) -> Edit:
    """Return an edit that replaces something in a line, counted from 1."""

    def edit(lines: list[bytes]) -> list[bytes]:
        assert old in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new)
        return lines

    return edit


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Every line comes out as it went in, and the digest is the file's."""
    counts = write(tmp_path / "x.jsonl")
    extract, taken = read(tmp_path / "x.jsonl")

    assert CONTENTS == tuple(taken)
    assert ([], 0) == (extract.faults, extract.faults_in_all)
    assert extract.header is not None
    assert (counts, 4, AS_OF) == (
        extract.header.counts,
        extract.header.sequence,
        extract.header.as_of,
    )
    assert hashlib.sha256((tmp_path / "x.jsonl").read_bytes()).digest() == extract.file_digest


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (f'"sex":"{NAME}"', "$.household.members[0].sex"),
        ('"sex":"at `$.name` - at `$.name`"', "$.household.members[0].sex"),
        (f'"{NAME}":1,"sex":"男"', "$.household.members[0]"),
        ('"sex":7', "$.household.members[0].sex"),
    ],
)
def test_value_that_does_not_fit_is_not_told(tmp_path: Path, wrong: str, place: str) -> None:
    """Only where it stands, also if it looks like a place itself."""
    faults = changed(in_line(2, '"sex":"男"'.encode(), wrong.encode()), tmp_path / "x.jsonl")

    assert f"2: does not fit the schema: {place}" == faults[0]


def test_sample_city_keeps_its_suppressions() -> None:
    """Whoever imports the exported sample lifts no protection by it."""
    told = [one.suppression for one in sample_contents() if isinstance(one, SuppressionLine)]

    assert ["sample-022", "sample-023", "sample-025", "sample-026"] == [
        one.suppression_id for one in told
    ]


def test_sample_city_is_without_fault(tmp_path: Path) -> None:
    """All its households and all its records pass every rule."""
    contents = tuple(sample_contents())
    write(tmp_path / "x.jsonl", contents)
    extract, taken = read(tmp_path / "x.jsonl")

    assert (0, len(contents)) == (extract.faults_in_all, len(taken))


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda lines: lines[:-1], f"{LAST - 1}: the trailer is missing"),
        (lambda lines: [], "1: the file is empty"),
        (lambda lines: [*lines, lines[1]], f"{LAST + 1}: there is more after the trailer"),
        (lambda lines: lines[1:], "1: the first line is no header"),
        (lambda lines: [lines[0], *lines], "2: a second header"),
        (lambda lines: lines[:2] + lines[3:], "1: the counts of the header"),
        (lambda lines: [*lines[:3], b"\n", *lines[3:]], "4: is no JSON"),
        (lambda lines: [*lines[:3], b"\xff\n", *lines[3:]], "4: is no JSON"),
        (lambda lines: [*lines[:3], b"[" * 9_999 + b"\n", *lines[3:]], "4: does not fit"),
        (in_line(1, b"extract/1", b"extract/2"), "1: does not fit the schema: $.format"),
        (in_line(1, b"272035", b"27203"), "1: does not fit the schema: $.city"),
        (in_line(2, b'"standing"', b'"standin"'), "2: does not fit the schema: $.household.mem"),
        (in_line(2, NAME.encode(), b""), "2: record-incomplete: 世帯員1 氏名"),
        (in_line(2, "世帯主".encode(), "孫".encode()), "2: relationship-impossible: 世帯員1"),
        (in_line(LAST, b'"records":1', b'"records":2'), f"{LAST}: the counts of the trailer"),
    ],
)
def test_fault_is_told_with_the_number_of_its_line(tmp_path: Path, edit: Edit, fault: str) -> None:
    """And with the item, but never with what stands there."""
    faults = changed(edit, tmp_path / "x.jsonl")

    assert [one for one in faults if one.startswith(fault)], faults
    assert not [one for one in faults if NAME in one]


@pytest.mark.parametrize("number", [-(10**30), 1 << 64])
def test_number_that_cannot_be_kept_is_a_fault(tmp_path: Path, number: int) -> None:
    """JSON knows numbers of any size, the copy does not."""
    tax = RecordLine(record=RECORDS[HOUSEHOLDS[0].head_id, Kind.KAZEI])
    text = msgspec.json.encode(tax)
    at = text.index(b'"income_total":') + len(b'"income_total":')
    end = text.index(b",", at)
    line = text[:at] + str(number).encode() + text[end:] + b"\n"
    faults = changed(lambda lines: [*lines[:4], line, *lines[4:]], tmp_path / "x.jsonl")

    assert "5: holds a number or a nesting that is too large" == faults[0]


def test_any_byte_that_changed_on_the_way_is_found(tmp_path: Path) -> None:
    """The digest covers what no rule could find."""
    edit = in_line(2, NAME.encode(), "見本　次郎".encode())

    assert [f"{LAST}: the digest of the lines before is another one"] == changed(
        edit, tmp_path / "x.jsonl", rightly_digested=False
    )


def test_all_faults_are_counted_and_the_first_ones_listed(tmp_path: Path) -> None:
    """An extract is put right in one go, and a ruined one does not fill the screen."""
    empty = msgspec.structs.replace(HOUSEHOLDS[0], address="")
    write(tmp_path / "x.jsonl", (HouseholdLine(household=empty),) * 60)
    extract, taken = read(tmp_path / "x.jsonl")

    assert (60, 50, []) == (extract.faults_in_all, len(extract.faults), taken)
    assert (2, "record-incomplete: 住所") == (extract.faults[0].number, extract.faults[0].fault)


def test_line_without_end_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a fault, and the lines after it are counted rightly."""
    monkeypatch.setattr(register_file, "LINE_BYTES_MAX", 10_000)

    def longer(lines: list[bytes]) -> list[bytes]:
        return [*lines[:2], b'"' + b"x" * 45_000 + b'"\n', *lines[2:3], b"{}\n", *lines[3:]]

    faults = changed(longer, tmp_path / "x.jsonl")

    assert "3: has more than 10000 bytes" == faults[0]
    assert [one for one in faults if one.startswith("5: does not fit the schema")]


def test_extract_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A file that exists is never overwritten; a folder that is not there is told."""
    write(tmp_path / "x.jsonl")
    with pytest.raises(SetUpError, match="exists already"):
        write(tmp_path / "x.jsonl")
    with pytest.raises(SetUpError, match="cannot be written"):
        write(tmp_path / "no" / "x.jsonl")
    with pytest.raises(SetUpError, match="cannot be read"):
        read(tmp_path / "no.jsonl")
