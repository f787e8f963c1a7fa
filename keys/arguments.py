"""The command line of ``issuance-keys``."""

import argparse
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from keys.card_commands import add_card
from keys.jpki_commands import add_jpki
from keys.key_record import Purpose
from keys.life_cycle import OVERLAP, ROTATED, WAIT_FOR_TERMINALS
from keys.names import check_digit_holds, checked_city
from keys.storage_key import STORAGE_VARIABLE
from protocol.errors import KeyManagementError

HOURS_MAX = 366 * 24
_S_PER_HOUR = 3_600
_HELP_COLUMN = 16
_HELP_WIDTH = 88
_OVERLAP_HOURS = int(OVERLAP.total_seconds()) // _S_PER_HOUR

Command: TypeAlias = Callable[[argparse.Namespace], None]
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # argparse has no public name for it

_WAYS = """\
the ways of a key:
  a key that only the city uses      issuance-keys rotate verdict DIR
                                     The old one is accepted until its time is over.
  the key that PINs are sealed to    issuance-keys rotate pin-opening DIR
                                     issuance-keys distribute DIR --out FOLDER
  the key that releases are signed   issuance-keys rotate binding DIR
  with, or checkpoints: terminals    issuance-keys distribute DIR --out FOLDER
  must know it before it signs       terminal-sim trust --terminal T --from FOLDER   (each)
                                     issuance-keys activate binding DIR
  a key that was stolen              rotate as above, at once, then
                                     issuance-keys revoke PURPOSE DIR
  a key that is no longer needed     issuance-keys destroy KEYID DIR
  a terminal's key                   issuance-keys terminal renew TERMINAL_ID DIR --out FOLDER
  a person who leaves                issuance-keys operator revoke NAME --reason TEXT --dir DIR

A command that was interrupted is finished by giving it again. Running servers take up what
changed within ten seconds; only a new server key needs a restart.

exit status: 0 done, 1 refused, 2 wrong usage. Nothing secret is ever printed.
"""


class _Ways(argparse.RawDescriptionHelpFormatter):
    """Leaves the ways of a key as they stand, and room for the longest command beside its text."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_HELP_COLUMN, width=_HELP_WIDTH)
        self._action_max_length = _HELP_COLUMN - 2  # argparse forgets to count the indentation


def parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Args:
        commands: what each command calls, by its words joined by a space.
    """
    top = argparse.ArgumentParser(
        prog="issuance-keys",
        description="The keys of a city: made, distributed, rotated, revoked, destroyed.",
        formatter_class=_Ways,
        epilog=_WAYS,
    )
    words = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_city(words, commands)
    _add_life(words, commands)
    _add_terminal(words, commands)
    _add_operator(words, commands)
    add_card(words)
    add_jpki(words)
    return top


def _add_city(words: _Commands, commands: dict[str, Command]) -> None:
    create = words.add_parser("create", help="make all keys of a city in a new folder")
    _folder(create, "the folder to make")
    create.add_argument("--city", type=_city, required=True, help="municipality code, 6 digits")
    _finish(create, commands["create"])
    listing = words.add_parser("list", help="show all keys and their states, nothing secret")
    _folder(listing)
    _finish(listing, commands["list"], secret=False)
    export = words.add_parser("export", help="give out the public keys")
    _folder(export)
    export.add_argument("--out", type=Path, metavar="FOLDER", help="write files there instead")
    _finish(export, commands["export"], secret=False)
    tell = words.add_parser(
        "distribute",
        help="write what terminals are told: signed, and numbered anew if it changed",
        description="Write trust.json, which terminals take with: terminal-sim trust.",
    )
    _folder(tell)
    tell.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="an older file in it is replaced"
    )
    _finish(tell, commands["distribute"])


