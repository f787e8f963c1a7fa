"""What a city, its server, its judge and its renderers hold, made and loaded in one piece.

``keys.city_folder`` shows where each key lies.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys import file_store
from keys.authority import Authority
from keys.city_folder import DAY_KEYS_FOLDER, CityFolder
from keys.day_keys import DayKeys
from keys.distribution import told_now
from keys.jpki_check import JpkiCheck
from keys.key_certificate import KeyCertificate
from keys.key_record import ANNOUNCED, KeyRecord, Naming, Purpose, newest_active, write_record
from keys.key_ring import BackRing, PepperRing, PinOpeningRing, SigningRing, Times
from keys.life_cycle import CERTIFIED_BEFORE, ROTATED, new_record
from keys.names import checked_city
from keys.operators import OperatorRing
from keys.signing import SigningKey
from keys.storage_key import STORAGE_FOLDER, Holder, StorageKey
from keys.trust import CityTrust
from protocol.errors import KeyManagementError


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
    binding: SigningRing
    checkpoint: SigningRing
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
        peppers: for ``keys.pepper.pin_verifier``.
        operators: the operators who may unlock a card.
        jpki: checks the certificates of cards.
    """

    trust: CityTrust
    pin_opener: PinOpeningRing
    verdict: SigningRing
    peppers: PepperRing
    operators: OperatorRing
    jpki: JpkiCheck

    @property
    def city(self) -> str:
        """Municipality code, 6 digits."""
        return self.trust.city


def create_city_keys(root: Path, city: str, now: datetime, *, storage: Path | None = None) -> None:
    """Make all keys of a city, either the whole folder or nothing.

    Args:
        root: the folder to make; its parent is made if need be.
        city: municipality code, 6 digits.
        now: the real time, with a time zone.
        storage: where the storage keys shall lie; None for the environment variable, or
            ``storage/`` in the folder. Those that lie there already are used.

    Raises:
        KeyManagementError: the folder exists already, or the code is none.
    """
    checked_city(city)
    chosen = CityFolder.at(root, storage).storage
    inside = chosen == root / STORAGE_FOLDER
    if not inside and not root.exists():
        StorageKey.create_missing(chosen)

    def fill(fresh: Path) -> None:
        if inside:
            StorageKey.create_missing(fresh / STORAGE_FOLDER)
        _fill(CityFolder(fresh, fresh / STORAGE_FOLDER if inside else chosen), city, now)

    file_store.create_folder_whole(root, fill)


def load_server_keys(
    root: Path, *, storage: Path | None = None, times: Times | None = None
) -> ServerKeys:
    """Read what the issuance server holds.

    Args:
        root: the city's key folder.
        storage: where the storage keys lie; None as for ``create_city_keys``.
        times: the clocks of the rings; the real ones if not given.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    city, clocks = CityFolder.at(root, storage), times or Times()
    trust = CityTrust.load(city.trust)
    folder, storage_key = city.of(Holder.SERVER), city.storage_key(Holder.SERVER)
    keys = ServerKeys(
        trust=trust,
        line=_server_line(city, storage_key),
        binding=SigningRing(folder, Purpose.BINDING, storage_key, clocks),
        checkpoint=SigningRing(folder, Purpose.CHECKPOINT, storage_key, clocks),
        day_keys=DayKeys(folder / DAY_KEYS_FOLDER, storage_key),
        operators=OperatorRing.load(city.operators, trust),
    )
    if keys.line.names.name != trust.city:
        raise KeyManagementError(f"{folder} holds the keys of another city than {city.trust}")
    _check_announced(city, trust, Purpose.BINDING, keys.binding.public_key)
    _check_announced(city, trust, Purpose.CHECKPOINT, keys.checkpoint.public_key)
    return keys


def load_judge_keys(
    root: Path, *, storage: Path | None = None, times: Times | None = None
) -> JudgeKeys:
    """Read what the PIN judge holds.

    Args:
        root: the city's key folder.
        storage: where the storage keys lie; None as for ``create_city_keys``.
        times: the clocks of the rings; the real ones if not given.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    city, clocks = CityFolder.at(root, storage), times or Times()
    trust = CityTrust.load(city.trust)
    folder, storage_key = city.of(Holder.JUDGE), city.storage_key(Holder.JUDGE)
    keys = JudgeKeys(
        trust=trust,
        pin_opener=PinOpeningRing(folder, storage_key, clocks),
        verdict=SigningRing(folder, Purpose.VERDICT, storage_key, clocks),
        peppers=PepperRing(folder, storage_key, clocks),
        operators=OperatorRing.load(city.operators, trust),
        jpki=JpkiCheck(city.jpki),
    )
    _check_announced(city, trust, Purpose.PIN_OPENING, keys.pin_opener.public_key)
    _check_announced(city, trust, Purpose.VERDICT, keys.verdict.public_key)
    return keys


