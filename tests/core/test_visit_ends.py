"""Visits of other terminals, ends of visits, hours, bounds, and who may have nothing."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.rules import VISITS_PER_TERMINAL_MAX, VISITS_UNDER_WAY_MAX
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.limits import VISIT_MS_MAX
from protocol.visit import VisitState
from tests.core.desk import Desk
from tests.core.made import (
    HOLDER,
    ISSUANCE,
    MINUTE_MS,
    OTHER_TERMINAL,
    SUPPRESSED,
    VISIT,
    authenticating,
    business_ms,
    verdict,
)

BEGIN = t.Begin(visit_id=VISIT, attempt=1)
CHALLENGE = bytes(range(32))
DRAWN = i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=CHALLENGE)


def test_another_terminals_visit_is_unknown() -> None:
    """Whatever another terminal asks about a visit that is not its own."""
    desk = Desk()
    desk.authenticated()

    for asked in (BEGIN, authenticating(), t.EndVisit(visit_id=VISIT)):
        assert ReplyCode.UNKNOWN is desk.code(asked, terminal=OTHER_TERMINAL)
    assert VisitState.AUTHENTICATED is desk.state.visits[VISIT].state


def test_ended_visit_takes_no_attempt() -> None:
    """After the card has left: repeats get their answer, anything new has ended."""
    desk = Desk()
    desk.begun()
    ended = t.Acknowledged(state="ended")
    assert ended == desk.ask(t.EndVisit(visit_id=VISIT))
    assert ended == desk.ask(t.EndVisit(visit_id=VISIT))

    assert 1 == len(desk.written(r.VisitEnded))
    assert isinstance(desk.ask(BEGIN), t.ChallengeGiven)
    assert ReplyCode.ENDED is desk.code(t.Begin(visit_id=VISIT, attempt=2))
    assert ReplyCode.ENDED is desk.code(authenticating(1))
    assert ReplyCode.ENDED is desk.code(authenticating(2))
    assert ended == desk.ask(t.EndVisit(visit_id=b"another visit---"))


def test_visit_that_ends_while_judging_says_so() -> None:
    """The verdict comes too late: the waiting copy is told that the visit has ended."""
    desk = Desk()
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.ask(t.EndVisit(visit_id=VISIT))
    desk.judged(VerdictOutcome.RIGHT)

    assert t.Refused(code=ReplyCode.ENDED) == desk.answer(ref)
    assert ReplyCode.ENDED is desk.code(authenticating())


def test_challenge_for_an_ended_visit_goes_nowhere() -> None:
    """Whether the visit has ended or was forgotten meanwhile."""
    desk = Desk()
    desk.ask(BEGIN)
    desk.ask(t.EndVisit(visit_id=VISIT))
    assert [] == desk.give(DRAWN)
    desk.pass_time(VISIT_MS_MAX)
    assert [] == desk.give(DRAWN)
    assert [] == desk.give(
        i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=verdict(VerdictOutcome.RIGHT))
    )


def test_visit_ends_after_five_minutes_and_is_forgotten() -> None:
    """Its time is over once, in the journal; a new attempt of it has ended."""
    desk = Desk()
    desk.authenticated()
    desk.pass_time(VISIT_MS_MAX - 1)
    assert [] == desk.written(r.VisitEnded)
    desk.pass_time(1)

    assert ["time-over"] == [record.cause for record in desk.written(r.VisitEnded)]
    assert {} == desk.state.visits
    assert ReplyCode.ENDED is desk.code(authenticating())
    assert ReplyCode.ENDED is desk.code(t.Begin(visit_id=VISIT, attempt=2))


def test_ended_visit_is_forgotten_without_a_second_record() -> None:
    """The card had left before the time was over."""
    desk = Desk()
    desk.begun()
    desk.ask(t.EndVisit(visit_id=VISIT))
    desk.pass_time(VISIT_MS_MAX)

    assert {} == desk.state.visits
    assert 1 == len(desk.written(r.VisitEnded))


@pytest.mark.parametrize(
    "moment_ms",
    [
        business_ms(2026, 11, 30, 6, 29),
        business_ms(2026, 11, 30, 23, 0),
        business_ms(2026, 12, 31, 12),
        business_ms(2027, 1, 3, 12),
    ],
)
def test_nothing_begins_outside_the_hours(moment_ms: int) -> None:
    """Early, late and at the turn of the year: refused, logged, and nothing is opened."""
    desk = Desk(business_ms=moment_ms)

    assert ReplyCode.OUT_OF_HOURS is desk.code(BEGIN)
    assert ["OUT_OF_HOURS"] == [fields["reason"] for fields in desk.logged("visit.refused")]
    assert [] == desk.records


def test_menu_is_empty_once_the_service_has_closed() -> None:
    """The PIN was right, and there is nothing to be had any more."""
    desk = Desk(business_ms=business_ms(2026, 11, 30, 22, 59))
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.pass_time(2 * MINUTE_MS)
    desk.judged(VerdictOutcome.RIGHT)

    answer = desk.answer(ref)
    assert isinstance(answer, e.ReplyMenu)
    assert () == answer.items


def test_one_terminals_visits_are_bounded() -> None:
    """It cannot take the places of the others."""
    desk = Desk()
    for number in range(VISITS_PER_TERMINAL_MAX):
        desk.ask(t.Begin(visit_id=b"%016d" % number, attempt=1))

    assert ReplyCode.BUSY is desk.code(t.Begin(visit_id=VISIT, attempt=1))
    other = t.Begin(visit_id=b"another's visit-", attempt=1)
    assert desk.ask(other, terminal=OTHER_TERMINAL) is None
    desk.pass_time(VISIT_MS_MAX)
    assert desk.ask(BEGIN) is None


def test_id_of_an_issuance_is_no_visits() -> None:
    """Ids are made by terminals; one that is used already opens nothing."""
    desk = Desk()
    desk.reach(IssuanceState.SEALED)

    assert ReplyCode.KEY_REUSED is desk.code(t.Begin(visit_id=ISSUANCE, attempt=1))


def test_too_many_visits_are_told_to_wait() -> None:
    """Beyond the bound a new visit is busy; those under way go on."""
    desk = Desk()
    desk.begun()
    visit = msgspec.structs.replace(desk.state.visits[VISIT], terminal=OTHER_TERMINAL)
    for number in range(VISITS_UNDER_WAY_MAX - 1):
        desk.state.visits[b"%016d" % number] = visit
        desk.folded.visits[b"%016d" % number] = visit

    assert ReplyCode.BUSY is desk.code(t.Begin(visit_id=b"one too many----", attempt=1))
    assert isinstance(desk.ask(BEGIN), t.ChallengeGiven)


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"birth_on": date(2011, 12, 2)}, ReplyCode.UNDER_AGE, "under-age"),
        ({"suppressions": SUPPRESSED}, ReplyCode.NOT_ISSUED_HERE, "supported"),
        (
            {"register_age_ms": 10 * MINUTE_MS + 1},
            ReplyCode.REGISTER_STALE,
            "REGISTER_STALE",
        ),
    ],
)
def test_holder_who_may_have_nothing_is_told_after_the_right_pin(
    change: dict[str, object], code: ReplyCode, word: str
) -> None:
    """No tries are told, no holder is recorded, and the visit is not authenticated."""
    desk = Desk(holder=replace(HOLDER, **change))  # type: ignore[arg-type]  # fields by name
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.judged(VerdictOutcome.RIGHT)

    assert t.Refused(code=code) == desk.answer(ref)
    assert [None] == [record.resident_id for record in desk.written(r.AttemptJudged)]
    assert VisitState.BEGUN is desk.state.visits[VISIT].state
    assert [word] == [fields["reason"] for fields in desk.logged("visit.refused")]


def test_suppressed_and_unknown_holders_look_alike() -> None:
    """Who is suppressed and whom the register does not know get the very same bytes."""
    answers = []
    for holder in (None, replace(HOLDER, suppressions=SUPPRESSED)):
        desk = Desk(holder=holder)
        desk.begun()
        ref = desk.ask_ref(authenticating())
        desk.judged(VerdictOutcome.RIGHT)
        answers.append(desk.answer(ref))

    assert [t.Refused(code=ReplyCode.NOT_ISSUED_HERE)] * 2 == answers


def test_card_of_nobody_is_not_accepted() -> None:
    """The judge knows the card and the city does not: as with any card that is not accepted."""
    desk = Desk(registered=False)
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.judged(VerdictOutcome.RIGHT)

    assert t.Refused(code=ReplyCode.CARD_NOT_ACCEPTED) == desk.answer(ref)


def test_restart_while_judging_asks_the_judge_again() -> None:
    """Who waits is not in the journal; the terminal's repeat fills it again."""
    desk = Desk()
    desk.begun()
    desk.ask(authenticating())
    desk.restart()
    ref = desk.ask_ref(authenticating())
    assert 1 == len(desk.asked_for(e.JudgeAttempt))
    desk.judged(VerdictOutcome.RIGHT)

    assert isinstance(desk.answer(ref), e.ReplyMenu)
    assert 1 == len(desk.written(r.AttemptMade))


def test_verdict_after_a_restart_needs_nobody_who_waits() -> None:
    """It is recorded; the repeat that comes later is answered from the record."""
    desk = Desk()
    desk.begun()
    desk.ask(authenticating())
    desk.restart()
    desk.judged(VerdictOutcome.RIGHT)
    assert [] == desk.answers()

    assert isinstance(desk.ask(authenticating()), e.ReplyMenu)
