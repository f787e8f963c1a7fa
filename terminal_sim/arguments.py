"""The command line of ``terminal-sim``."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from protocol.kinds import Kind
from protocol.limits import COPIES_MAX
from protocol.secret import Secret
from terminal_sim.applicant import add_domicile_arguments
from terminal_sim.crash_points import POINTS
from terminal_sim.customer import CancelPoint, Choice
from terminal_sim.keyboard import pin_of
from terminal_sim.kiosk.arguments import add_kiosk_arguments
from terminal_sim.replay.arguments import add_replay
from terminal_sim.trace_replay import add_trace_replay
from terminal_sim.wishes import choice_of

TERMINALS_VARIABLE = "KOFU_TERMINALS"
TIMEOUT_S = 240
_FOLDERS = (Path("terminals"), Path("var/run/terminals"))
_YEN_MAX = 1_000_000
_TIMEOUT_S_MAX = 3_600

_ENDS = """exit codes:
  0  the paper is out and its deletion is confirmed (settle: nothing is left)
  1  files, broker or city are not as needed
  2  wrong usage
  3  refused by the city
  4  outcome unknown; it is stored, and settled when the line is next opened
  5  failed, withdrawn or cancelled; money that was put in is returned
"""
_ENDS_OF_SEVERAL = f"""{_ENDS}
Of several certificates the first of 4, 3 and 5 that fits one of them is told, and 0 only if every
one is out: with 3 or 5 some of them may be out and paid. The last line says how many, and --json
how each ended.
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
        epilog=_ENDS_OF_SEVERAL,
    )
    _add_common(issue)
    _add_issue(issue)
    issue.set_defaults(usage_error=issue.error)
    _add_domiciles(commands)
    settle = commands.add_parser(
        "settle",
        help="open the line and settle what was left unfinished",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_ENDS,
    )
    _add_common(settle)
    kiosk = commands.add_parser(
        "kiosk",
        help="serve the machine's touch panel in the browser, until Ctrl-C",
        description="Serve the touch panel of one machine. It shows what a person in front of it "
        "sees, holds sample cards ready, and drives the same terminal on the same line as issue.",
    )
    _add_place(kiosk)
    add_kiosk_arguments(kiosk)
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
    _add_witness(
        commands.add_parser(
            "witness",
            help="show the checkpoint of the city's audit record that this terminal keeps",
            description="A terminal keeps the latest signed checkpoint that the city showed it. "
            "With --out it becomes a file for issuance-server audit verify --witness FILE.",
        )
    )
    add_replay(commands)
    add_trace_replay(commands)
    return top


def terminal_folders(arguments: argparse.Namespace) -> list[Path]:
    """Return where terminals are looked for."""
    if arguments.terminals is not None:
        return [arguments.terminals]
    named = os.environ.get(TERMINALS_VARIABLE)
    return [Path(named)] if named else list(_FOLDERS)


def _add_domiciles(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    domicile = commands.add_parser(
        "register-domicile",
        help="ask for registration where the 本籍 is (本籍地利用登録申請)",
        epilog="what is typed here can be seen in the list of processes; use it for samples only",
    )
    status = commands.add_parser("domicile-status", help="hear how the latest such request stands")
    for command in (domicile, status):
        _add_common(command)
        _add_card(command)
        command.set_defaults(usage_error=command.error)
    add_domicile_arguments(domicile)


def _add_terminal(command: argparse.ArgumentParser) -> None:
    _add_place(command)
    command.add_argument("--json", action="store_true", help="print the result as one JSON object")


def _add_place(command: argparse.ArgumentParser) -> None:
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


def _add_witness(witness: argparse.ArgumentParser) -> None:
    _add_terminal(witness)
    act = witness.add_mutually_exclusive_group()
    act.add_argument(
        "--out", type=Path, metavar="FILE", help="write the kept checkpoint to a new file"
    )
    act.add_argument(
        "--shown-out",
        type=Path,
        metavar="FILE",
        help="after an alarm: write the one that the city showed instead",
    )
    act.add_argument(
        "--dismiss",
        metavar="REASON",
        help="after an alarm: take the city's record as it is from now on, for instance because "
        "it was restored from a backup; the evidence stays in the journal",
    )


def _add_common(command: argparse.ArgumentParser) -> None:
    _add_terminal(command)
    command.add_argument("--verbose", action="store_true", help="also tell what the line does")
    command.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="record what is said on the line (see: issuance-server trace show)",
    )
    command.add_argument(
        "--core-trace",
        type=Path,
        metavar="FILE",
        help="record what is decided, and upon what (see: trace replay)",
    )
    command.add_argument(
        "--timeout",
        type=_number(1, _TIMEOUT_S_MAX),
        default=TIMEOUT_S,
        metavar="S",
        help=f"cancel, or leave to the next opening, after so many seconds (default {TIMEOUT_S})",
    )
    # For tests of power cuts only: die right after this record is on the disk.
    command.add_argument("--die-at", metavar="POINT", type=_point, help=argparse.SUPPRESS)


def _add_card(command: argparse.ArgumentParser) -> None:
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


def _add_issue(command: argparse.ArgumentParser) -> None:
    _add_card(command)
    command.add_argument(
        "--certificate",
        required=True,
        action="append",
        type=_choice,
        metavar="KIND[:KEY=VALUE,…]",
        help="which certificate: "
        + ", ".join(f"{kind.value} ({kind.title})" for kind in Kind)
        + "; to have several in one visit, give it several times, each with its own options, such "
        "as juminhyo:copies=2,scope=household",
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
        "--copies", type=_number(1, COPIES_MAX), metavar="N", help="how many copies (default 1)"
    )
    command.add_argument(
        "--cancel-at",
        choices=[point.value for point in CancelPoint],
        metavar="STEP",
        help="press 取消 there: " + ", ".join(point.value for point in CancelPoint),
    )
    command.add_argument(
        "--insert",
        type=_number(0, _YEN_MAX),
        metavar="YEN",
        help="how much money is put in for each certificate; default: exactly the fee",
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


def _choice(text: str) -> Choice:
    try:
        return choice_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
