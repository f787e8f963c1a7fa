"""本籍地利用登録 and several certificates in a visit, with real processes."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from issuance_server.demo.stage import TERMINAL_SIM
from issuance_server.sample.residents import sample_households
from keys.jpki import JpkiAuthority
from keys.mynumber_card import MyNumberCard
from protocol.secret import Secret
from tests.processes.town import Terminal, Town, wait_until

pytestmark = pytest.mark.processes

PIN = "4938"
NAME = "canary-見本 遠方"
CARD = "stranger"
PERSON = sample_households()[0].members[1].resident_id
AT_THE_COUNTER = ("--reason", "register found", "--passphrase-stdin")


def stranger(town: Town) -> Path:
    """Make a card that no register of this city knows, of a person who has moved away."""
    authority = JpkiAuthority.load(town.folder / "jpki")
    MyNumberCard.create(
        town.folder / "cards" / f"{CARD}.card.json",
        holder=NAME,
        pin=Secret(PIN.encode()),
        certify=lambda key: authority.issue(key, now=datetime.now(UTC)),
        seed=Secret(b"s" * 32),
    )
    with closing(sqlite3.connect(town.folder / "data" / "city.db")) as database, database:
        database.execute("DELETE FROM card WHERE resident_id = ?", (PERSON,))
        database.execute("DELETE FROM resident WHERE resident_id = ?", (PERSON,))
    return town.folder / "cards" / f"{CARD}.card.json"


def journal(town: Town) -> bytes:
    with closing(sqlite3.connect(town.folder / "data" / "city.db")) as database:
        return b"".join(row[0] for row in database.execute("SELECT record FROM journal"))


def at_machine(town: Town, card: Path, command: str, *more: str) -> Terminal:
    place = town.folder / "terminals" / "LW-0001" / "terminal.toml"
    words = ("--terminal", str(place), "--card", str(card), "--pin", PIN, "--json")
    started = town.begin([*TERMINAL_SIM, command, *words, *more])
    started.wait()
    return started


def test_stranger_asks_is_found_waits_and_has_the_family_register(town: Town) -> None:
    """The request is on record, two operators decide, and days later a 戸籍 comes out."""
    card = stranger(town)
    town.start()
    refused = town.issue("LW-0001", CARD, pins=(PIN,))
    assert (3, "CARD_NOT_REGISTERED_HERE") == (
        refused.wait(),
        refused.result["refusal"]["name"],
    )
    typed = ("--domicile", "見本一丁目", "--register-head", "見本", "--name", NAME)
    asked = at_machine(town, card, "register-domicile", *typed, "--birth", "平成2年3月4日")
    assert "accepted" == asked.result["state"], asked.said
    request = asked.result["request"]

    def counter(*words: str, by: str = "mado-1") -> str:
        acted = (*words, "--operator", by, *AT_THE_COUNTER)
        done = town.city("domicile-request", *acted, typed="toyonaka-sample\n")
        return done.stdout + done.stderr

    assert NAME in counter("show", request)
    assert "matched" in counter("match", request, "--resident", PERSON)
    assert "checking" == at_machine(town, card, "domicile-status").result["state"]
    assert "another operator" in counter("approve", request)
    assert "registered" in counter("approve", request, by="mado-2")
    told = at_machine(town, card, "domicile-status").result
    assert ("usable", "2026-12-07") == (told["state"], told["usable_from"])
    early = town.issue("LW-0001", CARD, pins=(PIN,))
    assert (3, "CARD_NOT_YET_USABLE") == (early.wait(), early.result["refusal"]["name"])
    assert NAME not in town.log_text
    kept = journal(town)
    assert bytes.fromhex(request) in kept
    assert NAME.encode() not in kept
    assert town.server is not None
    assert 0 == town.server.stop()

    town.start("--clock", "2026-12-07T10:00:00")
    wanted = ("--certificate", "koseki-kojin", "--certificate", "juminhyo")
    visit = town.issue("LW-0001", CARD, *wanted, "--certificate", "fuhyo", pins=(PIN,))
    assert 3 == visit.wait()
    ends = [
        (one["kind"], one["state"], one["refusal"] and one["refusal"]["name"])
        for one in visit.result["issuances"]
    ]
    assert [
        ("koseki-kojin", "completed", None),
        ("juminhyo", "withdrawn", "NOT_ISSUED_HERE"),
        ("fuhyo", "completed", None),
    ] == ends, visit.said
    assert 2 == len(list(town.paper.glob("*.pdf")))


STEPS = ("application", "quotation", "fetching", "held", "money")


def test_what_is_cancelled_is_withdrawn_and_what_is_not_has_numbers_of_its_own(
    town: Town,
) -> None:
    """One visit: 取消 at every step leaves no fee and void numbers; two copies have two numbers."""
    town.start()
    cancelled = [f"juminhyo:copies=2,cancel-at={step}" for step in STEPS]
    wanted = [word for one in cancelled for word in ("--certificate", one)]
    visit = town.issue(
        "LW-0001",
        "h001-m1",
        *wanted,
        "--certificate",
        "juminhyo:copies=2",
        "--certificate",
        "inkan",
    )
    assert 5 == visit.wait(), visit.said

    rows = {row["issuance"]: row for row in town.issuances()}
    ended = [rows[one["issuance"]] for one in visit.result["issuances"]]
    assert [("withdrawn", "none")] * len(STEPS) == [
        (row["state"], row["fee"]) for row in ended[: len(STEPS)]
    ]
    assert [("completed", "earned")] * 2 == [
        (row["state"], row["fee"]) for row in ended[len(STEPS) :]
    ]
    numbers = [number for row in ended for number in row["numbers"]]
    assert 2 * (len(STEPS) + 1) + 1 == len(set(numbers)) == len(numbers)
    with closing(sqlite3.connect(town.folder / "data" / "city.db")) as database:
        states = dict(database.execute("SELECT number, state FROM certificate_number"))
    valid = {number for row in ended[len(STEPS) :] for number in row["numbers"]}
    assert valid == {number for number, state in states.items() if state == "valid"}
    assert set(numbers) - valid == {number for number, state in states.items() if state == "void"}
    assert len({row["terminal"] for row in ended}) == 1


def test_holder_who_asked_is_told_and_cards_are_listed_by_state(town: Town) -> None:
    """The notice lies in the folder soon after the paper; the list tells who used the service."""
    holder = sample_households()[1].head_id
    town.start()
    by = ("--operator", "mado-1", "--reason", "asked for it", "--passphrase-stdin")
    subscribed = town.city(
        *("notice", "subscribe", holder, "--address", "canary@resident.example", *by),
        typed="toyonaka-sample\n",
    )
    assert 0 == subscribed.returncode, subscribed.stderr
    assert 0 == town.issue("LW-0001", "h001-m1").wait()
    folder = town.folder / "notices"
    wait_until(lambda: folder.exists() and bool(list(folder.glob("*.json"))), "a notice lies there")

    (notice,) = folder.glob("*.json")
    told = json.loads(notice.read_text())
    assert ("juminhyo", "canary@resident.example") == (told["kind"], told["to"])
    wait_until(lambda: bool(town.events("notice.sent")), "it is marked")
    (row,) = json.loads(town.city("notice", "list", "--json").stdout)
    assert ("sent", notice.stem) == (row["state"], row["notice"])
    assert "canary@" not in town.log_text
    assert b"canary@" not in journal(town)
    out = town.folder / "push.csv"
    listed = town.city(
        *("push", "list", "--as-of", "2026-11-30", "--out", str(out), *by),
        typed="toyonaka-sample\n",
    )
    assert 0 == listed.returncode, listed.stderr
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert "state,resident_id,card_ref" == lines[0]
    assert [f"uses-service,{holder}"] == [
        line.rpartition(",")[0] for line in lines if line.startswith("uses-service")
    ]
