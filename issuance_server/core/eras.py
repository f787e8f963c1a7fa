"""Japanese eras (和暦), and which words the register may hold for a date.

The table of eras is a parameter of the standard (標準仕様書 §1.3.6); the words are those of §1.1.8:
a day of the calendar, a day that the calendar lacks, a day that has two names, or one of the forms
for a day that is not known.
"""

import re
from datetime import date
from typing import NamedTuple


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

OLD_NAMES = {"明治45年7月30日": date(1912, 7, 30), "大正15年12月25日": date(1926, 12, 25)}
"""Days that stay as they were registered, under the era that ended on them."""

_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days that a date of birth may have though the year's calendar lacks them, such as 29 February."""
_ERA_NAMES = "|".join(era.name for era in ERAS)
_EXACT = re.compile(rf"({_ERA_NAMES})(元|[1-9]\d?)年([1-9]\d?)月([1-9]\d?)日")
_UNKNOWN = re.compile(
    rf"(?:推定)?(?:(?:{_ERA_NAMES})(?:元|[1-9]\d?)年)?(?:[1-9]\d?月)?(?:[上中下]旬|[1-9]\d?日)?"
    rf"(?:から[1-9]\d?日までの間)?(?:年月日|月日|日)?(?:不詳|頃)?"
)
_WESTERN = re.compile(r"([1-9]\d{3})年([1-9]\d?)月([1-9]\d?)日")
_WESTERN_UNKNOWN = re.compile(r"[1-9]\d{3}年(?:[1-9]\d?月)?(?:月日不詳|日不詳|頃)?|年月日不詳")


def wareki(day: date) -> str:
    """Return a day in full, such as ``令和8年11月30日``; the first year of an era is 元年.

    Raises:
        ValueError: the day lies before the solar calendar (1 January 1873).
    """
    if day < SOLAR_CALENDAR_FROM:
        raise ValueError("days before 1 January 1873 have no date in the solar calendar")
    return f"{era_year(day)}年{day.month}月{day.day}日"


def era_year(day: date) -> str:
    """Return a day's era and year, such as ``令和8``."""
    era = next(era for era in ERAS if era.first_day <= day)
    year = day.year - era.first_day.year + 1
    return f"{era.name}{'元' if year == 1 else year}"


def seireki(day: date) -> str:
    """Return a day in the years of our era, such as ``2026年11月30日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def is_possible_date(text: str, on: date | None) -> bool:
    """Tell whether words in Japanese eras and a calendar day go together (§1.1.8).

    Words that name a day of the calendar need that day, and no other; words that name none must
    have none. ``平成31年5月7日`` is possible under no day: that era had ended.
    """
    exact = _EXACT.fullmatch(text)
    if on is not None:
        if on < SOLAR_CALENDAR_FROM or exact is None:
            return False
        return text == wareki(on) or OLD_NAMES.get(text) == on
    if exact is None:
        return bool(text) and _UNKNOWN.fullmatch(text) is not None
    return _is_no_day(exact)


def is_possible_western_date(text: str, on: date | None) -> bool:
    """Tell whether words such as ``1990年5月5日`` and a calendar day go together (§1.1.9)."""
    if on is not None:
        return text == seireki(on)
    exact = _WESTERN.fullmatch(text)
    if exact is None:
        return _WESTERN_UNKNOWN.fullmatch(text) is not None
    year, month, day = (int(part) for part in exact.groups())
    return _day(year, month, day) is None and _is_registrable(month, day)


def _is_no_day(exact: re.Match[str]) -> bool:
    """Tell whether exact words lie within their era and are, for all that, no day of it."""
    name, year_text, month, day = exact.groups()
    place, era = next(found for found in enumerate(ERAS) if found[1].name == name)
    year = era.first_day.year - 1 + (1 if year_text == "元" else int(year_text))
    last_year = ERAS[place - 1].first_day.year if place else date.max.year
    if not era.first_day.year <= year <= last_year:
        return False
    return _day(year, int(month), int(day)) is None and _is_registrable(int(month), int(day))


def _is_registrable(month: int, day: int) -> bool:
    return month <= len(_MONTH_DAYS) and day <= _MONTH_DAYS[month - 1]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