def load_code_key(
    root: Path, *, storage: Path | None = None, times: Times | None = None
) -> SigningRing:
    """Read what a rendering process holds: the key that signs the codes on the sheets.

    Args:
        root: the city's key folder.
        storage: where the storage keys lie; None as for ``create_city_keys``.
        times: the clocks of the ring; the real ones if not given.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    city, clocks = CityFolder.at(root, storage), times or Times()
    storage_key = city.storage_key(Holder.RENDERER)
    code = SigningRing(city.of(Holder.RENDERER), Purpose.CODE, storage_key, clocks)
    _check_announced(city, CityTrust.load(city.trust), Purpose.CODE, code.public_key)
    return code


def load_back_secrets(
    root: Path, *, storage: Path | None = None, times: Times | None = None
) -> BackRing:
    """Read what scrambles the backs of sheets, and reads them again.

    Args:
        root: the city's key folder.
        storage: where the storage keys lie; None as for ``create_city_keys``.
        times: the clocks of the ring; the real ones if not given.

    Raises:
        KeyManagementError: something is missing, damaged or readable by others.
    """
    city = CityFolder.at(root, storage)
    storage_key = city.storage_key(Holder.RENDERER)
    if not city.records(Purpose.BACK):
        raise KeyManagementError(
            f"{city.of(Holder.RENDERER)} holds no secret of backs; make one: "
            f"issuance-keys rotate back {root}"
        )
    return BackRing(city.of(Holder.RENDERER), storage_key, times or Times())


def _fill(city: CityFolder, code: str, now: datetime) -> None:
    for holder in Holder:
        file_store.private_folder(city.of(holder))
    for folder in (city.trust, city.operators, city.terminals):
        file_store.private_folder(folder)
    file_store.private_folder(city.of(Holder.SERVER) / DAY_KEYS_FOLDER)
    authority = Authority.generate(code, not_before=now - CERTIFIED_BEFORE)
    authority.save(city.of(Holder.AUTHORITY), city.storage_key(Holder.AUTHORITY), now)
    records: list[KeyRecord] = []
    for purpose in ROTATED:
        storage_key = city.storage_key(purpose.holder)
        records.append(new_record(purpose, storage_key, Naming(number=1, at=now), authority))
        write_record(city.of(purpose.holder), records[-1])
    trust = CityTrust(city=code, authority_certificate=authority.certificate_pem, keys=())
    for record in records:
        if record.purpose in ANNOUNCED:
            trust = trust.with_keys(record.purpose, (record.open_half,))
    trust.save(city.trust)
    told_now(city, authority, now)


def _server_line(city: CityFolder, storage_key: StorageKey) -> KeyCertificate:
    record = newest_active(city.records(Purpose.SERVER))
    if record is None:
        raise KeyManagementError(f"{city.of(Holder.SERVER)} holds no active server key")
    line = KeyCertificate(
        certificate_pem=record.certificate.encode("ascii"),
        private_key_pem=SigningKey.from_seed(record.secret(storage_key)).pem(),
    )
    if line.public_key != line.signing_key.public_key:
        raise KeyManagementError(f"{record.file_name}: key and certificate are not of one pair")
    return line


def _check_announced(
    city: CityFolder, trust: CityTrust, purpose: Purpose, public_key: bytes
) -> None:
    if public_key not in (key.public for key in trust.of(purpose)):
        raise KeyManagementError(
            f"{city.of(purpose.holder)} holds other keys than {city.trust} announces"
        )
