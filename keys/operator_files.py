"""An operator's public file: the key, and the authority's word that this person is an operator.

Whoever can write a city's files could otherwise add operators of his own. Two lines of text:
``kofu-public ed25519 NAME BASE64`` and ``kofu-appointed BASE64``, the second the authority's
Ed25519 signature over ``statement("operator", city, name, key)``. A file of earlier versions has
the first line alone; ``issuance-keys operator sign`` adds the second.
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from keys import file_store
from keys.authority import Authority
from keys.key_certificate import public_key_of, read_certificate
from keys.signing import PUBLIC_KEY_BYTES, PublicKeyFile
from keys.trust import CityTrust
from protocol.errors import KeyManagementError
from protocol.statements import signature_holds, statement

_APPOINTED_WORD = "kofu-appointed"
_ALGORITHM = "ed25519"
_WORDS_OF_LINE_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFile:
    """What ``NAME.pub`` of the operators' folder holds.

    Attributes:
        name: the operator's.
        key: the public half, 32 bytes.
        signature: the authority's, 64 bytes; empty where there is none.
    """

    name: str
    key: bytes
    signature: bytes = b""

    @classmethod
    def appointed(cls, name: str, key: bytes, authority: Authority) -> Self:
        """Have the authority say that a key is an operator's."""
        signature = authority.signing_key.sign(_statement(authority.city, name, key))
        return cls(name=name, key=key, signature=signature)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; whether its signature is good is for ``signed_under`` to tell.

        Raises:
            KeyManagementError: it is missing, damaged, or names somebody else than its file name.
        """
        try:
            first, *more = file_store.read_public(path).decode("utf-8").splitlines()
            found = PublicKeyFile.parse(first)
            signature = _signature_of(more)
        except (KeyManagementError, ValueError):
            raise KeyManagementError(f"{path} is missing or holds no operator's key") from None
        if found.algorithm != _ALGORITHM or len(found.key) != PUBLIC_KEY_BYTES:
            raise KeyManagementError(f"{path}: an operator's key is an Ed25519 key")
        if found.name != path.stem:
            raise KeyManagementError(f"{path} holds the key of {found.name}")
        return cls(name=found.name, key=found.key, signature=signature)

    def signed_under(self, trust: CityTrust) -> bool:
        """Tell whether the authority of a city signed this.

        Raises:
            KeyManagementError: the authority's certificate is damaged.
        """
        authority_key = public_key_of(read_certificate(trust.authority_certificate))
        signed = _statement(trust.city, self.name, self.key)
        return signature_holds(authority_key, self.signature, signed)

    @property
    def text(self) -> bytes:
        """What stands in the file."""
        lines = [PublicKeyFile(name=self.name, key=self.key).line]
        if self.signature:
            lines.append(f"{_APPOINTED_WORD} {base64.b64encode(self.signature).decode()}")
        return "".join(f"{line}\n" for line in lines).encode()


def sign_operator(folder: Path, name: str, authority: Authority) -> OperatorFile:
    """Have the authority sign the file of an operator who has none of its signatures.

    Args:
        folder: the operators' folder.
        name: the operator's name.
        authority: the city's.

    Raises:
        KeyManagementError: there is no such file, or the disk refuses.
    """
    path = folder / f"{name}.pub"
    if not path.exists():
        raise KeyManagementError(
            f"there is no operator {name} in {folder}; issuance-keys operator list shows them"
        )
    signed = OperatorFile.appointed(name, OperatorFile.read(path).key, authority)
    file_store.replace_public(path, signed.text)
    return signed


def _signature_of(lines: list[str]) -> bytes:
    """Return the signature of what follows the first line; empty if nothing does."""
    if not lines:
        return b""
    words = lines[0].split()
    if len(lines) > 1 or len(words) != _WORDS_OF_LINE_TWO or words[0] != _APPOINTED_WORD:
        raise ValueError("not what follows an operator's key")
    return base64.b64decode(words[1], validate=True)


def _statement(city: str, name: str, key: bytes) -> bytes:
    return statement("operator", city, name, key)
