"""PIN verifiers depend on pepper, card, salt and PIN."""

import hashlib
import hmac

from keys.pepper import pin_verifier
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
