"""Real TLS handshakes in memory: who is let in, and that nothing else ever comes of bytes."""

import random
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from OpenSSL._util import lib

from keys.authority import Authority, KeyCertificate
from keys.line_tls import LineTls, TlsSession
from protocol.errors import HandshakeFailed, KeyManagementError, Misuse
from protocol.handshake_port import HandshakePort, Role
from protocol.limits import FLIGHT_BYTES_MAX

CITY = "272035"
LINE_ID = bytes(range(8))
LEGACY_RECORD_VERSION = (1, 2)
"""Bytes of the first record that a receiver must ignore (RFC 8446 §5.1)."""

Ports = tuple[LineTls, LineTls]
Wire = Callable[[int, bytes], bytes]


def untouched(number: int, flight: bytes) -> bytes:
    """The wire that delivers what was sent."""
    return flight


def shake_hands(ports: Ports, wire: Wire = untouched) -> tuple[TlsSession, TlsSession]:
    """Run a handshake to its end over a wire that may change flights."""
    terminal, server = ports[0].start(), ports[1].start()
    answer = server.step(wire(0, terminal.step(b"")))
    assert b"" == server.step(wire(2, terminal.step(wire(1, answer))))
    return terminal, server


@pytest.fixture(scope="module")
def terminal_key(authority: Authority, not_before: datetime) -> KeyCertificate:
    """A terminal's key certificate."""
    return authority.issue_terminal("T-0001", LINE_ID, not_before=not_before)


@pytest.fixture(scope="module")
def server_key(authority: Authority, not_before: datetime) -> KeyCertificate:
    """The server's key certificate."""
    return authority.issue_server(CITY, not_before=not_before)


@pytest.fixture(scope="module")
def ports(authority: Authority, terminal_key: KeyCertificate, server_key: KeyCertificate) -> Ports:
    """A terminal's and a server's port that accept each other."""
    trust = authority.certificate_pem
    return (
        LineTls(Role.TERMINAL, terminal_key, trust, expected_city=CITY),
        LineTls(Role.SERVER, server_key, trust),
    )


def test_both_ends_export_the_same(ports: Ports) -> None:
    """Equal secrets for one context, others for another context and for another handshake."""
    terminal, server = shake_hands(ports)
    again, _ = shake_hands(ports)

    assert terminal.done
    assert server.done
    assert terminal.export(b"one") == server.export(b"one")
    assert 64 == len(terminal.export(b"one"))
    assert terminal.export(b"one") != terminal.export(b"two")
    assert terminal.export(b"one") != again.export(b"one")


def test_each_end_knows_the_other(
    ports: Ports, terminal_key: KeyCertificate, server_key: KeyCertificate
) -> None:
    """The peer is whom its key certificate names, with that certificate's fingerprint."""
    terminal, server = shake_hands(ports)

    assert server_key.names == terminal.peer()
    assert terminal_key.names == server.peer()
    assert ("T-0001", LINE_ID) == (server.peer().name, server.peer().line_id)


def test_it_is_the_port(ports: Ports) -> None:
    """The class fits the protocol's port as the type checker sees it."""
    port: HandshakePort = ports[0]

    assert not port.start().done


def test_an_empty_flight_after_the_end_is_ignored(ports: Ports) -> None:
    """The line's last, empty flight changes nothing; there is no ticket."""
    terminal, server = shake_hands(ports)

    assert b"" == terminal.step(b"") == server.step(b"")
    assert terminal.done
    assert server.done


def test_the_group_is_the_hybrid_one(ports: Ports) -> None:
    """What was agreed, as TLS itself reports it."""
    terminal, _ = shake_hands(ports)
    connection = terminal._connection
    assert connection is not None

    assert "X25519MLKEM768" == connection.get_group_name()
    assert "TLSv1.3" == connection.get_protocol_version_name()


def test_each_end_shows_its_own_certificate_alone(ports: Ports) -> None:
    """The authority's lies at both ends already, and would be a fifth of the handshake."""
    terminal, server = (end._connection for end in shake_hands(ports))
    assert terminal is not None
    assert server is not None

    # OpenSSL counts the peer's own certificate at a client, and only what is above it at a server.
    assert 1 == len(terminal.get_peer_cert_chain() or ())
    assert 0 == len(server.get_peer_cert_chain() or ())


@pytest.mark.parametrize("classical", [0, 1])
def test_a_classical_peer_is_refused(
    ports: Ports,
    authority: Authority,
    terminal_key: KeyCertificate,
    server_key: KeyCertificate,
    classical: int,
) -> None:
    """If either end offers X25519 alone, there is no handshake."""
    trust = authority.certificate_pem
    weak = [
        LineTls(Role.TERMINAL, terminal_key, trust, expected_city=CITY),
        LineTls(Role.SERVER, server_key, trust),
    ][classical]
    assert 1 == lib.SSL_CTX_set1_curves_list(weak._context._context, b"X25519")
    pair = (weak, ports[1]) if classical == 0 else (ports[0], weak)

    with pytest.raises(HandshakeFailed, match="accepts no version, group or cipher"):
        shake_hands(pair)


