"""What keys a city has, as rows for people and programs. Nothing secret is opened."""

from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from keys.city_folder import CityFolder
from keys.former_operators import former_operators
from keys.key_certificate import peer_of, public_key_of, read_certificate
from keys.key_record import KeyRecord, PublicRecord, Purpose, key_id_of
from keys.key_states import KeyState
from keys.operators import OperatorRing
from keys.signing import PublicKeyFile
from keys.terminal_keys import admitted_terminals
from keys.trust import CityTrust

_RETIRED = "retired"
"""How a retiring key is shown when its time is over."""
_UNSIGNED = "unsigned"
"""How an operator is shown whom the authority did not appoint: nobody obeys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One key.

    Attributes:
        kind: a purpose, ``terminal`` or ``operator``.
        name: whose it is.
        key_id: what the commands call it by.
        state: where it stands; of a terminal's certificate empty, for the server's list decides.
        until: end of the acceptance or of the certificate's validity (ISO 8601, UTC), or empty.
        line: of a terminal, its line id in hexadecimal; otherwise empty.
        identity: SHA-256 in hexadecimal, of the certificate's DER form or of the raw public key;
            of a symmetric key empty.
        public_key: of an Ed25519 key, the raw form in hexadecimal; otherwise empty.
    """

    kind: str
    name: str
    key_id: str
    state: str = ""
    until: str = ""
    line: str = ""
    identity: str = ""
    public_key: str = ""

    def fields(self) -> dict[str, str]:
        """Return the row for programs."""
        return asdict(self)


def key_rows(root: Path, now: datetime) -> list[KeyRow]:
    """Return every key of a city's folder.

    Of a holder whose folder is elsewhere, those that the city announces.

    Raises:
        KeyManagementError: the folder is not a city's key folder, or a file is damaged.
    """
    city = CityFolder.at(root)
    trust = CityTrust.load(city.trust)
    rows = [
        record_row(record, trust.city, now)
        for purpose in Purpose
        if purpose is not Purpose.DAY
        for record in city.records(purpose) or trust.of(purpose)
    ]
    terminals = admitted_terminals(root)
    rows += operator_rows(root)
    rows += [terminal_row(pem) for certificates in terminals.values() for pem in certificates]
    return rows


def record_row(record: PublicRecord, city: str, now: datetime) -> KeyRow:
    """Return the row of a key of the city.

    Args:
        record: the key.
        city: municipality code, 6 digits.
        now: tells whether a retiring key's time is over.
    """
    over = record.state is KeyState.RETIRING and not record.accepted(now)
    until = _day_and_time(record.until)
    identity = sha256(record.public).hexdigest() if record.public else ""
    if isinstance(record, KeyRecord) and record.certificate:
        certificate = read_certificate(record.certificate.encode("ascii"))
        identity = certificate.fingerprint(hashes.SHA256()).hex()
        until = until or _day_and_time(certificate.not_valid_after_utc)
    return KeyRow(
        kind=record.purpose.value,
        name=city,
        key_id=record.key_id,
        state=_RETIRED if over else record.state.value,
        until=until,
        identity=identity,
        public_key=record.public.hex() if record.algorithm.value == "ed25519" else "",
    )


def operator_rows(root: Path) -> list[KeyRow]:
    """Return the operators of a city's folder, those that are obeyed first.

    Raises:
        KeyManagementError: the folder is not a city's key folder, or a file is damaged.
    """
    city = CityFolder.at(root)
    ring = OperatorRing.load(city.operators, CityTrust.load(city.trust))
    former = former_operators(city.operators)
    return [
        *(_operator_row(*one, KeyState.ACTIVE.value) for one in ring.operators.items()),
        *(_operator_row(*one, _UNSIGNED) for one in ring.unsigned.items()),
        *(_operator_row(one.operator, one.public, KeyState.REVOKED.value) for one in former),
    ]


def terminal_row(certificate_pem: bytes) -> KeyRow:
    """Return the row of a terminal's key certificate.

    Raises:
        KeyManagementError: it is damaged, or not a terminal's.
    """
    certificate = read_certificate(certificate_pem)
    peer, public = peer_of(certificate), public_key_of(certificate)
    return KeyRow(
        kind="terminal",
        name=peer.name,
        key_id=key_id_of(public),
        until=_day_and_time(certificate.not_valid_after_utc),
        line=peer.line_id.hex(),
        identity=certificate.fingerprint(hashes.SHA256()).hex(),
        public_key=public.hex(),
    )


def public_lines(root: Path, now: datetime) -> list[str]:
    """Return every accepted public key of the city and its operators as a line of text.

    Raises:
        KeyManagementError: the folder is not a city's key folder, or a file is damaged.
    """
    city = CityFolder.at(root)
    trust = CityTrust.load(city.trust)
    operators = OperatorRing.load(city.operators, trust).operators.items()
    keys = (
        *trust.public_keys(now),
        *(PublicKeyFile(name=name, key=key) for name, key in operators),
    )
    return [key.line for key in keys]


def _operator_row(name: str, key: bytes, state: str) -> KeyRow:
    return KeyRow(
        kind="operator",
        name=name,
        key_id=key_id_of(key),
        state=state,
        identity=sha256(key).hexdigest(),
        public_key=key.hex(),
    )


def _day_and_time(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
