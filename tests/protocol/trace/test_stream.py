"""Trace files: what was written is read, and damage is named with its place."""

import zlib
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.trace import stream
from protocol.trace.entries import (
    FORMAT,
    MAJOR,
    MINOR,
    Ended,
    Entry,
    Happened,
    Header,
    Known,
    LineWord,
    Recorder,
    Said,
    Stepped,
    TraceKind,
    Unknown,
    Way,
)
from protocol.trace.stream import ENTRY_BYTES_MAX, Placed, Reader, TraceDamaged

HEADER = Header(
    format=FORMAT,
    major=MAJOR,
    minor=MINOR,
    kind=TraceKind.TELEGRAMS,
    recorder=Recorder.SERVER,
    city="272035",
    software="konbini-kofu 0.1.0",
    tables_version=1,
    started_at_ms=1_764_000_000_000,
)
SAID = Said(
    at_ms=12,
    line=bytes(8),
    terminal="LW-0001",
    way=Way.UP,
    generation=7,
    counter=3,
    digest=bytes(32),
    envelope_bytes=552,
    telegram={"telegram": "fetch", "issuance_id": bytes(16), "piece": 2},
)
READY = Happened(at_ms=3, word=LineWord.READY, line=bytes(8), terminal="LW-0001", generation=7)
STEP = Stepped(
    at_ms=14, now={"real": 1, "business": 2}, given=("Woken", {}), effects=(("EraseBody", {}),)
)
END = Ended(at_ms=20, entries=4)
ENTRIES: tuple[Known, ...] = (HEADER, READY, SAID, STEP, END)
WHOLE = b"".join(map(stream.encode, ENTRIES))
OFFSETS = [sum(len(stream.encode(one)) for one in ENTRIES[:n]) for n in range(len(ENTRIES))]


def entries(chunks: list[bytes]) -> tuple[list[Entry], TraceDamaged | None]:
    """Read as much as there is; return it, and what stopped the reading."""
    found: list[Entry] = []
    try:
        found.extend(placed.entry for placed in stream.read(chunks))
    except TraceDamaged as damaged:
        return found, damaged
    return found, None


def framed(body: bytes) -> bytes:
    """Return a body as an entry of a stream, whatever is in it."""
    crc = zlib.crc32(body).to_bytes(4, "big")
    return b"\x92\xce" + crc + b"\xc6" + len(body).to_bytes(4, "big") + body


def with_header(**changes: Any) -> bytes:
    """Return a header with some fields changed."""
    fields = msgspec.to_builtins(HEADER) | changes
    return framed(msgspec.msgpack.encode(fields))


def test_what_was_written_is_read_with_its_places() -> None:
    """Every kind of entry comes back, and says where it lies."""
    placed = list(stream.read([WHOLE]))
    assert [Placed(offset=o, entry=e) for o, e in zip(OFFSETS, ENTRIES, strict=True)] == placed


@pytest.mark.parametrize("size", [1, 2, 11, 100])
def test_chunks_of_any_size(size: int) -> None:
    """It is no matter how the bytes are cut."""
    chunks = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    assert (list(ENTRIES), None) == entries(chunks)


def test_any_library_reads_the_stream() -> None:
    """It is plain MessagePack: pairs of a checksum and an entry."""
    unpacker = msgpack.Unpacker(raw=False)
    unpacker.feed(WHOLE)
    names = [msgpack.unpackb(body)["entry"] for _crc, body in unpacker]
    assert ["header", "line", "said", "step", "end"] == names


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_cut_anywhere_what_is_whole_is_shown(length: int) -> None:
    """A file that ends early gives its whole entries, and the place of the one that is not."""
    found, damaged = entries([WHOLE[:length]])
    whole = sum(1 for at in [*OFFSETS[1:], len(WHOLE)] if at <= length)
    assert list(ENTRIES[:whole]) == found
    if length in OFFSETS[1:]:
        assert damaged is None
    else:
        assert damaged is not None
        assert OFFSETS[whole] == damaged.offset


@given(st.integers(min_value=0, max_value=len(WHOLE) * 8 - 1))
def test_any_changed_bit_is_found_with_its_entry(bit: int) -> None:
    """One bit anywhere: entries before it are shown, its own entry is named, none is made up."""
    changed = bytearray(WHOLE)
    changed[bit // 8] ^= 1 << bit % 8
    found, damaged = entries([bytes(changed)])
    hit = sum(1 for at in OFFSETS if at <= bit // 8) - 1
    assert damaged is not None
    assert (list(ENTRIES[:hit]), OFFSETS[hit]) == (found, damaged.offset)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7", "this is no trace"),
        (b"{}\n" * 100, "this is no trace"),
        (stream.encode(SAID), "there is no header"),
        (stream.encode(HEADER) * 2, "a second header"),
        (stream.encode(HEADER) + b"\0" * 20, "no entry begins here"),
        (with_header(format="another"), "this is no trace"),
        (framed(b"\xc1"), "does not fit the table"),
        (b"\x92\xce\0\0\0\0\xc6" + (ENTRY_BYTES_MAX + 1).to_bytes(4, "big"), "too long"),
    ],
)
def test_what_is_no_trace_is_named(content: bytes, reason: str) -> None:
    """The error says what is wrong."""
    _, damaged = entries([content])
    assert damaged is not None
    assert reason in str(damaged)


@pytest.mark.parametrize("changes", [{"major": 2}, {"major": 9, "kind": "dreams"}])
def test_another_major_version_is_named(changes: dict[str, Any]) -> None:
    """Even where the header has changed, the reader says that it is of another version."""
    _, damaged = entries([with_header(**changes)])
    assert f"of version {changes['major']}, and this program reads 1" in str(damaged)


def test_a_later_minor_version_is_read() -> None:
    """Further fields are ignored; an entry of a new kind is passed over and told of."""
    later = with_header(minor=MINOR + 1, mood="good") + framed(
        msgspec.msgpack.encode({"entry": "dream", "of": 3})
    )
    found, damaged = entries([later + stream.encode(SAID)])
    assert ([Unknown(entry="dream"), SAID], None) == (found[1:], damaged)


def test_an_enormous_entry_is_not_waited_for() -> None:
    """Its length is enough to refuse it, and too long a one cannot be written."""
    reader = Reader()
    (header,) = reader.feed(stream.encode(HEADER))
    assert HEADER == header.entry
    with pytest.raises(TraceDamaged, match="too long"):
        list(reader.feed(b"\x92\xce\0\0\0\0\xc6\xff\xff\xff\xff"))
    with pytest.raises(ValueError, match="too long"):
        stream.encode(msgspec.structs.replace(SAID, telegram={"piece": bytes(ENTRY_BYTES_MAX)}))
