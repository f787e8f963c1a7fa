"""The folder of a city's keys: who holds what, made in one piece.

::

    authority/   authority.key authority.crt     signs key certificates; needed only for that
                 terminals/ID.crt                every key certificate given to a terminal
    server/      line.key line.crt               the server's end of every line
                 binding.key                     signs what binds the paper to the applicant
                 checkpoint.key                  signs the audit log's checkpoints
                 day-keys/                       wrap the data keys of the issuances
    judge/       pin-opening.key                 opens PIN blocks
                 verdict.key                     signs the PIN judge's verdicts
                 pepper.key                      without it the PIN table is worth nothing
    operators/   NAME.key NAME.pub               people, each key under its passphrase
    trust/       city.json                       public keys; the one part that everybody reads

Server and judge each read their own folder, ``trust/`` and the operators' public halves, so that
each folder can be given to the process, the user or the machine that does its work, and
``authority/`` to none of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from keys import file_store
from keys.authority import KEY_CERTIFICATE_DAYS, Authority
from keys.day_keys import DayKeys
from keys.key_certificate import KeyCertificate
from keys.names import checked_city, checked_name
from keys.operators import OperatorRing
from keys.pepper import create_pepper, load_pepper
from keys.pin_sealing import PinOpener
from keys.signing import SigningKey
from keys.trust import CityTrust, TerminalTrust
from protocol.errors import KeyManagementError
from protocol.secret import Secret

AUTHORITY_FOLDER = "authority"
TERMINALS_FOLDER = "terminals"
SERVER_FOLDER = "server"
JUDGE_FOLDER = "judge"
OPERATORS_FOLDER = "operators"
TRUST_FOLDER = "trust"
DAY_KEYS_FOLDER = "day-keys"

_LINE = "line"
SERVER_CERTIFICATE_FILE = f"{_LINE}.crt"
_BINDING_FILE = "binding.key"
_CHECKPOINT_FILE = "checkpoint.key"
_PIN_OPENING_FILE = "pin-opening.key"
_VERDICT_FILE = "verdict.key"
_PEPPER_FILE = "pepper.key"
_TERMINAL = "terminal"
_MADE_BEFORE = timedelta(minutes=5)
"""Certificates begin this much before they are made, for the other end's clock may be slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKeys:
    """What the issuance server holds.

    Attributes:
        trust: the city's public keys, with the judge's and the authority's certificate.
        line: the server's key certificate.
        binding: signs releases.
        checkpoint: signs the audit log's checkpoints.
        day_keys: wrap the data keys.
        operators: the operators whose acts are obeyed.
    """

    trust: CityTrust
    line: KeyCertificate
    binding: SigningKey
    checkpoint: SigningKey
    day_keys: DayKeys
    operators: OperatorRing

    @property
    def city(self) -> str:
        """Municipality code, 6 digits."""
        return self.trust.city


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeKeys:
    """What the PIN judge holds.

    Attributes:
        trust: the city's public keys.
        pin_opener: opens PIN blocks.
        verdict: signs verdicts.
        pepper: for ``keys.pepper.pin_verifier``, 32 bytes.
        operators: the operators who may unlock a card.
    """

    trust: CityTrust
    pin_opener: PinOpener
    verdict: SigningKey
    pepper: Secret
    operators: OperatorRing

    @property
    def city(self) -> str:
        """Municipality code, 6 digits."""
        return self.trust.city


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


def create_city_keys(root: Path, city: str, now: datetime) -> None:
    """Make all keys of a city, either the whole folder or nothing.

    Args:
        root: the folder to make; its parent is made if need be.
        city: municipality code, 6 digits.
        now: the real time, with a time zone.

    Raises:
        KeyManagementError: the folder exists already, or the code is none.
    """
    checked_city(city)
    file_store.create_folder_whole(
        root, lambda folder: _fill(folder, city, not_before=now - _MADE_BEFORE)
    )


