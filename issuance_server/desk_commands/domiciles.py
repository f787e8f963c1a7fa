"""``issuance-server domicile-request list | show | match | approve | reject``."""

import argparse
import sys
from unicodedata import category

from issuance_server.adapters.sqlite.domicile_reading import RequestRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.domicile_acts import match_subject, rejection_subject
from issuance_server.desk_commands.acts import Acting, do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError

_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COLUMNS = ("request", "state", "terminal", "asked", "matched by", "usable from")


async def list_requests(city: City, arguments: argparse.Namespace) -> int:
    """Print the requests, without what was typed."""
    answer = await ask(city, wire.ListDomiciles(undecided=arguments.undecided))
    if not isinstance(answer, wire.Domiciles):
        raise SetUpError("the server gave another answer than was asked")
    if arguments.json:
        print_json(answer.rows)
    else:
        print_table(_COLUMNS, (_cells(row) for row in answer.rows))
    return 0


async def show_request(city: City, arguments: argparse.Namespace) -> int:
    """Print what was typed; that somebody looked stands in the audit trail."""
    acting = Acting.unlock(city, arguments)
    answer = await acting.do(wire.ACT_DOMICILE_SHOW, subject=arguments.request)
    if not isinstance(answer, wire.ShownApplicant):
        raise SetUpError("the server gave another answer than was asked")
    if arguments.json:
        print_json(answer)
        return 0
    print_table(_COLUMNS, [_cells(answer.row)])
    typed = answer.applicant
    if typed is None:
        sys.stdout.write("what was typed is erased\n")
        return 0
    lines = {
        "本籍": typed.domicile,
        "筆頭者": typed.register_head,
        "氏名": typed.name,
        "生年月日": typed.birth,
        "電話": typed.phone or "-",
        "certificate": typed.certificate_serial,
    }
    print_table(("typed", ""), ((name, shown(text)) for name, text in lines.items()))
    return 0


async def match_request(city: City, arguments: argparse.Namespace) -> int:
    """Say who the applicant is; another operator is to approve."""
    found = wire.FoundPerson(request=arguments.request, resident_id=arguments.resident)
    await do_act(
        city, arguments, act=wire.ACT_DOMICILE_MATCH, subject=match_subject(found), brought=found
    )
    sys.stderr.write("matched; another operator approves: domicile-request approve\n")
    return 0


async def approve_request(city: City, arguments: argparse.Namespace) -> int:
    """Agree with who found the person: the card is registered."""
    await do_act(city, arguments, act=wire.ACT_DOMICILE_APPROVE, subject=arguments.request)
    sys.stderr.write("the card is registered; from when it is taken: domicile-request list\n")
    return 0


async def reject_request(city: City, arguments: argparse.Namespace) -> int:
    """Let the applicant know at the machine why the card is not registered."""
    told = wire.ToldWords(request=arguments.request, words=arguments.why)
    await do_act(
        city,
        arguments,
        act=wire.ACT_DOMICILE_REJECT,
        subject=rejection_subject(told),
        brought=told,
    )
    sys.stderr.write("rejected; the applicant is told at the machine\n")
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``domicile-request``."""
    group = commands.add_parser(
        "domicile-request", help="cards of people whose family register is here (本籍地利用登録)"
    )
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the requests, without what was typed")
    add_config(listed, json=True)
    listed.add_argument("--undecided", action="store_true", help="only those that wait")
    listed.set_defaults(run=of_city(list_requests))
    shown = _of_request(actions, "show", "what was typed; a signed act")
    shown.add_argument("--json", action="store_true", help="print JSON instead of a table")
    shown.set_defaults(run=of_city(show_request))
    matched = _of_request(actions, "match", "say in whose name the family register is")
    matched.add_argument("--resident", required=True, metavar="ID", help="the person (宛名番号)")
    matched.set_defaults(run=of_city(match_request))
    approved = _of_request(actions, "approve", "register the card; by another operator")
    approved.set_defaults(run=of_city(approve_request))
    rejected = _of_request(actions, "reject", "do not register it")
    rejected.add_argument(
        "--why", required=True, type=_words, metavar="WORDS", help="what the applicant is told"
    )
    rejected.set_defaults(run=of_city(reject_request))


def _of_request(actions: Commands, name: str, meaning: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=meaning)
    parser.add_argument("request", metavar="ID", help="the request, from the list")
    add_act(parser)
    return parser


def shown(text: str) -> str:
    """Return text as a screen may have it: what was typed elsewhere must not command this one."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if category(one) in _NO_TEXT else one for one in text
    )


def _words(text: str) -> str:
    if not text.strip() or len(text) > wire.WORDS_CHARACTERS_MAX or shown(text) != text:
        raise argparse.ArgumentTypeError(f"one line of 1 to {wire.WORDS_CHARACTERS_MAX} characters")
    return text


def _cells(row: RequestRow) -> tuple[object, ...]:
    return (
        row.request,
        row.state,
        row.terminal,
        clock_text(row.asked_at_ms),
        row.matched_by or "-",
        row.usable_from or "-",
    )
