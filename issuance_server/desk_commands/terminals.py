"""``issuance-server terminal list | register | renew | revoke | unfreeze | reopen``."""

import argparse
import sys
from pathlib import Path

from issuance_server.adapters.sqlite.queries import TerminalRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.terminal_admission import (
    as_pem,
    new_certificate,
    registration_subject,
    renewal_subject,
)
from issuance_server.core.inputs import Registration, RenewedCertificate
from issuance_server.core.terminal_place import TerminalClass
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError

OVERLAP_HOURS = 24
"""How long the older certificates of a terminal are accepted, if nothing else is said."""
_MS_PER_HOUR = 3_600_000
_FINGERPRINT_CHARACTERS = 16
"""Of a SHA-256 in a table for people; ``--json`` has all of it."""
_COLUMNS = (
    *("terminal", "line", "state", "certificate", "certificate is", "since", "until", "class"),
    "place",
)


async def list_terminals(city: City, arguments: argparse.Namespace) -> int:
    """Print all terminals, one line for each key certificate."""
    answer = await ask(city, wire.ListTerminals())
    if not isinstance(answer, wire.Terminals):
        raise SetUpError("the server gave another answer than was asked")
    if arguments.json:
        print_json(answer.rows)
    else:
        print_table(_COLUMNS, (cells for row in answer.rows for cells in _cells(row)))
    return 0


async def register_terminal(city: City, arguments: argparse.Namespace) -> int:
    """Put a new terminal on the list, signed by a named operator with a reason."""
    pem = _certificate(arguments.certificate)
    asked = Registration(
        certificate=new_certificate(pem),
        chain=_place(arguments.chain, "--chain"),
        store=_place(arguments.store, "--store"),
        in_city=arguments.in_city,
        terminal_class=TerminalClass(arguments.terminal_class),
    )
    await do_act(
        city,
        arguments,
        act=wire.ACT_TERMINAL_REGISTER,
        subject=registration_subject(asked),
        brought=wire.NewTerminal(
            certificate=pem,
            chain=asked.chain,
            store=asked.store,
            in_city=asked.in_city,
            terminal_class=asked.terminal_class,
        ),
    )
    sys.stderr.write(f"{asked.certificate.terminal} is registered and may open its line\n")
    return 0


async def renew_terminal(city: City, arguments: argparse.Namespace) -> int:
    """Add a key certificate to a known terminal, signed by a named operator with a reason."""
    pem = _certificate(arguments.certificate)
    hours: int = arguments.overlap_hours
    if not 0 <= hours <= wire.OVERLAP_HOURS_MAX:
        raise SetUpError(f"--overlap-hours goes from 0 to {wire.OVERLAP_HOURS_MAX}")
    asked = RenewedCertificate(certificate=new_certificate(pem), overlap_ms=hours * _MS_PER_HOUR)
    await do_act(
        city,
        arguments,
        act=wire.ACT_TERMINAL_RENEW,
        subject=renewal_subject(asked),
        brought=wire.NewKey(certificate=pem, overlap_hours=hours),
    )
    terminal = asked.certificate.terminal
    sys.stderr.write(
        f"{terminal} has a new key certificate; the older ones are accepted for {hours} hours\n"
    )
    return 0


async def revoke_terminal(city: City, arguments: argparse.Namespace) -> int:
    """Take a terminal off the list for ever, signed by a named operator with a reason."""
    await do_act(city, arguments, act=wire.ACT_TERMINAL_REVOKE, subject=arguments.terminal)
    sys.stderr.write(
        f"{arguments.terminal} is revoked: its line is closed, and none will open again\n"
    )
    return 0


async def unfreeze_terminal(city: City, arguments: argparse.Namespace) -> int:
    """Let a frozen terminal go on, signed by a named operator with a reason."""
    await do_act(city, arguments, act=wire.ACT_TERMINAL_UNFREEZE, subject=arguments.terminal)
    sys.stderr.write(f"{arguments.terminal} may take PINs again\n")
    return 0


