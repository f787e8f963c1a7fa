"""Money and key (印刷許可): the fee is held, *release sent* is stored, and only then it is asked.

From then on the terminal behaves as if the key might have been given: without a decision of the
city within ``RELEASE_REPEAT_MS_MAX`` it never prints, says so, and gives the money back.
"""

from dataclasses import replace

from protocol.errors import Misuse
from protocol.issuance import IssuanceState
from protocol.limits import RELEASE_REPEAT_MS_MAX, REQUEST_REPEAT_MS
from protocol.telegrams import Refused, Release
from protocol.terminal_statements import FailureCause
from terminal_sim.core.binding_check import find_mismatch
from terminal_sim.core.effects import HoldMoney, MakeReady, ReturnMoney
from terminal_sim.core.endings import fail, withdraw
from terminal_sim.core.inputs import MoneyInserted
from terminal_sim.core.records import ReleaseAsked, ReleaseGranted
from terminal_sim.core.requests import (
    AGAIN_CODES,
    GONE_CODES,
    Answer,
    DocumentFault,
    KeyGiven,
    Request,
    Step,
)
from terminal_sim.core.state import Issuance
from terminal_sim.core.turn import Turn

S = IssuanceState

_DECISIVE_BANDS = frozenset({30, 40})
"""Refusals of these bands are decisions of the city about this issuance: it has not released."""


def insert_money(turn: Turn, input_: MoneyInserted) -> None:
    """Hold the fee and ask for the key; too little, or too late, is given back."""
    issuance = turn.issuance(input_.issuance_id)
    quoted = issuance.quoted
    if issuance.state is S.WITHDRAWN:
        turn.do(ReturnMoney(issuance_id=input_.issuance_id, amount_yen=input_.amount_yen))
        return
    if issuance.state is not S.SEALED or quoted is None:
        raise Misuse("money is put in once, and when it is asked for")
    if input_.amount_yen < quoted.fee_yen:
        withdraw(turn, input_.issuance_id, inserted_yen=input_.amount_yen)
        return
    turn.record(
        ReleaseAsked(issuance_id=input_.issuance_id, amount_yen=quoted.fee_yen, at_ms=turn.now_ms)
    )
    desk = turn.state.desks[input_.issuance_id]
    until_ms = turn.now_ms + RELEASE_REPEAT_MS_MAX
    turn.state.desks[input_.issuance_id] = replace(desk, release_until_ms=until_ms)
    turn.do(
        HoldMoney(
            issuance_id=input_.issuance_id,
            amount_yen=quoted.fee_yen,
            change_yen=input_.amount_yen - quoted.fee_yen,
        )
    )
    _ask_release(turn, turn.issuance(input_.issuance_id))


def release_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to ``release``: verify before anything is printed."""
    issuance = turn.issuance(request.subject)
    if issuance.state is not S.RELEASING:
        return
    match answer:
        case KeyGiven():
            _take_key(turn, issuance, answer)
        case Refused() if answer.code in AGAIN_CODES:
            turn.ask_again_later(request, REQUEST_REPEAT_MS)
        case Refused() if _decided(answer):
            withdraw(turn, request.subject, refusal=answer)
        case _:
            # Nothing that decides: an earlier copy may have been granted, so the city gets a
            # report. For one that it never released, it takes the report as a withdrawal.
            refusal = answer if isinstance(answer, Refused) else None
            cause = FailureCause.NO_RELEASE_ANSWER
            fail(turn, request.subject, cause=cause, refusal=refusal)


def pass_time(turn: Turn) -> None:
    """End the wait for an answer (never prints), or ask again what was not decided."""
    for issuance_id, desk in list(turn.state.desks.items()):
        issuance = turn.issuance(issuance_id)
        if issuance.state is not S.RELEASING or desk.release_until_ms is None:
            continue
        request = Request(Step.RELEASE, issuance_id)
        if turn.now_ms >= desk.release_until_ms:
            fail(turn, issuance_id, cause=FailureCause.NO_RELEASE_ANSWER)
        elif turn.now_ms >= turn.state.again.get(request, desk.release_until_ms):
            _ask_release(turn, issuance)


def _ask_release(turn: Turn, issuance: Issuance) -> None:
    # No limit at the exchange: ``release_until_ms`` is the limit, and it is decided on record.
    turn.ask(
        Request(Step.RELEASE, issuance.issuance_id),
        Release(issuance_id=issuance.issuance_id, amount_yen=issuance.amount_yen),
        give_up_ms=None,
    )


def _take_key(turn: Turn, issuance: Issuance, given: KeyGiven) -> None:
    issuance_id = issuance.issuance_id
    desk = turn.state.desks[issuance_id]
    turn.record(ReleaseGranted(issuance_id=issuance_id, at_ms=turn.now_ms))
    if given.document is DocumentFault.SPOOL_LOST:
        fail(turn, issuance_id, cause=FailureCause.PRINTER)
        return
    mismatch = find_mismatch(issuance, desk, given, turn.state.profile.binding_keys)
    if mismatch is not None:
        fail(turn, issuance_id, cause=FailureCause.BINDING_MISMATCH, mismatch=mismatch)
        return
    turn.state.desks[issuance_id] = replace(desk, release_until_ms=None)
    turn.do(MakeReady(issuance_id=issuance_id))


def _decided(refusal: Refused) -> bool:
    return refusal.code.band in _DECISIVE_BANDS or refusal.code in GONE_CODES
