"""``issuance-server``: the city's program. ``issuance-server --help`` lists its commands."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from issuance_server.city import software
from protocol.errors import KofuError

EXIT_DONE = 0
EXIT_REFUSED = 1
EXIT_INTERRUPTED = 130

COMMANDS = {
    "init": "set_up",
    "run": "serving",
    "check-config": "serving",
    "status": "status",
    "manifest": "manifests",
    "issuance": "issuances",
    "card": "cards",
    "terminal": "terminals",
    "suppression": "suppressions",
    "tables": "city_tables",
    "notice": "notices",
    "domicile-request": "domiciles",
    "push": "push",
    "day": "days",
    "register": "registers",
    "audit": "audit",
    "trace": "traces",
    "backup": "backing_up",
    "restore": "restoring",
    "verify": "verifying",
    "verify-page": "verify_page",
}
"""The module of ``desk_commands`` that has each command. Only that one is loaded: a command that an
operator waits for should not load the whole server first."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 1 refused or found wrong, 2 usage; 3 of ``run``: not the node that was declared.
    """
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words).parse_args(words)
    try:
        try:
            result: int = arguments.run(arguments)
        finally:
            sys.stdout.flush()  # what was found before an error is shown before it
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


def _modules(argv: Sequence[str]) -> Iterable[str]:
    """Return what has to be loaded: the module of one command, or all for the list of commands."""
    named = COMMANDS.get(argv[0]) if argv else None
    return dict.fromkeys(COMMANDS.values()) if named is None else (named,)


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="issuance-server",
        description="Issues municipal certificates to convenience-store terminals.",
        epilog="exit status: 0 done, 1 refused or found wrong, 2 usage",
    )
    parser.add_argument("--version", action="version", version=software())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _modules(argv):
        import_module(f"issuance_server.desk_commands.{module}").add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
