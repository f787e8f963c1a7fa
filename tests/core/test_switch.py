"""The switch: openings and closings, drain, restart, deadlines, and what belongs to no desk."""

from dataclasses import replace

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.facts import Now
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.switch import NO_NEEDS, Needs, Switch
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.limits import QUOTATION_MS_MAX, RENDER_MS_MAX, TABLES_VERSION
from tests.core.desk import Desk
from tests.core.made import (
    CARD_REF,
    ISSUANCE,
    MONDAY_MS,
    OTHER_TERMINAL,
    RESIDENT,
    RULES,
    START_REAL_MS,
    TERMINAL,
    VISIT,
    applying,
    business_ms,
    deletion,
    failed_report,
    opening,
    print_report,
    rendered,
    signed,
    verdict,
)

S = IssuanceState
SECOND = b"issuance-two----"
NOTHING_COUNTED = t.Counters(completed=0, reversed=0, fees_earned_yen=0)


def test_opening_is_answered_with_what_the_server_has_unfinished() -> None:
    """Both sides say what they have; the software and the unfinished are in the log."""
    desk = Desk()
    desk.reach(S.SEALED)
    answer = desk.ask(opening(ISSUANCE))

    unfinished = (t.UnfinishedIssuance(issuance_id=ISSUANCE, state="sealed"),)
    assert answer == t.Opened(
        city=RULES.city,
        software="test 1",
        tables_version=TABLES_VERSION,
        call_centre="06-0000-0000",
        unfinished=unfinished,
    )
    assert [{"terminal": TERMINAL, "software": "sim 1", "unfinished": 1}] == desk.logged(
        "line.opened"
    )


def test_opening_with_other_tables_is_refused() -> None:
    """Nothing is recorded and nothing withdrawn for a terminal of another version."""
    desk = Desk()
    desk.reach(S.SEALED)
    other = t.Open(terminal=TERMINAL, software="sim 9", tables_version=TABLES_VERSION + 1)

    assert ReplyCode.VERSION_UNKNOWN is desk.code(other)
    assert [] == desk.written(r.LineOpened)
    assert S.SEALED is desk.issuance_state()


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED, S.SEALED])
def test_opening_withdraws_what_the_terminal_lost(state: S) -> None:
    """Not listed and never released: nobody will come back for it."""
    desk = Desk()
    desk.reach(state)
    answer = desk.ask(opening())

    assert S.WITHDRAWN is desk.issuance_state()
    assert isinstance(answer, t.Opened)
    assert () == answer.unfinished


