"""Acts about the list of terminals; ``unfreeze`` is the PIN judge's to do.

One operator registers a terminal: its certificate is the authority's, who is somebody else already,
and a machine gets nothing but what the holder of a card asks for with card and PIN. One revokes it,
for that must not wait.
"""

from collections.abc import Mapping

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.sqlite.queries import TerminalRow
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.control.tables_acts import check_chain
from issuance_server.control.terminal_admission import (
    checked_certificate,
    registration_subject,
    renewal_subject,
)
from issuance_server.core import inputs as i
from protocol.errors import KeyManagementError

_MS_PER_HOUR = 3_600_000


async def _registration(asked: Asked) -> i.Registration:
    brought = asked.brought
    if not isinstance(brought, wire.NewTerminal):
        raise incomplete()
    change = i.Registration(
        certificate=_certificate(asked, brought.certificate),
        chain=_printable(brought.chain),
        store=_printable(brought.store),
        in_city=brought.in_city,
        terminal_class=brought.terminal_class,
    )
    check_subject(asked.act, registration_subject(change))
    await check_chain(asked, change.chain, change.terminal_class)
    rows = await _rows(asked)
    terminal, line = change.certificate.terminal, change.certificate.line_id.hex()
    known = rows.get(terminal)
    if known is not None and known.revoked_at_ms is not None:
        raise _revoked(terminal)
    if known is not None:
        raise KeyManagementError(
            f"terminal {terminal} is registered already; a new key is added with: terminal renew"
        )
    taken = next((row.terminal for row in rows.values() if row.line == line), None)
    if taken is not None:
        raise KeyManagementError(
            f"line {line} belongs to terminal {taken}; have the new terminal's certificate made"
            " for a line of its own: issuance-keys terminal create"
        )
    return change


async def _renewal(asked: Asked) -> i.RenewedCertificate:
    brought = asked.brought
    if not isinstance(brought, wire.NewKey):
        raise incomplete()
    change = i.RenewedCertificate(
        certificate=_certificate(asked, brought.certificate),
        overlap_ms=brought.overlap_hours * _MS_PER_HOUR,
    )
    check_subject(asked.act, renewal_subject(change))
    new = change.certificate
    known = _registered(new.terminal, await _rows(asked))
    if known.line != new.line_id.hex():
        raise KeyManagementError(
            f"the certificate names line {new.line_id.hex()}, but terminal {new.terminal} has"
            f" line {known.line}; a new key keeps the line: issuance-keys terminal renew"
        )
    if any(one.fingerprint == new.fingerprint.hex() for one in known.certificates):
        raise KeyManagementError(
            f"this certificate of terminal {new.terminal} is registered already; see: terminal list"
        )
    return change


async def _revocation(asked: Asked) -> i.Revocation:
    if asked.brought is not None:
        raise incomplete()
    _registered(asked.act.subject, await _rows(asked))
    return i.Revocation(terminal=asked.act.subject)


async def _unfreezing(asked: Asked) -> None:
    if asked.brought is not None:
        raise incomplete()
    _registered(asked.act.subject, await _rows(asked))


async def _unfreeze(judge: JudgeClient, act: wire.Act) -> None:
    await judge.unfreeze(act.signed)


TERMINAL_ACTS: Mapping[str, ActKind] = {
    wire.ACT_TERMINAL_REGISTER: ActKind(check=_registration),
    wire.ACT_TERMINAL_RENEW: ActKind(check=_renewal),
    wire.ACT_TERMINAL_REVOKE: ActKind(check=_revocation),
    wire.ACT_TERMINAL_UNFREEZE: ActKind(
        check=_unfreezing,
        carry_out=_unfreeze,
        done_event="terminal.unfrozen",
        subject_field="terminal",
    ),
}


async def _rows(asked: Asked) -> dict[str, TerminalRow]:
    return {row.terminal: row for row in await asked.queries.terminals(asked.now.real_ms)}


def _certificate(asked: Asked, pem: bytes) -> i.NewCertificate:
    return checked_certificate(pem, asked.believed.authority_certificate, asked.now.real_ms)


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


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise KeyManagementError("chain and store are named in words, without control characters")
    return text
