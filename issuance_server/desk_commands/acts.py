"""What an operator does: signed with the operator's own key, for a reason, once."""

import argparse
import getpass
import secrets
import sys
import time
from pathlib import Path

from issuance_server import control_wire as wire
from issuance_server.app import City
from issuance_server.desk_commands.reach import ask
from keys.operators import Operator
from protocol.errors import SetUpError
from protocol.secret import Secret

ACT_VALID_MS = 2 * 60 * 1_000
NONCE_BYTES = 16


async def do_act(
    city: City,
    arguments: argparse.Namespace,
    *,
    act: str,
    subject: str,
    brought: wire.NewTerminal | wire.NewKey | None = None,
) -> None:
    """Sign an act and have it done.

    Args:
        city: the city.
        arguments: ``operator``, ``key``, ``passphrase`` and ``reason``.
        act: its name, one of ``control_wire.ACTS``.
        subject: what it is about; binds what is brought.
        brought: what comes with it.

    Raises:
        KofuError: it was refused; the text says why.
    """
    key_file: Path = arguments.key or city.paths.keys / "operators" / f"{arguments.operator}.key"
    operator = Operator.unlock(key_file, arguments.passphrase)
    signed = operator.sign(
        act=act,
        subject=subject,
        reason=arguments.reason,
        nonce=secrets.token_bytes(NONCE_BYTES),
        expires_at_ms=time.time_ns() // 1_000_000 + ACT_VALID_MS,
    )
    await ask(city, wire.Act(signed=signed, brought=brought))


def take_passphrase(arguments: argparse.Namespace) -> Secret:
    """Take the passphrase from standard input or a prompt, never from the command line.

    Raises:
        SetUpError: there is nobody to ask.
    """
    if arguments.passphrase_stdin:
        return Secret(sys.stdin.readline().rstrip("\n").encode())
    if not sys.stdin.isatty():
        raise SetUpError("there is no terminal to ask on; give it with --passphrase-stdin")
    return Secret(getpass.getpass(f"passphrase of {arguments.operator}: ").encode())
