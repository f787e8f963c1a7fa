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
_KEY_BYTES = 32
_NONCE_BYTES = 12
_FIRST_BLOCK = bytes(4)


def scrambled(rows: bytes, secret: Secret, number: str, sheet: int) -> bytes:
    """Encrypt a packed bitmap, or decrypt it: both are the same.

    Args:
        rows: a window, packed.
        secret: the city's, 32 bytes.
        number: 発行番号 of the copy, without the page number; never used for another text.
        sheet: number of the sheet, from 1.
    """
    if len(rows) != BITMAP_BYTES:
        raise Misuse("what is scrambled is one window")
    stream = np.frombuffer(keystream(secret, number, sheet), np.uint8)
    return np.bitwise_xor(np.frombuffer(rows, np.uint8), stream).tobytes()


def keystream(secret: Secret, number: str, sheet: int) -> bytes:
    """Return the key stream of a sheet, as long as a packed bitmap."""
    if len(secret) != SECRET_BYTES:
        raise Misuse(f"the secret of the backs has {SECRET_BYTES} bytes")
    derived = HKDF(
        algorithm=SHA256(),
        length=_KEY_BYTES + _NONCE_BYTES,
        salt=None,
        info=statement("back", number, sheet),
    ).derive(secret.reveal())
    key, nonce = derived[:_KEY_BYTES], _FIRST_BLOCK + derived[_KEY_BYTES:]
    return Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(BITMAP_BYTES))
