"""``issuance-server``: the city's program. ``issuance-server --help`` lists its commands."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from issuance_server import app, config
from issuance_server.desk_commands import (
    audit,
    cards,
    city_tables,
    days,
    domiciles,
    issuances,
    notices,
    push,
    registers,
    suppressions,
    terminals,
    verify_page,
    verifying,
)
from issuance_server.desk_commands.parsing import add_config
from issuance_server.desk_commands.set_up import init
from issuance_server.desk_commands.tables import print_json, print_table
from issuance_server.observe.logging import add_log_arguments, log
from protocol.errors import KofuError

EXIT_DONE = 0
EXIT_REFUSED = 1
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 1 refused or found wrong, 2 usage.
    """
    arguments = _parser().parse_args(argv)
    try:
        result: int = arguments.run(arguments)
        sys.stdout.flush()
    except KofuError as error:
        sys.stderr.write(f"issuance-server: {error}\n")
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"issuance-server: {error.strerror or error}\n")
        return EXIT_REFUSED
    return result


def _run(arguments: argparse.Namespace) -> int:
    log.configure(log_format=arguments.log_format, level=arguments.log_level)
    city = app.City.load(arguments.config, config.load(arguments.config))
    return asyncio.run(app.serve(city, clock_start=arguments.clock))


def _check_config(arguments: argparse.Namespace) -> int:
    columns = ("key", "default", "meaning")
    if arguments.explain and arguments.json:
        print_json([dict(zip(columns, row, strict=True)) for row in config.explanations()])
        return EXIT_DONE
    if arguments.explain:
        print_table(columns, config.explanations())
        return EXIT_DONE
    city = app.City.load(arguments.config, config.load(arguments.config))
    code = city.config.city.code
    sys.stdout.write(f"{arguments.config} is right: city {code}, its keys are at hand\n")
    return EXIT_DONE


def _init(arguments: argparse.Namespace) -> int:
    init(arguments.folder, sample=arguments.sample, broker_port=arguments.broker_port)
    return EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="issuance-server",
        description="Issues municipal certificates to convenience-store terminals.",
        epilog="exit status: 0 done, 1 refused or found wrong, 2 usage",
    )
    parser.add_argument("--version", action="version", version=app.software())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    made = commands.add_parser("init", help="make the folder of a city")
    made.add_argument("folder", type=Path, metavar="DIR", help="a folder that does not exist yet")
    made.add_argument(
        "--sample", choices=["toyonaka"], required=True, help="which fictitious city to make"
    )
    made.add_argument("--broker-port", type=int, help="TCP port of the embedded broker")
    made.set_defaults(run=_init)

    run = commands.add_parser("run", help="serve the city until Ctrl-C")
    add_config(run)
    run.add_argument(
        "--clock",
        metavar="START",
        help="where the business clock starts: system, or a time such as 2026-11-30T23:30:00",
    )
    add_log_arguments(run)
    run.set_defaults(run=_run)

    check = commands.add_parser("check-config", help="check a configuration, or explain its keys")
    add_config(check, json=True)
    check.add_argument("--explain", action="store_true", help="list every key with its meaning")
    check.set_defaults(run=_check_config)

    issuances.add_commands(commands)
    cards.add_commands(commands)
    terminals.add_commands(commands)
    suppressions.add_commands(commands)
    city_tables.add_commands(commands)
    notices.add_commands(commands)
    domiciles.add_commands(commands)
    push.add_commands(commands)
    days.add_commands(commands)
    registers.add_commands(commands)
    audit.add_commands(commands)
    verifying.add_commands(commands)
    verify_page.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
