"""Whole visits of the pure terminal, well and not so well."""

import pytest

from protocol.codes import ReplyCode
from protocol.errors import Misuse
from protocol.issuance import IssuanceState
from protocol.telegrams import Counters, NoticeKind, Refused
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.records import Withdrawn
from terminal_sim.core.requests import Request, Step, Strange
from terminal_sim.core.state import Money, fold
from terminal_sim.core.terminal import next_deadline_ms, step
from tests.terminal_sim.city import FEE_YEN, City
from tests.terminal_sim.world import PROFILE, Person, World, number

S = IssuanceState
THE_ISSUANCE = number(101)


def shown(world: World, kind: type[object]) -> list[object]:
    return [effect for effect in world.shown if isinstance(effect, kind)]


def test_a_visit_ends_with_paper_and_a_confirmed_deletion() -> None:
    """From card to paper: every sheet once, the fee earned, both sides count the same."""
    world = World().visit()

    world.check()
    issuance = world.state.issuances[THE_ISSUANCE]
    assert (S.COMPLETED, Money.EARNED, "completed") == (
        issuance.state,
        issuance.money,
        issuance.deletion_answer,
    )
    assert [1, 2] == world.paper[THE_ISSUANCE]
    assert world.closed is not None
    assert Counters(completed=1, reversed=0, fees_earned_yen=FEE_YEN) == world.closed.ours


def test_at_most_four_pieces_are_asked_for_at_once() -> None:
    """The line keeps room for other requests."""
    world = World(City(deaf={Step.FETCH})).visit()

    pieces = [e for e in shown(world, out.Ask) if e.request.step is Step.FETCH]
    assert 4 == len(pieces)


def test_release_asked_is_on_record_before_the_city_hears_of_it() -> None:
    """The record comes first, then the coins are held, then the request leaves."""
    world = World(person=Person(insert_yen=None)).begin()
    money = into.MoneyInserted(issuance_id=THE_ISSUANCE, amount_yen=500)

    effects = step(world.state, money, world.now_ms)
    assert [out.Record, out.HoldMoney, out.Ask] == [type(effect) for effect in effects]


def test_a_wrong_pin_may_be_typed_again() -> None:
    """The second attempt has a fresh challenge and brings the menu."""
    world = World(person=Person(pins=("0000", "1234"))).visit()

    world.check()
    asked = shown(world, out.AskForPin)
    assert [(1, None), (2, 2)] == [
        (ask.attempt, ask.refusal and ask.refusal.tries_left) for ask in asked
    ]


def test_a_person_without_another_pin_takes_the_card() -> None:
    """The visit ends and tells what was refused last."""
    world = World(person=Person(pins=("0000",))).visit()

    (card,) = shown(world, out.ReturnCard)
    assert Refused(code=ReplyCode.PIN_WRONG, tries_left=2) == card.refusal
    assert {} == world.state.issuances


def test_the_third_wrong_pin_locks_and_ends_the_visit() -> None:
    """A locked card is given back at once."""
    world = World(person=Person(pins=("0", "1", "2", "1234"))).visit()

    (card,) = shown(world, out.ReturnCard)
    assert ReplyCode.CARD_LOCKED == card.refusal.code
    assert ["1234"] == world.pins


@pytest.mark.parametrize(
    "answer",
    [
        Refused(code=ReplyCode.CARD_NOT_ACCEPTED),
        Refused(code=ReplyCode.TERMINAL_FROZEN),
        Refused(code=ReplyCode.PIN_WRONG, tries_left=0),
        Strange(),
        None,
    ],
)
@pytest.mark.parametrize("at", [Step.BEGIN, Step.AUTHENTICATE])
def test_a_refusal_or_silence_before_the_menu_ends_the_visit(at: Step, answer: object) -> None:
    """The card is given back and nothing was applied for."""
    answers = [answer] * 30 if answer is None else [answer]
    world = World(City(refusals={at: answers}), Person(pins=("1234", "1234"))).visit()

    (card,) = shown(world, out.ReturnCard)
    assert (answer if isinstance(answer, Refused) else None) == card.refusal
    assert {} == world.state.issuances


