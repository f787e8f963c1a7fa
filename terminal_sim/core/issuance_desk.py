"""One issuance at the terminal, from the application to the ciphertext on the disk.

Then come ``release``, ``printing`` and ``endings``; what is owed to the city afterwards (report,
deletion, withdrawal) is the business of ``advices``. Answers and device words that come too late
for the state of their issuance change nothing.
"""

from dataclasses import replace

from protocol import codec
from protocol.issuance import IssuanceState
from protocol.limits import PIECE_BYTES, QUOTATION_MS_MAX, RENDER_MS_MAX, SHEETS_MAX
from protocol.sealed_certificate import padded_bytes, pieces_of
from protocol.telegrams import Acknowledged, Apply, Fetch, Held, Quotation, Refused
from protocol.terminal_statements import FailureCause
from terminal_sim.core.effects import AskForMoney, StoreCiphertext
from terminal_sim.core.endings import withdraw
from terminal_sim.core.inputs import CertificateChosen, CiphertextStored
from terminal_sim.core.records import Applied, CiphertextHeld, Quoted
from terminal_sim.core.requests import Answer, PieceKept, Request, Step
from terminal_sim.core.state import BEFORE_RELEASE, Desk, Issuance, TerminalState
from terminal_sim.core.turn import Turn

S = IssuanceState

APPLY_MS_MAX = RENDER_MS_MAX + 15_000
"""How long a quotation is awaited: rendering has its own limit at the city."""
ANSWER_MS_MAX = 30_000
FETCHES_OUTSTANDING_MAX = 4
SEAL_BYTES = 16
"""What the seal adds to the padded certificate."""


def apply(turn: Turn, chosen: CertificateChosen, desk: Desk) -> None:
    """Store the issuance and its application, and send it."""
    question = Apply(
        visit_id=chosen.visit_id,
        issuance_id=chosen.issuance_id,
        kind=chosen.kind,
        options=chosen.options,
        copies=chosen.copies,
    )
    turn.record(
        Applied(
            issuance_id=chosen.issuance_id,
            visit_id=chosen.visit_id,
            kind=chosen.kind,
            copies=chosen.copies,
            request_digest=codec.digest(codec.encode(question)),
            at_ms=turn.now_ms,
        )
    )
    turn.state.desks[chosen.issuance_id] = desk
    request = Request(Step.APPLY, chosen.issuance_id)
    turn.ask(request, question, give_up_ms=APPLY_MS_MAX)


def quotation_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to ``apply``; None if there was none."""
    issuance = turn.issuance(request.subject)
    if issuance.state is not S.APPLIED:
        return
    match answer:
        case Quotation() if _fits(issuance, turn.state.desks[request.subject], answer):
            _take_quotation(turn, answer)
        case Refused():
            # Refused before it was taken: the city has nothing that could be withdrawn.
            withdraw(turn, request.subject, refusal=answer, tell=False)
        case _:
            withdraw(turn, request.subject)


def piece_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to ``fetch``; None if there was none."""
    issuance = turn.issuance(request.subject)
    quoted = issuance.quoted
    if issuance.state is not S.QUOTED or quoted is None:
        return
    match answer:
        case PieceKept() if _is_piece(quoted, request, answer):
            desk = turn.state.desks[request.subject]
            desk = replace(desk, pieces_kept=desk.pieces_kept | {answer.piece})
            turn.state.desks[request.subject] = desk
            if len(desk.pieces_kept) < quoted.pieces:
                _fetch_more(turn, quoted)
            else:
                turn.do(
                    StoreCiphertext(issuance_id=request.subject, sealed_digest=quoted.sealed_digest)
                )
        case Refused():
            withdraw(turn, request.subject, refusal=answer)
        case _:
            withdraw(turn, request.subject)


def stored(turn: Turn, input_: CiphertextStored) -> None:
    """Tell the city that the whole ciphertext is here, or withdraw if it is not the right one."""
    issuance = turn.issuance(input_.issuance_id)
    quoted = issuance.quoted
    if issuance.state is not S.QUOTED or quoted is None:
        return
    if input_.sealed_digest != quoted.sealed_digest:
        damaged = input_.sealed_digest is not None
        cause = FailureCause.BINDING_MISMATCH if damaged else FailureCause.PRINTER
        withdraw(turn, input_.issuance_id, cause=cause)
        return
    turn.record(CiphertextHeld(issuance_id=input_.issuance_id, at_ms=turn.now_ms))
    turn.ask(
        Request(Step.HELD, input_.issuance_id),
        Held(issuance_id=input_.issuance_id, sealed_digest=quoted.sealed_digest),
        give_up_ms=ANSWER_MS_MAX,
    )


