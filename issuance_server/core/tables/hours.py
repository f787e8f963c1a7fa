"""Lines of the hours: when kinds are open at a class of terminals, and when they are not."""

from dataclasses import dataclass
from datetime import date

from issuance_server.core.calendar import MINUTE_MS, start_of_day_ms
from issuance_server.core.tables.periods import Period
from issuance_server.core.terminal_place import TerminalClass
from protocol.kinds import Kind

DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of business time, in milliseconds since 1970 UTC; the end is not in it."""

    from_ms: int
    until_ms: int

    def __contains__(self, at_ms: int) -> bool:
        """Tell whether a moment is in it."""
        return self.from_ms <= at_ms < self.until_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class DayHours:
    """The hours of one day: from minute to minute of the day, 0 to 1440; the end is closed."""

    opens_minute: int
    closes_minute: int

    def on(self, day: date) -> Span:
        """Return them as moments of a day."""
        start_ms = start_of_day_ms(day)
        return Span(
            from_ms=start_ms + self.opens_minute * MINUTE_MS,
            until_ms=start_ms + self.closes_minute * MINUTE_MS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursLine:
    """The weekly hours of some kinds at one class of terminals.

    Attributes:
        terminal_class: at which.
        kinds: which.
        period: as long as it holds.
        week: from Monday to Sunday; None: closed on that day.
        on_holidays: the hours of holidays, whichever day of the week it is.
        holidays_differ: whether ``on_holidays`` takes the place of the weekday's hours.
    """

    terminal_class: TerminalClass
    kinds: frozenset[Kind]
    period: Period
    week: tuple[DayHours | None, ...]
    on_holidays: DayHours | None = None
    holidays_differ: bool = False

    def on(self, day: date, holidays: frozenset[date]) -> DayHours | None:
        """Return the hours of a day; None: closed."""
        if self.holidays_differ and day in holidays:
            return self.on_holidays
        return self.week[day.weekday()]


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyClosure:
    """Days without service in every year, such as 12-29 to 01-03.

    Attributes:
        period: as long as it holds.
        first: month and day of the first day.
        last: month and day of the last day; before ``first`` if the turn of the year lies between.
        terminal_class: where; None: everywhere.
    """

    period: Period
    first: tuple[int, int]
    last: tuple[int, int]
    terminal_class: TerminalClass | None = None

    def closes(self, day: date, terminal_class: TerminalClass) -> bool:
        """Tell whether there is no service on a day."""
        if day not in self.period or self.terminal_class not in {None, terminal_class}:
            return False
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionDay:
    """One whole day without service.

    Attributes:
        day: which.
        terminal_class: where; None: everywhere.
    """

    day: date
    terminal_class: TerminalClass | None = None

    def closes(self, day: date, terminal_class: TerminalClass) -> bool:
        """Tell whether there is no service on a day."""
        return day == self.day and self.terminal_class in {None, terminal_class}


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A window without service, from one moment to another, over as many days as it takes.

    Attributes:
        span: the window, in business time.
        kinds: which kinds.
        terminal_class: where; None: everywhere.
    """

    span: Span
    kinds: frozenset[Kind]
    terminal_class: TerminalClass | None = None

    def concerns(self, kind: Kind, terminal_class: TerminalClass) -> bool:
        """Tell whether it is about a kind there."""
        return kind in self.kinds and self.terminal_class in {None, terminal_class}


def without(span: Span, windows: list[Span]) -> list[Span]:
    """Return what is left of a span when some windows are taken out, in order of time."""
    left = [span]
    for window in windows:
        left = [piece for whole in left for piece in _cut(whole, window)]
    return left


def _cut(whole: Span, window: Span) -> list[Span]:
    before = Span(from_ms=whole.from_ms, until_ms=min(whole.until_ms, window.from_ms))
    after = Span(from_ms=max(whole.from_ms, window.until_ms), until_ms=whole.until_ms)
    if window.until_ms <= whole.from_ms or whole.until_ms <= window.from_ms:
        return [whole]
    return [piece for piece in (before, after) if piece.from_ms < piece.until_ms]
