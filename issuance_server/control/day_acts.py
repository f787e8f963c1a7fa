"""Acts about business days, and of two operators about what keeps one open.

What is looked at here cannot change meanwhile: whether there is such a day, terminal or issuance.
Whether the act may be done is decided in the transaction that records it, where terminals may have
reported in between; the refusal comes back from there.
"""

from collections.abc import Mapping
from datetime import date

from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, incomplete
from issuance_server.core.day_changes import (
    CarryOver,
    CloseDay,
    CloseIssuance,
    ReopenLine,
    SettleDifference,
)
from issuance_server.core.records import ClosedFee
from protocol.errors import KeyManagementError
from protocol.limits import ID_BYTES


def line_subject(terminal: str, day: str) -> str:
    """Return what operators sign about the line of a terminal on a day."""
    return f"{terminal} {day}"


def issuance_subject(issuance: str, fee: ClosedFee) -> str:
    """Return what operators sign to close an issuance (its id in hexadecimal)."""
    return f"{issuance} {fee.value}"


async def _closing(asked: Asked) -> CloseDay:
    _check_nothing_comes_with_it(asked)
    return CloseDay(day=_day(asked.act.subject))


async def _carrying_over(asked: Asked) -> CarryOver:
    terminal, day = await _line_of_day(asked)
    return CarryOver(terminal=terminal, day=day)


async def _settling(asked: Asked) -> SettleDifference:
    terminal, day = await _line_of_day(asked)
    return SettleDifference(terminal=terminal, day=day)


async def _closing_issuance(asked: Asked) -> CloseIssuance:
    _check_nothing_comes_with_it(asked)
    name, _, fee = asked.act.subject.partition(" ")
    try:
        issuance_id = bytes.fromhex(name)
        found = ClosedFee(fee)
    except ValueError:
        raise incomplete() from None
    if len(issuance_id) != ID_BYTES:
        raise KeyManagementError("an issuance id has 32 hexadecimal digits; see: issuance list")
    return CloseIssuance(issuance_id=issuance_id, fee=found)


async def _reopening(asked: Asked) -> ReopenLine:
    _check_nothing_comes_with_it(asked)
    await _check_terminal(asked, asked.act.subject)
    return ReopenLine(terminal=asked.act.subject)


DAY_ACTS: Mapping[str, ActKind] = {
    wire.ACT_DAY_CLOSE: ActKind(check=_closing),
    wire.ACT_DAY_CARRY_OVER: ActKind(check=_carrying_over, of_two=True),
    wire.ACT_DAY_SETTLE: ActKind(check=_settling, of_two=True),
    wire.ACT_ISSUANCE_CLOSE: ActKind(check=_closing_issuance, of_two=True),
    wire.ACT_TERMINAL_REOPEN: ActKind(check=_reopening, of_two=True),
}


def _check_nothing_comes_with_it(asked: Asked) -> None:
    if asked.brought is not None:
        raise incomplete()


async def _line_of_day(asked: Asked) -> tuple[str, str]:
    _check_nothing_comes_with_it(asked)
    terminal, _, day = asked.act.subject.rpartition(" ")
    if terminal not in {row.terminal for row in await asked.queries.terminals(asked.now.real_ms)}:
        raise _unknown(terminal)
    return terminal, _day(day)


async def _check_terminal(asked: Asked, terminal: str) -> None:
    rows = {row.terminal: row for row in await asked.queries.terminals(asked.now.real_ms)}
    if terminal not in rows:
        raise _unknown(terminal)
    if rows[terminal].revoked_at_ms is not None:
        raise KeyManagementError(
            f"terminal {terminal} was revoked, and that is for ever; its machine comes back as a"
            " new terminal with an id and a line of its own: issuance-keys terminal create"
        )


def _unknown(terminal: str) -> KeyManagementError:
    return KeyManagementError(f"no terminal {terminal} is registered; see: terminal list")


def _day(text: str) -> str:
    """Read a day, in the only form that sorts as days do.

    Raises:
        KeyManagementError: it is none.
    """
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise KeyManagementError(f"{text} is no day; write YYYY-MM-DD")
