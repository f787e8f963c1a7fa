"""The line authority: a city's own small X.509 authority for both ends of its lines.

It signs key certificates of one depth, and what terminals are told. Its private key is needed for
nothing else, so it belongs on a machine that does neither the server's nor a terminal's work.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.city_folder import CityFolder
from keys.key_certificate import (
    KeyCertificate,
    certificate_as_pem,
    public_key_of,
    read_certificate,
    server_names,
    terminal_names,
)
from keys.key_record import KeyRecord, Naming, Purpose, load_records, write_record
from keys.names import checked_city
from keys.signing import SigningKey
from keys.storage_key import Holder, StorageKey
from protocol.errors import KeyManagementError

__all__ = ["Authority", "KeyCertificate"]

AUTHORITY_DAYS = 3650
KEY_CERTIFICATE_DAYS = 825
"""A terminal's or server's key certificate is renewed well within its contract's term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The authority's key and certificate.

    Attributes:
        city: municipality code of the city that it is named for.
        certificate_pem: its own certificate, which both ends of a line trust.
        signing_key: what it signs with.
    """

    city: str
    certificate_pem: bytes
    signing_key: SigningKey

    @classmethod
    def generate(cls, city: str, *, not_before: datetime, days: int = AUTHORITY_DAYS) -> Self:
        """Make an authority.

        Args:
            city: municipality code, 6 digits.
            not_before: beginning of its validity, with a time zone.
            days: length of its validity.

        Raises:
            KeyManagementError: the code is none.
        """
        key = SigningKey.generate()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _name(checked_city(city)))])
        certificate = (
            _builder(subject=name, issuer=name, not_before=not_before, days=days)
            .public_key(key.private_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.private_key.public_key()),
                critical=False,
            )
            .sign(key.private_key, None)
        )
        return cls(city=city, certificate_pem=certificate_as_pem(certificate), signing_key=key)

    def save(self, folder: Path, storage_key: StorageKey, now: datetime) -> None:
        """Write the authority's key record to a folder.

        Args:
            folder: there already.
            storage_key: the authority's.
            now: the real time, with a time zone.

        Raises:
            KeyManagementError: the disk refuses.
        """
        record = KeyRecord.make(
            Purpose.AUTHORITY,
            self.signing_key.seed(),
            storage_key,
            named=Naming(number=1, at=now),
            public=self.signing_key.public_key,
            certificate=self.certificate_pem,
        )
        write_record(folder, record)

    @classmethod
    def load(cls, folder: Path, storage_key: StorageKey) -> Self:
        """Read the authority of a folder.

        Raises:
            KeyManagementError: there is none, or its record is damaged or not of one pair.
        """
        records = load_records(folder, Purpose.AUTHORITY)
        if not records:
            raise KeyManagementError(
                f"{folder} holds no authority; this is done where the city's authority is kept"
            )
        record = records[-1]
        key = SigningKey.from_seed(record.secret(storage_key))
        certificate = read_certificate(record.certificate.encode("ascii"))
        if not public_key_of(certificate) == record.public == key.public_key:
            raise KeyManagementError(f"{folder}: key and certificate are not of one pair")
        return cls(
            city=_city_of(certificate),
            certificate_pem=certificate_as_pem(certificate),
            signing_key=key,
        )

    @classmethod
    def of_city(cls, city: CityFolder) -> Self:
        """Read the authority of a city's key folder.

        Raises:
            KeyManagementError: its record or its storage key is not here, or is damaged.
        """
        return cls.load(city.of(Holder.AUTHORITY), city.storage_key(Holder.AUTHORITY))

    def issue_server(
        self, city: str, *, not_before: datetime, days: int = KEY_CERTIFICATE_DAYS
    ) -> KeyCertificate:
        """Make a key and certify it for a city's server.

        Raises:
            KeyManagementError: the code is none.
        """
        key, purpose = SigningKey.generate(), ExtendedKeyUsageOID.SERVER_AUTH
        return self._issue(server_names(city), key, purpose, not_before=not_before, days=days)

    def issue_terminal(
        self,
        terminal_id: str,
        line_id: bytes,
        *,
        not_before: datetime,
        days: int = KEY_CERTIFICATE_DAYS,
        key: SigningKey | None = None,
    ) -> KeyCertificate:
        """Certify a key for a terminal and its line.

        Args:
            terminal_id: letters, digits and hyphens, at most 32.
            line_id: 8 bytes, random.
            not_before: beginning of its validity, with a time zone.
            days: length of its validity.
            key: the terminal's; made if not given.

        Raises:
            KeyManagementError: the id or the line id is none.
        """
        names = terminal_names(terminal_id, line_id)
        made = key or SigningKey.generate()
        return self._issue(
            names, made, ExtendedKeyUsageOID.CLIENT_AUTH, not_before=not_before, days=days
        )

    def _issue(
        self,
        names: x509.SubjectAlternativeName,
        key: SigningKey,
        purpose: x509.ObjectIdentifier,
        *,
        not_before: datetime,
        days: int,
    ) -> KeyCertificate:
        own = read_certificate(self.certificate_pem)
        # An empty subject needs critical names (RFC 5280 §4.2.1.6), so nobody can overlook them.
        certificate = (
            _builder(subject=x509.Name([]), issuer=own.subject, not_before=not_before, days=days)
            .public_key(key.private_key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
            .add_extension(names, critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self.signing_key.private_key.public_key()
                ),
                critical=False,
            )
            .sign(self.signing_key.private_key, None)
        )
        return KeyCertificate(
            certificate_pem=certificate_as_pem(certificate), private_key_pem=key.pem()
        )


def _name(city: str) -> str:
    return f"kofu line authority {city}"


def _city_of(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    city = str(names[0].value).rpartition(" ")[2] if names else ""
    return checked_city(city)


def _builder(
    *, subject: x509.Name, issuer: x509.Name, not_before: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + timedelta(days=days))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
