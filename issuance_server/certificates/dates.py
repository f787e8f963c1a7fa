"""Dates in Japanese eras (和暦), as certificates print them."""

from datetime import date
from typing import NamedTuple

from issuance_server.core.register import RegisterDate


class Era(NamedTuple):
    """An era and the first day that is written in it."""

    name: str
    first_day: date


ERAS = (
    Era("令和", date(2019, 5, 1)),
    Era("平成", date(1989, 1, 8)),
    Era("昭和", date(1926, 12, 25)),
    Era("大正", date(1912, 7, 30)),
    Era("明治", date(1868, 1, 25)),
)
"""Newest first. A day on which one era ended and the next began is written in the new one."""

SOLAR_CALENDAR_FROM = date(1873, 1, 1)
"""Earlier days were written in the old calendar and are not converted here."""


def wareki(day: date) -> str:
    """Return a day in full, such as ``令和8年11月30日``; the first year of an era is 元年.

    Raises:
        ValueError: the day lies before the solar calendar (1 January 1873).
    """
    if day < SOLAR_CALENDAR_FROM:
        raise ValueError("days before 1 January 1873 have no date in the solar calendar")
    era = next(era for era in ERAS if era.first_day <= day)
    year = day.year - era.first_day.year + 1
    return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


def registered(day: date) -> RegisterDate:
    """Return a known day as the register holds it."""
    return RegisterDate(text=wareki(day), on=day)
