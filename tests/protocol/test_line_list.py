"""The list of who may be at the other end: asked before keys change, and at every telegram."""

from dataclasses import dataclass, field, replace

import pytest

from protocol import codec
from protocol.envelope import EnvelopeKind, parse
from protocol.errors import PeerRefused
from protocol.handshake_port import Peer, Role
from protocol.key_exchange import KeyExchange
from protocol.limits import GENERATION_OVERLAP_MS
from protocol.line import Dropped, Line, LineEvent, LineReady, TelegramReceived
from protocol.telegrams import LineTest
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import (
    CITY,
    LINE_ID,
    TERMINAL,
    TERMINAL_PEER,
    server_port,
    terminal_port,
)

OLD = TERMINAL_PEER
NEW = replace(TERMINAL_PEER, fingerprint=b"\x44" * 32)
THIEF = replace(TERMINAL_PEER, fingerprint=b"\x55" * 32)
TELEGRAM = LineTest(nonce=5)
PLAINTEXT = codec.encode(TELEGRAM)


@dataclass
class Machine:
    """A terminal's end that shows one key certificate."""

    line: Line

    @classmethod
    def showing(cls, peer: Peer) -> "Machine":
        line = Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=TERMINAL,
            line_id=LINE_ID,
            handshakes=terminal_port(shows=peer),
        )
        return cls(line)

    def sealed(self) -> bytes:
        """Return a message that nobody has carried yet."""
        self.line.send(PLAINTEXT)
        return self.line.messages_to_send()[-1]


@dataclass
class City:
    """A server's end with its list, and how often it was asked."""

    accepted: set[bytes] = field(default_factory=lambda: {OLD.fingerprint})
    handshakes: int = 0

    def __post_init__(self) -> None:
        self.line = Line(
            role=Role.SERVER,
            city=CITY,
            terminal=TERMINAL,
            line_id=LINE_ID,
            handshakes=server_port(),
            accepts=lambda peer: peer.fingerprint in self.accepted,
        )

    def open(self, machine: Machine, now_ms: int = 0) -> list[LineEvent]:
        """Carry a handshake to its end; return the server's events."""
        self.handshakes += 1
        machine.line.start_handshake(handshake_id(self.handshakes), now_ms)
        events: list[LineEvent] = []
        while messages := machine.line.messages_to_send():
            for message in messages:
                events += self.line.receive(message, now_ms)
            for answer in self.line.messages_to_send():
                machine.line.receive(answer, now_ms)
        return events

    def take(self, message: bytes, now_ms: int = 0) -> LineEvent:
        """Take one message that must have one event."""
        (event,) = self.line.receive(message, now_ms)
        return event


def test_one_who_is_not_on_the_list_throws_no_keys_out() -> None:
    """A genuine certificate that was taken off: no keys, and the good ones stay (TP-027)."""
    city, machine, thief = City(), Machine.showing(OLD), Machine.showing(THIEF)
    city.open(machine)
    before = city.line.generation

    assert [Dropped(reason="peer-refused")] == city.open(thief, 1)
    assert before == city.line.generation
    assert OLD.fingerprint == city.line.fingerprint
    assert not city.line.handshaking
    assert isinstance(city.take(machine.sealed()), TelegramReceived)


def test_thousand_refused_handshakes_leave_both_generations() -> None:
    """The generation of before the last change still opens as long as it would have."""
    city, machine = City(), Machine.showing(OLD)
    city.open(machine)
    old = machine.sealed()
    city.open(machine, 1_000)
    for _ in range(1_000):
        city.open(Machine.showing(THIEF), 2_000)

    last_ms = 1_000 + GENERATION_OVERLAP_MS - 1
    assert isinstance(city.take(old, last_ms), TelegramReceived)
    assert isinstance(city.take(machine.sealed(), last_ms), TelegramReceived)