def test_an_older_version_is_refused(ports: Ports) -> None:
    """A terminal that speaks TLS 1.2 gets no answer."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    old = SSL.Connection(context, None)
    old.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        old.do_handshake()

    with pytest.raises(HandshakeFailed):
        ports[1].start().step(old.bio_read(FLIGHT_BYTES_MAX))


@pytest.mark.parametrize("foreign", [0, 1])
def test_another_authority_is_refused(
    ports: Ports, authority: Authority, not_before: datetime, foreign: int
) -> None:
    """A key certificate of an authority of the same name is refused at either end."""
    other = Authority.generate(CITY, not_before=not_before)
    trust = authority.certificate_pem
    stranger = [
        LineTls(
            Role.TERMINAL,
            other.issue_terminal("T-0001", LINE_ID, not_before=not_before),
            trust,
            expected_city=CITY,
        ),
        LineTls(Role.SERVER, other.issue_server(CITY, not_before=not_before), trust),
    ][foreign]
    pair = (stranger, ports[1]) if foreign == 0 else (ports[0], stranger)

    with pytest.raises(HandshakeFailed, match="not one of this city's authority"):
        shake_hands(pair)


def test_another_city_is_refused(ports: Ports, authority: Authority, not_before: datetime) -> None:
    """A server of another city under the same authority is not the one that was called."""
    other = LineTls(
        Role.SERVER,
        authority.issue_server("131016", not_before=not_before),
        authority.certificate_pem,
    )

    with pytest.raises(HandshakeFailed, match="another city"):
        shake_hands((ports[0], other))


def test_the_ends_cannot_be_swapped(
    ports: Ports, authority: Authority, terminal_key: KeyCertificate, server_key: KeyCertificate
) -> None:
    """A terminal's key certificate serves no server, and a server's no terminal."""
    trust = authority.certificate_pem

    with pytest.raises(HandshakeFailed, match="not one of this city's authority"):
        shake_hands((ports[0], LineTls(Role.SERVER, terminal_key, trust)))
    with pytest.raises(HandshakeFailed, match="not one of this city's authority"):
        shake_hands((LineTls(Role.TERMINAL, server_key, trust, expected_city=CITY), ports[1]))


@pytest.mark.parametrize(("year", "why"), [(2001, "has expired"), (2099, "not valid yet")])
def test_validity_is_checked(ports: Ports, authority: Authority, year: int, why: str) -> None:
    """An expired key certificate and one of the future are refused, and the reason is said."""
    begin = datetime.fromisoformat(f"{year}-01-01T00:00:00+00:00")
    key = authority.issue_terminal("T-0001", LINE_ID, not_before=begin, days=30)
    port = LineTls(Role.TERMINAL, key, authority.certificate_pem, expected_city=CITY)

    with pytest.raises(HandshakeFailed, match=why):
        shake_hands((port, ports[1]))


def test_bit_flips_abort(ports: Ports) -> None:
    """Fifty flights with one random bit turned over: not one handshake ends."""
    dice = random.Random(20231)

    for trial in range(50):

        def flip(number: int, flight: bytes, struck: int = trial % 3) -> bytes:
            if number != struck:
                return flight
            changed = bytearray(flight)
            place = dice.choice([i for i in range(len(flight)) if i not in LEGACY_RECORD_VERSION])
            changed[place] ^= 1 << dice.randrange(8)
            return bytes(changed)

        with pytest.raises(HandshakeFailed) as caught:
            shake_hands(ports, flip)
        assert caught.value.__cause__ is None


@settings(max_examples=60, deadline=None)
@given(flights=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_no_bytes_raise_anything_else(ports: Ports, flights: list[bytes]) -> None:
    """Whatever a server is sent, it fails as a handshake does, and stays failed."""
    session = ports[1].start()

    for flight in flights:
        with pytest.raises(HandshakeFailed):
            session.step(flight)
    assert not session.done


def test_cut_and_lengthened_flights_are_refused(ports: Ports) -> None:
    """A flight without its end is incomplete; one beyond the limit is not even looked at."""
    hello = ports[0].start().step(b"")

    with pytest.raises(HandshakeFailed, match="incomplete"):
        ports[1].start().step(hello[:-1])
    with pytest.raises(HandshakeFailed, match="too long"):
        ports[1].start().step(hello + bytes(FLIGHT_BYTES_MAX))


def test_flights_have_their_order(ports: Ports) -> None:
    """A server cannot begin, a terminal must, and after the end there is no further flight."""
    terminal, server = shake_hands(ports)

    with pytest.raises(HandshakeFailed, match="missing"):
        ports[1].start().step(b"")
    with pytest.raises(HandshakeFailed, match="before it was asked for"):
        ports[0].start().step(b"hello")
    for session in (terminal, server):
        with pytest.raises(HandshakeFailed, match="more flights"):
            session.step(b"more")
        assert not session.done


def test_a_failed_session_is_dead(ports: Ports) -> None:
    """After a failure nothing is stepped, told or exported any more."""
    session = ports[1].start()
    hello = ports[0].start().step(b"")
    with pytest.raises(HandshakeFailed):
        session.step(b"garbage")

    with pytest.raises(HandshakeFailed, match="failed before"):
        session.step(hello)
    with pytest.raises(Misuse):
        session.export(b"")
    with pytest.raises(Misuse):
        session.peer()


def test_wrong_use(authority: Authority, server_key: KeyCertificate) -> None:
    """A terminal must say which city it calls; a damaged authority is a set-up error."""
    with pytest.raises(Misuse):
        LineTls(Role.TERMINAL, server_key, authority.certificate_pem)
    with pytest.raises(KeyManagementError):
        LineTls(Role.SERVER, server_key, b"no certificate")
