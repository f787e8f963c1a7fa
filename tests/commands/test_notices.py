"""``issuance-server notice`` and ``push``: what an operator types and sees."""

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from issuance_server.desk_commands import push
from issuance_server.desk_commands.push import safe_cell
from issuance_server.sample.residents import sample_households
from tests.commands.desk import Commands

HEAD = sample_households()[0].head_id
ADDRESS = "canary@resident.example"


def journal(commands: Commands) -> bytes:
    with closing(sqlite3.connect(commands.database)) as database:
        return b"".join(row[0] for row in database.execute("SELECT record FROM journal"))


def test_subscription_comes_is_listed_and_goes(commands: Commands) -> None:
    """The address is in no list and no record; it is gone afterwards."""
    added = commands.act("notice", "subscribe", HEAD, "--address", ADDRESS)
    assert (0, f"{HEAD} is told of every certificate from now on\n") == (added.status, added.err)
    listed = commands.run("notice", "list", "--subscriptions", "--json").out
    assert [HEAD] == [row["resident_id"] for row in json.loads(listed)]
    assert HEAD in commands.run("notice", "list", "--subscriptions").out
    assert ["notice", "kind", "state"] == commands.run("notice", "list").out.split()[:3]

    assert ADDRESS not in listed
    assert ADDRESS.encode() not in journal(commands)
    ended = commands.act("notice", "unsubscribe", HEAD)
    assert (0, True) == (ended.status, "address is erased" in ended.err)
    assert [] == json.loads(commands.run("notice", "list", "--subscriptions", "--json").out)
    assert ADDRESS.encode() not in commands.database.read_bytes()
    assert "holds" in commands.run("audit", "verify").out


def test_address_may_come_from_standard_input(commands: Commands) -> None:
    """Then no list of processes shows it."""
    words = ("notice", "subscribe", HEAD, "--operator", "mado-1", "--reason", "asked")
    added = commands.run(*words, "--passphrase-stdin", stdin=f"toyonaka-sample\n{ADDRESS}\n")

    assert 0 == added.status, added.err
    with closing(sqlite3.connect(commands.database)) as database:
        assert [(ADDRESS,)] == list(database.execute("SELECT address FROM notice_subscription"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("subscribe", "10000010", "--address", ADDRESS), "check digit is wrong"),
        (("subscribe", HEAD, "--address", "no address"), "write it as name@example.jp"),
        (("subscribe", "90000000", "--address", ADDRESS), "check"),
        (("unsubscribe", HEAD), "see: notice list --subscriptions"),
    ],
)
def test_mistake_is_told_and_changes_nothing(
    commands: Commands, arguments: tuple[str, ...], told: str
) -> None:
    """The way out stands in the sentence; the address does not."""
    before = journal(commands)
    refused = commands.act("notice", *arguments)

    assert (1, True) == (refused.status, told in refused.err)
    assert ADDRESS not in refused.err
    assert before == journal(commands)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_card_holders_are_listed_by_state(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, each a signed act with its reason; the file is the owner's alone."""
    monkeypatch.setattr(push, "PAGE_ROWS_MAX", 50)
    monkeypatch.setattr("issuance_server.adapters.sqlite.push_reading.PAGE_ROWS_MAX", 50)
    out = tmp_path / "push.csv"
    listed = commands.act("push", "list", "--as-of", "2099-12-31", "--out", str(out))
    assert (1, True) == (listed.status, "still to come" in listed.err)
    assert not list(tmp_path.glob("push*"))
    today = commands.act("push", "list", "--as-of", day_of(commands), "--out", str(out))
    assert 0 == today.status, today.err

    found = rows(out)
    assert 0o600 == out.stat().st_mode & 0o777
    assert {"state", "resident_id", "card_ref"} == found[0].keys()
    assert {"holds-certificate", "holds-card"} == {row["state"] for row in found}
    assert len(found) == len({row["card_ref"] for row in found}) > 50
    assert f"has {len(found)} card holders" in today.err
    assert journal(commands).count(b"push.list") > len(found) // 50
    again = commands.act("push", "list", "--as-of", day_of(commands), "--out", str(out))
    assert (1, True) == (again.status, "--replace" in again.err)


@pytest.mark.parametrize("folder", ["none", "a-file"])
def test_list_that_cannot_be_written_is_told_with_its_path(
    commands: Commands, tmp_path: Path, folder: str
) -> None:
    """And with the way out; nothing is listed then."""
    (tmp_path / "a-file").touch()
    out = tmp_path / folder / "push.csv"
    told = commands.act("push", "list", "--as-of", day_of(commands), "--out", str(out)).err

    assert f"{out} cannot be written: N" in told
    assert "name a file in a folder that is there" in told
    assert 1 == told.count("\n")
    assert 0 == journal(commands).count(b"push.list")


def day_of(commands: Commands) -> str:
    """The real day: a command alone has the real clock."""
    with closing(sqlite3.connect(commands.database)) as database:
        return database.execute("SELECT date('now', '+9 hours')").fetchone()[0]


def test_letters_have_names_and_nobody_who_is_protected(commands: Commands, tmp_path: Path) -> None:
    """A letter can betray an address, so nobody on whom a suppression lies is written to."""
    plain, out = tmp_path / "plain.csv", tmp_path / "letters.csv"
    with closing(sqlite3.connect(commands.database)) as database, database:
        database.execute(
            "INSERT INTO suppression (suppression_id, resident_id, reason, since_ms)"
            " VALUES ('s-1', ?, 'support', 0)",
            (HEAD,),
        )
    as_of = ("push", "list", "--as-of", day_of(commands), "--out")
    assert 0 == commands.act(*as_of, str(plain)).status
    assert 0 == commands.act(*as_of, str(out), "--with-addresses").status

    letters = rows(out)
    assert {"name", "address"} < letters[0].keys()
    assert all(row["name"] and row["address"].startswith("大阪府") for row in letters)
    assert HEAD not in {row["resident_id"] for row in letters}
    assert [row["card_ref"] for row in rows(plain)] == [row["card_ref"] for row in letters]
    acts = journal(commands)
    assert b"without-addresses" in acts
    assert b"with-addresses" in acts
    assert letters[0]["name"].encode() not in acts


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("見本　健", "見本　健"),
        ("=1+1", "'=1+1"),
        ("+81", "'+81"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t=1"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(value: str | None, cell: str) -> None:
    """Whatever a register holds, a spreadsheet shows it and does nothing."""
    assert cell == safe_cell(value)
