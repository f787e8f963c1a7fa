"""Ends by two operators: an issuance of which no word comes, and the stop of a line."""

from issuance_server.core import records as r
from issuance_server.core.day_changes import CloseIssuance, OfLines, ReopenLine
from issuance_server.core.effects import DropKey
from issuance_server.core.facts import Now
from issuance_server.core.outcome import Outcome
from issuance_server.core.state import Issuance, SwitchState
from protocol.issuance import IssuanceState
from protocol.limits import DELETION_MS_MAX


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
    refusal = _closing_refusal(issuance, change.fee, now)
    if refusal is not None:
        return refusal
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


def _closing_refusal(issuance: Issuance, fee: r.ClosedFee, now: Now) -> str | None:
    """Return why two operators may not close an issuance, or None.

    Of one that is printed or failed the fee is decided; what is missing is the word on the
    deletion, and only when that is overdue may people say that none will come.
    """
    name, state = issuance.issuance_id.hex(), issuance.state
    decided = _DECIDED_FEES.get(state)
    overdue = now.real_ms - issuance.times_ms[-1][1] >= DELETION_MS_MAX
    if state is not IssuanceState.UNCONFIRMED and (decided is None or not overdue):
        return (
            f"issuance {name} is {state.value}; only one that is unconfirmed, or whose deletion is"
            " overdue, is closed by two operators, the others come to their end by themselves or"
            " with the terminal"
        )
    if issuance.deletion is not None:
        return f"the deletion of issuance {name} is reported; it ends when its key is destroyed"
    if decided is not None and fee is not decided:
        return (
            f"the fee of issuance {name} is {decided.value}: the terminal said so, and nobody"
            f" changes that; close it with --fee {decided.value}"
        )
    return None


_DECIDED_FEES = {
    IssuanceState.PRINTED: r.ClosedFee.EARNED,
    IssuanceState.PRINT_FAILED: r.ClosedFee.RETURNED,
}


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
