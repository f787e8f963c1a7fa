"""Storage keys (保管鍵): a holder's key records are worth nothing without the holder's one.

A storage key is 32 random bytes in a file of its own. Authority, server, judge and renderer have
one each; they lie in one folder, by default ``storage/`` in the city's key folder, and that folder
may lie elsewhere: on another disk, on a stick that is pulled out after the start, out of every
backup.
"""

import os
import secrets
from enum import Enum
from pathlib import Path
from typing import NoReturn, Self, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import file_store
from protocol.errors import KeyManagementError
from protocol.secret import Secret

STORAGE_KEY_BYTES = 32
STORAGE_FOLDER = "storage"
STORAGE_VARIABLE = "KOFU_STORAGE_KEYS"
"""The environment variable that says where the storage keys lie."""

_NONCE_BYTES = 12
_TAG_BYTES = 16


class Holder(Enum):
    """Who holds keys; also the name of the holder's folder and storage key."""

    AUTHORITY = "authority"
    SERVER = "server"
    JUDGE = "judge"
    RENDERER = "renderer"


def storage_folder(otherwise: Path) -> Path:
    """Return where the environment says that the storage keys lie.

    Args:
        otherwise: where they lie if it says nothing.
    """
    named = os.environ.get(STORAGE_VARIABLE)
    return Path(named) if named else otherwise


@final
class StorageKey:
    """Wraps the secrets of key records: AES-256-GCM under a random nonce."""

    __slots__ = ("_key",)

    def __init__(self, key: Secret) -> None:
        """Take the key.

        Args:
            key: 32 random bytes.

        Raises:
            KeyManagementError: it has another length.
        """
        if len(key) != STORAGE_KEY_BYTES:
            raise KeyManagementError(f"a storage key has {STORAGE_KEY_BYTES} bytes")
        self._key = key

    @classmethod
    def generate(cls) -> Self:
        """Draw a new key."""
        return cls(Secret(secrets.token_bytes(STORAGE_KEY_BYTES)))

    @classmethod
    def load(cls, folder: Path, holder: Holder) -> Self:
        """Read a holder's storage key.

        Raises:
            KeyManagementError: it is missing, readable by others, or no storage key.
        """
        path = _path(folder, holder)
        if not path.exists():
            raise KeyManagementError(
                f"there is no storage key {path}; say where it lies "
                f"with --storage DIR or ${STORAGE_VARIABLE}"
            )
        try:
            return cls(file_store.read_private(path))
        except KeyManagementError as error:
            raise KeyManagementError(f"{path}: {error}") from None

    @classmethod
    def create_missing(cls, folder: Path) -> None:
        """Make the storage keys that a folder does not have yet, and the folder if need be.

        Raises:
            KeyManagementError: one that is there is damaged, or the disk refuses.
        """
        file_store.private_folder(folder)
        file_store.clear_leftovers(folder)
        for holder in Holder:
            if _path(folder, holder).exists():
                cls.load(folder, holder)
            else:
                drawn = secrets.token_bytes(STORAGE_KEY_BYTES)
                file_store.write_private(_path(folder, holder), drawn)

    def wrap(self, secret: Secret, bound: bytes) -> bytes:
        """Return a secret as it is stored: nonce, ciphertext, tag.

        Args:
            secret: any number of bytes.
            bound: what the secret is of; it opens for nothing else.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key.reveal()).encrypt(nonce, secret.reveal(), bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """Return the secret.

        Raises:
            KeyManagementError: it was wrapped under another key or for something else.
        """
        nonce, box = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        if len(box) < _TAG_BYTES:
            raise KeyManagementError("the wrapped secret is damaged")
        try:
            return Secret(AESGCM(self._key.reveal()).decrypt(nonce, box, bound))
        except InvalidTag:
            raise KeyManagementError(
                "the storage key at hand does not open it, or it is damaged"
            ) from None

    def __repr__(self) -> str:
        return "StorageKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a StorageKey is not written anywhere but by create_missing()")


def _path(folder: Path, holder: Holder) -> Path:
    return folder / f"{holder.value}.key"
