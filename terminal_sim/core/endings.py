"""How the person's part of an issuance ends: withdrawn, failed or printed. Each once, durably.

The record that ends it also decides over the money; a restart ends what a dead process left.
"""

from protocol.issuance import IssuanceState
from protocol.telegrams import Refused
from protocol.terminal_statements import FailureCause
from terminal_sim.core.effects import EarnMoney, EraseSpool, IssuanceOver, ReturnMoney
from terminal_sim.core.records import Mismatch, Printed, PrintFailed, Withdrawn
from terminal_sim.core.requests import GONE_CODES
from terminal_sim.core.state import BEFORE_RELEASE, Issuance, Money
from terminal_sim.core.turn import Turn

S = IssuanceState


def withdraw(
    turn: Turn,
    issuance_id: bytes,
    *,
    cause: FailureCause = FailureCause.CANCELLED,
    refusal: Refused | None = None,
    inserted_yen: int = 0,
    tell: bool = True,
) -> None:
    """End an issuance for which no key was given: money back, ciphertext erased.

    Args:
        turn: the step under way.
        issuance_id: the issuance.
        cause: why, as the city is told.
        refusal: the city's refusal, if it was that.
        inserted_yen: money that was put in and is not held yet.
        tell: whether the city may know the issuance and should hear of it.
    """
    issuance = turn.issuance(issuance_id)
    held_yen = issuance.amount_yen if issuance.money is Money.HELD else 0
    record = Withdrawn(
        issuance_id=issuance_id,
        cause=cause,
        refusal=None if refusal is None else refusal.code,
        returned_yen=held_yen + inserted_yen,
        at_ms=turn.now_ms,
    )
    turn.record(record)
    if tell and not (refusal is not None and refusal.code in GONE_CODES):
        turn.state.cancels[issuance_id] = cause
    _clear_up(turn, issuance_id, refusal=refusal)


def fail(
    turn: Turn,
    issuance_id: bytes,
    *,
    cause: FailureCause,
    mismatch: Mismatch | None = None,
    refusal: Refused | None = None,
    started_may_be_out: bool = False,
) -> None:
    """Mark durably that it prints no further, and give the money back.

    Args:
        turn: the step under way.
        issuance_id: the issuance.
        cause: why.
        mismatch: what did not fit, for ``BINDING_MISMATCH``.
        refusal: what the city said instead of an answer, for the screen.
        started_may_be_out: whether a sheet that was started may have left unseen.
    """
    issuance = turn.issuance(issuance_id)
    unknown = started_may_be_out and issuance.sheets_started > issuance.sheets_laid
    record = PrintFailed(
        issuance_id=issuance_id,
        sheets_out=issuance.sheets_laid,
        sheets_unknown=unknown,
        cause=cause,
        mismatch=mismatch,
        returned_yen=issuance.amount_yen,
        at_ms=turn.now_ms,
    )
    turn.record(record)
    _clear_up(turn, issuance_id, refusal=refusal)


def complete(turn: Turn, issuance_id: bytes) -> None:
    """All sheets are out: the fee is earned."""
    amount_yen = turn.issuance(issuance_id).amount_yen
    turn.record(Printed(issuance_id=issuance_id, earned_yen=amount_yen, at_ms=turn.now_ms))
    _clear_up(turn, issuance_id)


def end_after_restart(turn: Turn, issuance: Issuance) -> None:
    """Decide over an issuance that a dead process left: its key and its person are gone."""
    issuance_id = issuance.issuance_id
    if issuance.state in BEFORE_RELEASE:
        withdraw(turn, issuance_id, cause=FailureCause.POWER_LOSS)
    elif issuance.state is S.RELEASED and _all_out(issuance):
        complete(turn, issuance_id)
    elif issuance.state in (S.RELEASING, S.RELEASED):
        fail(turn, issuance_id, cause=FailureCause.POWER_LOSS, started_may_be_out=True)
    elif issuance.erased_at_ms is None:
        # It was decided, and perhaps not done: the devices do no thing twice.
        _move_money(turn, issuance)
        turn.do(EraseSpool(issuance_id=issuance_id))


def _all_out(issuance: Issuance) -> bool:
    return issuance.quoted is not None and issuance.sheets_laid == issuance.quoted.sheets


def _move_money(turn: Turn, issuance: Issuance) -> None:
    issuance_id, amount_yen = issuance.issuance_id, issuance.amount_yen
    if issuance.money is Money.EARNED:
        turn.do(EarnMoney(issuance_id=issuance_id, amount_yen=amount_yen))
    elif issuance.money is Money.RETURNED:
        turn.do(ReturnMoney(issuance_id=issuance_id, amount_yen=amount_yen))


def _clear_up(turn: Turn, issuance_id: bytes, *, refusal: Refused | None = None) -> None:
    turn.state.desks.pop(issuance_id, None)
    turn.forget(issuance_id)
    _move_money(turn, turn.issuance(issuance_id))
    # The money moves first: once the erasure is recorded, both are known to be done.
    turn.do(EraseSpool(issuance_id=issuance_id))
    turn.do(IssuanceOver(issuance_id=issuance_id, refusal=refusal))
