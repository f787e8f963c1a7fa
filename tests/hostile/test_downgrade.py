"""Whoever is not exactly the right peer gets no keys: nothing is exported, at either honest end.

Each case is tried twice at the level of whole lines: on a line that has no keys yet, and on one
that is open, whose keys must go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TypeAlias

import pytest
from OpenSSL import SSL, crypto
from OpenSSL._util import lib

from keys.authority import Authority
from keys.key_certificate import KeyCertificate, read_certificate
from keys.line_tls import CIPHER_SUITES, GROUP, SIGNATURES, LineTls, TlsSession
from protocol import codec
from protocol.handshake_port import HandshakePort, Role
from protocol.line import Dropped, Line, LineEvent, TelegramReceived
from protocol.telegrams import LineTest
from tests.hostile.counting import CountingPort
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL

OTHER_CITY = "131016"
OPENSSL_OK = 1
Made: TypeAlias = tuple[Role, HandshakePort]


@dataclass(frozen=True, slots=True)
class BareClient:
    """A terminal's end without the checks of ours: what a stranger might have built."""

    context: SSL.Context

    def start(self) -> TlsSession:
        """Begin a handshake."""
        return TlsSession(self.context, Role.TERMINAL, CITY)


class Makers:
    """Makes ends that are not as they must be, each wrong in one thing."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC) - timedelta(minutes=5)
        self.authority = Authority.generate(CITY, not_before=self.since)
        self.foreign = Authority.generate(CITY, not_before=self.since)
        self.trust = self.authority.certificate_pem
        self.server_key = self.authority.issue_server(CITY, not_before=self.since)
        self.terminal_key = self.terminal_certificate(TERMINAL, LINE_ID)

    def terminal_certificate(self, name: str, line_id: bytes) -> KeyCertificate:
        """Certify a terminal of the city."""
        return self.authority.issue_terminal(name, line_id, not_before=self.since)

    def terminal(self, key: KeyCertificate | None = None) -> LineTls:
        """Return a terminal's end."""
        shown = key or self.terminal_key
        return LineTls(Role.TERMINAL, shown, self.trust, expected_city=CITY)

    def server(self, key: KeyCertificate | None = None) -> LineTls:
        """Return a server's end."""
        return LineTls(Role.SERVER, key or self.server_key, self.trust)

    def classical(self, role: Role) -> LineTls:
        """Offer a classical group alone."""
        return self._pinned(role, "SSL_CTX_set1_curves_list", b"X25519")

    def other_hybrid(self, role: Role) -> LineTls:
        """Offer another hybrid group alone."""
        return self._pinned(role, "SSL_CTX_set1_curves_list", b"SecP256r1MLKEM768")

    def older_version(self, role: Role) -> LineTls:
        """Speak TLS 1.2 and nothing newer."""
        port = self._end(role)
        port._context.set_min_proto_version(SSL.TLS1_2_VERSION)
        port._context.set_max_proto_version(SSL.TLS1_2_VERSION)
        return port

    def weak_cipher(self, role: Role) -> LineTls:
        """Offer a cipher suite that is not one of ours."""
        port = self._end(role)
        port._context.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
        return port

    def other_signatures(self, role: Role) -> LineTls:
        """Accept no Ed25519."""
        return self._pinned(role, "SSL_CTX_set1_sigalgs_list", b"ecdsa_secp256r1_sha256")

    def of_foreign_authority(self, role: Role) -> LineTls:
        """Show a certificate of an authority of the same name."""
        if role is Role.SERVER:
            return self.server(self.foreign.issue_server(CITY, not_before=self.since))
        key = self.foreign.issue_terminal(TERMINAL, LINE_ID, not_before=self.since)
        return self.terminal(key)

    def self_signed(self, role: Role) -> LineTls:
        """Show the certificate of an authority that was made for this one end."""
        own = Authority.generate(CITY, not_before=self.since)
        key = KeyCertificate(
            certificate_pem=own.certificate_pem, private_key_pem=own.signing_key.pem()
        )
        return self._end(role, key)

    def expired(self, role: Role) -> LineTls:
        """Show a certificate whose time is over."""
        return self._dated(role, self.since - timedelta(days=60))

    def not_yet_valid(self, role: Role) -> LineTls:
        """Show one whose time has not come."""
        return self._dated(role, self.since + timedelta(days=60))

    def of_the_other_end(self, role: Role) -> LineTls:
        """A terminal's certificate at the server's end, and the reverse."""
        swapped = self.terminal_key if role is Role.SERVER else self.server_key
        return self._end(role, swapped)

    def of_somebody_else(self, role: Role) -> LineTls:
        """Another city's server, or another terminal of the city, by the same authority."""
        if role is Role.SERVER:
            return self.server(self.authority.issue_server(OTHER_CITY, not_before=self.since))
        return self.terminal(self.terminal_certificate("T-0002", bytes(8)))

    def without_certificate(self, role: Role) -> HandshakePort:
        """Show none; a server cannot even begin without one."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_tls13_ciphersuites(":".join(CIPHER_SUITES).encode())
        native = context._context
        assert OPENSSL_OK == lib.SSL_CTX_set1_curves_list(native, GROUP.encode())
        assert OPENSSL_OK == lib.SSL_CTX_set1_sigalgs_list(native, SIGNATURES.encode())
        store = context.get_cert_store()
        assert store is not None
        store.add_cert(crypto.X509.from_cryptography(read_certificate(self.trust)))
        context.set_verify(SSL.VERIFY_PEER)
        return BareClient(context)

    def unlisted(self, role: Role) -> LineTls:
        """A genuine certificate of this very terminal that the city's list does not name."""
        return self.terminal(self.terminal_certificate(TERMINAL, LINE_ID))

    def _end(self, role: Role, key: KeyCertificate | None = None) -> LineTls:
        return self.server(key) if role is Role.SERVER else self.terminal(key)

    def _pinned(self, role: Role, pin: str, value: bytes) -> LineTls:
        port = self._end(role)
        assert OPENSSL_OK == getattr(lib, pin)(port._context._context, value)
        return port

    def _dated(self, role: Role, begin: datetime) -> LineTls:
        if role is Role.SERVER:
            return self.server(self.authority.issue_server(CITY, not_before=begin, days=30))
        key = self.authority.issue_terminal(TERMINAL, LINE_ID, not_before=begin, days=30)
        return self.terminal(key)


