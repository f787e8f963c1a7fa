"""The key exchange of a line: TLS 1.3 (RFC 8446) with memory buffers, then its exporter.

Everything that TLS would negotiate is pinned on both sides, so there is nothing to talk down:

* version 1.3 only, and the group X25519MLKEM768 only (hybrid, draft-ietf-tls-ecdhe-mlkem);
* AES-256-GCM or ChaCha20-Poly1305, Ed25519 signatures;
* both ends show a key certificate of the city's line authority, a server's to the terminal and a
  terminal's to the server, and a terminal also demands the city that it called;
* one round trip, so two steps at each end; what a server says after it (session tickets) is
  dropped, and no application byte is ever carried.

pyOpenSSL has no public call for the groups and the signatures, so three calls of its binding
are used directly, all in this module; what was agreed is read back before anything is exported.
"""

from typing import final

from cryptography import x509
from OpenSSL import SSL, crypto
from OpenSSL._util import lib as _binding

from keys.key_certificate import KeyCertificate, peer_of, public_key_of, read_certificate
from keys.names import checked_city
from protocol.errors import HandshakeFailed, KeyManagementError, Misuse
from protocol.handshake_port import Peer, Role
from protocol.key_schedule import EXPORTED_BYTES
from protocol.limits import FLIGHT_BYTES_MAX
from protocol.secret import Secret

EXPORTER_LABEL = b"EXPORTER-kofu-line-v1"
GROUP = "X25519MLKEM768"
CIPHER_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
SIGNATURES = "ed25519"
STEPS_MAX = 2
"""Steps of one end. A third would be a second client hello, and nothing is left to negotiate."""

_NO_AUTO_CHAIN = 0x8
"""SSL_MODE_NO_AUTO_CHAIN (ssl.h): both ends have the authority's certificate and send it to nobody;
OpenSSL would add it by itself, some 350 bytes each way."""
_VERSION = "TLSv1.3"
_OPENSSL_OK = 1
_WHY = {
    # X509_V_ERR_…, see openssl-verification-options(1)
    9: "the peer's key certificate is not valid yet",
    10: "the peer's key certificate has expired",
}
_NOT_ACCEPTED = "the peer's key certificate is not one of this city's authority"
_DAMAGED = "the flight is damaged, or the peer accepts no version, group or cipher of ours"


@final
class LineTls:
    """Makes handshakes for one end of the city's lines: a ``HandshakePort``."""

    __slots__ = ("_context", "_expected_city", "_role")

    def __init__(
        self,
        role: Role,
        key_certificate: KeyCertificate,
        authority_certificate: bytes,
        *,
        expected_city: str | None = None,
    ) -> None:
        """Load the own key and the trust.

        Args:
            role: which end this is.
            key_certificate: the own one.
            authority_certificate: certificate of the city's line authority, in PEM form.
            expected_city: the municipality code that a server must prove; terminals only.

        Raises:
            KeyManagementError: a certificate or key is damaged, or they do not belong together.
        """
        if (role is Role.TERMINAL) != (expected_city is not None):
            raise Misuse("a terminal, and only a terminal, says which city it expects")
        self._role = role
        self._expected_city = None if expected_city is None else checked_city(expected_city)
        self._context = _context(key_certificate, read_certificate(authority_certificate))

    def start(self) -> "TlsSession":
        """Begin a handshake."""
        return TlsSession(self._context, self._role, self._expected_city)


