"""Days on a real file: what keeps one open, what a closed one says, and that sums agree."""

import pytest

from issuance_server.adapters.sqlite.day_accounts import late_reports
from issuance_server.adapters.sqlite.day_reading import (
    closed_through,
    day_facts,
    first_open_day,
    print_facts,
)
from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.core import effects as e
from issuance_server.core import records as r
from issuance_server.core.day_changes import ReopenLine
from issuance_server.core.day_facts import PrintFacts
from issuance_server.core.settling_desk import FAILED_PRINTS_IN_DAY_MAX
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.terminal_statements import FailureCause, PrintOutcome
from tests.adapters.city_file import CityFile
from tests.adapters.day_business import OPERATORS, Business
from tests.core.made import (
    CHAIN,
    DAY,
    OTHER_TERMINAL,
    TERMINAL,
    business_ms,
    failed_report,
    print_report,
    signed,
)

NEXT = "2026-12-01"
AFTER_SERVICE_MS = business_ms(2026, 11, 30, 23, 30)
NEXT_MORNING_MS = business_ms(2026, 12, 1, 10)
NEXT_NIGHT_MS = business_ms(2026, 12, 1, 23, 30)


@pytest.fixture
async def business(city: CityFile) -> Business:
    """A terminal whose line is open."""
    made = Business(city)
    await made.open()
    return made


async def test_day_closes_with_its_sums(business: Business) -> None:
    """One printed with two copies, one failed, one withdrawn: by chain and kind, for good."""
    await business.finish(await business.released(2), copies=2)
    await business.finish(await business.released(), failed=True)
    await business.withdrawn()
    await business.close()
    await business.wait_until(AFTER_SERVICE_MS)

    assert await business.close_day(DAY) is None
    (closed,) = business.days_closed()
    (total,) = closed.totals
    assert (DAY, OPERATORS[0], CHAIN) == (closed.day, closed.operator, total.chain)
    assert (1, 1, 1, 0) == (total.completed, total.reversed, total.withdrawn, total.closed)
    assert (2, 600, 200, 400, 234) == (
        total.copies,
        total.collected_yen,
        total.returned_yen,
        total.earned_yen,
        total.commission_yen,
    )
    (logged,) = business.logged("day.closed")
    assert (3, 400, 234) == (logged["issuances"], logged["earned_yen"], logged["commission_yen"])
    again = await business.close_day(DAY)
    assert again is not None
    assert f"{DAY} is closed" in again
    assert 1 == len(business.days_closed())


async def test_day_is_not_closed_before_its_service_is_over(business: Business) -> None:
    """Nor one that has not begun."""
    await business.close()

    for day in (DAY, NEXT):
        refused = await business.close_day(day)
        assert refused is not None
        assert "its service is not over" in refused
    assert ["day-not-over"] * 2 == [
        str(logged["reason"]).split(",")[0] for logged in business.logged("day.blocked")
    ]


async def test_issuance_without_an_end_keeps_the_day_open(business: Business) -> None:
    """It is named; two operators end it, and decide over its fee."""
    issuance_id = await business.released()
    early = await business.close_issuance(issuance_id, r.ClosedFee.EARNED)
    assert early is not None
    assert "is released; only one that is unconfirmed" in early
    await business.wait_until(AFTER_SERVICE_MS)
    await business.close()
    refused = await business.close_day(DAY)

    assert refused is not None
    assert issuance_id.hex() in refused
    assert await business.close_issuance(issuance_id, r.ClosedFee.RETURNED) is None
    assert [("closed", "returned")] == business.city.rows("SELECT state, fee_state FROM issuance")
    assert [("void",)] == business.city.rows("SELECT state FROM certificate_number")
    assert [] == business.city.rows("SELECT * FROM issuance_key")
    assert e.DropKey(issuance_id=issuance_id) in business.city.left
    assert await business.close_day(DAY) is None
    (total,) = business.days_closed()[0].totals
    assert (1, 200, 200, 0) == (
        total.closed,
        total.collected_yen,
        total.returned_yen,
        total.earned_yen,
    )
    again = await business.close_issuance(issuance_id, r.ClosedFee.EARNED)
    assert again is not None
    assert "no issuance" in again


