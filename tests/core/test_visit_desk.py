"""Visits: challenge, attempt, verdict, menu; repeats, refusals and ends."""

from dataclasses import replace
from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.tables.reading import read_tables
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Scope
from protocol.limits import ATTEMPTS_PER_VISIT_MAX
from protocol.visit import VisitState
from tests.core.desk import Desk
from tests.core.made import (
    CARD_REF,
    HOLDER,
    RESIDENT,
    TERMINAL,
    VISIT,
    authenticating,
    tables_toml,
)

HOLDER_OR_ALL = (Scope.SELF, Scope.HOUSEHOLD)
JUMINHYO_ITEM = t.MenuItem(
    kind=Kind.JUMINHYO,
    fee_yen=200,
    items=(Item.RELATIONSHIP, Item.DOMICILE),
    scopes=(*HOLDER_OR_ALL, Scope.SOME),
)
BEGIN = t.Begin(visit_id=VISIT, attempt=1)
CHALLENGE = bytes(range(32))
DRAWN = i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=CHALLENGE)


def test_first_begin_opens_the_visit_and_asks_the_judge() -> None:
    """Nothing is answered before the judge has spoken; then the challenge goes out."""
    desk = Desk()
    ref = desk.ask_ref(BEGIN)

    assert [e.DrawChallenge(terminal=TERMINAL, visit_id=VISIT, attempt=1)] == desk.asked_for(
        e.DrawChallenge
    )
    assert desk.answer(ref) is None
    desk.give(DRAWN)
    given = t.ChallengeGiven(visit_id=VISIT, attempt=1, challenge=CHALLENGE, valid_ms=60_000)
    assert given == desk.answer(ref)
    assert VisitState.CHALLENGED is desk.state.visits[VISIT].state


def test_repeated_begin_gets_the_same_challenge() -> None:
    """A repeat after the answer is answered from the record, without the judge."""
    desk = Desk()
    first = desk.ask_ref(BEGIN)
    desk.give(DRAWN)
    answer, written = desk.answer(first), len(desk.records)

    assert answer == desk.ask(BEGIN)
    assert written == len(desk.records)
    assert [] == desk.asked_for(e.DrawChallenge)


def test_repeated_begin_while_the_judge_thinks_is_answered_once() -> None:
    """The latest copy is answered; the judge's second answer changes nothing."""
    desk = Desk()
    desk.ask(BEGIN)
    second = desk.ask_ref(BEGIN)
    desk.give(DRAWN)
    assert desk.answer(second) is not None
    desk.give(DRAWN)

    assert [] == desk.effects
    assert 1 == len(desk.written(r.ChallengeIssued)) == len(desk.written(r.VisitBegun))


def test_late_second_challenge_does_not_take_the_place_of_the_verdict() -> None:
    """A challenge that was drawn twice comes while the attempt is judged: its answer stays."""
    desk = Desk()
    desk.ask(BEGIN)
    desk.ask(BEGIN)
    desk.give(DRAWN)
    ref = desk.ask_ref(authenticating())
    desk.give(DRAWN)
    desk.judged(VerdictOutcome.RIGHT)

    assert isinstance(desk.answer(ref), e.ReplyMenu)


def test_judge_without_a_challenge_is_told() -> None:
    """Out of reach or used: the terminal may ask again, and the attempt is not spent."""
    desk = Desk()
    ref = desk.ask_ref(BEGIN)
    desk.give(i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=None))
    assert desk.answer(ref) == t.Refused(code=ReplyCode.JUDGE_UNAVAILABLE)

    ref = desk.ask_ref(BEGIN)
    desk.give(DRAWN)
    assert isinstance(desk.answer(ref), t.ChallengeGiven)


