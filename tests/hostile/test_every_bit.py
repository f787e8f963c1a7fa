"""Every bit of everything that travels, turned over one at a time: nothing of it is accepted.

Telegrams and rejections in both directions, and the four flights of the handshake: each position
with the stand-in, and with real TLS one bit of each byte, in the long form each position as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from protocol import codec
from protocol.envelope import HEADER_BYTES, EnvelopeKind, parse
from protocol.handshake_port import HandshakePort, Peer, Role
from protocol.limits import HANDSHAKE_ID_BYTES
from protocol.line import Dropped, KeysUnknown, Line, LineEvent, TelegramReceived
from protocol.telegrams import LineTest
from tests.hostile.acts import flipped
from tests.hostile.founding import CITY, LINE_IDS, TERMINALS, Keys
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import CITY_PEER, server_port, terminal_port

NAME = TERMINALS[0]
LINE_ID = LINE_IDS[NAME]
RECORD_HEADER_BYTES = 5
UNPROTECTED = (20, 22)
"""Content types of TLS records before the keys are changed: change cipher spec, handshake."""
ASKS_AGAIN = {2: [8 * 23 + 6]}
"""Flight 2 under the number 0 is a repeat of flight 0, and is answered as one (TP-022)."""
DROPPED_WORDS = {"envelope", "misdirected", "keys-unknown", "seal", "replayed"}


@dataclass(frozen=True, slots=True)
class Ports:
    """Both ends of handshakes."""

    terminal: HandshakePort
    server: HandshakePort


@dataclass
class TwoEnds:
    """Both ends of one line, and the flights that opened it."""

    ports: Ports
    number: int = 1

    def __post_init__(self) -> None:
        self.terminal = self._line(Role.TERMINAL, self.ports.terminal)
        self.server = self._line(Role.SERVER, self.ports.server)
        self.terminal.start_handshake(handshake_id(self.number), 0)

    def flights(self) -> Iterator[tuple[Line, bytes]]:
        """Give each flight with the end that it is for; it is sent on when the next is asked."""
        for receiver, sender in (
            (self.server, self.terminal),
            (self.terminal, self.server),
            (self.server, self.terminal),
            (self.terminal, self.server),
        ):
            (flight,) = sender.messages_to_send()
            yield receiver, flight
            receiver.receive(flight, 0)

    def open(self) -> "TwoEnds":
        """Carry the handshake through."""
        for _ in self.flights():
            pass
        return self

    def _line(self, role: Role, handshakes: HandshakePort) -> Line:
        return Line(role=role, city=CITY, terminal=NAME, line_id=LINE_ID, handshakes=handshakes)


@pytest.fixture(scope="module")
def tls(keys: Keys) -> Ports:
    """Real TLS."""
    return Ports(keys.terminal_port(NAME), keys.server_port())


def stand_in() -> Ports:
    """The deterministic handshake."""
    peer = Peer(name=NAME, line_id=LINE_ID, fingerprint=b"\x11" * 32)
    return Ports(
        terminal_port(shows=peer, trusts=CITY_PEER.fingerprint),
        server_port(trusts=peer.fingerprint),
    )


def accepted(events: list[LineEvent]) -> list[LineEvent]:
    """Return the events that are more than a drop."""
    return [event for event in events if not isinstance(event, Dropped)]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_no_bit_of_a_telegram_can_be_changed(tls: Ports, direction: str) -> None:
    """4,416 telegrams with one bit changed are dropped, and then the true one is still taken."""
    ends = TwoEnds(tls).open()
    up = direction == "up"
    sender, receiver = (ends.terminal, ends.server) if up else (ends.server, ends.terminal)
    sender.send(codec.encode(LineTest(nonce=1)))
    (message,) = sender.messages_to_send()
    reasons = set()
    for position in range(8 * len(message)):
        events = receiver.receive(flipped(message, position), 0)
        assert [] == accepted(events), position
        reasons |= {event.reason for event in events if isinstance(event, Dropped)}

    assert 8 * (24 + 512 + 16) == 8 * len(message)
    assert reasons <= DROPPED_WORDS
    (taken,) = receiver.receive(message, 0)
    assert isinstance(taken, TelegramReceived)
    assert LineTest(nonce=1) == taken.telegram


def test_no_bit_of_a_rejection_makes_another_one_of_it(tls: Ports) -> None:
    """192 rejections with one bit changed: a counter, which means nothing, or nothing at all."""
    ends = TwoEnds(tls).open()
    ends.terminal.send(codec.encode(LineTest(nonce=1)))
    (telegram,) = ends.terminal.messages_to_send()
    ends.server.forget_keys()
    ends.server.receive(telegram, 0)
    (rejection,) = ends.server.messages_to_send()
    assert EnvelopeKind.REJECTION is parse(rejection).kind
    heard = []
    for position in range(8 * len(rejection)):
        events = ends.terminal.receive(flipped(rejection, position), 0)
        assert {type(event) for event in events} <= {Dropped, KeysUnknown}
        assert [] == ends.terminal.messages_to_send()
        heard += [position for event in events if isinstance(event, KeysUnknown)]

    assert list(range(8 * 16, 8 * 24)) == heard
    assert [KeysUnknown()] == ends.terminal.receive(rejection, 0)
    assert ends.terminal.ready, "a rejection takes no keys away"


@pytest.mark.parametrize("number", range(3))
def test_no_bit_of_a_flight_can_be_changed(number: int) -> None:
    """Every position, with the stand-in: the handshake ends, or the true flight comes again."""
    ports = stand_in()
    bits = 8 * len(_before(ports, number)[2])
    opened = [position for position in range(bits) if _opens(ports, number, position)]

    assert ASKS_AGAIN.get(number, []) == opened


@pytest.mark.parametrize("number", range(3))
def test_no_bit_of_a_tls_flight_can_be_changed(tls: Ports, number: int, full: bool) -> None:
    """With TLS the record version is ignored (RFC 8446 §5.1), and nothing else can change.

    One bit of each byte, another one in the next; in the long form all of them.
    """
    flight = _before(tls, number)[2]
    places = [8 * byte + byte % 8 for byte in range(len(flight))]
    positions = range(8 * len(flight)) if full else places
    opened = {position // 8 for position in positions if _opens(tls, number, position)}
    again = {position // 8 for position in ASKS_AGAIN.get(number, [])}

    assert opened <= _record_versions(flight) | again


@pytest.mark.parametrize("ports", ["stand-in", "tls"])
def test_no_bit_of_the_last_flight_means_anything_else(tls: Ports, ports: str) -> None:
    """Every position: the line stays open, and at most the terminal repeats its own flight."""
    chosen = tls if ports == "tls" else stand_in()
    ends, terminal, flight = _before(chosen, 3)
    sent_again = set()
    for position in range(8 * len(flight)):
        assert [] == accepted(terminal.receive(flipped(flight, position), 0))
        sent_again |= {parse(message).counter for message in terminal.messages_to_send()}

    assert sent_again <= {2}
    assert (True, True) == _speak(ends)


def _before(ports: Ports, number: int) -> tuple[TwoEnds, Line, bytes]:
    """Return both ends, and the flight of this number with the end that it is for."""
    ends = TwoEnds(ports)
    for at, (receiver, flight) in enumerate(ends.flights()):
        if at == number:
            return ends, receiver, flight
    raise AssertionError("there are four flights")


def _opens(ports: Ports, number: int, position: int) -> bool:
    """Turn over one bit of a flight, and tell whether a line comes of it.

    If so, the ends must agree; if not, no telegram may pass in either direction.
    """
    ends, receiver, flight = _before(ports, number)
    assert [] == accepted(receiver.receive(flipped(flight, position), 0)) or receiver.ready
    for _ in range(3):
        for sender, taker in ((ends.terminal, ends.server), (ends.server, ends.terminal)):
            for message in sender.messages_to_send():
                taker.receive(message, 0)
    both = ends.terminal.ready and ends.server.ready
    assert (both, both) == _speak(ends), position
    return both


def _speak(ends: TwoEnds) -> tuple[bool, bool]:
    """Send a telegram in each direction, and tell which arrived."""
    arrived = []
    for sender, taker in ((ends.terminal, ends.server), (ends.server, ends.terminal)):
        if sender.ready:
            sender.send(codec.encode(LineTest(nonce=1)))
        events = [e for message in sender.messages_to_send() for e in taker.receive(message, 0)]
        arrived.append(any(isinstance(event, TelegramReceived) for event in events))
    return arrived[0], arrived[1]


def _record_versions(flight: bytes) -> set[int]:
    """Return where the versions of unprotected TLS records lie in an envelope."""
    places, at = set(), HEADER_BYTES + HANDSHAKE_ID_BYTES
    while at < len(flight):
        if flight[at] in UNPROTECTED:
            places |= {at + 1, at + 2}
        at += RECORD_HEADER_BYTES + int.from_bytes(flight[at + 3 : at + 5], "big")
    return places
