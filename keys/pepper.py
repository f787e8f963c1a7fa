"""The pepper: the judge's secret without which a stolen PIN table is worth nothing.

A verifier is HMAC-SHA-256 (RFC 2104) under the pepper over card, salt and PIN. Without the pepper
there is nothing to try 10,000 PINs against; with it there is no PIN that takes long. So the pepper
lies apart from the database and its backups. A verifier names the pepper that it was made under, so
that a new pepper can take over card by card: at each right PIN, the judge makes the verifier anew.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from protocol.secret import Secret
from protocol.statements import statement

PEPPER_BYTES = 32
SALT_BYTES = 16
VERIFIER_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pepper:
    """One pepper.

    Attributes:
        key_id: what verifiers name it by.
        secret: 32 bytes.
    """

    key_id: str
    secret: Secret


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
