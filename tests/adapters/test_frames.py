"""Frames between processes, and so the control socket: what arrives whole also arrives in bits.

Nothing else here reads a stream. The broker delivers whole messages, and a handshake takes whole
flights: a part of one is refused (``tests/keys/test_line_tls.py``).
"""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_server.adapters import frames
from issuance_server.adapters.frames import Frame
from protocol.errors import AdapterError

FRAMES = st.lists(
    st.builds(
        Frame,
        request_id=st.integers(0, (1 << 63) - 1),
        body=st.binary(max_size=60),
        refusal=st.text(max_size=20),
    ),
    max_size=4,
)


def read_in(pieces: list[bytes]) -> list[Frame]:
    """Return the frames of a stream that arrives in these pieces."""

    async def read_all(reader: asyncio.StreamReader) -> list[Frame]:
        found = []
        while (frame := await frames.read(reader)) is not None:
            found.append(frame)
        return found

    async def feed() -> list[Frame]:
        reader = asyncio.StreamReader()
        reading = asyncio.create_task(read_all(reader))
        for piece in pieces:
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_eof()
        return await reading

    return asyncio.run(feed())


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Return the stream in pieces."""
    ends = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    return [stream[start:end] for start, end in itertools.pairwise(ends)]


@given(FRAMES, st.lists(st.integers(0, 1 << 16), max_size=6))
def test_it_does_not_matter_how_a_stream_is_cut(sent: list[Frame], places: list[int]) -> None:
    """Whole, in pieces, and byte by byte."""
    stream = b"".join(frames.encode(frame) for frame in sent)

    assert sent == read_in([stream])
    assert sent == read_in(cut(stream, places))
    assert sent == read_in([stream[at : at + 1] for at in range(len(stream))])


@given(FRAMES, st.integers(1, 1 << 16))
def test_a_stream_that_ends_in_a_frame_gives_those_before(sent: list[Frame], short: int) -> None:
    """The last frame is not there unless all of it is."""
    stream = b"".join(frames.encode(frame) for frame in sent)
    last = len(frames.encode(sent[-1])) if sent else 1
    kept = stream[: max(0, len(stream) - 1 - short % last)]

    assert sent[:-1] == read_in([kept])


@pytest.mark.parametrize(
    "content", [b"\xc1", b"\x80", b"\x81\xa1x\x01", b"\x82\xaarequest_id\x01\xa7refusal\xa1\xff"]
)
def test_a_damaged_frame_is_told(content: bytes) -> None:
    """After a good one; the good one is not given up for it by the reader itself."""
    stream = len(content).to_bytes(4, "big") + content
    with pytest.raises(AdapterError, match="damaged"):
        read_in([stream])
