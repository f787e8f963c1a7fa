"""Signed statements: one canonical form, and a domain for each label."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.statements import Field, card_proof, pin_block_info, signature_holds, statement
from tests.protocol.samples import DIGEST, ISSUANCE_ID, VISIT_ID
from tests.protocol.stand_in import CITY, TERMINAL

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = KEY.public_key().public_bytes_raw()
ATTEMPT: list[Field] = [DIGEST, VISIT_ID, 2, TERMINAL, CITY, ISSUANCE_ID]


def test_a_statement_is_label_and_fields() -> None:
    """The bytes are the documented ones (TP-060)."""
    written = statement("deletion-report", "T-0001", b"\1\2", 300, None, ["a", 5])

    assert (
        b"kofu/1/deletion-report\0" + bytes.fromhex("95 a6542d30303031 c4020102 cd012c c0 92a16105")
        == written
    )


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "cc80"),
        (256, "cd0100"),
        (65_536, "ce00010000"),
        (1 << 32, "cf0000000100000000"),
    ],
)
def test_numbers_have_their_shortest_form(number: int, form: str) -> None:
    """One value, one form: a signature over it can be checked by anybody (TP-060)."""
    assert b"kofu/1/x\0\x91" + bytes.fromhex(form) == statement("x", number)


def test_lists_and_tuples_are_the_same_array() -> None:
    """How the fields are held in memory plays no part."""
    assert statement("x", [1, 2], ("a",)) == statement("x", (1, 2), ["a"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (statement("a", "b"), statement("ab")),
        (statement("a", b"b"), statement("a", "b")),
        (statement("a", "bc"), statement("a", "b", "c")),
        (statement("a", ["b"]), statement("a", "b")),
        (statement("a"), statement("a", None)),
        (statement("card-proof", *ATTEMPT), statement("pin-block", *ATTEMPT)),
    ],
)
def test_no_two_contents_share_a_form(first: bytes, second: bytes) -> None:
    """Label, type, number and nesting of the fields all show in the bytes (TP-060)."""
    assert first != second


def test_a_label_with_other_than_ascii_letters_is_refused() -> None:
    """Labels are written in the code and nowhere else."""
    with pytest.raises(UnicodeEncodeError):
        statement("証明")


def test_a_good_signature_holds() -> None:
    """Ed25519 over the statement's bytes (RFC 8032)."""
    signed = statement("x", 1)

    assert signature_holds(PUBLIC_KEY, KEY.sign(signed), signed)


def test_a_signature_over_another_domain_does_not_hold() -> None:
    """A signed deletion report is no print report with the same fields (TP-060)."""
    signature = KEY.sign(statement("deletion-report", TERMINAL, ISSUANCE_ID, 1))

    assert not signature_holds(
        PUBLIC_KEY, signature, statement("print-report", TERMINAL, ISSUANCE_ID, 1)
    )


@pytest.mark.parametrize(
    ("public_key", "signature"),
    [
        (bytes(31), bytes(64)),
        (bytes(32), bytes(64)),
        (b"\xff" * 32, bytes(64)),
        (PUBLIC_KEY, b""),
        (PUBLIC_KEY, bytes(63)),
        (PUBLIC_KEY, bytes(64)),
        (PUBLIC_KEY, KEY.sign(b"other")),
    ],
)
def test_strange_keys_and_signatures_do_not_hold(public_key: bytes, signature: bytes) -> None:
    """Whatever is wrong, the answer is no, and nothing is raised."""
    assert not signature_holds(public_key, signature, statement("x", 1))


def test_card_proof_and_pin_block_bind_the_whole_attempt() -> None:
    """Challenge, visit, attempt, terminal, city and card, in this order (TP-050, TP-051)."""
    packed = msgspec.msgpack.encode(ATTEMPT)
    proof = card_proof(
        challenge=DIGEST,
        visit_id=VISIT_ID,
        attempt=2,
        terminal=TERMINAL,
        city=CITY,
        card=ISSUANCE_ID,
    )
    info = pin_block_info(
        challenge=DIGEST,
        visit_id=VISIT_ID,
        attempt=2,
        terminal=TERMINAL,
        city=CITY,
        card=ISSUANCE_ID,
    )

    assert b"kofu/1/card-proof\0" + packed == proof
    assert b"kofu/1/pin-block\0" + packed == info
