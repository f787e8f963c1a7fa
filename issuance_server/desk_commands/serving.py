"""``issuance-server run`` and ``check-config``: serve a city, or see whether one could."""

import argparse
import asyncio
import sys
from pathlib import Path

from issuance_server import app, config
from issuance_server.adapters.hardening import harden
from issuance_server.city import City
from issuance_server.desk_commands.parsing import Commands, add_config
from issuance_server.desk_commands.tables import print_json, print_table
from issuance_server.manifest import NotAsDeclared
from issuance_server.observe.logging import add_log_arguments, log

EXIT_DONE = 0
EXIT_NOT_AS_DECLARED = 3


def add_commands(commands: Commands) -> None:
    """Add ``run`` and ``check-config``."""
    run = commands.add_parser(
        "run",
        help="serve the city until Ctrl-C",
        epilog="exit status: 0 stopped in order, 1 failed or refused, 2 usage, 3 this node is not"
        " what was declared (see: manifest show)",
    )
    add_config(run)
    run.add_argument(
        "--clock",
        metavar="START",
        help="where the business clock starts: system, or a time such as 2026-11-30T23:30:00",
    )
    run.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="record what is said on lines, without secrets and names (see: trace show)",
    )
    run.add_argument(
        "--core-trace",
        type=Path,
        metavar="FILE",
        help="record what is decided, and upon what, so that it can be played (trace replay)",
    )
    add_log_arguments(run)
    run.set_defaults(run=_run)

    check = commands.add_parser("check-config", help="check a configuration, or explain its keys")
    add_config(check, json=True)
    check.add_argument("--explain", action="store_true", help="list every key with its meaning")
    check.set_defaults(run=_check_config)


def _run(arguments: argparse.Namespace) -> int:
    log.configure(log_format=arguments.log_format, level=arguments.log_level)
    harden()  # before there is a key in memory
    city = City.load(arguments.config, config.load(arguments.config))
    if arguments.clock is not None:
        config.check_clock(city.config, arguments.clock, said="--clock")
    try:
        traces = (arguments.trace, arguments.core_trace)
        return asyncio.run(app.serve(city, clock_start=arguments.clock, traces=traces))
    except NotAsDeclared as error:
        sys.stderr.write(f"issuance-server: {error}\n")
        return EXIT_NOT_AS_DECLARED


def _check_config(arguments: argparse.Namespace) -> int:
    columns = ("key", "default", "meaning")
    if arguments.explain and arguments.json:
        print_json([dict(zip(columns, row, strict=True)) for row in config.explanations()])
        return EXIT_DONE
    if arguments.explain:
        print_table(columns, config.explanations())
        return EXIT_DONE
    city = City.load(arguments.config, config.load(arguments.config))
    code = city.config.city.code
    sys.stdout.write(f"{arguments.config} is right: city {code}, its keys are at hand\n")
    return EXIT_DONE