def held_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to ``held``; None if there was none."""
    issuance = turn.issuance(request.subject)
    if issuance.state is not S.SEALED or issuance.quoted is None:
        return
    match answer:
        case Acknowledged():
            fee_yen = issuance.quoted.fee_yen
            turn.do(AskForMoney(issuance_id=request.subject, fee_yen=fee_yen))
        case Refused():
            withdraw(turn, request.subject, refusal=answer)
        case _:
            withdraw(turn, request.subject)


def cancel(turn: Turn, issuance_id: bytes) -> None:
    """Withdraw an issuance that the person does not want; once money is held, it is too late."""
    if turn.issuance(issuance_id).state in BEFORE_RELEASE:
        withdraw(turn, issuance_id)


def pass_time(turn: Turn) -> None:
    """Withdraw what was quoted too long ago."""
    for issuance_id, desk in list(turn.state.desks.items()):
        waiting = turn.issuance(issuance_id).state in BEFORE_RELEASE
        if waiting and turn.now_ms >= desk.until_ms:
            withdraw(turn, issuance_id)


def next_deadlines_ms(state: TerminalState) -> list[int]:
    """Return when running issuances want to be looked at."""
    times_ms = []
    for issuance_id, desk in state.desks.items():
        if state.issuances[issuance_id].state in BEFORE_RELEASE:
            times_ms.append(desk.until_ms)
        elif desk.release_until_ms is not None:
            times_ms.append(desk.release_until_ms)
    return times_ms


def _take_quotation(turn: Turn, answer: Quotation) -> None:
    quoted = Quoted(
        issuance_id=answer.issuance_id,
        fee_yen=answer.fee_yen,
        sheets=answer.sheets,
        sealed_bytes=answer.sealed_bytes,
        sealed_digest=answer.sealed_digest,
        pieces=answer.pieces,
        at_ms=turn.now_ms,
    )
    turn.record(quoted)
    desk = turn.state.desks[answer.issuance_id]
    until_ms = turn.now_ms + min(answer.valid_ms, QUOTATION_MS_MAX)
    turn.state.desks[answer.issuance_id] = replace(desk, until_ms=until_ms)
    for _ in range(min(FETCHES_OUTSTANDING_MAX, quoted.pieces)):
        _fetch_more(turn, quoted)


def _fetch_more(turn: Turn, quoted: Quoted) -> None:
    desk = turn.state.desks[quoted.issuance_id]
    piece = desk.pieces_asked
    if piece == quoted.pieces:
        return
    turn.state.desks[quoted.issuance_id] = replace(desk, pieces_asked=piece + 1)
    turn.ask(
        Request(Step.FETCH, quoted.issuance_id, piece),
        Fetch(issuance_id=quoted.issuance_id, piece=piece),
        give_up_ms=ANSWER_MS_MAX,
    )


def _fits(issuance: Issuance, desk: Desk, quotation: Quotation) -> bool:
    """Tell whether a quotation is about this application and consistent in itself."""
    sheets = quotation.sheets
    return (
        quotation.issuance_id == issuance.issuance_id
        and quotation.fee_yen == desk.expected_fee_yen
        and issuance.applied.copies <= sheets <= SHEETS_MAX
        and quotation.sealed_bytes == padded_bytes(sheets) + SEAL_BYTES
        and quotation.pieces == pieces_of(quotation.sealed_bytes)
    )


def _is_piece(quoted: Quoted, request: Request, answer: PieceKept) -> bool:
    """Tell whether a piece is the one asked for and as long as it must be."""
    begin = request.number * PIECE_BYTES
    wanted = (request.subject, request.number, min(PIECE_BYTES, quoted.sealed_bytes - begin))
    return (answer.issuance_id, answer.piece, answer.piece_bytes) == wanted