def create_terminal_keys(
    root: Path, terminal_id: str, out: Path, line_id: bytes, now: datetime
) -> TerminalKeys:
    """Admit a terminal: certify a new key and write the folder that the terminal is given.

    The certificate is kept under ``authority/terminals/``; the server still obeys it only once its
    fingerprint is on the allow-list.

    Args:
        root: the city's key folder.
        terminal_id: letters, digits and hyphens, at most 32.
        out: the folder to fill, made if it is not there.
        line_id: 8 bytes, random.
        now: the real time, with a time zone.

    Raises:
        KeyManagementError: the terminal was admitted before, or the folder holds keys already.
    """
    checked_name(terminal_id, "a terminal's id")
    authority = Authority.load(root / AUTHORITY_FOLDER)
    record = _terminal_record(root, terminal_id)
    if record.exists():
        raise KeyManagementError(f"terminal {terminal_id} was admitted before: {record}")
    if (out / f"{_TERMINAL}.key").exists():
        raise KeyManagementError(f"{out} holds a terminal's keys already; give it another folder")
    trust = CityTrust.load(root / TRUST_FOLDER).for_terminal()
    line = authority.issue_terminal(
        terminal_id, line_id, not_before=now - _MADE_BEFORE, days=KEY_CERTIFICATE_DAYS
    )
    file_store.private_folder(out)
    line.save(out, _TERMINAL)
    trust.save(out)
    file_store.write_public(record, line.certificate_pem)
    return TerminalKeys(trust=trust, line=line)


def load_server_keys(root: Path) -> ServerKeys:
    """Read what the issuance server holds.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    folder = root / SERVER_FOLDER
    keys = ServerKeys(
        trust=CityTrust.load(root / TRUST_FOLDER),
        line=KeyCertificate.load(folder, _LINE),
        binding=SigningKey.load(folder / _BINDING_FILE),
        checkpoint=SigningKey.load(folder / _CHECKPOINT_FILE),
        day_keys=DayKeys(folder / DAY_KEYS_FOLDER),
        operators=OperatorRing.load(root / OPERATORS_FOLDER),
    )
    announced = (keys.trust.city, keys.trust.binding_key, keys.trust.checkpoint_key)
    if announced != (keys.line.names.name, keys.binding.public_key, keys.checkpoint.public_key):
        raise KeyManagementError(f"{folder} holds other keys than {root / TRUST_FOLDER} announces")
    return keys


def load_judge_keys(root: Path) -> JudgeKeys:
    """Read what the PIN judge holds.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    folder = root / JUDGE_FOLDER
    keys = JudgeKeys(
        trust=CityTrust.load(root / TRUST_FOLDER),
        pin_opener=PinOpener.load(folder / _PIN_OPENING_FILE),
        verdict=SigningKey.load(folder / _VERDICT_FILE),
        pepper=load_pepper(folder / _PEPPER_FILE),
        operators=OperatorRing.load(root / OPERATORS_FOLDER),
    )
    announced = (keys.trust.pin_sealing_key, keys.trust.verdict_key)
    if announced != (keys.pin_opener.public_key, keys.verdict.public_key):
        raise KeyManagementError(f"{folder} holds other keys than {root / TRUST_FOLDER} announces")
    return keys


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


def admitted_terminals(root: Path) -> dict[str, bytes]:
    """Return every key certificate given to a terminal, in PEM form, by the terminal's id.

    Raises:
        KeyManagementError: a file cannot be read.
    """
    folder = root / AUTHORITY_FOLDER / TERMINALS_FOLDER
    return {path.stem: file_store.read_public(path) for path in sorted(folder.glob("*.crt"))}


def _terminal_record(root: Path, terminal_id: str) -> Path:
    return root / AUTHORITY_FOLDER / TERMINALS_FOLDER / f"{terminal_id}.crt"


def _fill(root: Path, city: str, *, not_before: datetime) -> None:
    authority = Authority.create(root / AUTHORITY_FOLDER, city, not_before=not_before)
    file_store.private_folder(root / AUTHORITY_FOLDER / TERMINALS_FOLDER)
    server = file_store.private_folder(root / SERVER_FOLDER)
    line = authority.issue_server(city, not_before=not_before)
    line.save(server, _LINE)
    binding, checkpoint, verdict = (SigningKey.generate() for _ in range(3))
    binding.save(server / _BINDING_FILE)
    checkpoint.save(server / _CHECKPOINT_FILE)
    file_store.private_folder(server / DAY_KEYS_FOLDER)
    judge = file_store.private_folder(root / JUDGE_FOLDER)
    verdict.save(judge / _VERDICT_FILE)
    opener = PinOpener.generate()
    opener.save(judge / _PIN_OPENING_FILE)
    create_pepper(judge / _PEPPER_FILE)
    file_store.private_folder(root / OPERATORS_FOLDER)
    CityTrust(
        city=city,
        authority_certificate=authority.certificate_pem,
        pin_sealing_key=opener.public_key,
        binding_key=binding.public_key,
        checkpoint_key=checkpoint.public_key,
        verdict_key=verdict.public_key,
    ).save(file_store.private_folder(root / TRUST_FOLDER))
