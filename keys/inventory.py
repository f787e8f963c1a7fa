"""What keys a city has, as rows for people and programs. Only public files are opened."""

from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from keys.city_keys import (
    OPERATORS_FOLDER,
    SERVER_CERTIFICATE_FILE,
    SERVER_FOLDER,
    TRUST_FOLDER,
    admitted_terminals,
)
from keys.file_store import read_public
from keys.key_certificate import peer_of, public_key_of, read_certificate
from keys.operators import OperatorRing
from keys.signing import PublicKeyFile
from keys.trust import CityTrust


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One key.

    Attributes:
        kind: ``authority``, ``server``, ``terminal``, ``operator``, or the algorithm.
        name: whose it is or what it is for.
        line: of a terminal, its line id in hexadecimal; otherwise empty.
        identity: SHA-256 in hexadecimal, of the certificate's DER form or of the raw public key.
        public_key: of an Ed25519 key, the raw form in hexadecimal; otherwise empty.
        valid_until: of a certificate, the end of its validity (ISO 8601, UTC); otherwise empty.
    """

    kind: str
    name: str
    line: str = ""
    identity: str
    public_key: str = ""
    valid_until: str = ""

    def fields(self) -> dict[str, str]:
        """Return the row for programs."""
        return asdict(self)


def key_rows(root: Path) -> list[KeyRow]:
    """Return every key of a city's folder.

    Raises:
        KeyManagementError: the folder is not a city's key folder, or a file is damaged.
    """
    trust = CityTrust.load(root / TRUST_FOLDER)
    authority = read_certificate(trust.authority_certificate)
    server = read_certificate(read_public(root / SERVER_FOLDER / SERVER_CERTIFICATE_FILE))
    return [
        _certificate_row("authority", trust.city, authority),
        _certificate_row("server", peer_of(server).name, server),
        *(_public_key_row(key.algorithm, key) for key in trust.public_keys()),
        *operator_rows(root),
        *(terminal_row(pem) for pem in admitted_terminals(root).values()),
    ]


def operator_rows(root: Path) -> list[KeyRow]:
    """Return the operators of a city's folder.

    Raises:
        KeyManagementError: the folder is not a city's key folder, or a file is damaged.
    """
    return [_public_key_row("operator", key) for key in _operator_keys(root)]


def terminal_row(certificate_pem: bytes) -> KeyRow:
    """Return the row of a terminal's key certificate.

    Raises:
        KeyManagementError: it is damaged, or not a terminal's.
    """
    certificate = read_certificate(certificate_pem)
    peer = peer_of(certificate)
    return _certificate_row("terminal", peer.name, certificate, line=peer.line_id.hex())


def public_lines(root: Path) -> list[str]:
    """Return every public key of the city and its operators as a line of text.

    Raises:
        KeyManagementError: the folder is not a city's key folder, or a file is damaged.
    """
    keys = (*CityTrust.load(root / TRUST_FOLDER).public_keys(), *_operator_keys(root))
    return [key.line for key in keys]


def _operator_keys(root: Path) -> list[PublicKeyFile]:
    CityTrust.load(root / TRUST_FOLDER)
    ring = OperatorRing.load(root / OPERATORS_FOLDER)
    return [PublicKeyFile(name=name, key=key) for name, key in ring.operators.items()]


def _certificate_row(
    kind: str, name: str, certificate: x509.Certificate, *, line: str = ""
) -> KeyRow:
    return KeyRow(
        kind=kind,
        name=name,
        line=line,
        identity=certificate.fingerprint(hashes.SHA256()).hex(),
        public_key=public_key_of(certificate).hex(),
        valid_until=_day_and_time(certificate.not_valid_after_utc),
    )


def _public_key_row(kind: str, key: PublicKeyFile) -> KeyRow:
    return KeyRow(
        kind=kind,
        name=key.name,
        identity=sha256(key.key).hexdigest(),
        public_key=key.key.hex() if key.algorithm == "ed25519" else "",
    )


def _day_and_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
