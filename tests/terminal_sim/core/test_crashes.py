"""The terminal dies anywhere, and what it left is settled exactly once."""

import pytest
from msgspec import structs

from protocol.errors import Misuse
from protocol.issuance import IssuanceState
from protocol.telegrams import Acknowledged, Opened, UnfinishedIssuance
from protocol.terminal_statements import FailureCause, PrintOutcome
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.records import (
    AnyRecord,
    CiphertextHeld,
    DeletionTaken,
    Printed,
    PrintFailed,
    ReleaseAsked,
    ReleaseGranted,
    ReportTaken,
    SheetLaid,
    SheetStarted,
    SpoolErased,
    VisitOpened,
)
from terminal_sim.core.requests import Request, Step
from terminal_sim.core.state import Money, evolve, fold
from terminal_sim.core.terminal import step
from tests.terminal_sim.city import CITY, FEE_YEN, City
from tests.terminal_sim.world import PROFILE, Died, Person, World, die_and_settle, number

S = IssuanceState
THE_ISSUANCE = number(101)


def events_of_a_visit() -> int:
    return World().visit().events


EVENTS = events_of_a_visit()


@pytest.mark.parametrize("die_before", range(1, EVENTS + 1))
def test_dying_before_any_event_is_settled_by_the_next_opening(die_before: int) -> None:
    """Nothing printed twice, money one way, every ended issuance reported and deleted."""
    world = World()
    assert die_and_settle(world, die_before)

    world.run().check()


def test_dying_again_while_settling_is_settled_as_well() -> None:
    """Every pair of a crash in the visit and a crash in the settling after it."""
    crashes = 0
    for first in range(1, EVENTS + 1):
        second = 0
        while True:
            second += 1
            world = World()
            die_and_settle(world, first)
            world.events, world.die_before = 0, second
            try:
                world.run()
            except Died:
                crashes += 1
                world.boot()
                world.die_before = None
                world.run().check()
            else:
                break

    assert crashes > EVENTS


@pytest.mark.parametrize("die_before", range(1, EVENTS + 1))
def test_answers_lost_with_the_process_do_not_count_twice(die_before: int) -> None:
    """The city has an advice and the terminal has not: both still count the same."""
    world = World(City(sheets=1))
    if die_and_settle(world, die_before):
        world.run().check()


@pytest.mark.parametrize("insert_yen", [10, 1_000])
def test_coins_that_no_record_speaks_of_come_back(insert_yen: int) -> None:
    """Dying with money in the slot is no way to lose it."""
    events = World(person=Person(insert_yen=insert_yen)).visit().events
    for die_before in range(1, events + 1):
        world = World(person=Person(insert_yen=insert_yen))
        die_and_settle(world, die_before)
        world.run().check()


def visit_records() -> list[AnyRecord]:
    return World().visit().journal


@pytest.mark.parametrize("kept", range(len(visit_records()) + 1))
def test_the_state_can_be_folded_from_every_first_part_of_the_journal(kept: int) -> None:
    """Every prefix is a state, and starting from it decides every open issuance."""
    state = fold(PROFILE, visit_records()[:kept])
    effects = step(state, into.Started(), 9_000)

    assert [] == [i for i in state.issuances.values() if not i.over]
    assert state.open_visit is None
    assert [] == [e for e in effects if isinstance(e, out.LaySheet | out.MakeReady)]


def until(kind: type[object], nth: int = 1) -> list[AnyRecord]:
    records, found = [], 0
    for record in visit_records():
        records.append(record)
        found += isinstance(record, kind)
        if found == nth:
            return records
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("last", "nth", "ends", "sheets_out", "unknown"),
    [
        (CiphertextHeld, 1, S.WITHDRAWN, None, None),
        (ReleaseAsked, 1, S.PRINT_FAILED, 0, False),
        (ReleaseGranted, 1, S.PRINT_FAILED, 0, False),
        (SheetStarted, 1, S.PRINT_FAILED, 0, True),
        (SheetLaid, 1, S.PRINT_FAILED, 1, False),
        (SheetStarted, 2, S.PRINT_FAILED, 1, True),
        (SheetLaid, 2, S.PRINTED, None, None),
        (Printed, 1, S.PRINTED, None, None),
    ],
)
def test_a_restart_says_what_is_known_about_the_sheets(
    last: type[object], nth: int, ends: S, sheets_out: int | None, unknown: bool | None
) -> None:
    """A crash between a sheet and its record is *unknown, at least k*."""
    state = fold(PROFILE, until(last, nth))
    step(state, into.Started(), 9_000)

    issuance = state.issuances[THE_ISSUANCE]
    failure = issuance.failure
    assert (ends, sheets_out, unknown) == (
        issuance.state,
        failure and failure.sheets_out,
        failure and failure.sheets_unknown,
    )
    if failure is not None:
        assert (FailureCause.POWER_LOSS, Money.RETURNED) == (failure.cause, issuance.money)
    if ends is S.PRINTED:
        assert Money.EARNED is issuance.money


