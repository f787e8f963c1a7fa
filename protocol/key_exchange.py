"""Handshake flights over a carrier that loses, repeats and reorders: numbered, stop and wait.

::

    terminal  flight 0  ──────▶  server
    terminal  ◀──────  flight 1  server
    terminal  flight 2  ──────▶  server     the terminal is done when it has sent this
    terminal  ◀──────  flight 3  server     empty: the server is done, repeats may stop

A flight that was taken already gets the stored answer again; the handshake itself is never stepped
twice with the same flight. Nothing here is trusted before the handshake's own checks say so.
"""

from collections.abc import Callable
from dataclasses import dataclass

from protocol.envelope import Direction, Envelope, flight, generation_of, read_flight
from protocol.errors import HandshakeFailed, PeerRefused
from protocol.handshake_port import HandshakeSession, Peer, Role, everybody
from protocol.key_schedule import export_context
from protocol.limits import FLIGHT_REPEAT_MS, HANDSHAKE_MS_MAX
from protocol.secret import Secret

_LAST_FLIGHT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Established:
    """What a finished handshake gives: who the peer is, and the exported secret (64 bytes)."""

    peer: Peer
    exported: Secret
    context: bytes
    generation: int


class KeyExchange:
    """One handshake of one line, either role. Discard it when ``failed`` or after the overlap."""

    def __init__(
        self,
        *,
        role: Role,
        session: HandshakeSession,
        line_id: bytes,
        handshake_id: bytes,
        now_ms: int,
    ) -> None:
        self._role = role
        self._session: HandshakeSession | None = session
        self._line_id = line_id
        self.handshake_id = handshake_id
        self.generation = generation_of(handshake_id)
        self._expected = 1 if role is Role.TERMINAL else 0
        self._answer: Envelope | None = None
        self._outbox: list[Envelope] = []
        self._exported = False
        self.acknowledged = False
        self.failed = False
        self.expires_at_ms = now_ms + HANDSHAKE_MS_MAX
        self._repeat_at_ms: int | None = None
        if role is Role.TERMINAL:
            self._step(b"", number=0)
            self._repeat_at_ms = now_ms + FLIGHT_REPEAT_MS

    @property
    def done(self) -> bool:
        """Whether the peer is authenticated, as this side sees it."""
        return self._exported or (self._session is not None and self._session.done)

    def receive(self, envelope: Envelope, now_ms: int) -> None:
        """Take a flight. Anything but the expected one changes nothing.

        Raises:
            HandshakeFailed: the peer is refused or the flight is damaged; the exchange is over.
            EnvelopeError: the flight is out of range.
        """
        handshake_id, tls = read_flight(envelope)
        if handshake_id != self.handshake_id or self.failed:
            return
        number = envelope.counter
        if number == self._expected - 2 and self._answer is not None:
            self._outbox.append(self._answer)
        elif number == self._expected and number < _LAST_FLIGHT:
            self._expected += 2
            self._step(tls, number=number + 1)
            if self._role is Role.TERMINAL:
                self._repeat_at_ms = now_ms + FLIGHT_REPEAT_MS
        elif number == _LAST_FLIGHT and self._role is Role.TERMINAL and self.done:
            self.confirm()

    def confirm(self) -> None:
        """Stop repeating: the peer has shown that it has the keys."""
        self.acknowledged = True
        self._repeat_at_ms = None

    def established(
        self, *, city: str, terminal: str, accepts: Callable[[Peer], bool] = everybody
    ) -> Established:
        """Return the peer and the exported secret, and let go of the handshake.

        Args:
            city: municipality code, 6 digits.
            terminal: the terminal's id.
            accepts: whether the list has this peer; asked before any key is exported (TP-027).

        Raises:
            HandshakeFailed: the peer's key certificate names another line or terminal (TP-023).
            PeerRefused: it is not accepted (TP-027).
        """
        if self._session is None or not self._session.done:
            raise HandshakeFailed("the handshake has not finished")
        peer = self._session.peer()
        expected = (city, b"") if self._role is Role.TERMINAL else (terminal, self._line_id)
        if (peer.name, peer.line_id) != expected:
            self.failed = True
            raise HandshakeFailed("the key certificate names another line")
        if not accepts(peer):
            self.failed = True
            raise PeerRefused("the key certificate is not on the list")
        context = export_context(
            city=city, terminal=terminal, line_id=self._line_id, generation=self.generation
        )
        exported = self._session.export(context)
        self._session, self._exported = None, True
        return Established(
            peer=peer, exported=exported, context=context, generation=self.generation
        )

    def envelopes_to_send(self) -> list[Envelope]:
        """Return the flights to send now, and forget them."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def next_deadline_ms(self) -> int | None:
        """Return when ``wake`` wants to be called; None when there is nothing to wait for."""
        waits_for_nothing = self._role is Role.SERVER and self.done
        if self.failed or self.acknowledged or waits_for_nothing:
            return None
        if self._repeat_at_ms is None:
            return self.expires_at_ms
        return min(self._repeat_at_ms, self.expires_at_ms)

    def wake(self, now_ms: int) -> None:
        """Repeat the last flight when it is time; give up when the handshake took too long."""
        deadline_ms = self.next_deadline_ms()
        if deadline_ms is None or now_ms < deadline_ms:
            return
        if now_ms >= self.expires_at_ms:
            self.failed = True
            return
        assert self._answer is not None  # only a terminal repeats, and it spoke first
        self._repeat_at_ms = now_ms + FLIGHT_REPEAT_MS
        self._outbox.append(self._answer)

    def _step(self, tls: bytes, *, number: int) -> None:
        assert self._session is not None
        try:
            answer = self._session.step(tls)
        except HandshakeFailed:
            self.failed = True
            raise
        if number == _LAST_FLIGHT:
            answer = b""  # what TLS would still say (a ticket) is of no use here
        self._answer = flight(
            direction=Direction.sent_by(self._role),
            line_id=self._line_id,
            handshake_id=self.handshake_id,
            number=number,
            tls=answer,
        )
        self._outbox.append(self._answer)
