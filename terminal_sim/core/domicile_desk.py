"""本籍地利用登録 at the terminal: a card that the city does not know may ask to be registered.

What the person types stays in the shell; the core knows that there is a form, and its id.
"""

from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileTold
from protocol.telegrams import Refused
from protocol.visit import VisitInput, VisitState
from terminal_sim.core import visit_desk
from terminal_sim.core.effects import TellDomicile
from terminal_sim.core.inputs import DomicileWanted
from terminal_sim.core.requests import Answer, DomicileForm, Request, Step
from terminal_sim.core.turn import Turn

ANSWER_MS_MAX = 30_000


def wanted(turn: Turn, wish: DomicileWanted) -> None:
    """Send the form, or ask how the latest one stands; after the visit has ended, do nothing."""
    visit = turn.state.visit
    if visit is None or visit.visit_id != wish.visit_id or visit.state is not VisitState.BEGUN:
        return
    question = (
        AskDomicile(visit_id=wish.visit_id)
        if wish.request_id is None
        else DomicileForm(visit_id=wish.visit_id, request_id=wish.request_id)
    )
    turn.ask(Request(Step.DOMICILE, wish.visit_id), question, give_up_ms=ANSWER_MS_MAX)


def answered(turn: Turn, request: Request, answer: Answer | None) -> None:
    """Show how the request stands, and give the card back."""
    visit = turn.state.visit
    if visit is None or visit.visit_id != request.subject or visit.state is VisitState.ENDED:
        return
    if isinstance(answer, DomicileTold):
        turn.do(TellDomicile(visit_id=visit.visit_id, told=answer))
        visit_desk.end(turn, VisitInput.VISIT_ENDED)
        return
    silent = Refused(code=ReplyCode.SERVER_FAULT)
    refusal = answer if isinstance(answer, Refused) else silent
    visit_desk.end(turn, VisitInput.VISIT_ENDED, refusal=refusal)
