"""``issuance-keys jpki``: the simulated authority of cards' certificates, and its cards."""

import argparse
import getpass
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from keys.cards import load_card
from keys.jpki import CARD_CERTIFICATE_DAYS, LIST_DAYS, JpkiAuthority, serial_of
from keys.mynumber_card import MyNumberCard
from protocol.errors import KeyManagementError
from protocol.secret import Secret

DAYS_MAX = 3650

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # argparse has no public name for it


def add_jpki(words: _Commands) -> None:
    """Add ``jpki`` to the command line of ``issuance-keys``."""
    group = words.add_parser("jpki", help="the simulated authority of cards' certificates")
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    create = actions.add_parser("create", help="make the authority in a new folder")
    _folder(create, "the folder to make")
    create.set_defaults(command=_create)
    issue = actions.add_parser("issue", help="make a fictitious 個人番号カード with a certificate")
    _folder(issue)
    issue.add_argument("--card", type=Path, required=True, metavar="FILE", help="the file to make")
    issue.add_argument("--holder", required=True, metavar="TEXT", help="a note for people")
    issue.add_argument("--pin-stdin", action="store_true", help="read the PIN's line there")
    _days(issue, CARD_CERTIFICATE_DAYS, "how long the certificate is valid")
    issue.set_defaults(command=_issue)
    revoke = actions.add_parser("revoke", help="revoke a certificate; cities learn it by the list")
    _folder(revoke)
    named = revoke.add_mutually_exclusive_group(required=True)
    named.add_argument("--serial", metavar="HEX", help="its serial, as issued/ names it")
    named.add_argument("--card", type=Path, metavar="FILE", help="or the card that holds it")
    revoke.set_defaults(command=_revoke)
    crl = actions.add_parser("crl", help="publish the list of what is revoked, for a city")
    _folder(crl)
    crl.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="such as CITY/keys/trust/jpki"
    )
    _days(crl, LIST_DAYS, "until the next list is due; afterwards no certificate is accepted")
    crl.set_defaults(command=_publish)


def _create(chosen: argparse.Namespace) -> None:
    JpkiAuthority.create(chosen.folder, _now())
    _say(f"{chosen.folder} holds a simulated JPKI. Its key belongs to no city's server.")
    _tell(chosen, {})


def _issue(chosen: argparse.Namespace) -> None:
    authority = JpkiAuthority.load(chosen.folder)
    card = MyNumberCard.create(
        chosen.card,
        holder=chosen.holder,
        pin=_pin(from_stdin=chosen.pin_stdin),
        certify=lambda key: authority.issue(key, now=_now(), days=chosen.days),
    )
    serial = serial_of(card.certificate)
    _say(f"{chosen.card} is a fictitious card; its certificate has the serial {serial}.")
    _tell(chosen, {"card": str(chosen.card), "serial": serial})


def _revoke(chosen: argparse.Namespace) -> None:
    authority = JpkiAuthority.load(chosen.folder)
    serial = chosen.serial
    if serial is None:
        card = load_card(chosen.card)
        if not isinstance(card, MyNumberCard):
            raise KeyManagementError(f"{chosen.card} is a card without a certificate")
        serial = serial_of(card.certificate)
    authority.revoke(serial, _now())
    _say(
        f"Certificate {serial} is revoked. Cities learn of it by the next list: "
        f"issuance-keys jpki crl {chosen.folder} --out FOLDER"
    )
    _tell(chosen, {"serial": serial})


def _publish(chosen: argparse.Namespace) -> None:
    authority = JpkiAuthority.load(chosen.folder)
    authority.publish(chosen.out, _now(), days=chosen.days)
    revoked = len(authority.revoked())
    _say(f"{chosen.out} holds the list: {revoked} revoked, good for {chosen.days} days.")
    _tell(chosen, {"revoked": revoked})


def _folder(parser: argparse.ArgumentParser, text: str = "the authority's folder") -> None:
    parser.add_argument("folder", type=Path, metavar="JPKI", help=text)
    parser.add_argument("--json", action="store_true", help="results for programs")


def _days(parser: argparse.ArgumentParser, default: int, text: str) -> None:
    parser.add_argument(
        "--days", type=_count, default=default, metavar="N", help=f"{text} (%(default)s)"
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"a number of days from 1 to {DAYS_MAX}")
    return int(text)


def _pin(*, from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n").encode())
    first = Secret(getpass.getpass("PIN: ").encode())
    if first != Secret(getpass.getpass("The same again: ").encode()):
        raise KeyManagementError("the two PINs differ; nothing was made")
    return first


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _tell(chosen: argparse.Namespace, result: dict[str, object]) -> None:
    if chosen.json:
        print(json.dumps(result))