async def test_closed_issuance_whose_paper_is_out_is_issued(business: Business) -> None:
    """Its number stays valid, and the chain gets its commission."""
    issuance_id = await business.released()
    await business.wait_until(AFTER_SERVICE_MS)
    await business.close_issuance(issuance_id, r.ClosedFee.EARNED)
    await business.close()
    await business.close_day(DAY)

    assert [("valid",)] == business.city.rows("SELECT state FROM certificate_number")
    (total,) = business.days_closed()[0].totals
    assert (1, 1, 200, 117) == (
        total.closed,
        total.copies,
        total.earned_yen,
        total.commission_yen,
    )


async def test_late_word_changes_nothing_and_is_put_on_record(business: Business) -> None:
    """Two operators found that nothing came out; the terminal comes back and says it did."""
    issuance_id = await business.released()
    await business.wait_until(AFTER_SERVICE_MS)
    await business.close_issuance(issuance_id, r.ClosedFee.RETURNED)
    await business.carry_over(DAY)
    await business.close_day(DAY)
    await business.wait_until(NEXT_MORNING_MS)
    for _ in range(2):
        answer = await business.city.ask(signed(print_report(issuance_id)))
        assert "closed" == answer.state

    (late,) = [one for one in business.city.records() if isinstance(one, r.ReportedLate)]
    assert (issuance_id, NEXT, PrintOutcome.PRINTED) == (late.issuance_id, late.day, late.outcome)
    assert 1 == len(business.logged("issuance.reported_late"))
    assert [("closed", "returned", DAY)] == business.city.rows(
        "SELECT state, fee_state, end_day FROM issuance"
    )
    (row,) = await late_reports(Reader(business.city.path), NEXT)
    assert (issuance_id.hex(), "printed", "returned", 200) == (
        *(row.issuance, row.outcome, row.fee, row.fee_yen),
    )
    assert () == await late_reports(Reader(business.city.path), DAY)


async def test_line_that_is_open_keeps_the_day_open_until_it_is_carried_over(
    business: Business,
) -> None:
    """What it has open counts in the day in which it ends; the next day waits for it anew."""
    issuance_id = await business.released()
    early = await business.carry_over(DAY)
    assert early is not None
    assert "is not over" in early
    await business.wait_until(AFTER_SERVICE_MS)
    refused = await business.close_day(DAY)
    assert refused is not None
    assert f"the line of {TERMINAL} is not closed" in refused
    assert f"issuances of {TERMINAL} are not at an end ({issuance_id.hex()})" in refused

    assert await business.carry_over(DAY) is None
    assert await business.close_day(DAY) is None
    assert ((),) == tuple(one.totals for one in business.days_closed())
    assert NEXT == await first_open_day(Reader(business.city.path).all)
    await business.wait_until(NEXT_NIGHT_MS)
    refused = await business.close_day(NEXT)
    assert refused is not None
    assert issuance_id.hex() in refused
    await business.finish(issuance_id)
    await business.close()
    assert await business.close_day(NEXT) is None
    assert [0, 200] == [
        sum(total.earned_yen for total in one.totals) for one in business.days_closed()
    ]


async def test_nothing_is_carried_over_that_is_in_order(business: Business) -> None:
    """Neither a line that was closed nor one that was never opened."""
    await business.close()
    await business.wait_until(AFTER_SERVICE_MS)
    refused = await business.carry_over(DAY)

    assert refused is not None
    assert "nothing of terminal" in refused
    assert [] == business.city.rows("SELECT * FROM line_carried_over")


async def test_difference_names_the_issuances_and_keeps_the_day_open(business: Business) -> None:
    """Both sides' counters are kept; two operators settle it when they know why."""
    issuance_id = await business.released()
    await business.finish(issuance_id)
    ours = await business.close(completed=0, fees_earned_yen=0)
    await business.wait_until(AFTER_SERVICE_MS)
    refused = await business.close_day(DAY)

    assert t.Counters(completed=1, reversed=0, fees_earned_yen=200) == ours
    assert refused is not None
    assert f"the counters of {TERMINAL} differ (issuances: {issuance_id.hex()})" in refused
    assert [(1, 200, 0, 0, 1)] == business.city.rows(
        "SELECT our_completed, our_fees_earned_yen, their_completed, their_fees_earned_yen,"
        " differs FROM line_opening"
    )
    carried = await business.carry_over(DAY)
    assert carried is not None, "a difference is not carried over"
    assert await business.settle(DAY) is None
    assert await business.close_day(DAY) is None
    settled = await business.settle(DAY)
    assert settled is not None


