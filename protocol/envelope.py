"""The envelope (封筒): a fixed header of 24 bytes and what it carries.

::

    version 1 | kind 1 | direction 1 | zero 1 | generation 4 | line id 8 | counter 8 | body

Numbers are big-endian. The header of a telegram is the associated data of its seal, so that nothing
in it can be changed without the seal failing.
"""

import struct
from enum import IntEnum

import msgspec

from protocol.errors import EnvelopeError
from protocol.handshake_port import Role
from protocol.limits import (
    ENVELOPE_BYTES_MAX,
    FLIGHT_BYTES_MAX,
    HANDSHAKE_ID_BYTES,
    PROTOCOL_VERSION,
)

_HEADER = struct.Struct(">BBBBI8sQ")
HEADER_BYTES = _HEADER.size


class EnvelopeKind(IntEnum):
    """What the body is."""

    KEY_EXCHANGE = 1  # a handshake flight
    TELEGRAM = 2  # a sealed telegram
    REJECTION = 3  # an unauthenticated hint: "these keys are unknown here"


class Direction(IntEnum):
    """Which way the envelope travels; each way has keys and counters of its own."""

    UP = 0  # terminal to city
    DOWN = 1  # city to terminal

    @classmethod
    def sent_by(cls, role: Role) -> "Direction":
        """Return the direction in which this role sends."""
        return cls.UP if role is Role.TERMINAL else cls.DOWN


def pack_header(
    kind: EnvelopeKind, direction: Direction, generation: int, line_id: bytes, counter: int
) -> bytes:
    """Return the 24 bytes before the body."""
    return _HEADER.pack(PROTOCOL_VERSION, kind, direction, 0, generation, line_id, counter)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One parsed envelope. A struct, because one is made for every message in either direction.

    Attributes:
        kind: what the body is.
        direction: which way it travels.
        generation: key generation, 32 bits; the first four bytes of its handshake's id.
        line_id: 8 bytes.
        counter: of a telegram, strictly rising per generation and direction, from 0;
            of a key exchange, the number of the flight; of a rejection, the rejected counter.
        body: sealed telegram, or handshake id and flight, or empty.
    """

    kind: EnvelopeKind
    direction: Direction
    generation: int
    line_id: bytes
    counter: int
    body: bytes

    @property
    def header(self) -> bytes:
        """The 24 bytes that the seal authenticates."""
        return pack_header(self.kind, self.direction, self.generation, self.line_id, self.counter)

    def pack(self) -> bytes:
        """Return the bytes to send."""
        return self.header + self.body


def parse(message: bytes) -> Envelope:
    """Read an envelope.

    Raises:
        EnvelopeError: the length, version, kind, direction or reserved byte is not ours, or a
            rejection has a body (TP-010).
    """
    if not HEADER_BYTES <= len(message) <= ENVELOPE_BYTES_MAX:
        raise EnvelopeError("the envelope's length is out of range")
    version, kind, direction, zero, generation, line_id, counter = _HEADER.unpack_from(message)
    if version != PROTOCOL_VERSION:
        raise EnvelopeError("the envelope's version is unknown")
    if zero or kind not in _KINDS or direction not in _DIRECTIONS:
        raise EnvelopeError("the envelope's header is not of this version")
    if kind == EnvelopeKind.REJECTION and len(message) > HEADER_BYTES:
        raise EnvelopeError("a rejection has no body")
    return Envelope(
        kind=_KINDS[kind],
        direction=_DIRECTIONS[direction],
        generation=generation,
        line_id=line_id,
        counter=counter,
        body=message[HEADER_BYTES:],
    )


def generation_of(handshake_id: bytes) -> int:
    """Return the key generation that a handshake makes: the first four bytes of its id."""
    return int.from_bytes(handshake_id[:4], "big")


def flight(
    *, direction: Direction, line_id: bytes, handshake_id: bytes, number: int, tls: bytes
) -> Envelope:
    """Wrap a handshake flight.

    Args:
        direction: of the sender.
        line_id: 8 bytes.
        handshake_id: 16 bytes, random, made by the terminal.
        number: 0 and 2 from the terminal, 1 and 3 from the server.
        tls: TLS records; empty in flight 3.
    """
    return Envelope(
        kind=EnvelopeKind.KEY_EXCHANGE,
        direction=direction,
        generation=generation_of(handshake_id),
        line_id=line_id,
        counter=number,
        body=handshake_id + tls,
    )


def read_flight(envelope: Envelope) -> tuple[bytes, bytes]:
    """Return the handshake id and the TLS bytes of a key exchange envelope.

    Raises:
        EnvelopeError: too short, too long, or the generation is not the id's (TP-021).
    """
    handshake_id, tls = envelope.body[:HANDSHAKE_ID_BYTES], envelope.body[HANDSHAKE_ID_BYTES:]
    if len(handshake_id) < HANDSHAKE_ID_BYTES or len(tls) > FLIGHT_BYTES_MAX:
        raise EnvelopeError("the flight's length is out of range")
    if envelope.generation != generation_of(handshake_id):
        raise EnvelopeError("the flight's generation is not its handshake's")
    return handshake_id, tls


_KINDS = {kind.value: kind for kind in EnvelopeKind}
_DIRECTIONS = {direction.value: direction for direction in Direction}
