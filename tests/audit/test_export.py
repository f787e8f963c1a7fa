"""The audit record verified elsewhere: from a file and public keys, without the city's database."""

import json
import shutil
import stat
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from issuance_server.adapters.sqlite import queries
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.desk_commands import audit, reach
from tests.commands.desk import Commands, Ran
from tests.core.made import line_closed


@dataclass(frozen=True)
class Elsewhere:
    """A place that has an export and the city's public keys, and nothing else of it."""

    commands: Commands
    export: Path
    trust: Path

    def verify(self, *more: str) -> Ran:
        """Run the verification on the export."""
        return self.commands.plain(
            *("audit", "verify", "--export", str(self.export), "--trust", str(self.trust), *more)
        )

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.export.read_bytes().splitlines()]

    def write(self, lines: list[dict[str, Any]]) -> None:
        self.export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def elsewhere(journaled: Commands, tmp_path: Path) -> Elsewhere:
    """An export of the city, whose folder is gone."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    export, trust = folder / "audit.jsonl", folder / "trust"
    assert 0 == journaled.run("audit", "export", "--out", str(export)).status
    shutil.copytree(journaled.folder / "keys" / "trust", trust)
    shutil.rmtree(journaled.folder)
    return Elsewhere(journaled, export, trust)


def test_export_holds_elsewhere(elsewhere: Elsewhere) -> None:
    """As in the city; and nobody but its owner can read it."""
    ran = elsewhere.verify()

    assert (0, "") == (ran.status, ran.err)
    assert "the audit record holds: 60 records, " in ran.out
    assert 0o600 == stat.S_IMODE(elsewhere.export.stat().st_mode)
    assert json.loads(elsewhere.verify("--json").out)["holds"]


def test_changed_export_is_found_out(elsewhere: Elsewhere) -> None:
    """A record that was changed in the file is named as one in the database is."""
    lines = elsewhere.lines()
    record = bytearray(b64decode(lines[7]["record"]))
    record[-1] ^= 1
    lines[7]["record"] = b64encode(record).decode()
    elsewhere.write(lines)

    assert (1, "audit: record 7 was changed\n") == (
        elsewhere.verify().status,
        elsewhere.verify().err,
    )


def test_witness_finds_an_old_export(elsewhere: Elsewhere, journaled: Commands) -> None:
    """A checkpoint that somebody kept is held against an export, too."""
    lines = elsewhere.lines()
    checkpoints = [line for line in lines if line["type"] == "checkpoint"]
    witness = elsewhere.export.with_name("witness.json")
    witness.write_text(json.dumps(checkpoints[-1] | {"leaves": ""}) + "\n", encoding="utf-8")
    assert 0 == elsewhere.verify("--witness", str(witness)).status
    kept = [line for line in lines if line.get("number", 0) != 60 and line != checkpoints[-1]]
    kept[-1] |= {"size": 59}
    elsewhere.write(kept)

    assert (
        "a witness saw 60 records: record 60 is missing"
        in elsewhere.verify("--witness", str(witness)).err
    )


@pytest.mark.parametrize(
    ("kept", "told"),
    [(slice(0, -1), "is cut off"), (slice(1, None), "see line 1"), (slice(0, 0), "is cut off")],
    ids=["no end", "no beginning", "nothing"],
)
def test_half_an_export_is_none(elsewhere: Elsewhere, kept: slice, told: str) -> None:
    """A file that was not written or sent to its end is refused, and says so."""
    elsewhere.write(elsewhere.lines()[kept])

    assert (1, True) == (elsewhere.verify().status, told in elsewhere.verify().err)


def test_damaged_export_names_the_line(elsewhere: Elsewhere) -> None:
    """What is no JSON, or not of the form."""
    content = elsewhere.export.read_bytes().splitlines(keepends=True)
    elsewhere.export.write_bytes(b"".join([*content[:4], b"\xff{\n", *content[5:]]))

    assert "is damaged: see line 5" in elsewhere.verify().err


def test_export_of_another_city_is_refused(elsewhere: Elsewhere) -> None:
    """Its signatures could not hold under these keys."""
    lines = elsewhere.lines()
    elsewhere.write([line | {"city": "272043"} if "city" in line else line for line in lines])

    assert "is of city 272043" in elsewhere.verify().err


def test_whose_keys_must_be_said(elsewhere: Elsewhere) -> None:
    """An export does not vouch for itself."""
    ran = elsewhere.commands.plain("audit", "verify", "--export", str(elsewhere.export))

    assert "--export needs --trust" in ran.err


def test_nothing_is_written_over(journaled: Commands, tmp_path: Path) -> None:
    """Neither by an export nor by a checkpoint; and no half file stays."""
    out = tmp_path / "kept"
    out.write_text("mine", encoding="utf-8")
    for command in ("export", "checkpoint"):
        ran = journaled.run("audit", command, "--out", str(out))
        assert (1, True) == (ran.status, "is there already" in ran.err)
        ran = journaled.run("audit", command, "--out", str(tmp_path / "none" / "file"))
        assert (1, True) == (ran.status, "cannot be written" in ran.err)

    assert "mine" == out.read_text(encoding="utf-8")
    assert [] == list(tmp_path.glob("*.part"))


def test_what_is_no_witness_is_refused(journaled: Commands, tmp_path: Path) -> None:
    """An export, or the checkpoint of another city."""
    witness = tmp_path / "witness.json"
    assert 0 == journaled.run("audit", "checkpoint", "--out", str(witness)).status
    kept = json.loads(witness.read_bytes())
    cases = {
        "holds no checkpoint": {"type": "audit-record", "city": "272035"},
        "of city 272043": kept | {"city": "272043"},
        "the witness of 61 records has a wrong signature": kept | {"size": 61},
    }
    for told, line in cases.items():
        witness.write_text(json.dumps(line) + "\n", encoding="utf-8")
        ran = journaled.run("audit", "verify", "--witness", str(witness))
        assert (1, True) == (ran.status, told in ran.err)


def test_export_of_a_city_that_goes_on_is_whole(
    journaled: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that come while it is read, a page at a time, are in it or not; it holds."""
    monkeypatch.setattr(queries, "JOURNAL_PAGE_ROWS", 7)
    out, trust = tmp_path / "audit.jsonl", journaled.folder / "keys" / "trust"
    pages = 0

    async def ask_and_go_on(city: City, request: wire.Request) -> wire.Answer:
        """Ask; then somebody issues."""
        nonlocal pages
        pages += 1
        answer = await reach.ask(city, request)
        store = await SqliteStore.open(journaled.database)
        async with store.transaction() as transaction:
            for number in range(3):
                transaction.write(line_closed(number, f"T-{pages}-{number}"))
        await store.close()
        return answer

    monkeypatch.setattr(audit, "ask", ask_and_go_on)
    assert 0 == journaled.run("audit", "export", "--out", str(out)).status
    monkeypatch.undo()
    ran = journaled.plain("audit", "verify", "--export", str(out), "--trust", str(trust))

    assert (0, "") == (ran.status, ran.err)
    assert pages > 60 // 7
