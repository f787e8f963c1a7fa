"""What an operator does: signed with the operator's own key, for a reason, once."""

import argparse
import getpass
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from issuance_server.adapters.control_socket import ASK_WAIT_MS_MAX
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.desk_commands.reach import ask
from keys.former_operators import REASON_CHARACTERS_MAX
from keys.operators import Operator, SignedAct
from protocol.errors import SetUpError
from protocol.secret import Secret

ACT_VALID_MS = 2 * 60 * 1_000
NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts in a command, unlocked once for all that it does.

    Attributes:
        city: where.
        one: the operator.
        second: the other one, where acts take two.
        reason: why.
    """

    city: City
    one: Operator
    second: Operator | None
    reason: str

    @classmethod
    def unlock(cls, city: City, arguments: argparse.Namespace) -> Self:
        """Unlock the keys of who acts.

        Args:
            city: the city.
            arguments: as for ``do_act``.

        Raises:
            KeyManagementError: a key does not open.
        """
        one = _unlocked(city, arguments.operator, arguments.key, arguments.passphrase)
        second = None
        if getattr(arguments, "second_operator", None) is not None:
            name, key = arguments.second_operator, arguments.second_key
            second = _unlocked(city, name, key, arguments.second_passphrase, option="--second-key")
        return cls(city=city, one=one, second=second, reason=arguments.reason)

    async def do(
        self,
        act: str,
        *,
        subject: str,
        brought: wire.Brought | None = None,
        wait_ms: int = ASK_WAIT_MS_MAX,
    ) -> wire.Answer:
        """Sign an act, have it done, and return what is answered.

        Args:
            act: its name, one of ``control.acts.ACTS``.
            subject: what it is about; binds what is brought.
            brought: what comes with it.
            wait_ms: how long a running server may take.

        Raises:
            KofuError: it was refused; the text says why.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        expires_at_ms = time.time_ns() // 1_000_000 + ACT_VALID_MS

        def signed_by(operator: Operator) -> SignedAct:
            return operator.sign(
                act=act,
                subject=subject,
                reason=self.reason,
                nonce=nonce,
                expires_at_ms=expires_at_ms,
            )

        second = None if self.second is None else signed_by(self.second)
        request = wire.Act(signed=signed_by(self.one), second=second, brought=brought)
        return await ask(self.city, request, wait_ms=wait_ms)


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
    await Acting.unlock(city, arguments).do(act, subject=subject, brought=brought)


def take_passphrases(arguments: argparse.Namespace) -> None:
    """Take the passphrases of who acts, before anything else is done.

    They come from standard input, a line each, or from a prompt, never from the command line.

    Raises:
        SetUpError: there is nobody to ask, a line is missing, or the reason says nothing.
    """
    if not 0 < len(arguments.reason.strip()) <= len(arguments.reason) <= REASON_CHARACTERS_MAX:
        raise SetUpError(f"--reason must say why, in 1 to {REASON_CHARACTERS_MAX} characters")
    arguments.passphrase = _passphrase(arguments.operator, from_stdin=arguments.passphrase_stdin)
    second = getattr(arguments, "second_operator", None)
    if second is not None:
        arguments.second_passphrase = _passphrase(second, from_stdin=arguments.passphrase_stdin)


def _unlocked(
    city: City, name: str, key: Path | None, passphrase: Secret, *, option: str = "--key"
) -> Operator:
    path = key or city.paths.keys / "operators" / f"{name}.key"
    if not path.exists():
        raise SetUpError(
            f"there is no key of operator {name} at {path}; name its file with {option}, or make"
            " an operator: issuance-keys operator create"
        )
    return Operator.unlock(path, passphrase)


def _passphrase(operator: str, *, from_stdin: bool) -> Secret:
    if from_stdin:
        line = sys.stdin.readline()
        if not line:
            raise SetUpError(
                f"standard input has no line for the passphrase of {operator}; there is one line"
                " for each operator, --operator first"
            )
        return Secret(line.rstrip("\n").encode())
    if not sys.stdin.isatty():
        raise SetUpError("there is no terminal to ask on; give it with --passphrase-stdin")
    return Secret(getpass.getpass(f"passphrase of {operator}: ").encode())