@final
class TlsSession:
    """One handshake: a ``HandshakeSession``."""

    __slots__ = ("_connection", "_expected_city", "_peer", "_role", "_steps")

    def __init__(self, context: SSL.Context, role: Role, expected_city: str | None) -> None:
        self._role = role
        self._expected_city = expected_city
        self._steps = 0
        self._peer: Peer | None = None
        self._connection: SSL.Connection | None = SSL.Connection(context, None)
        if role is Role.TERMINAL:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def step(self, flight: bytes) -> bytes:
        """Take the peer's flight and return ours; empty when there is nothing to send.

        Args:
            flight: one whole flight, at most ``FLIGHT_BYTES_MAX`` bytes; empty exactly in a
                terminal's first step. An empty one is ignored once the handshake is done.

        Raises:
            HandshakeFailed: the peer is refused or the flight is not acceptable; from then on
                the session is dead.
        """
        if self._peer is not None and not flight:
            return b""
        try:
            return self._step(flight)
        except HandshakeFailed:
            self._peer = None
            self._connection = None
            raise

    @property
    def done(self) -> bool:
        """Whether the peer is authenticated and the secret can be exported."""
        return self._peer is not None

    def peer(self) -> Peer:
        """Return who the peer proved to be. Only after ``done``."""
        if self._peer is None:
            raise Misuse("the handshake has not proved who the peer is")
        return self._peer

    def export(self, context: bytes) -> Secret:
        """Return 64 bytes bound to this handshake and to ``context``. Only after ``done``."""
        if self._peer is None or self._connection is None:
            raise Misuse("the handshake has no secret to export")
        exported = self._connection.export_keying_material(EXPORTER_LABEL, EXPORTED_BYTES, context)
        return Secret(exported)

    def _step(self, flight: bytes) -> bytes:
        connection = self._connection
        if connection is None:
            raise HandshakeFailed("the handshake has failed before")
        if self._peer is not None or self._steps == STEPS_MAX:
            raise HandshakeFailed("the handshake has more flights than it may")
        if len(flight) > FLIGHT_BYTES_MAX:
            raise HandshakeFailed("the flight is too long")
        opens = self._role is Role.TERMINAL and self._steps == 0
        if opens == bool(flight):
            raise HandshakeFailed("a flight is missing, or came before it was asked for")
        self._steps += 1
        finished = _advance(connection, flight)
        if finished:
            self._peer = _proved_peer(connection, self._role, self._expected_city)
            if self._role is Role.SERVER:
                return b""  # all that TLS has left to send is session tickets
        answer = _take(connection)
        if not answer:
            raise HandshakeFailed("the flight is incomplete")
        return answer


def _context(key_certificate: KeyCertificate, authority: x509.Certificate) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_max_proto_version(SSL.TLS1_3_VERSION)
    context.set_tls13_ciphersuites(":".join(CIPHER_SUITES).encode("ascii"))
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_mode(_NO_AUTO_CHAIN)
    native = context._context  # noqa: SLF001  # see the module docstring
    for pin, value in (
        (_binding.SSL_CTX_set1_curves_list, GROUP),
        (_binding.SSL_CTX_set1_sigalgs_list, SIGNATURES),
    ):
        if pin(native, value.encode("ascii")) != _OPENSSL_OK:
            raise KeyManagementError(f"the OpenSSL of this installation has no {value}")
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    try:
        context.use_certificate(key_certificate.certificate)
        context.use_privatekey(key_certificate.signing_key.private_key)
        context.check_privatekey()
        store = context.get_cert_store()
        assert store is not None
        store.add_cert(crypto.X509.from_cryptography(authority))
    except (SSL.Error, crypto.Error):
        raise KeyManagementError("key, certificate and authority do not go together") from None
    return context


def _advance(connection: SSL.Connection, flight: bytes) -> bool:
    """Feed a flight and tell whether the handshake is finished on this side."""
    try:
        if flight:
            connection.bio_write(flight)
        connection.do_handshake()
    except SSL.WantReadError:
        return False
    except SSL.Error:
        verdict = _binding.SSL_get_verify_result(connection._ssl)  # noqa: SLF001  # see above
        raise HandshakeFailed(_DAMAGED if verdict == 0 else _why(verdict)) from None
    return True


def _why(verdict: int) -> str:
    return _WHY.get(verdict, _NOT_ACCEPTED)


def _take(connection: SSL.Connection) -> bytes:
    """Take what TLS wants to send; a flight of ours is far below the limit."""
    try:
        return connection.bio_read(FLIGHT_BYTES_MAX)
    except SSL.WantReadError:
        return b""


def _proved_peer(connection: SSL.Connection, role: Role, expected_city: str | None) -> Peer:
    """Read back what was agreed and who the peer is, before anything is exported."""
    if connection.get_group_name() != GROUP:
        raise HandshakeFailed("the handshake did not use the group that it must")
    if connection.get_protocol_version_name() != _VERSION:
        raise HandshakeFailed("the handshake did not use the version that it must")
    if connection.get_cipher_name() not in CIPHER_SUITES:
        raise HandshakeFailed("the handshake did not use a cipher that it may")
    certificate = connection.get_peer_certificate(as_cryptography=True)
    if certificate is None:
        raise HandshakeFailed("the peer showed no key certificate")
    try:
        public_key_of(certificate)
        peer = peer_of(certificate)
    except KeyManagementError:
        raise HandshakeFailed("the peer's key certificate names nobody that it may") from None
    if (role is Role.TERMINAL) != (not peer.line_id):
        raise HandshakeFailed("the peer's key certificate is for the other end of a line")
    if expected_city is not None and peer.name != expected_city:
        raise HandshakeFailed("the server's key certificate names another city")
    return peer
