"""What an operator brings to register or renew a terminal: its key certificate, looked at closely.

The certificate is public. That it is this one, and that the terminal stands where it is said to
stand, is what the operator signs: the act's subject is the terminal's id and a digest of the rest.
"""

import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from issuance_server.core.inputs import NewCertificate, Registration, RenewedCertificate
from keys.key_certificate import peer_of, public_key_of, read_certificate
from protocol.errors import KeyManagementError
from protocol.statements import statement

_MS_PER_S = 1_000
_OF_ANOTHER = (
    "the certificate was not issued by this city's authority; have one made where the authority"
    " is kept: issuance-keys terminal create, or renew"
)


def new_certificate(pem: bytes) -> NewCertificate:
    """Read a terminal's key certificate. This does not check who issued it, nor its time.

    Args:
        pem: the certificate in PEM form.

    Raises:
        KeyManagementError: it is none, or not a terminal's.
    """
    certificate = read_certificate(pem)
    peer = peer_of(certificate)
    if not peer.line_id:
        raise KeyManagementError(
            "this is the key certificate of a server; give that of a terminal, which"
            " issuance-keys keeps when it makes one"
        )
    return NewCertificate(
        terminal=peer.name,
        line_id=peer.line_id,
        fingerprint=peer.fingerprint,
        report_public_key=public_key_of(certificate),
        until_ms=_ms(certificate.not_valid_after_utc),
    )


def checked_certificate(pem: bytes, authority_pem: bytes, now_ms: int) -> NewCertificate:
    """Read a terminal's key certificate and check that it is good, here and now.

    Args:
        pem: the certificate in PEM form.
        authority_pem: the certificate of the city's line authority, in PEM form.
        now_ms: Unix time in milliseconds.

    Raises:
        KeyManagementError: it is none, of another authority, not a terminal's, or not valid now.
    """
    new = new_certificate(pem)
    certificate, authority = read_certificate(pem), read_certificate(authority_pem)
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, ValueError):
        raise KeyManagementError(_OF_ANOTHER) from None
    if not _for_terminals(certificate):
        raise KeyManagementError("the certificate is not made for the end of a line")
    if now_ms < _ms(certificate.not_valid_before_utc):
        raise KeyManagementError(
            f"the certificate is valid from {_text(certificate.not_valid_before_utc)} only; check"
            " the clock, or wait"
        )
    if now_ms >= new.until_ms:
        raise KeyManagementError(
            f"the certificate expired on {_text(certificate.not_valid_after_utc)}; have a new one"
            " made: issuance-keys terminal renew"
        )
    return new


def registration_subject(asked: Registration) -> str:
    """Return what an operator signs to register a terminal: its id, and a digest of the rest."""
    new = asked.certificate
    return _subject(
        new.terminal,
        statement(
            "terminal-registration",
            new.fingerprint,
            asked.chain,
            asked.store,
            int(asked.in_city),
            asked.terminal_class.value,
        ),
    )


def renewal_subject(asked: RenewedCertificate) -> str:
    """Return what an operator signs to renew a terminal's key: its id, and a digest of the rest."""
    new = asked.certificate
    return _subject(new.terminal, statement("terminal-renewal", new.fingerprint, asked.overlap_ms))


def as_pem(content: bytes) -> bytes:
    """Return a certificate file's content in PEM form, whichever of both forms it has.

    Raises:
        KeyManagementError: it is no certificate.
    """
    try:
        if content.lstrip().startswith(b"-----BEGIN"):
            return read_certificate(content).public_bytes(Encoding.PEM)
        return x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM)
    except (ValueError, KeyManagementError):
        raise KeyManagementError("the file holds no certificate in PEM or DER form") from None


def _for_terminals(certificate: x509.Certificate) -> bool:
    try:
        extensions = certificate.extensions
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False
    return list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH] and not constraints.ca


def _subject(terminal: str, signed: bytes) -> str:
    return f"{terminal} {hashlib.sha256(signed).hexdigest()}"


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * _MS_PER_S


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
