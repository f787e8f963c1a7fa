"""When kinds are open: single moments, and what holds for any hours, closures and windows."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_server.core.calendar import DAY_MS, JST, MINUTE_MS, civil, start_of_day_ms
from issuance_server.core.tables import (
    Closed,
    ClosedCause,
    DayHours,
    HoursLine,
    InspectionDay,
    Maintenance,
    Open,
    Period,
    ServiceCalendar,
    Span,
    YearlyClosure,
)
from issuance_server.core.tables.calendar import CLOSING_DAYS_MAX
from issuance_server.core.terminal_place import TerminalClass
from protocol.codes import ReplyCode
from protocol.kinds import Kind
from tests.core.made import business_ms

STORE, CITY_HALL = TerminalClass.STORE, TerminalClass.CITY_HALL
KOSEKI = frozenset({Kind.KOSEKI_ZENBU, Kind.FUHYO})
LONG = DayHours(opens_minute=6 * 60 + 30, closes_minute=23 * 60)
OFFICE = DayHours(opens_minute=9 * 60, closes_minute=17 * 60)
ALWAYS = DayHours(opens_minute=0, closes_minute=24 * 60)
FOREVER = Period(first=date(2013, 4, 1))
YEAR_END = YearlyClosure(period=FOREVER, first=(12, 29), last=(1, 3))


def line(hours: DayHours | None, **changes: Any) -> HoursLine:
    """Return hours that are the same every day."""
    usual: dict[str, Any] = {
        "terminal_class": STORE,
        "kinds": frozenset({Kind.JUMINHYO}),
        "period": FOREVER,
        "week": (hours,) * 7,
    }
    return HoursLine(**(usual | changes))


CALENDAR = ServiceCalendar(
    hours=(
        line(LONG),
        line(OFFICE, kinds=KOSEKI, week=(OFFICE,) * 5 + (None,) * 2, holidays_differ=True),
        line(ALWAYS, kinds=frozenset({Kind.INKAN})),
        line(OFFICE, terminal_class=CITY_HALL, kinds=frozenset({Kind.JUMINHYO})),
    ),
    yearly_closures=(YEAR_END,),
    inspection_days=(InspectionDay(day=date(2026, 11, 18)),),
    maintenance=(
        Maintenance(
            span=Span(
                from_ms=business_ms(2026, 10, 8, 17, 30), until_ms=business_ms(2026, 10, 9, 9)
            ),
            kinds=frozenset({Kind.JUMINHYO}),
        ),
    ),
    holidays=frozenset({date(2026, 11, 23)}),
)


def opening(*moment: int, kind: Kind = Kind.JUMINHYO, where: TerminalClass = STORE) -> Any:
    """Ask about a moment in Japan."""
    year, month, day, hour, minute = moment
    return CALENDAR.opening(kind, where, business_ms(year, month, day, hour, minute))


@pytest.mark.parametrize(
    ("moment", "closes"),
    [
        ((2026, 11, 30, 6, 30), (2026, 11, 30, 23)),
        ((2026, 11, 30, 22, 59), (2026, 11, 30, 23)),
        ((2026, 12, 28, 22, 59), (2026, 12, 28, 23)),
        ((2026, 10, 8, 17, 29), (2026, 10, 8, 17, 30)),
        ((2024, 2, 29, 12, 0), (2024, 2, 29, 23)),
    ],
)
def test_open_until_closing(moment: tuple[int, ...], closes: tuple[int, ...]) -> None:
    """From the first minute to the last before closing, or before a window begins."""
    assert Open(closes_at_ms=business_ms(*closes)) == opening(*moment)


@pytest.mark.parametrize(
    ("moment", "opens", "cause"),
    [
        ((2026, 11, 30, 6, 29), (2026, 11, 30, 6, 30), ClosedCause.HOURS),
        ((2026, 11, 30, 0, 0), (2026, 11, 30, 6, 30), ClosedCause.HOURS),
        ((2026, 11, 30, 23, 0), (2026, 12, 1, 6, 30), ClosedCause.HOURS),
        ((2026, 12, 28, 23, 0), (2027, 1, 4, 6, 30), ClosedCause.HOURS),
        ((2026, 12, 29, 12, 0), (2027, 1, 4, 6, 30), ClosedCause.YEARLY),
        ((2026, 12, 31, 23, 59), (2027, 1, 4, 6, 30), ClosedCause.YEARLY),
        ((2027, 1, 1, 0, 0), (2027, 1, 4, 6, 30), ClosedCause.YEARLY),
        ((2026, 11, 18, 12, 0), (2026, 11, 19, 6, 30), ClosedCause.INSPECTION),
        ((2026, 10, 8, 17, 30), (2026, 10, 9, 9, 0), ClosedCause.MAINTENANCE),
        ((2026, 10, 9, 8, 59), (2026, 10, 9, 9, 0), ClosedCause.MAINTENANCE),
    ],
)
def test_closed_until_it_opens_again(
    moment: tuple[int, ...], opens: tuple[int, ...], cause: ClosedCause
) -> None:
    """Over nights, year ends, inspection days and windows that last a night."""
    code = ReplyCode.OUT_OF_HOURS
    expected = Closed(code=code, opens_at_ms=business_ms(*opens), cause=cause)

    assert expected == opening(*moment)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ((2026, 11, 20, 17, 0), (2026, 11, 24, 9)),  # Friday before a Monday that is a holiday
        ((2026, 11, 21, 12, 0), (2026, 11, 24, 9)),
        ((2026, 11, 23, 12, 0), (2026, 11, 24, 9)),
        ((2026, 12, 28, 17, 0), (2027, 1, 4, 9)),
    ],
)
def test_family_registers_keep_office_hours(
    moment: tuple[int, ...], opens: tuple[int, ...]
) -> None:
    """戸籍 on weekdays from 9 to 17 only, and not on holidays, while others go on."""
    found = opening(*moment, kind=Kind.FUHYO)

    assert isinstance(found, Closed)
    assert business_ms(*opens) == found.opens_at_ms


def test_each_class_has_its_own_hours() -> None:
    """And a kind without hours there has no opening."""
    assert isinstance(opening(2026, 11, 30, 20, 0), Open)
    assert isinstance(opening(2026, 11, 30, 20, 0, where=CITY_HALL), Closed)
    missing = opening(2026, 11, 30, 10, 0, kind=Kind.INKAN, where=CITY_HALL)
    assert (None, ClosedCause.NO_HOURS) == (missing.opens_at_ms, missing.cause)


def test_what_is_open_all_night_closes_with_the_next_break() -> None:
    """Midnight is no closing; a break further away than a week is none that matters."""
    assert Open(closes_at_ms=start_of_day_ms(date(2026, 11, 18))) == opening(
        2026, 11, 16, 23, 59, kind=Kind.INKAN
    )
    assert Open(closes_at_ms=None) == opening(2026, 6, 1, 12, 0, kind=Kind.INKAN)


def test_what_ends_does_not_open_again() -> None:
    """After the last day of the last hours nothing is foreseen."""
    ended = ServiceCalendar(hours=(line(LONG, period=Period(first=date(2013, 4, 1), last=DAY)),))
    found = ended.opening(Kind.JUMINHYO, STORE, business_ms(2026, 11, 30, 23))

    assert isinstance(found, Closed)
    assert found.opens_at_ms is None


def test_new_hours_hold_from_their_first_day() -> None:
    """At midnight between two lines, whatever the hours before."""
    until = Period(first=date(2013, 4, 1), last=DAY)
    then = Period(first=DAY + timedelta(days=1))
    calendar = ServiceCalendar(hours=(line(ALWAYS, period=until), line(OFFICE, period=then)))

    assert Open(closes_at_ms=start_of_day_ms(then.first)) == calendar.opening(
        Kind.JUMINHYO, STORE, business_ms(2026, 11, 30, 12)
    )
    found = calendar.opening(Kind.JUMINHYO, STORE, start_of_day_ms(then.first))
    assert isinstance(found, Closed)
    assert business_ms(2026, 12, 1, 9) == found.opens_at_ms


DAY = date(2026, 11, 30)
MINUTES = st.integers(0, 24 * 60)
DAYS = st.dates(date(2023, 12, 1), date(2028, 3, 31))


@st.composite
def _hours(draw: st.DrawFn) -> DayHours | None:
    opens, closes = sorted((draw(MINUTES), draw(MINUTES)))
    return None if opens == closes else DayHours(opens_minute=opens, closes_minute=closes)


@st.composite
def _windows(draw: st.DrawFn) -> Maintenance:
    begins = start_of_day_ms(draw(DAYS)) + draw(MINUTES) * MINUTE_MS
    lasts = draw(st.integers(1, 4 * 24 * 60)) * MINUTE_MS
    span = Span(from_ms=begins, until_ms=begins + lasts)
    return Maintenance(span=span, kinds=frozenset({Kind.JUMINHYO}))


@st.composite
def _calendars(draw: st.DrawFn) -> ServiceCalendar:
    change = draw(DAYS)
    week = st.tuples(*([_hours()] * 7))
    return ServiceCalendar(
        hours=(
            line(
                None,
                period=Period(first=date(2013, 4, 1), last=change),
                week=draw(week),
                on_holidays=draw(_hours()),
                holidays_differ=draw(st.booleans()),
            ),
            line(None, period=Period(first=change + timedelta(days=1)), week=draw(week)),
        ),
        yearly_closures=tuple(draw(st.lists(st.just(YEAR_END), max_size=1))),
        inspection_days=tuple(InspectionDay(day=day) for day in draw(st.lists(DAYS, max_size=3))),
        maintenance=tuple(draw(st.lists(_windows(), max_size=3))),
        holidays=frozenset(draw(st.lists(DAYS, max_size=5))),
    )


MOMENTS = st.builds(lambda day, minute: start_of_day_ms(day) + minute * MINUTE_MS, DAYS, MINUTES)


def _is_open(calendar: ServiceCalendar, at_ms: int) -> bool:
    """Tell by the lines themselves, for one moment alone, whether it is open."""
    moment = civil(at_ms)
    day, minute = moment.date(), moment.hour * 60 + moment.minute
    (hours_line,) = (one for one in calendar.hours if day in one.period)
    hours = hours_line.week[day.weekday()]
    if hours_line.holidays_differ and day in calendar.holidays:
        hours = hours_line.on_holidays
    at = (day.month, day.day)
    closed = (
        hours is None
        or not hours.opens_minute <= minute < hours.closes_minute
        or (calendar.yearly_closures and (at >= (12, 29) or at <= (1, 3)))
        or day in {one.day for one in calendar.inspection_days}
        or any(one.span.from_ms <= at_ms < one.span.until_ms for one in calendar.maintenance)
    )
    return not closed


@given(calendar=_calendars(), at_ms=MOMENTS, share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=300, deadline=None)
def test_it_opens_when_it_says_and_not_before(
    calendar: ServiceCalendar, at_ms: int, share: float
) -> None:
    """``opens_at`` is open and nothing before it is; until ``closes_at`` everything is.

    A moment in between is drawn from whole minutes, for nothing changes within one.
    """
    found = calendar.opening(Kind.JUMINHYO, STORE, at_ms)
    assert isinstance(found, Open) is _is_open(calendar, at_ms)
    if isinstance(found, Open):
        ends_ms = found.closes_at_ms or at_ms + (CLOSING_DAYS_MAX - 1) * DAY_MS
        assert at_ms < ends_ms
        assert _is_open(calendar, ends_ms - MINUTE_MS)
        assert found.closes_at_ms is None or not _is_open(calendar, ends_ms)
    else:
        ends_ms = found.opens_at_ms or at_ms + 300 * DAY_MS
        assert at_ms < ends_ms
        assert found.opens_at_ms is None or _is_open(calendar, ends_ms)
        assert not _is_open(calendar, ends_ms - MINUTE_MS)
    between_ms = at_ms + int((ends_ms - at_ms) // MINUTE_MS * share) * MINUTE_MS
    assert isinstance(found, Open) is _is_open(calendar, between_ms)


@given(day=DAYS, minute=st.integers(0, 24 * 60 - 1))
def test_civil_time_and_midnights_agree(day: date, minute: int) -> None:
    """A day's minutes are those of the clock in Japan, on leap days too."""
    at_ms = start_of_day_ms(day) + minute * MINUTE_MS

    expected = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=JST)
    assert expected == civil(at_ms)
