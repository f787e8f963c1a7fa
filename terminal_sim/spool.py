"""The spool: sealed certificates on the terminal's disk, from the last piece to the erasure.

What lies here is ciphertext. Its key comes with the release and never touches the disk.
"""

import os
from pathlib import Path

SPOOL_FOLDER = "spool"
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_OVERWRITE_BYTES = 65_536


class Spool:
    """The spool folder of one terminal. Its calls block; give them a thread."""

    def __init__(self, storage: Path) -> None:
        """Open the folder ``spool`` under ``storage``, or make it.

        Raises:
            OSError: the disk refuses.
        """
        self._folder = storage / SPOOL_FOLDER
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    def path(self, issuance_id: bytes) -> Path:
        """Return where the ciphertext of an issuance lies."""
        return self._folder / f"{issuance_id.hex()}.sealed"

    def write(self, issuance_id: bytes, sealed: bytes) -> None:
        """Write the ciphertext; it is on the disk, under its name, when this returns.

        Raises:
            OSError: the disk refuses, or there is one already.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(self.path(issuance_id), flags, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        self._flush_folder()

    def read(self, issuance_id: bytes) -> bytes:
        """Return the ciphertext.

        Raises:
            OSError: it is not there or cannot be read.
        """
        return self.path(issuance_id).read_bytes()

    def erase(self, issuance_id: bytes) -> None:
        """Overwrite and remove the ciphertext, durably; nothing happens if there is none.

        Raises:
            OSError: the disk refuses.
        """
        self._erase(self.path(issuance_id))

    def erase_others(self, kept: frozenset[bytes]) -> int:
        """Erase every file that belongs to none of these issuances; return how many.

        Raises:
            OSError: the disk refuses.
        """
        names = {self.path(issuance_id).name for issuance_id in kept}
        strays = [path for path in self._folder.iterdir() if path.name not in names]
        for path in strays:
            self._erase(path)
        return len(strays)

    def _erase(self, path: Path) -> None:
        try:
            with path.open("r+b", buffering=0) as file:
                left = os.fstat(file.fileno()).st_size
                while left > 0:
                    left -= file.write(bytes(min(left, _OVERWRITE_BYTES)))
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        self._flush_folder()

    def _flush_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
