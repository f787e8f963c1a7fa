"""What is done to keys: made, rotated, activated, revoked, destroyed (``docs/keys.md``).

Every act is a row of files written one after the other, each whole or not at all, in an order in
which any beginning of the row is a good state: a new key is announced before it signs, and signs
before the old one retires. The same command given again finishes what was begun.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from keys import file_store
from keys.authority import Authority
from keys.city_folder import CityFolder
from keys.key_record import (
    ANNOUNCED,
    SECRET_BYTES,
    KeyRecord,
    Naming,
    Purpose,
    change_record,
    newest_active,
    write_record,
)
from keys.key_states import KeyAct, KeyState
from keys.pepper_use import cards_under
from keys.pin_sealing import PinOpener
from keys.signing import SigningKey
from keys.storage_key import Holder, StorageKey
from keys.trust import CityTrust, TerminalTrust
from protocol.errors import KeyManagementError, Misuse
from protocol.secret import Secret

ROTATED = (
    Purpose.SERVER,
    Purpose.BINDING,
    Purpose.CHECKPOINT,
    Purpose.PIN_OPENING,
    Purpose.VERDICT,
    Purpose.PEPPER,
    Purpose.CODE,
    Purpose.BACK,
)
"""The purposes that ``rotate`` takes. Day keys change by themselves; the authority does not."""
WAIT_FOR_TERMINALS = (Purpose.BINDING, Purpose.CHECKPOINT)
"""A terminal must know these before they sign, so a new one waits as *next* until activated
(TP-123)."""
TOLD_TO_TERMINALS = (Purpose.BINDING, Purpose.CHECKPOINT, Purpose.PIN_OPENING)
"""Of these a terminal knows the public halves that ``distribute`` tells it."""
UNTIL_DESTROYED = (Purpose.PEPPER, Purpose.BACK)
"""Of these a retiring one is accepted without end: cards and paper outlive any overlap."""
OVERLAP = timedelta(days=7)
"""For so long a retiring key is accepted, unless the command says otherwise."""
CERTIFIED_BEFORE = timedelta(minutes=5)
"""Certificates begin this much before they are made, for the other end's clock may be slow."""


class Changed(NamedTuple):
    """What a command did.

    Attributes:
        record: the key that it was about, as it is now.
        finished: it made nothing new, but finished what an earlier command had begun.
    """

    record: KeyRecord
    finished: bool = False


def new_record(
    purpose: Purpose, storage_key: StorageKey, named: Naming, authority: Authority | None = None
) -> KeyRecord:
    """Draw a key and return its record.

    Args:
        purpose: what it is there for.
        storage_key: its holder's.
        named: number, time and state.
        authority: certifies a server's key.
    """
    match purpose:
        case Purpose.SERVER if authority is not None:
            line = authority.issue_server(authority.city, not_before=named.at - CERTIFIED_BEFORE)
            return KeyRecord.make(
                purpose,
                line.signing_key.seed(),
                storage_key,
                named=named,
                public=line.public_key,
                certificate=line.certificate_pem,
            )
        case Purpose.PIN_OPENING:
            opener = PinOpener.generate()
            public = opener.public_key
            return KeyRecord.make(purpose, opener.seed(), storage_key, named=named, public=public)
        case Purpose.BINDING | Purpose.CHECKPOINT | Purpose.VERDICT | Purpose.CODE:
            key = SigningKey.generate()
            public = key.public_key
            return KeyRecord.make(purpose, key.seed(), storage_key, named=named, public=public)
        case Purpose.PEPPER | Purpose.BACK:
            drawn = Secret(secrets.token_bytes(SECRET_BYTES))
            return KeyRecord.make(purpose, drawn, storage_key, named=named)
        case _:
            raise Misuse(f"no {purpose.value} key is made here")


def rotate(
    city: CityFolder, purpose: Purpose, *, now: datetime, overlap: timedelta | None = None
) -> Changed:
    """Make a new key and let it take over; one that terminals must know first waits as *next*.

    Args:
        city: the city's key folder.
        purpose: one of ``ROTATED``.
        now: the real time, with a time zone.
        overlap: for how long the old key is accepted; None for ``OVERLAP``. A pepper and a secret
            of backs are accepted until they are destroyed, whatever this says.

    Raises:
        KeyManagementError: the holder's folder, its storage key or the authority is not at hand.
    """
    if purpose not in ROTATED:
        raise Misuse(f"{purpose.value} keys are not rotated")
    with _changing(city, purpose):
        if _lacks_backs(city, purpose):
            first = new_record(purpose, city.storage_key(purpose.holder), Naming(number=1, at=now))
            write_record(city.of(purpose.holder), first)
            return Changed(first)
        records = _records(city, purpose)
        waiting = _waiting(records)
        finished = waiting is not None or not _settled(city, purpose, records)
        if not finished:
            named = Naming(number=records[-1].number + 1, at=now, state=KeyState.NEXT)
            waiting = new_record(
                purpose, city.storage_key(purpose.holder), named, _authority(city, purpose)
            )
            write_record(city.of(purpose.holder), waiting)
        announce(city, purpose)
        if waiting is not None and purpose in WAIT_FOR_TERMINALS:
            return Changed(waiting, finished)
        return Changed(_take_over(city, purpose, now, overlap), finished)


