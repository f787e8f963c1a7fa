"""``issuance-server restore``: puts a city back from a backup, and believes it nothing unsigned."""

import argparse
import asyncio
import os
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from issuance_server import config
from issuance_server.adapters.backup import folder, placing
from issuance_server.adapters.backup.placing import Places
from issuance_server.adapters.backup.replaying import Replayed, begin_anew, replay
from issuance_server.adapters.file_lock import only_one, take_lock
from issuance_server.adapters.pin_judge import restoring
from issuance_server.adapters.system import SystemClock, business_start_ms
from issuance_server.city import City
from issuance_server.core.audit_verification import Journal, SignedRoot, verify_journal
from issuance_server.core.facts import Now
from issuance_server.core.records import Restored
from issuance_server.desk_commands import audit_export
from issuance_server.desk_commands.audit import signed_by
from issuance_server.desk_commands.backing_up import verified
from issuance_server.desk_commands.parsing import CONFIG_FILE, Commands
from issuance_server.observe.logging import log
from keys import file_store
from keys.city_keys import load_judge_keys
from keys.trust import TerminalTrust
from protocol.errors import SetUpError

_MS_PER_S = 1_000
_LOCK_WAIT_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What a restore did."""

    restored: Restored
    withdrawn: int
    cards: int
    replayed: Replayed
    moved: list[Path]


def restore(arguments: argparse.Namespace) -> int:
    """Put a city back into its folder.

    Raises:
        KofuError: it cannot be; the text says why, and nothing was changed.
    """
    log.configure(log_format="console", level="info")
    if arguments.until is not None and arguments.journal is None:
        raise SetUpError("--until needs --journal FILE: the records that came after the backup")
    target: Path = arguments.folder
    configured = _config_file(target, arguments.backup)
    loaded = config.load(configured)
    if configured != target / CONFIG_FILE:
        _check_inside(target, loaded)
    city = City.load(target / CONFIG_FILE, loaded)
    contents = verified(arguments.backup, city.keys.trust)
    now = SystemClock(business_start_ms(city.config.clock.business)).now()
    if now.real_ms <= contents.made_at_ms:
        raise SetUpError("this machine's clock is behind the time of the backup; set it right")
    _check_trust(city, contents)
    places = Places(city=city.paths.database, judge=city.paths.pin_judge)
    if places.there() and not arguments.replace:
        raise SetUpError(
            f"{target} holds a city already ({places.there()[0].name}); give another folder, or"
            " --replace to move it aside"
        )
    done = asyncio.run(_alone(city, places, _Asked(arguments, contents, now)))
    if configured != target / CONFIG_FILE:
        shutil.copyfile(configured, target / CONFIG_FILE)
    _tell(target, contents, done)
    return 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted, of which backup, and when."""

    arguments: argparse.Namespace
    contents: folder.Contents
    now: Now


def add_commands(commands: Commands) -> None:
    """Add ``restore``."""
    parser = commands.add_parser(
        "restore",
        help="put a city back from a backup",
        epilog="exit status: 0 done, 1 nothing changed, 2 usage; docs/operating/backup.md tells"
        " what has to follow",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="of the city, with its keys")
    parser.add_argument(
        "--from", dest="backup", type=Path, required=True, metavar="FOLDER", help="the backup"
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="also what came after the backup: an export of the audit record",
    )
    parser.add_argument(
        "--until",
        type=_moment,
        metavar="TIME",
        help="with --journal: up to this time, such as 2026-11-24T10:00:00+09:00",
    )
    parser.add_argument(
        "--replace", action="store_true", help="move aside what is there; it is not deleted"
    )
    parser.set_defaults(run=restore)


def _config_file(target: Path, backup: Path) -> Path:
    """Return the configuration: the city's own, or that of the backup where there is none."""
    own = target / CONFIG_FILE
    if own.exists():
        return own
    if not target.is_dir():
        raise SetUpError(
            f"{target} does not exist; make it and put the copy of the city's keys into it: they"
            " are in no backup"
        )
    return backup / folder.CONFIG


def _check_inside(target: Path, loaded: config.Config) -> None:
    """Refuse a configuration of a backup that leads elsewhere; nobody has vouched for it yet."""
    root = target.resolve()
    storage = loaded.storage
    named = (storage.database, storage.pin_judge, storage.keys, storage.storage_keys)
    for place in named:
        if not (root / place).resolve().is_relative_to(root):
            raise SetUpError(
                f"the backup's configuration names {place}, which lies outside of {target}; if that"
                f" is right, put {CONFIG_FILE} there yourself"
            )


def _check_trust(city: City, contents: folder.Contents) -> None:
    serial = TerminalTrust.load(city.paths.key_folder.trust).serial
    if serial < contents.trust_serial:
        raise SetUpError(
            f"the keys in {city.paths.keys} are older than the backup: trust.json has the number"
            f" {serial}, then it was {contents.trust_serial}; put the newer keys in place"
        )


