"""What goes out comes back: any telegram, any envelope, any statement, not just the samples."""

import random
from typing import Any, TypeVar

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.binding import Binding
from protocol.envelope import (
    HEADER_BYTES,
    Direction,
    Envelope,
    EnvelopeKind,
    flight,
    parse,
    read_flight,
)
from protocol.errors import MalformedTelegram
from protocol.limits import ENVELOPE_BYTES_MAX, TELEGRAM_BUCKETS_BYTES
from protocol.padding import BUCKET_FLOOR_BYTES
from protocol.statements import statement
from protocol.telegrams import AnyTelegram
from protocol.terminal_statements import DeletionReport, PrintReport
from tests.protocol.any_telegram import KINDS, structs_of, telegrams, telegrams_of

LENGTH_BYTES = 4
PREFIX = b"kofu/1/"


def packed_in(plaintext: bytes) -> bytes:
    """Return the map in a plaintext."""
    length = int.from_bytes(plaintext[:LENGTH_BYTES], "big")
    return plaintext[LENGTH_BYTES : LENGTH_BYTES + length]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.data())
def test_any_telegram_comes_back_and_encodes_the_same(
    kind: type[AnyTelegram], data: st.DataObject
) -> None:
    """For each kind, with every field in all of its range."""
    telegram = data.draw(telegrams_of(kind))
    plaintext = codec.encode(telegram)
    again = codec.decode(plaintext)

    assert telegram == again
    assert plaintext == codec.encode(again) == codec.encode(telegram)


@given(telegrams())
def test_any_telegram_is_in_its_bucket(telegram: AnyTelegram) -> None:
    """The smallest that holds it and is allowed to its kind, with nothing but zeros behind it."""
    plaintext = codec.encode(telegram)
    needed = LENGTH_BYTES + len(packed_in(plaintext))
    floor = BUCKET_FLOOR_BYTES.get(type(telegram), 0)
    fitting = [bucket for bucket in TELEGRAM_BUCKETS_BYTES if bucket >= max(needed, floor)]

    assert min(fitting) == len(plaintext)
    assert bytes(len(plaintext) - needed) == plaintext[needed:]


@given(telegrams())
def test_another_library_reads_and_writes_the_same_map(telegram: AnyTelegram) -> None:
    """It is plain MessagePack in its shortest form, with texts as str and bytes as bin."""
    packed = packed_in(codec.encode(telegram))

    assert packed == msgpack.packb(msgpack.unpackb(packed, use_list=True), use_bin_type=True)


@given(telegrams(), st.integers(0, 1 << 32))
def test_the_order_of_fields_does_not_matter(telegram: AnyTelegram, seed: int) -> None:
    """A map is a map; and fields of a later version are ignored in any place (TP-043)."""
    content = list(msgspec.msgpack.decode(packed_in(codec.encode(telegram))).items())
    content.append(("of a later version", {"with": ["anything", 1.5, b"in it"]}))
    random.Random(seed).shuffle(content)
    packed = msgspec.msgpack.encode(dict(content))
    plain = len(packed).to_bytes(LENGTH_BYTES, "big") + packed
    bucket = next((size for size in TELEGRAM_BUCKETS_BYTES if size >= len(plain)), 0)

    assert not bucket or telegram == codec.decode(plain.ljust(bucket, b"\0"))


@given(telegrams(), st.data())
def test_a_telegram_cut_or_grown_is_malformed(telegram: AnyTelegram, data: st.DataObject) -> None:
    """A plaintext is whole or nothing: no part of one is another one (TP-041)."""
    plaintext = codec.encode(telegram)
    length = data.draw(st.integers(0, len(plaintext) - 1))
    for changed in (plaintext[:length], plaintext + b"\0"):
        if len(changed) not in TELEGRAM_BUCKETS_BYTES:
            with pytest.raises(MalformedTelegram):
                codec.decode(changed)


BODIES = st.binary(max_size=300) | st.integers(300, ENVELOPE_BYTES_MAX - HEADER_BYTES).map(
    lambda length: b"\x5a" * length
)


def envelopes(kinds: st.SearchStrategy[EnvelopeKind], bodies: st.SearchStrategy[bytes]) -> Any:
    """Return a strategy for envelopes of these kinds and bodies."""
    return st.builds(
        Envelope,
        kind=kinds,
        direction=st.sampled_from(Direction),
        generation=st.integers(0, (1 << 32) - 1),
        line_id=st.binary(min_size=8, max_size=8),
        counter=st.integers(0, (1 << 64) - 1),
        body=bodies,
    )


REJECTIONS = envelopes(st.just(EnvelopeKind.REJECTION), st.just(b""))
OTHERS = envelopes(st.sampled_from([EnvelopeKind.KEY_EXCHANGE, EnvelopeKind.TELEGRAM]), BODIES)


@given(OTHERS | REJECTIONS)
def test_any_envelope_comes_back(envelope: Envelope) -> None:
    """Whatever kind, whatever length; its header is what the seal authenticates."""
    packed = envelope.pack()

    assert envelope == parse(packed)
    assert packed[:HEADER_BYTES] == envelope.header
    assert envelope.body == packed[HEADER_BYTES:]


@given(
    st.sampled_from(Direction),
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 3),
    st.binary(max_size=400),
)
def test_any_flight_comes_back(
    direction: Direction, line_id: bytes, handshake_id: bytes, number: int, tls: bytes
) -> None:
    """With its handshake's id, after travelling as bytes."""
    made = flight(
        direction=direction, line_id=line_id, handshake_id=handshake_id, number=number, tls=tls
    )
    came = parse(made.pack())

    assert (handshake_id, tls) == read_flight(came)
    assert (number, line_id, direction) == (came.counter, came.line_id, came.direction)


FIELDS: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.text(max_size=40)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)
LABELS = st.from_regex(r"[a-z]{1,12}(-[a-z]{1,12}){0,2}", fullmatch=True)


@given(LABELS, st.lists(FIELDS, max_size=6))
def test_a_statement_tells_its_label_and_fields(label: str, fields: list[Any]) -> None:
    """So no two statements are the same bytes; and another library makes the same (TP-060)."""
    made = statement(label, *fields)
    prefix, packed = made.split(b"\0", 1)

    assert PREFIX + label.encode() == prefix
    assert fields == msgpack.unpackb(packed)
    assert packed == msgpack.packb(fields, use_bin_type=True)


@given(structs_of(PrintReport), structs_of(DeletionReport), structs_of(Binding))
def test_what_is_signed_is_the_same_after_travelling(
    printed: PrintReport, deleted: DeletionReport, binding: Binding
) -> None:
    """The receiver builds the statement itself from the values that came, and gets the same."""
    assert printed.statement("T-0001") == travelled(printed).statement("T-0001")
    assert deleted.statement("T-0001") == travelled(deleted).statement("T-0001")
    assert binding.statement() == travelled(binding).statement()


Value = TypeVar("Value", bound=msgspec.Struct)


def travelled(value: Value) -> Value:
    """Return what a receiver makes of a value."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value))
