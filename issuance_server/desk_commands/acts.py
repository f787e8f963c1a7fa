"""What an operator does: signed with the operator's own key, for a reason, once."""

import argparse
import getpass
import secrets
import sys
import time
from pathlib import Path

from issuance_server.app import City
from issuance_server.control import wire
from issuance_server.desk_commands.reach import ask
from keys.operators import Operator, SignedAct
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
    brought: wire.Brought | None = None,
) -> None:
    """Sign an act and have it done.

    Args:
        city: the city.
        arguments: ``operator``, ``key``, ``passphrase`` and ``reason``; for an act of two also
            ``second_operator``, ``second_key`` and ``second_passphrase``.
        act: its name, one of ``control.acts.ACTS``.
        subject: what it is about; binds what is brought.
        brought: what comes with it.

    Raises:
        KofuError: it was refused; the text says why.
    """
    one = _unlocked(city, arguments.operator, arguments.key, arguments.passphrase)
    nonce = secrets.token_bytes(NONCE_BYTES)
    expires_at_ms = time.time_ns() // 1_000_000 + ACT_VALID_MS

    def signed_by(operator: Operator) -> SignedAct:
        return operator.sign(
            act=act,
            subject=subject,
            reason=arguments.reason,
            nonce=nonce,
            expires_at_ms=expires_at_ms,
        )

    second = None
    if getattr(arguments, "second_operator", None) is not None:
        name, key = arguments.second_operator, arguments.second_key
        second = signed_by(_unlocked(city, name, key, arguments.second_passphrase))
    await ask(city, wire.Act(signed=signed_by(one), second=second, brought=brought))


def take_passphrases(arguments: argparse.Namespace) -> None:
    """Take the passphrases of who acts, before anything else is done.

    They come from standard input, a line each, or from a prompt, never from the command line.

    Raises:
        SetUpError: there is nobody to ask.
    """
    arguments.passphrase = _passphrase(arguments.operator, from_stdin=arguments.passphrase_stdin)
    second = getattr(arguments, "second_operator", None)
    if second is not None:
        arguments.second_passphrase = _passphrase(second, from_stdin=arguments.passphrase_stdin)


def _unlocked(city: City, name: str, key: Path | None, passphrase: Secret) -> Operator:
    return Operator.unlock(key or city.paths.keys / "operators" / f"{name}.key", passphrase)


def _passphrase(operator: str, *, from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\n").encode())
    if not sys.stdin.isatty():
        raise SetUpError("there is no terminal to ask on; give it with --passphrase-stdin")
    return Secret(getpass.getpass(f"passphrase of {operator}: ").encode())
