"""PIN verifiers depend on pepper, card, salt and PIN, and the pepper is kept well."""

import hashlib
import hmac
from pathlib import Path

import pytest

from keys import file_store
from keys.pepper import PEPPER_BYTES, create_pepper, load_pepper, pin_verifier
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import statement

CARD, SALT, PIN = bytes(16), bytes(range(16)), Secret(b"1234")


def test_the_verifier_is_the_hmac_of_a_statement() -> None:
    """The same value by another implementation of HMAC-SHA-256."""
    pepper = Secret(bytes(range(32)))
    expected = hmac.new(
        pepper.reveal(), statement("pin-verifier", CARD, SALT, b"1234"), hashlib.sha256
    ).digest()

    assert expected == pin_verifier(pepper, CARD, SALT, PIN)


def test_every_part_counts() -> None:
    """Another pepper, card, salt or PIN gives another verifier."""
    pepper = Secret(bytes(32))
    verifiers = {
        pin_verifier(pepper, CARD, SALT, PIN),
        pin_verifier(Secret(bytes(31) + b"\1"), CARD, SALT, PIN),
        pin_verifier(pepper, bytes(15) + b"\1", SALT, PIN),
        pin_verifier(pepper, CARD, bytes(16), PIN),
        pin_verifier(pepper, CARD, SALT, Secret(b"1235")),
    }

    assert 5 == len(verifiers)


def test_round_trip_and_no_overwrite(tmp_path: Path) -> None:
    """The pepper comes back from its private file, and a second one is refused."""
    made = create_pepper(tmp_path / "pepper.key")

    assert PEPPER_BYTES == len(made)
    assert made == load_pepper(tmp_path / "pepper.key")
    assert 0o100600 == (tmp_path / "pepper.key").stat().st_mode
    with pytest.raises(KeyManagementError, match="exists already"):
        create_pepper(tmp_path / "pepper.key")


def test_a_pepper_of_another_length(tmp_path: Path) -> None:
    """A damaged file is refused without showing it."""
    file_store.write_private(tmp_path / "pepper.key", b"CANARY")

    with pytest.raises(KeyManagementError, match="no pepper") as caught:
        load_pepper(tmp_path / "pepper.key")
    assert "CANARY" not in str(caught.value)
