"""Key certificates (鍵証明書): X.509 (RFC 5280) that names one end of a line, with its key.

A key certificate names in its subject alternative names, as URIs, either a city or a terminal with
its line, and nothing else::

    server     kofu:city:272035
    terminal   kofu:terminal:T-0001   kofu:line:00112233445566aa
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keys import file_store
from keys.names import checked_city, checked_name
from keys.signing import SigningKey
from protocol.errors import KeyManagementError
from protocol.handshake_port import Peer
from protocol.limits import LINE_ID_BYTES
from protocol.secret import Secret

_CITY = re.compile(r"kofu:city:([0-9]{6})")
_TERMINAL = re.compile(r"kofu:terminal:([A-Za-z0-9][A-Za-z0-9-]{0,31})")
_LINE = re.compile(r"kofu:line:([0-9a-f]{16})")
_TERMINAL_NAMES = 2
_UNREADABLE = (
    ValueError,
    InternalError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
)
"""What ``cryptography`` raises over a certificate that is damaged or of another world."""


def server_names(city: str) -> x509.SubjectAlternativeName:
    """Return the names of a city's server.

    Raises:
        KeyManagementError: the code has not six digits.
    """
    return _names(f"kofu:city:{checked_city(city)}")


def terminal_names(terminal_id: str, line_id: bytes) -> x509.SubjectAlternativeName:
    """Return the names of a terminal and its line.

    Raises:
        KeyManagementError: the id has other characters than an id may, or the line not 8 bytes.
    """
    checked_name(terminal_id, "a terminal's id")
    if len(line_id) != LINE_ID_BYTES:
        raise KeyManagementError(f"a line id has {LINE_ID_BYTES} bytes")
    return _names(f"kofu:terminal:{terminal_id}", f"kofu:line:{line_id.hex()}")


def peer_of(certificate: x509.Certificate) -> Peer:
    """Return whom a key certificate names. It does not check who signed it.

    Raises:
        KeyManagementError: it names neither exactly a city nor exactly a terminal and its line.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
        names_in_all = len(list(extension.value))
    except _UNREADABLE:
        raise KeyManagementError("the key certificate names nobody") from None
    cities, terminals, lines = (
        [found[1] for uri in uris if (found := pattern.fullmatch(uri))]
        for pattern in (_CITY, _TERMINAL, _LINE)
    )
    fingerprint = certificate.fingerprint(hashes.SHA256())
    if names_in_all == len(cities) == 1:
        return Peer(name=cities[0], line_id=b"", fingerprint=fingerprint)
    if names_in_all == _TERMINAL_NAMES and len(terminals) == len(lines) == 1:
        line_id = bytes.fromhex(lines[0])
        return Peer(name=terminals[0], line_id=line_id, fingerprint=fingerprint)
    raise KeyManagementError("the key certificate names neither a city nor a terminal")


def public_key_of(certificate: x509.Certificate) -> bytes:
    """Return the Ed25519 public key of a certificate, 32 bytes.

    Raises:
        KeyManagementError: it is a key of another kind, or unreadable.
    """
    try:
        key = certificate.public_key()
    except _UNREADABLE:
        raise KeyManagementError("the certificate's public key is damaged") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyManagementError("the certificate's public key is not an Ed25519 key")
    return key.public_bytes_raw()


def read_certificate(pem: bytes) -> x509.Certificate:
    """Read a certificate in PEM form.

    Raises:
        KeyManagementError: it is none.
    """
    try:
        return x509.load_pem_x509_certificate(pem)
    except _UNREADABLE:
        raise KeyManagementError("the certificate is damaged or not in PEM form") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCertificate:
    """A key certificate with the private key that belongs to it.

    Attributes:
        certificate_pem: the certificate in PEM form; public.
        private_key_pem: the Ed25519 key as PKCS#8 in PEM form.
    """

    certificate_pem: bytes
    private_key_pem: Secret

    @property
    def certificate(self) -> x509.Certificate:
        """The parsed certificate.

        Raises:
            KeyManagementError: it is damaged.
        """
        return read_certificate(self.certificate_pem)

    @property
    def signing_key(self) -> SigningKey:
        """The private key.

        Raises:
            KeyManagementError: it is damaged.
        """
        return SigningKey.from_pem(self.private_key_pem)

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes: what the server keeps to verify a terminal's statements."""
        return public_key_of(self.certificate)

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the certificate's DER form, 32 bytes: what the allow-list holds."""
        return self.certificate.fingerprint(hashes.SHA256())

    @property
    def names(self) -> Peer:
        """Whom the certificate names, in the form in which the other end sees it."""
        return peer_of(self.certificate)

    @property
    def not_after(self) -> datetime:
        """The end of its validity, UTC."""
        return self.certificate.not_valid_after_utc

    def issued_by(self, authority_certificate: bytes) -> bool:
        """Tell whether an authority signed this certificate.

        Raises:
            KeyManagementError: either certificate is damaged.
        """
        try:
            self.certificate.verify_directly_issued_by(read_certificate(authority_certificate))
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def save(self, folder: Path, name: str) -> None:
        """Write ``NAME.key`` (private) and ``NAME.crt`` to a folder.

        Raises:
            KeyManagementError: one of the files exists already.
        """
        certificate_path = folder / f"{name}.crt"
        if certificate_path.exists():
            raise KeyManagementError(f"{certificate_path} exists already and is never overwritten")
        file_store.write_private(folder / f"{name}.key", self.private_key_pem.reveal())
        file_store.write_public(certificate_path, self.certificate_pem)

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """Read both files and check that they belong together.

        Raises:
            KeyManagementError: one is missing, damaged or readable by others, or they differ.
        """
        loaded = cls(
            certificate_pem=file_store.read_public(folder / f"{name}.crt"),
            private_key_pem=file_store.read_private(folder / f"{name}.key"),
        )
        try:
            belongs = loaded.public_key == loaded.signing_key.public_key
        except KeyManagementError as error:
            raise KeyManagementError(f"{folder / name}: {error}") from None
        if not belongs:
            raise KeyManagementError(f"{folder / name}: key and certificate are not of one pair")
        return loaded


def certificate_as_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM form."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _names(*uris: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
