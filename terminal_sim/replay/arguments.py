"""The command line of ``terminal-sim replay``."""

import argparse
from pathlib import Path

COPIES_MAX = 1_000
SPEED_MAX = 1_000_000.0
NEW_CARD = "new"
"""In place of a card file: a card that no city knows."""

_ENDS = """exit codes:
  0  everything came as recorded
  1  something came otherwise
  2  files, broker or city are not as needed, or wrong usage
"""


def add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``replay``; where terminals are is added by who calls."""
    command = commands.add_parser(
        "replay",
        help="let recorded conversations happen again, and compare",
        description="Send what terminals sent in a trace, with their own keys and new ids, and "
        "compare what comes back with the trace.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_ENDS,
    )
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".trace, .jsonl or .scenario.toml"
    )
    command.add_argument("--terminals", type=Path, metavar="DIR", help="where terminals are")
    command.add_argument(
        "--card",
        action="append",
        default=[],
        type=_card,
        metavar="NAME=FILE",
        help=f"the card of that name in the trace; {NEW_CARD} instead of a file: one that no city "
        "knows. Others are looked for as NAME.card.json in cards/ beside the terminals",
    )
    command.add_argument(
        "--pins",
        type=Path,
        metavar="FILE",
        help="lines with a card's name and its PIN; default: README.md beside the terminals",
    )
    command.add_argument(
        "--speed",
        type=_speed,
        metavar="recorded|FACTOR|max",
        help="as recorded, so many times as fast, or without waiting; default: a scenario as it "
        "is written, anything else without waiting",
    )
    command.add_argument(
        "--parallel",
        type=_copies,
        default=1,
        metavar="N",
        help="so many copies at once, each on terminals of its own",
    )
    command.add_argument(
        "--mapping", type=Path, metavar="FILE", help="who plays whom in each copy ([[copy]], TOML)"
    )
    command.add_argument(
        "--ignore", action="append", default=[], metavar="FIELD", help="fields that may differ"
    )
    command.add_argument(
        "--record", type=Path, metavar="FILE", help="write what was really said to a new .jsonl"
    )
    command.add_argument("--json", action="store_true", help="an object for each copy, one a line")
    command.set_defaults(usage_error=command.error)


def _card(text: str) -> tuple[str, str]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError("NAME=FILE is needed")
    return name, file


def _speed(text: str) -> float:
    """Return the factor; 0: without waiting."""
    named = {"recorded": 1.0, "max": 0.0}
    if text in named:
        return named[text]
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= SPEED_MAX:
        raise argparse.ArgumentTypeError("recorded, max, or a number above 0")
    return factor


def _copies(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= COPIES_MAX:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {COPIES_MAX}")
    return int(text)
