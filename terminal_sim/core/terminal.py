"""The terminal's one function: ``step(state, input, now) -> effects``.

It knows no clock, no entropy, no file and no socket. The caller writes the records of a step in one
transaction before anything else of its effects happens; if that fails, nothing else may happen.
"""

from collections.abc import Callable

from protocol.codes import ReplyCode
from protocol.telegrams import NoticeKind, Refused
from protocol.visit import VisitInput
from terminal_sim.core import (
    advices,
    domicile_desk,
    issuance_desk,
    line_desk,
    printing,
    release,
    visit_desk,
)
from terminal_sim.core.effects import Effect
from terminal_sim.core.inputs import (
    Answered,
    CancelAsked,
    CancelPressed,
    CardInserted,
    CardTaken,
    CertificateChosen,
    CiphertextStored,
    CloseAsked,
    DomicileWanted,
    Erased,
    Input,
    LineReady,
    MoneyInserted,
    NoticeGiven,
    PinEntered,
    PrinterFailed,
    PrinterReady,
    SheetOut,
    Started,
    TimePassed,
    Unanswered,
)
from terminal_sim.core.requests import Answer, Request, Step
from terminal_sim.core.state import TerminalState
from terminal_sim.core.turn import Turn


def step(state: TerminalState, input_: Input, now_ms: int) -> list[Effect]:
    """Take one input into the state and return what is to be done, records first.

    Args:
        state: changed in place; ``state.copy`` keeps the old one.
        input_: what happened.
        now_ms: the time; never less than in the step before.

    Raises:
        Misuse: the caller broke a rule of the interface. No word of the city ever does.
    """
    turn = Turn(state, now_ms)
    _take(turn, input_)
    advices.go_on(turn)
    line_desk.go_on(turn)
    return turn.effects()


def next_deadline_ms(state: TerminalState) -> int | None:
    """Return when ``TimePassed`` wants to be given, or None."""
    times_ms = [*issuance_desk.next_deadlines_ms(state), *state.again.values()]
    visit_ends_ms = visit_desk.next_deadline_ms(state.visit)
    if visit_ends_ms is not None:
        times_ms.append(visit_ends_ms)
    return min(times_ms, default=None)


def _take(turn: Turn, input_: Input) -> None:
    match input_:
        case Answered() | Unanswered():
            answer = input_.answer if isinstance(input_, Answered) else None
            _take_answer(turn, input_.request, answer)
        case TimePassed():
            for pass_time in _PASS_TIME:
                pass_time(turn)
        case Started():
            line_desk.start(turn)
        case LineReady():
            line_desk.open_line(turn)
        case CloseAsked():
            turn.state.closing = True
        case CancelAsked():
            visit_desk.end(turn, VisitInput.VISIT_ENDED)
        case NoticeGiven():
            # Draining needs nothing: the city refuses what it does not take any more.
            if input_.notice is NoticeKind.STOPPED:
                stopped = Refused(code=ReplyCode.LINE_STOPPED)
                visit_desk.end(turn, VisitInput.VISIT_ENDED, refusal=stopped)
        case _:
            _take_device_word(turn, input_)


def _take_device_word(turn: Turn, input_: Input) -> None:
    match input_:
        case CardInserted():
            visit_desk.insert_card(turn, input_.visit_id)
        case PinEntered():
            visit_desk.enter_pin(turn, input_.visit_id)
        case CardTaken():
            visit_desk.leave(turn, input_.visit_id, input_.refusal)
        case CertificateChosen():
            visit_desk.choose(turn, input_)
        case DomicileWanted():
            domicile_desk.wanted(turn, input_)
        case CancelPressed():
            issuance_desk.cancel(turn, input_.issuance_id)
        case MoneyInserted():
            release.insert_money(turn, input_)
        case CiphertextStored():
            issuance_desk.stored(turn, input_)
        case PrinterReady():
            printing.printer_ready(turn, input_.issuance_id)
        case SheetOut():
            printing.sheet_out(turn, input_.issuance_id, input_.sheet)
        case PrinterFailed():
            printing.printer_failed(turn, input_.issuance_id)
        case Erased():
            advices.erased(turn, input_.issuance_id)


def _take_answer(turn: Turn, request: Request, answer: Answer | None) -> None:
    if request not in turn.state.asked:
        return  # late: its request was given up or forgotten
    turn.state.asked.discard(request)
    _ON_ANSWER[request.step](turn, request, answer)


_PASS_TIME: tuple[Callable[[Turn], None], ...] = (
    line_desk.pass_time,
    release.pass_time,
    issuance_desk.pass_time,
    visit_desk.pass_time,
    advices.pass_time,
)

_ON_ANSWER: dict[Step, Callable[[Turn, Request, Answer | None], None]] = {
    Step.OPEN: lambda turn, _, answer: line_desk.opening_answered(turn, answer),
    Step.BEGIN: visit_desk.challenge_answered,
    Step.AUTHENTICATE: visit_desk.judged,
    Step.APPLY: issuance_desk.quotation_answered,
    Step.FETCH: issuance_desk.piece_answered,
    Step.HELD: issuance_desk.held_answered,
    Step.RELEASE: release.release_answered,
    Step.REPORT: advices.report_answered,
    Step.DELETED: advices.deletion_answered,
    Step.CANCEL: lambda turn, request, _: advices.cancel_answered(turn, request),
    Step.DOMICILE: domicile_desk.answered,
    Step.END_VISIT: lambda _turn, _request, _answer: None,
    Step.CLOSE: lambda turn, _, answer: line_desk.closing_answered(turn, answer),
}
