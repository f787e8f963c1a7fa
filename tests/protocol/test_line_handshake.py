"""Opening a line: whole, over a carrier with faults, and with the wrong peer."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from protocol.envelope import Direction, EnvelopeKind, flight, parse
from protocol.errors import Misuse
from protocol.handshake_port import Peer, Role
from protocol.limits import (
    FLIGHT_REPEAT_MS,
    GENERATION_OVERLAP_MS,
    HANDSHAKE_MS_MAX,
)
from protocol.line import Dropped, LineReady
from protocol.telegrams import LineTest
from tests.protocol.pair import Noise, Pair, handshake_id
from tests.protocol.stand_in import (
    CITY_PEER,
    LINE_ID,
    TERMINAL_PEER,
    another,
    server_port,
    terminal_port,
)

HOUR_MS = 3_600_000


@dataclass(slots=True)
class OneFault:
    """Does one thing to the first envelope of one number of flight.

    Attributes:
        number: of the flight.
        fault: ``lost``, ``doubled`` or ``damaged``.
    """

    number: int
    fault: str
    done: bool = field(default=False)

    def __call__(self, _sender: Role, message: bytes) -> Iterable[bytes]:
        """Decide what arrives."""
        envelope = parse(message)
        is_it = envelope.kind is EnvelopeKind.KEY_EXCHANGE and envelope.counter == self.number
        if self.done or not is_it:
            return (message,)
        self.done = True
        if self.fault == "lost":
            return ()
        if self.fault == "doubled":
            return (message, message)
        return (message[:-1] + bytes([message[-1] ^ 1]),)


def test_a_whole_handshake_opens_the_line_at_both_ends() -> None:
    """Four messages, and each end knows the other and the generation (TP-020)."""
    pair = Pair()
    pair.open()
    generation = int.from_bytes(handshake_id(1)[:4], "big")

    assert [LineReady(peer=CITY_PEER, generation=generation)] == pair.terminal_events
    assert [LineReady(peer=TERMINAL_PEER, generation=generation)] == pair.server_events
    assert [0, 1, 2, 3] == [parse(message).counter for _, message in pair.passed]
    assert pair.terminal.ready
    assert pair.server.ready
    assert CITY_PEER.fingerprint == pair.terminal.fingerprint
    assert TERMINAL_PEER.fingerprint == pair.server.fingerprint
    assert not pair.terminal.handshaking
    assert not pair.server.handshaking


def test_before_a_handshake_there_is_nothing() -> None:
    """A new line has no keys, no peer and no deadline, and a terminal's keys are due."""
    pair = Pair()

    assert not pair.terminal.ready
    assert pair.terminal.fingerprint is None
    assert pair.terminal.next_deadline_ms() is None
    assert pair.terminal.keys_due(0)
    with pytest.raises(Misuse):
        pair.terminal.send(bytes(512))
    with pytest.raises(Misuse):
        pair.server.start_handshake(handshake_id(1), 0)


@pytest.mark.parametrize("fault", ["lost", "doubled"])
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_any_flight_may_be_lost_or_doubled(number: int, fault: str) -> None:
    """The handshake completes, and the session takes every flight once (TP-022)."""
    ends = terminal_port(), server_port()
    pair = Pair(
        meddle=OneFault(number, fault), terminal_handshakes=ends[0], server_handshakes=ends[1]
    )
    pair.exchange.ask(LineTest(nonce=1), 0)
    ended_ms = pair.run(0, HOUR_MS, stop=lambda: bool(pair.answered))

    assert pair.answered
    assert ended_ms <= 2 * FLIGHT_REPEAT_MS
    assert [2, 2] == [end.stepped for end in ends]


@pytest.mark.parametrize("seed", range(20))
def test_flights_may_come_in_any_order(seed: int) -> None:
    """With every second message held back, the handshake completes."""
    pair = Pair(meddle=Noise(random.Random(seed), holding=0.5))
    pair.exchange.ask(LineTest(nonce=1), 0)
    pair.run(0, HOUR_MS, stop=lambda: bool(pair.answered))

    assert pair.answered


@pytest.mark.parametrize("seed", range(200))
def test_half_of_all_lost_and_half_of_all_doubled(seed: int) -> None:
    """Under heavy faults a line opens and a request is answered, for 200 seeds."""
    pair = Pair(meddle=Noise(random.Random(seed), loss=0.5, doubling=0.5, holding=0.1))
    pair.exchange.ask(LineTest(nonce=seed), 0)
    pair.run(0, HOUR_MS, stop=lambda: bool(pair.answered))

    assert pair.answered, f"seed {seed}"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_flight_ends_the_handshake_and_the_next_one_works(number: int) -> None:
    """The end that gets it drops the handshake; after a new one the line is open (TP-022)."""
    pair = Pair(meddle=OneFault(number, "damaged"))
    pair.exchange.ask(LineTest(nonce=1), 0)
    pair.run(0, HOUR_MS, stop=lambda: bool(pair.answered))
    events = pair.terminal_events if number == 1 else pair.server_events

    assert Dropped(reason="handshake") in events
    assert pair.answered


