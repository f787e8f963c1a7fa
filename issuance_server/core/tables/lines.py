"""What ``tables.toml`` may say, line by line; an unknown key is an error.

Each class is one kind of line. A line says from which day it holds, and until which: without
``until`` it holds until further notice, and nothing may follow it.
"""

import datetime as dt
import re
from typing import Annotated

import msgspec
from msgspec import Meta, field

from issuance_server.core.tables.fees import Channel
from issuance_server.core.tables.hours import DayHours
from issuance_server.core.tables.periods import Period
from issuance_server.core.terminal_place import TerminalClass
from protocol.kinds import Kind

YEN_MAX = 100_000
CHAIN_CHARACTERS_MAX = 64
MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1_440
CLOSED = "closed"
LEAP_YEAR = 2_000
"""A year in which every month and day exists."""

Kinds = Annotated[tuple[Kind, ...], Meta(min_length=1, max_length=len(Kind))]
Yen = Annotated[int, Meta(ge=0, le=YEN_MAX)]
YenOfKinds = Annotated[dict[Kind, Yen], Meta(min_length=1)]
ChainName = Annotated[str, Meta(min_length=1, max_length=CHAIN_CHARACTERS_MAX)]
HoursText = Annotated[str, Meta(pattern=r"^(closed|\d\d:\d\d-\d\d:\d\d)$")]
MonthDay = Annotated[str, Meta(pattern=r"^\d\d-\d\d$")]
Moment = Annotated[dt.datetime, Meta(tz=False)]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the file; a key that is not declared is refused."""


class Dated(Line, frozen=True, kw_only=True):
    """A line that holds from a day on.

    Attributes:
        from_: the first day.
        until: the last day; None: until further notice.
    """

    from_: dt.date = field(name="from")
    until: dt.date | None = None

    @property
    def period(self) -> Period:
        """From the first to the last day."""
        return Period(first=self.from_, last=self.until)


class Hours(Dated, frozen=True, kw_only=True):
    """``[[hours]]``: when kinds are open at a class of terminals.

    A day takes its own hours if there are some, or those of ``weekdays`` or ``weekend``, or
    ``daily``; without any it is closed. On holidays ``holidays`` goes before all of them.
    """

    class_: TerminalClass = field(name="class")
    kinds: Kinds
    daily: HoursText | None = None
    weekdays: HoursText | None = None
    weekend: HoursText | None = None
    monday: HoursText | None = None
    tuesday: HoursText | None = None
    wednesday: HoursText | None = None
    thursday: HoursText | None = None
    friday: HoursText | None = None
    saturday: HoursText | None = None
    sunday: HoursText | None = None
    holidays: HoursText | None = None

    def texts(self) -> tuple[HoursText | None, ...]:
        """Return what holds from Monday to Sunday."""
        weekdays = (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday)
        return (
            *(own or self.weekdays or self.daily for own in weekdays),
            *(own or self.weekend or self.daily for own in (self.saturday, self.sunday)),
        )


class YearlyClosureLine(Dated, frozen=True, kw_only=True):
    """``[[yearly_closures]]``: closed days of every year, both ends included (年末年始)."""

    first: MonthDay
    last: MonthDay
    class_: TerminalClass | None = field(name="class", default=None)


class InspectionDayLine(Line, frozen=True, kw_only=True):
    """``[[inspection_days]]``: one whole closed day."""

    day: dt.date
    class_: TerminalClass | None = field(name="class", default=None)


class MaintenanceLine(Line, frozen=True, kw_only=True):
    """``[[maintenance]]``: closed from one moment to another; no kinds: all of them."""

    from_: Moment = field(name="from")
    until: Moment
    kinds: Annotated[tuple[Kind, ...], Meta(max_length=len(Kind))] = ()
    class_: TerminalClass | None = field(name="class", default=None)


class Fees(Dated, frozen=True, kw_only=True):
    """``[[fees]]``: what one copy costs; the counter's fees stand for information."""

    channel: Channel
    yen: YenOfKinds


class CampaignOfFees(Line, frozen=True, kw_only=True):
    """``[[campaigns]]``: other fees from the first to the last day; no chains: all of them."""

    from_: dt.date = field(name="from")
    until: dt.date
    channel: Channel
    yen: YenOfKinds
    chains: tuple[ChainName, ...] = ()

    @property
    def period(self) -> Period:
        """From the first to the last day."""
        return Period(first=self.from_, last=self.until)


class Chain(Dated, frozen=True, kw_only=True):
    """``[[chains]]``: which kinds a chain's terminals issue."""

    chain: ChainName
    class_: TerminalClass = field(name="class", default=TerminalClass.STORE)
    kinds: Kinds
    in_city_only: bool = False


class Commission(Dated, frozen=True, kw_only=True):
    """``[[commissions]]``: what a chain gets for each certificate."""

    chain: ChainName
    kinds: Kinds
    yen: Yen


class TablesFile(Line, frozen=True, kw_only=True):
    """The whole file."""

    holidays: tuple[dt.date, ...] = ()
    hours: Annotated[tuple[Hours, ...], Meta(min_length=1)]
    yearly_closures: tuple[YearlyClosureLine, ...] = ()
    inspection_days: tuple[InspectionDayLine, ...] = ()
    maintenance: tuple[MaintenanceLine, ...] = ()
    fees: Annotated[tuple[Fees, ...], Meta(min_length=1)]
    campaigns: tuple[CampaignOfFees, ...] = ()
    chains: Annotated[tuple[Chain, ...], Meta(min_length=1)]
    commissions: tuple[Commission, ...] = ()


def day_hours(text: str) -> DayHours | None:
    """Read hours such as ``09:00-17:00``; None: closed.

    Raises:
        ValueError: a time does not exist, or the end is not after the beginning.
    """
    if text == CLOSED:
        return None
    opens, closes = (_minute(time) for time in text.split("-"))
    if opens >= closes:
        raise ValueError(f"{text} ends before it begins; a day's hours end by 24:00")
    return DayHours(opens_minute=opens, closes_minute=closes)


def month_day(text: str) -> tuple[int, int]:
    """Read a month and a day such as ``12-29``.

    Raises:
        ValueError: no year has it.
    """
    month, day = (int(part) for part in text.split("-"))
    try:
        dt.date(LEAP_YEAR, month, day)
    except ValueError:
        raise ValueError(f"no year has a {text}; write month and day, such as 12-29") from None
    return month, day


def _minute(text: str) -> int:
    hour, minute = (int(part) for part in re.split(":", text))
    at = hour * MINUTES_PER_HOUR + minute
    if minute >= MINUTES_PER_HOUR or at > MINUTES_PER_DAY:
        raise ValueError(f"no day has a {text}; times go from 00:00 to 24:00")
    return at
