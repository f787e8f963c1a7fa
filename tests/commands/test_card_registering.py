"""``card register``: from the first operator to a card that works, and every way it must not go."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from issuance_server.core import records as r
from issuance_server.core.calendar import JST
from issuance_server.core.register import Resident
from issuance_server.desk_commands.sample_mynumber import mynumber_holders, mynumber_pin
from issuance_server.desk_commands.set_up import card_holders
from issuance_server.sample.residents import sample_households
from keys.cards import CardFile
from keys.mynumber_card import MyNumberCard
from protocol.secret import Secret
from tests.commands.desk import PASSPHRASE, Commands, Ran
from tests.commands.test_cards import journal, refused

PIN = "493817260584"
OTHER_PIN = "111122223333"

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def holders() -> list[tuple[str, Resident]]:
    return card_holders(sample_households())


@pytest.fixture(autouse=True)
def cards_at_hand(untouched: Commands, commands: Commands) -> None:
    """The cards that these tests present; each test has its own."""
    place = commands.folder / "cards"
    place.mkdir()
    certified, _ = mynumber_holders(holders())[0]
    for name in (certified, certified.removesuffix(".mynumber"), holders()[2][0]):
        shutil.copy2(untouched.folder / "cards" / f"{name}.card.json", place)


def act(commands: Commands, *words: str, by: str = "mado-1", pin: str = "") -> Ran:
    """Run a command of one operator, who types the passphrase and then the holder the PIN."""
    return commands.run(
        *words,
        *("--operator", by, "--reason", "came to the counter", "--passphrase-stdin"),
        stdin=f"{PASSPHRASE}\n{pin}\n",
    )


def next_days() -> set[str]:
    """Return tomorrow in Japan, and the day after if midnight is near."""
    now = datetime.now(JST)
    return {(one + timedelta(days=1)).date().isoformat() for one in (now, now + timedelta(hours=1))}


def without_card(commands: Commands) -> tuple[str, Path]:
    """Withdraw a resident's card, and return the resident's number and a new card's file."""
    name, holder = holders()[1]
    with closing(sqlite3.connect(commands.database)) as city:
        sql = "SELECT card_ref FROM card WHERE resident_id = ? AND kind = 'juki'"
        (card_ref,) = city.execute(sql, (holder.resident_id,)).fetchone()
    assert Ran(0, "", f"{card_ref} is withdrawn\n") == act(commands, "card", "withdraw", card_ref)
    path = commands.folder / "cards" / f"{name}-new.card.json"
    CardFile.create(path, holder="見本")
    return holder.resident_id, path


def card_row(commands: Commands, card_ref: str) -> dict[str, object]:
    row: dict[str, object] = json.loads(commands.run("card", "show", card_ref, "--json").out)
    return row


def test_card_is_registered_by_two_and_a_trial(commands: Commands) -> None:
    """Begin, approve, try: each by its operator; then the card is usable from the next day."""
    tomorrow = next_days()
    with commands.served() as log:
        resident, path = without_card(commands)
        card = ("--card", str(path))
        begin = ("card", "register", "begin", "--resident", resident, *card, "--why", "new-card")
        begun = act(commands, *begin, pin=PIN)
        assert 0 == begun.status, begun.err
        card_ref = begun.out.strip()
        refused(commands.run("card", "show", card_ref), "no card has the reference")
        early = act(commands, "card", "register", "try", card_ref, *card, pin=PIN)
        refused(early, "waits for a second operator")
        refused(act(commands, "card", "register", "approve", card_ref), "another operator")
        assert "approve" in commands.run("card", "register", "list").out
        approved = act(commands, "card", "register", "approve", card_ref, by="mado-2")
        assert (0, True) == (approved.status, resident in approved.err)
        wrong = act(commands, "card", "register", "try", card_ref, *card, pin=OTHER_PIN)
        refused(wrong, "not registered: wrong; 2 tries are left")
        tried = act(commands, "card", "register", "try", card_ref, *card, pin=PIN)
        assert (0, "") == (tried.status, tried.out), tried.err
        assert "the card works" in tried.err
        assert "[]" == commands.run("card", "register", "list", "--json").out.strip()
        row = card_row(commands, card_ref)
        assert ("juki", "usable", 3) == (row["kind"], row["state"], row["tries_left"])
        assert row["usable_from"] in tomorrow
        again = act(commands, *begin, pin=PIN)
        refused(again, f"withdraw it first: card withdraw {card_ref}")
        said = log.getvalue().decode()

    names = [json.loads(line)["event"] for line in said.splitlines()]
    for name in ("registration_begun", "registration_approved", "registered", "withdrawn"):
        assert f"card.{name}" in names
    assert PIN not in said
    assert resident not in said
    steps = [one.step.value for one in journal(commands) if isinstance(one, r.CardChanged)]
    assert ["withdrawn", "approved", "registered"] == steps
    assert "holds" in commands.run("audit", "verify").out


