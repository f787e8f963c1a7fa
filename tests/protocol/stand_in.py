"""A deterministic stand-in for the handshake port: three flights, and a secret from fixed bytes.

It authenticates nobody and hides nothing. What it keeps of the real handshake is what a line relies
on: three flights, both ends proved and one secret at both ends, bound to the transcript and to the
context; a damaged flight or a peer that is not trusted ends it.
"""

import hashlib
from dataclasses import dataclass, replace

import msgspec

from protocol.errors import HandshakeFailed, Misuse
from protocol.handshake_port import Peer, Role
from protocol.secret import Secret

CITY = "272035"
TERMINAL = "T-0001"
LINE_ID = bytes.fromhex("a0b1c2d3e4f50617")
TERMINAL_PEER = Peer(name=TERMINAL, line_id=LINE_ID, fingerprint=b"\x11" * 32)
CITY_PEER = Peer(name=CITY, line_id=b"", fingerprint=b"\x22" * 32)

_CHECK_BYTES = 8
_STEPS = 2


class Flight(msgspec.Struct, frozen=True, array_like=True):
    """What a flight carries: who speaks, fresh bytes, and the flights before it."""

    name: str
    line_id: bytes
    fingerprint: bytes
    fresh: bytes
    before: bytes


@dataclass(slots=True, kw_only=True)
class StandInPort:
    """Makes sessions whose fresh bytes are counted, so that every run is the same.

    Attributes:
        role: which end this is.
        shows: whom this end claims to be.
        trusts: the fingerprint that the peer must show; None trusts anybody.
        started: how many sessions were made so far.
        stepped: how many flights the sessions took in all.
    """

    role: Role
    shows: Peer
    trusts: bytes | None = None
    started: int = 0
    stepped: int = 0

    def start(self) -> "StandInSession":
        """Begin a handshake."""
        self.started += 1
        return StandInSession(self)


class StandInSession:
    """One handshake."""

    def __init__(self, port: StandInPort) -> None:
        self._port = port
        self._fresh = hashlib.sha256(f"{port.role.value} {port.started}".encode()).digest()
        self._transcript = b""
        self._steps = 0
        self._peer: Peer | None = None

    def step(self, flight: bytes) -> bytes:
        """Take the peer's flight and return ours."""
        self._port.stepped += 1
        self._steps += 1
        if self._steps > _STEPS:
            raise HandshakeFailed("the handshake has more flights than it may")
        if flight:
            self._take(flight)
        if self._port.role is Role.SERVER and self.done:
            return b"a ticket that nobody wants"
        shows = self._port.shows
        body = msgspec.msgpack.encode(
            Flight(shows.name, shows.line_id, shows.fingerprint, self._fresh, self._transcript)
        )
        answer = hashlib.sha256(body).digest()[:_CHECK_BYTES] + body
        self._transcript = hashlib.sha256(self._transcript + answer).digest()
        return answer

    @property
    def done(self) -> bool:
        """Whether the peer has shown itself and the secret can be exported."""
        return self._peer is not None and self._steps == _STEPS

    def peer(self) -> Peer:
        """Return who the peer is."""
        if self._peer is None:
            raise Misuse("the peer is not known yet")
        return self._peer

    def export(self, context: bytes) -> Secret:
        """Return 64 bytes that both ends share."""
        if not self.done:
            raise Misuse("the handshake has not finished")
        return Secret(hashlib.sha512(b"stand-in" + self._transcript + context).digest())

    def _take(self, flight: bytes) -> None:
        check, body = flight[:_CHECK_BYTES], flight[_CHECK_BYTES:]
        if check != hashlib.sha256(body).digest()[:_CHECK_BYTES]:
            raise HandshakeFailed("the flight is damaged")
        said = msgspec.msgpack.decode(body, type=Flight)
        if said.before != self._transcript:
            raise HandshakeFailed("the flight belongs to another handshake")
        if self._port.trusts not in (None, said.fingerprint):
            raise HandshakeFailed("the peer is not trusted")
        self._transcript = hashlib.sha256(self._transcript + flight).digest()
        self._peer = Peer(name=said.name, line_id=said.line_id, fingerprint=said.fingerprint)


def terminal_port(*, shows: Peer = TERMINAL_PEER, trusts: bytes | None = None) -> StandInPort:
    """Return the terminal's end."""
    return StandInPort(role=Role.TERMINAL, shows=shows, trusts=trusts)


def server_port(*, shows: Peer = CITY_PEER, trusts: bytes | None = None) -> StandInPort:
    """Return the server's end."""
    return StandInPort(role=Role.SERVER, shows=shows, trusts=trusts)


def another(peer: Peer, *, name: str | None = None, line_id: bytes | None = None) -> Peer:
    """Return a peer that differs in its name or its line."""
    changed = replace(peer, fingerprint=b"\x33" * 32)
    if name is not None:
        changed = replace(changed, name=name)
    return changed if line_id is None else replace(changed, line_id=line_id)
