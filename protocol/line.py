"""A line (回線): the authenticated, encrypted conversation of one terminal with one city.

The object is sans-I/O and has four verbs: it takes envelopes (``receive``), gives events, gives
bytes to send (``messages_to_send``), and acts (``start_handshake``, ``send``, ``wake``). It never
raises on peer bytes: every failure becomes a ``Dropped`` event with a reason.

Rules kept here (SPEC.md §4 to §6):

1. Seals are checked before counters are struck out; a counter opens once per generation.
2. New keys take over for sending as soon as the handshake is done; the old ones open for 60 s.
3. A telegram under unknown keys is answered by an unauthenticated rejection, at most two a second;
   a terminal that gets one starts a handshake, and nothing else follows from it.
4. Who may be at the other end is asked before a handshake touches the keys that are there, and
   again at every telegram; so one who is not accepted neither gets keys nor throws any out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from protocol import codec
from protocol.envelope import Direction, Envelope, EnvelopeKind, parse, read_flight
from protocol.errors import HandshakeFailed, MalformedTelegram, Misuse, TelegramError
from protocol.handshake_port import HandshakePort, Peer, Role, everybody
from protocol.key_exchange import Established, KeyExchange
from protocol.key_schedule import direction_keys
from protocol.limits import (
    GENERATION_AGE_MS_MAX,
    GENERATION_OVERLAP_MS,
    REJECT_INTERVAL_MS,
    TELEGRAMS_PER_GENERATION_MAX,
)
from protocol.sealing import Opener, Sealer
from protocol.telegrams import AnyTelegram, RequestRef


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReady:
    """New keys are in force; the peer is who its key certificate says."""

    peer: Peer
    generation: int


class TelegramReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A telegram came through the seal. A struct, because it is made for every telegram.

    Attributes:
        telegram: the typed value.
        ref: names this copy; a reply carries it back.
    """

    telegram: AnyTelegram
    ref: RequestRef


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedReceived:
    """The seal opened, but what was in it fits no telegram. ``field`` names where."""

    ref: RequestRef
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """An envelope was dropped; the shell counts and logs it. ``reason`` is one of a few words."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysUnknown:
    """The peer says that it does not know our keys (a hint that anybody could forge)."""


LineEvent: TypeAlias = LineReady | TelegramReceived | MalformedReceived | Dropped | KeysUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """When a terminal makes new keys (TP-034).

    Attributes:
        age_ms: how old the present ones may become, milliseconds.
        telegrams: how many may be sealed under them.
    """

    age_ms: int = GENERATION_AGE_MS_MAX
    telegrams: int = TELEGRAMS_PER_GENERATION_MAX


RENEWAL = Renewal()


@dataclass(slots=True, kw_only=True)
class _Generation:
    """One generation of keys, and until when it still opens (None: it is the present one)."""

    number: int
    peer: Peer
    sealer: Sealer
    opener: Opener
    since_ms: int
    until_ms: int | None = None


class Line:
    """Both roles' end of one line."""

    def __init__(
        self,
        *,
        role: Role,
        city: str,
        terminal: str,
        line_id: bytes,
        handshakes: HandshakePort,
        accepts: Callable[[Peer], bool] = everybody,
    ) -> None:
        """Prepare a line without keys.

        Args:
            role: which end this is.
            city: municipality code, 6 digits.
            terminal: the terminal's id.
            line_id: 8 bytes.
            handshakes: makes handshake sessions.
            accepts: the list of who may be at the other end (TP-027), asked once for each handshake
                and each telegram; what it says may change at any time.
        """
        self._role = role
        self._city = city
        self._terminal = terminal
        self._line_id = line_id
        self._handshakes = handshakes
        self._accepts = accepts
        self._sends = Direction.sent_by(role)
        self._exchange: KeyExchange | None = None
        self._finished: KeyExchange | None = None
        self._generations: list[_Generation] = []  # the present one last; at most two
        self._outbox: list[bytes] = []
        self._rejected_at_ms: int | None = None

    @property
    def ready(self) -> bool:
        """Whether telegrams can be sent."""
        return bool(self._generations)

    @property
    def generation(self) -> int | None:
        """The present key generation; None while there are no keys."""
        return self._generations[-1].number if self._generations else None

    @property
    def fingerprint(self) -> bytes | None:
        """SHA-256 of the peer's key certificate in the present generation, 32 bytes."""
        return self._generations[-1].peer.fingerprint if self._generations else None

    @property
    def handshaking(self) -> bool:
        """Whether a handshake is under way (half-open ones are bounded by the server)."""
        return self._exchange is not None

    def keys_due(self, now_ms: int, renewal: Renewal = RENEWAL) -> bool:
        """Tell whether a terminal should start a handshake now (TP-034)."""
        due_ms = self.keys_due_ms(renewal)
        return due_ms is not None and now_ms >= due_ms

    def keys_due_ms(self, renewal: Renewal = RENEWAL) -> int | None:
        """Return from when on a terminal should start a handshake (TP-034).

        Returns:
            0 if it should at once; None while a handshake is under way.
        """
        if self._exchange is not None:
            return None
        if not self._generations or self._generations[-1].sealer.next_counter >= renewal.telegrams:
            return 0
        return self._generations[-1].since_ms + renewal.age_ms

    def start_handshake(self, handshake_id: bytes, now_ms: int) -> None:
        """Begin a handshake (terminal only); one that is under way is given up.

        Args:
            handshake_id: 16 random bytes; the first four become the key generation.
            now_ms: the time.
        """
        if self._role is not Role.TERMINAL:
            raise Misuse("only a terminal starts a handshake")
        self._exchange = self._new_exchange(handshake_id, now_ms)
        self._collect()

    def receive(self, message: bytes, now_ms: int) -> list[LineEvent]:
        """Take one message from the carrier and return what came of it."""
        try:
            envelope = parse(message)
            if envelope.line_id != self._line_id or envelope.direction is self._sends:
                return [Dropped(reason="misdirected")]
            if envelope.kind is EnvelopeKind.KEY_EXCHANGE:
                try:
                    return self._receive_flight(envelope, now_ms)
                finally:
                    self._collect()
            if envelope.kind is EnvelopeKind.REJECTION:
                return [KeysUnknown()] if self._rejects_present(envelope) else []
            return self._receive_telegram(envelope, now_ms)
        except TelegramError as error:
            return [Dropped(reason=_REASONS.get(type(error).__name__, "malformed"))]

    def send(self, plaintext: bytes) -> tuple[int, int]:
        """Seal a telegram's plaintext and queue it.

        Args:
            plaintext: from ``codec.encode``.

        Returns:
            The generation and the counter of this copy.

        Raises:
            Misuse: the line has no keys.
            KeyManagementError: the keys are used up and no handshake replaced them.
        """
        if not self._generations:
            raise Misuse("the line has no keys")
        envelope = self._generations[-1].sealer.seal(plaintext)
        self._outbox.append(envelope.pack())
        return envelope.generation, envelope.counter

    def messages_to_send(self) -> list[bytes]:
        """Return the messages for the carrier, and forget them."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def next_deadline_ms(self) -> int | None:
        """Return when ``wake`` wants to be called, or None."""
        times = [g.until_ms for g in self._generations if g.until_ms is not None]
        for exchange in (self._exchange, self._finished):
            deadline_ms = exchange.next_deadline_ms() if exchange is not None else None
            if deadline_ms is not None:
                times.append(deadline_ms)
        if self._finished is not None:
            times.append(self._finished.expires_at_ms + GENERATION_OVERLAP_MS)
        return min(times, default=None)

    def wake(self, now_ms: int) -> list[LineEvent]:
        """Repeat flights, retire old keys, and give up a handshake that took too long."""
        kept = [g for g in self._generations if g.until_ms is None or g.until_ms > now_ms]
        self._generations = kept
        events: list[LineEvent] = []
        for exchange in (self._exchange, self._finished):
            if exchange is not None:
                exchange.wake(now_ms)
        if self._exchange is not None and self._exchange.failed:
            self._exchange = None
            events.append(Dropped(reason="handshake-timed-out"))
        finished = self._finished
        if finished is not None and now_ms >= finished.expires_at_ms + GENERATION_OVERLAP_MS:
            self._finished = None
        self._collect()
        return events

    def forget_keys(self) -> None:
        """Drop all keys at once, and any handshake."""
        self._generations.clear()
        self._exchange = self._finished = None

    def forget_refused(self) -> bool:
        """Forget the keys that were made with a peer who is not accepted any more (TP-027).

        If the present keys are such, those before them go as well. A handshake under way goes on:
        whose it is shows in its last flight.

        Returns:
            Whether there were any.
        """
        kept = [made for made in self._generations if self._accepts(made.peer)]
        if kept == self._generations:
            return False
        if not kept or kept[-1] is not self._generations[-1]:
            kept, self._finished = [], None
        self._generations = kept
        return True

    def _receive_flight(self, envelope: Envelope, now_ms: int) -> list[LineEvent]:
        handshake_id, _ = read_flight(envelope)
        if self._finished is not None and self._finished.handshake_id == handshake_id:
            self._finished.receive(envelope, now_ms)
            return []
        exchange = self._exchange
        known = exchange is not None and exchange.handshake_id == handshake_id
        if not known and self._role is Role.SERVER and envelope.counter == 0:
            if any(g.number == envelope.generation for g in self._generations):
                return [Dropped(reason="generation-in-use")]
            exchange = self._exchange = self._new_exchange(handshake_id, now_ms)
            known = True
        if exchange is None or not known:
            return [Dropped(reason="handshake-unknown")]
        try:
            exchange.receive(envelope, now_ms)
            if not exchange.done:
                return []
            made = exchange.established(
                city=self._city, terminal=self._terminal, accepts=self._accepts
            )
        except HandshakeFailed:
            self._exchange = None
            raise
        self._take_keys(made, now_ms)
        self._exchange, self._finished = None, exchange
        return [LineReady(peer=made.peer, generation=made.generation)]

    def _receive_telegram(self, envelope: Envelope, now_ms: int) -> list[LineEvent]:
        generation = next((g for g in self._generations if g.number == envelope.generation), None)
        if generation is None or (generation.until_ms or now_ms + 1) <= now_ms:
            if self._exchange is None or self._exchange.generation != envelope.generation:
                self._reject(envelope, now_ms)  # otherwise its last flight is still to come
            return [Dropped(reason="keys-unknown")]
        if not self._accepts(generation.peer):
            self.forget_refused()
            self._reject(envelope, now_ms)
            return [Dropped(reason="keys-refused")]
        plaintext = generation.opener.open(envelope)
        if self._finished is not None and self._finished.generation == envelope.generation:
            self._finished.confirm()  # old keys prove nothing about the new ones
        ref = RequestRef(envelope.generation, envelope.counter, codec.digest(plaintext))
        try:
            return [TelegramReceived(telegram=codec.decode(plaintext), ref=ref)]
        except MalformedTelegram as error:
            return [MalformedReceived(ref=ref, field=error.field)]

    def _take_keys(self, made: Established, now_ms: int) -> None:
        for old in self._generations:
            old.until_ms = old.until_ms or now_ms + GENERATION_OVERLAP_MS
        receives = Direction.DOWN if self._sends is Direction.UP else Direction.UP
        sealer = Sealer(
            direction_keys(made.exported, self._sends, made.context),
            direction=self._sends,
            generation=made.generation,
            line_id=self._line_id,
        )
        opener = Opener(direction_keys(made.exported, receives, made.context))
        self._generations = self._generations[-1:]
        self._generations.append(
            _Generation(
                number=made.generation,
                peer=made.peer,
                sealer=sealer,
                opener=opener,
                since_ms=now_ms,
            )
        )

    def _rejects_present(self, envelope: Envelope) -> bool:
        """A rejection counts only at a terminal, and if it names the keys that it sends under."""
        if self._role is not Role.TERMINAL or not self._generations:
            return False
        return self._generations[-1].number == envelope.generation

    def _reject(self, envelope: Envelope, now_ms: int) -> None:
        if self._role is not Role.SERVER:
            return
        last = self._rejected_at_ms
        if last is not None and now_ms - last < REJECT_INTERVAL_MS:
            return
        self._rejected_at_ms = now_ms
        answer = Envelope(
            kind=EnvelopeKind.REJECTION,
            direction=self._sends,
            generation=envelope.generation,
            line_id=self._line_id,
            counter=envelope.counter,
            body=b"",
        )
        self._outbox.append(answer.pack())

    def _new_exchange(self, handshake_id: bytes, now_ms: int) -> KeyExchange:
        return KeyExchange(
            role=self._role,
            session=self._handshakes.start(),
            line_id=self._line_id,
            handshake_id=handshake_id,
            now_ms=now_ms,
        )

    def _collect(self) -> None:
        for exchange in (self._exchange, self._finished):
            if exchange is not None:
                self._outbox += [e.pack() for e in exchange.envelopes_to_send()]


_REASONS = {
    "EnvelopeError": "envelope",
    "SealError": "seal",
    "CounterReplayed": "replayed",
    "HandshakeFailed": "handshake",
    "PeerRefused": "peer-refused",
}
