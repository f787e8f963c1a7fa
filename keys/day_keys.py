"""Day keys: each wraps the data keys of one day's issuances; destroying it ends them all.

A data key is stored only wrapped (RFC 3394, AES-256). Erasing a wrapped key from a database never
reaches its backups, nor the blocks that a disk has moved elsewhere; destroying the day key does.
"""

import re
import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from keys import file_store
from keys.key_record import SUFFIX, KeyRecord, Naming, Purpose, read_record, write_record
from keys.storage_key import StorageKey
from protocol.errors import KeyManagementError, Misuse
from protocol.secret import Secret

DAY_KEY_BYTES = 32
DATA_KEY_BYTES = 32
WRAPPED_KEY_BYTES = DATA_KEY_BYTES + 8

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PREFIX = f"{Purpose.DAY.value}-"


@final
class DayKeys:
    """The day keys of a folder. Nothing is kept in memory, so what is destroyed is gone.

    Several processes may use one folder: a day's key is made once, whoever comes first.
    """

    __slots__ = ("_folder", "_storage_key")

    def __init__(self, folder: Path, storage_key: StorageKey) -> None:
        """Open the folder, making it if need be, and finish interrupted destructions.

        Args:
            folder: holds nothing else.
            storage_key: the server's.

        Raises:
            KeyManagementError: the folder cannot be used.
        """
        self._folder = file_store.private_folder(folder)
        self._storage_key = storage_key
        file_store.finish_erasures(folder)

    def wrap(self, day: str, data_key: Secret) -> bytes:
        """Return a data key wrapped under the day's key, 40 bytes; the first call makes the key.

        Args:
            day: ``YYYY-MM-DD``.
            data_key: 32 bytes.

        Raises:
            KeyManagementError: the day's key is damaged or cannot be made.
        """
        if len(data_key) != DATA_KEY_BYTES:
            raise Misuse(f"a data key has {DATA_KEY_BYTES} bytes")
        return aes_key_wrap(self._key_made_once(day).reveal(), data_key.reveal())

    def unwrap(self, day: str, wrapped: bytes) -> Secret:
        """Return the data key.

        Raises:
            KeyManagementError: the day's key is destroyed, or this was not wrapped under it.
        """
        path = self._path(day)
        if not path.exists():
            raise KeyManagementError(f"there is no key of {day}: destroyed, or never made")
        try:
            return Secret(aes_key_unwrap(self._load(path).reveal(), wrapped))
        except (InvalidUnwrap, ValueError):
            raise KeyManagementError(f"this data key was not wrapped under {day}") from None

    def destroy(self, day: str) -> None:
        """Destroy the day's key for good, its record too. Doing it twice is as good as once.

        Raises:
            KeyManagementError: the disk refuses; the key may still be there.
        """
        file_store.erase(self._path(day))

    def days(self) -> tuple[str, ...]:
        """Return the days whose keys exist, the oldest first."""
        names = (
            path.name.removeprefix(_PREFIX).removesuffix(SUFFIX)
            for path in self._folder.glob(f"{_PREFIX}*{SUFFIX}")
        )
        return tuple(sorted(name for name in names if _DAY.fullmatch(name)))

    def _key_made_once(self, day: str) -> Secret:
        path = self._path(day)
        if not path.exists():
            try:
                write_record(self._folder, self._new_record(day))
            except KeyManagementError:
                if not path.exists():  # another process was first: its key is the day's key
                    raise
        return self._load(path)

    def _new_record(self, day: str) -> KeyRecord:
        return KeyRecord.make(
            Purpose.DAY,
            Secret(secrets.token_bytes(DAY_KEY_BYTES)),
            self._storage_key,
            named=Naming(number=1, at=datetime.now(UTC), key_id=day),
        )

    def _load(self, path: Path) -> Secret:
        return read_record(path).secret(self._storage_key)

    def _path(self, day: str) -> Path:
        try:
            valid = _DAY.fullmatch(day) is not None and date.fromisoformat(day) is not None
        except ValueError:
            valid = False
        if not valid:
            raise Misuse("a day is written YYYY-MM-DD")
        return self._folder / f"{_PREFIX}{day}{SUFFIX}"
