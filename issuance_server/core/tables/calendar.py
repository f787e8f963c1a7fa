"""When a kind is open at a class of terminals, and when it opens again.

Service hours differ by kind (domain §1.4); nothing starts in closed days and maintenance windows.
All times are business time in Japan, whatever the machine's zone.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum

from issuance_server.core.calendar import civil, start_of_day_ms
from issuance_server.core.tables.hours import (
    HoursLine,
    InspectionDay,
    Maintenance,
    Span,
    YearlyClosure,
    without,
)
from issuance_server.core.tables.periods import ONE_DAY
from issuance_server.core.terminal_place import TerminalClass
from protocol.codes import ReplyCode
from protocol.kinds import Kind

OPENING_DAYS_MAX = 400
"""What does not open within a year and a month has no opening that anybody would wait for."""
CLOSING_DAYS_MAX = 7
"""What is open without a break for longer than this has no closing that matters now."""


class ClosedCause(Enum):
    """Why something is closed."""

    HOURS = "hours"
    YEARLY = "yearly-closure"
    INSPECTION = "inspection-day"
    MAINTENANCE = "maintenance"
    NO_HOURS = "no-hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """It is open.

    Attributes:
        closes_at_ms: the first moment that is closed; None: not within a week.
    """

    closes_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """It is closed.

    Attributes:
        code: what a resident is told.
        opens_at_ms: the first moment that is open again; None: none is known.
        cause: why, for the operator.
    """

    code: ReplyCode
    opens_at_ms: int | None
    cause: ClosedCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCalendar:
    """Everything that decides over hours.

    Attributes:
        hours: weekly hours; for a kind at a class of terminals at most one holds on a day.
        yearly_closures: closed days that come again every year.
        inspection_days: single closed days.
        maintenance: closed windows.
        holidays: days on which the hours of holidays count.
    """

    hours: tuple[HoursLine, ...] = ()
    yearly_closures: tuple[YearlyClosure, ...] = ()
    inspection_days: tuple[InspectionDay, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    holidays: frozenset[date] = frozenset()

    def opening(self, kind: Kind, terminal_class: TerminalClass, at_ms: int) -> Open | Closed:
        """Tell whether a kind is open at a moment of business time."""
        today = civil(at_ms).date()
        day = today
        for _ in range(OPENING_DAYS_MAX):
            for span in self.spans(kind, terminal_class, day):
                if at_ms in span:
                    return Open(closes_at_ms=self._closing(kind, terminal_class, day, span))
                if at_ms < span.from_ms:
                    return self._closed(kind, terminal_class, today, at_ms, span.from_ms)
            if day == date.max:
                break
            day += ONE_DAY
        return self._closed(kind, terminal_class, today, at_ms, None)

    def has_hours(self, kind: Kind, terminal_class: TerminalClass, day: date) -> bool:
        """Tell whether there are hours of a kind as of a day, be it closed just then or not."""
        return self._line(kind, terminal_class, day) is not None

    def spans(self, kind: Kind, terminal_class: TerminalClass, day: date) -> list[Span]:
        """Return when a kind is open on a day, in order of time."""
        line = self._line(kind, terminal_class, day)
        hours = None if line is None else line.on(day, self.holidays)
        if hours is None or self._closed_day(day, terminal_class) is not None:
            return []
        windows = [
            window.span for window in self.maintenance if window.concerns(kind, terminal_class)
        ]
        return without(hours.on(day), windows)

    def _closing(
        self, kind: Kind, terminal_class: TerminalClass, day: date, span: Span
    ) -> int | None:
        """Follow a span over midnight as long as it goes on without a break."""
        for _ in range(CLOSING_DAYS_MAX):
            if day == date.max or span.until_ms != start_of_day_ms(day + ONE_DAY):
                return span.until_ms
            day += ONE_DAY
            following = self.spans(kind, terminal_class, day)
            if not following or following[0].from_ms != span.until_ms:
                return span.until_ms
            span = following[0]
        return None

    def _closed(
        self,
        kind: Kind,
        terminal_class: TerminalClass,
        today: date,
        at_ms: int,
        opens_at_ms: int | None,
    ) -> Closed:
        line = self._line(kind, terminal_class, today)
        cause = self._closed_day(today, terminal_class)
        if line is None:
            cause = ClosedCause.NO_HOURS
        elif cause is None:
            hours = line.on(today, self.holidays)
            within = hours is not None and at_ms in hours.on(today)
            cause = ClosedCause.MAINTENANCE if within else ClosedCause.HOURS
        return Closed(code=ReplyCode.OUT_OF_HOURS, opens_at_ms=opens_at_ms, cause=cause)

    def _closed_day(self, day: date, terminal_class: TerminalClass) -> ClosedCause | None:
        if any(closure.closes(day, terminal_class) for closure in self.yearly_closures):
            return ClosedCause.YEARLY
        if any(one.closes(day, terminal_class) for one in self.inspection_days):
            return ClosedCause.INSPECTION
        return None

    def _line(self, kind: Kind, terminal_class: TerminalClass, day: date) -> HoursLine | None:
        for line in self.hours:
            if kind in line.kinds and line.terminal_class is terminal_class and day in line.period:
                return line
        return None