@pytest.mark.parametrize("at", [Step.APPLY, Step.FETCH, Step.HELD])
@pytest.mark.parametrize(
    "answer", [Refused(code=ReplyCode.CANNOT_BE_PRINTED), Refused(code=ReplyCode.ENDED), Strange()]
)
def test_a_refusal_before_the_release_withdraws(at: Step, answer: object) -> None:
    """No money was taken, and the ciphertext is erased."""
    world = World(City(refusals={at: [answer]})).visit()
    world.city.states.pop(THE_ISSUANCE, None)

    issuance = world.state.issuances[THE_ISSUANCE]
    code = answer.code if isinstance(answer, Refused) else None
    assert issuance.withdrawal is not None
    assert (S.WITHDRAWN, code) == (issuance.state, issuance.withdrawal.refusal)
    assert {} == world.spool
    assert {} == world.hoppers


@pytest.mark.parametrize("at", [Step.APPLY, Step.FETCH, Step.HELD])
def test_no_answer_before_the_release_withdraws(at: Step) -> None:
    """A time-out ends the whole issuance, once, and the city hears of it."""
    world = World(City(deaf={at})).visit()

    world.check()
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state
    assert Step.CANCEL in world.city.asked


@pytest.mark.parametrize(
    "changes",
    [
        {"fee_yen": 301},
        {"sheets": 0},
        {"sheets": 41},
        {"sealed_bytes": 5},
        {"pieces": 1},
        {"issuance_id": number(7)},
    ],
)
def test_a_quotation_that_does_not_fit_is_withdrawn(changes: dict[str, object]) -> None:
    """Fee, sheets, length and pieces agree with each other and with the menu."""

    class Odd(City):
        def _apply(self, question: object) -> object:
            good = super()._apply(question)
            fields = {name: getattr(good, name) for name in good.__struct_fields__}
            return type(good)(**{**fields, **changes})

    world = World(Odd()).visit()

    world.check()
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state


def test_a_piece_of_another_length_withdraws() -> None:
    """A piece is what was asked for, or the issuance ends."""

    class Odd(City):
        def _piece(self, question: object) -> object:
            good = super()._piece(question)
            return type(good)(
                issuance_id=good.issuance_id, piece=good.piece, piece_bytes=good.piece_bytes - 1
            )

    world = World(Odd()).visit()

    world.check()
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state


@pytest.mark.parametrize("digest", [bytes(32), None])
def test_a_ciphertext_that_is_not_the_quoted_one_is_withdrawn(digest: bytes | None) -> None:
    """Neither damage nor a full disk leads to money."""
    world = World()
    world.stored_digest = lambda _: digest
    world.visit()

    world.check()
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state
    assert {} == world.hoppers


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        (out.AskForPin, None),
        (out.StoreCiphertext, S.WITHDRAWN),
        (out.AskForMoney, S.COMPLETED),
        (out.HoldMoney, S.COMPLETED),
        (out.LaySheet, S.COMPLETED),
    ],
)
def test_a_cancel_withdraws_only_before_the_release(
    at: type[object], ends: IssuanceState | None
) -> None:
    """Once the release was asked, printing ends by itself."""
    world = World(person=Person(leaves_on=at)).visit()

    world.check()
    issuance = world.state.issuances.get(THE_ISSUANCE)
    assert ends is (None if issuance is None else issuance.state)


def test_a_stopped_line_ends_the_visit_and_a_draining_one_does_not() -> None:
    """Only what was not released yet is withdrawn."""
    world = World(person=Person(insert_yen=None)).begin()

    assert [] == step(world.state, into.NoticeGiven(notice=NoticeKind.DRAINING), world.now_ms)
    world.queue.append(into.NoticeGiven(notice=NoticeKind.STOPPED))
    world.run().check()
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state
    assert [ReplyCode.LINE_STOPPED] == [
        record.refusal for record in world.journal if isinstance(record, Withdrawn)
    ]


@pytest.mark.parametrize("at", [Step.REPORT, Step.DELETED])
@pytest.mark.parametrize("code", [ReplyCode.UNKNOWN, ReplyCode.ENDED])
def test_a_city_that_has_nothing_to_do_with_it_ends_it(at: Step, code: ReplyCode) -> None:
    """Unknown and ended are answers: there is nothing left to say."""
    world = World(City(refusals={Step.REPORT: [Refused(code=code)], at: [Refused(code=code)]}))
    world.city.refusals[Step.DELETED] = [Refused(code=code)]
    world.visit()

    issuance = world.state.issuances[THE_ISSUANCE]
    assert (S.COMPLETED, code.name.lower()) == (issuance.state, issuance.deletion_answer)


@pytest.mark.parametrize("at", [Step.REPORT, Step.DELETED])
def test_an_advice_is_said_again_until_it_is_taken(at: Step) -> None:
    """A refusal that ends nothing is asked again after a while."""
    refusals = [Refused(code=ReplyCode.BUSY), Strange()]
    world = World(City(refusals={at: refusals})).visit()

    world.check()
    assert 3 == world.city.asked.count(at)