def test_a_peer_that_the_handshake_does_not_trust_is_refused() -> None:
    """A wrong terminal key opens nothing (TP-023)."""
    pair = Pair(server_handshakes=server_port(trusts=b"\x99" * 32))
    pair.open()

    assert [Dropped(reason="handshake")] == pair.server_events
    assert not pair.server.ready


@pytest.mark.parametrize(
    "shown", [another(TERMINAL_PEER, name="T-0002"), another(TERMINAL_PEER, line_id=bytes(8))]
)
def test_another_terminals_key_opens_no_line_of_this_one(shown: Peer) -> None:
    """A trusted key of another terminal or line is refused at the server (TP-023)."""
    pair = Pair(terminal_handshakes=terminal_port(shows=shown))
    pair.open()

    assert [Dropped(reason="handshake")] == pair.server_events
    assert not pair.server.ready
    assert not pair.server.handshaking


def test_another_citys_server_is_refused() -> None:
    """A terminal opens a line to the city that it called and to no other (TP-023)."""
    pair = Pair(server_handshakes=server_port(shows=another(CITY_PEER, name="271004")))
    pair.open()

    assert [Dropped(reason="handshake")] == pair.terminal_events
    assert not pair.terminal.ready


def test_a_flight_of_no_known_handshake_is_dropped() -> None:
    """A server starts with flight 0 only, a terminal with none."""
    pair = Pair()
    for direction, number in ((Direction.UP, 2), (Direction.DOWN, 1), (Direction.DOWN, 0)):
        message = flight(
            direction=direction,
            line_id=LINE_ID,
            handshake_id=handshake_id(9),
            number=number,
            tls=b"x",
        ).pack()
        line = pair.server if direction is Direction.UP else pair.terminal

        assert [Dropped(reason="handshake-unknown")] == line.receive(message, 0)


def test_a_generation_in_use_is_not_made_again() -> None:
    """Flight 0 of another handshake with the same first four bytes is dropped (TP-021)."""
    pair = Pair()
    pair.open()
    twin = handshake_id(1)[:4] + bytes(12)
    message = flight(
        direction=Direction.UP, line_id=LINE_ID, handshake_id=twin, number=0, tls=b"x"
    ).pack()

    assert [Dropped(reason="generation-in-use")] == pair.server.receive(message, 1)


def test_a_half_open_handshake_is_given_up() -> None:
    """After ten seconds both ends drop it, and the terminal's keys are due again (TP-022)."""
    pair = Pair(meddle=OneFault(1, "lost"))
    pair.open()
    assert pair.server.handshaking
    assert not pair.terminal.keys_due(0)
    assert FLIGHT_REPEAT_MS == pair.terminal.next_deadline_ms()
    assert HANDSHAKE_MS_MAX == pair.server.next_deadline_ms()

    for line in (pair.terminal, pair.server):
        assert [Dropped(reason="handshake-timed-out")] == line.wake(HANDSHAKE_MS_MAX)
        assert not line.handshaking
    assert pair.terminal.keys_due(HANDSHAKE_MS_MAX)


def test_a_finished_handshake_is_forgotten_in_the_end() -> None:
    """Its answers are kept through the overlap; nobody asks to be woken in the past."""
    pair = Pair()
    pair.open()
    kept_until_ms = HANDSHAKE_MS_MAX + GENERATION_OVERLAP_MS
    assert kept_until_ms == pair.terminal.next_deadline_ms() == pair.server.next_deadline_ms()
    pair.wake(kept_until_ms)

    assert pair.terminal.next_deadline_ms() is None
    assert pair.server.next_deadline_ms() is None
    assert pair.terminal.ready


def test_repeats_of_a_finished_handshake_are_answered_but_not_stepped() -> None:
    """Late copies of every flight change nothing at either end (TP-022)."""
    ends = terminal_port(), server_port()
    pair = Pair(terminal_handshakes=ends[0], server_handshakes=ends[1])
    pair.open()
    for sender, message in list(pair.passed):
        line = pair.server if sender is Role.TERMINAL else pair.terminal

        assert [] == line.receive(message, 5)
    pair.carry(5)
    assert [2, 2] == [end.stepped for end in ends]


def test_starting_again_gives_up_the_handshake_under_way() -> None:
    """Only the newest handshake is answered."""
    pair = Pair()
    pair.start_handshake(0)
    pair.start_handshake(0)
    pair.carry(0)

    assert 2 == pair.handshakes
    assert int.from_bytes(handshake_id(2)[:4], "big") == pair.terminal.send(bytes(512))[0]


def test_forgetting_keys_closes_the_line_at_once() -> None:
    """A revoked terminal's line has no keys, no peer and no handshake."""
    pair = Pair()
    pair.open()
    pair.server.forget_keys()

    assert not pair.server.ready
    assert pair.server.fingerprint is None
    assert pair.server.next_deadline_ms() is None


def test_a_flight_longer_than_it_may_be_is_dropped() -> None:
    """It never reaches the handshake (TP-021)."""
    end = server_port()
    pair = Pair(server_handshakes=end)
    envelope = flight(
        direction=Direction.UP, line_id=LINE_ID, handshake_id=handshake_id(1), number=0, tls=b""
    )
    long = envelope.pack() + bytes(16_385)

    assert [Dropped(reason="envelope")] == pair.server.receive(long, 0)
    assert 0 == end.started
