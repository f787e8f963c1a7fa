"""A card that judges its own PIN: three wrong ones lock it, in its own file, at every terminal."""

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keys.__main__ import main
from keys.cards import CardFile, load_card
from keys.jpki import JpkiAuthority
from keys.mynumber_card import MyNumberCard
from protocol.errors import Misuse, SetUpError
from protocol.secret import Secret

RIGHT = Secret(b"493817260584")
WRONG = Secret(b"111122223333")
BOUND: dict[str, Any] = {
    "challenge": bytes(32),
    "visit_id": bytes(16),
    "attempt": 1,
    "terminal": "7E-0001",
    "city": "272035",
}


@pytest.fixture
def card(tmp_path: Path) -> MyNumberCard:
    now = datetime.now(UTC)
    authority = JpkiAuthority.create(tmp_path / "jpki", now)
    return MyNumberCard.create(
        tmp_path / "a.card.json",
        holder="見本　花子",
        pin=RIGHT,
        certify=lambda key: authority.issue(key, now=now),
    )


def test_three_wrong_pins_lock_it_everywhere(card: MyNumberCard) -> None:
    """The count is in the card's file: another terminal sees it, and no right PIN helps."""
    elsewhere = MyNumberCard.load(card.path)

    assert [False, False, False] == [
        one.present(WRONG) for one in (card, elsewhere, MyNumberCard.load(card.path))
    ]
    assert 0 == card.tries_left == elsewhere.tries_left
    assert not card.present(RIGHT)


def test_right_pin_gives_the_tries_back(card: MyNumberCard) -> None:
    """Only three in a row lock."""
    for _ in range(3):
        card.present(WRONG)
        card.present(WRONG)
        assert 1 == card.tries_left
        assert card.present(RIGHT)
        assert 3 == card.tries_left


def test_one_right_pin_is_one_signature(card: MyNumberCard) -> None:
    """Without a PIN, after a wrong one, and a second time the chip signs nothing."""
    with pytest.raises(Misuse):
        card.sign(**BOUND)
    assert card.present(RIGHT)
    assert 64 == len(card.sign(**BOUND))
    with pytest.raises(Misuse):
        card.sign(**BOUND)
    card.present(RIGHT)
    card.present(WRONG)
    with pytest.raises(Misuse):
        card.sign(**BOUND)


def test_try_is_counted_before_it_is_compared(
    card: MyNumberCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pulls the card out in between has used up the try."""

    def pulled(_shown: bytes, _kept: bytes) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as between:
        between.setattr("keys.mynumber_card.hmac.compare_digest", pulled)
        with pytest.raises(KeyboardInterrupt):
            card.present(RIGHT)

    assert 2 == card.tries_left


def test_no_race_wins_a_try(card: MyNumberCard) -> None:
    """Of many wrong PINs at the same time three are counted, and the card is locked."""
    threads = [
        threading.Thread(target=MyNumberCard.load(card.path).present, args=(WRONG,))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0 == card.tries_left


def test_counter_unlocks_and_sets_another_pin(card: MyNumberCard) -> None:
    """Unlocking keeps the PIN, resetting gives another one; both give the tries back."""
    for _ in range(3):
        card.present(WRONG)
    card.unlock()
    assert card.present(RIGHT)
    for _ in range(3):
        card.present(WRONG)
    card.reset_pin(WRONG)

    assert card.present(WRONG)
    assert not card.present(RIGHT)
    with pytest.raises(SetUpError, match="4 to 12 digits"):
        card.reset_pin(Secret(b"12a4"))


def test_neither_file_nor_repr_holds_the_pin(card: MyNumberCard) -> None:
    """The file keeps a verifier, and the card shows nothing."""
    assert RIGHT.reveal() not in card.path.read_bytes()
    assert RIGHT.reveal().hex().encode() not in card.path.read_bytes()
    assert "MyNumberCard(***)" == repr(card)


def test_kinds_of_card_are_told_apart(card: MyNumberCard, tmp_path: Path) -> None:
    """A file is loaded as the card that it is; what is neither says so."""
    CardFile.create(tmp_path / "b.card.json", holder="見本")
    damaged = tmp_path / "c.card.json"
    damaged.write_bytes(card.path.read_bytes().replace("架空".encode(), b"real"))
    damaged.chmod(0o600)

    assert isinstance(load_card(card.path), MyNumberCard)
    assert isinstance(load_card(tmp_path / "b.card.json"), CardFile)
    with pytest.raises(SetUpError, match="not a card file of this version"):
        load_card(damaged)


def test_file_is_private(card: MyNumberCard) -> None:
    """Also after the card wrote itself anew."""
    card.present(WRONG)

    assert 0o600 == card.path.stat().st_mode & 0o777


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the authority to a revoked card, each command as people run it."""
    jpki, card, out = tmp_path / "jpki", tmp_path / "card.json", tmp_path / "out"
    assert 0 == main(["jpki", "create", str(jpki)])
    issued = subprocess.run(
        [
            *(sys.executable, "-m", "keys", "jpki", "issue", str(jpki), "--card", str(card)),
            *("--holder", "見本", "--pin-stdin", "--json"),
        ],
        input=b"4938\n",
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONSAFEPATH": ""},
    )
    serial = json.loads(issued.stdout)["serial"]
    assert b"4938" not in issued.stdout + issued.stderr
    assert 0 == main(["jpki", "crl", str(jpki), "--out", str(out), "--days", "7"])
    assert 0 == main(["jpki", "revoke", str(jpki), "--card", str(card)])
    assert 1 == main(["jpki", "revoke", str(jpki), "--serial", serial])
    assert 1 == main(["jpki", "create", str(jpki)])
    assert 1 == main(["jpki", "crl", str(tmp_path / "none"), "--out", str(out)])
    said = capsys.readouterr().err
    assert "revoked already" in said
    assert "holds no simulated JPKI; make one" in said
