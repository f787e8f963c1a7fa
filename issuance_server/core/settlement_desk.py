"""Ends by two operators: an issuance of which no word comes, and the stop of a line."""

from issuance_server.core import records as r
from issuance_server.core.day_changes import CloseIssuance, OfLines, ReopenLine
from issuance_server.core.effects import DropKey
from issuance_server.core.facts import Now
from issuance_server.core.outcome import Outcome
from issuance_server.core.state import SwitchState
from protocol.issuance import IssuanceState


def settle(
    state: SwitchState,
    change: OfLines,
    operators: tuple[str, str],
    reason: str,
    now: Now,
    out: Outcome,
) -> str | None:
    """Do what two operators want, or refuse it.

    Returns:
        Why it is refused; None if it is done.
    """
    match change:
        case CloseIssuance():
            return _close_issuance(state, change, operators, reason, now, out)
        case ReopenLine():
            return _reopen_line(state, change, operators, now, out)


def _close_issuance(
    state: SwitchState,
    change: CloseIssuance,
    operators: tuple[str, str],
    reason: str,
    now: Now,
    out: Outcome,
) -> str | None:
    """Take the operators' word for the terminal's; the key is destroyed here (TP-101)."""
    issuance = state.issuances.get(change.issuance_id)
    name = change.issuance_id.hex()
    if issuance is None:
        return f"no issuance {name} is under way; see: issuance show {name}"
    if issuance.state is not IssuanceState.UNCONFIRMED:
        return (
            f"issuance {name} is {issuance.state.value}; only one that is unconfirmed is closed by"
            " two operators, the others come to their end by themselves or with the terminal"
        )
    out.write(
        r.IssuanceClosed(
            at_ms=now.real_ms,
            issuance_id=change.issuance_id,
            day=state.counting_day(now.business_ms),
            operators=operators,
            reason=reason,
            fee=change.fee,
        )
    )
    out.add(DropKey(issuance_id=change.issuance_id))
    out.log(
        "issuance.closed",
        issuance=name,
        terminal=issuance.terminal,
        fee=change.fee.value,
        fee_yen=issuance.applied.fee_yen,
        operator=operators[0],
        second=operators[1],
    )
    return None


def _reopen_line(
    state: SwitchState, change: ReopenLine, operators: tuple[str, str], now: Now, out: Outcome
) -> str | None:
    if change.terminal not in state.stopped_terminals:
        return f"terminal {change.terminal} is not stopped; see: terminal list"
    out.write(r.LineReopened(at_ms=now.real_ms, terminal=change.terminal, operators=operators))
    out.log(
        "line.reopened",
        terminal=change.terminal,
        operator=operators[0],
        second=operators[1],
    )
    return None
