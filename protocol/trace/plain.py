"""Entries as JSON and back: one object to the line, so that any tool can read and write traces.

Bytes become ``{"hex": …}``, which no field of an entry is. What comes back is the same entry, byte
for byte.
"""

from typing import Any

import msgspec

from protocol.codec import UNREADABLE
from protocol.errors import KofuError
from protocol.trace.entries import Entry, Known
from protocol.trace.stream import of_a_later_version

LINE_CHARACTERS_MAX = 1_000_000

_HEX = "hex"
_encoder = msgspec.json.Encoder()


class LineUnreadable(KofuError):
    """A line of JSON is no entry.

    Attributes:
        line: its number, from 1.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


def to_line(entry: Known) -> str:
    """Return an entry as one line of JSON, without a line feed."""
    plain = msgspec.to_builtins(entry, builtin_types=(bytes,))
    return _encoder.encode(_without_bytes(plain)).decode()


def from_line(text: str, number: int) -> Entry:
    """Read an entry out of a line of JSON.

    Args:
        text: the line.
        number: which it is, from 1; for the error.

    Raises:
        LineUnreadable: it is no JSON, or no entry.
    """
    if len(text) > LINE_CHARACTERS_MAX:
        raise LineUnreadable(number, f"longer than {LINE_CHARACTERS_MAX} characters")
    try:
        plain = _with_bytes(msgspec.json.decode(text))
        later = of_a_later_version(plain) if isinstance(plain, dict) else None
        entry: Entry = later or _decoder.decode(msgspec.msgpack.encode(plain))
    except (*UNREADABLE, ValueError) as error:
        raise LineUnreadable(number, str(error)) from None
    return entry


_decoder: msgspec.msgpack.Decoder[Known] = msgspec.msgpack.Decoder(Known)


def _without_bytes(value: Any) -> Any:
    match value:
        case bytes():
            return {_HEX: value.hex()}
        case dict():
            return {name: _without_bytes(one) for name, one in value.items()}
        case list() | tuple():
            return [_without_bytes(one) for one in value]
        case _:
            return value


def _with_bytes(value: Any) -> Any:
    match value:
        case {"hex": str(digits), **rest} if not rest:
            return bytes.fromhex(digits)
        case dict():
            return {name: _with_bytes(one) for name, one in value.items()}
        case list():
            return [_with_bytes(one) for one in value]
        case _:
            return value
