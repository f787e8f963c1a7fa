"""Japan's civil time, whatever the machine's zone."""

from datetime import date, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")
"""Japan has no daylight saving time; a fixed offset is exact since 1952."""

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
_JST_OFFSET_MS = 9 * 60 * MINUTE_MS
_EPOCH = date(1970, 1, 1)


def civil(business_ms: int) -> datetime:
    """Return a business time as date and time in Japan."""
    return datetime.fromtimestamp(business_ms / 1_000, JST)


def start_of_day_ms(day: date) -> int:
    """Return the business time of a day's midnight in Japan."""
    return (day - _EPOCH).days * DAY_MS - _JST_OFFSET_MS