async def _alone(city: City, places: Places, asked: _Asked) -> _Done:
    """Do it while no server and no PIN judge works there."""
    for place in (places.city, places.judge):
        file_store.private_folder(place.parent)
    async with only_one(places.city, wait_ms=_LOCK_WAIT_MS):
        in_use = f"{places.judge} is in use by a PIN judge; stop that server first"
        handle = await take_lock(places.judge, wait_ms=_LOCK_WAIT_MS, in_use=in_use)
        try:
            return _put_back(city, places, asked)
        finally:
            os.close(handle)


def _put_back(city: City, places: Places, asked: _Asked) -> _Done:
    arguments, contents, now = asked.arguments, asked.contents, asked.now
    backup = Places(
        city=arguments.backup / folder.CITY,
        judge=arguments.backup / folder.JUDGE,
    )
    judge_keys = load_judge_keys(city.paths.keys, storage=city.paths.key_folder.storage)
    with placing.prepared(backup, places) as new:
        for database in (new.city, new.judge):
            placing.check_sound(database)
        restoring.check_peppers(new.judge, judge_keys.peppers.key_ids)
        with placing.transaction(new.city) as connection:
            _check_journal(city, connection)
            replayed = _replayed(city, connection, arguments)
            restored, withdrawn = begin_anew(
                connection,
                now=now,
                backup_at_ms=contents.made_at_ms,
                used=placing.used_serials(places.city),
            )
        cards = restoring.put_back(new.judge, replayed.judge)
        stamp = datetime.fromtimestamp(now.real_ms / _MS_PER_S, UTC).strftime("%Y%m%dT%H%M%S")
        moved = placing.move_aside(places, places.city.parent / f"replaced-{stamp}")
        for day in city.keys.day_keys.days():  # whatever they wrap is of the city before
            city.keys.day_keys.destroy(day)
        placing.place(new, places)
    return _Done(
        restored=restored, withdrawn=withdrawn, cards=cards, replayed=replayed, moved=moved
    )


def _check_journal(city: City, connection: sqlite3.Connection) -> None:
    journal = Journal()
    for number, record in connection.execute("SELECT seq, record FROM journal ORDER BY seq"):
        journal.add(number, record)
    rows = connection.execute(
        "SELECT size, root, at_ms, signature, leaves FROM audit_checkpoint ORDER BY size"
    )
    checkpoints = [
        SignedRoot(size=size, root=root, at_ms=at_ms, signature=signature, leaves=leaves)
        for size, root, at_ms, signature, leaves in rows
    ]
    frontier = connection.execute("SELECT size, frontier FROM audit_frontier").fetchone()
    found = verify_journal(
        journal, checkpoints, frontier=frontier, signature_holds=signed_by(city.keys.trust)
    )
    if found.faults:
        raise SetUpError(f"the audit record in the backup does not hold: {found.faults[0]}")


def _replayed(
    city: City, connection: sqlite3.Connection, arguments: argparse.Namespace
) -> Replayed:
    """Take over what came after the backup, if an export is given and holds."""
    path: Path | None = arguments.journal
    if path is None:
        return Replayed()
    code, journal, checkpoints, frontier = audit_export.read_export(path)
    if code != city.config.city.code:
        raise SetUpError(f"{path} is of city {code}, not of {city.config.city.code}")
    found = verify_journal(
        journal, checkpoints, frontier=frontier, signature_holds=signed_by(city.keys.trust)
    )
    if found.faults:
        raise SetUpError(f"the audit record in {path} does not hold: {found.faults[0]}")
    return replay(connection, audit_export.leaves(path), checkpoints, arguments.until)


def _tell(target: Path, contents: folder.Contents, done: _Done) -> None:
    """Say what was done, and what people have to do now."""
    restored = done.restored
    log(
        "city.restored",
        records=restored.kept,
        replayed=done.replayed.records,
        withdrawn=done.withdrawn,
        first_serial=restored.first_serial,
        cards=done.cards,
    )
    sys.stdout.write(
        f"{target}: city {contents.city}, backup of {_time(contents.made_at_ms)} and"
        f" {done.replayed.records} records after it: {restored.kept} records are kept\n"
        f"numbers of certificates begin at {restored.first_serial}; issuances withdrawn:"
        f" {done.withdrawn}; cards with one try until the counter clears them: {done.cards}\n"
        "every line opens with new keys when the server starts; witnesses of the audit record from"
        " after the backup end here: announce the restore\n"
    )
    if done.moved:
        sys.stdout.write(f"what was there lies in {done.moved[0].parent}\n")
    if done.replayed.to_do_again:
        sys.stdout.write("to be done again, for no journal holds all of it:\n")
    for sentence in done.replayed.to_do_again:
        sys.stdout.write(f"  {sentence}\n")
    if contents.cards_apart:
        sys.stdout.write(
            f"{contents.cards_apart} cards are taken by the judge or the city alone; finish or"
            " cancel their registrations: issuance-server card register list\n"
        )


def _moment(text: str) -> int:
    """Read a time with its zone; return Unix time in milliseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text} is no time with a zone, such as 2026-11-24T10:00:00+09:00"
        )
    return int(moment.timestamp() * _MS_PER_S)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / _MS_PER_S).astimezone().isoformat(timespec="seconds")
