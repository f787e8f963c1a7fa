"""Records what SQLite asks of the file system, in the very library that production uses.

Python's ``sqlite3`` module loads a shared library; the same library is reached here by ``ctypes``.
A file system layer (https://www.sqlite.org/vfs.html) is registered that is a copy of SQLite's own
("unix"), but for four calls that are written down before they go on: write, truncate, sync and
delete, and for randomness, which comes from a seed. Reading, locking and the shared memory stay
SQLite's own and untouched. A database that is opened meanwhile is opened through it, so the store
under test is the shipped one, unchanged.
"""

import _sqlite3
import ctypes
import os
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

_OK = 0
_LAYER = b"power-cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A file was made; its name is not on the disk before it is synced."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Bytes were written."""

    name: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated:
    """A file was cut off, or made longer."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What was done to the file before is on the disk, and so is its name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The name was removed; it may come back as long as the folder is not synced."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The server may have told somebody of this commit, and of all before it."""

    commit: int


Event: TypeAlias = Created | Written | Truncated | Synced | Deleted | Acknowledged


class LibraryOutOfReach(Exception):
    """The SQLite of this Python cannot be given a file system: it is linked into the program."""


class _Vfs(ctypes.Structure):
    """``struct sqlite3_vfs``, up to the calls that are replaced."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("path_bytes_max", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("own", ctypes.c_void_p),
        ("open", ctypes.c_void_p),
        ("delete", ctypes.c_void_p),
        ("access", ctypes.c_void_p),
        ("full_path", ctypes.c_void_p),
        ("load", ctypes.c_void_p * 4),
        ("randomness", ctypes.c_void_p),
        ("rest", ctypes.c_void_p * 7),
    )


class _Methods(ctypes.Structure):
    """``struct sqlite3_io_methods``: what can be done to an open file."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("close", ctypes.c_void_p),
        ("read", ctypes.c_void_p),
        ("write", ctypes.c_void_p),
        ("truncate", ctypes.c_void_p),
        ("sync", ctypes.c_void_p),
        ("rest", ctypes.c_void_p * 13),
    )


_Open = ctypes.CFUNCTYPE(
    ctypes.c_int,
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p),
)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_Randomness = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_Write = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
)
_Close = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class Recorder:
    """The layer, and what it has seen of one database and the files beside it."""

    def __init__(self, library: ctypes.CDLL, database: Path, seed: int) -> None:
        self.events: list[Event] = []
        self._library = library
        self._database = os.fsencode(database)
        self._random = random.Random(seed)
        self._names: dict[int, str] = {}  # of open files, by their address
        self._methods: dict[int, _Methods] = {}  # replaced ones, by the address of the originals
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self._unix = library.sqlite3_vfs_find(b"unix").contents
        self._callbacks: tuple[Any, ...] = (
            _Open(self._open),
            _Delete(self._delete),
            _Randomness(self._randomness),
        )
        self._layer = _Vfs.from_buffer_copy(self._unix)
        self._layer.name = _LAYER
        self._layer.open, self._layer.delete, self._layer.randomness = map(
            _address, self._callbacks
        )

    def install(self) -> None:
        """Let every database that is opened from now on be opened through the layer."""
        assert _OK == self._library.sqlite3_vfs_register(ctypes.byref(self._layer), 1)
        self._library.sqlite3_randomness(0, None)  # it is drawn anew, from the seed

    def remove(self) -> None:
        """Let SQLite's own layer be the usual one again; nothing may be open any more."""
        assert not self._names, f"still open: {sorted(set(self._names.values()))}"
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._layer))
        self._library.sqlite3_vfs_register(ctypes.byref(self._unix), 1)
        self._library.sqlite3_randomness(0, None)

    def _name(self, path: bytes) -> str | None:
        """Return the ending of a file that belongs to the database; the database's is empty."""
        if not path.startswith(self._database):
            return None
        return os.fsdecode(path.removeprefix(self._database))

    def _open(self, _vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
        # SQLite keeps the pointer to the path and reads behind its end: it is handed on as it is.
        named = b"" if path is None else ctypes.string_at(path)
        name = self._name(named)
        existed = Path(os.fsdecode(named)).exists()
        result: int = _Open(self._unix.open)(ctypes.addressof(self._layer), path, file, flags, out)
        if result == _OK and name is not None:
            if not existed:
                self.events.append(Created(name=name))
            self._names[file] = name
            slot = ctypes.c_void_p.from_address(file)
            slot.value = ctypes.addressof(self._recording(slot.value or 0))
        return result

    def _recording(self, original: int) -> _Methods:
        """Return the methods of a kind of file, with those replaced that are written down."""
        if original not in self._methods:
            unix = _Methods.from_address(original)
            methods = _Methods.from_buffer_copy(unix)
            close, write = _Close(unix.close), _Write(unix.write)
            truncate, sync = _Truncate(unix.truncate), _Sync(unix.sync)

            def closed(file: int) -> int:
                del self._names[file]
                return int(close(file))

            def written(file: int, content: int, size: int, offset: int) -> int:
                taken = ctypes.string_at(content, size)
                self.events.append(Written(name=self._names[file], offset=offset, content=taken))
                return int(write(file, content, size, offset))

            def truncated(file: int, size: int) -> int:
                self.events.append(Truncated(name=self._names[file], size=size))
                return int(truncate(file, size))

            def synced(file: int, flags: int) -> int:
                result = int(sync(file, flags))
                self.events.append(Synced(name=self._names[file]))
                return result

            replaced = (_Close(closed), _Write(written), _Truncate(truncated), _Sync(synced))
            self._callbacks += (*replaced, close, write, truncate, sync)
            methods.close, methods.write, methods.truncate, methods.sync = map(_address, replaced)
            self._methods[original] = methods
        return self._methods[original]

    def _delete(self, _vfs: int, path: int, sync: int) -> int:
        name = self._name(ctypes.string_at(path))
        result: int = _Delete(self._unix.delete)(ctypes.addressof(self._layer), path, sync)
        if result == _OK and name is not None:
            self.events.append(Deleted(name=name))
            if sync:
                self.events.append(Synced(name=name))
        return result

    def _randomness(self, _vfs: int, size: int, out: int) -> int:
        ctypes.memmove(out, self._random.randbytes(size), size)
        return size


@contextmanager
def recording(database: Path, seed: int) -> Iterator[Recorder]:
    """Record what is done to a database that is opened and closed within.

    Args:
        database: the file; those beside it that begin with its name belong to it.
        seed: of the randomness that SQLite gets.

    Raises:
        LibraryOutOfReach: this Python's SQLite cannot be given a file system.
    """
    recorder = Recorder(sqlite_library(), database, seed)
    recorder.install()
    try:
        yield recorder
    finally:
        recorder.remove()


def sqlite_library() -> ctypes.CDLL:
    """Return the SQLite that Python's ``sqlite3`` runs on.

    Raises:
        LibraryOutOfReach: it has no names that can be reached from outside.
    """
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    shared = re.search(r"\s(/\S*/libsqlite3\.so\S*)$", maps, re.MULTILINE)
    library = ctypes.CDLL(shared.group(1) if shared else _sqlite3.__file__)
    if not hasattr(library, "sqlite3_vfs_register"):
        raise LibraryOutOfReach(f"SQLite {sqlite3.sqlite_version} hides sqlite3_vfs_register")
    return library


def _address(function: Any) -> int | None:
    return ctypes.cast(function, ctypes.c_void_p).value
