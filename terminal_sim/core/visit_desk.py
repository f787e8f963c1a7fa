"""One visit (来訪): card in, PIN, menu, card out. Every transition is a row of ``VISIT_TABLE``."""

from dataclasses import replace

from protocol.codes import ReplyCode
from protocol.errors import Misuse
from protocol.limits import ATTEMPTS_PER_VISIT_MAX, VISIT_MS_MAX
from protocol.telegrams import Begin, ChallengeGiven, EndVisit, Refused
from protocol.visit import VISIT_TABLE, VisitInput, VisitState
from terminal_sim.core import issuance_desk
from terminal_sim.core.effects import AskForPin, OfferDomicile, ReturnCard, ShowMenu
from terminal_sim.core.endings import withdraw
from terminal_sim.core.inputs import CertificateChosen
from terminal_sim.core.records import VisitEnded, VisitOpened
from terminal_sim.core.requests import Answer, Authentication, MenuGiven, Request, Step
from terminal_sim.core.state import BEFORE_RELEASE, Desk, Visit
from terminal_sim.core.turn import Turn

ANSWER_MS_MAX = 30_000
"""How long an answer is awaited before the visit is given up."""
FAREWELL_MS_MAX = 10_000
"""How long the end of a visit is told; the city's own deadline does the rest."""

_TRY_AGAIN = frozenset({ReplyCode.PIN_WRONG, ReplyCode.TRY_BURNED, ReplyCode.CHALLENGE_EXPIRED})
"""Refusals after which the person may type again."""

_MAY_ASK_DOMICILE = frozenset({ReplyCode.CARD_NOT_REGISTERED_HERE, ReplyCode.CARD_NOT_YET_USABLE})
"""Refusals after which a card may ask for registration by 本籍, or how that stands (TP-055)."""


def insert_card(turn: Turn, visit_id: bytes) -> None:
    """Begin a visit."""
    visit = turn.state.visit
    if visit is not None and visit.state is not VisitState.ENDED:
        raise Misuse("one card at a time")
    if turn.state.doubt is not None:
        raise Misuse("no visits with a city whose record is doubted")
    turn.record(VisitOpened(visit_id=visit_id, at_ms=turn.now_ms))
    turn.state.visit = Visit(
        visit_id=visit_id,
        state=VisitState.BEGUN,
        attempt=1,
        until_ms=turn.now_ms + VISIT_MS_MAX,
    )
    _ask_challenge(turn)


def enter_pin(turn: Turn, visit_id: bytes) -> None:
    """Send the attempt to the judge; a PIN that comes too late for its visit changes nothing."""
    visit = _visit(turn, visit_id)
    if visit is None or visit.state is not VisitState.CHALLENGED or visit.challenge is None:
        return
    _move(turn, VisitInput.ATTEMPT_MADE)
    turn.ask(
        Request(Step.AUTHENTICATE, visit_id, visit.attempt),
        Authentication(visit_id=visit_id, attempt=visit.attempt, challenge=visit.challenge),
        give_up_ms=ANSWER_MS_MAX,
    )


def choose(turn: Turn, chosen: CertificateChosen) -> None:
    """Open an issuance of the visit; after the visit has ended, nothing happens."""
    visit = _visit(turn, chosen.visit_id)
    if visit is None or visit.state is not VisitState.AUTHENTICATED:
        return
    prices_yen = [item.fee_yen for item in visit.menu if item.kind is chosen.kind]
    desk = Desk(
        options=chosen.options,
        expected_fee_yen=chosen.copies * prices_yen[0] if prices_yen else 0,
        until_ms=visit.until_ms,
    )
    issuance_desk.apply(turn, chosen, desk)


