"""Reads a full extract, line by line: everything is checked, and nothing that it says is told.

All faults are listed up to a limit, with the numbers of their lines, so that an extract can be put
right in one go. Memory holds one line at a time.
"""

import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from issuance_server.core.record_faults import Fault
from issuance_server.core.register_extract import (
    FORMAT,
    AnyLine,
    Content,
    Counts,
    Header,
    Trailer,
    content_faults,
)
from protocol.errors import SetUpError

LINE_BYTES_MAX = 4 * 1024 * 1024
FAULTS_LISTED_MAX = 50

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_pack = msgspec.msgpack.Encoder().encode
L = TypeVar("L")
_encode = msgspec.json.Encoder().encode
_PLACE = re.compile(r" - at `(\$[^`]*)`$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """What is wrong with a line.

    Attributes:
        number: of the line, from 1 on.
        fault: which rule it breaks, and where.
    """

    number: int
    fault: str


@dataclass(slots=True, kw_only=True)
class Extract:
    """What a reading found.

    Attributes:
        header: the first line.
        file_digest: SHA-256 of the whole file.
        faults: the first ones.
        faults_in_all: how many there are.
    """

    header: Header | None = None
    file_digest: bytes = b""
    faults: list[LineFault] = field(default_factory=list)
    faults_in_all: int = 0


def _misfit(error: Exception) -> str:
    """Return where a line does not fit the schema, without the value that does not fit."""
    if not isinstance(error, msgspec.ValidationError):
        return "is no JSON"
    place = _PLACE.search(str(error))
    return f"does not fit the schema: {place.group(1) if place else 'no such object'}"


def decoded(decode: Callable[[bytes], L], line: bytes) -> L:
    """Read a line, and make sure that what it holds can be kept.

    Raises:
        ValueError: it cannot; the text says where the line does not fit, not what stands there.
    """
    try:
        value = decode(line)
        _pack(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(_misfit(error)) from None
    except (OverflowError, RecursionError):
        raise ValueError("holds a number or a nesting that is too large") from None
    return value


def fault_text(fault: Fault) -> str:
    """Return a broken rule as operators read it."""
    return f"{fault.reason}: {fault.item}"


class ExtractReader:
    """Reads one extract and hands its sound lines on."""

    def __init__(
        self,
        *,
        take: Callable[[Content, int], Fault | None],
        progress: Callable[[int], None] = lambda _read_bytes: None,
    ) -> None:
        """Prepare.

        Args:
            take: gets every sound line and the time of the extract, and may find a fault.
            progress: is told now and then how many bytes are read.
        """
        self._take = take
        self._progress = progress
        self._extract = Extract()
        self._counts = Counts()
        self._trailer: Trailer | None = None

    def read(self, path: Path) -> Extract:
        """Read a file from the first line to the last.

        Raises:
            SetUpError: it cannot be read.
        """
        whole, before = hashlib.sha256(), hashlib.sha256()
        read_bytes = number = 0
        try:
            with path.open("rb") as file:
                for number, line in enumerate(_lines(file), start=1):
                    if self._trailer is not None:
                        self._fault(number, "there is more after the trailer")
                        break
                    whole.update(line)
                    self._line(number, line)
                    if self._extract.header is None:
                        break  # a file of another kind: each line would be a fault
                    if self._trailer is None:
                        before.update(line)
                    read_bytes += len(line)
                    self._progress(read_bytes)
        except OSError as error:
            raise SetUpError(f"the extract {path} cannot be read: {error.strerror}") from error
        if self._extract.header is not None:
            self._end(number, before.hexdigest())
        elif number == 0:
            self._fault(1, "the file is empty")
        self._extract.file_digest = whole.digest()
        return self._extract

    def _line(self, number: int, content: bytes) -> None:
        if len(content) > LINE_BYTES_MAX:
            self._fault(number, f"has more than {LINE_BYTES_MAX} bytes")
            return
        try:
            line = decoded(_decoder.decode, content)
        except ValueError as error:
            self._fault(number, str(error))
            return
        if number == 1:
            if isinstance(line, Header):
                self._extract.header = line
            else:
                self._fault(number, "the first line is no header")
        elif isinstance(line, Trailer):
            self._trailer = line
        elif isinstance(line, Header):
            self._fault(number, "a second header")
        else:
            self._content(number, line)

    def _content(self, number: int, line: Content) -> None:
        header = self._extract.header
        if header is None:
            return
        self._counts = self._counts.with_line(line)
        faults = list(content_faults(line))
        for fault in faults:
            self._fault(number, fault_text(fault))
        if not faults:
            fault_found = self._take(line, int(header.as_of.timestamp() * 1_000))
            if fault_found is not None:
                self._fault(number, fault_text(fault_found))

    def _end(self, number: int, digest: str) -> None:
        header, trailer = self._extract.header, self._trailer
        if trailer is None:
            self._fault(number, "the trailer is missing: the extract is not whole")
            return
        if trailer.sha256 != digest:
            self._fault(number, "the digest of the lines before is another one")
        if trailer.counts != self._counts:
            self._fault(number, "the counts of the trailer are not those of the lines")
        if header is not None and header.counts != self._counts:
            self._fault(1, "the counts of the header are not those of the lines")

    def _fault(self, number: int, fault: str) -> None:
        self._extract.faults_in_all += 1
        if len(self._extract.faults) < FAULTS_LISTED_MAX:
            self._extract.faults.append(LineFault(number=number, fault=fault))


def write_extract(
    path: Path,
    *,
    city: str,
    as_of: datetime,
    sequence: int,
    contents: Callable[[], Iterable[Content]],
) -> Counts:
    """Write an extract as a register system would; it is whole, or it is not there.

    Args:
        path: the file, which does not exist.
        city: municipality code, 6 digits.
        as_of: when the registers were like this.
        sequence: number of the last change that is in it.
        contents: gives the lines, the same ones each time.

    Raises:
        SetUpError: it exists already, or cannot be written.
    """
    counts = functools.reduce(Counts.with_line, contents(), Counts())
    header = Header(format=FORMAT, city=city, as_of=as_of, sequence=sequence, counts=counts)
    digest = hashlib.sha256()
    try:
        with path.open("xb") as file:
            for line in itertools.chain([header], contents()):
                content = _encode(line) + b"\n"
                digest.update(content)
                file.write(content)
            trailer = Trailer(counts=counts, sha256=digest.hexdigest())
            file.write(_encode(trailer) + b"\n")
    except FileExistsError:
        raise SetUpError(f"{path} exists already; name a new file, or remove it") from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SetUpError(f"{path} cannot be written: {error.strerror}") from error
    return counts


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield lines; of one that is too long only its beginning, and the rest is passed over."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        rest = line
        while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = file.readline(LINE_BYTES_MAX + 1)
        yield line