async def reopen_terminal(city: City, arguments: argparse.Namespace) -> int:
    """Let a terminal that was stopped go on, signed by two operators with a reason."""
    await do_act(city, arguments, act=wire.ACT_TERMINAL_REOPEN, subject=arguments.terminal)
    sys.stderr.write(f"{arguments.terminal} may issue again\n")
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``terminal``."""
    group = commands.add_parser("terminal", help="the list of terminals and their keys")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="all terminals with their key certificates")
    add_config(listed, json=True)
    listed.set_defaults(run=of_city(list_terminals))
    registered = actions.add_parser("register", help="put a new terminal on the list")
    _add_certificate(registered)
    registered.add_argument("--chain", required=True, help="who runs the store")
    registered.add_argument("--store", required=True, help="the store's name")
    registered.add_argument("--in-city", action="store_true", help="the store stands in this city")
    registered.add_argument(
        "--class",
        dest="terminal_class",
        choices=[one.value for one in TerminalClass],
        default=TerminalClass.STORE.value,
        help="what machine it is (%(default)s); it must be that of its chain",
    )
    add_act(registered)
    registered.set_defaults(run=of_city(register_terminal))
    renewed = actions.add_parser("renew", help="accept a new key certificate of a terminal")
    _add_certificate(renewed)
    renewed.add_argument(
        "--overlap-hours",
        type=int,
        default=OVERLAP_HOURS,
        metavar="N",
        help="how long the older certificates are still accepted (%(default)s)",
    )
    add_act(renewed)
    renewed.set_defaults(run=of_city(renew_terminal))
    revoked = actions.add_parser("revoke", help="take a terminal off the list, at once, for ever")
    _add_id(revoked)
    add_act(revoked)
    revoked.set_defaults(run=of_city(revoke_terminal))
    unfrozen = actions.add_parser("unfreeze", help="after too many wrong PINs")
    _add_id(unfrozen)
    add_act(unfrozen)
    unfrozen.set_defaults(run=of_city(unfreeze_terminal))
    reopened = actions.add_parser(
        "reopen", help="after an integrity alarm or an inspection (two operators)"
    )
    _add_id(reopened)
    add_act(reopened, of_two=True)
    reopened.set_defaults(run=of_city(reopen_terminal))


def _add_certificate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "certificate",
        type=Path,
        metavar="CERTIFICATE_FILE",
        help="the terminal's key certificate, which issuance-keys keeps when it makes one",
    )


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("terminal", metavar="TERMINAL", help="the terminal's id")


def _cells(row: TerminalRow) -> list[tuple[object, ...]]:
    return [
        (
            row.terminal,
            row.line,
            row.state,
            certificate.fingerprint[:_FINGERPRINT_CHARACTERS],
            certificate.state,
            _minute_text(certificate.since_ms),
            _minute_text(certificate.until_ms),
            row.terminal_class,
            f"{row.chain} {row.store}",
        )
        for certificate in row.certificates
    ]


def _minute_text(at_ms: int) -> str:
    return clock_text(at_ms).rpartition(":")[0]


def _certificate(path: Path) -> bytes:
    """Read a certificate file, in PEM form or not.

    Raises:
        SetUpError: it cannot be read, or is too long to be one.
        KeyManagementError: it is no certificate.
    """
    try:
        with path.open("rb") as file:
            content = file.read(wire.CERTIFICATE_BYTES_MAX + 1)
    except OSError as error:
        raise SetUpError(f"the certificate {path} cannot be read: {error.strerror}") from error
    if len(content) > wire.CERTIFICATE_BYTES_MAX:
        raise SetUpError(f"{path} is too long to be a certificate")
    return as_pem(content)


def _place(text: str, option: str) -> str:
    if not 1 <= len(text) <= wire.PLACE_CHARACTERS_MAX:
        raise SetUpError(f"{option} has 1 to {wire.PLACE_CHARACTERS_MAX} characters")
    return text
