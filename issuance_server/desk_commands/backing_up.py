"""``issuance-server backup``: a copy of the city as of one moment, while it is served."""

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from issuance_server import config
from issuance_server.adapters.backup import copying, folder
from issuance_server.adapters.pin_judge import store_file
from issuance_server.adapters.sqlite.schema import SCHEMA_VERSION
from issuance_server.city import City, software
from issuance_server.desk_commands.parsing import Commands, add_config
from issuance_server.desk_commands.progress import Progress
from issuance_server.observe.logging import log
from keys import file_store
from keys.city_folder import OPERATORS_FOLDER, TRUST_FOLDER
from keys.key_record import Purpose
from keys.trust import CityTrust, TerminalTrust
from protocol.errors import SetUpError
from protocol.statements import signature_holds

_MS_PER_S = 1_000
_KEYS = Path("keys")
_PUBLIC_OF_OPERATORS = ("*.pub", "former/*.json")


def back_up(arguments: argparse.Namespace) -> int:
    """Write a backup into a new folder.

    Raises:
        KofuError: it could not be made, and nothing of it is left.
    """
    log.configure(log_format="console", level="info")
    city = City.load(arguments.config, config.load(arguments.config))
    out: Path = arguments.out
    if out.exists():
        raise SetUpError(f"{out} is there already; give the name of a new folder with --out")
    if not out.absolute().parent.is_dir():
        raise SetUpError(f"{out} cannot be made: the folder above it does not exist")
    made: list[tuple[folder.Contents, int]] = []
    file_store.create_folder_whole(
        out.absolute(), lambda place: made.append(_fill(place, city, arguments))
    )
    contents, snapshot_ms = made[0]
    if arguments.verify:
        verified(out, city.keys.trust)
    length_bytes = sum(one.length_bytes for one in contents.files)
    log(
        "backup.made",
        records=contents.records,
        length_bytes=length_bytes,
        snapshot_ms=snapshot_ms,
        cards_apart=contents.cards_apart,
    )
    signed = contents.checkpoint.size if contents.checkpoint else 0
    checked = ", read again and found good" if arguments.verify else ""
    sys.stdout.write(
        f"{out}: city {contents.city} as of {_time(contents.made_at_ms)}: {contents.records}"
        f" records, {signed} of them signed; {length_bytes} bytes in {len(contents.files)}"
        f" files{checked}\nno private key is in it; keep the keys apart from it\n"
    )
    return 0


def verified(backup: Path, trust: CityTrust) -> folder.Contents:
    """Read a backup again and hold it against what is signed.

    Raises:
        SetUpError: it is not as it was made.
    """
    return folder.read_backup(backup, city=trust.city, signature_holds=_signed_by(trust))


def add_commands(commands: Commands) -> None:
    """Add ``backup``."""
    parser = commands.add_parser(
        "backup",
        help="copy the city into a folder while it is served",
        epilog="exit status: 0 done, 1 not done, 2 usage; docs/operating/backup.md tells the rest",
    )
    add_config(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read everything again and hold it against the digests",
    )
    parser.add_argument(
        "--snapshot-ms",
        type=_snapshot_ms,
        default=copying.SNAPSHOT_MS_MAX,
        metavar="MS",
        help="how long deletions may wait for the copying (%(default)s,"
        f" at most {copying.SNAPSHOT_MS_LIMIT})",
    )
    parser.set_defaults(run=back_up)


def _fill(place: Path, city: City, arguments: argparse.Namespace) -> tuple[folder.Contents, int]:
    made_at_ms = time.time_ns() // 1_000_000
    paths = city.paths
    with (
        Progress("copying", 100) as progress,
        copying.copied(
            paths.database,
            paths.pin_judge,
            snapshot_ms_max=arguments.snapshot_ms,
            tell=lambda done, whole: progress(100 * done // max(1, whole)),
        ) as copies,
    ):
        records = copies.city.execute("SELECT size FROM audit_frontier").fetchone()[0]
        latest = copies.city.execute(
            "SELECT size, root, at_ms, signature FROM audit_checkpoint ORDER BY size DESC LIMIT 1"
        ).fetchone()
        copying.write_copy(copies.city, place / folder.CITY)
        copying.write_copy(copies.judge, place / folder.JUDGE)
        snapshot_ms, cards_apart = copies.snapshot_ms, copies.cards_apart
    names = [folder.CITY, folder.JUDGE, folder.CONFIG]
    copying.copy_file(arguments.config, place / folder.CONFIG)
    names += _copy_public(paths.keys, file_store.private_folder(place / _KEYS))
    contents = folder.Contents(
        city=city.config.city.code,
        software=software(),
        made_at_ms=made_at_ms,
        schema=SCHEMA_VERSION,
        judge_schema=store_file.SCHEMA_VERSION,
        records=records,
        checkpoint=latest and folder.SignedSize(**dict(zip(_CHECKPOINT, latest, strict=True))),
        trust_serial=TerminalTrust.load(paths.key_folder.trust).serial,
        cards_apart=cards_apart,
        files=tuple(folder.described(place, name) for name in names),
    )
    contents = contents.signed(city.keys.checkpoint.sign)
    file_store.write_private(place / folder.CONTENTS, folder.written(contents))
    return contents, snapshot_ms


_CHECKPOINT = ("size", "root", "at_ms", "signature")


def _copy_public(keys: Path, place: Path) -> Iterator[str]:
    """Copy what is public of the keys, and give the names."""
    trust = [path for path in (keys / TRUST_FOLDER).rglob("*") if path.is_file()]
    people = [
        path for glob in _PUBLIC_OF_OPERATORS for path in (keys / OPERATORS_FOLDER).glob(glob)
    ]
    for path in sorted([*trust, *people]):
        if path.name.startswith("."):
            continue  # what a command is just writing
        name = path.relative_to(keys)
        file_store.private_folder((place / name).parent)
        copying.copy_file(path, place / name)
        yield (_KEYS / name).as_posix()


def _signed_by(trust: CityTrust) -> folder.SignatureHolds:
    def holds(at_ms: int, signature: bytes, statement: bytes) -> bool:
        try:
            moment = datetime.fromtimestamp(at_ms / _MS_PER_S, UTC)
        except (OverflowError, ValueError, OSError):
            return False
        keys = [key for key in trust.of(Purpose.CHECKPOINT) if key.spoke_at(moment)]
        return any(signature_holds(key.public, signature, statement) for key in keys)

    return holds


def _snapshot_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= copying.SNAPSHOT_MS_LIMIT):
        raise argparse.ArgumentTypeError(
            f"{text} is no time from 1 to {copying.SNAPSHOT_MS_LIMIT} milliseconds"
        )
    return int(text)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / _MS_PER_S).astimezone().isoformat(timespec="seconds")
