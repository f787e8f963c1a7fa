"""Japan's civil time."""

from datetime import date, time

import pytest

from issuance_server.core.calendar import civil, start_of_day_ms
from tests.core.made import business_ms


def test_time_is_japans_whatever_the_machines_zone() -> None:
    """15:00 in UTC is midnight of the next day in Japan."""
    assert (date(2026, 12, 1), time(0, 0)) == (
        civil(1_796_050_800_000).date(),
        civil(1_796_050_800_000).time(),
    )


@pytest.mark.parametrize(
    "day", [date(1970, 1, 1), date(2024, 2, 29), date(2026, 12, 1), date(1965, 3, 1)]
)
def test_a_day_starts_at_midnight_in_japan(day: date) -> None:
    """Also before 1970, and on leap days."""
    assert business_ms(day.year, day.month, day.day, 0) == start_of_day_ms(day)
