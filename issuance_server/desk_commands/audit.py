"""``issuance-server audit``: verify the journal, export it, and give checkpoints to witnesses."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from issuance_server.adapters.sqlite.queries import CheckpointRow, FrontierRow, JournalRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.core.audit_verification import (
    Journal,
    SignedRoot,
    Verification,
    verify_journal,
)
from issuance_server.desk_commands import audit_export as export
from issuance_server.desk_commands.parsing import Commands, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import print_json
from keys.key_record import Purpose
from keys.trust import CityTrust
from protocol.checkpoint import checkpoint_statement
from protocol.errors import SetUpError
from protocol.statements import signature_holds

_MS_PER_S = 1_000
_BEFORE_ALL = -(2**63)  # a record that somebody put before the first is read, too


async def verify_audit(city: City, arguments: argparse.Namespace) -> int:
    """Hold the journal against its signed checkpoints, its frontier, and those of witnesses.

    Returns:
        0 if everything holds, 1 if not.
    """
    journal = Journal()
    checkpoints, frontier = await collect(city, lambda row: journal.add(row.seq, row.record))
    found = verify_journal(
        journal,
        [_signed_root(row) for row in checkpoints],
        frontier=(frontier.size, frontier.frontier),
        witnesses=_witnesses(arguments, city.keys.trust),
        signature_holds=signed_by(city.keys.trust),
    )
    return _tell(found, arguments)


def verify_export(arguments: argparse.Namespace) -> int:
    """Do the same with an export and public keys alone.

    Raises:
        KofuError: a file or the keys cannot be read, or do not fit.
    """
    if arguments.trust is None:
        raise SetUpError("--export needs --trust FOLDER: whose keys are believed")
    trust = CityTrust.load(arguments.trust)
    city, journal, checkpoints, frontier = export.read_export(arguments.export)
    if city != trust.city:
        raise SetUpError(
            f"{arguments.export} is of city {city}, the keys in {arguments.trust} of {trust.city}"
        )
    found = verify_journal(
        journal,
        checkpoints,
        frontier=frontier,
        witnesses=_witnesses(arguments, trust),
        signature_holds=signed_by(trust),
    )
    return _tell(found, arguments)


async def export_audit(city: City, arguments: argparse.Namespace) -> int:
    """Write the whole audit record to a file."""
    code = city.config.city.code
    with export.written(arguments.out) as file:
        export.write_line(file, export.Begin(city=code))
        checkpoints, frontier = await collect(
            city,
            lambda row: export.write_line(file, export.Leaf(number=row.seq, record=row.record)),
        )
        for row in checkpoints:
            export.write_line(file, _checkpoint(code, row, leaves=row.leaves))
        end = export.End(size=frontier.size, frontier=frontier.frontier)
        export.write_line(file, end)
    sys.stdout.write(f"{arguments.out}: {frontier.size} records, {len(checkpoints)} checkpoints\n")
    return 0


async def give_checkpoint(city: City, arguments: argparse.Namespace) -> int:
    """Write the latest signed checkpoint to a file, for somebody outside to keep.

    Raises:
        SetUpError: nothing was signed yet.
    """
    checkpoints, _ = await _checkpoints(city)
    if not checkpoints:
        raise SetUpError("nothing was signed yet; try again when the server has run")
    latest = checkpoints[-1]
    with export.written(arguments.out) as file:
        export.write_line(file, _checkpoint(city.config.city.code, latest))
    sys.stdout.write(f"{arguments.out}: {latest.size} records\n")
    return 0


async def collect(
    city: City, take: Callable[[JournalRow], None]
) -> tuple[list[CheckpointRow], FrontierRow]:
    """Read the whole audit record, while a server may be adding to it.

    Args:
        city: the city.
        take: gets every record in order.

    Returns:
        The checkpoints, and a frontier that is of the records that were taken.
    """
    checkpoints, stood = await _checkpoints(city)
    after = _BEFORE_ALL
    passed = False  # one page more than there was: a busy server would never let this end
    while not passed and (rows := await _journal(city, after)):
        passed = after >= stood.size
        for row in rows:
            take(row)
        after = rows[-1].seq
    frontier = (await _page(city, after=2**62)).frontier
    while after < frontier.size and (rows := await _journal(city, after)):
        for row in rows:
            if row.seq <= frontier.size:
                take(row)
        after = rows[-1].seq
    return checkpoints, frontier


def signed_by(trust: CityTrust) -> Callable[[SignedRoot], bool]:
    """Return what tells whether the city signed a checkpoint, with a key that counted then."""

    def holds(checkpoint: SignedRoot) -> bool:
        try:
            signed_at = datetime.fromtimestamp(checkpoint.at_ms / _MS_PER_S, UTC)
        except (OverflowError, ValueError, OSError):  # a time that no calendar has
            return False
        signed = checkpoint_statement(
            city=trust.city, size=checkpoint.size, root=checkpoint.root, at_ms=checkpoint.at_ms
        )
        keys = [key for key in trust.of(Purpose.CHECKPOINT) if key.spoke_at(signed_at)]
        return any(signature_holds(key.public, checkpoint.signature, signed) for key in keys)

    return holds


def add_commands(commands: Commands) -> None:
    """Add ``audit``."""
    group = commands.add_parser("audit", help="verify, export or witness the audit record")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    verified = actions.add_parser(
        "verify",
        help="the journal against its signed checkpoints",
        epilog="exit status: 0 it holds, 1 it does not, 2 usage",
    )
    add_config(verified, json=True)
    verified.add_argument(
        "--witness",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="also against a checkpoint that somebody kept; may be given several times",
    )
    verified.add_argument(
        "--export", type=Path, metavar="FILE", help="verify an export, without the city"
    )
    verified.add_argument(
        "--trust",
        type=Path,
        metavar="FOLDER",
        help="with --export: the city's public keys (issuance-keys export --out)",
    )
    verified.set_defaults(run=_verify)
    exported = actions.add_parser("export", help="write the whole audit record to a file")
    add_config(exported)
    exported.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    exported.set_defaults(run=of_city(export_audit))
    given = actions.add_parser("checkpoint", help="write the latest checkpoint for a witness")
    add_config(given)
    given.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    given.set_defaults(run=of_city(give_checkpoint))


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.export is not None:
        return verify_export(arguments)
    return of_city(verify_audit)(arguments)


def _tell(found: Verification, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(
            {
                "records": found.records,
                "checkpoints": found.checkpoints,
                "unsigned": found.unsigned,
                "faults": found.faults,
                "holds": not found.faults,
            }
        )
    for fault in found.faults:
        sys.stderr.write(f"audit: {fault}\n")
    if not arguments.json:
        holds = "does not hold" if found.faults else "holds"
        unsigned = f", {found.unsigned} records not yet signed" if found.unsigned else ""
        sys.stdout.write(
            f"the audit record {holds}: {found.records} records,"
            f" {found.checkpoints} signed checkpoints{unsigned}\n"
        )
    return 1 if found.faults else 0


async def _journal(city: City, after: int) -> Sequence[JournalRow]:
    answer = await ask(city, wire.ReadJournal(after=after))
    if not isinstance(answer, wire.Journal):
        raise SetUpError("the server gave another answer than was asked")
    return answer.rows


async def _checkpoints(city: City) -> tuple[list[CheckpointRow], FrontierRow]:
    rows: list[CheckpointRow] = []
    page = await _page(city, after=_BEFORE_ALL)
    stood = page.frontier
    while page.rows:
        rows += page.rows
        if rows[-1].size >= stood.size:  # what is signed meanwhile is for the next time
            break
        page = await _page(city, after=rows[-1].size)
    return rows, stood


async def _page(city: City, *, after: int) -> wire.Checkpoints:
    answer = await ask(city, wire.ReadCheckpoints(after=after))
    if not isinstance(answer, wire.Checkpoints):
        raise SetUpError("the server gave another answer than was asked")
    return answer


def _witnesses(arguments: argparse.Namespace, trust: CityTrust) -> list[SignedRoot]:
    return [export.read_witness(path, trust.city) for path in arguments.witness]


def _signed_root(row: CheckpointRow) -> SignedRoot:
    return SignedRoot(
        size=row.size,
        root=row.root,
        at_ms=row.at_ms,
        signature=row.signature,
        leaves=row.leaves,
    )


def _checkpoint(city: str, row: CheckpointRow, *, leaves: bytes = b"") -> export.Checkpoint:
    return export.Checkpoint(
        city=city,
        size=row.size,
        root=row.root,
        at_ms=row.at_ms,
        signature=row.signature,
        leaves=leaves,
    )
