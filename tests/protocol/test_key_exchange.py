"""Handshake flights: numbered, stop and wait, never stepped twice."""

import pytest
from msgspec.structs import replace

from protocol.envelope import Direction, Envelope, flight
from protocol.errors import HandshakeFailed
from protocol.handshake_port import Peer, Role
from protocol.key_exchange import KeyExchange
from protocol.limits import FLIGHT_REPEAT_MS, HANDSHAKE_MS_MAX
from tests.protocol.stand_in import (
    CITY,
    CITY_PEER,
    LINE_ID,
    TERMINAL,
    TERMINAL_PEER,
    StandInPort,
    another,
    server_port,
    terminal_port,
)

HANDSHAKE_ID = bytes(range(16))


def end(port: StandInPort) -> KeyExchange:
    """Return one end of a handshake, begun at time 0."""
    return KeyExchange(
        role=port.role,
        session=port.start(),
        line_id=LINE_ID,
        handshake_id=HANDSHAKE_ID,
        now_ms=0,
    )


def only(exchange: KeyExchange) -> Envelope:
    """Return the one flight that an end sends."""
    (envelope,) = exchange.envelopes_to_send()
    return envelope


def finished() -> tuple[KeyExchange, KeyExchange, Envelope]:
    """Return a terminal and a server that are done, and the last flight from the terminal."""
    terminal, server = end(terminal_port()), end(server_port())
    server.receive(only(terminal), 0)
    terminal.receive(only(server), 0)
    last = only(terminal)
    server.receive(last, 0)
    return terminal, server, last


def test_four_flights_make_a_handshake() -> None:
    """Numbers 0 to 3, the last one empty; both ends export the same secret (TP-020)."""
    terminal, server, last = finished()
    done = only(server)
    at_terminal = terminal.established(city=CITY, terminal=TERMINAL)
    at_server = server.established(city=CITY, terminal=TERMINAL)

    assert (2, 3) == (last.counter, done.counter)
    assert HANDSHAKE_ID == done.body
    assert at_terminal.exported == at_server.exported
    assert at_terminal.context == at_server.context
    assert 0x00010203 == at_terminal.generation == at_server.generation
    assert (CITY_PEER, TERMINAL_PEER) == (at_terminal.peer, at_server.peer)


def test_the_last_flight_stops_the_repeats() -> None:
    """With flight 3 the terminal has nothing to wait for (TP-022)."""
    terminal, server, _ = finished()
    assert FLIGHT_REPEAT_MS == terminal.next_deadline_ms()
    terminal.receive(only(server), 0)

    assert terminal.acknowledged
    assert terminal.next_deadline_ms() is None


def test_a_flight_that_was_taken_gets_the_stored_answer() -> None:
    """Repeats are answered with the same bytes and never stepped (TP-022)."""
    port = server_port()
    terminal, server = end(terminal_port()), end(port)
    first = only(terminal)
    server.receive(first, 0)
    answer = only(server)
    for _ in range(3):
        server.receive(first, 0)

        assert answer == only(server)
    assert 1 == port.stepped


@pytest.mark.parametrize("number", [0, 1, 3, 4, 99, 1 << 63])
def test_other_numbers_change_nothing(number: int) -> None:
    """A server that waits for flight 2 ignores every other number but its stored one."""
    terminal, server = end(terminal_port()), end(server_port())
    first = only(terminal)
    server.receive(first, 0)
    only(server)
    server.receive(replace(first, counter=number), 0)

    assert (number == 0) == bool(server.envelopes_to_send())
    assert not server.done
    assert not server.failed


def test_a_flight_of_another_handshake_changes_nothing() -> None:
    """Another id is not for this exchange."""
    server = end(server_port())
    server.receive(
        flight(direction=Direction.UP, line_id=LINE_ID, handshake_id=bytes(16), number=0, tls=b"x"),
        0,
    )

    assert [] == server.envelopes_to_send()
    assert not server.failed