def _add_life(words: _Commands, commands: dict[str, Command]) -> None:
    rotate = words.add_parser(
        "rotate",
        help="make a new key that takes the place of the old one",
        description="Make a new key. A binding or checkpoint key waits as next until it is "
        "activated; any other takes over at once. A pepper takes over card by card, at each right "
        "PIN.",
    )
    _purpose(rotate, ROTATED)
    _folder(rotate)
    _overlap(rotate)
    _finish(rotate, commands["rotate"])
    activate = words.add_parser(
        "activate", help="let the next key take over, once the terminals know it"
    )
    _purpose(activate, WAIT_FOR_TERMINALS)
    _folder(activate)
    _overlap(activate)
    _finish(activate, commands["activate"])
    revoke = words.add_parser(
        "revoke",
        help="have a key accepted never again",
        description="Revoke one key, or all keys of a purpose that are older than the active one.",
    )
    revoke.add_argument("key", metavar="PURPOSE|KEYID", help="issuance-keys list shows both")
    _folder(revoke)
    _finish(revoke, commands["revoke"])
    destroy = words.add_parser(
        "destroy",
        help="destroy the secret of a revoked or retired key for ever",
        description="Destroy a secret. The public half and the times remain, so that what the key "
        "signed can still be checked. What is still in use is refused.",
    )
    destroy.add_argument("key", metavar="KEYID", help="issuance-keys list shows it")
    _folder(destroy)
    destroy.add_argument(
        "--pin-store",
        type=Path,
        metavar="FILE",
        help="the PIN judge's database: a pepper that a card still needs is not destroyed",
    )
    _finish(destroy, commands["destroy"])


def _add_terminal(words: _Commands, commands: dict[str, Command]) -> None:
    group = words.add_parser("terminal", help="admit terminals, and give them new keys")
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for word, text in (
        ("create", "certify a new terminal and fill its folder"),
        ("renew", "certify a new key of the same terminal and line"),
    ):
        action = actions.add_parser(word, help=text, description=f"{text[0].upper()}{text[1:]}.")
        action.add_argument("terminal_id", metavar="TERMINAL_ID", help="letters, digits, hyphens")
        _folder(action)
        action.add_argument(
            "--out", type=Path, required=True, metavar="FOLDER", help="what the terminal is given"
        )
        _finish(action, commands[f"terminal {word}"])


def _add_operator(words: _Commands, commands: dict[str, Command]) -> None:
    group = words.add_parser("operator", help="name operators, and take them out of the ring")
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for word, text in (
        ("create", "make an operator's key pair"),
        ("renew", "make a new key pair for an operator; the old one is obeyed no more"),
        ("sign", "have the authority sign the key of an operator whom an older version made"),
        ("revoke", "have an operator's key obeyed no more"),
    ):
        action = actions.add_parser(word, help=text, description=f"{text[0].upper()}{text[1:]}.")
        action.add_argument("name", metavar="NAME", help="letters, digits, hyphens")
        if word == "revoke":
            action.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
        elif word != "sign":
            action.add_argument(
                "--passphrase-stdin", action="store_true", help="read the passphrase's line there"
            )
        _folder(action, flag="--dir")
        _finish(action, commands[f"operator {word}"], secret=word != "revoke")
    ring = actions.add_parser("list", help="show the operators, also those that were revoked")
    _folder(ring, flag="--dir")
    _finish(ring, commands["operator list"], secret=False)


def _purpose(parser: argparse.ArgumentParser, purposes: tuple[Purpose, ...]) -> None:
    parser.add_argument(
        "purpose",
        choices=[purpose.value for purpose in purposes],
        metavar="PURPOSE",
        help=", ".join(purpose.value for purpose in purposes),
    )


def _folder(
    parser: argparse.ArgumentParser, text: str = "the city's key folder", *, flag: str = ""
) -> None:
    if flag:
        parser.add_argument(flag, dest="folder", type=Path, required=True, metavar="DIR", help=text)
    else:
        parser.add_argument("folder", type=Path, metavar="DIR", help=text)


def _overlap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--overlap-hours",
        type=_hours,
        metavar="N",
        dest="overlap",
        help=f"how long the old key is accepted (default {_OVERLAP_HOURS}; a pepper and a "
        "secret of backs: until it is destroyed)",
    )


def _finish(parser: argparse.ArgumentParser, command: Command, *, secret: bool = True) -> None:
    """Add what all commands share: the storage keys, the form of the result, what to call."""
    if secret:
        parser.add_argument(
            "--storage",
            type=Path,
            metavar="DIR",
            help=f"where the storage keys lie (default ${STORAGE_VARIABLE}, then DIR/storage)",
        )
    parser.add_argument("--json", action="store_true", help="results for programs")
    parser.set_defaults(command=command)


def _hours(text: str) -> timedelta:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= HOURS_MAX:
        raise argparse.ArgumentTypeError(f"a number of hours from 1 to {HOURS_MAX}")
    return timedelta(hours=int(text))


def _city(text: str) -> str:
    try:
        city = checked_city(text)
    except KeyManagementError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not check_digit_holds(city):
        raise argparse.ArgumentTypeError(f"{city} is no municipality code: the check digit is off")
    return city
