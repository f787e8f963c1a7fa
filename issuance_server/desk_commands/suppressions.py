"""``issuance-server suppression list | add | lift``."""

import argparse
import secrets
import sys

from issuance_server.adapters.sqlite.suppressions import SuppressionRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.suppression_acts import addition_subject
from issuance_server.core.suppression import SubjectKind, SuppressionLevel, SuppressionReason
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, day, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError

_COLUMNS = ("suppression", "of", "number", "why", "level", "since", "last day", "set by")


async def list_suppressions(city: City, arguments: argparse.Namespace) -> int:
    """Print the suppressions that are in force."""
    answer = await ask(city, wire.ListSuppressions())
    if not isinstance(answer, wire.Suppressions):
        raise SetUpError("the server gave another answer than was asked")
    rows = [row for row in answer.rows if row.past or not arguments.past]
    if arguments.json:
        print_json(rows)
    else:
        print_table(_COLUMNS, (_cells(row) for row in rows))
    return 0


async def add_suppression(city: City, arguments: argparse.Namespace) -> int:
    """Stop issuing for a person or a household, signed by a named operator with a reason."""
    person = arguments.resident is not None
    added = wire.AddedSuppression(
        suppression_id=secrets.token_hex(wire.SUPPRESSION_ID_BYTES),
        subject_kind=SubjectKind.PERSON if person else SubjectKind.HOUSEHOLD,
        subject_id=arguments.resident if person else arguments.household,
        why=SuppressionReason(arguments.why),
        level=SuppressionLevel(arguments.level),
        until=arguments.until,
    )
    await do_act(
        city,
        arguments,
        act=wire.ACT_SUPPRESSION_ADD,
        subject=addition_subject(added),
        brought=added,
    )
    sys.stdout.write(f"{added.suppression_id}\n")
    sys.stderr.write("in force; it goes on until it is lifted under this number\n")
    return 0


async def lift_suppression(city: City, arguments: argparse.Namespace) -> int:
    """Lift a suppression for good, signed by two operators with a reason."""
    await do_act(city, arguments, act=wire.ACT_SUPPRESSION_LIFT, subject=arguments.suppression)
    sys.stderr.write(f"{arguments.suppression} is lifted\n")
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``suppression``."""
    group = commands.add_parser("suppression", help="stop issuing for a person or a household")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the suppressions that are in force")
    add_config(listed, json=True)
    listed.add_argument("--past", action="store_true", help="only those whose last day is over")
    listed.set_defaults(run=of_city(list_suppressions))
    added = actions.add_parser("add", help="set one; it works from the same moment on")
    subject = added.add_mutually_exclusive_group(required=True)
    subject.add_argument("--resident", metavar="ID", help="of this person (宛名番号)")
    subject.add_argument("--household", metavar="ID", help="of this household (世帯番号)")
    added.add_argument(
        "--why", required=True, choices=[one.value for one in SuppressionReason], help="a code"
    )
    added.add_argument(
        "--level",
        choices=[one.value for one in SuppressionLevel],
        default=SuppressionLevel.ERROR.value,
        help="what a counter does; a terminal refuses at both (%(default)s)",
    )
    added.add_argument(
        "--until",
        type=day,
        metavar="DAY",
        help="the last day that is meant, YYYY-MM-DD; a reminder, which ends nothing",
    )
    add_act(added)
    added.set_defaults(run=of_city(add_suppression))
    lifted = actions.add_parser("lift", help="end one for good (two operators)")
    lifted.add_argument("suppression", metavar="ID", help="its number, from the list")
    add_act(lifted, of_two=True)
    lifted.set_defaults(run=of_city(lift_suppression))


def _cells(row: SuppressionRow) -> tuple[object, ...]:
    until = row.until and f"{row.until} (over)" if row.past else row.until
    return (
        row.suppression,
        row.subject_kind,
        row.subject_id,
        row.why,
        row.level,
        clock_text(row.since_ms),
        until or "-",
        row.origin,
    )
