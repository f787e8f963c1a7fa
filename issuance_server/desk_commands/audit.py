"""``issuance-server audit verify``: the journal against its signed checkpoints."""

import argparse
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime

from issuance_server.adapters.sqlite.queries import CheckpointRow
from issuance_server.app import City
from issuance_server.control import wire
from issuance_server.core.audit_tree import AuditTree, checkpoint_statement
from issuance_server.desk_commands.parsing import Commands, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import print_json
from keys.key_record import Purpose
from protocol.errors import SetUpError
from protocol.statements import signature_holds

_MS_PER_S = 1_000


@dataclass(slots=True)
class Verification:
    """What was found."""

    records: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)


async def verify_audit(city: City, arguments: argparse.Namespace) -> int:
    """Rebuild the tree from the journal and hold it against every signed checkpoint.

    Finds a record that was changed, removed, added or moved before the last checkpoint.

    Returns:
        0 if everything holds, 1 if not.
    """
    found = await verify(city)
    if arguments.json:
        print_json(
            {
                "records": found.records,
                "checkpoints": found.checkpoints,
                "faults": found.faults,
                "holds": not found.faults,
            }
        )
    for fault in found.faults:
        sys.stderr.write(f"audit: {fault}\n")
    if not arguments.json:
        holds = "does not hold" if found.faults else "holds"
        sys.stdout.write(
            f"the audit record {holds}: {found.records} records,"
            f" {found.checkpoints} signed checkpoints\n"
        )
    return 1 if found.faults else 0


async def verify(city: City) -> Verification:
    """Return what a verification finds."""
    found = Verification()
    checkpoints = {row.size: row for row in await _checkpoints(city)}
    tree = AuditTree()
    expected_seq = 1
    after = 0
    while True:
        answer = await ask(city, wire.ReadJournal(after=after))
        if not isinstance(answer, wire.Journal):
            raise SetUpError("the server gave another answer than was asked")
        for row in answer.rows:
            if row.seq != expected_seq:
                found.faults.append(f"record {expected_seq} is missing")
                expected_seq = row.seq
            expected_seq += 1
            tree.append(row.record)
            checkpoint = checkpoints.pop(tree.size, None)
            if checkpoint is not None:
                _compare(city, tree, checkpoint, found)
        if not answer.rows:
            break
        after = answer.rows[-1].seq
    found.records = tree.size
    for size in sorted(checkpoints):
        if size > tree.size:
            found.faults.append(f"a checkpoint names {size} records, there are {tree.size}")
    return found


def add_commands(commands: Commands) -> None:
    """Add ``audit``."""
    group = commands.add_parser("audit", help="verify the audit record")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    verified = actions.add_parser("verify", help="the journal against its signed checkpoints")
    add_config(verified, json=True)
    verified.set_defaults(run=of_city(verify_audit))


async def _checkpoints(city: City) -> list[CheckpointRow]:
    rows: list[CheckpointRow] = []
    while True:
        after = rows[-1].size if rows else 0
        answer = await ask(city, wire.ReadCheckpoints(after=after))
        if not isinstance(answer, wire.Checkpoints):
            raise SetUpError("the server gave another answer than was asked")
        if not answer.rows:
            return rows
        rows += answer.rows


def _compare(city: City, tree: AuditTree, row: CheckpointRow, found: Verification) -> None:
    found.checkpoints += 1
    signed = checkpoint_statement(
        city=city.config.city.code, size=row.size, root=row.root, at_ms=row.at_ms
    )
    signed_at = datetime.fromtimestamp(row.at_ms / _MS_PER_S, UTC)
    keys = [key for key in city.keys.trust.of(Purpose.CHECKPOINT) if key.spoke_at(signed_at)]
    if not any(signature_holds(key.public, row.signature, signed) for key in keys):
        found.faults.append(f"the checkpoint at {row.size} records has a wrong signature")
    elif tree.root() != row.root:
        found.faults.append(f"the first {row.size} records are not those that were signed")