def test_refused_peer_is_told_nothing() -> None:
    """No flight 3: the answer that would say that the server has the keys."""
    city, thief = City(), Machine.showing(THIEF)
    thief.line.start_handshake(handshake_id(1), 0)
    (first,) = thief.line.messages_to_send()
    city.line.receive(first, 0)
    for answer in city.line.messages_to_send():
        thief.line.receive(answer, 0)
    (last,) = thief.line.messages_to_send()

    assert Dropped(reason="peer-refused") == city.take(last)
    assert [] == city.line.messages_to_send()
    assert Dropped(reason="handshake-unknown") == city.take(last)


def test_retiring_certificate_opens_as_well_as_the_new_one() -> None:
    """While both are on the list, in whichever order."""
    city, old, new = City({OLD.fingerprint, NEW.fingerprint}), *map(Machine.showing, (OLD, NEW))
    for machine in (old, new, old):
        (ready,) = city.open(machine)
        assert isinstance(ready, LineReady)
        assert isinstance(city.take(machine.sealed()), TelegramReceived)


def test_keys_of_the_old_certificate_end_and_those_of_the_new_stay() -> None:
    """The overlap of certificates ends within the overlap of keys."""
    city, old, new = City({OLD.fingerprint, NEW.fingerprint}), *map(Machine.showing, (OLD, NEW))
    city.open(old)
    late = old.sealed()
    city.open(new)
    city.accepted = {NEW.fingerprint}

    assert Dropped(reason="keys-refused") == city.take(late)
    assert Dropped(reason="keys-unknown") == city.take(old.sealed())
    assert isinstance(city.take(new.sealed()), TelegramReceived)
    assert not city.line.forget_refused()


def test_when_the_present_keys_end_those_before_them_end_too() -> None:
    """Nothing is ever sent under keys that were replaced."""
    city, old, new = City({OLD.fingerprint, NEW.fingerprint}), *map(Machine.showing, (OLD, NEW))
    city.open(new)
    late = new.sealed()
    city.open(old)
    city.accepted = {NEW.fingerprint}

    assert city.line.forget_refused()
    assert not city.line.ready
    assert Dropped(reason="keys-unknown") == city.take(late)


def test_telegram_after_the_end_of_its_certificate_is_rejected() -> None:
    """So that a terminal with a new certificate makes new keys with it (TP-035)."""
    city, old = City(), Machine.showing(OLD)
    city.open(old)
    city.accepted = {NEW.fingerprint}
    assert Dropped(reason="keys-refused") == city.take(old.sealed(), 10_000)
    (rejection,) = city.line.messages_to_send()

    assert EnvelopeKind.REJECTION is parse(rejection).kind
    assert not city.line.ready
    new = Machine.showing(NEW)
    assert [LineReady] == [type(event) for event in city.open(new, 10_000)]


def test_handshake_under_way_outlives_the_end_of_the_keys() -> None:
    """It may be the one with the new certificate."""
    city, old, new = City({OLD.fingerprint, NEW.fingerprint}), *map(Machine.showing, (OLD, NEW))
    city.open(old)
    new.line.start_handshake(handshake_id(9), 0)
    (first,) = new.line.messages_to_send()
    city.line.receive(first, 0)
    city.accepted = {NEW.fingerprint}
    assert city.line.forget_refused()
    for answer in city.line.messages_to_send():
        new.line.receive(answer, 0)
    (last,) = new.line.messages_to_send()

    assert [LineReady(peer=NEW, generation=new.line.generation or 0)] == city.line.receive(last, 0)


def test_nothing_is_exported_for_a_refused_peer() -> None:
    """The list is asked before the exporter."""
    ends = {
        role: KeyExchange(
            role=role,
            session=port.start(),
            line_id=LINE_ID,
            handshake_id=handshake_id(1),
            now_ms=0,
        )
        for role, port in (
            (Role.TERMINAL, terminal_port()),
            (Role.SERVER, server_port()),
        )
    }
    for sender, receiver in ((Role.TERMINAL, Role.SERVER), (Role.SERVER, Role.TERMINAL)) * 2:
        for envelope in ends[sender].envelopes_to_send():
            ends[receiver].receive(envelope, 0)
    server = ends[Role.SERVER]
    assert server.done
    with pytest.raises(PeerRefused):
        server.established(city=CITY, terminal=TERMINAL, accepts=lambda _: False)

    assert server.failed
    assert server.next_deadline_ms() is None
