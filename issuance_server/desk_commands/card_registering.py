"""``issuance-server card register begin | approve | try | cancel | list``, at the counter."""

import argparse
import hashlib
import secrets
import sys
from pathlib import Path
from typing import Any

from issuance_server.adapters.pin_judge.registration import CARD_REF_PREFIX, CARD_REF_RANDOM_BYTES
from issuance_server.adapters.sqlite.cards import RegistrationRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.core.card_registration import (
    SealedCard,
    counter_pin_info,
    registration_subject,
)
from issuance_server.core.cards import CardOccasion
from issuance_server.core.pin_policy import AnyAttempt, CertificateAttempt, PinAttempt
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.card_pins import NEW_PIN_LINES, newest_sealing_key, type_pin
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from keys.cards import Card, CardFile, load_card
from keys.pin_sealing import PinSealer
from protocol.errors import SetUpError
from protocol.limits import ID_BYTES
from protocol.secret import Secret
from protocol.statements import pin_block_info

_COLUMNS = ("card", "kind", "resident", "why", "begun by", "at", "approved by", "next")
_OCCASIONS = (CardOccasion.IN_USE, CardOccasion.NEW_CARD, CardOccasion.MOVED_IN)


async def begin(city: City, arguments: argparse.Namespace) -> int:
    """Begin to register a card; the holder types a PIN if the city is to judge it."""
    card = load_card(arguments.card)
    card_ref = CARD_REF_PREFIX + secrets.token_hex(CARD_REF_RANDOM_BYTES)
    occasion = CardOccasion(arguments.why)
    sealed, certificate = None, None
    if isinstance(card, CardFile):
        pin = type_pin(arguments, twice=True)
        sealed = seal_card(city, card, card_ref, pin)
    else:
        certificate = card.certificate
    brought = wire.BegunCard(
        card_ref=card_ref,
        resident_id=arguments.resident,
        occasion=occasion,
        card=sealed,
        certificate=certificate,
    )
    subject = registration_subject(
        card_ref, sealed or certificate or b"", arguments.resident, occasion
    )
    await do_act(
        city, arguments, act=wire.ACT_CARD_REGISTER_BEGIN, subject=subject, brought=brought
    )
    sys.stdout.write(f"{card_ref}\n")
    sys.stderr.write(f"another operator approves it: card register approve {card_ref}\n")
    return 0


async def approve(city: City, arguments: argparse.Namespace) -> int:
    """Approve a registration that another operator began; ``list`` shows what it is."""
    row = await _row(city, arguments.card_ref)
    await do_act(city, arguments, act=wire.ACT_CARD_REGISTER_APPROVE, subject=row.subject)
    sys.stderr.write(f"{row.kind} card of resident {row.resident_id} is approved\n")
    sys.stderr.write(f"the holder tries it: card register try {row.card_ref} --card FILE\n")
    return 0


async def try_card(city: City, arguments: argparse.Namespace) -> int:
    """Let the holder try the card against the judge; only a card that works is registered."""
    row = await _row(city, arguments.card_ref)
    card = load_card(arguments.card)
    pin = type_pin(arguments)
    if not isinstance(card, CardFile) and not card.present(pin):
        raise SetUpError(
            f"the card says that the PIN is wrong; it takes {card.tries_left} more tries"
        )
    visit_id = secrets.token_bytes(ID_BYTES)
    drawn = await ask(city, wire.DrawCardChallenge(visit_id=visit_id))
    if not isinstance(drawn, wire.CardChallenge):
        raise SetUpError("the server gave another answer than was asked")
    attempt = _attempt(city, card, pin, drawn, visit_id)
    await do_act(
        city,
        arguments,
        act=wire.ACT_CARD_REGISTER_TRY,
        subject=row.card_ref,
        brought=wire.TriedCard(attempt=attempt, occasion=CardOccasion(row.occasion)),
    )
    sys.stderr.write(f"the card works; {row.card_ref} is registered, hand it over\n")
    return 0


async def cancel(city: City, arguments: argparse.Namespace) -> int:
    """Give up a registration that is not finished."""
    row = await _row(city, arguments.card_ref)
    await do_act(city, arguments, act=wire.ACT_CARD_REGISTER_CANCEL, subject=row.card_ref)
    sys.stderr.write(f"the registration of {row.card_ref} is cancelled\n")
    return 0