def test_right_pin_gets_the_menu() -> None:
    """The menu names the kinds and fees; whose members to show is left to the way out."""
    desk = Desk()
    desk.begun()
    ref = desk.ask_ref(authenticating())
    assert [(VISIT, 1, ref)] == [
        (asked.visit_id, asked.attempt, asked.ref) for asked in desk.asked_for(e.JudgeAttempt)
    ]
    desk.judged(VerdictOutcome.RIGHT)

    items = (JUMINHYO_ITEM,)
    menu = e.ReplyMenu(
        terminal=TERMINAL,
        ref=ref,
        visit_id=VISIT,
        resident_id=RESIDENT,
        register_version=HOLDER.register_version,
        items=items,
    )
    assert menu == desk.answer(ref)
    assert [CARD_REF] == [fields["card_ref"] for fields in desk.logged("pin.right")]
    again = desk.ask(authenticating())
    assert isinstance(again, e.ReplyMenu)
    assert menu == replace(again, ref=ref)
    assert 1 == len(desk.written(r.AttemptMade)) == len(desk.written(r.AttemptJudged))


def test_menu_offers_what_the_holder_has_a_record_for() -> None:
    """Each kind with its fee and its own items; a repeat and a restart do not change it."""
    fees_yen = {Kind.JUMINHYO: 200, Kind.INKAN: 200, Kind.KOSEKI_ZENBU: 350, Kind.FUHYO: 200}
    versions = {Kind.KOSEKI_ZENBU: 1, Kind.FUHYO: 2, Kind.KAZEI: 3}
    desk = Desk(
        tables=read_tables(tables_toml(fees_yen)), holder=replace(HOLDER, record_versions=versions)
    )
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.judged(VerdictOutcome.RIGHT)
    menu = desk.answer(ref)

    assert isinstance(menu, e.ReplyMenu)
    assert (
        JUMINHYO_ITEM,
        t.MenuItem(kind=Kind.KOSEKI_ZENBU, fee_yen=350, scopes=HOLDER_OR_ALL),
        t.MenuItem(kind=Kind.FUHYO, fee_yen=200, items=(Item.DOMICILE,), scopes=HOLDER_OR_ALL),
    ) == menu.items
    without_seal = t.Unavailable(kind=Kind.INKAN, code=ReplyCode.SEAL_NOT_REGISTERED)
    assert (without_seal,) == menu.unavailable
    desk.holder = HOLDER
    desk.restart()
    again = desk.ask(authenticating())
    assert isinstance(again, e.ReplyMenu)
    assert menu.items == again.items
    assert menu.unavailable == again.unavailable


def test_repeat_while_judging_does_not_ask_the_judge_twice() -> None:
    """The latest copy waits for the one verdict."""
    desk = Desk()
    desk.begun()
    desk.ask(authenticating())
    second = desk.ask_ref(authenticating())
    assert [] == desk.asked_for(e.JudgeAttempt)
    desk.judged(VerdictOutcome.WRONG)

    assert t.Refused(code=ReplyCode.PIN_WRONG, tries_left=2) == desk.answer(second)


@pytest.mark.parametrize(
    ("outcome", "changes", "code", "tries_left"),
    [
        (VerdictOutcome.WRONG, {}, ReplyCode.PIN_WRONG, 2),
        (VerdictOutcome.WRONG, {"tries_left": 0, "locked_now": True}, ReplyCode.CARD_LOCKED, 0),
        (VerdictOutcome.LOCKED, {"tries_left": 0}, ReplyCode.CARD_LOCKED, 0),
        (VerdictOutcome.NOT_ACCEPTED, {"card_ref": None}, ReplyCode.CARD_NOT_ACCEPTED, 2),
        (VerdictOutcome.BUSY, {"tries_left": None}, ReplyCode.CARD_BUSY, None),
        (VerdictOutcome.FROZEN, {"tries_left": None}, ReplyCode.TERMINAL_FROZEN, None),
        (VerdictOutcome.CHALLENGE_EXPIRED, {}, ReplyCode.CHALLENGE_EXPIRED, 2),
        (VerdictOutcome.BLOCK_INVALID, {}, ReplyCode.PIN_BLOCK_INVALID, 2),
        (VerdictOutcome.BURNED, {"tries_left": 1}, ReplyCode.TRY_BURNED, 1),
        (VerdictOutcome.KEY_REUSED, {}, ReplyCode.KEY_REUSED, 2),
    ],
    ids=lambda value: value.name if isinstance(value, ReplyCode) else None,
)
def test_every_other_verdict_is_a_refusal(
    outcome: VerdictOutcome, changes: dict[str, Any], code: ReplyCode, tries_left: int | None
) -> None:
    """The code says what was found; a locked card ends the visit, anything else may be retried."""
    desk = Desk()
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.judged(outcome, **changes)
    refused = t.Refused(code=code, tries_left=tries_left)

    assert refused == desk.answer(ref)
    assert refused == desk.ask(authenticating())
    locked = code is ReplyCode.CARD_LOCKED
    assert (VisitState.ENDED if locked else VisitState.BEGUN) is desk.state.visits[VISIT].state


