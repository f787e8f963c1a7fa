"""Money, key and sheets: what the pure terminal does from the coins to the last page."""

import pytest

from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.telegrams import Refused
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.requests import Request, Step, Strange
from terminal_sim.core.state import Money
from terminal_sim.core.terminal import step
from tests.terminal_sim.city import FEE_YEN, City
from tests.terminal_sim.world import Person, World, number

S = IssuanceState
THE_ISSUANCE = number(101)


def test_too_little_money_is_given_back() -> None:
    """The issuance is withdrawn before anything was released."""
    world = World(person=Person(insert_yen=FEE_YEN - 10)).visit()

    world.check()
    assert FEE_YEN - 10 == world.hoppers[THE_ISSUANCE].returned_yen
    assert Step.RELEASE not in world.city.asked


def test_too_much_money_gives_change() -> None:
    """What is held and earned is the fee."""
    world = World(person=Person(insert_yen=1_000)).visit()

    world.check()
    hopper = world.hoppers[THE_ISSUANCE]
    assert (1_000 - FEE_YEN, FEE_YEN) == (hopper.change_yen, hopper.earned_yen)


def test_a_person_who_never_pays_is_sent_away_in_time() -> None:
    """The visit ends after five minutes and the issuance with it."""
    world = World(person=Person(insert_yen=None)).visit()

    world.check()
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state


def test_money_that_comes_after_the_end_is_given_back() -> None:
    """Coins in a slot of a withdrawn issuance are nobody's fee."""
    world = World(person=Person(insert_yen=None)).visit()

    late = into.MoneyInserted(issuance_id=THE_ISSUANCE, amount_yen=100)
    effects = step(world.state, late, world.now_ms)
    assert [out.ReturnMoney(issuance_id=THE_ISSUANCE, amount_yen=100)] == effects


@pytest.mark.parametrize(
    "code",
    [
        ReplyCode.DATA_CHANGED,
        ReplyCode.QUOTATION_EXPIRED,
        ReplyCode.AMOUNT_WRONG,
        ReplyCode.UNKNOWN,
        ReplyCode.ENDED,
    ],
)
def test_a_refused_release_gives_the_money_back(code: ReplyCode) -> None:
    """The city decided not to release: nothing prints and the issuance is withdrawn."""
    world = World(City(refusals={Step.RELEASE: [Refused(code=code)]})).visit()

    issuance = world.state.issuances[THE_ISSUANCE]
    assert (S.WITHDRAWN, Money.RETURNED) == (issuance.state, issuance.money)
    assert FEE_YEN == world.hoppers[THE_ISSUANCE].returned_yen
    assert {} == world.paper


@pytest.mark.parametrize(
    "answer",
    [Refused(code=ReplyCode.OUT_OF_ORDER), Refused(code=ReplyCode.LINE_STOPPED), Strange()],
)
def test_an_answer_to_a_release_that_decides_nothing_is_reported(answer: object) -> None:
    """The key might have been given, so the city gets a report and a deletion report."""
    world = World(City(refusals={Step.RELEASE: [answer]})).visit()

    world.check()
    assert S.REVERSED is world.state.issuances[THE_ISSUANCE].state
    assert S.WITHDRAWN is world.city.states[THE_ISSUANCE]
    assert {} == world.paper


def test_a_busy_city_is_asked_for_the_release_again() -> None:
    """Busy is no decision; the next answer is the key."""
    busy = [Refused(code=ReplyCode.BUSY), Refused(code=ReplyCode.SERVER_FAULT)]
    world = World(City(refusals={Step.RELEASE: list(busy)})).visit()

    world.check()
    assert S.COMPLETED is world.state.issuances[THE_ISSUANCE].state


def test_a_city_that_stays_busy_for_a_minute_never_prints() -> None:
    """Not deciding is the same as not answering."""
    world = World(City(refusals={Step.RELEASE: [Refused(code=ReplyCode.BUSY)] * 100})).visit()

    world.check()
    assert S.REVERSED is world.state.issuances[THE_ISSUANCE].state
    assert {} == world.state.again


def test_no_answer_to_the_release_for_a_minute_never_prints() -> None:
    """Money back, failed at page 0, deleted; a key that comes later is not taken."""
    world = World(City(deaf={Step.RELEASE}))
    began_ms = world.now_ms
    world.visit()
    world.check()

    late = into.Answered(request=Request(Step.RELEASE, THE_ISSUANCE), answer=Strange())
    issuance = world.state.issuances[THE_ISSUANCE]
    assert issuance.failure is not None
    assert (0, False) == (issuance.failure.sheets_out, issuance.failure.sheets_unknown)
    assert issuance.failure.at_ms - began_ms >= 60_000
    assert [] == step(world.state, late, world.now_ms)
    assert S.REVERSED is world.state.issuances[THE_ISSUANCE].state
    assert {} == world.paper


def test_a_release_that_was_given_but_never_heard_is_reversed() -> None:
    """The city released, the terminal never knew: the city hears that nothing was printed."""

    class Deafening(City):
        def _release(self, question: object) -> None:
            super()._release(question)

    world = World(Deafening()).visit()

    world.check()
    assert S.REVERSED is world.city.states[THE_ISSUANCE]
    assert FEE_YEN == world.hoppers[THE_ISSUANCE].returned_yen


@pytest.mark.parametrize(("fails_at", "sheets_out"), [(1, 0), (2, 1)])
def test_a_printer_that_fails_at_a_sheet_leaves_it_unknown(fails_at: int, sheets_out: int) -> None:
    """At least the sheets before are out; the money goes back and nothing is printed again."""
    world = World()
    world.printer_fails = {fails_at}
    world.visit()

    world.check()
    report = world.city.reports[THE_ISSUANCE]
    assert (sheets_out, True) == (report.sheets_out, report.sheets_unknown)
    assert S.REVERSED is world.city.states[THE_ISSUANCE]


def test_a_printer_that_is_not_ready_has_certainly_laid_nothing() -> None:
    """No paper, no doubt, money back."""
    world = World()
    world.printer_unready = True
    world.visit()

    world.check()
    report = world.city.reports[THE_ISSUANCE]
    assert (0, False) == (report.sheets_out, report.sheets_unknown)


def test_a_sheet_that_is_leaving_is_not_started_again() -> None:
    """A printer that says twice that it is ready, or names another sheet, moves nothing."""
    world = World(person=Person(insert_yen=None)).begin()
    world.pay(FEE_YEN)
    while not any(isinstance(effect, out.LaySheet) for effect in world.shown):
        world.give(world.queue.popleft())

    ready = into.PrinterReady(issuance_id=THE_ISSUANCE)
    other = into.SheetOut(issuance_id=THE_ISSUANCE, sheet=2)
    assert [] == step(world.state, ready, world.now_ms)
    assert [] == step(world.state, other, world.now_ms)
    world.run().check()
