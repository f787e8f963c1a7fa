"""When the service is open, in Japan's civil time whatever the machine's zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")
"""Japan has no daylight saving time; a fixed offset is exact since 1952."""

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
_JST_OFFSET_MS = 9 * 60 * MINUTE_MS
_EPOCH = date(1970, 1, 1)

RELEASE_GRACE_MS = 10 * 60 * 1_000
"""What was quoted before closing may still be released for so long."""

_YEAR_END = ((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3))


def civil(business_ms: int) -> datetime:
    """Return a business time as date and time in Japan."""
    return datetime.fromtimestamp(business_ms / 1_000, UTC).astimezone(JST)


def start_of_day_ms(day: date) -> int:
    """Return the business time of a day's midnight in Japan."""
    return (day - _EPOCH).days * DAY_MS - _JST_OFFSET_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The service hours of the city.

    Attributes:
        opens: first minute of the day, such as 06:30.
        closes: the minute at which nothing new starts, such as 23:00.
        inspection_days: whole days without service.
    """

    opens: time
    closes: time
    inspection_days: frozenset[date] = frozenset()

    def is_open(self, business_ms: int) -> bool:
        """Tell whether something new may start (06:30-23:00, not 12-29 to 01-03; domain §0)."""
        now = civil(business_ms)
        if (now.month, now.day) in _YEAR_END or now.date() in self.inspection_days:
            return False
        return self.opens <= now.time() < self.closes

    def may_finish(self, business_ms: int) -> bool:
        """Tell whether what was quoted in time may be released: open, or within the grace."""
        return self.is_open(business_ms) or self.is_open(business_ms - RELEASE_GRACE_MS)
