"""From when a card is taken, and what a withdrawn one stops."""

from datetime import date

import pytest

from issuance_server.core import records as r
from issuance_server.core.cards import CardOccasion, first_usable_day
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.refusals import Refusal
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from tests.core.desk import Desk
from tests.core.made import CARD_REF, ISSUANCE, applying, authenticating

TODAY = date(2026, 11, 30)
TOMORROW = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("occasion", "day"),
    [
        (CardOccasion.IN_USE, None),
        (CardOccasion.NEW_CARD, TOMORROW),
        (CardOccasion.MOVED_IN, TOMORROW),
        (CardOccasion.PIN_CHANGED, TOMORROW),
    ],
)
def test_first_usable_day(occasion: CardOccasion, day: date | None) -> None:
    """New, moved in with, or with a new PIN: from the next day; a card in use: at once."""
    assert day == first_usable_day(occasion, TODAY)


def test_card_that_is_usable_from_tomorrow() -> None:
    """The right PIN is told, with the sentence about the next day; nothing is offered."""
    desk = Desk(usable_from=TOMORROW)
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.judged(VerdictOutcome.RIGHT)

    (refused,) = [answer for _, answer in desk.answers()]
    assert isinstance(refused, t.Refused)
    assert (ReplyCode.CARD_NOT_YET_USABLE, None) == (refused.code, refused.tries_left)
    assert "翌日" in refused.code.sentence()
    (judged,) = desk.written(r.AttemptJudged)
    assert (Refusal.CARD_NOT_YET_USABLE, None) == (judged.refusal, judged.resident_id)
    assert ref is not None


def test_card_that_is_usable_from_today() -> None:
    """On the day itself it is taken."""
    desk = Desk(usable_from=TODAY)
    desk.authenticated()

    (judged,) = desk.written(r.AttemptJudged)
    assert ReplyCode.DONE is judged.code


def test_certificate_names_the_card() -> None:
    """After a verdict about a certificate, the visit goes on under the card's own reference."""
    desk = Desk()
    desk.begun()
    desk.ask(authenticating())
    desk.judged(VerdictOutcome.RIGHT, card_ref=None, certificate_serial="0a1b", tries_left=None)

    (judged,) = desk.written(r.AttemptJudged)
    assert (ReplyCode.DONE, CARD_REF) == (judged.code, judged.card_ref)
    assert CARD_REF == desk.logged("pin.right")[0]["card_ref"]


def test_certificate_of_nobody() -> None:
    """A good certificate that belongs to no registered card is told that it may apply."""
    desk = Desk(registered=False)
    desk.begun()
    desk.ask(authenticating())
    desk.judged(VerdictOutcome.RIGHT, card_ref=None, certificate_serial="0a1b", tries_left=None)

    (judged,) = desk.written(r.AttemptJudged)
    assert (ReplyCode.CARD_NOT_REGISTERED_HERE, None) == (judged.code, judged.card_ref)


def test_card_withdrawn_during_a_visit_applies_for_nothing() -> None:
    """The card is looked up again with the application."""
    desk = Desk()
    desk.authenticated()
    desk.registered = False

    assert ReplyCode.CARD_NOT_ACCEPTED is desk.code(applying())


def test_card_withdrawn_before_the_release_gets_no_paper() -> None:
    """The card is looked up again in the transaction of the release."""
    desk = Desk()
    desk.reach(IssuanceState.SEALED)
    desk.registered = False

    assert ReplyCode.CARD_NOT_ACCEPTED is desk.code(t.Release(issuance_id=ISSUANCE, amount_yen=200))
    assert IssuanceState.WITHDRAWN is desk.issuance_state()
