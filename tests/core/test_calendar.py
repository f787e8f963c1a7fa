"""Service hours in Japan's time, and the grace for what was quoted before closing."""

from datetime import date, time

import pytest

from issuance_server.core.calendar import RELEASE_GRACE_MS, Calendar, civil
from tests.core.made import business_ms

CALENDAR = Calendar(
    opens=time(6, 30), closes=time(23), inspection_days=frozenset({date(2026, 11, 18)})
)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ((2026, 11, 30, 6, 29), False),
        ((2026, 11, 30, 6, 30), True),
        ((2026, 11, 30, 22, 59), True),
        ((2026, 11, 30, 23, 0), False),
        ((2026, 11, 30, 0, 0), False),
        ((2026, 12, 28, 22, 59), True),
        ((2026, 12, 29, 12, 0), False),
        ((2026, 12, 31, 12, 0), False),
        ((2027, 1, 1, 12, 0), False),
        ((2027, 1, 3, 22, 59), False),
        ((2027, 1, 4, 6, 30), True),
        ((2026, 11, 17, 12, 0), True),
        ((2026, 11, 18, 12, 0), False),
    ],
)
def test_hours_year_end_and_inspection_days(
    moment: tuple[int, int, int, int, int], *, is_open: bool
) -> None:
    """06:30 to 23:00, not from 29 December to 3 January, not on an inspection day."""
    assert is_open is CALENDAR.is_open(business_ms(*moment))


@pytest.mark.parametrize(
    ("moment", "finishes"),
    [
        ((2026, 11, 30, 22, 59), True),
        ((2026, 11, 30, 23, 9), True),
        ((2026, 11, 30, 23, 10), False),
        ((2026, 11, 30, 6, 29), False),
        ((2026, 12, 28, 23, 5), True),
        ((2026, 12, 29, 6, 35), False),
    ],
)
def test_grace_is_ten_minutes_after_closing(
    moment: tuple[int, int, int, int, int], *, finishes: bool
) -> None:
    """It counts from the closing, and opens no morning and no holiday."""
    assert 600_000 == RELEASE_GRACE_MS
    assert finishes is CALENDAR.may_finish(business_ms(*moment))


def test_time_is_japans_whatever_the_machines_zone() -> None:
    """15:00 in UTC is midnight of the next day in Japan."""
    assert (date(2026, 12, 1), time(0, 0)) == (
        civil(1_796_050_800_000).date(),
        civil(1_796_050_800_000).time(),
    )