def test_a_withdrawal_that_nobody_hears_is_left_to_the_deadline() -> None:
    """A cancel is told for ten seconds; the city withdraws by itself in the end."""
    world = World(City(deaf={Step.CANCEL}), Person(insert_yen=10)).visit()

    assert {} == world.state.cancels
    assert S.WITHDRAWN is world.state.issuances[THE_ISSUANCE].state


def test_a_city_that_does_not_answer_the_close_still_lets_it_end() -> None:
    """Without its counters nothing can be compared."""
    world = World(City(deaf={Step.CLOSE, Step.END_VISIT})).visit()

    assert world.closed is not None
    assert world.closed.theirs is None


def test_a_busy_city_is_asked_to_open_again() -> None:
    """Busy is no refusal of the terminal."""
    world = World(City(refusals={Step.OPEN: [Refused(code=ReplyCode.BUSY), Strange()]})).visit()

    world.check()
    assert 3 == world.city.asked.count(Step.OPEN)


def test_a_refused_opening_is_told() -> None:
    """The shell learns the reply code and stops."""
    world = World(City(refusals={Step.OPEN: [Refused(code=ReplyCode.VERSION_UNKNOWN)]}))
    while world.queue:
        world.give(world.queue.popleft())

    assert [out.LineRefused(code=ReplyCode.VERSION_UNKNOWN)] == shown(world, out.LineRefused)


def test_fresh_keys_open_the_line_again_in_the_middle_of_a_visit() -> None:
    """What is under way goes on; only the opening is asked anew."""
    world = World(person=Person(insert_yen=None)).begin()
    world.wants_visit = False
    world.city.deaf = {Step.OPEN}
    world.give(into.LineReady())
    assert world.state.opening is None
    world.city.deaf = set()
    world.give(into.LineReady())
    world.pay(FEE_YEN)
    world.run().check()

    assert S.COMPLETED is world.state.issuances[THE_ISSUANCE].state


def test_two_cards_at_once_are_our_own_mistake() -> None:
    """A machine has one slot."""
    world = World(person=Person(insert_yen=None)).begin()

    with pytest.raises(Misuse):
        step(world.state, into.CardInserted(visit_id=number(9)), world.now_ms)


def test_words_that_come_too_late_change_nothing() -> None:
    """After the end neither answers, nor devices, nor the person move anything."""
    world = World().visit()
    before = world.state.key()

    for input_ in (
        into.Answered(request=Request(Step.HELD, THE_ISSUANCE), answer=Strange()),
        into.Answered(request=Request(Step.CLOSE), answer=Strange()),
        into.Unanswered(request=Request(Step.APPLY, THE_ISSUANCE)),
        into.CiphertextStored(issuance_id=THE_ISSUANCE, sealed_digest=bytes(32)),
        into.PrinterReady(issuance_id=THE_ISSUANCE),
        into.SheetOut(issuance_id=THE_ISSUANCE, sheet=2),
        into.PrinterFailed(issuance_id=THE_ISSUANCE),
        into.Erased(issuance_id=THE_ISSUANCE),
        into.PinEntered(visit_id=number(1)),
        into.CardTaken(visit_id=number(1)),
        into.CertificateChosen(
            visit_id=number(1),
            issuance_id=number(300),
            kind=world.state.issuances[THE_ISSUANCE].applied.kind,
            options=world.person.options,
            copies=1,
        ),
        into.CancelAsked(),
        into.TimePassed(),
    ):
        assert [] == step(world.state, input_, world.now_ms)
    assert before == world.state.key()


def test_a_word_about_an_issuance_that_never_was_is_our_own_mistake() -> None:
    """Ids come from ourselves."""
    with pytest.raises(Misuse):
        step(fold(PROFILE, []), into.Erased(issuance_id=number(1)), 0)


def test_paying_twice_is_our_own_mistake() -> None:
    """The coin slot is open once for each issuance."""
    world = World().visit()

    money = into.MoneyInserted(issuance_id=THE_ISSUANCE, amount_yen=FEE_YEN)
    with pytest.raises(Misuse):
        step(world.state, money, world.now_ms)


def test_a_terminal_at_rest_wants_nothing() -> None:
    """No deadline is left when all is settled, and a copy is the same state."""
    world = World().visit()

    assert next_deadline_ms(world.state) is None
    assert world.state.key() == world.state.copy().key()
    assert hash(world.state.key()) == hash(world.state.copy().key())
