"""The port through which a line runs its key exchange.

The line itself never draws randomness and knows no certificate. In production the port is TLS 1.3
with memory buffers and everything pinned (``keys.line_tls``, TP-026); in vectors and simulation it
is a deterministic stand-in that feeds the same exporter secrets.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from protocol.secret import Secret


class Role(Enum):
    """Which end of the line this is."""

    TERMINAL = "terminal"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who the other side proved to be.

    Attributes:
        name: the terminal's id, or the city's municipality code (6 digits).
        line_id: the line that the peer's key certificate names; 8 bytes; empty for a server.
        fingerprint: SHA-256 of the key certificate's DER form; 32 bytes.
    """

    name: str
    line_id: bytes
    fingerprint: bytes


def everybody(_peer: Peer) -> bool:
    """Accept whoever the handshake trusts: there is no list, as at a terminal's end."""
    return True


class HandshakeSession(Protocol):
    """One running handshake. Discarded after it failed or its secret was exported."""

    def step(self, flight: bytes) -> bytes:
        """Take the peer's flight (empty for the first call of a terminal) and return ours.

        Returns:
            The bytes of the next flight; empty when there is nothing to send.

        Raises:
            HandshakeFailed: the peer is refused or the flight is damaged; the session is dead.
        """
        ...

    @property
    def done(self) -> bool:
        """Whether both sides are authenticated and the secret can be exported."""
        ...

    def peer(self) -> Peer:
        """Return who the peer is. Only after ``done``.

        Raises:
            HandshakeFailed: the key certificate names no terminal or city.
        """
        ...

    def export(self, context: bytes) -> Secret:
        """Return 64 bytes bound to this handshake and to ``context``. Only after ``done``."""
        ...


class HandshakePort(Protocol):
    """Makes sessions. One per process and role; holds the own key certificate and the trust."""

    def start(self) -> HandshakeSession:
        """Begin a handshake in the role that the port was made for."""
        ...
