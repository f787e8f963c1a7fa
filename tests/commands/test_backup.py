"""``issuance-server backup`` and ``restore``: what is typed, seen and refused."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from issuance_server.sample.residents import sample_households
from protocol.secret import Secret
from tests.commands.desk import Commands, Ran

HEAD = sample_households()[0].head_id
ONE_TRY = "SELECT DISTINCT tries_left, tries_max FROM card"
_FULL_DISK = """
import resource, sys
from issuance_server.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
sys.exit(main(sys.argv[1:]))
"""
"""No file may grow beyond 200,000 bytes: the kernel refuses as it does when a disk is full."""


@pytest.fixture
def backup(commands: Commands, tmp_path: Path) -> Path:
    """A backup of the sample city as it was founded."""
    folder = tmp_path / "backup"
    made = commands.run("backup", "--out", str(folder), "--verify")
    assert 0 == made.status, made.err
    return folder


@pytest.fixture
def elsewhere(commands: Commands, tmp_path: Path) -> Path:
    """Another machine, on which nothing is yet but a copy of the keys."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copytree(commands.folder / "keys", folder / "keys")
    return folder


def restore(commands: Commands, backup: Path, folder: Path, *words: str) -> Ran:
    """Restore a backup into a folder."""
    return commands.plain("restore", str(folder), "--from", str(backup), *words)


def records(commands: Commands) -> int:
    """Return how many records the journal has; it has to hold."""
    told = json.loads(commands.run("audit", "verify", "--json").out)
    assert [] == told["faults"]
    count: int = told["records"]
    return count


def files(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder that have something in them, but for locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size and path.suffix != ".lock"
    }


def suppress(commands: Commands) -> None:
    """Let an operator write something into the journal."""
    words = ("suppression", "add", "--resident", HEAD, "--why", "provisional-support")
    assert 0 == commands.act(*words).status


def test_backup_holds_no_key_and_is_for_its_owner_alone(commands: Commands, backup: Path) -> None:
    """Public halves, both databases, the configuration; nothing of a private or day key."""
    names = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
    assert {"city.db", "pin-judge.db", "server.toml", "contents.json"} <= names
    assert {"keys/trust/city.json", "keys/trust/trust.json", "keys/operators/mado-1.pub"} <= names
    assert [] == [name for name in names if name.endswith(".key")]
    assert 0o700 == backup.stat().st_mode & 0o777
    with closing(sqlite3.connect(backup / "city.db")) as connection:
        assert [] == connection.execute("SELECT * FROM issuance_key").fetchall()
    again = commands.run("backup", "--out", str(backup))
    assert (1, True) == (again.status, "give the name of a new folder with --out" in again.err)


def test_city_is_put_back_on_another_machine(
    commands: Commands, backup: Path, elsewhere: Path
) -> None:
    """With the copy of its keys; each card has one try, and the restore is on record."""
    before = records(commands)
    restored = restore(commands, backup, elsewhere)
    assert 0 == restored.status, restored.err
    assert "city.restored" in restored.err
    assert "cards with one try until the counter clears them:" in restored.out

    there = Commands(elsewhere, commands.capture, commands.monkeypatch)
    assert before + 1 == records(there)
    assert commands.config.read_bytes() == there.config.read_bytes()
    with closing(sqlite3.connect(elsewhere / "data" / "pin-judge.db")) as connection:
        assert [(1, 1)] == connection.execute(ONE_TRY).fetchall()
    assert 0 == there.run("card", "list").status, "the judge takes its store"


def test_city_that_is_there_is_moved_aside_only_if_wanted(commands: Commands, backup: Path) -> None:
    """Without ``--replace`` nothing changes; with it twice, each restore opens another block."""
    suppress(commands)
    there = files(commands.folder)
    refused = restore(commands, backup, commands.folder)
    assert (1, True) == (refused.status, "--replace to move it aside" in refused.err)
    assert there == files(commands.folder)

    first = restore(commands, backup, commands.folder, "--replace")
    assert 0 == first.status, first.err
    (aside,) = (commands.folder / "data").glob("replaced-*")
    assert there["data/city.db"] == (aside / "city.db").read_bytes()
    shutil.rmtree(aside)
    second = restore(commands, backup, commands.folder, "--replace")
    assert 0 == second.status, second.err
    begins = [int(one.out.split("begin at ")[1].split(";")[0]) for one in (first, second)]
    assert begins[0] < begins[1]


def test_city_that_is_served_is_not_put_back(commands: Commands, backup: Path) -> None:
    """The server holds it; it is named as what has to be stopped."""
    with commands.served():
        refused = restore(commands, backup, commands.folder, "--replace")
    assert (1, True) == (refused.status, "another server works on" in refused.err)


