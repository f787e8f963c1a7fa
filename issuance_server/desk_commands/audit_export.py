"""The audit record as a file, for whoever verifies it elsewhere; and checkpoints of witnesses.

An export is JSON, an object to the line: who it is of, each record, each checkpoint, and at the
end where the tree stood. A checkpoint that somebody keeps is one such object alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from issuance_server.core.audit_verification import Journal, SignedRoot
from protocol.codec import UNREADABLE
from protocol.errors import SetUpError

_LINE_BYTES_MAX = 64 * 1024 * 1024
_FILE_MODE = 0o600  # records name people by their numbers

_Count = Annotated[int, Meta(ge=0)]


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag="audit-record"):
    """Whose audit record it is."""

    city: str
    format: Literal["kofu-audit/1"] = "kofu-audit/1"


class Leaf(msgspec.Struct, frozen=True, kw_only=True, tag="record"):
    """A record of the journal, as it was signed."""

    number: int
    record: bytes


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint"):
    """A signed checkpoint.

    Attributes:
        city: municipality code; it is part of what was signed.
        leaves: in an export, the hashes of the records since the checkpoint before.
    """

    city: str
    size: int
    root: bytes
    at_ms: int
    signature: bytes
    leaves: bytes = b""

    def signed_root(self) -> SignedRoot:
        """Return it as the verification takes it."""
        return SignedRoot(
            size=self.size,
            root=self.root,
            at_ms=self.at_ms,
            signature=self.signature,
            leaves=self.leaves,
        )


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """Where the tree stood: without it the file is cut off."""

    size: _Count
    frontier: bytes


Line: TypeAlias = Begin | Leaf | Checkpoint | End


@contextmanager
def written(out: Path) -> Iterator[IO[bytes]]:
    """Give a new file, for the owner alone; it stays only if all of it was written.

    Raises:
        SetUpError: there is one already, or it cannot be written.
    """
    part = out.with_name(out.name + ".part")
    if out.exists():
        raise SetUpError(f"{out} is there already; give another name with --out")
    try:
        part.unlink(missing_ok=True)
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(opened, "wb") as file:
            yield file
        os.link(part, out)  # never over a file that came meanwhile
    except OSError as error:
        raise SetUpError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def write_line(file: IO[bytes], line: Line) -> None:
    """Append an object."""
    file.write(msgspec.json.encode(line) + b"\n")


def read_export(path: Path) -> tuple[str, Journal, list[SignedRoot], tuple[int, bytes]]:
    """Return of an export: the city, the journal, the checkpoints by size, the frontier.

    Raises:
        SetUpError: it cannot be read, is no export, or is cut off.
    """
    journal, checkpoints, city = Journal(), [], None
    for number, line in enumerate(_lines(path), start=1):
        match line:
            case Begin() if number == 1:
                city = line.city
            case Leaf() if city is not None:
                journal.add(line.number, line.record)
            case Checkpoint() if line.city == city:
                checkpoints.append(line.signed_root())
            case End() if city is not None:
                checkpoints.sort(key=lambda one: one.size)
                return city, journal, checkpoints, (line.size, line.frontier)
            case _:
                raise SetUpError(f"{path} is no export of an audit record: see line {number}")
    raise SetUpError(f"{path} is cut off; take it anew: issuance-server audit export")


def leaves(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give number and content of the records of an export.

    Raises:
        SetUpError: it cannot be read.
    """
    for line in _lines(path):
        if isinstance(line, Leaf):
            yield line.number, line.record


def read_witness(path: Path, city: str) -> SignedRoot:
    """Return a checkpoint that somebody kept.

    Raises:
        SetUpError: it cannot be read, or is none of this city.
    """
    lines = list(_lines(path))
    if len(lines) != 1 or not isinstance(lines[0], Checkpoint):
        raise SetUpError(f"{path} holds no checkpoint; issuance-server audit checkpoint writes one")
    if lines[0].city != city:
        raise SetUpError(f"{path} holds a checkpoint of city {lines[0].city}, not of {city}")
    return lines[0].signed_root()


def _lines(path: Path) -> Iterator[Line]:
    decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_LINE_BYTES_MAX):
                number += 1
                yield decoder.decode(line)
    except OSError as error:
        raise SetUpError(f"{path} cannot be read: {error.strerror}") from error
    except UNREADABLE:
        raise SetUpError(f"{path} is damaged: see line {number}") from None
