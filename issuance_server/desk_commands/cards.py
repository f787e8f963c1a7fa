"""``issuance-server card list | show | unlock``."""

import argparse
import sys

from issuance_server.app import City
from issuance_server.control import wire
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError


async def list_cards(city: City, arguments: argparse.Namespace) -> int:
    """Print the registered cards by their references."""
    rows = await _cards(city, None)
    if arguments.locked:
        rows = tuple(row for row in rows if row.state == "locked")
    if arguments.json:
        print_json(rows)
    else:
        columns = ("card", "state", "tries left", "registered")
        print_table(columns, (_cells(row) for row in rows))
    return 0


async def show_card(city: City, arguments: argparse.Namespace) -> int:
    """Print one card's state."""
    rows = await _cards(city, arguments.card_ref)
    if not rows:
        raise SetUpError(f"no card has the reference {arguments.card_ref}; see: card list")
    row = rows[0]
    if arguments.json:
        print_json(row)
        return 0
    locked = "-" if row.locked_at_ms is None else clock_text(row.locked_at_ms)
    columns = ("card", "state", "tries left", "registered", "locked since")
    print_table(columns, [(*_cells(row), locked)])
    return 0


async def unlock_card(city: City, arguments: argparse.Namespace) -> int:
    """Give a locked card its tries back, signed by a named operator with a reason."""
    await do_act(city, arguments, act=wire.ACT_CARD_UNLOCK, subject=arguments.card_ref)
    sys.stderr.write(f"{arguments.card_ref} is unlocked\n")
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``card``."""
    group = commands.add_parser("card", help="look at cards, and unlock one")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the registered cards, by reference")
    add_config(listed, json=True)
    listed.add_argument("--locked", action="store_true", help="only those that are locked")
    listed.set_defaults(run=of_city(list_cards))
    shown = actions.add_parser("show", help="one card")
    shown.add_argument("card_ref", metavar="CARD", help="the card's reference")
    add_config(shown, json=True)
    shown.set_defaults(run=of_city(show_card))
    unlocked = actions.add_parser("unlock", help="give a locked card its tries back")
    unlocked.add_argument("card_ref", metavar="CARD", help="the card's reference")
    add_act(unlocked)
    unlocked.set_defaults(run=of_city(unlock_card))


async def _cards(city: City, card_ref: str | None) -> tuple[wire.CardRow, ...]:
    answer = await ask(city, wire.ListCards(card_ref=card_ref))
    if not isinstance(answer, wire.Cards):
        raise SetUpError("the server gave another answer than was asked")
    return answer.rows


def _cells(row: wire.CardRow) -> tuple[object, ...]:
    return row.card_ref, row.state, row.tries_left, clock_text(row.registered_at_ms)
