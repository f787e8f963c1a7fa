"""``audit verify``: finds what was changed, removed, moved or cut off behind the city's back."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from issuance_server.adapters.sqlite import queries
from issuance_server.adapters.sqlite.store import SqliteStore
from keys import life_cycle
from keys.city_folder import CityFolder
from keys.distribution import distribute
from keys.key_record import Purpose
from tests.commands.desk import Commands, Ran
from tests.core.made import line_closed

RECORDS = 6


@pytest.fixture
def journaled(commands: Commands) -> Commands:
    """A city with six records and a signed checkpoint after every second one.

    The first record is that of the tables with which it was founded.
    """
    asyncio.run(_write(commands))
    return commands


async def _write(commands: Commands) -> None:
    city = commands.city()
    store = await SqliteStore.open(commands.database)
    for number in range(2, RECORDS + 1):
        record = line_closed(number, f"T-{number}")
        async with store.transaction() as transaction:
            transaction.write(record)
        if number % 2 == 0:
            sign = city.keys.checkpoint.sign
            await store.sign_tree(city=city.config.city.code, at_ms=number, sign=sign)
    await store.close()


def change(commands: Commands, *statements: str) -> None:
    """Work on the database behind the city's back."""
    with closing(sqlite3.connect(commands.database)) as connection, connection:
        for sql in statements:
            connection.execute(sql)


def verify(commands: Commands) -> Ran:
    """Run the verification."""
    return commands.run("audit", "verify")


def test_untouched_journal_holds(journaled: Commands) -> None:
    """Every record against every checkpoint, for people and for programs."""
    assert Ran(0, "the audit record holds: 6 records, 3 signed checkpoints\n", "") == verify(
        journaled
    )
    found = json.loads(journaled.run("audit", "verify", "--json").out)
    assert {"records": 6, "checkpoints": 3, "unsigned": 0, "faults": [], "holds": True} == found


def test_empty_journal_holds(commands: Commands) -> None:
    """A new city has nothing to verify but the tables with which it was founded."""
    assert "holds: 1 records, 0 signed checkpoints" in verify(commands).out


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (
            ["UPDATE journal SET record = zeroblob(9) WHERE seq = 2"],
            "record 2 was changed",
        ),
        (["DELETE FROM journal WHERE seq = 3"], "record 3 is missing"),
        (["DELETE FROM journal WHERE seq = 1"], "record 1 is missing"),
        (
            [
                "UPDATE journal SET seq = -1 WHERE seq = 1",
                "UPDATE journal SET seq = 1 WHERE seq = 4",
                "UPDATE journal SET seq = 4 WHERE seq = -1",
            ],
            "records 1 and 4 were swapped",
        ),
        (["DELETE FROM journal WHERE seq = 6"], "record 6 is missing"),
        (["DELETE FROM journal"], "records 1 to 6 are missing"),
        (
            [
                "DELETE FROM journal WHERE seq = 2",
                "UPDATE journal SET seq = seq - 1 WHERE seq > 2",
            ],
            "record 2 is missing",
        ),
        (
            ["UPDATE audit_checkpoint SET at_ms = 9 WHERE size = 4"],
            "the checkpoint at 4 records has a wrong signature",
        ),
        (
            ["UPDATE audit_checkpoint SET root = zeroblob(32) WHERE size = 6"],
            "the checkpoint at 6 records has a wrong signature",
        ),
    ],
    ids=[
        *("changed", "removed", "first removed", "moved", "cut off", "emptied", "closed up"),
        *("redated", "another root"),
    ],
)
def test_touched_journal_is_found_out(
    journaled: Commands, statements: list[str], fault: str
) -> None:
    """Exit status 1, and each fault on standard error."""
    change(journaled, *statements)
    ran = verify(journaled)

    assert 1 == ran.status
    assert "does not hold" in ran.out
    assert f"audit: {fault}\n" in ran.err
    assert not json.loads(journaled.run("audit", "verify", "--json").out)["holds"]


def test_checkpoint_of_another_city_does_not_pass(journaled: Commands) -> None:
    """A signature is over the municipality code too."""
    config = journaled.config.read_text(encoding="utf-8")
    journaled.config.write_text(config.replace('code = "272035"', 'code = "272043"'))

    assert 1 == verify(journaled).status
    assert "holds the keys of city 272035" in verify(journaled).err


def test_journal_is_read_page_by_page(journaled: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is; every page and every checkpoint counts."""
    monkeypatch.setattr(queries, "JOURNAL_PAGE_ROWS", 2)

    assert "holds: 6 records, 3 signed checkpoints" in verify(journaled).out


@pytest.mark.processes
def test_server_answers_as_the_command_alone(journaled: Commands) -> None:
    """Through the control socket the verification is the same."""
    alone = verify(journaled)
    with journaled.served():
        assert alone == verify(journaled)
    change(journaled, "DELETE FROM journal WHERE seq = 3")
    alone = verify(journaled)
    with journaled.served():
        assert alone == verify(journaled)


def change_key(keys: CityFolder, now: datetime) -> None:
    """Let another checkpoint key take over, once terminals were told of it."""
    life_cycle.rotate(keys, Purpose.CHECKPOINT, now=now)
    distribute(keys, keys.root.parent / "told", now)
    life_cycle.activate(keys, Purpose.CHECKPOINT, now=now)


@pytest.mark.parametrize("act", ["rotate", "destroy", "revoke"])
def test_checkpoints_of_former_keys_are_checked(journaled: Commands, act: str) -> None:
    """Whatever became of the key since: what it signed before it was revoked counts."""
    keys = CityFolder.at(journaled.folder / "keys")
    now = datetime.now(UTC)
    change_key(keys, now)
    old = keys.records(Purpose.CHECKPOINT)[0].key_id
    if act == "revoke":
        life_cycle.revoke(keys, old, now=now)
    if act == "destroy":
        life_cycle.destroy(keys, old, now=now + life_cycle.OVERLAP)

    assert "holds: 6 records, 3 signed checkpoints" in verify(journaled).out


def test_a_checkpoint_after_the_revocation_counts_for_nothing(journaled: Commands) -> None:
    """Whoever stole the key signs nothing with it that is believed."""
    keys = CityFolder.at(journaled.folder / "keys")
    change_key(keys, datetime.now(UTC))
    long_ago = datetime.fromtimestamp(0, UTC)
    life_cycle.revoke(keys, Purpose.CHECKPOINT, now=long_ago)

    assert "the checkpoint at 2 records has a wrong signature" in verify(journaled).err