def test_flight_three_before_the_end_changes_nothing() -> None:
    """A forged flight 3 does not stop a terminal that is not done."""
    terminal = end(terminal_port())
    forged = flight(
        direction=Direction.DOWN, line_id=LINE_ID, handshake_id=HANDSHAKE_ID, number=3, tls=b""
    )
    terminal.receive(forged, 0)

    assert not terminal.acknowledged
    assert FLIGHT_REPEAT_MS == terminal.next_deadline_ms()


def test_a_terminal_repeats_its_flight_every_second() -> None:
    """Waking early does nothing, waking in time sends the same flight (TP-022)."""
    terminal = end(terminal_port())
    first = only(terminal)
    terminal.wake(FLIGHT_REPEAT_MS - 1)
    assert [] == terminal.envelopes_to_send()
    terminal.wake(FLIGHT_REPEAT_MS)

    assert first == only(terminal)
    assert 2 * FLIGHT_REPEAT_MS == terminal.next_deadline_ms()


@pytest.mark.parametrize("port", [terminal_port(), server_port()], ids=["terminal", "server"])
def test_a_handshake_is_given_up_after_ten_seconds(port: StandInPort) -> None:
    """What is not finished by then has failed and waits for nothing (TP-022)."""
    exchange = end(port)
    exchange.wake(HANDSHAKE_MS_MAX)

    assert exchange.failed
    assert exchange.next_deadline_ms() is None
    exchange.wake(HANDSHAKE_MS_MAX + 1)
    assert exchange.failed


def test_a_server_that_is_done_waits_for_nothing() -> None:
    """It keeps its answer for repeats, and asks for no waking."""
    _, server, last = finished()
    assert server.next_deadline_ms() is None
    server.wake(HANDSHAKE_MS_MAX)
    server.receive(last, HANDSHAKE_MS_MAX)

    assert not server.failed
    assert [3, 3] == [envelope.counter for envelope in server.envelopes_to_send()]


def test_a_failed_exchange_takes_no_more_flights() -> None:
    """After a damaged flight, the true one comes too late."""
    terminal, server = end(terminal_port()), end(server_port())
    first = only(terminal)
    with pytest.raises(HandshakeFailed):
        server.receive(replace(first, body=first.body + b"x"), 0)
    server.receive(first, 0)

    assert server.failed
    assert [] == server.envelopes_to_send()


def test_nothing_is_exported_before_the_end_or_twice() -> None:
    """An unfinished exchange has nothing to give, and a finished one gives it once."""
    with pytest.raises(HandshakeFailed):
        end(terminal_port()).established(city=CITY, terminal=TERMINAL)
    terminal, _, _ = finished()
    terminal.established(city=CITY, terminal=TERMINAL)

    with pytest.raises(HandshakeFailed):
        terminal.established(city=CITY, terminal=TERMINAL)
    assert terminal.done


@pytest.mark.parametrize(
    ("role", "peer"),
    [
        (Role.TERMINAL, another(CITY_PEER, name="271004")),
        (Role.TERMINAL, another(CITY_PEER, line_id=LINE_ID)),
        (Role.SERVER, another(TERMINAL_PEER, name="T-0002")),
        (Role.SERVER, another(TERMINAL_PEER, line_id=bytes(8))),
    ],
)
def test_a_peer_with_another_name_or_line_is_refused(role: Role, peer: Peer) -> None:
    """Being trusted is not enough; the key certificate must name this line (TP-023)."""
    terminal_shows = peer if role is Role.SERVER else TERMINAL_PEER
    city_shows = peer if role is Role.TERMINAL else CITY_PEER
    terminal = end(terminal_port(shows=terminal_shows))
    server = end(server_port(shows=city_shows))
    server.receive(only(terminal), 0)
    terminal.receive(only(server), 0)
    server.receive(only(terminal), 0)
    deceived = terminal if role is Role.TERMINAL else server

    with pytest.raises(HandshakeFailed):
        deceived.established(city=CITY, terminal=TERMINAL)
    assert deceived.failed