def test_bad_beginnings_change_nothing(commands: Commands) -> None:
    """A wrong number, a resident with a card, a PIN that is none, a file that is no card."""
    with commands.served():
        resident, path = without_card(commands)
        before = len(journal(commands))

        def begin(resident: str, path: Path = path, pin: str = PIN) -> Ran:
            card = ("--card", str(path))
            words = ("card", "register", "begin", "--resident", resident, *card)
            return act(commands, *words, pin=pin)

        wrong_digit = resident[:-1] + str((int(resident[-1]) + 1) % 10)
        refused(begin(wrong_digit), "the check digit is wrong")
        refused(begin(holders()[2][1].resident_id), "registered already for this holder")
        refused(begin(resident, pin="12a4"), "a PIN has 4 to 12 digits")
        refused(begin(resident, commands.folder / "server.toml"), "others can read it")
        taken = commands.folder / "cards" / f"{holders()[2][0]}.card.json"
        assert before == len(journal(commands))
        refused(begin(resident, taken), "registered already")
        refused(begin(resident, pin=f"{PIN}\n{OTHER_PIN}"), "the two PINs differ")
        assert "[]" == commands.run("card", "register", "list", "--json").out.strip()


def test_card_with_a_certificate_is_registered(commands: Commands) -> None:
    """No PIN is asked for at the beginning; the card is told it at the trial, and nobody else."""
    name, holder = mynumber_holders(holders())[0]
    path = commands.folder / "cards" / f"{name}.card.json"
    card = ("--card", str(path))
    with commands.served() as log:
        with closing(sqlite3.connect(commands.database)) as city:
            sql = "SELECT card_ref FROM card WHERE resident_id = ? AND kind = 'mynumber'"
            (old,) = city.execute(sql, (holder.resident_id,)).fetchone()
        words = ("card", "register", "begin", "--resident", holder.resident_id, *card)
        refused(act(commands, *words), f"withdraw it first: card withdraw {old}")
        assert 0 == act(commands, "card", "withdraw", old).status
        begun = act(commands, *words)
        assert 0 == begun.status, begun.err
        card_ref = begun.out.strip()
        assert 0 == act(commands, "card", "register", "approve", card_ref, by="mado-2").status
        wrong = act(commands, "card", "register", "try", card_ref, *card, pin=OTHER_PIN)
        refused(wrong, "the card says that the PIN is wrong; it takes 2 more tries")
        pin = mynumber_pin(name)
        tried = act(commands, "card", "register", "try", card_ref, *card, pin=pin)
        assert 0 == tried.status, tried.err
        row = card_row(commands, card_ref)
        assert ("mynumber", "usable", None, None) == (
            row["kind"],
            row["state"],
            row["tries_left"],
            row["usable_from"],
        )
        assert OTHER_PIN.encode() not in log.getvalue()


def test_cancelled_registration_leaves_nothing(commands: Commands) -> None:
    """A second one waits for it; then nothing can be approved, and the card is begun again."""
    with commands.served():
        resident, path = without_card(commands)
        begin = ("card", "register", "begin", "--resident", resident, "--card", str(path))
        card_ref = act(commands, *begin, pin=f"{PIN}\n{PIN}").out.strip()
        second = act(commands, *begin, pin=PIN)
        refused(second, f"give it up first: card register cancel {card_ref}")
        assert 0 == act(commands, "card", "register", "cancel", card_ref).status
        for word in ("approve", "cancel"):
            refused(act(commands, "card", "register", word, card_ref), "is under way")
        assert 0 == act(commands, *begin, pin=PIN).status


def test_new_pin_and_unlocking_of_either_kind(commands: Commands) -> None:
    """Two operators and the card in the reader; a new PIN is taken from the next day on."""
    name, holder = mynumber_holders(holders())[0]
    path = commands.folder / "cards" / f"{name}.card.json"
    card = MyNumberCard.load(path)
    for _ in range(3):
        card.present(Secret(OTHER_PIN.encode()))
    with closing(sqlite3.connect(commands.database)) as city:
        sql = "SELECT kind, card_ref FROM card WHERE resident_id = ?"
        refs = dict(city.execute(sql, (holder.resident_id,)).fetchall())
    tomorrow = next_days()
    juki = str(path).replace(".mynumber", "")
    with commands.served():
        unlock = ("card", "unlock", refs["mynumber"])
        refused(commands.act_of_two(*unlock), "put it into the reader")
        refused(commands.act_of_two(*unlock, "--card", juki), "another card")
        assert 0 == commands.act_of_two(*unlock, "--card", str(path)).status
        assert 3 == card.tries_left
        reset = ("card", "reset-pin", refs["mynumber"], "--card", str(path))
        assert 0 == commands.act_of_two(*reset, typed=OTHER_PIN).status
        assert card.present(Secret(OTHER_PIN.encode()))
        reset = ("card", "reset-pin", refs["juki"], "--card", juki)
        assert 0 == commands.act_of_two(*reset, typed=OTHER_PIN).status
        days = {card_row(commands, ref)["usable_from"] for ref in refs.values()}
        assert days <= tomorrow

    content = (commands.folder / "data/city.db").read_bytes()
    assert OTHER_PIN.encode() not in content
