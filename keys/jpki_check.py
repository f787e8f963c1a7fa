"""Checks a card's certificate and its signature, against what the authority publishes.

In this order, so that nobody learns about a certificate without holding the card:

1. The certificate is one of the authority's, for an end user, for authentication, and on P-256.
2. The signature over the statement is that of the certificate's key.
3. The authority's own certificate, and then the card's, are valid now.
4. A list of what is revoked is there, signed by the authority, and its time is not over. A list
   that is missing, damaged or too old proves nothing: the check fails closed.
5. The list does not name the certificate.
"""

import os
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from keys.jpki import CERTIFICATE_FILE, LIST_FILE, serial_text
from protocol.statements import certificate_signature_holds

LIST_BYTES_MAX = 64 * 1024 * 1024
CLOCK_DIFFERENCE_MAX = timedelta(minutes=5)
"""How far the authority's clock may be ahead of this one."""

_UNREADABLE = (
    ValueError,
    TypeError,
    InternalError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
)
"""What ``cryptography`` raises over a certificate that is damaged or of another world."""


class CertificateFinding(Enum):
    """What was found."""

    GOOD = "good"
    FORGED = "forged"  # not of this authority, not for this use, or badly signed
    EXPIRED = "expired"  # or not valid yet
    REVOKED = "revoked"
    NOT_CHECKABLE = "not-checkable"  # no list whose time is not over, or no valid authority


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCertificate:
    """The finding, and the certificate's serial in hexadecimal once its card is known to be there.

    Attributes:
        finding: what was found.
        serial: None as long as the signature did not hold.
    """

    finding: CertificateFinding
    serial: str | None = None


class JpkiCheck:
    """Checks certificates; reads what is published again whenever it has changed."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that ``issuance-keys jpki crl`` writes to; it need not be there yet."""
        self._folder = folder
        self._seen: tuple[object, ...] = ()
        self._authority: x509.Certificate | None = None
        self._list: x509.CertificateRevocationList | None = None

    def check(
        self, certificate: bytes, *, signature: bytes, statement: bytes, now: datetime
    ) -> CheckedCertificate:
        """Check a certificate and the signature of its card.

        Args:
            certificate: in DER form, from a stranger.
            signature: r and s, 64 bytes.
            statement: what the card is to have signed.
            now: the real time, with a time zone.
        """
        self._take_up_changes()
        authority = self._authority
        if authority is None:
            return CheckedCertificate(finding=CertificateFinding.NOT_CHECKABLE)
        found = _of_authority(certificate, authority)
        if found is None:
            return CheckedCertificate(finding=CertificateFinding.FORGED)
        key = found.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not certificate_signature_holds(
            key, signature, statement
        ):
            return CheckedCertificate(finding=CertificateFinding.FORGED)
        serial = serial_text(found.serial_number)
        return CheckedCertificate(finding=self._standing(authority, found, now), serial=serial)

    def _standing(
        self, authority: x509.Certificate, found: x509.Certificate, now: datetime
    ) -> CertificateFinding:
        if not _valid(authority, now):
            return CertificateFinding.NOT_CHECKABLE
        if not _valid(found, now):
            return CertificateFinding.EXPIRED
        listed = self._list
        if listed is None or not _in_time(listed, now):
            return CertificateFinding.NOT_CHECKABLE
        if listed.get_revoked_certificate_by_serial_number(found.serial_number) is not None:
            return CertificateFinding.REVOKED
        return CertificateFinding.GOOD

    def _take_up_changes(self) -> None:
        paths = (self._folder / CERTIFICATE_FILE, self._folder / LIST_FILE)
        seen = tuple(_state_of(path) for path in paths)
        if seen == self._seen:
            return
        self._seen = seen
        self._authority = _read_authority(paths[0])
        self._list = _read_list(paths[1], self._authority)


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # an error is an answer here
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read_authority(path: Path) -> x509.Certificate | None:
    try:
        found = x509.load_pem_x509_certificate(_content(path))
        constraints = found.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    except (OSError, *_UNREADABLE):
        return None
    return found if constraints.ca and usage.key_cert_sign and usage.crl_sign else None


def _read_list(
    path: Path, authority: x509.Certificate | None
) -> x509.CertificateRevocationList | None:
    if authority is None:
        return None
    try:
        found = x509.load_der_x509_crl(_content(path))
        key = authority.public_key()
        good = isinstance(key, ec.EllipticCurvePublicKey) and found.is_signature_valid(key)
        strange = any(one.critical for one in found.extensions)  # a partial list, for one
    except (OSError, *_UNREADABLE):
        return None
    return found if good and not strange and found.issuer == authority.subject else None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LIST_BYTES_MAX)


def _of_authority(certificate: bytes, authority: x509.Certificate) -> x509.Certificate | None:
    """Return the certificate if the authority gave it for authentication with a card.

    A warning of the parser, such as about a serial below zero, refuses it as well: nothing that a
    stranger sends shall write a line anywhere.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = x509.load_der_x509_certificate(certificate)
            found.verify_directly_issued_by(authority)
            key = found.public_key()
            constraints = found.extensions.get_extension_for_class(x509.BasicConstraints).value
            usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
            purposes = list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
            critical = [one.value for one in found.extensions if one.critical]
    except (InvalidSignature, Warning, *_UNREADABLE):
        return None
    understood = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
    fits = (
        not constraints.ca
        and usage.digital_signature
        and not usage.content_commitment  # that would be 署名用, with another PIN
        and not usage.key_cert_sign
        and purposes == [ExtendedKeyUsageOID.CLIENT_AUTH]
        and all(isinstance(value, understood) for value in critical)
        and isinstance(key, ec.EllipticCurvePublicKey)
        and isinstance(key.curve, ec.SECP256R1)
    )
    return found if fits else None


def _valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _in_time(listed: x509.CertificateRevocationList, now: datetime) -> bool:
    until = listed.next_update_utc
    return until is not None and listed.last_update_utc - CLOCK_DIFFERENCE_MAX <= now < until
