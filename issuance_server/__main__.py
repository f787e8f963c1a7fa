"""``issuance-server``: the city's program. ``issuance-server --help`` lists its commands."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from issuance_server import app, config
from issuance_server.desk_commands import acts, audit, cards, issuances, terminals, verifying
from issuance_server.desk_commands.set_up import init
from issuance_server.desk_commands.tables import print_json, print_table
from issuance_server.observe.logging import add_log_arguments, log
from protocol.errors import KofuError

EXIT_DONE = 0
EXIT_REFUSED = 1
EXIT_INTERRUPTED = 130
CONFIG_FILE = Path("server.toml")
LIST_ROWS = 100

_Command = Callable[[app.City, argparse.Namespace], Awaitable[int]]


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


def _of_city(command: _Command) -> Callable[[argparse.Namespace], int]:
    """Make a command that works on a configured city."""

    def run(arguments: argparse.Namespace) -> int:
        log.configure(log_format="console", level="error")
        city = app.City.load(arguments.config, config.load(arguments.config))
        if hasattr(
            arguments, "operator"
        ):  # asked for before the loop, which would hold Ctrl-C back
            arguments.passphrase = acts.take_passphrase(arguments)

        async def work() -> int:
            return await command(city, arguments)

        return asyncio.run(work())

    return run


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
    _add_config(run)
    run.add_argument(
        "--clock",
        metavar="START",
        help="where the business clock starts: system, or a time such as 2026-11-30T23:30:00",
    )
    add_log_arguments(run)
    run.set_defaults(run=_run)

    check = commands.add_parser("check-config", help="check a configuration, or explain its keys")
    _add_config(check, json=True)
    check.add_argument("--explain", action="store_true", help="list every key with its meaning")
    check.set_defaults(run=_check_config)

    _add_issuance(commands)
    _add_card(commands)
    _add_terminal(commands)
    _add_audit(commands)
    _add_verify(commands)
    return parser


def _add_issuance(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("issuance", help="look at issuances")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the latest issuances")
    _add_config(listed, json=True)
    listed.add_argument("--limit", type=int, default=LIST_ROWS, help="rows (%(default)s)")
    listed.set_defaults(run=_of_city(issuances.list_issuances))
    shown = actions.add_parser("show", help="the whole life of one issuance, with times")
    shown.add_argument("issuance", metavar="ID", help="issuance id, 32 hexadecimal digits")
    _add_config(shown, json=True)
    shown.set_defaults(run=_of_city(issuances.show_issuance))


def _add_card(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("card", help="look at cards, and unlock one")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the registered cards, by reference")
    _add_config(listed, json=True)
    listed.add_argument("--locked", action="store_true", help="only those that are locked")
    listed.set_defaults(run=_of_city(cards.list_cards))
    shown = actions.add_parser("show", help="one card")
    shown.add_argument("card_ref", metavar="CARD", help="the card's reference")
    _add_config(shown, json=True)
    shown.set_defaults(run=_of_city(cards.show_card))
    unlocked = actions.add_parser("unlock", help="give a locked card its tries back")
    unlocked.add_argument("card_ref", metavar="CARD", help="the card's reference")
    _add_act(unlocked)
    unlocked.set_defaults(run=_of_city(cards.unlock_card))


def _add_terminal(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("terminal", help="the list of terminals and their keys")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="all terminals with their key certificates")
    _add_config(listed, json=True)
    listed.set_defaults(run=_of_city(terminals.list_terminals))
    registered = actions.add_parser("register", help="put a new terminal on the list")
    _add_certificate(registered)
    registered.add_argument("--chain", required=True, help="who runs the store")
    registered.add_argument("--store", required=True, help="the store's name")
    registered.add_argument("--in-city", action="store_true", help="the store stands in this city")
    _add_act(registered)
    registered.set_defaults(run=_of_city(terminals.register_terminal))
    renewed = actions.add_parser("renew", help="accept a new key certificate of a terminal")
    _add_certificate(renewed)
    renewed.add_argument(
        "--overlap-hours",
        type=int,
        default=terminals.OVERLAP_HOURS,
        metavar="N",
        help="how long the older certificates are still accepted (%(default)s)",
    )
    _add_act(renewed)
    renewed.set_defaults(run=_of_city(terminals.renew_terminal))
    revoked = actions.add_parser("revoke", help="take a terminal off the list, at once, for ever")
    _add_id(revoked)
    _add_act(revoked)
    revoked.set_defaults(run=_of_city(terminals.revoke_terminal))
    unfrozen = actions.add_parser("unfreeze", help="after too many wrong PINs")
    _add_id(unfrozen)
    _add_act(unfrozen)
    unfrozen.set_defaults(run=_of_city(terminals.unfreeze_terminal))


def _add_certificate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "certificate",
        type=Path,
        metavar="CERTIFICATE_FILE",
        help="the terminal's key certificate, which issuance-keys keeps when it makes one",
    )


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("terminal", metavar="TERMINAL", help="the terminal's id")


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("audit", help="verify the audit record")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    verified = actions.add_parser("verify", help="the journal against its signed checkpoints")
    _add_config(verified, json=True)
    verified.set_defaults(run=_of_city(audit.verify_audit))


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verified = commands.add_parser(
        "verify",
        help="tell whether a certificate is genuine",
        description="Tell whether a certificate is genuine: by the signed code on each sheet, for a"
        " PDF by its text line by line, and by the city's records.",
        epilog="exit status: 0 genuine, issued, a test, or (with --trust) a good signature;"
        " 1 altered, not valid, or no code of this city; 2 usage",
    )
    verified.add_argument(
        "file", type=Path, metavar="FILE", help="a PDF, or a PNG, JPEG or TIFF scan of faces"
    )
    _add_config(verified, json=True)
    verified.add_argument(
        "--trust",
        type=Path,
        metavar="FOLDER",
        help="check against the public keys in this folder (issuance-keys export --out) alone,"
        " without the city's records",
    )
    verified.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.trust is not None:
        return verifying.verify_offline(arguments)
    return _of_city(verifying.verify_with_records)(arguments)


def _add_config(parser: argparse.ArgumentParser, *, json: bool = False) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIG_FILE,
        metavar="FILE",
        help="the city's configuration (%(default)s)",
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_act(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("--operator", required=True, metavar="NAME", help="who does it")
    parser.add_argument("--reason", required=True, help="why; it goes into the audit record")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the operator's key file")
    parser.add_argument(
        "--passphrase-stdin",
        action="store_true",
        help="read the passphrase from standard input instead of asking",
    )


if __name__ == "__main__":
    sys.exit(main())