def test_opening_withdraws_nothing_that_was_released_or_is_anothers() -> None:
    """A key that is out stays somebody's problem; other terminals' issuances are theirs."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.ask(applying(SECOND))
    desk.ask(opening(terminal=OTHER_TERMINAL), terminal=OTHER_TERMINAL)
    assert {ISSUANCE, SECOND} == desk.state.issuances.keys()
    desk.ask(opening())

    assert {ISSUANCE} == desk.state.issuances.keys()


def test_repeated_opening_is_answered_and_not_recorded() -> None:
    """A late copy resets no counters and withdraws nothing that was opened after the first."""
    desk = Desk()
    first = desk.ask(opening())
    desk.reach(S.COMPLETED)
    desk.ask(applying(SECOND))
    answer = desk.ask(opening())

    assert isinstance(first, t.Opened)
    assert isinstance(answer, t.Opened)
    assert 1 == len(desk.written(r.LineOpened))
    assert 1 == desk.state.counters[TERMINAL].completed
    assert S.APPLIED is desk.issuance_state(SECOND)


def test_opening_under_new_keys_is_a_new_one() -> None:
    """A terminal that starts afresh says the same words; its counters start at zero again."""
    desk = Desk()
    desk.ask(opening())
    desk.reach(S.COMPLETED)
    desk.ask(opening(), generation=2)

    assert 2 == len(desk.written(r.LineOpened))
    assert 0 == desk.state.counters[TERMINAL].completed


def test_closing_compares_the_counters() -> None:
    """Completed, reversed and earned since the opening; both agree or both know."""
    desk = Desk()
    desk.ask(opening())
    desk.reach(S.COMPLETED)
    desk.reach(S.REVERSED, SECOND)
    counted = t.Counters(completed=1, reversed=1, fees_earned_yen=200)
    assert t.Closed(counters=counted) == desk.ask(t.Close(counters=counted))
    assert ["in-order"] == [fields["reason"] for fields in desk.logged("line.closed")]
    assert t.Closed(counters=counted) == desk.ask(t.Close(counters=counted))
    assert [] == desk.effects[:-1]
    assert t.Closed(counters=counted) == desk.ask(t.Close(counters=NOTHING_COUNTED))

    assert ["counters-differ"] == [fields["reason"] for fields in desk.logged("line.closed")]
    assert [True, False] == [record.counters_agree for record in desk.written(r.LineClosed)]


def test_closing_without_an_opening_counts_nothing() -> None:
    """After a restart of the server a terminal that never opened has nothing here."""
    closed = t.Closed(counters=NOTHING_COUNTED)

    assert closed == Desk().ask(t.Close(counters=NOTHING_COUNTED))


def test_line_test_and_malformed_requests_are_answered() -> None:
    """A line test with its nonce; what fits no telegram with the code for it."""
    desk = Desk()
    assert t.LineTested(nonce=5) == desk.ask(t.LineTest(nonce=5))
    ref = desk.ref(t.LineTest(nonce=6))
    desk.give(i.MalformedAsked(terminal=TERMINAL, ref=ref))

    assert t.Refused(code=ReplyCode.MALFORMED) == desk.answer(ref)


def test_draining_lets_end_what_is_under_way() -> None:
    """No new visit and no new issuance; idle when nothing is owed but by silent terminals."""
    desk = Desk()
    idle = [desk.switch.idle]
    desk.reach(S.RELEASED)
    desk.give(i.DrainBegun())
    idle.append(desk.switch.idle)
    assert [1] == [fields["open_issuances"] for fields in desk.logged("server.draining")]
    begin = t.Begin(visit_id=b"visit-two-------", attempt=1)
    assert ReplyCode.DRAINING is desk.code(begin)
    assert isinstance(desk.ask(t.Begin(visit_id=VISIT, attempt=1)), t.ChallengeGiven)
    desk.ask(signed(print_report()))
    idle.append(desk.switch.idle)
    desk.ask(deletion())
    desk.give(i.KeysDestroyed(issuance_ids=(ISSUANCE,)))
    idle.append(desk.switch.idle)

    assert [True, False, False, True] == idle


def test_unconfirmed_issuance_does_not_hold_up_a_drain() -> None:
    """Its terminal may be silent for days; it is in the journal."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.pass_time(5 * 60_000)

    assert S.UNCONFIRMED is desk.issuance_state()
    assert desk.switch.idle


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED])
def test_restart_withdraws_what_only_memory_held(state: S) -> None:
    """The body is gone, so the resident is asked to start again."""
    desk = Desk()
    desk.reach(state)
    desk.restart()

    assert S.WITHDRAWN is desk.issuance_state()
    assert (state is S.QUOTED) is bool(desk.asked_for(e.DropKey))
    assert ReplyCode.SERVER_FAULT is desk.code(applying())
    assert desk.give(rendered()) == [e.EraseBody(issuance_id=ISSUANCE)]


@pytest.mark.parametrize("state", [S.SEALED, S.RELEASED, S.PRINTED, S.PRINT_FAILED, S.UNCONFIRMED])
def test_restart_keeps_what_the_terminal_holds(state: S) -> None:
    """From the ciphertext on, everything that is needed is on the disk."""
    desk = Desk()
    if state is S.UNCONFIRMED:
        desk.reach(S.RELEASED)
        desk.pass_time(5 * 60_000)
    else:
        desk.reach(state)
    desk.restart()

    assert state is desk.issuance_state()
    assert [] == desk.effects


