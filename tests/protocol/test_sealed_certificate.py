"""A certificate on its way: fixed lengths, one key, one issuance."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.errors import Misuse, SealError
from protocol.limits import PIECE_BYTES, SEALED_BASE_BYTES, SEALED_SHEET_BYTES, SHEETS_MAX
from protocol.sealed_certificate import (
    fits,
    open_sealed,
    padded_bytes,
    piece,
    pieces_of,
    seal,
)
from protocol.secret import Secret
from protocol.statements import statement
from tests.protocol.samples import CONTENT_KEY, ISSUANCE_ID

PDF = b"%PDF-1.7 fictitious"
TAG_BYTES = 16


def sealed(pdf: bytes = PDF, sheets: int = 1) -> bytes:
    """Return the sample's ciphertext."""
    return seal(pdf, sheets=sheets, key=CONTENT_KEY, issuance_id=ISSUANCE_ID)


def test_what_was_sealed_opens() -> None:
    """The PDF comes back without its padding (TP-090)."""
    opened = open_sealed(sealed(), sheets=1, key=CONTENT_KEY, issuance_id=ISSUANCE_ID)

    assert PDF == opened


def test_the_seal_is_the_documented_one() -> None:
    """Length, PDF and zeros under AES-256-GCM with a zero nonce (TP-090)."""
    plain = (len(PDF).to_bytes(4, "big") + PDF).ljust(SEALED_BASE_BYTES + SEALED_SHEET_BYTES, b"\0")
    associated = statement("sealed-certificate", ISSUANCE_ID, 1)

    assert AESGCM(CONTENT_KEY.reveal()).encrypt(bytes(12), plain, associated) == sealed()


@pytest.mark.parametrize("sheets", [1, 2, 5])
def test_the_length_tells_the_sheets_and_nothing_else(sheets: int) -> None:
    """A short and a long document of so many sheets have one length (TP-091)."""
    short, long = sealed(b"x", sheets), sealed(b"x" * (padded_bytes(sheets) - 4), sheets)

    assert SEALED_BASE_BYTES + sheets * SEALED_SHEET_BYTES + TAG_BYTES == len(short) == len(long)


def test_a_document_that_does_not_fit_is_not_sealed() -> None:
    """``fits`` tells it before, and sealing it all the same is a misuse (TP-091)."""
    largest = bytes(padded_bytes(1) - 4)
    assert fits(largest, 1)
    assert not fits(largest + b"\0", 1)

    with pytest.raises(Misuse):
        sealed(largest + b"\0")


@pytest.mark.parametrize(
    ("key", "issuance_id", "sheets"),
    [
        (Secret(bytes(32)), ISSUANCE_ID, 1),
        (Secret(bytes(31)), ISSUANCE_ID, 1),
        (Secret(b""), ISSUANCE_ID, 1),
        (CONTENT_KEY, bytes(16), 1),
        (CONTENT_KEY, ISSUANCE_ID, 2),
    ],
)
def test_another_key_issuance_or_sheet_count_does_not_open_it(
    key: Secret, issuance_id: bytes, sheets: int
) -> None:
    """The one error, whatever is wrong (TP-090)."""
    with pytest.raises(SealError):
        open_sealed(sealed(), sheets=sheets, key=key, issuance_id=issuance_id)


@pytest.mark.parametrize("place", [0, 3, 4, 100_000, -17, -1])
def test_damage_anywhere_is_noticed(place: int) -> None:
    """One changed byte of length, content, padding or tag does not open (TP-090)."""
    damaged = bytearray(sealed())
    damaged[place] ^= 1

    with pytest.raises(SealError):
        open_sealed(bytes(damaged), sheets=1, key=CONTENT_KEY, issuance_id=ISSUANCE_ID)


@pytest.mark.parametrize("ciphertext", [b"", bytes(15), bytes(16), bytes(300)])
def test_what_is_no_ciphertext_does_not_open(ciphertext: bytes) -> None:
    """Too short or made up: the one error."""
    with pytest.raises(SealError):
        open_sealed(ciphertext, sheets=1, key=CONTENT_KEY, issuance_id=ISSUANCE_ID)


def test_a_length_beyond_the_content_does_not_open() -> None:
    """Even under the right key, a length that lies is refused (TP-090)."""
    plain = (5).to_bytes(4, "big") + b"four"
    associated = statement("sealed-certificate", ISSUANCE_ID, 1)
    lying = AESGCM(CONTENT_KEY.reveal()).encrypt(bytes(12), plain, associated)

    with pytest.raises(SealError):
        open_sealed(lying, sheets=1, key=CONTENT_KEY, issuance_id=ISSUANCE_ID)


@pytest.mark.parametrize("sheets", [1, 3])
def test_pieces_put_together_are_the_whole(sheets: int) -> None:
    """All but the last have the full length, and there is none after it (TP-092)."""
    whole = sealed(sheets=sheets)
    pieces = [piece(whole, number) for number in range(pieces_of(len(whole)))]

    assert whole == b"".join(pieces)
    assert {PIECE_BYTES} == {len(part) for part in pieces[:-1]}
    assert 0 < len(pieces[-1]) <= PIECE_BYTES
    assert b"" == piece(whole, len(pieces))


def test_the_largest_certificate_has_pieces_that_can_be_asked_for() -> None:
    """Forty sheets are 110 pieces, within the range of a piece number (TP-092)."""
    assert 110 == pieces_of(padded_bytes(SHEETS_MAX) + TAG_BYTES)
    assert 1 == pieces_of(1) == pieces_of(PIECE_BYTES)
    assert 2 == pieces_of(PIECE_BYTES + 1)