def activate(
    city: CityFolder, purpose: Purpose, *, now: datetime, overlap: timedelta | None = None
) -> Changed:
    """Let the *next* key take over, once the terminals were told of it.

    Raises:
        KeyManagementError: there is none, or nothing that was distributed has it.
    """
    with _changing(city, purpose):
        records = _records(city, purpose)
        waiting = _waiting(records)
        if waiting is None and _settled(city, purpose, records):
            raise KeyManagementError(
                f"no {purpose.value} key waits to be activated; make one: "
                f"issuance-keys rotate {purpose.value} {city.root}"
            )
        if waiting is not None and not _distributed(city, waiting):
            raise KeyManagementError(
                f"no terminal can know key {waiting.key_id} yet; first give them what "
                f"this writes: issuance-keys distribute {city.root} --out FOLDER"
            )
        return Changed(_take_over(city, purpose, now, overlap), finished=waiting is None)


def revoke(city: CityFolder, key: str | Purpose, *, now: datetime) -> list[KeyRecord]:
    """Have keys accepted never again.

    Args:
        city: the city's key folder.
        key: a key id; or a purpose, for all its keys that are older than the active one.
        now: the real time, with a time zone.

    Returns:
        the revoked keys.

    Raises:
        KeyManagementError: unknown; or the key is the one in use, and no other can take its place.
    """
    purpose = key if isinstance(key, Purpose) else find(city, key).purpose
    with _changing(city, purpose):
        records = _records(city, purpose)
        in_use = newest_active(records)
        if isinstance(key, Purpose):
            chosen = [r for r in records if in_use and r.number < in_use.number and not _over(r)]
        else:
            chosen = [record for record in records if record.key_id == key]
        nothing_left = not chosen and _settled(city, purpose, records)
        if nothing_left or chosen == [in_use]:
            raise KeyManagementError(
                f"the only {purpose.value} key in use cannot be revoked; let another take its "
                f"place first: issuance-keys rotate {purpose.value} {city.root}"
            )
        revoked = [record.after(KeyAct.REVOKE, now) for record in chosen]
        for record in revoked:
            change_record(city.of(purpose.holder), record)
        announce(city, purpose)
    return revoked


def destroy(
    city: CityFolder, key_id: str, *, now: datetime, pin_store: Path | None = None
) -> KeyRecord:
    """Destroy a key's secret for ever; its public half and its times remain.

    Args:
        city: the city's key folder.
        key_id: of a key that is revoked, or retiring and past its time.
        now: the real time, with a time zone.
        pin_store: the PIN judge's database, for a pepper that was not revoked.

    Raises:
        KeyManagementError: unknown, or still in use; the text says what to do first.
    """
    purpose = find(city, key_id).purpose
    with _changing(city, purpose):
        record = next(r for r in _records(city, purpose) if r.key_id == key_id)
        _refuse_if_used(city, record, now, pin_store)
        destroyed = record.after(KeyAct.DESTROY, now)
        if destroyed != record:
            change_record(city.of(purpose.holder), destroyed)
        announce(city, purpose)
    return destroyed


def find(city: CityFolder, key_id: str) -> KeyRecord:
    """Return the record of a key id.

    Raises:
        KeyManagementError: no key here has it, or it is the authority's.
    """
    for purpose in ROTATED:
        for record in city.records(purpose):
            if record.key_id == key_id:
                return record
    if any(record.key_id == key_id for record in city.records(Purpose.AUTHORITY)):
        raise KeyManagementError(
            "the authority's key cannot be replaced alone: every terminal trusts it; "
            "make the city's keys anew and admit the terminals again (docs/keys.md)"
        )
    raise KeyManagementError(
        f"no key {key_id} is in {city.root}; issuance-keys list shows the key ids"
    )


def announce(city: CityFolder, purpose: Purpose) -> None:
    """Bring ``trust/city.json`` up to the records of a purpose.

    Raises:
        KeyManagementError: a record or the trust is damaged, or the disk refuses.
    """
    if purpose not in ANNOUNCED:
        return
    trust = CityTrust.load(city.trust)
    told = trust.with_keys(purpose, tuple(r.open_half for r in city.records(purpose)))
    if told != trust:
        told.save(city.trust)


