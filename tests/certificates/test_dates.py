"""Dates in Japanese eras, with the days on which eras began."""

from datetime import date

import pytest

from issuance_server.certificates.dates import registered, wareki
from issuance_server.core.register import RegisterDate


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(1873, 1, 1), "明治6年1月1日"),
        (date(1912, 7, 29), "明治45年7月29日"),
        (date(1912, 7, 30), "大正元年7月30日"),
        (date(1926, 12, 24), "大正15年12月24日"),
        (date(1926, 12, 25), "昭和元年12月25日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1989, 12, 31), "平成元年12月31日"),
        (date(1990, 1, 1), "平成2年1月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2020, 1, 1), "令和2年1月1日"),
        (date(2026, 11, 30), "令和8年11月30日"),
    ],
)
def test_every_day_is_written_in_its_era(day: date, words: str) -> None:
    """A day on which one era ended and the next began is written in the new one."""
    assert words == wareki(day)


def test_the_old_calendar_is_not_guessed() -> None:
    """Days before the solar calendar are refused."""
    with pytest.raises(ValueError, match="1873"):
        wareki(date(1872, 12, 31))


def test_a_known_day_as_the_register_holds_it() -> None:
    """The words come with the day of the calendar."""
    expected = RegisterDate(text="令和元年5月1日", on=date(2019, 5, 1))
    assert expected == registered(date(2019, 5, 1))
