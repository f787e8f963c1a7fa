"""What program this process runs: a digest over the files of its packages, as they lie on the disk.

Two processes with the same digest were started from the same files. It is taken once in a process,
when it is first asked for, so that files which are replaced later do not change what the process
says of itself.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import issuance_server
import keys
import protocol

_PACKAGES = (issuance_server, keys, protocol)
_MADE_BY_PYTHON = "__pycache__"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCheck:
    """What a process expects of its children.

    Attributes:
        build: the digest that a child has to have.
        refuse: whether a child with another one is not used.
        on_difference: called with the digest of a child that has another one.
    """

    build: str
    refuse: bool
    on_difference: Callable[[str], None]


@functools.cache
def build_digest() -> str:
    """Return the digest of the program that runs here, 64 hexadecimal digits."""
    return digest_of(Path(next(iter(package.__path__))) for package in _PACKAGES)


def digest_of(folders: Iterable[Path]) -> str:
    """Return a digest over names and contents of all files in some folders.

    What Python makes of the files, and files whose name begins with a dot, do not count.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder.parent).parts
            if path.is_file() and not any(_is_aside(part) for part in parts):
                digest.update(f"{'/'.join(parts)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_aside(part: str) -> bool:
    return part == _MADE_BY_PYTHON or part.startswith(".")
