"""Simulated 個人番号カード: a file in place of the chip, which judges its PIN by itself.

The chip holds the key of its user-authentication certificate (利用者証明用電子証明書) and signs
with it after the right PIN. It counts wrong PINs durably and locks at the third one, wherever the
next terminal stands; the PIN is told to the chip alone (TP-054). A file cannot hide its key as a
chip does, and four digits are found by whoever may read the file: this is a simulator, and every
card says that it is fictitious.
"""

import base64
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn, Self, final

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from msgspec import Meta

from keys import file_store
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.codec import UNREADABLE
from protocol.errors import KeyManagementError, Misuse, SetUpError
from protocol.secret import Secret
from protocol.statements import certificate_proof

FICTITIOUS = "架空"
"""Every card file carries this word: neither the card nor its holder exists."""
FORMAT = "kofu-mynumber-card/1"
TRIES_MAX = 3
HOLDER_CHARACTERS_MAX = 100
SCALAR_BYTES = 32

_SALT_BYTES = 16
_VERIFIER_BYTES = 32
_SCRYPT_COST = 1 << 12
_DIGITS = frozenset(b"0123456789")

Certify = Callable[[ec.EllipticCurvePublicKey], bytes]
"""Returns a certificate for a key, in DER form (``keys.jpki.JpkiAuthority.issue``)."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    fictitious: str
    holder: Annotated[str, Meta(max_length=HOLDER_CHARACTERS_MAX)]
    private_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    certificate: str
    pin_salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
    pin_verifier: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    tries_left: Annotated[int, Meta(ge=0, le=TRIES_MAX)]


@final
class MyNumberCard:
    """A card in the hand. One right PIN is good for one signature.

    Attributes:
        path: its file, which the card itself writes.
        holder: a note for people, such as the holder's made-up name.
        certificate: the user-authentication certificate, in DER form.
    """

    def __init__(self, path: Path, file: _File) -> None:
        self.path = path
        self.holder = file.holder
        self.certificate = base64.b64decode(file.certificate, validate=True)
        self._key = _key_of(bytes.fromhex(file.private_key))
        self._pin_was_right = False

    @classmethod
    def create(
        cls, path: Path, *, holder: str, pin: Secret, certify: Certify, seed: Secret | None = None
    ) -> Self:
        """Make a card with its certificate and PIN, and write it to a new private file.

        Args:
            path: the file to write.
            holder: a note for people, at most 100 characters.
            pin: 4 to 12 digits in ASCII.
            certify: has the card's key certified.
            seed: 32 bytes that make the key; drawn if not given.

        Raises:
            SetUpError: PIN, seed or note are out of range.
            KeyManagementError: the file exists already.
        """
        if len(holder) > HOLDER_CHARACTERS_MAX:
            raise SetUpError(f"a card's note has at most {HOLDER_CHARACTERS_MAX} characters")
        scalar = secrets.token_bytes(SCALAR_BYTES) if seed is None else seed.reveal()
        salt = secrets.token_bytes(_SALT_BYTES)
        file = _File(
            format=FORMAT,
            fictitious=FICTITIOUS,
            holder=holder,
            private_key=scalar.hex(),
            certificate=base64.b64encode(certify(_key_of(scalar).public_key())).decode("ascii"),
            pin_salt=salt.hex(),
            pin_verifier=_verifier(_checked(pin), salt).hex(),
            tries_left=TRIES_MAX,
        )
        file_store.write_private(path, _packed(file))
        return cls(path, file)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a card.

        Raises:
            SetUpError: the file is no such card.
            KeyManagementError: it is missing or readable by others.
        """
        return cls(path, _read(path))

    @property
    def tries_left(self) -> int:
        """How many wrong PINs in a row it still takes; none when it is locked."""
        return _read(self.path).tries_left

    def present(self, pin: Secret) -> bool:
        """Tell whether a PIN is right. The try is counted, on the disk, before it is compared.

        A right one gives all tries back. A locked card compares nothing.

        Raises:
            SetUpError: the file is a card no more.
            KeyManagementError: the disk refuses.
        """
        self._pin_was_right = False
        with self._alone() as file:
            if file.tries_left == 0:
                return False
            left = file.tries_left - 1
            self._write(msgspec.structs.replace(file, tries_left=left))
            shown = _verifier(pin, bytes.fromhex(file.pin_salt))
            if not hmac.compare_digest(shown, bytes.fromhex(file.pin_verifier)):
                return False
            self._write(msgspec.structs.replace(file, tries_left=TRIES_MAX))
        self._pin_was_right = True
        return True

    def sign(
        self, *, challenge: bytes, visit_id: bytes, attempt: int, terminal: str, city: str
    ) -> bytes:
        """Return the card's proof that it is present in this attempt: r and s, 64 bytes.

        Args:
            challenge: 32 bytes from the PIN judge.
            visit_id: 16 bytes.
            attempt: 1 and up, per visit.
            terminal: the terminal's id.
            city: municipality code, 6 digits.
        """
        if not self._pin_was_right:
            raise Misuse("a card signs after the right PIN, once")
        self._pin_was_right = False
        proof = certificate_proof(
            challenge=challenge,
            visit_id=visit_id,
            attempt=attempt,
            terminal=terminal,
            city=city,
            certificate=self.certificate,
        )
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self._key.sign(proof, algorithm))
        return r.to_bytes(SCALAR_BYTES, "big") + s.to_bytes(SCALAR_BYTES, "big")

    def unlock(self) -> None:
        """Give the card its tries back, as only a counter's machine can."""
        with self._alone() as file:
            self._write(msgspec.structs.replace(file, tries_left=TRIES_MAX))

    def reset_pin(self, pin: Secret) -> None:
        """Set another PIN and give the tries back, as only a counter's machine can.

        Raises:
            SetUpError: it is no PIN.
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        verifier = _verifier(_checked(pin), salt)
        with self._alone() as file:
            self._write(
                msgspec.structs.replace(
                    file,
                    pin_salt=salt.hex(),
                    pin_verifier=verifier.hex(),
                    tries_left=TRIES_MAX,
                )
            )

    def __repr__(self) -> str:
        return "MyNumberCard(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a card is in its own file and nowhere else")

    @contextmanager
    def _alone(self) -> Iterator[_File]:
        """Hold the card against other terminals: whoever comes second sees what the first left."""
        while True:
            try:
                held = os.open(self.path, os.O_RDONLY)
            except OSError as error:
                raise KeyManagementError(f"{self.path} cannot be read: {error.strerror}") from None
            try:
                fcntl.flock(held, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(held), self.path.stat()):
                    yield _read(self.path)
                    return
            finally:
                os.close(held)

    def _write(self, file: _File) -> None:
        file_store.replace_private(self.path, _packed(file))


def is_mynumber_card(content: bytes) -> bool:
    """Tell whether a file's content names itself a card of this kind; it may be damaged."""
    return FORMAT.encode("ascii") in content


def _read(path: Path) -> _File:
    try:
        file = msgspec.json.decode(file_store.read_private(path).reveal(), type=_File)
        base64.b64decode(file.certificate, validate=True)
    except (*UNREADABLE, ValueError):
        raise SetUpError(
            f"{path} is not a card file; cards are made with the sample or with issuance-keys jpki"
        ) from None
    if (file.format, file.fictitious) != (FORMAT, FICTITIOUS):
        raise SetUpError(f"{path} is not a card file of this version")
    return file


def _packed(file: _File) -> bytes:
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def _key_of(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    except ValueError:
        raise SetUpError(
            "a card's key is made from 32 bytes that are a number below the curve's"
        ) from None


def _checked(pin: Secret) -> Secret:
    digits = pin.reveal()
    if not (PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX and _DIGITS.issuperset(digits)):
        raise SetUpError(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    return pin


def _verifier(pin: Secret, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.reveal(), salt=salt, n=_SCRYPT_COST, r=8, p=1, dklen=_VERIFIER_BYTES)