async def list_registrations(city: City, arguments: argparse.Namespace) -> int:
    """Print the registrations that are not finished."""
    rows = await _rows(city)
    if arguments.json:
        print_json(rows)
    else:
        print_table(_COLUMNS, (_cells(row) for row in rows))
    return 0


def seal_card(city: City, card: CardFile, card_ref: str, pin: Secret) -> SealedCard:
    """Return a card with its PIN sealed to the judge; nobody in between can open it."""
    info = counter_pin_info(city=city.config.city.code, card_ref=card_ref, number=card.number)
    return SealedCard(
        number=card.number,
        public_key=card.public_key,
        pin_block=PinSealer(newest_sealing_key(city)).seal(pin, info),
    )


def add_commands(commands: Commands) -> None:
    """Add ``card register``."""
    group = commands.add_parser("register", help="register a card: two operators and a trial")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    begun = actions.add_parser("begin", help="the first operator: holder, card and PIN")
    begun.add_argument("--resident", required=True, metavar="ID", help="the holder (宛名番号)")
    begun.add_argument("--card", type=Path, required=True, metavar="FILE", help="the card")
    begun.add_argument(
        "--why",
        choices=[one.value for one in _OCCASIONS],
        default=CardOccasion.IN_USE.value,
        help="new-card and moved-in are usable from the next day (%(default)s)",
    )
    add_act(begun, then=NEW_PIN_LINES)
    begun.set_defaults(run=of_city(begin))
    approved = actions.add_parser("approve", help="the second operator, with another key")
    approved.add_argument("card_ref", metavar="CARD", help="the reference, from the list")
    add_act(approved)
    approved.set_defaults(run=of_city(approve))
    tried = actions.add_parser("try", help="the holder's card and PIN against the judge, at last")
    tried.add_argument("card_ref", metavar="CARD", help="the reference, from the list")
    tried.add_argument("--card", type=Path, required=True, metavar="FILE", help="the card")
    add_act(tried, then="the PIN")
    tried.set_defaults(run=of_city(try_card))
    cancelled = actions.add_parser("cancel", help="give up one that is not finished")
    cancelled.add_argument("card_ref", metavar="CARD", help="the reference, from the list")
    add_act(cancelled)
    cancelled.set_defaults(run=of_city(cancel))
    listed = actions.add_parser("list", help="those that are not finished")
    add_config(listed, json=True)
    listed.set_defaults(run=of_city(list_registrations))


def _attempt(
    city: City, card: Card, pin: Secret, drawn: wire.CardChallenge, visit_id: bytes
) -> AnyAttempt:
    """Return the attempt that a terminal would make; the PIN leaves sealed, or not at all."""
    code, digest = city.config.city.code, hashlib.sha256(drawn.challenge).digest()
    if not isinstance(card, CardFile):
        return CertificateAttempt(
            terminal=drawn.terminal,
            city=code,
            visit_id=visit_id,
            attempt=1,
            request_digest=digest,
            certificate=card.certificate,
            card_signature=card.sign(
                challenge=drawn.challenge,
                visit_id=visit_id,
                attempt=1,
                terminal=drawn.terminal,
                city=code,
            ),
        )
    bound: dict[str, Any] = {
        "challenge": drawn.challenge,
        "visit_id": visit_id,
        "attempt": 1,
        "terminal": drawn.terminal,
        "city": code,
    }
    info = pin_block_info(**bound, card=card.number)
    return PinAttempt(
        terminal=drawn.terminal,
        city=code,
        visit_id=visit_id,
        attempt=1,
        request_digest=digest,
        card=card.number,
        card_signature=card.sign(**bound),
        pin_block=PinSealer(newest_sealing_key(city)).seal(pin, info),
    )


async def _rows(city: City) -> tuple[RegistrationRow, ...]:
    answer = await ask(city, wire.ListRegistrations())
    if not isinstance(answer, wire.Registrations):
        raise SetUpError("the server gave another answer than was asked")
    return answer.rows


async def _row(city: City, card_ref: str) -> RegistrationRow:
    for row in await _rows(city):
        if row.card_ref == card_ref:
            return row
    raise SetUpError(f"no registration of {card_ref} is under way; see: card register list")


def _cells(row: RegistrationRow) -> tuple[object, ...]:
    following = "approve" if row.approved_by is None else "try"
    return (
        *(row.card_ref, row.kind, row.resident_id, row.occasion, row.begun_by),
        *(clock_text(row.begun_at_ms), row.approved_by or "-", following),
    )
