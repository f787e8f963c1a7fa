"""``issuance-server notice list | subscribe | unsubscribe``."""

import argparse
import secrets
import sys

from issuance_server.adapters.sqlite.outbox import NoticeRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.notice_acts import subscription_subject
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError

_LIMIT = 50


async def list_notices(city: City, arguments: argparse.Namespace) -> int:
    """Print the latest notices, or who wants any."""
    answer = await ask(city, wire.ListNotices(limit=_LIMIT))
    if not isinstance(answer, wire.Notices):
        raise SetUpError("the server gave another answer than was asked")
    if arguments.json:
        print_json(answer.subscriptions if arguments.subscriptions else answer.rows)
    elif arguments.subscriptions:
        rows = ((row.resident_id, clock_text(row.subscribed_at_ms)) for row in answer.subscriptions)
        print_table(("resident", "since"), rows)
    else:
        columns = ("notice", "kind", "state", "tries", "queued", "next try", "sent")
        print_table(columns, (_cells(row) for row in answer.rows))
    return 0


async def subscribe(city: City, arguments: argparse.Namespace) -> int:
    """Let a resident have notices, signed by a named operator with a reason."""
    address = arguments.address
    if address is None:
        address = sys.stdin.readline().strip()
    asked = wire.NewSubscription(
        resident_id=arguments.resident,
        address=address,
        blind=secrets.token_bytes(wire.BLIND_BYTES),
    )
    await do_act(
        city,
        arguments,
        act=wire.ACT_NOTICE_SUBSCRIBE,
        subject=subscription_subject(asked),
        brought=asked,
    )
    way = city.config.notice.sender
    waits = "; notice.sender is none, so notices wait" if way == "none" else ""
    sys.stderr.write(f"{arguments.resident} is told of every certificate from now on{waits}\n")
    return 0


async def unsubscribe(city: City, arguments: argparse.Namespace) -> int:
    """Let a resident have no more notices, and erase the address."""
    await do_act(city, arguments, act=wire.ACT_NOTICE_UNSUBSCRIBE, subject=arguments.resident)
    sys.stderr.write(f"{arguments.resident} gets no more notices; the address is erased\n")
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``notice``."""
    group = commands.add_parser("notice", help="tell holders that a certificate was issued")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help=f"the latest {_LIMIT} notices, without addresses")
    add_config(listed, json=True)
    listed.add_argument("--subscriptions", action="store_true", help="who wants notices instead")
    listed.set_defaults(run=of_city(list_notices))
    added = actions.add_parser("subscribe", help="tell a resident from now on")
    added.add_argument("resident", metavar="ID", help="the resident (宛名番号)")
    added.add_argument(
        "--address", help="where notices go; without it, read from standard input after passphrases"
    )
    add_act(added)
    added.set_defaults(run=of_city(subscribe))
    ended = actions.add_parser("unsubscribe", help="tell a resident no more")
    ended.add_argument("resident", metavar="ID", help="the resident (宛名番号)")
    add_act(ended)
    ended.set_defaults(run=of_city(unsubscribe))


def _cells(row: NoticeRow) -> tuple[object, ...]:
    times = (row.next_try_at_ms, row.sent_at_ms)
    return (
        row.notice,
        row.kind,
        row.state,
        row.tries,
        clock_text(row.queued_at_ms),
        *("-" if at_ms is None else clock_text(at_ms) for at_ms in times),
    )