BOTH_ENDS = (
    Makers.classical,
    Makers.other_hybrid,
    Makers.older_version,
    Makers.weak_cipher,
    Makers.other_signatures,
    Makers.of_foreign_authority,
    Makers.self_signed,
    Makers.expired,
    Makers.not_yet_valid,
    Makers.of_the_other_end,
    Makers.of_somebody_else,
)
TERMINAL_ONLY = (Makers.without_certificate, Makers.unlisted)
CASES: list[tuple[Callable[[Makers, Role], HandshakePort], Role]] = [
    *product(BOTH_ENDS, Role),
    *product(TERMINAL_ONLY, (Role.TERMINAL,)),
]


@pytest.fixture(scope="module")
def makers() -> Makers:
    """Keys of a city and of others."""
    return Makers()


def line(role: Role, port: HandshakePort, makers: Makers) -> Line:
    """Return an end; a server's has a list of one certificate."""
    return Line(
        role=role,
        city=CITY,
        terminal=TERMINAL,
        line_id=LINE_ID,
        handshakes=port,
        accepts=lambda peer: (
            role is Role.TERMINAL or peer.fingerprint == makers.terminal_key.names.fingerprint
        ),
    )


def carry(one: Line, two: Line, number: int) -> dict[Line, list[LineEvent]]:
    """Let a terminal start a handshake, and carry all that follows; return both ends' events."""
    terminal = one if one._role is Role.TERMINAL else two
    terminal.start_handshake(handshake_id(number), 0)
    events: dict[Line, list[LineEvent]] = {one: [], two: []}
    for _ in range(4):
        for sender, taker in ((one, two), (two, one)):
            for message in sender.messages_to_send():
                events[taker] += taker.receive(message, 0)
    return events


def hears(sender: Line, taker: Line) -> bool:
    """Send a telegram and tell whether it was taken."""
    sender.send(codec.encode(LineTest(nonce=1)))
    events = [e for message in sender.messages_to_send() for e in taker.receive(message, 0)]
    return any(isinstance(event, TelegramReceived) for event in events)


def names() -> Iterator[str]:
    """Give each case a name."""
    return (f"{make.__name__}-{role.value}" for make, role in CASES)


@pytest.mark.parametrize(("make", "role"), CASES, ids=names())
def test_a_wrong_peer_gets_no_keys(
    makers: Makers, make: Callable[[Makers, Role], HandshakePort], role: Role
) -> None:
    """The honest end exports nothing and says nothing under new keys; the right peer gets in."""
    honest_role = Role.SERVER if role is Role.TERMINAL else Role.TERMINAL
    port = CountingPort(makers.server() if honest_role is Role.SERVER else makers.terminal())
    honest, wrong = line(honest_role, port, makers), line(role, make(makers, role), makers)
    events = carry(honest, wrong, 1)

    assert 0 == port.exports
    assert not honest.ready
    assert {Dropped} == {type(event) for event in events[honest]} or not events[honest]
    assert not wrong.ready or not hears(wrong, honest)
    right = line(role, makers.server() if role is Role.SERVER else makers.terminal(), makers)
    carry(honest, right, 2)
    assert (1, True, True) == (port.exports, hears(honest, right), hears(right, honest))


@pytest.mark.parametrize(("make", "role"), CASES, ids=names())
def test_a_wrong_peer_takes_no_keys_away(
    makers: Makers, make: Callable[[Makers, Role], HandshakePort], role: Role
) -> None:
    """On an open line the keys in use go on, in both directions, as if nothing had been."""
    honest_role = Role.SERVER if role is Role.TERMINAL else Role.TERMINAL
    port = CountingPort(makers.server() if honest_role is Role.SERVER else makers.terminal())
    honest = line(honest_role, port, makers)
    right = line(role, makers.server() if role is Role.SERVER else makers.terminal(), makers)
    carry(honest, right, 1)
    generation = honest.generation
    carry(honest, line(role, make(makers, role), makers), 2)

    assert 1 == port.exports
    assert generation == honest.generation
    assert (True, True) == (hears(honest, right), hears(right, honest))
