"""The command line of ``terminal-sim``."""

import argparse
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TypeVar

from protocol.kinds import MEMBERS_MAX, Item, Kind, Options, Scope
from protocol.limits import COPIES_MAX
from protocol.secret import Secret
from terminal_sim.crash_points import POINTS
from terminal_sim.keyboard import pin_of

TERMINALS_VARIABLE = "KOFU_TERMINALS"
TIMEOUT_S = 240
_FOLDERS = (Path("terminals"), Path("var/run/terminals"))
_YEN_MAX = 1_000_000
_TIMEOUT_S_MAX = 3_600
_Named = TypeVar("_Named", bound=Enum)

_ENDS = """exit codes:
  0  the paper is out and its deletion is confirmed (settle: nothing is left)
  1  files, broker or city are not as needed
  2  wrong usage
  3  refused by the city
  4  outcome unknown; it is stored, and settled when the line is next opened
  5  failed, withdrawn or cancelled; the money is returned
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="terminal-sim",
        description="A simulated multicopy machine (マルチコピー機) of a convenience store.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_ENDS,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    issue = commands.add_parser(
        "issue",
        help="one visit: card, PIN, fee, paper",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_ENDS,
    )
    _add_common(issue)
    _add_issue(issue)
    issue.set_defaults(usage_error=issue.error)
    settle = commands.add_parser(
        "settle",
        help="open the line and settle what was left unfinished",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_ENDS,
    )
    _add_common(settle)
    trust = commands.add_parser(
        "trust",
        help="take what the city tells its terminals about its keys",
        description="Take trust.json of a folder that issuance-keys distribute wrote, if the "
        "authority that this terminal trusts signed it and its number is higher.",
    )
    _add_terminal(trust)
    trust.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FOLDER", help="holds trust.json"
    )
    return top


def terminal_folders(arguments: argparse.Namespace) -> list[Path]:
    """Return where terminals are looked for."""
    if arguments.terminals is not None:
        return [arguments.terminals]
    named = os.environ.get(TERMINALS_VARIABLE)
    return [Path(named)] if named else list(_FOLDERS)


def options_of(settings: list[str]) -> Options:
    """Return the options that ``--option`` gave.

    Raises:
        ValueError: one is none; the text says what may be given.
    """
    scope = Scope.SELF
    members: tuple[int, ...] = ()
    items: tuple[Item, ...] = ()
    for setting in settings:
        name, _, value = setting.partition("=")
        match name:
            case "scope":
                scope = _one(Scope, value, "scope")
            case "members":
                members = tuple(_member(word) for word in value.split(","))
            case "items":
                items = tuple(_one(Item, word, "items") for word in value.split(","))
            case _:
                raise ValueError(f"unknown option {name!r}; there are scope, members, items")
    return Options(scope=scope, members=members, items=items)


def _add_terminal(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--terminal", required=True, metavar="ID|PATH", help="the terminal's id, folder or file"
    )
    command.add_argument(
        "--terminals",
        type=Path,
        metavar="DIR",
        help=f"where terminals are; default ${TERMINALS_VARIABLE}, ./terminals, "
        "./var/run/terminals",
    )
    command.add_argument("--json", action="store_true", help="print the result as one JSON object")


def _add_common(command: argparse.ArgumentParser) -> None:
    _add_terminal(command)
    command.add_argument("--verbose", action="store_true", help="also tell what the line does")
    command.add_argument(
        "--timeout",
        type=_number(1, _TIMEOUT_S_MAX),
        default=TIMEOUT_S,
        metavar="S",
        help=f"cancel, or leave to the next opening, after so many seconds (default {TIMEOUT_S})",
    )
    # For tests of power cuts only: die right after this record is on the disk.
    command.add_argument("--die-at", metavar="POINT", type=_point, help=argparse.SUPPRESS)


def _add_issue(command: argparse.ArgumentParser) -> None:
    command.add_argument("--card", required=True, type=Path, metavar="FILE", help="the card's file")
    pin = command.add_mutually_exclusive_group()
    pin.add_argument(
        "--pin",
        action="append",
        type=_pin,
        metavar="PIN",
        help="the PIN, and at a second use the next try; other users of this computer can see it "
        "in the list of processes, so use it for sample cards only",
    )
    pin.add_argument(
        "--pin-stdin", action="store_true", help="read PINs from standard input, one a line"
    )
    command.add_argument(
        "--certificate",
        required=True,
        choices=[kind.value for kind in Kind],
        metavar="KIND",
        help="which certificate: " + ", ".join(f"{kind.value} ({kind.title})" for kind in Kind),
    )
    command.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="scope=self|household|some, members=1,3, items=relationship,domicile,my-number; "
        "koseki-zenbu and fuhyo have scope=self|household, fuhyo has items=domicile, and inkan, "
        "kazei and koseki-kojin have nothing to choose",
    )
    command.add_argument(
        "--copies", type=_number(1, COPIES_MAX), default=1, metavar="N", help="how many copies"
    )
    command.add_argument(
        "--insert",
        type=_number(0, _YEN_MAX),
        metavar="YEN",
        help="how much money is put in; default: exactly the fee",
    )
    command.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="the tray: where the paper lies"
    )


def _number(least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}")
        return int(text)

    return convert


def _pin(text: str) -> Secret:
    pin = pin_of(text)
    if pin is None:  # the text is not repeated: it may be a PIN with a slip of the finger
        raise argparse.ArgumentTypeError("a PIN has 4 to 12 digits")
    return pin


def _point(text: str) -> str:
    named = "-".join("N" if word.isdigit() else word for word in text.split("-"))
    if named not in POINTS:
        raise argparse.ArgumentTypeError("one of " + ", ".join(POINTS))
    return text


def _member(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MEMBERS_MAX:
        raise ValueError(f"members are numbers from 1 to {MEMBERS_MAX}, such as members=1,3")
    return int(text)


def _one(kind: type[_Named], value: str, name: str) -> _Named:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(entry.value) for entry in kind)
        raise ValueError(f"{name} is made of {known}") from None
