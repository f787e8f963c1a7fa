"""Simulated cards sign challenges, say that they are made up, and do not show their key."""

import json
from pathlib import Path

import pytest

from keys.cards import CardFile
from protocol.errors import KeyManagementError, SetUpError
from protocol.secret import Secret
from protocol.statements import card_proof, signature_holds


def test_round_trip(tmp_path: Path) -> None:
    """A card comes back from its private file, which is marked 架空."""
    made = CardFile.create(tmp_path / "card.json", holder="豊中 花子")
    loaded = CardFile.load(tmp_path / "card.json")

    assert (made.number, made.holder, made.public_key) == (
        loaded.number,
        loaded.holder,
        loaded.public_key,
    )
    assert "架空" == json.loads((tmp_path / "card.json").read_bytes())["fictitious"]
    assert 0o100600 == (tmp_path / "card.json").stat().st_mode


def test_a_sample_card_comes_out_the_same(tmp_path: Path) -> None:
    """With number and seed given, two files are equal byte for byte."""
    for name in ("a", "b"):
        CardFile.create(
            tmp_path / name, holder="x", number=bytes(range(16)), seed=Secret(bytes(32))
        )

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_card_signs_the_challenge(tmp_path: Path) -> None:
    """The signature holds for this card's proof of this attempt, and for no other attempt."""
    card = CardFile.create(tmp_path / "card.json", holder="")
    signature = card.sign(
        challenge=bytes(32), visit_id=bytes(16), attempt=1, terminal="T-0001", city="272035"
    )

    def proof(attempt: int) -> bytes:
        return card_proof(
            challenge=bytes(32),
            visit_id=bytes(16),
            attempt=attempt,
            terminal="T-0001",
            city="272035",
            card=card.number,
        )

    assert signature_holds(card.public_key, signature, proof(1))
    assert not signature_holds(card.public_key, signature, proof(2))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"CANARY",
        b"[]",
        b"{}",
        b'{"format": "kofu-card/1", "fictitious": "", "holder": "", "number": "CANARY"}',
        b'{"format":"kofu-card/1","fictitious":"no","holder":"","number":"%s","private_key":"%s"}'
        % (b"0" * 32, b"0" * 64),
        b'{"format":"kofu-card/9","fictitious":"\xe6\x9e\xb6\xe7\xa9\xba","holder":"",'
        b'"number":"%s","private_key":"%s"}' % (b"0" * 32, b"0" * 64),
        b'{"holder":"CANARY\xff"}',
        b'{"CANARY":' + b"[" * 30_000,
    ],
)
def test_garbage_is_no_card(tmp_path: Path, text: bytes) -> None:
    """The error names the file and nothing of its content."""
    path = tmp_path / "card.json"
    path.write_bytes(text)
    path.chmod(0o600)

    with pytest.raises(SetUpError, match="not a card file") as caught:
        CardFile.load(path)
    assert "CANARY" not in str(caught.value).replace(str(path), "")
    assert caught.value.__cause__ is None


def test_ranges(tmp_path: Path) -> None:
    """A number, seed or note out of range makes no file."""
    with pytest.raises(SetUpError):
        CardFile.create(tmp_path / "a", holder="", number=b"short")
    with pytest.raises(SetUpError):
        CardFile.create(tmp_path / "a", holder="", seed=Secret(b"short"))
    with pytest.raises(SetUpError):
        CardFile.create(tmp_path / "a", holder="x" * 101)

    assert [] == list(tmp_path.iterdir())


def test_the_key_is_not_shown_and_no_card_overwritten(tmp_path: Path) -> None:
    """The repr has no key; a second card does not take the first one's place."""
    card = CardFile.create(tmp_path / "a", holder="")

    assert card.signing_key.seed().reveal().hex() not in repr(card)
    with pytest.raises(KeyManagementError, match="exists already"):
        CardFile.create(tmp_path / "a", holder="")
    with pytest.raises(KeyManagementError):
        CardFile.load(tmp_path / "missing")
