"""Checks what an operator wants done, wholly, before anything of it is recorded.

Every refusal names the way out. An act about the list of terminals comes back with the change that
it makes, so that recording it is doing it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from issuance_server import control_wire as wire
from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.sqlite.queries import Queries, TerminalRow
from issuance_server.core import inputs as i
from issuance_server.ports import Clock
from issuance_server.terminal_admission import (
    checked_certificate,
    registration_subject,
    renewal_subject,
)
from keys.operators import OperatorAct, OperatorRing
from protocol.errors import KeyManagementError

_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """Whose signatures count.

    Attributes:
        operators: gives the operators as they are now.
        authority_certificate: of the city's line authority, in PEM form.
    """

    operators: Callable[[], OperatorRing]
    authority_certificate: bytes


class ActCheck:
    """Checks acts against the operators, the stores and the clock."""

    def __init__(
        self, *, queries: Queries, judge: JudgeClient, believed: Believed, clock: Clock
    ) -> None:
        self._queries = queries
        self._judge = judge
        self._believed = believed
        self._clock = clock

    async def check(self, request: wire.Act) -> i.ActAccepted:
        """Return the act, ready to be recorded.

        Raises:
            KofuError: it is refused; the text says why, and what to do.
        """
        asked = request.signed.act
        if asked.act not in wire.ACTS:
            raise KeyManagementError(f"{asked.act} is no act of this server")
        now_ms = self._clock.now().real_ms
        act = self._believed.operators().verify(
            request.signed, now_ms, act=asked.act, subject=asked.subject
        )
        if await self._queries.nonce_used(act.nonce):
            raise KeyManagementError("this act was carried out before; sign a new one")
        return i.ActAccepted(
            operator=act.operator,
            act=act.act,
            subject=act.subject,
            reason=act.reason,
            nonce=act.nonce,
            change=await self._change(act, request.brought, now_ms),
        )

    async def _change(
        self, act: OperatorAct, brought: wire.NewTerminal | wire.NewKey | None, now_ms: int
    ) -> i.TerminalChange | None:
        """Check what is special to the act, and return what it changes in the list."""
        if act.act == wire.ACT_CARD_UNLOCK:
            if not await self._card_known(act.subject):
                raise KeyManagementError(f"no card has the reference {act.subject}")
            return None
        rows = {row.terminal: row for row in await self._queries.terminals(now_ms)}
        if act.act == wire.ACT_TERMINAL_REGISTER and isinstance(brought, wire.NewTerminal):
            return self._registration(act, brought, rows, now_ms)
        if act.act == wire.ACT_TERMINAL_RENEW and isinstance(brought, wire.NewKey):
            return self._renewal(act, brought, rows, now_ms)
        if act.act in {wire.ACT_TERMINAL_REVOKE, wire.ACT_TERMINAL_UNFREEZE} and brought is None:
            _registered(act.subject, rows)
            revoked = act.act == wire.ACT_TERMINAL_REVOKE
            return i.Revocation(terminal=act.subject) if revoked else None
        raise KeyManagementError("the act comes without what belongs to it")

    def _registration(
        self, act: OperatorAct, brought: wire.NewTerminal, rows: dict[str, TerminalRow], now_ms: int
    ) -> i.Registration:
        change = i.Registration(
            certificate=self._certificate(brought.certificate, now_ms),
            chain=_printable(brought.chain),
            store=_printable(brought.store),
            in_city=brought.in_city,
        )
        _check_subject(act, registration_subject(change))
        terminal, line = change.certificate.terminal, change.certificate.line_id.hex()
        known = rows.get(terminal)
        if known is not None and known.revoked_at_ms is not None:
            raise _revoked(terminal)
        if known is not None:
            raise KeyManagementError(
                f"terminal {terminal} is registered already; a new key is added with:"
                " terminal renew"
            )
        taken = next((row.terminal for row in rows.values() if row.line == line), None)
        if taken is not None:
            raise KeyManagementError(
                f"line {line} belongs to terminal {taken}; have the new terminal's certificate made"
                " for a line of its own: issuance-keys terminal create"
            )
        return change

    def _renewal(
        self, act: OperatorAct, brought: wire.NewKey, rows: dict[str, TerminalRow], now_ms: int
    ) -> i.RenewedCertificate:
        change = i.RenewedCertificate(
            certificate=self._certificate(brought.certificate, now_ms),
            overlap_ms=brought.overlap_hours * _MS_PER_HOUR,
        )
        _check_subject(act, renewal_subject(change))
        new = change.certificate
        known = _registered(new.terminal, rows)
        if known.line != new.line_id.hex():
            raise KeyManagementError(
                f"the certificate names line {new.line_id.hex()}, but terminal {new.terminal} has"
                f" line {known.line}; a new key keeps the line: issuance-keys terminal renew"
            )
        if any(one.fingerprint == new.fingerprint.hex() for one in known.certificates):
            raise KeyManagementError(
                f"this certificate of terminal {new.terminal} is registered already; see:"
                " terminal list"
            )
        return change

    def _certificate(self, pem: bytes, now_ms: int) -> i.NewCertificate:
        return checked_certificate(pem, self._believed.authority_certificate, now_ms)

    async def _card_known(self, card_ref: str) -> bool:
        registered = dict(await self._queries.cards())
        return card_ref in registered and await self._judge.card_known(card_ref)


def _registered(terminal: str, rows: dict[str, TerminalRow]) -> TerminalRow:
    known = rows.get(terminal)
    if known is None:
        raise KeyManagementError(
            f"no terminal {terminal} is registered; see: terminal list, or register it first:"
            " terminal register"
        )
    if known.revoked_at_ms is not None:
        raise _revoked(terminal)
    return known


def _revoked(terminal: str) -> KeyManagementError:
    return KeyManagementError(
        f"terminal {terminal} was revoked, and that is for ever; its machine comes back as a new"
        " terminal with an id and a line of its own: issuance-keys terminal create"
    )


def _check_subject(act: OperatorAct, subject: str) -> None:
    if act.subject != subject:
        raise KeyManagementError(
            "the operator signed this act for another certificate, place or time; sign it again"
        )


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise KeyManagementError("chain and store are named in words, without control characters")
    return text
