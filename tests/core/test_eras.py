"""Eras, and the words that the register may hold for a date."""

from datetime import date

import pytest

from issuance_server.core.eras import (
    era_year,
    is_possible_date,
    is_possible_western_date,
    seireki,
    wareki,
)


@pytest.mark.parametrize(
    ("last", "last_words", "first_words"),
    [
        (date(1912, 7, 29), "明治45年7月29日", "大正元年7月30日"),
        (date(1926, 12, 24), "大正15年12月24日", "昭和元年12月25日"),
        (date(1989, 1, 7), "昭和64年1月7日", "平成元年1月8日"),
        (date(2019, 4, 30), "平成31年4月30日", "令和元年5月1日"),
    ],
)
def test_the_four_boundaries(last: date, last_words: str, first_words: str) -> None:
    """The day before is of the old era, the day itself of the new; neither is of the other."""
    first = date.fromordinal(last.toordinal() + 1)
    assert (last_words, first_words) == (wareki(last), wareki(first))
    assert is_possible_date(last_words, last)
    assert is_possible_date(first_words, first)
    assert not is_possible_date(first_words, last)
    assert not is_possible_date(last_words, first)


def test_our_era_and_years() -> None:
    """The forms of foreign residents' dates and of fiscal years."""
    assert "2029年7月31日" == seireki(date(2029, 7, 31))
    assert "令和8" == era_year(date(2026, 4, 1))
    assert "令和元" == era_year(date(2019, 12, 31))


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("明治45年7月30日", date(1912, 7, 30)),  # as registered before the era was known to end
        ("大正15年12月25日", date(1926, 12, 25)),
        ("昭和46年2月29日", None),  # no leap year
        ("昭和20年月日不詳", None),
        ("年月日不詳", None),
        ("不詳", None),
        ("推定昭和25年頃", None),
        ("推定令和3年", None),
        ("令和3年8月上旬", None),
        ("令和3年8月日不詳", None),
        ("令和3年8月1日から10日までの間", None),
        ("令和3年8月10日頃", None),
    ],
)
def test_odd_dates_that_the_register_may_hold(text: str, on: date | None) -> None:
    """Two names of one day, days that there are not, and days that nobody knows."""
    assert is_possible_date(text, on)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("", None),
        ("平成31年5月7日", date(2019, 5, 7)),  # the era had ended
        ("平成31年5月7日", None),
        ("令和8年11月30日", None),  # a day of the calendar without its day
        ("昭和64年1月8日", date(1989, 1, 8)),
        ("昭和46年2月29日", date(1971, 3, 1)),
        ("平成10年13月1日", None),
        ("平成10年2月31日", None),
        ("昭和70年2月29日", None),  # no such year of that era
        ("令和0年1月1日", None),
        ("2019年5月7日", date(2019, 5, 7)),
        ("慶応元年1月1日", date(1865, 1, 27)),
        ("きのう", None),
        ("昭和20年月日不詳", date(1945, 1, 1)),
    ],
)
def test_dates_that_no_register_holds(text: str, on: date | None) -> None:
    """Words of another day, of no era, of no form, or without the day that they name."""
    assert not is_possible_date(text, on)


@pytest.mark.parametrize(
    ("text", "on", "possible"),
    [
        ("1988年10月9日", date(1988, 10, 9), True),
        ("1969年月日不詳", None, True),
        ("1969年頃", None, True),
        ("1971年2月29日", None, True),
        ("昭和63年10月9日", date(1988, 10, 9), False),
        ("1988年10月9日（昭和63年）", date(1988, 10, 9), False),
        ("1988年10月9日", None, False),
        ("1988年10月9日", date(1988, 10, 8), False),
        ("", None, False),
    ],
)
def test_foreign_residents_birth_dates(text: str, on: date | None, possible: bool) -> None:
    """Our era only, never both forms (標準仕様書 §1.1.9)."""
    assert possible == is_possible_western_date(text, on)
