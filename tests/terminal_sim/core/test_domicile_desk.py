"""本籍地利用登録 at the terminal's core: offered, sent, told; and nothing of what was typed."""

from collections.abc import Callable

import pytest

from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold
from protocol.telegrams import Refused
from protocol.visit import VisitState
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.requests import Answer, DomicileForm, Request, Step
from terminal_sim.core.terminal import step
from tests.terminal_sim.city import City
from tests.terminal_sim.world import World, number

REQUEST_ID = number(900)
TOLD = DomicileTold(request_id=REQUEST_ID, state=DomicileState.ACCEPTED)
OFFERED = [ReplyCode.CARD_NOT_REGISTERED_HERE, ReplyCode.CARD_NOT_YET_USABLE]


class Waiting(World):
    """A world in which the person takes time at the offer."""

    def _do(self, effect: out.Effect) -> None:
        if not isinstance(effect, out.OfferDomicile):
            super()._do(effect)


def at_offer(code: ReplyCode = ReplyCode.CARD_NOT_REGISTERED_HERE) -> Waiting:
    city = City()
    city.refusals[Step.AUTHENTICATE] = [Refused(code=code)]
    world = Waiting(city)
    world.begin()
    return world


def give(world: World, input_: into.Input) -> list[out.Effect]:
    world.now_ms += 1
    return step(world.state, input_, world.now_ms)


def wants(world: World, request_id: bytes | None = REQUEST_ID) -> list[out.Effect]:
    return give(world, into.DomicileWanted(visit_id=number(1), request_id=request_id))


def answer(world: World, told: Answer) -> list[out.Effect]:
    request = Request(Step.DOMICILE, number(1))
    return give(world, into.Answered(request=request, answer=told))


@pytest.mark.parametrize("code", OFFERED)
def test_an_unknown_card_is_offered_to_ask(code: ReplyCode) -> None:
    """With the city's refusal, so that the screen can say why nothing else is there."""
    (offer,) = [one for one in at_offer(code).shown if isinstance(one, out.OfferDomicile)]

    assert out.OfferDomicile(visit_id=number(1), refusal=Refused(code=code)) == offer


@pytest.mark.parametrize("code", sorted(set(ReplyCode) - set(OFFERED) - {ReplyCode.DONE}), ids=str)
def test_nobody_else_is(code: ReplyCode) -> None:
    """Any other refusal ends the visit, or lets the person type again."""
    assert not [one for one in at_offer(code).shown if isinstance(one, out.OfferDomicile)]


@pytest.mark.parametrize(
    ("request_id", "question"),
    [
        (REQUEST_ID, DomicileForm(visit_id=number(1), request_id=REQUEST_ID)),
        (None, AskDomicile(visit_id=number(1))),
    ],
)
def test_a_form_is_named_and_the_answer_shown(
    request_id: bytes | None, question: DomicileForm | AskDomicile
) -> None:
    """The shell completes the form; then the card comes out without a refusal."""
    world = at_offer()
    (asked,) = [one for one in wants(world, request_id) if isinstance(one, out.Ask)]
    assert question == asked.question

    effects = answer(world, TOLD)
    assert out.TellDomicile(visit_id=number(1), told=TOLD) in effects
    assert out.ReturnCard(visit_id=number(1), refusal=None) in effects


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda world: answer(world, Refused(code=ReplyCode.DRAINING)), ReplyCode.DRAINING),
        (
            lambda world: give(world, into.Unanswered(request=Request(Step.DOMICILE, number(1)))),
            ReplyCode.SERVER_FAULT,
        ),
    ],
)
def test_without_an_answer_the_card_comes_out_with_a_reason(
    end: Callable[[World], list[out.Effect]], code: ReplyCode
) -> None:
    """A refusal is shown as it is."""
    world = at_offer()
    wants(world)

    assert out.ReturnCard(visit_id=number(1), refusal=Refused(code=code)) in end(world)


def test_a_wish_that_comes_too_late_changes_nothing() -> None:
    """The visit has ended by itself."""
    world = at_offer()
    assert world.state.visit is not None
    world.now_ms = world.state.visit.until_ms
    give(world, into.TimePassed())
    assert VisitState.ENDED is world.state.visit.state

    assert [] == [one for one in wants(world) if isinstance(one, out.Ask)]
