"""Files that hold keys: private from their first byte, written whole or not at all.

A key file is written to a new file of mode 0600 in the same folder, flushed to the disk and only
then linked under its name, so that no crash leaves half a key and no call takes the place of a key
that is there. The folder is flushed too, because a name that a power cut can undo is no name.

A process that dies leaves at most files and folders whose names begin with a dot; nothing reads
them, and ``clear_leftovers`` removes them.
"""

import fcntl
import os
import secrets
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.errors import KeyManagementError
from protocol.secret import Secret

PRIVATE_FILE_MODE = 0o600
PUBLIC_FILE_MODE = 0o644
PRIVATE_FOLDER_MODE = 0o700
KEY_FILE_BYTES_MAX = 64 * 1024
"""No key, certificate or trust file is longer; whatever is longer is not ours."""

_OTHERS = 0o077
_NEW = ".new"
_ERASING = ".erasing"
_SUFFIX_RANDOM_BYTES = 8


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can enter, with its parents, unless it is there.

    Raises:
        KeyManagementError: it cannot be made.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise _world(folder, "made", error) from None
    return folder


def create_folder_whole(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make a private folder with all that ``fill`` writes into it, or nothing.

    What an earlier call left when its process died is removed first.

    Raises:
        KeyManagementError: the folder exists already, or the disk refuses.
    """
    if folder.exists():
        raise KeyManagementError(f"{folder} exists already and is never overwritten")
    fresh = _fresh_name(folder)
    try:
        for left in folder.parent.glob(f".{folder.name}.*{_NEW}"):
            _remove_abandoned(left)
        private_folder(fresh)
        try:
            with _locked(fresh):
                fill(fresh)
                fresh.rename(folder)
            flush_folder(folder.parent)
        finally:
            _remove_abandoned(fresh)
    except OSError as error:
        raise _world(folder, "made", error) from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder against other commands while the block runs; a dead process holds nothing.

    Raises:
        KeyManagementError: another command holds it, or it is not there.
    """
    try:
        with _locked(folder):
            yield
    except BlockingIOError:
        raise KeyManagementError(
            f"another command is changing {folder}; wait until it has ended, then try again"
        ) from None
    except OSError as error:
        raise _world(folder, "changed", error) from None


def write_private(path: Path, data: bytes) -> None:
    """Write a new key file that only its owner can read. Durable when it returns.

    Raises:
        KeyManagementError: a file of this name exists already, or the disk refuses.
    """
    _write_new(path, data, PRIVATE_FILE_MODE)


def write_public(path: Path, data: bytes) -> None:
    """Write a new file that everybody may read, with the same care.

    Raises:
        KeyManagementError: a file of this name exists already, or the disk refuses.
    """
    _write_new(path, data, PUBLIC_FILE_MODE)


def replace_private(path: Path, data: bytes) -> None:
    """Write a key file in place of the one of this name, whether or not there is one.

    After a crash the file holds the old bytes or the new ones, never a mixture.

    Raises:
        KeyManagementError: the disk refuses.
    """
    _replace(path, data, PRIVATE_FILE_MODE)


def replace_public(path: Path, data: bytes) -> None:
    """Write a file that everybody may read in place of the one of this name, as carefully.

    Raises:
        KeyManagementError: the disk refuses.
    """
    _replace(path, data, PUBLIC_FILE_MODE)


def replace_and_overwrite(path: Path, data: bytes) -> None:
    """Write a key file in place of another one, then overwrite what the other one held.

    Raises:
        KeyManagementError: there is no other one, or the disk refuses.
    """
    try:
        old = os.open(path, os.O_RDWR)
        try:
            _replace(path, data, PRIVATE_FILE_MODE)
            _overwrite(old)
        finally:
            os.close(old)
    except OSError as error:
        raise _world(path, "overwritten", error) from None


def read_private(path: Path) -> Secret:
    """Read a key file, and refuse one that others can read too.

    Raises:
        KeyManagementError: it is missing, too long, no regular file, or open to group or others.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyManagementError(f"{path} is not a regular file")
            if status.st_mode & _OTHERS:
                raise KeyManagementError(
                    f"{path} holds a private key and others can read it; "
                    f"make it private first: chmod 600 {shlex.quote(str(path))}"
                )
            return Secret(_limited(path, file.read(KEY_FILE_BYTES_MAX + 1)))
    except OSError as error:
        raise _world(path, "read", error) from None


def read_public(path: Path) -> bytes:
    """Read a file that holds nothing secret.

    Raises:
        KeyManagementError: it is missing or too long.
    """
    try:
        with path.open("rb") as file:
            return _limited(path, file.read(KEY_FILE_BYTES_MAX + 1))
    except OSError as error:
        raise _world(path, "read", error) from None


def erase(path: Path) -> None:
    """Overwrite a key file and remove it. Nothing happens if it is not there.

    The file first loses its name: whatever a crash leaves cannot be taken for a key, and a second
    call finishes the work. A disk that writes elsewhere keeps the old block all the same; that is
    why a key that must vanish is itself kept only under another key.

    Raises:
        KeyManagementError: the disk refuses.
    """
    try:
        _finish_erasing(_erasing_name(path))
        try:
            path.rename(_erasing_name(path))
        except FileNotFoundError:
            return
        flush_folder(path.parent)
        _finish_erasing(_erasing_name(path))
        for left in path.parent.glob(f".{path.name}.*{_NEW}"):
            _finish_erasing(left)
    except OSError as error:
        raise _world(path, "erased", error) from None


def finish_erasures(folder: Path) -> None:
    """Finish what ``erase`` had begun in a folder when the process died.

    Raises:
        KeyManagementError: the disk refuses.
    """
    try:
        for left in sorted(folder.glob(f".*{_ERASING}")):
            _finish_erasing(left)
    except OSError as error:
        raise _world(folder, "cleared", error) from None


def clear_leftovers(folder: Path) -> None:
    """Remove what processes that died have left in a folder. Nobody else may be writing there.

    Raises:
        KeyManagementError: the disk refuses.
    """
    finish_erasures(folder)
    try:
        for left in sorted(folder.glob(f".*{_NEW}")):
            if not left.is_file():
                continue
            if left.stat().st_nlink == 1:  # another name may be that of a key: see _write_new
                _finish_erasing(left)
            left.unlink(missing_ok=True)
    except OSError as error:
        raise _world(folder, "cleared", error) from None


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        fresh = _write_beside(path, data, mode)
        try:
            os.link(fresh, path)  # unlike a rename, a link never takes the place of a file
        except FileExistsError:
            raise KeyManagementError(f"{path} exists already and is never overwritten") from None
        finally:
            fresh.unlink()
        flush_folder(path.parent)
    except OSError as error:
        raise _world(path, "written", error) from None


def _replace(path: Path, data: bytes, mode: int) -> None:
    try:
        _write_beside(path, data, mode).replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise _world(path, "written", error) from None


def _write_beside(path: Path, data: bytes, mode: int) -> Path:
    fresh = _fresh_name(path)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
    try:
        _write_all(descriptor, data)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    except OSError:
        fresh.unlink()
        raise
    finally:
        os.close(descriptor)
    return fresh


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _overwrite(descriptor: int) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write_all(descriptor, bytes(os.fstat(descriptor).st_size))
    os.fsync(descriptor)


def _fresh_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(_SUFFIX_RANDOM_BYTES)}{_NEW}")


def _erasing_name(path: Path) -> Path:
    return path.with_name(f".{path.name}{_ERASING}")


def _finish_erasing(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        _overwrite(descriptor)
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    flush_folder(path.parent)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; BlockingIOError if another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Overwrite and remove a folder that was never finished, unless somebody still fills it."""
    if not folder.is_dir():
        return
    try:
        with _locked(folder):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    _finish_erasing(path)
            shutil.rmtree(folder)
    except BlockingIOError:
        return


def _limited(path: Path, data: bytes) -> bytes:
    if len(data) > KEY_FILE_BYTES_MAX:
        raise KeyManagementError(f"{path} is too long to be a key")
    return data


def _world(path: Path, verb: str, error: OSError) -> KeyManagementError:
    return KeyManagementError(f"{path} cannot be {verb}: {error.strerror or 'the disk refuses'}")
