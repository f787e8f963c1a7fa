"""The journal on a real disk."""

import sqlite3
from pathlib import Path

import pytest

from protocol.errors import JournalFailed, SetUpError
from terminal_sim.core.records import AnyRecord, VisitOpened
from terminal_sim.journal import Journal, locked_storage
from tests.terminal_sim.world import World, number


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal lies."""
    return tmp_path / "journal.sqlite"


def test_every_record_comes_back_as_it_was(path: Path) -> None:
    """A whole visit, step by step, in order."""
    records = World().visit().journal
    journal = Journal(path, "7-0001")
    for record in records:
        journal.append([record])
    journal.close()

    assert records == Journal(path, "7-0001").read()


def test_a_step_is_written_whole_or_not_at_all(path: Path) -> None:
    """A record that cannot be written takes its neighbours with it."""
    journal = Journal(path, "7-0001")
    good: list[AnyRecord] = [VisitOpened(visit_id=number(1), at_ms=1)]
    journal.append(good)
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TRIGGER full AFTER INSERT ON records WHEN NEW.number > 2 "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(JournalFailed):
        journal.append(good * 2)

    assert good == journal.read()


@pytest.mark.parametrize("change", ["UPDATE records SET record = ''", "DELETE FROM records"])
def test_records_are_never_changed(path: Path, change: str) -> None:
    """The database itself refuses."""
    journal = Journal(path, "7-0001")
    journal.append([VisitOpened(visit_id=number(1), at_ms=1)])

    with sqlite3.connect(path) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(change)


def test_every_transaction_reaches_the_disk(path: Path) -> None:
    """Write-ahead log, flushed at every commit."""
    journal = Journal(path, "7-0001")

    assert ("wal",) == journal._database.execute("PRAGMA journal_mode").fetchone()
    assert (2,) == journal._database.execute("PRAGMA synchronous").fetchone()


def test_a_journal_belongs_to_one_terminal(path: Path) -> None:
    """Folders that were mixed up are not mixed further."""
    Journal(path, "7-0001").close()

    with pytest.raises(SetUpError, match="7-0001"):
        Journal(path, "7-0002")


def test_what_is_no_journal_is_refused(path: Path) -> None:
    """Nothing is written to a file of somebody else's."""
    path.write_bytes(b"something else" * 100)

    with pytest.raises(SetUpError, match="not a journal"):
        Journal(path, "7-0001")
    assert b"something else" * 100 == path.read_bytes()


@pytest.mark.parametrize("damaged", [b"{}", b'{"type":"\xff"}', b'{"x":' + b"[" * 30_000])
def test_a_damaged_record_is_never_skipped(path: Path, damaged: bytes) -> None:
    """A terminal that cannot know what it did does nothing."""
    journal = Journal(path, "7-0001")
    journal._database.execute("INSERT INTO records (record) VALUES (?)", (damaged,))

    with pytest.raises(SetUpError, match="record 1"):
        journal.read()


def test_the_storage_is_for_one_process_and_its_owner(tmp_path: Path) -> None:
    """The lock goes with its holder, and others cannot enter the folder."""
    storage = tmp_path / "made" / "storage"
    with locked_storage(storage):
        assert 0o700 == storage.stat().st_mode & 0o777
        with pytest.raises(SetUpError, match="another process"), locked_storage(storage):
            pass

    with locked_storage(storage):
        pass


def test_a_storage_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "storage").write_text("")

    with pytest.raises(SetUpError, match="cannot be used"), locked_storage(tmp_path / "storage"):
        pass
