"""The envelope: 24 bytes of header, and flights inside."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.envelope import (
    HEADER_BYTES,
    Direction,
    Envelope,
    EnvelopeKind,
    flight,
    generation_of,
    parse,
    read_flight,
)
from protocol.errors import EnvelopeError
from protocol.handshake_port import Role
from protocol.limits import ENVELOPE_BYTES_MAX, FLIGHT_BYTES_MAX
from tests.protocol.stand_in import LINE_ID

HANDSHAKE_ID = bytes(range(100, 116))
ENVELOPE = Envelope(
    kind=EnvelopeKind.TELEGRAM,
    direction=Direction.DOWN,
    generation=0x01020304,
    line_id=LINE_ID,
    counter=0x1122334455667788,
    body=b"sealed",
)
ENVELOPE_HEX = "0102010001020304a0b1c2d3e4f506171122334455667788"


def test_the_header_is_the_documented_one() -> None:
    """Written by hand from the specification, the bytes are the same (TP-010)."""
    assert bytes.fromhex(ENVELOPE_HEX) + b"sealed" == ENVELOPE.pack()
    assert 24 == HEADER_BYTES


def test_parsing_undoes_packing() -> None:
    """The envelope comes back as it went."""
    assert ENVELOPE == parse(ENVELOPE.pack())


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 0), (0, 2), (1, 0), (1, 4), (2, 2), (2, 255), (3, 1), (3, 128)],
)
def test_an_unknown_version_kind_direction_or_reserved_byte_is_refused(
    place: int, value: int
) -> None:
    """Each of the first four bytes is checked (TP-010)."""
    message = bytearray(ENVELOPE.pack())
    message[place] = value

    with pytest.raises(EnvelopeError):
        parse(bytes(message))


def test_a_rejection_has_no_body() -> None:
    """A telegram whose kind was changed on the way is not taken for one (TP-010)."""
    header = ENVELOPE.pack()[:HEADER_BYTES]
    rejection = header[:1] + bytes([EnvelopeKind.REJECTION]) + header[2:]

    assert EnvelopeKind.REJECTION is parse(rejection).kind
    with pytest.raises(EnvelopeError):
        parse(rejection + bytes(16))


@pytest.mark.parametrize("length", [0, 1, HEADER_BYTES - 1, ENVELOPE_BYTES_MAX + 1])
def test_lengths_out_of_range_are_refused(length: int) -> None:
    """Shorter than a header or longer than the maximum is no envelope (TP-010)."""
    message = ENVELOPE.pack().ljust(length, b"\0")[:length]

    with pytest.raises(EnvelopeError):
        parse(message)


@pytest.mark.parametrize("length", [HEADER_BYTES, ENVELOPE_BYTES_MAX])
def test_the_shortest_and_the_longest_are_taken(length: int) -> None:
    """The ends of the range belong to it."""
    message = ENVELOPE.pack().ljust(length, b"\0")[:length]

    assert message == parse(message).pack()


@given(st.binary(max_size=80))
def test_random_bytes_give_an_envelope_or_the_error(message: bytes) -> None:
    """Nothing else comes out, and what parses packs to the same bytes."""
    with contextlib.suppress(EnvelopeError):
        assert message == parse(message).pack()


def test_each_role_sends_in_its_direction() -> None:
    """A terminal sends up, a server down."""
    assert Direction.UP is Direction.sent_by(Role.TERMINAL)
    assert Direction.DOWN is Direction.sent_by(Role.SERVER)


def test_a_flight_comes_back_as_it_went() -> None:
    """Handshake id and TLS bytes are the body; the number is the counter (TP-020)."""
    envelope = flight(
        direction=Direction.UP, line_id=LINE_ID, handshake_id=HANDSHAKE_ID, number=2, tls=b"tls"
    )

    assert (HANDSHAKE_ID, b"tls") == read_flight(parse(envelope.pack()))
    assert 2 == envelope.counter
    assert 0x64656667 == envelope.generation == generation_of(HANDSHAKE_ID)


@pytest.mark.parametrize(
    "body",
    [b"", HANDSHAKE_ID[:15], HANDSHAKE_ID + bytes(FLIGHT_BYTES_MAX + 1), b"\0" + HANDSHAKE_ID],
)
def test_a_flight_of_wrong_length_or_generation_is_refused(body: bytes) -> None:
    """Too short, too long, or under another generation than its id says (TP-021)."""
    envelope = Envelope(
        kind=EnvelopeKind.KEY_EXCHANGE,
        direction=Direction.UP,
        generation=generation_of(HANDSHAKE_ID),
        line_id=LINE_ID,
        counter=0,
        body=body,
    )

    with pytest.raises(EnvelopeError):
        read_flight(envelope)