@contextmanager
def _changing(city: CityFolder, purpose: Purpose) -> Iterator[None]:
    with city.changing():
        if city.of(purpose.holder).is_dir():
            file_store.clear_leftovers(city.of(purpose.holder))
        file_store.clear_leftovers(city.trust)
        yield


def _records(city: CityFolder, purpose: Purpose) -> list[KeyRecord]:
    records = city.records(purpose)
    if not records:
        raise KeyManagementError(
            f"{city.of(purpose.holder)} holds no {purpose.value} key; "
            "this is done where the holder's folder is kept"
        )
    return records


def _lacks_backs(city: CityFolder, purpose: Purpose) -> bool:
    """Tell whether a city was made when sheets had no backs, and shall have its first secret."""
    return (
        purpose is Purpose.BACK and not city.records(purpose) and bool(city.records(Purpose.CODE))
    )


def _waiting(records: list[KeyRecord]) -> KeyRecord | None:
    """Return the key that waits to take over: the newest one, if it is *next*."""
    return records[-1] if records[-1].state is KeyState.NEXT else None


def _settled(city: CityFolder, purpose: Purpose, records: list[KeyRecord]) -> bool:
    """Tell whether nothing was left half done: one key is active, and all are announced."""
    active = [record for record in records if record.state is KeyState.ACTIVE]
    announced = CityTrust.load(city.trust).of(purpose)
    told = tuple(record.open_half for record in records) if purpose in ANNOUNCED else ()
    return len(active) == 1 and announced == told


def _take_over(
    city: CityFolder, purpose: Purpose, now: datetime, overlap: timedelta | None
) -> KeyRecord:
    """Activate what waits, then retire what it takes the place of."""
    folder = city.of(purpose.holder)
    waiting = _waiting(_records(city, purpose))
    if waiting is not None:
        change_record(folder, waiting.after(KeyAct.ACTIVATE, now))
    records = _records(city, purpose)
    newest = max((r for r in records if r.state is KeyState.ACTIVE), key=lambda r: r.number)
    accepted_for = None if purpose in UNTIL_DESTROYED else overlap or OVERLAP
    for record in records:
        if record.state is KeyState.ACTIVE and record is not newest:
            change_record(folder, record.after(KeyAct.RETIRE, now, overlap=accepted_for))
    announce(city, purpose)
    return newest


def _authority(city: CityFolder, purpose: Purpose) -> Authority | None:
    if purpose is not Purpose.SERVER:
        return None
    return Authority.load(city.of(Holder.AUTHORITY), city.storage_key(Holder.AUTHORITY))


def _distributed(city: CityFolder, record: KeyRecord) -> bool:
    if not (city.trust / TerminalTrust.FILE).exists():
        return False
    told = TerminalTrust.load(city.trust)
    return record.public in (*told.binding_keys, *told.checkpoint_keys)


def _over(record: KeyRecord) -> bool:
    return record.state in (KeyState.REVOKED, KeyState.DESTROYED)


def _refuse_if_used(
    city: CityFolder, record: KeyRecord, now: datetime, pin_store: Path | None
) -> None:
    """Raise, with the way out, if a key still has work to do."""
    what = f"{record.purpose.value} key {record.key_id}"
    if record.state is KeyState.ACTIVE:
        raise KeyManagementError(
            f"{what} is in use; let another take its place first: "
            f"issuance-keys rotate {record.purpose.value} {city.root}"
        )
    if record.state is KeyState.NEXT:
        raise KeyManagementError(f"{what} waits to be used; give it up first: issuance-keys revoke")
    if record.state is not KeyState.RETIRING:
        return
    if record.until is not None and record.accepted(now):
        raise KeyManagementError(
            f"{what} is accepted until {record.until:%Y-%m-%dT%H:%M:%SZ}; "
            "wait, or have it accepted no more: issuance-keys revoke"
        )
    if record.purpose is Purpose.BACK:
        raise KeyManagementError(
            f"sheets that were issued under {what} can be compared with their backs only while it "
            "is there; if that shall end: issuance-keys revoke"
        )
    if record.purpose is Purpose.PEPPER:
        if pin_store is None:
            raise KeyManagementError(
                f"whether cards still need {what} stands in the PIN judge's database; "
                "name it with --pin-store FILE"
            )
        cards = cards_under(pin_store, record.key_id)
        if cards:
            raise KeyManagementError(
                f"{cards} cards still need {what}; each changes to the new one at its next right "
                "PIN. Revoke the pepper only if these cards shall be registered anew"
            )