def test_journal_brings_the_city_to_a_later_moment(
    commands: Commands, backup: Path, elsewhere: Path, tmp_path: Path
) -> None:
    """All records that came after the backup, or those up to a time."""
    suppress(commands)
    between = datetime.now(UTC)
    suppress(commands)
    export, count = tmp_path / "export.jsonl", records(commands)
    assert 0 == commands.run("audit", "export", "--out", str(export)).status
    there = Commands(elsewhere, commands.capture, commands.monkeypatch)

    whole = restore(commands, backup, elsewhere, "--journal", str(export))
    assert 0 == whole.status, whole.err
    assert count + 1 == records(there)
    some = ("--journal", str(export), "--until", between.isoformat(), "--replace")
    assert 0 == restore(commands, backup, elsewhere, *some).status
    listed = json.loads(there.run("suppression", "list", "--json").out)
    assert 1 == len([one for one in listed if one["origin"] == "operator"])
    alone = restore(commands, backup, elsewhere, "--until", between.isoformat())
    assert (1, True) == (alone.status, "--until needs --journal" in alone.err)


def test_witness_from_after_the_backup_is_told_of_the_restore(
    commands: Commands, backup: Path, tmp_path: Path
) -> None:
    """The audit record stays doubted, and says what to ask the city about."""
    suppress(commands)
    witness = tmp_path / "witness.json"
    assert 0 == commands.run("audit", "checkpoint", "--out", str(witness)).status
    assert 0 == restore(commands, backup, commands.folder, "--replace").status

    verified = commands.run("audit", "verify", "--witness", str(witness))
    assert (1, True) == (verified.status, "if that restore was announced" in verified.err)


def _cut(backup: Path) -> None:
    (backup / "pin-judge.db").unlink()


def _flip(backup: Path) -> None:
    content = bytearray((backup / "city.db").read_bytes())
    content[len(content) // 2] ^= 1
    (backup / "city.db").write_bytes(content)


def _other_contents(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(backup: Path) -> None:
        path = backup / "contents.json"
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut, "pin-judge.db: No such file"),
        (_flip, "city.db is damaged"),
        (_other_contents(b'"city": "272035"', b'"city": "131016"'), "a backup of city 131016"),
        (_other_contents(b'"records": ', b'"records": 1'), "not as this city signed it"),
        (_other_contents(b"kofu-backup/1", b"kofu-backup/9"), "of another version"),
        (lambda backup: (backup / "contents.json").unlink(), "no whole backup"),
    ],
    ids=["missing", "bit", "city", "changed", "format", "unfinished"],
)
def test_damaged_backup_is_refused_and_nothing_changes(
    commands: Commands, backup: Path, damage: Callable[[Path], None], said: str
) -> None:
    """One sentence names the file or what is wrong with it."""
    damage(backup)
    there = files(commands.folder)
    refused = restore(commands, backup, commands.folder, "--replace")

    assert (1, True) == (refused.status, said in refused.err), refused.err
    assert there == files(commands.folder)


def test_backup_of_another_form_of_database_names_its_version(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is restored with the program that made it."""
    folder = tmp_path / "backup"
    with monkeypatch.context() as older:
        older.setattr("issuance_server.desk_commands.backing_up.SCHEMA_VERSION", 3)
        assert 0 == commands.run("backup", "--out", str(folder)).status
    refused = restore(commands, folder, commands.folder, "--replace")
    assert (1, True) == (refused.status, "restore it with that version" in refused.err)


def test_without_the_keys_nothing_is_restored(
    commands: Commands, backup: Path, tmp_path: Path
) -> None:
    """They are in no backup, and the sentence says so."""
    refused = restore(commands, backup, tmp_path / "nowhere")
    assert (1, True) == (refused.status, "put the copy of the city's keys into it" in refused.err)


def test_configuration_of_a_backup_leads_nowhere_else(
    commands: Commands, backup: Path, elsewhere: Path, tmp_path: Path
) -> None:
    """Whoever could write it would name keys of his own, which sign whatever he likes."""
    config = backup / "server.toml"
    config.write_text(config.read_text() + f'\n[storage]\nkeys = "{tmp_path}/others"\n')
    refused = restore(commands, backup, elsewhere)
    assert (1, True) == (refused.status, "lies outside of" in refused.err)
    assert not (elsewhere / "data").exists()


def test_full_disk_leaves_nothing_behind(commands: Commands, tmp_path: Path) -> None:
    """The backup is whole or not there; so is the city that is put back."""
    out = tmp_path / "backup"
    words = ("backup", "--config", str(commands.config), "--out", str(out))
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, *words], capture_output=True, text=True, check=False
    )
    assert (1, True) == (done.returncode, "cannot be written" in done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert [] == [path.name for path in tmp_path.iterdir() if "backup" in path.name]


def test_old_content_keys_cannot_be_opened_after_a_restore(
    commands: Commands, backup: Path
) -> None:
    """Whatever another copy of the database still holds: the keys of its days are destroyed."""
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    commands.city().keys.day_keys.wrap(day, Secret(bytes(32)))
    assert 0 == restore(commands, backup, commands.folder, "--replace").status

    assert () == commands.city().keys.day_keys.days()
