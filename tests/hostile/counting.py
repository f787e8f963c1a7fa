"""A handshake port that counts what handshakes cost, and whether anything was exported."""

import weakref
from dataclasses import dataclass, field

from protocol.handshake_port import HandshakePort, HandshakeSession, Peer
from protocol.secret import Secret


class CountedSession:
    """A session that can be seen to live; it does what the real one does."""

    def __init__(self, port: "CountingPort", session: HandshakeSession) -> None:
        self._port = port
        self._session = session

    def step(self, flight: bytes) -> bytes:
        """Count, and take the flight."""
        self._port.steps += 1
        return self._session.step(flight)

    @property
    def done(self) -> bool:
        """Whether it is done."""
        return self._session.done

    def peer(self) -> Peer:
        """Return the peer."""
        return self._session.peer()

    def export(self, context: bytes) -> Secret:
        """Count, and export."""
        self._port.exports += 1
        return self._session.export(context)


@dataclass
class CountingPort:
    """Counts what its sessions do.

    Attributes:
        port: makes the sessions.
        starts: how many were made.
        steps: how many flights they took.
        exports: how many secrets left them.
        alive_max: how many of them were alive at once.
        alive: those that are alive now.
    """

    port: HandshakePort
    starts: int = 0
    steps: int = 0
    exports: int = 0
    alive_max: int = 0
    alive: "weakref.WeakSet[CountedSession]" = field(default_factory=weakref.WeakSet)

    def start(self) -> CountedSession:
        """Begin a handshake."""
        self.starts += 1
        session = CountedSession(self, self.port.start())
        self.alive.add(session)
        self.alive_max = max(self.alive_max, len(self.alive))
        return session