def test_a_decision_without_its_deed_is_done_at_the_next_start() -> None:
    """The money moves and the spool is erased even if the process died between."""
    earned = step(fold(PROFILE, until(Printed)), into.Started(), 9_000)
    returned = step(fold(PROFILE, [*until(ReleaseGranted), failed()]), into.Started(), 9_000)

    assert out.EarnMoney(issuance_id=THE_ISSUANCE, amount_yen=FEE_YEN) in earned
    assert out.EraseSpool(issuance_id=THE_ISSUANCE) in earned
    assert out.ReturnMoney(issuance_id=THE_ISSUANCE, amount_yen=FEE_YEN) in returned


def failed() -> PrintFailed:
    return PrintFailed(
        issuance_id=THE_ISSUANCE,
        sheets_out=0,
        sheets_unknown=False,
        cause=FailureCause.PRINTER,
        returned_yen=FEE_YEN,
        at_ms=8_000,
    )


@pytest.mark.parametrize("twice", [Printed, ReleaseAsked, DeletionTaken])
def test_a_record_that_does_not_follow_is_refused(twice: type[object]) -> None:
    """The journal tells a story of the table, or it is not ours."""
    records = until(twice)

    with pytest.raises(Misuse):
        fold(PROFILE, [*records, records[-1]])
    with pytest.raises(Misuse):
        fold(PROFILE, records[-1:])
    with pytest.raises(Misuse):
        fold(PROFILE, [records[1], records[1]])


def opened(*unfinished: tuple[bytes, str]) -> into.Answered:
    listed = tuple(UnfinishedIssuance(issuance_id=i, state=s) for i, s in unfinished)
    answer = Opened(city=CITY, software="", tables_version=1, call_centre="", unfinished=listed)
    return into.Answered(request=Request(Step.OPEN), answer=answer)


def questions(effects: list[out.Effect]) -> list[object]:
    return [effect.question for effect in effects if isinstance(effect, out.Ask)]


def test_a_city_that_forgot_is_told_the_last_words_again() -> None:
    """Report and deletion of an ended issuance come once more, the same as before."""
    world = World().visit()
    world.boot()
    step(world.state, into.Started(), 9_000)
    step(world.state, into.LineReady(), 9_000)
    before = dict(world.state.issuances)

    (report,) = questions(step(world.state, opened((THE_ISSUANCE, "released")), 9_000))
    assert world.city.reports[THE_ISSUANCE] == report
    taken = into.Answered(
        request=Request(Step.REPORT, THE_ISSUANCE), answer=Acknowledged(state="printed")
    )
    (deletion,) = questions(step(world.state, taken, 9_001))
    assert world.city.deletions[THE_ISSUANCE] == deletion
    taken = into.Answered(
        request=Request(Step.DELETED, THE_ISSUANCE), answer=Acknowledged(state="completed")
    )
    assert [] == step(world.state, taken, 9_002)
    assert before == world.state.issuances


def test_a_withdrawn_issuance_that_the_city_released_is_reported_at_page_0() -> None:
    """The city learns that nothing came out."""
    world = World(person=Person(insert_yen=10)).visit()
    world.boot()
    step(world.state, into.Started(), 9_000)
    step(world.state, into.LineReady(), 9_000)

    (report,) = questions(step(world.state, opened((THE_ISSUANCE, "unconfirmed")), 9_000))
    assert (PrintOutcome.FAILED, 0, FailureCause.NO_RELEASE_ANSWER) == (
        report.outcome,
        report.sheets_out,
        report.cause,
    )


def test_an_issuance_that_only_the_city_knows_is_withdrawn_while_it_can_be() -> None:
    """Nothing is said about one whose key was given: nobody here knows what became of it."""
    state = fold(PROFILE, [])
    step(state, into.Started(), 0)
    step(state, into.LineReady(), 0)

    asked = questions(step(state, opened((number(5), "quoted"), (number(6), "released")), 0))
    assert [number(5)] == [question.issuance_id for question in asked]


def test_many_advices_leave_room_on_the_line() -> None:
    """Only four are under way at once; each answer makes room for the next."""
    state = fold(
        PROFILE,
        [
            structs.replace(record, issuance_id=number(issuance))
            for issuance in range(7)
            for record in until(Printed)
            if not isinstance(record, VisitOpened)
        ],
    )
    step(state, into.Started(), 9_000)
    step(state, into.LineReady(), 9_000)

    listed = tuple((number(issuance), "released") for issuance in range(7))
    assert 4 == len(questions(step(state, opened(*listed), 9_000)))
    taken = into.Answered(
        request=Request(Step.REPORT, number(0)), answer=Acknowledged(state="printed")
    )
    (following,) = questions(step(state, taken, 9_001))
    assert number(4) == following.issuance_id


def test_every_record_changes_only_what_it_says() -> None:
    """The small records add to what is known and leave the state alone."""
    state = fold(PROFILE, until(Printed))
    for record in (
        SpoolErased(issuance_id=THE_ISSUANCE, at_ms=1),
        ReportTaken(issuance_id=THE_ISSUANCE, answer="printed", at_ms=2),
    ):
        evolve(state, record)

    issuance = state.issuances[THE_ISSUANCE]
    assert (S.PRINTED, 1, "printed") == (
        issuance.state,
        issuance.erased_at_ms,
        issuance.report_answer,
    )
