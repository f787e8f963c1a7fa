"""Frames between a process and its child: four bytes of length, then a MessagePack map."""

import asyncio

import msgspec

from protocol.codec import UNREADABLE
from protocol.errors import AdapterError

FRAME_BYTES_MAX = 8 * 1024 * 1024
GREETING_ID = 0  # the child says with it that it serves, and which program it runs
_LENGTH_BYTES = 4


class Frame(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request or reply.

    Attributes:
        request_id: pairs the reply with its request; ``GREETING_ID`` asks nothing.
        body: what was asked or answered.
        refusal: why there is no answer; a sentence without secrets.
    """

    request_id: int
    body: bytes = b""
    refusal: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """Return the bytes of ``frame``.

    Raises:
        AdapterError: it would be longer than ``FRAME_BYTES_MAX``.
    """
    content = _encoder.encode(frame)
    if len(content) > FRAME_BYTES_MAX:
        raise AdapterError(f"a frame of {len(content)} bytes is too long between processes")
    return len(content).to_bytes(_LENGTH_BYTES) + content


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """Return the next frame; None when the other side has closed.

    Raises:
        AdapterError: the bytes are no frame, or it is too long. The stream is then of no more use.
    """
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
        if length > FRAME_BYTES_MAX:
            raise AdapterError(f"a frame of {length} bytes was announced: too long")
        return _decoder.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except UNREADABLE:
        raise AdapterError("a frame between processes is damaged") from None
