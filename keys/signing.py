"""Ed25519 keys (RFC 8032): the private half signs and shows nothing, the public half is a line."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self, final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys import file_store
from protocol.errors import KeyManagementError
from protocol.secret import Secret

PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64

_PUBLIC_WORD = "kofu-public"
_PUBLIC_FIELDS = 4
_PUBLIC_KEY_BYTES_MAX = 4096


@final
class SigningKey:
    """An Ed25519 private key. It signs; it is neither shown, compared nor pickled."""

    __slots__ = ("_key",)

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> Self:
        """Draw a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: Secret) -> Self:
        """Make the key of a 32-byte seed (RFC 8032 §5.1.5)."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed.reveal()))

    @classmethod
    def from_pem(cls, pem: Secret) -> Self:
        """Read a key from unencrypted PKCS#8 in PEM form.

        Raises:
            KeyManagementError: it is none, or a key of another kind.
        """
        try:
            key = serialization.load_pem_private_key(pem.reveal(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
            raise KeyManagementError("the private key is damaged or not in PEM form") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyManagementError("the private key is not an Ed25519 key")
        return cls(key)

    def pem(self) -> Secret:
        """Return the key as unencrypted PKCS#8 in PEM form."""
        return Secret(
            self._key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def seed(self) -> Secret:
        """Return the 32-byte seed that ``from_seed`` takes."""
        return Secret(self._key.private_bytes_raw())

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of a statement: 64 bytes, the same for the same statement."""
        return self._key.sign(signed)

    @property
    def public_key(self) -> bytes:
        """The public half in raw form, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """The key itself, for the certificate builder and TLS."""
        return self._key

    def __repr__(self) -> str:
        return "SigningKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SigningKey is not written anywhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyFile:
    """A public key as one line of text: ``kofu-public <algorithm> <name> <base64>``.

    Attributes:
        name: whose key it is, or what it is for; without spaces.
        key: the raw public key.
        algorithm: ``ed25519`` (32 bytes) or ``x-wing`` (1216 bytes).
    """

    name: str
    key: bytes
    algorithm: str = "ed25519"

    @property
    def line(self) -> str:
        """The line, without its end."""
        return f"{_PUBLIC_WORD} {self.algorithm} {self.name} {base64.b64encode(self.key).decode()}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read the line.

        Raises:
            KeyManagementError: it is none of ours.
        """
        words = line.split()
        if len(words) != _PUBLIC_FIELDS or words[0] != _PUBLIC_WORD:
            raise KeyManagementError("not a public key line (kofu-public ALGORITHM NAME BASE64)")
        try:
            key = base64.b64decode(words[3], validate=True)
        except ValueError:  # base64 has an error of its own only for some of its complaints
            raise KeyManagementError("the public key line is damaged") from None
        if not 0 < len(key) <= _PUBLIC_KEY_BYTES_MAX:
            raise KeyManagementError("the public key has no length that a key has")
        return cls(name=words[2], key=key, algorithm=words[1])

    @classmethod
    def read(cls, path: Path, *, algorithm: str = "ed25519") -> Self:
        """Read a file of one such line.

        Raises:
            KeyManagementError: it is missing, damaged, or a key of another algorithm.
        """
        try:
            found = cls.parse(file_store.read_public(path).decode("utf-8"))
        except (KeyManagementError, UnicodeDecodeError):
            raise KeyManagementError(f"{path} is missing or holds no public key line") from None
        if found.algorithm != algorithm:
            raise KeyManagementError(f"{path} holds a key of {found.algorithm}, not {algorithm}")
        if algorithm == "ed25519" and len(found.key) != PUBLIC_KEY_BYTES:
            raise KeyManagementError(f"{path}: an Ed25519 key has {PUBLIC_KEY_BYTES} bytes")
        return found

    def write(self, path: Path) -> None:
        """Write the line to a new file.

        Raises:
            KeyManagementError: the file exists already.
        """
        file_store.write_public(path, f"{self.line}\n".encode())
