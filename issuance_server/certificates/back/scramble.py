"""The encrypted face: a bitmap under a keystream that only the city can make again.

ChaCha20 (RFC 8439) under a key of this sheet alone, derived by HKDF (RFC 5869) from a secret. To
everybody else the picture is white noise; whoever changes a dot of it changes that dot of the face
and no other. Picture and face vouch for each other, not for their origin: that is the signed
code's part.
"""

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from issuance_server.certificates.back.window import BITMAP_BYTES
from protocol.errors import Misuse
from protocol.secret import Secret
from protocol.statements import statement

SECRET_BYTES = 32
SHEET_KEY_BYTES = 44
"""Key and nonce of one sheet."""

_KEY_BYTES = 32
_FIRST_BLOCK = bytes(4)


def sheet_key(secret: Secret, number: str, sheet: int) -> Secret:
    """Derive what one sheet is scrambled with, ``SHEET_KEY_BYTES`` long.

    Args:
        secret: the city's, 32 bytes.
        number: 発行番号 of the copy, without the page number; never used for another text.
        sheet: number of the sheet, from 1.
    """
    if len(secret) != SECRET_BYTES:
        raise Misuse(f"the secret of the backs has {SECRET_BYTES} bytes")
    info = statement("back", number, sheet)
    derived = HKDF(algorithm=SHA256(), length=SHEET_KEY_BYTES, salt=None, info=info)
    return Secret(derived.derive(secret.reveal()))


def scrambled(rows: bytes, key: Secret) -> bytes:
    """Encrypt a packed bitmap, or decrypt it: both are the same.

    Args:
        rows: a window, packed.
        key: the sheet's.
    """
    if len(rows) != BITMAP_BYTES:
        raise Misuse("what is scrambled is one window")
    stream = np.frombuffer(keystream(key), np.uint8)
    return np.bitwise_xor(np.frombuffer(rows, np.uint8), stream).tobytes()


def keystream(key: Secret) -> bytes:
    """Return the key stream of a sheet, as long as a packed bitmap."""
    if len(key) != SHEET_KEY_BYTES:
        raise Misuse(f"the key of a sheet has {SHEET_KEY_BYTES} bytes")
    revealed = key.reveal()
    nonce = _FIRST_BLOCK + revealed[_KEY_BYTES:]
    cipher = Cipher(ChaCha20(revealed[:_KEY_BYTES], nonce), mode=None)
    return cipher.encryptor().update(bytes(BITMAP_BYTES))
