"""A simulated authority for user-authentication certificates (公的個人認証サービス, JPKI).

It stands for the national one: a root that certifies the cards' keys, revokes, and publishes a list
of what is revoked (RFC 5280 §5). Cities hold only what it publishes. A certificate names nobody:
the city's register joins its serial number to a person, as the real one does.

::

    authority.key      its private key, PKCS#8
    authority.crt      its own certificate                            published
    issued/SERIAL.crt  every certificate that it gave
    revoked.json       serials and times
    revocations.crl    the list, signed, with the time of the next    published

Keys are on the curve P-256 and sign with ECDSA and SHA-256: what chips of cards do, and where the
real authority is going from its RSA keys of 2,048 bits. A signature is 64 bytes like every other
one of the protocol, and a certificate is some 500 bytes.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Meta

from keys import file_store
from protocol.codec import UNREADABLE
from protocol.errors import KeyManagementError
from protocol.limits import CARD_CERTIFICATE_BYTES_MAX

AUTHORITY_NAME = "kofu simulated JPKI (架空)"
AUTHORITY_DAYS = 3650
CARD_CERTIFICATE_DAYS = 5 * 365
"""The real ones end with the fifth birthday after their issue."""
LIST_DAYS = 1
SERIAL_BYTES = 16
CERTIFICATE_FILE = "authority.crt"
LIST_FILE = "revocations.crl"

_KEY_FILE = "authority.key"
_REVOKED_FILE = "revoked.json"
_ISSUED_FOLDER = "issued"


class Revoked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A certificate that is revoked: its serial in hexadecimal, and since when (Unix seconds)."""

    serial: Annotated[str, Meta(pattern=r"^[0-9a-f]{1,40}$")]
    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JpkiAuthority:
    """The authority in its folder.

    Attributes:
        folder: where it keeps its files.
        certificate: its own.
    """

    folder: Path
    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, now: datetime) -> Self:
        """Make an authority in a new folder, or nothing.

        Raises:
            KeyManagementError: the folder exists already, or the disk refuses.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY_NAME)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .serial_number(_drawn_serial())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )

        def fill(fresh: Path) -> None:
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            file_store.write_private(fresh / _KEY_FILE, pem)
            own = certificate.public_bytes(serialization.Encoding.PEM)
            file_store.write_public(fresh / CERTIFICATE_FILE, own)
            file_store.write_public(fresh / _REVOKED_FILE, b"[]\n")
            file_store.private_folder(fresh / _ISSUED_FOLDER)

        file_store.create_folder_whole(folder, fill)
        return cls(folder=folder, certificate=certificate, _key=key)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an authority.

        Raises:
            KeyManagementError: there is none, or it is damaged.
        """
        if not (folder / _KEY_FILE).exists():
            raise KeyManagementError(
                f"{folder} holds no simulated JPKI; make one: issuance-keys jpki create {folder}"
            )
        pem = file_store.read_private(folder / _KEY_FILE)
        try:
            key = serialization.load_pem_private_key(pem.reveal(), password=None)
            own = x509.load_pem_x509_certificate(file_store.read_public(folder / CERTIFICATE_FILE))
        except ValueError:
            raise KeyManagementError(f"{folder}: key or certificate is damaged") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyManagementError(f"{folder}: the key is none of this authority's kind")
        return cls(folder=folder, certificate=own, _key=key)

    def issue(
        self,
        public_key: ec.EllipticCurvePublicKey,
        *,
        now: datetime,
        days: int = CARD_CERTIFICATE_DAYS,
    ) -> bytes:
        """Certify a card's key.

        Args:
            public_key: on P-256.
            now: beginning of the validity, with a time zone.
            days: its length.

        Returns:
            the certificate in DER form; a copy stays in ``issued/``.

        Raises:
            KeyManagementError: the disk refuses.
        """
        serial = _drawn_serial()
        name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_text(serial))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.certificate.subject)
            .serial_number(serial)
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=days))
            .public_key(public_key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        path = self.folder / _ISSUED_FOLDER / f"{serial_text(serial)}.crt"
        file_store.write_public(path, certificate.public_bytes(serialization.Encoding.PEM))
        der = certificate.public_bytes(serialization.Encoding.DER)
        if len(der) > CARD_CERTIFICATE_BYTES_MAX:
            raise KeyManagementError("the certificate is longer than a telegram takes")
        return der

    def revoke(self, serial: str, now: datetime) -> None:
        """Revoke a certificate for ever; cities learn of it with the next list.

        Args:
            serial: in hexadecimal, as ``issued/`` names it.
            now: the real time, with a time zone.

        Raises:
            KeyManagementError: this authority never issued it, or revoked it before.
        """
        with file_store.alone(self.folder):
            if not (self.folder / _ISSUED_FOLDER / f"{serial}.crt").exists():
                raise KeyManagementError(f"no certificate {serial} was issued here")
            revoked = self.revoked()
            if any(one.serial == serial for one in revoked):
                raise KeyManagementError(f"certificate {serial} is revoked already")
            revoked.append(Revoked(serial=serial, at_s=int(now.timestamp())))
            text = msgspec.json.format(msgspec.json.encode(revoked), indent=1) + b"\n"
            file_store.replace_public(self.folder / _REVOKED_FILE, text)

    def revoked(self) -> list[Revoked]:
        """Return what is revoked, the oldest first.

        Raises:
            KeyManagementError: the file is damaged.
        """
        path = self.folder / _REVOKED_FILE
        try:
            return msgspec.json.decode(file_store.read_public(path), type=list[Revoked])
        except UNREADABLE:
            raise KeyManagementError(f"{path} is damaged") from None

    def publish(self, out: Path, now: datetime, *, days: int = LIST_DAYS) -> None:
        """Sign a new list of what is revoked, and write it and the certificate to a folder.

        Args:
            out: made if it is not there; what it held is replaced.
            now: the real time, with a time zone.
            days: until the next list is due; from then on this one is worth nothing.

        Raises:
            KeyManagementError: the disk refuses.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now)
            .next_update(now + timedelta(days=days))
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        for one in self.revoked():
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(one.serial, 16))
                .revocation_date(datetime.fromtimestamp(one.at_s, UTC))
                .build()
            )
        signed = builder.sign(self._key, hashes.SHA256())
        content = signed.public_bytes(serialization.Encoding.DER)
        own = self.certificate.public_bytes(serialization.Encoding.PEM)
        file_store.private_folder(out)
        file_store.replace_public(out / CERTIFICATE_FILE, own)
        file_store.replace_public(out / LIST_FILE, content)


def serial_text(serial: int) -> str:
    """Return how a serial number is written everywhere: hexadecimal, 32 digits."""
    return f"{serial:0{2 * SERIAL_BYTES}x}"


def serial_of(certificate: bytes) -> str:
    """Return the serial of a certificate in DER form; nothing of it is checked.

    Raises:
        KeyManagementError: it is none.
    """
    try:
        return serial_text(x509.load_der_x509_certificate(certificate).serial_number)
    except ValueError:
        raise KeyManagementError("the card's certificate is damaged") from None


def _drawn_serial() -> int:
    """Draw a positive serial of exactly 16 bytes."""
    drawn = int.from_bytes(secrets.token_bytes(SERIAL_BYTES), "big")
    return drawn & ((1 << 127) - 1) | (1 << 126)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