def challenge_answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to ``begin``; None if there was none."""
    visit = _visit(turn, request.subject)
    if visit is None or visit.state is not VisitState.BEGUN:
        return
    match answer:
        case ChallengeGiven() if (answer.visit_id, answer.attempt) == request[1:]:
            _move(turn, VisitInput.CHALLENGE_GIVEN, challenge=answer.challenge)
            refusal = visit.refusal
            turn.do(AskForPin(visit_id=visit.visit_id, attempt=visit.attempt, refusal=refusal))
        case Refused():
            end(turn, VisitInput.VISIT_ENDED, refusal=answer)
        case _:
            end(turn, VisitInput.VISIT_ENDED)


def judged(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Take the answer to ``authenticate``; None if there was none."""
    visit = _visit(turn, request.subject)
    if visit is None or visit.state is not VisitState.JUDGING:
        return
    match answer:
        case MenuGiven() if answer.visit_id == visit.visit_id:
            _move(turn, VisitInput.PIN_RIGHT, menu=answer.items)
            turn.do(
                ShowMenu(
                    visit_id=visit.visit_id, items=answer.items, unavailable=answer.unavailable
                )
            )
        case Refused(code=ReplyCode.CARD_LOCKED):
            end(turn, VisitInput.CARD_LOCKED, refusal=answer)
        case Refused():
            _move(turn, VisitInput.NOT_ACCEPTED, refusal=answer)
            if _may_try_again(visit, answer):
                turn.state.visit = replace(_present(turn), attempt=visit.attempt + 1)
                _ask_challenge(turn)
            elif answer.code in _MAY_ASK_DOMICILE:
                turn.do(OfferDomicile(visit_id=visit.visit_id, refusal=answer))
            else:
                end(turn, VisitInput.VISIT_ENDED, refusal=answer)
        case _:
            end(turn, VisitInput.VISIT_ENDED)


def leave(turn: Turn, visit_id: bytes, refusal: Refused | None = None) -> None:
    """The person takes the card; what was not released is withdrawn.

    Args:
        turn: the step under way.
        visit_id: the visit.
        refusal: what the card itself said, where it did.
    """
    visit = _visit(turn, visit_id)
    if visit is not None:
        end(turn, VisitInput.VISIT_ENDED, refusal=refusal or visit.refusal)


def end(turn: Turn, input_: VisitInput, *, refusal: Refused | None = None) -> None:
    """End the visit, if one is under way, and tell the city."""
    visit = turn.state.visit
    if visit is None or visit.state is VisitState.ENDED:
        return
    for issuance in list(turn.state.issuances.values()):
        if issuance.state in BEFORE_RELEASE:
            withdraw(turn, issuance.issuance_id, refusal=refusal)
    _move(turn, input_)
    turn.record(VisitEnded(visit_id=visit.visit_id, at_ms=turn.now_ms))
    turn.forget(visit.visit_id)
    turn.do(ReturnCard(visit_id=visit.visit_id, refusal=refusal))
    turn.ask(
        Request(Step.END_VISIT, visit.visit_id),
        EndVisit(visit_id=visit.visit_id),
        give_up_ms=FAREWELL_MS_MAX,
    )


def pass_time(turn: Turn) -> None:
    """End a visit that took too long."""
    visit = turn.state.visit
    if visit is not None and turn.now_ms >= visit.until_ms:
        end(turn, VisitInput.DEADLINE_PASSED)


def next_deadline_ms(visit: Visit | None) -> int | None:
    """Return when the visit ends by itself."""
    if visit is None or visit.state is VisitState.ENDED:
        return None
    return visit.until_ms


def _ask_challenge(turn: Turn) -> None:
    visit = _present(turn)
    turn.ask(
        Request(Step.BEGIN, visit.visit_id, visit.attempt),
        Begin(visit_id=visit.visit_id, attempt=visit.attempt),
        give_up_ms=ANSWER_MS_MAX,
    )


def _may_try_again(visit: Visit, refusal: Refused) -> bool:
    return (
        refusal.code in _TRY_AGAIN
        and refusal.tries_left != 0
        and visit.attempt < ATTEMPTS_PER_VISIT_MAX
    )


def _visit(turn: Turn, visit_id: bytes) -> Visit | None:
    visit = turn.state.visit
    return visit if visit is not None and visit.visit_id == visit_id else None


def _present(turn: Turn) -> Visit:
    visit = turn.state.visit
    if visit is None:
        raise Misuse("there is no visit")
    return visit


def _move(turn: Turn, input_: VisitInput, **changes: object) -> None:
    visit = _present(turn)
    following = VISIT_TABLE.next(visit.state, input_)
    if following is None:
        raise Misuse(f"{input_.value} in state {visit.state.value} is out of order")
    turn.state.visit = replace(visit, state=following, **changes)  # type: ignore[arg-type]
