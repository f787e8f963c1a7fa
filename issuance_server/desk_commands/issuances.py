"""``issuance-server issuance list | show | close``."""

import argparse
import sys

from issuance_server.adapters.sqlite.queries import IssuanceRow, LifeStep
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.day_acts import issuance_subject
from issuance_server.control.issuing_acts import ALL_ISSUING
from issuance_server.core.records import ClosedFee
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import (
    Commands,
    add_act,
    add_config,
    of_city,
    rows_at_most,
)
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.codes import ReplyCode
from protocol.errors import SetUpError
from protocol.limits import ID_BYTES

_COLUMNS = ("issuance", "terminal", "kind", "sheets", "yen", "fee", "state", "deletion")


async def list_issuances(city: City, arguments: argparse.Namespace) -> int:
    """Print the latest issuances."""
    answer = await ask(city, wire.ListIssuances(limit=arguments.limit))
    if not isinstance(answer, wire.Issuances):
        raise SetUpError("the server gave another answer than was asked")
    if arguments.json:
        print_json(answer.rows)
    else:
        print_table(_COLUMNS, map(issuance_cells, answer.rows))
    return 0


def issuance_cells(row: IssuanceRow) -> tuple[object, ...]:
    """Return one line of the table of issuances."""
    confirmed = "confirmed" if row.deletion_confirmed else "-"
    if row.state == "withdrawn":
        confirmed = "nothing released"
    return (
        row.issuance,
        row.terminal,
        row.kind,
        row.sheets,
        row.fee_yen,
        row.fee,
        row.state,
        confirmed,
    )


async def show_issuance(city: City, arguments: argparse.Namespace) -> int:
    """Print the whole life of one issuance, record by record."""
    issuance_id = _issuance_id(arguments.issuance)
    answer = await ask(city, wire.ShowIssuance(issuance_id=issuance_id))
    if not isinstance(answer, wire.Life) or not answer.steps:
        raise SetUpError(f"there is no issuance {arguments.issuance}; see: issuance list")
    if arguments.json:
        print_json(answer.steps)
        return 0
    first_ms = answer.steps[0].at_ms
    rows = [
        (clock_text(step.at_ms), f"+{step.at_ms - first_ms} ms", step.what, _details(step))
        for step in answer.steps
    ]
    print_table(("time", "since", "what", "details"), rows)
    return 0


async def close_issuance(city: City, arguments: argparse.Namespace) -> int:
    """End an issuance of which no word comes, signed by two operators with a reason."""
    issuance, fee = _issuance_id(arguments.issuance).hex(), ClosedFee(arguments.fee)
    subject = issuance_subject(issuance, fee)
    await do_act(city, arguments, act=wire.ACT_ISSUANCE_CLOSE, subject=subject)
    sys.stderr.write(f"{issuance} is closed, its fee is {fee.value}\n")
    return 0


async def stop_issuing(city: City, arguments: argparse.Namespace) -> int:
    """Stop issuing in the whole city, signed by an operator with a reason."""
    await do_act(city, arguments, act=wire.ACT_ISSUANCE_STOP, subject=ALL_ISSUING)
    sys.stderr.write("issuing is stopped; two operators reopen it: issuance reopen\n")
    return 0


async def reopen_issuing(city: City, arguments: argparse.Namespace) -> int:
    """Let issuing go on after a stop of the whole city, signed by two operators with a reason."""
    await do_act(city, arguments, act=wire.ACT_ISSUANCE_REOPEN, subject=ALL_ISSUING)
    sys.stderr.write("issuing goes on\n")
    return 0


_LONG = frozenset({"signature", "sealed_digest", "file_digest", "pages", "digest", "challenge"})


LIST_ROWS = 100


def add_commands(commands: Commands) -> None:
    """Add ``issuance``."""
    group = commands.add_parser("issuance", help="look at issuances")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the latest issuances")
    add_config(listed, json=True)
    listed.add_argument("--limit", type=rows_at_most, default=LIST_ROWS, help="rows (%(default)s)")
    listed.set_defaults(run=of_city(list_issuances))
    shown = actions.add_parser("show", help="the whole life of one issuance, with times")
    shown.add_argument("issuance", metavar="ID", help="issuance id, 32 hexadecimal digits")
    add_config(shown, json=True)
    shown.set_defaults(run=of_city(show_issuance))
    closed = actions.add_parser(
        "close", help="end one that is unconfirmed, or whose deletion is overdue (two operators)"
    )
    closed.add_argument("issuance", metavar="ID", help="issuance id, 32 hexadecimal digits")
    closed.add_argument(
        "--fee",
        required=True,
        choices=[one.value for one in ClosedFee],
        help="whether the paper is out (earned) or not (returned)",
    )
    add_act(closed, of_two=True)
    closed.set_defaults(run=of_city(close_issuance))
    stopped = actions.add_parser("stop", help="stop issuing in the whole city, at once")
    add_act(stopped)
    stopped.set_defaults(run=of_city(stop_issuing))
    reopened = actions.add_parser(
        "reopen", help="let issuing go on after a stop of the whole city (two operators)"
    )
    add_act(reopened, of_two=True)
    reopened.set_defaults(run=of_city(reopen_issuing))


def _issuance_id(text: str) -> bytes:
    try:
        issuance_id = bytes.fromhex(text)
    except ValueError:
        issuance_id = b""
    if len(issuance_id) != ID_BYTES:
        raise SetUpError("an issuance id has 32 hexadecimal digits; see: issuance list")
    return issuance_id


def _details(step: LifeStep) -> str:
    """The short facts of a record; digests and signatures are in the JSON form."""
    ids = {"issuance_id", "visit_id"}
    shown = {k: v for k, v in step.details.items() if k not in _LONG | ids and v is not None}
    shown.pop("request_digest", None)
    return " ".join(f"{key}={_short(key, value)}" for key, value in shown.items())


def _short(key: str, value: object) -> str:
    if key.endswith("_ms") and isinstance(value, int):
        return clock_text(value).split()[1]
    if key == "code" and isinstance(value, int):
        return ReplyCode(value).name
    if isinstance(value, dict):
        return ",".join(f"{name}:{_short(name, item)}" for name, item in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value)