async def test_opening_anew_ends_an_opening_that_broke_off(business: Business) -> None:
    """What had not ended was compared then, so the day closes with the last opening's closing."""
    await business.finish(await business.released())
    await business.open()
    await business.close()
    await business.wait_until(AFTER_SERVICE_MS)

    assert await business.close_day(DAY) is None
    assert [("broken-off",), ("closed",)] == business.city.rows(
        "SELECT ended_how FROM line_opening ORDER BY opening"
    )


async def test_days_are_closed_in_order_and_outlive_a_restart(business: Business) -> None:
    """An earlier day with business comes first; a restart forgets neither."""
    await business.finish(await business.released())
    await business.close()
    await business.wait_until(NEXT_NIGHT_MS)
    refused = await business.close_day(NEXT)
    assert refused is not None
    assert f"{DAY} is not closed" in refused
    reader = Reader(business.city.path)
    assert DAY == await first_open_day(reader.all)

    assert await business.close_day(DAY) is None
    await business.city.restart()
    assert DAY == business.city.state.closed_through == await closed_through(reader.all)
    assert await business.close_day(NEXT) is None
    assert await first_open_day(reader.all) is None


async def test_closed_day_takes_nothing_more(business: Business) -> None:
    """Whatever the business clock says, what ends then counts in the next day."""
    await business.close()
    await business.wait_until(AFTER_SERVICE_MS)
    await business.close_day(DAY)
    business.city.clock.business_ms = business_ms(2026, 11, 30, 12)
    await business.open()
    await business.finish(await business.released())
    await business.close()

    assert [(NEXT,)] == business.city.rows("SELECT end_day FROM issuance")
    facts = await day_facts(Reader(business.city.path).all, DAY)
    assert () == facts.ended


async def test_terminal_that_fails_too_often_is_stopped_for_inspection(
    business: Business,
) -> None:
    """The fourth fault within a day; two operators reopen it, and it counts anew."""
    for _ in range(FAILED_PRINTS_IN_DAY_MAX):
        await business.finish(await business.released(), failed=True)
    assert set() == business.city.state.stopped_terminals
    await business.finish(await business.released(), failed=True)

    assert {TERMINAL} == business.city.state.stopped_terminals
    (logged,) = business.logged("terminal.stopped_for_inspection")
    assert (4, 4) == (logged["failed"], logged["reported"])
    answer = await business.city.ask(t.Begin(visit_id=b"v" * 16, attempt=1))
    assert ReplyCode.LINE_STOPPED == answer.code
    await business.city.restart()
    assert {TERMINAL} == business.city.state.stopped_terminals
    business.city.clock.pass_ms(1)

    assert await business.decide(ReopenLine(terminal=TERMINAL)) is None
    reader = Reader(business.city.path)
    assert PrintFacts() == await print_facts(reader.all, TERMINAL, business.city.clock.real_ms)
    await business.city.restart()
    assert set() == business.city.state.stopped_terminals
    business.city.clock.pass_ms(1)
    await business.finish(await business.released(), failed=True)
    assert set() == business.city.state.stopped_terminals
    refused = await business.decide(ReopenLine(terminal=OTHER_TERMINAL))
    assert refused is not None
    assert "is not stopped" in refused


async def test_faults_of_the_line_stop_no_terminal(business: Business) -> None:
    """A release whose answer was lost says nothing about the printer."""
    for _ in range(FAILED_PRINTS_IN_DAY_MAX + 2):
        issuance_id = await business.released()
        report = failed_report(issuance_id, sheets_out=0, cause=FailureCause.NO_RELEASE_ANSWER)
        await business.city.ask(signed(report))

    assert set() == business.city.state.stopped_terminals


async def test_revoked_terminal_keeps_no_line_open(business: Business) -> None:
    """Its opening ended when it went off the list."""
    await business.city.give()
    async with business.city.store.transaction() as transaction:
        revoked = r.TerminalRevoked(at_ms=business.city.clock.real_ms, terminal=TERMINAL)
        transaction.write(revoked)
    await business.wait_until(AFTER_SERVICE_MS)

    assert await business.close_day(DAY) is None
