"""``card`` and ``terminal unfreeze``: looking, unlocking, and all that must be refused."""

import json
import sqlite3
from contextlib import closing

import pytest

from issuance_server.core import records as r
from tests.commands.desk import Commands, Ran


def lock(commands: Commands) -> str:
    """Lock a card in the judge's store, and return its reference."""
    with closing(sqlite3.connect(commands.folder / "data/pin-judge.db")) as judge, judge:
        (card_ref,) = judge.execute("SELECT card_ref FROM card ORDER BY card_ref").fetchone()
        judge.execute(
            "UPDATE card SET tries_left = 0, locked_at_ms = 5 WHERE card_ref = ?", (card_ref,)
        )
    return str(card_ref)


def journal(commands: Commands) -> list[r.AnyRecord]:
    """Return the journal after its first record, the tables with which the city was founded."""
    with closing(sqlite3.connect(commands.database)) as city:
        return [
            r.decode_record(row[0])
            for row in city.execute("SELECT record FROM journal WHERE seq > 1")
        ]


def refused(ran: Ran, text: str) -> None:
    """A refusal is one sentence on standard error and exit status 1."""
    assert 1 == ran.status
    assert "" == ran.out
    assert text in ran.err
    assert ran.err.startswith("issuance-server: ")
    assert 1 == len(ran.err.splitlines())


@pytest.mark.processes
@pytest.mark.slow
def test_locked_card_is_found_and_unlocked(commands: Commands) -> None:
    """With a server or without one the answers are the same; the act is in the audit record."""
    card_ref = lock(commands)
    offline = commands.run("card", "list", "--locked")
    shown = commands.run("card", "show", card_ref)
    assert 2 == len(offline.out.splitlines())
    assert "locked since" in offline.out
    assert "locked since" in shown.out

    with commands.served() as log:
        assert offline == commands.run("card", "list", "--locked")
        assert shown == commands.run("card", "show", card_ref)
        everybody = json.loads(commands.run("card", "list", "--json").out)
        assert 100 < len(everybody) == len(commands.run("card", "list").out.splitlines()) - 1
        (locked,) = json.loads(commands.run("card", "list", "--locked", "--json").out)
        one = json.loads(commands.run("card", "show", card_ref, "--json").out)
        assert locked == one
        assert (card_ref, "locked", 0, 5) == (
            one["card_ref"],
            one["state"],
            one["tries_left"],
            one["locked_at_ms"],
        )
        refused(commands.run("card", "show", "card-none"), "no card has the reference card-none")
        refused(commands.run("card", "show", "x" * 70), "no card has the reference")
        refused(commands.act_of_two("card", "unlock", card_ref, second="mado-1"), "two operators")
        unlocked = commands.act_of_two("card", "unlock", card_ref)
        assert Ran(0, "", f"{card_ref} is unlocked\n") == unlocked
        assert "usable" in commands.run("card", "show", card_ref).out
        again = commands.act_of_two("card", "unlock", card_ref)
        assert Ran(0, "", f"{card_ref} was not locked; it has all its tries\n") == again
        events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
        done = ["control.act_done", "card.unlocked"]
        assert ["control.act_refused", *done, *done] == events

    assert "usable" in commands.run("card", "show", card_ref).out
    act, ended, changed = journal(commands)[:3]
    assert isinstance(act, r.OperatorActed)
    assert isinstance(ended, r.OperatorActEnded)
    assert isinstance(changed, r.CardChanged)
    assert ("mado-2", "mado-2", card_ref) == (act.second, changed.second, changed.card_ref)
    assert (act.nonce, r.ActOutcome.DONE) == (ended.nonce, ended.outcome)
    assert ("mado-1", "card.unlock", card_ref, "came to the counter") == (
        act.operator,
        act.act,
        act.subject,
        act.reason,
    )
    assert "holds: 7 records, 2 signed checkpoints" in commands.run("audit", "verify").out


@pytest.mark.processes
def test_unlocking_works_without_a_server(commands: Commands) -> None:
    """The command holds the city's lock meanwhile, and signs the audit tree."""
    card_ref = lock(commands)
    assert 0 == commands.act_of_two("card", "unlock", card_ref).status

    names = [type(record).__name__ for record in journal(commands)]
    assert ["OperatorActed", "OperatorActEnded", "CardChanged"] == names
    assert "holds: 4 records, 2 signed checkpoints" in commands.run("audit", "verify").out


@pytest.mark.processes
def test_refused_act_changes_nothing(commands: Commands) -> None:
    """Wrong passphrase, unknown operator, no reason, unknown card, a terminal not frozen."""
    card_ref = lock(commands)
    with commands.served():
        words = ("card", "unlock", card_ref, "--second-operator", "mado-2")
        wrong = commands.act(*words, passphrase="not the passphrase\nnor this")
        refused(wrong, "the passphrase does not open this key")
        unknown = commands.act(*words, operator="nobody")
        refused(unknown, "no line for the passphrase of mado-2")
        unknown = commands.act(*words, operator="nobody", passphrase="toyonaka-sample\n" * 2)
        refused(unknown, "no key of operator nobody")
        unknown = commands.act_of_two("card", "unlock", card_ref, second="nobody")
        refused(unknown, "--second-key, or make an operator: issuance-keys operator create")
        wordless = commands.run(
            *(*words, "--operator", "mado-1", "--reason", " ", "--passphrase-stdin"),
            stdin="toyonaka-sample\n" * 2,
        )
        refused(wordless, "--reason must say why")
        none = commands.act_of_two("card", "unlock", "card-none")
        refused(none, "no card has the reference card-none")
        (commands.folder / "keys/operators/mado-1.pub").unlink()
        refused(commands.act_of_two("card", "unlock", card_ref), "this operator is not known here")
        assert "locked" in commands.run("card", "show", card_ref).out

    assert [] == journal(commands)


def test_passphrase_is_asked_for_on_a_terminal_only(commands: Commands) -> None:
    """A program that cannot ask says how to give it."""
    refused(
        commands.run("card", "withdraw", "card-1", "--operator", "mado-1", "--reason", "came"),
        "give it with --passphrase-stdin",
    )


@pytest.mark.processes
def test_terminal_that_is_not_frozen_stays_as_it_is(commands: Commands) -> None:
    """The judge refuses; that the act was wanted is recorded, and that it was refused."""
    with commands.served() as log:
        refused(commands.act("terminal", "unfreeze", "7E-0001"), "not frozen")
        events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
        assert ["control.act_refused"] == events

    wanted, ended = journal(commands)
    assert isinstance(wanted, r.OperatorActed)
    assert isinstance(ended, r.OperatorActEnded)
    assert (wanted.nonce, r.ActOutcome.REFUSED) == (ended.nonce, ended.outcome)
    assert "not frozen" in (ended.reason or "")


@pytest.mark.processes
def test_frozen_terminal_goes_on(commands: Commands) -> None:
    """By an operator's act, told in the log."""
    with closing(sqlite3.connect(commands.folder / "data/pin-judge.db")) as judge, judge:
        columns = [row[1] for row in judge.execute("PRAGMA table_info(frozen_terminal)")]
        values = ["7E-0001" if column == "terminal" else 5 for column in columns]
        marks = ", ".join("?" * len(columns))
        judge.execute(f"INSERT INTO frozen_terminal VALUES ({marks})", values)
    with commands.served() as log:
        ran = commands.act("terminal", "unfreeze", "7E-0001")
        assert Ran(0, "", "7E-0001 may take PINs again\n") == ran
        events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
        assert ["control.act_done", "terminal.unfrozen"] == events
