"""PIN blocks: a PIN sealed by the terminal so that only the PIN judge can open it.

HPKE (RFC 9180) in base mode with the hybrid KEM X-Wing (draft-connolly-cfrg-xwing-kem, ML-KEM-768
with X25519), HKDF-SHA256 and AES-256-GCM. What a block belongs to is its ``info``
(``protocol.statements.pin_block_info``): opened for another attempt, terminal or card it does not
open at all. The plaintext has a fixed length, so a block tells nothing about its PIN.
"""

import secrets
from typing import NoReturn, Self, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHAKE256, Hash
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from protocol.errors import KeyManagementError, Misuse, SealError
from protocol.secret import Secret

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
PIN_FIELD_BYTES = 16
"""One byte of length, the digits in ASCII, zeros."""
PUBLIC_KEY_BYTES = 1216
SEED_BYTES = 32

_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_SEED_BYTES = 64
_EXPANDED_BYTES = 96
_ENCAPSULATED_BYTES = 1120
_TAG_BYTES = 16
PIN_BLOCK_BYTES = _ENCAPSULATED_BYTES + PIN_FIELD_BYTES + _TAG_BYTES
"""1152: every PIN block has exactly this length."""

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_DIGITS = frozenset(b"0123456789")


@final
class PinSealer:
    """Seals PINs to a judge's public key. Every terminal has one."""

    __slots__ = ("_public_key",)

    def __init__(self, public_key: bytes) -> None:
        """Take the judge's public key.

        Args:
            public_key: 1216 bytes, ML-KEM-768 before X25519.

        Raises:
            KeyManagementError: it is none.
        """
        if len(public_key) != PUBLIC_KEY_BYTES:
            raise KeyManagementError(f"a PIN sealing key has {PUBLIC_KEY_BYTES} bytes")
        try:
            self._public_key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(public_key[:_MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(public_key[_MLKEM_PUBLIC_BYTES:]),
            )
        except ValueError:
            raise KeyManagementError("the PIN sealing key is damaged") from None

    def seal(self, pin: Secret, info: bytes) -> bytes:
        """Return the PIN block, ``PIN_BLOCK_BYTES`` long, another one at every call.

        Args:
            pin: 4 to 12 digits in ASCII; the keypad takes nothing else.
            info: what the block belongs to.
        """
        digits = pin.reveal()
        if not _is_pin(digits):
            raise Misuse(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
        field = bytes([len(digits)]) + digits
        return _SUITE.encrypt(field.ljust(PIN_FIELD_BYTES, b"\0"), self._public_key, info)


@final
class PinOpener:
    """Opens PIN blocks. Only the PIN judge has one."""

    __slots__ = ("_private_key", "_seed")

    def __init__(self, seed: Secret) -> None:
        """Expand the key as the X-Wing draft says (expandDecapsulationKey).

        Args:
            seed: 32 random bytes.

        Raises:
            KeyManagementError: it has another length.
        """
        if len(seed) != SEED_BYTES:
            raise KeyManagementError(f"a PIN opening key has {SEED_BYTES} bytes")
        shake = Hash(SHAKE256(_EXPANDED_BYTES))
        shake.update(seed.reveal())
        expanded = shake.finalize()
        self._seed = seed
        self._private_key = (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:]),
        )

    @classmethod
    def generate(cls) -> Self:
        """Draw a new key."""
        return cls(Secret(secrets.token_bytes(SEED_BYTES)))

    def seed(self) -> Secret:
        """Return the 32 bytes that the key is made of."""
        return self._seed

    @property
    def public_key(self) -> bytes:
        """What terminals seal to: 1216 bytes, ML-KEM-768 before X25519."""
        mlkem, x25519 = self._private_key
        return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    def open(self, block: bytes, info: bytes) -> Secret:
        """Return the PIN's digits.

        Raises:
            SealError: whatever is wrong, and not a word about what.
        """
        if len(block) != PIN_BLOCK_BYTES:
            raise SealError
        try:
            field = _SUITE.decrypt(block, MLKEM768X25519PrivateKey(*self._private_key), info)
        except (InvalidTag, ValueError):
            raise SealError from None
        digits = field[1 : 1 + field[0]]
        if field != (bytes([len(digits)]) + digits).ljust(PIN_FIELD_BYTES, b"\0"):
            raise SealError
        if not _is_pin(digits):
            raise SealError
        return Secret(digits)

    def __repr__(self) -> str:
        return "PinOpener(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PinOpener is not written anywhere")


def _is_pin(digits: bytes) -> bool:
    return PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX and _DIGITS.issuperset(digits)
