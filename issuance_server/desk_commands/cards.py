"""``issuance-server card list | show | unlock | reset-pin | withdraw``."""

import argparse
import sys
from pathlib import Path

from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.core.card_registration import card_digest
from issuance_server.core.cards import CardKind
from issuance_server.desk_commands import card_registering
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.card_pins import NEW_PIN_LINES, type_pin
from issuance_server.desk_commands.card_registering import seal_card
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from keys.cards import CardFile, load_card
from keys.jpki import serial_of
from keys.mynumber_card import MyNumberCard
from protocol.errors import SetUpError

_COLUMNS = ("card", "kind", "state", "tries left", "registered", "usable from")
_LOCKED_COLUMNS = (*_COLUMNS, "locked since")


async def list_cards(city: City, arguments: argparse.Namespace) -> int:
    """Print the registered cards by their references."""
    rows = await _cards(city, None)
    if arguments.locked:
        rows = tuple(row for row in rows if row.state == "locked")
    if arguments.json:
        print_json(rows)
    elif arguments.locked:
        print_table(_LOCKED_COLUMNS, (_locked_cells(row) for row in rows))
    else:
        print_table(_COLUMNS, (_cells(row) for row in rows))
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
    print_table(_LOCKED_COLUMNS, [_locked_cells(row)])
    return 0


async def unlock_card(city: City, arguments: argparse.Namespace) -> int:
    """Give a locked card its tries back, signed by two operators; the card's chip, if it counts."""
    row, certified = await _certified(city, arguments)
    locked = row.state == "locked" if certified is None else certified.tries_left == 0
    await do_act(city, arguments, act=wire.ACT_CARD_UNLOCK, subject=arguments.card_ref)
    if certified is not None:
        certified.unlock()
    told = "is unlocked" if locked else "was not locked; it has all its tries"
    sys.stderr.write(f"{arguments.card_ref} {told}\n")
    return 0


async def reset_pin(city: City, arguments: argparse.Namespace) -> int:
    """Let the holder type a new PIN before two operators; it is taken from the next day on."""
    _, certified = await _certified(city, arguments)
    pin = type_pin(arguments, twice=True)
    subject, brought = arguments.card_ref, None
    if certified is None:
        card = load_card(arguments.card)
        if not isinstance(card, CardFile):
            raise SetUpError(f"{arguments.card} is another kind of card than {subject}")
        brought = wire.ResetPin(card=seal_card(city, card, subject, pin))
        subject = f"{subject} {card_digest(subject, brought.card)}"
    await do_act(city, arguments, act=wire.ACT_CARD_RESET_PIN, subject=subject, brought=brought)
    if certified is not None:
        certified.reset_pin(pin)
    sys.stderr.write(f"{arguments.card_ref} has a new PIN; it is taken from tomorrow on\n")
    return 0


async def withdraw_card(city: City, arguments: argparse.Namespace) -> int:
    """Have a card taken no more: lost, or its holder died."""
    await do_act(city, arguments, act=wire.ACT_CARD_WITHDRAW, subject=arguments.card_ref)
    sys.stderr.write(f"{arguments.card_ref} is withdrawn\n")
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``card``."""
    group = commands.add_parser("card", help="look at cards, register, unlock and withdraw them")
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
    _add_card(unlocked, needed=False)
    add_act(unlocked, of_two=True)
    unlocked.set_defaults(run=of_city(unlock_card))
    reset = actions.add_parser("reset-pin", help="let the holder type a new PIN")
    _add_card(reset, needed=True)
    add_act(reset, of_two=True, then=NEW_PIN_LINES)
    reset.set_defaults(run=of_city(reset_pin))
    withdrawn = actions.add_parser("withdraw", help="have a card taken no more")
    withdrawn.add_argument("card_ref", metavar="CARD", help="the card's reference")
    add_act(withdrawn)
    withdrawn.set_defaults(run=of_city(withdraw_card))
    card_registering.add_commands(actions)


def _add_card(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    parser.add_argument("card_ref", metavar="CARD", help="the card's reference")
    parser.add_argument(
        "--card",
        type=Path,
        required=needed,
        metavar="FILE",
        help="the card, in the counter's reader; a 個人番号カード counts by itself",
    )


async def _certified(
    city: City, arguments: argparse.Namespace
) -> tuple[wire.CardRow, MyNumberCard | None]:
    """Return a card's state, and the card in the reader if it judges its PIN itself.

    Raises:
        SetUpError: no such card is registered, or the card is not in the reader.
    """
    rows = await _cards(city, arguments.card_ref)
    if not rows:
        raise SetUpError(f"no card has the reference {arguments.card_ref}; see: card list")
    if rows[0].kind != CardKind.MYNUMBER.value:
        return rows[0], None
    if arguments.card is None:
        raise SetUpError("this card counts by itself; put it into the reader: --card FILE")
    card = load_card(arguments.card)
    if not isinstance(card, MyNumberCard) or serial_of(card.certificate) != rows[0].serial:
        raise SetUpError(f"{arguments.card} is another card than {arguments.card_ref}")
    return rows[0], card


async def _cards(city: City, card_ref: str | None) -> tuple[wire.CardRow, ...]:
    answer = await ask(city, wire.ListCards(card_ref=card_ref))
    if not isinstance(answer, wire.Cards):
        raise SetUpError("the server gave another answer than was asked")
    return answer.rows


def _cells(row: wire.CardRow) -> tuple[object, ...]:
    tries = "-" if row.tries_left is None else row.tries_left
    registered = clock_text(row.registered_at_ms)
    return row.card_ref, row.kind, row.state, tries, registered, row.usable_from or "-"


def _locked_cells(row: wire.CardRow) -> tuple[object, ...]:
    locked = "-" if row.locked_at_ms is None else clock_text(row.locked_at_ms)
    return *_cells(row), locked