def test_judge_out_of_reach_is_asked_again() -> None:
    """The try may have been counted, so nothing is decided: the terminal's repeat asks anew."""
    desk = Desk()
    desk.begun()
    ref = desk.ask_ref(authenticating())
    desk.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=None))
    assert desk.answer(ref) is None
    assert ["JUDGE_UNAVAILABLE"] == [f["reason"] for f in desk.logged("visit.refused")]
    again = desk.ask_ref(authenticating())
    assert [again] == [asked.ref for asked in desk.asked_for(e.JudgeAttempt)]
    desk.judged(VerdictOutcome.RIGHT)

    assert isinstance(desk.answer(again), e.ReplyMenu)
    assert 1 == len(desk.written(r.AttemptMade)) == len(desk.written(r.AttemptJudged))


def test_attempts_are_counted_one_by_one() -> None:
    """No attempt is left out, none is made twice, and there is a last one."""
    desk = Desk()
    desk.begun()
    assert ReplyCode.OUT_OF_ORDER is desk.code(t.Begin(visit_id=VISIT, attempt=3))
    assert ReplyCode.OUT_OF_ORDER is desk.code(authenticating(2))
    desk.ask(authenticating())
    assert ReplyCode.OUT_OF_ORDER is desk.code(t.Begin(visit_id=VISIT, attempt=2))
    desk.judged(VerdictOutcome.BUSY)
    for attempt in range(2, ATTEMPTS_PER_VISIT_MAX + 1):
        desk.ask(t.Begin(visit_id=VISIT, attempt=attempt))
        desk.give(i.ChallengeDrawn(visit_id=VISIT, attempt=attempt, challenge=CHALLENGE))

    beyond = t.Begin(visit_id=VISIT, attempt=ATTEMPTS_PER_VISIT_MAX + 1)
    assert ReplyCode.LIMIT_REACHED is desk.code(beyond)
    assert list(range(1, ATTEMPTS_PER_VISIT_MAX + 1)) == list(desk.state.visits[VISIT].attempts)


def test_attempt_needs_a_challenge_of_its_own() -> None:
    """With one attempt being judged, another challenge's attempt has to wait its turn."""
    desk = Desk()
    desk.begun()
    desk.ask(t.Begin(visit_id=VISIT, attempt=2))
    desk.give(i.ChallengeDrawn(visit_id=VISIT, attempt=2, challenge=CHALLENGE))
    desk.ask(authenticating(2))

    assert ReplyCode.OUT_OF_ORDER is desk.code(authenticating(1))


def test_other_content_under_a_used_attempt_is_refused() -> None:
    """Neither while it is judged nor afterwards does another block get an answer."""
    desk = Desk()
    desk.begun()
    desk.ask(authenticating())
    assert ReplyCode.KEY_REUSED is desk.code(authenticating(block=b"c" * 64))
    desk.judged(VerdictOutcome.RIGHT)

    assert ReplyCode.KEY_REUSED is desk.code(authenticating(block=b"c" * 64))
