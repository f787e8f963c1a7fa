"""How terminals are told of keys (鍵配布): a signed, numbered file that only a newer one replaces.

The authority signs what every terminal may know; the number rises whenever the content changes. A
terminal takes a file only under the authority that it trusts already, and never a lower number, so
whoever carries the file need not be trusted, and an old one brings no old key back.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from keys import file_store
from keys.authority import Authority
from keys.city_folder import CityFolder
from keys.key_record import Purpose
from keys.storage_key import Holder
from keys.trust import BINDING_KEYS_MAX, CityTrust, TerminalTrust
from protocol.errors import KeyManagementError


def distribute(city: CityFolder, out: Path, now: datetime) -> TerminalTrust:
    """Write what terminals are told to ``trust.json`` of a folder.

    Args:
        city: the city's key folder, with the authority.
        out: made if it is not there; an older file in it is replaced.
        now: the real time, with a time zone.

    Raises:
        KeyManagementError: the authority is not at hand, or the folder holds a newer file.
    """
    with city.changing():
        file_store.clear_leftovers(city.trust)
        authority = Authority.load(city.of(Holder.AUTHORITY), city.storage_key(Holder.AUTHORITY))
        told = told_now(city, authority, now)
        file_store.private_folder(out)
        file_store.clear_leftovers(out)
        if (out / TerminalTrust.FILE).exists():
            there = TerminalTrust.load(out)
            if (there.city, told.serial) < (told.city, there.serial) or there.city != told.city:
                raise KeyManagementError(
                    f"{out} holds number {there.serial} of city {there.city}, which {told.serial} "
                    f"of {told.city} cannot replace; give another folder"
                )
        told.save(out)
    return told


def told_now(city: CityFolder, authority: Authority, now: datetime) -> TerminalTrust:
    """Return what terminals are told, signed; under a new number only if it changed.

    The latest file is kept in ``trust/``; it is there before anybody can get it.

    Args:
        city: the city's key folder, held by the caller.
        authority: signs.
        now: the real time, with a time zone.

    Raises:
        KeyManagementError: more binding keys are accepted than a terminal takes.
    """
    announced = CityTrust.load(city.trust)
    latest = None
    if (city.trust / TerminalTrust.FILE).exists():
        latest = TerminalTrust.load(city.trust)
    told = TerminalTrust(
        city=announced.city,
        serial=1 if latest is None else latest.serial + 1,
        issued_at=now.replace(microsecond=0),
        authority_certificate=authority.certificate_pem,
        pin_sealing_key=announced.newest(Purpose.PIN_OPENING),
        binding_keys=announced.accepted(Purpose.BINDING, now),
        checkpoint_keys=announced.accepted(Purpose.CHECKPOINT, now),
    )
    if len(told.binding_keys) > BINDING_KEYS_MAX or len(told.checkpoint_keys) > BINDING_KEYS_MAX:
        raise KeyManagementError(
            f"more than {BINDING_KEYS_MAX} keys of one purpose are accepted, and a terminal takes "
            "no more; revoke the oldest: issuance-keys list shows them"
        )
    if latest is not None and latest.tells_the_same(told):
        return latest
    signed = msgspec.structs.replace(told, signature=authority.signing_key.sign(told.statement()))
    signed.save(city.trust)
    return signed


def take_trust(keys: Path, source: Path) -> tuple[TerminalTrust, bool]:
    """Let a terminal take what it is told, if it is newer than what it knows.

    Args:
        keys: the terminal's key folder.
        source: the folder with the new ``trust.json``.

    Returns:
        what the terminal knows from now on, and whether it is new.

    Raises:
        KeyManagementError: it is of another city, not signed by the authority that the terminal
            trusts, or older.
    """
    known, offered = TerminalTrust.load(keys), TerminalTrust.load(source)
    if offered.city != known.city:
        raise KeyManagementError(
            f"{source} is of city {offered.city}; this terminal has a line to {known.city}"
        )
    same_authority = offered.authority_certificate == known.authority_certificate
    if not same_authority or not offered.signed_under(known.authority_certificate):
        raise KeyManagementError(
            f"{source} is not signed by the authority that this terminal trusts; "
            "a terminal of another authority is admitted anew: issuance-keys terminal create"
        )
    if offered == known:
        return known, False
    if offered.serial <= known.serial:
        raise KeyManagementError(
            f"{source} has number {offered.serial}, and this terminal knows {known.serial}; "
            "take the latest: issuance-keys distribute"
        )
    file_store.clear_leftovers(keys)
    offered.save(keys)
    return offered, True