def test_sealed_issuance_is_released_after_a_restart() -> None:
    """The whole rest of its life goes on as if nothing had been."""
    desk = Desk()
    desk.reach(S.SEALED)
    desk.restart()

    assert isinstance(desk.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200)), e.ReplyReleased)
    desk.restart()
    assert isinstance(desk.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200)), e.ReplyReleased)
    desk.ask(signed(failed_report()))
    desk.ask(deletion())
    desk.give(i.KeysDestroyed(issuance_ids=(ISSUANCE,)))
    assert S.REVERSED is desk.issuance_state()


@pytest.mark.parametrize(
    ("state", "wait_ms", "code"),
    [
        (S.APPLIED, RENDER_MS_MAX, ReplyCode.RENDERING_FAILED),
        (S.QUOTED, QUOTATION_MS_MAX, ReplyCode.QUOTATION_EXPIRED),
        (S.SEALED, QUOTATION_MS_MAX, ReplyCode.QUOTATION_EXPIRED),
    ],
)
def test_deadline_before_the_release_withdraws(state: S, wait_ms: int, code: ReplyCode) -> None:
    """Once, in the journal, not a millisecond early; and nothing of it runs afterwards."""
    desk = Desk()
    desk.reach(state)
    desk.pass_time(wait_ms - 1)
    assert state is desk.issuance_state()
    desk.pass_time(1)

    assert [code] == [record.code for record in desk.written(r.IssuanceWithdrawn)]
    assert code is desk.code(applying())


def test_switch_names_the_next_deadline() -> None:
    """The nearest of all visits and issuances; none while nothing waits."""
    desk = Desk()
    assert desk.switch.next_deadline_ms() is None
    desk.authenticated()
    assert START_REAL_MS + 5 * 60_000 == desk.switch.next_deadline_ms()
    desk.ask(applying())
    assert START_REAL_MS + RENDER_MS_MAX == desk.switch.next_deadline_ms()
    assert [] == desk.give(i.Woken())


def test_needs_name_what_a_decision_reads() -> None:
    """Facts are asked for by id, and nothing is read that no decision needs."""
    desk = Desk()
    desk.reach(S.SEALED)
    now = desk.now
    switch = desk.switch

    def asked(telegram: t.AnyTelegram) -> Needs:
        wanted = i.Asked(terminal=TERMINAL, ref=desk.ref(telegram), telegram=telegram)  # type: ignore[arg-type]  # of those that fit
        return switch.needs(wanted, now)

    of_holder = Needs(
        card_ref=CARD_REF, resident_id=RESIDENT, serial_day="2026-11-30", terminal=TERMINAL
    )
    assert of_holder == asked(applying())
    assert replace(of_holder, issuance_id=SECOND) == asked(applying(SECOND))
    assert Needs(issuance_id=SECOND, serial_day="2026-11-30", terminal=TERMINAL) == asked(
        applying(SECOND, visit_id=bytes(16))
    )
    assert Needs(card_ref=CARD_REF, resident_id=RESIDENT) == asked(
        t.Release(issuance_id=ISSUANCE, amount_yen=1)
    )
    assert Needs(issuance_id=SECOND) == asked(t.Release(issuance_id=SECOND, amount_yen=1))
    assert Needs(issuance_id=SECOND) == asked(t.Fetch(issuance_id=SECOND, piece=0))
    right = verdict(VerdictOutcome.RIGHT)
    given = i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=right)
    assert Needs(card_ref=CARD_REF, terminal=TERMINAL) == switch.needs(given, now)
    assert Needs(terminal=TERMINAL) == asked(t.Begin(visit_id=VISIT, attempt=1))
    unreachable = i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=None)
    for input_ in (unreachable, i.Woken(), i.Restarted()):
        assert NO_NEEDS == switch.needs(input_, now)


def test_numbers_are_of_the_business_day() -> None:
    """Just after midnight in Japan it is the next day, whatever day it is in UTC."""
    switch = Switch(RULES)
    now = Now(real_ms=START_REAL_MS, business_ms=business_ms(2026, 12, 1, 0, 5))
    asked = i.Asked(terminal=TERMINAL, ref=Desk().ref(applying()), telegram=applying())

    assert "2026-12-01" == switch.needs(asked, now).serial_day
    assert MONDAY_MS != now.business_ms
