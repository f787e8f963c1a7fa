"""A certificate on its way: padded to a fixed size per sheet count, sealed once under its own key.

The terminal holds the ciphertext before it may have the key; its length tells the number of sheets
and nothing else.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.errors import Misuse, SealError
from protocol.limits import PIECE_BYTES, SEALED_BASE_BYTES, SEALED_SHEET_BYTES
from protocol.secret import Secret
from protocol.statements import statement

_LENGTH_BYTES = 4
_NONCE = bytes(12)  # one key seals one message, so a fixed nonce is never repeated under a key


def padded_bytes(sheets: int) -> int:
    """Return the length of the plaintext of a certificate of so many sheets."""
    return SEALED_BASE_BYTES + sheets * SEALED_SHEET_BYTES


def fits(pdf: bytes, sheets: int) -> bool:
    """Tell whether a document fits the fixed size of its sheet count."""
    return _LENGTH_BYTES + len(pdf) <= padded_bytes(sheets)


def seal(pdf: bytes, *, sheets: int, key: Secret, issuance_id: bytes) -> bytes:
    """Return the ciphertext (AES-256-GCM). A key seals once; the caller sees to that.

    Raises:
        Misuse: the document does not fit its size; ask ``fits`` first.
    """
    if not fits(pdf, sheets):
        raise Misuse("the document is larger than its size allows")
    plain = (len(pdf).to_bytes(_LENGTH_BYTES, "big") + pdf).ljust(padded_bytes(sheets), b"\0")
    return AESGCM(key.reveal()).encrypt(_NONCE, plain, _associated(issuance_id, sheets))


def open_sealed(sealed: bytes, *, sheets: int, key: Secret, issuance_id: bytes) -> bytes:
    """Return the PDF.

    Raises:
        SealError: wrong key, another issuance's ciphertext, another sheet count, or damage.
    """
    try:
        plain = AESGCM(key.reveal()).decrypt(_NONCE, sealed, _associated(issuance_id, sheets))
    except (InvalidTag, ValueError):
        raise SealError from None
    length = int.from_bytes(plain[:_LENGTH_BYTES], "big")
    if _LENGTH_BYTES + length > len(plain):
        raise SealError
    return plain[_LENGTH_BYTES : _LENGTH_BYTES + length]


def pieces_of(sealed_bytes: int) -> int:
    """Return how many pieces a ciphertext of this length has."""
    return -(-sealed_bytes // PIECE_BYTES)


def piece(sealed: bytes, number: int) -> bytes:
    """Return a piece, counted from 0; empty if there is no such piece."""
    return sealed[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]


def _associated(issuance_id: bytes, sheets: int) -> bytes:
    return statement("sealed-certificate", issuance_id, sheets)
