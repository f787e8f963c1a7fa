"""What the commands of a city share on the command line."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

from issuance_server import config
from issuance_server.city import City
from issuance_server.core.tables.reading import YEAR_MAX, YEAR_MIN
from issuance_server.desk_commands.acts import take_passphrases
from issuance_server.observe.logging import log

CONFIG_FILE = Path("server.toml")

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""What ``add_subparsers`` returns; argparse has no public name for it."""
Command: TypeAlias = Callable[[City, argparse.Namespace], Awaitable[int]]


def of_city(command: Command) -> Callable[[argparse.Namespace], int]:
    """Make a command that works on a configured city."""

    def run(arguments: argparse.Namespace) -> int:
        log.configure(log_format="console", level="error")
        city = City.load(arguments.config, config.load(arguments.config))
        if hasattr(arguments, "operator"):
            take_passphrases(arguments)  # before the loop, which would hold Ctrl-C back

        async def work() -> int:
            return await command(city, arguments)

        return asyncio.run(work())

    return run


def add_config(parser: argparse.ArgumentParser, *, json: bool = False) -> None:
    """Add the city's configuration, and ``--json`` where a command prints a table."""
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIG_FILE,
        metavar="FILE",
        help="the city's configuration (%(default)s)",
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def day(text: str) -> date:
    """Read a day from the command line.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not YEAR_MIN <= found.year <= YEAR_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no day, such as 2027-04-01")
    return found


def rows_at_most(text: str) -> int:
    """Read how many rows a table may have.

    Raises:
        argparse.ArgumentTypeError: it is no number, or none is asked for.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of rows; write 1 or more")
    return int(text)


def add_act(
    parser: argparse.ArgumentParser, *, of_two: bool = False, then: str | None = None
) -> None:
    """Add who does it and why; for an act of two also the second operator.

    Args:
        parser: of the command.
        of_two: whether it takes two operators.
        then: what standard input has after the passphrases, if anything.
    """
    add_config(parser)
    parser.add_argument("--operator", required=True, metavar="NAME", help="who does it")
    parser.add_argument("--reason", required=True, help="why; it goes into the audit record")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the operator's key file")
    parser.add_argument(
        "--passphrase-stdin",
        action="store_true",
        help="read the passphrase from standard input instead of asking"
        + ("" if then is None else f"; on the lines after it: {then}"),
    )
    if of_two:
        add_second(parser)


def add_second(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the second operator of an act.

    Args:
        parser: of the command.
        required: whether every act of the command takes two.
    """
    parser.add_argument(
        "--second-operator",
        required=required,
        metavar="NAME",
        help="who else wants it done; with --passphrase-stdin on the second line",
    )
    parser.add_argument(
        "--second-key", type=Path, metavar="FILE", help="the second operator's key file"
    )
