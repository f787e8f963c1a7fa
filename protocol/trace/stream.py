"""Entries to bytes and back: a stream of MessagePack that says where it is damaged (TP-130).

::

    array of 2 | uint 32: CRC-32 of the body | bin 32: the body, one entry as a MessagePack map
    0x92       | 0xce crc                    | 0xc6 length body

Any MessagePack library reads the stream. These exact bytes let a reader here tell a file that ends
in the middle from one in which a bit has changed, and both from one that never was a trace. The
checksum finds accidents, not forgery.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from protocol.codec import UNREADABLE
from protocol.errors import KofuError
from protocol.trace.entries import FORMAT, MAJOR, Entry, Header, Known, Unknown

ENTRY_BYTES_MAX = 256 * 1024
"""A larger entry is no entry; nothing of its size is waited for."""

_PREFIX_BYTES = 11
_PAIR, _UINT32, _BIN32 = 0x92, 0xCE, 0xC6
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Known] = msgspec.msgpack.Decoder(Known)
_tag_decoder = msgspec.msgpack.Decoder(dict[str, Any])


class TraceDamaged(KofuError):
    """A trace cannot be read any further.

    Attributes:
        offset: of the first byte of the entry that cannot be read.
        reason: why, in words.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason} (at byte {offset})")
        self.offset = offset
        self.reason = reason


def encode(entry: Known) -> bytes:
    """Return the bytes of an entry, ready to be appended to a file.

    Raises:
        ValueError: it is longer than ``ENTRY_BYTES_MAX``.
    """
    body = _encoder.encode(entry)
    if len(body) > ENTRY_BYTES_MAX:
        raise ValueError(f"an entry of {len(body)} bytes is too long for a trace")
    crc = zlib.crc32(body)
    return b"\x92\xce%b\xc6%b%b" % (crc.to_bytes(4, "big"), len(body).to_bytes(4, "big"), body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An entry, and where it lies.

    Attributes:
        offset: of its first byte.
        entry: what it says.
    """

    offset: int
    entry: Entry


class Reader:
    """Takes bytes as they come, as much as there is, and gives whole entries."""

    def __init__(self) -> None:
        """Begin at the first byte of a trace."""
        self._pending = bytearray()
        self._offset = 0
        self._begun = False

    @property
    def unread_bytes(self) -> int:
        """How many bytes wait for the rest of their entry."""
        return len(self._pending)

    def feed(self, content: bytes) -> Iterator[Placed]:
        """Take bytes and give the entries that they complete.

        Raises:
            TraceDamaged: what follows cannot be read; entries before it were given.
        """
        self._pending += content
        while (body := self._whole_body()) is not None:
            entry = self._read(body)
            yield Placed(offset=self._offset, entry=entry)
            length = _PREFIX_BYTES + len(body)
            del self._pending[:length]
            self._offset += length

    def finish(self) -> None:
        """Say that no more bytes come.

        Raises:
            TraceDamaged: an entry has begun and does not end, or there was none at all.
        """
        if self._pending or not self._begun:
            empty = not self._begun and not self._pending
            raise TraceDamaged(self._offset, "the file is empty" if empty else "the file ends here")

    def _whole_body(self) -> bytes | None:
        """Return the next body if all of it is there."""
        pending = self._pending
        marks = ((0, _PAIR), (1, _UINT32), (6, _BIN32))
        if any(len(pending) > at and pending[at] != mark for at, mark in marks):
            reason = "no entry begins here" if self._begun else "this is no trace"
            raise TraceDamaged(self._offset, reason)
        if len(pending) < _PREFIX_BYTES:
            return None
        length = int.from_bytes(pending[7:_PREFIX_BYTES], "big")
        if length > ENTRY_BYTES_MAX:
            raise TraceDamaged(self._offset, f"an entry of {length} bytes is too long")
        if len(pending) < _PREFIX_BYTES + length:
            return None
        body = bytes(pending[_PREFIX_BYTES : _PREFIX_BYTES + length])
        if zlib.crc32(body) != int.from_bytes(pending[2:6], "big"):
            raise TraceDamaged(self._offset, "an entry was changed: its checksum is another")
        return body

    def _read(self, body: bytes) -> Entry:
        try:
            entry: Entry = _decoder.decode(body)
        except UNREADABLE as error:
            entry = self._unknown(body, error)
        if isinstance(entry, Header):
            _check_version(entry, self._offset)
        if isinstance(entry, Header) == self._begun:
            reason = "a second header" if self._begun else "there is no header"
            raise TraceDamaged(self._offset, reason)
        self._begun = True
        return entry

    def _unknown(self, body: bytes, error: Exception) -> Unknown:
        """Take an entry of a kind that is not known; what fits no table otherwise is damage."""
        try:
            found = _tag_decoder.decode(body)
        except UNREADABLE:
            found = {}
        _check_major(found, self._offset)
        if (later := of_a_later_version(found)) is not None:
            return later
        raise TraceDamaged(self._offset, f"an entry does not fit the table: {error}")


def read(chunks: Iterable[bytes]) -> Iterator[Placed]:
    """Give the entries of a whole trace.

    Raises:
        TraceDamaged: the rest cannot be read; what came before was given.
    """
    reader = Reader()
    for chunk in chunks:
        yield from reader.feed(chunk)
    reader.finish()


def of_a_later_version(fields: dict[str, Any]) -> Unknown | None:
    """Return an entry of a kind that is not known here, which is passed over (TP-131)."""
    tag = fields.get("entry")
    return Unknown(entry=tag) if isinstance(tag, str) and tag not in _TAGS else None


def _check_version(header: Header, offset: int) -> None:
    if header.format != FORMAT:
        raise TraceDamaged(offset, "this is no trace")
    _check_major({"format": header.format, "major": header.major}, offset)


def _check_major(fields: dict[str, Any], offset: int) -> None:
    """Name another version as what it is, even where its header has changed."""
    if fields.get("format") == FORMAT and fields.get("major") != MAJOR:
        raise TraceDamaged(
            offset,
            f"the trace is of version {fields.get('major')}, and this program reads {MAJOR};"
            " use the program that wrote it, or a later one",
        )


_TAGS = frozenset(str(kind.__struct_config__.tag) for kind in Known.__args__)
