"""What goes between the page and its reading processes: frames of a length and MessagePack."""

from typing import BinaryIO, TypeAlias

import msgspec

from issuance_server.certificates.verify.verdict import FoundSheet

LENGTH_BYTES = 4
CPU_SECONDS_MAX = 60
"""For one upload."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one upload, in their order."""

    files: tuple[bytes, ...]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What is found on one sheet.

    Attributes:
        found: for the verdict.
        picture: a PNG for people; empty if there is none.
        is_difference: whether it shows face and back in one, and not the back's face alone.
    """

    found: FoundSheet
    picture: bytes = b""
    is_difference: bool = False


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """What was read, at least one sheet."""

    sheets: tuple[Sheet, ...]


class Unreadable(msgspec.Struct, frozen=True, kw_only=True, tag="unreadable"):
    """Why the files cannot be read."""

    why: str


class Broken(msgspec.Struct, frozen=True, kw_only=True, tag="broken"):
    """A bug of ours ended the process; named by its type alone."""

    error: str


Answer: TypeAlias = Found | Unreadable | Broken

encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Upload).decode
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
decode_answer = _answer_decoder.decode


def framed(content: bytes) -> bytes:
    """Return a frame."""
    return len(content).to_bytes(LENGTH_BYTES) + content


def read(stream: BinaryIO) -> bytes | None:
    """Return the content of the next frame; None when the other side has closed."""
    length = stream.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    content = stream.read(int.from_bytes(length))
    return content if len(content) == int.from_bytes(length) else None
