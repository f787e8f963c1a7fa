"""The pepper: the judge's secret without which a stolen PIN table is worth nothing.

A verifier is HMAC-SHA-256 (RFC 2104) under the pepper over card, salt and PIN. Without the pepper
there is nothing to try 10,000 PINs against; with it there is no PIN that takes long. So the pepper
lies apart from the database and its backups.
"""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from keys import file_store
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import statement

PEPPER_BYTES = 32
SALT_BYTES = 16
VERIFIER_BYTES = 32


def create_pepper(path: Path) -> Secret:
    """Draw a pepper and write it to a new private file.

    Raises:
        KeyManagementError: the file exists already.
    """
    pepper = Secret(secrets.token_bytes(PEPPER_BYTES))
    file_store.write_private(path, pepper.reveal())
    return pepper


def load_pepper(path: Path) -> Secret:
    """Read the pepper.

    Raises:
        KeyManagementError: it is missing, readable by others, or of another length.
    """
    pepper = file_store.read_private(path)
    if len(pepper) != PEPPER_BYTES:
        raise KeyManagementError(f"{path} holds no pepper of {PEPPER_BYTES} bytes")
    return pepper


def pin_verifier(pepper: Secret, card: bytes, salt: bytes, pin: Secret) -> bytes:
    """Return what is stored in place of a PIN, 32 bytes.

    Compare two of them with ``hmac.compare_digest`` and only after the try was counted.

    Args:
        pepper: 32 bytes.
        card: card number, 16 bytes.
        salt: drawn when the PIN was set, ``SALT_BYTES`` long.
        pin: the digits in ASCII.
    """
    mac = HMAC(pepper.reveal(), SHA256())
    mac.update(statement("pin-verifier", card, salt, pin.reveal()))
    return mac.finalize()
