"""What a terminal is given: admitted to a city, certified, and certified anew.

``keys.city_folder`` shows where each key lies.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys import file_store
from keys.authority import KEY_CERTIFICATE_DAYS, Authority
from keys.city_folder import CityFolder
from keys.distribution import told_now
from keys.key_certificate import KeyCertificate, peer_of, read_certificate
from keys.life_cycle import CERTIFIED_BEFORE
from keys.names import checked_name
from keys.signing import SigningKey
from keys.trust import TerminalTrust
from protocol.errors import KeyManagementError

_TERMINAL = "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalKeys:
    """What a terminal holds for one city.

    Attributes:
        trust: what it was told about the city.
        line: its own key certificate; the same key signs its reports and deletions.
    """

    trust: TerminalTrust
    line: KeyCertificate

    @property
    def terminal_id(self) -> str:
        """The terminal's id, as its key certificate has it."""
        return self.line.names.name

    @property
    def line_id(self) -> bytes:
        """The terminal's line to this city, 8 bytes."""
        return self.line.names.line_id

    @property
    def report_key(self) -> SigningKey:
        """Signs print reports and deletion reports."""
        return self.line.signing_key


def create_terminal_keys(
    root: Path,
    terminal_id: str,
    out: Path,
    line_id: bytes,
    now: datetime,
    *,
    storage: Path | None = None,
) -> TerminalKeys:
    """Admit a terminal: certify a new key and write the folder that the terminal is given.

    The certificate is kept under ``authority/terminals/``; the server still obeys it only once its
    fingerprint is on the allow-list.

    Args:
        root: the city's key folder.
        terminal_id: letters, digits and hyphens, at most 32.
        out: the folder to fill, made if it is not there. One that an interrupted call began to fill
            is filled to the end, with the line id that it began with.
        line_id: 8 bytes, random.
        now: the real time, with a time zone.
        storage: where the storage keys lie; None as for ``create_city_keys``.

    Raises:
        KeyManagementError: the terminal was admitted before, or the folder holds keys already.
    """
    checked_name(terminal_id, "a terminal's id")
    city = CityFolder.at(root, storage)
    with city.changing():
        if _line_ids(city, terminal_id):
            raise KeyManagementError(
                f"terminal {terminal_id} was admitted before; for a new key: "
                f"issuance-keys terminal renew {terminal_id} {root} --out FOLDER"
            )
        return _certify(city, terminal_id, out, line_id, now)


def renew_terminal_keys(
    root: Path, terminal_id: str, out: Path, now: datetime, *, storage: Path | None = None
) -> TerminalKeys:
    """Certify a new key for a terminal that was admitted before, and its line.

    The former certificate is kept; each of the two is obeyed if it is on the server's allow-list.

    Args:
        root: the city's key folder.
        terminal_id: the terminal's id.
        out: a folder without keys.
        now: the real time, with a time zone.
        storage: where the storage keys lie; None as for ``create_city_keys``.

    Raises:
        KeyManagementError: there is no such terminal, or the folder holds keys already.
    """
    checked_name(terminal_id, "a terminal's id")
    city = CityFolder.at(root, storage)
    with city.changing():
        line_ids = _line_ids(city, terminal_id)
        if not line_ids:
            raise KeyManagementError(
                f"no terminal {terminal_id} was admitted; issuance-keys list shows those that were"
            )
        return _certify(city, terminal_id, out, line_ids[-1], now)


def load_terminal_keys(folder: Path) -> TerminalKeys:
    """Read what a terminal was given.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    keys = TerminalKeys(
        trust=TerminalTrust.load(folder), line=KeyCertificate.load(folder, _TERMINAL)
    )
    if not keys.line_id:
        raise KeyManagementError(f"{folder} holds the key certificate of a server")
    return keys


def admitted_terminals(root: Path) -> dict[str, list[bytes]]:
    """Return the key certificates given to each terminal, in PEM form, the oldest first.

    Raises:
        KeyManagementError: a file cannot be read.
    """
    folder = CityFolder.at(root).terminals
    found: dict[str, list[bytes]] = {}
    for path in folder.glob("*/*.crt"):
        found.setdefault(path.parent.name, []).append(file_store.read_public(path))
    return {
        terminal: sorted(
            found[terminal], key=lambda pem: read_certificate(pem).not_valid_before_utc
        )
        for terminal in sorted(found)
    }


def _certify(
    city: CityFolder, terminal_id: str, out: Path, line_id: bytes, now: datetime
) -> TerminalKeys:
    """Fill a terminal's folder, each file unless it is there; the authority's record is the last.

    So the same call goes on where an interrupted one stopped.
    """
    authority = Authority.of_city(city)
    file_store.private_folder(out)
    file_store.clear_leftovers(out)
    key_file, certificate_file = out / f"{_TERMINAL}.key", out / f"{_TERMINAL}.crt"
    _refuse_if_filled(city, terminal_id, out, authority)
    if not key_file.exists():
        file_store.write_private(key_file, SigningKey.generate().pem().reveal())
    if not certificate_file.exists():
        issued = authority.issue_terminal(
            terminal_id,
            line_id,
            not_before=now - CERTIFIED_BEFORE,
            days=KEY_CERTIFICATE_DAYS,
            key=SigningKey.from_pem(file_store.read_private(key_file)),
        )
        file_store.write_public(certificate_file, issued.certificate_pem)
    told_now(city, authority, now).save(out)
    made = load_terminal_keys(out)
    record = _record_of(city, made.line)
    file_store.private_folder(record.parent)
    file_store.clear_leftovers(record.parent)
    if not record.exists():
        file_store.write_public(record, made.line.certificate_pem)
    return made


def _refuse_if_filled(city: CityFolder, terminal_id: str, out: Path, authority: Authority) -> None:
    """Raise unless a folder is empty or was begun for this terminal and never finished."""
    if not (out / f"{_TERMINAL}.crt").exists():
        return
    line = KeyCertificate.load(out, _TERMINAL)
    ours = line.issued_by(authority.certificate_pem) and line.names.name == terminal_id
    if not ours or _record_of(city, line).exists():
        raise KeyManagementError(f"{out} holds a terminal's keys already; give another folder")


def _record_of(city: CityFolder, line: KeyCertificate) -> Path:
    return city.terminals / line.names.name / f"{line.fingerprint.hex()}.crt"


def _line_ids(city: CityFolder, terminal_id: str) -> list[bytes]:
    """Return the line id of each certificate given to a terminal; all are the same."""
    certificates = admitted_terminals(city.root).get(terminal_id, [])
    return [peer_of(read_certificate(pem)).line_id for pem in certificates]
