"""``issuance-keys``: makes a city's keys, admits terminals and operators, shows the public parts.

It overwrites nothing and prints no secret. Exit status: 0 done, 1 refused, 2 wrong usage.
"""

import argparse
import getpass
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from keys import file_store
from keys.city_keys import (
    OPERATORS_FOLDER,
    TRUST_FOLDER,
    create_city_keys,
    create_terminal_keys,
)
from keys.inventory import KeyRow, key_rows, operator_rows, public_lines, terminal_row
from keys.names import check_digit_holds, checked_city
from keys.operators import Operator
from keys.trust import CityTrust
from protocol.errors import KeyManagementError, KofuError
from protocol.limits import LINE_ID_BYTES
from protocol.secret import Secret

EXIT_DONE = 0
EXIT_REFUSED = 1

_COLUMNS = ("kind", "name", "line", "identity", "valid until")
_IDENTITY_CHARACTERS = 16
"""Of a SHA-256 in a table for people; ``--json`` has all of it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.command(chosen)
    except KofuError as error:
        print(f"issuance-keys: {error}", file=sys.stderr)
        return EXIT_REFUSED
    except (KeyboardInterrupt, EOFError):
        print("issuance-keys: given up; nothing more was made", file=sys.stderr)
        return EXIT_REFUSED
    return EXIT_DONE


def _create(chosen: argparse.Namespace) -> None:
    create_city_keys(chosen.folder, chosen.city, datetime.now(UTC))
    print(
        f"The keys of city {chosen.city} are in {chosen.folder}. "
        f"Keep {chosen.folder / 'authority'} apart from the server, and "
        f"{chosen.folder / 'judge'} out of its backups.",
        file=sys.stderr,
    )
    _print_rows(key_rows(chosen.folder), as_json=chosen.json)


def _list(chosen: argparse.Namespace) -> None:
    _print_rows(key_rows(chosen.folder), as_json=chosen.json)


def _export(chosen: argparse.Namespace) -> None:
    trust = CityTrust.load(chosen.folder / TRUST_FOLDER)
    lines = public_lines(chosen.folder)
    text = "".join(f"{line}\n" for line in lines)
    if chosen.out is not None:
        out = file_store.private_folder(chosen.out)
        trust.save(out)
        file_store.write_public(out / "authority.crt", trust.authority_certificate)
        file_store.write_public(out / "public-keys.txt", text.encode("utf-8"))
        print(f"The public keys of city {trust.city} are in {out}.", file=sys.stderr)
    elif chosen.json:
        certificate = trust.authority_certificate.decode("ascii")
        print(json.dumps({"city": trust.city, "authority": certificate, "public_keys": lines}))
    else:
        print(trust.authority_certificate.decode("ascii") + text, end="")


def _terminal_create(chosen: argparse.Namespace) -> None:
    line_id = secrets.token_bytes(LINE_ID_BYTES)
    made = create_terminal_keys(
        chosen.folder, chosen.terminal_id, chosen.out, line_id, datetime.now(UTC)
    )
    print(
        f"{chosen.out} holds what terminal {made.terminal_id} is given. "
        "The server obeys it once it is registered there.",
        file=sys.stderr,
    )
    _print_rows([terminal_row(made.line.certificate_pem)], as_json=chosen.json)


def _operator_create(chosen: argparse.Namespace) -> None:
    folder = chosen.folder / OPERATORS_FOLDER
    if not folder.is_dir():
        raise KeyManagementError(
            f"{chosen.folder} is not a city's key folder; make one: issuance-keys create"
        )
    if (folder / f"{chosen.name}.key").exists():
        raise KeyManagementError(f"operator {chosen.name} exists already and is never overwritten")
    operator = Operator.create(folder, chosen.name, _passphrase(from_stdin=chosen.passphrase_stdin))
    print(f"Operator {operator.name} is in the ring of {chosen.folder}.", file=sys.stderr)
    rows = [row for row in operator_rows(chosen.folder) if row.name == operator.name]
    _print_rows(rows, as_json=chosen.json)


def _operator_list(chosen: argparse.Namespace) -> None:
    _print_rows(operator_rows(chosen.folder), as_json=chosen.json)


def _passphrase(*, from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n").encode("utf-8"))
    first = Secret(getpass.getpass("Passphrase: ").encode("utf-8"))
    if first != Secret(getpass.getpass("The same again: ").encode("utf-8")):
        raise KeyManagementError("the two passphrases differ; nothing was made")
    return first


def _print_rows(rows: Sequence[KeyRow], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([row.fields() for row in rows]))
        return
    cells = [_COLUMNS] + [
        (row.kind, row.name, row.line, row.identity[:_IDENTITY_CHARACTERS], row.valid_until)
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    for line in cells:
        print("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip())


def _city(text: str) -> str:
    try:
        city = checked_city(text)
    except KeyManagementError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not check_digit_holds(city):
        raise argparse.ArgumentTypeError(f"{city} is no municipality code: the check digit is off")
    return city


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="issuance-keys",
        description="Make a city's keys, admit terminals and operators, show the public parts.",
        epilog="Exit status: 0 done, 1 refused, 2 wrong usage. Nothing is ever overwritten.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    create = commands.add_parser("create", help="make all keys of a city in a new folder")
    create.add_argument("--city", type=_city, required=True, help="municipality code, 6 digits")
    _finish(create, _create, "the folder to make")

    listing = commands.add_parser("list", help="show a city's keys, without anything secret")
    _finish(listing, _list, "the city's key folder")

    export = commands.add_parser("export", help="give out the public keys")
    export.add_argument("--out", type=Path, metavar="FOLDER", help="write files there instead")
    _finish(export, _export, "the city's key folder")

    terminal = commands.add_parser("terminal", help="admit terminals")
    terminals = terminal.add_subparsers(title="commands", required=True, metavar="COMMAND")
    admit = terminals.add_parser("create", help="certify a terminal and fill its folder")
    _finish(admit, _terminal_create, "the city's key folder")
    admit.add_argument("terminal_id", metavar="TERMINAL_ID", help="letters, digits, hyphens")
    admit.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="what the terminal is given"
    )

    operator = commands.add_parser("operator", help="name operators")
    operators = operator.add_subparsers(title="commands", required=True, metavar="COMMAND")
    name = operators.add_parser("create", help="make an operator's key pair")
    name.add_argument("name", metavar="NAME", help="letters, digits, hyphens")
    name.add_argument(
        "--passphrase-stdin", action="store_true", help="read the passphrase's line from there"
    )
    _finish(name, _operator_create, "the city's key folder", flag="--dir")
    ring = operators.add_parser("list", help="show the operators")
    _finish(ring, _operator_list, "the city's key folder", flag="--dir")
    return parser


def _finish(
    parser: argparse.ArgumentParser,
    command: Callable[[argparse.Namespace], None],
    folder_help: str,
    *,
    flag: str | None = None,
) -> None:
    """Add what all commands share: the folder, the form of the result, and what to call."""
    if flag is None:
        parser.add_argument("folder", type=Path, metavar="DIR", help=folder_help)
    else:
        parser.add_argument(
            flag, dest="folder", type=Path, required=True, metavar="DIR", help=folder_help
        )
    parser.add_argument("--json", action="store_true", help="results for programs")
    parser.set_defaults(command=command)


if __name__ == "__main__":
    sys.exit(main())
