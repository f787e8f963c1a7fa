"""Two days of business with every kind of end: the sums of both agree with paper and lines."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuance_server.core import records as r
from tests.adapters.city_file import CityFile
from tests.adapters.day_business import Business
from tests.core.made import DAY, MINUTE_MS, business_ms

NEXT = "2026-12-01"
NEXT_MORNING_MS = business_ms(2026, 12, 1, 10)
NEXT_NIGHT_MS = business_ms(2026, 12, 1, 23, 30)
_lives = st.tuples(
    st.sampled_from(["printed", "failed", "withdrawn", "earned", "returned"]),
    st.integers(1, 3),
    st.booleans(),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(evening=st.lists(_lives, max_size=5), morning=st.lists(_lives, max_size=3))
def test_sums_of_two_days_agree(
    founded: Path,
    tmp_path_factory: pytest.TempPathFactory,
    evening: list[tuple[str, int, bool]],
    morning: list[tuple[str, int, bool]],
) -> None:
    """Lives of every end, some with midnight between release and print: money fits paper."""
    path = tmp_path_factory.mktemp("days") / "city.db"
    path.write_bytes(founded.read_bytes())
    asyncio.run(_two_days(CityFile(path), evening, morning))


async def _two_days(
    city: CityFile, evening: list[tuple[str, int, bool]], morning: list[tuple[str, int, bool]]
) -> None:
    await city.open()
    try:
        business = Business(city)
        await business.wait_until(business_ms(2026, 11, 30, 22))
        await business.open()
        late = await _live(business, evening)
        if not late:
            await business.close()
        await business.wait_until(business_ms(2026, 12, 1, 0, 30))
        if late:
            assert await business.close_day(DAY) is not None
        await _end(business, late)
        if late:
            await business.close()
        assert await business.close_day(DAY) is None
        await business.wait_until(NEXT_MORNING_MS)
        await business.open()
        left = await _live(business, morning)
        await business.wait(20 * MINUTE_MS)
        await _end(business, left)
        await business.close()
        await business.wait_until(NEXT_NIGHT_MS)
        assert await business.close_day(NEXT) is None
        _check_sums(business, [*evening, *morning])
    finally:
        await city.close()


async def _live(
    business: Business, lives: list[tuple[str, int, bool]]
) -> list[tuple[bytes, str, int]]:
    """Let lives go as far as they go at once; return what is left of them."""
    left = []
    for end, copies, waits in lives:
        if end == "withdrawn":
            await business.withdrawn()
            continue
        issuance_id = await business.released(copies)
        if waits or end in ("earned", "returned"):
            left.append((issuance_id, end, copies))
        else:
            await business.finish(issuance_id, copies=copies, failed=end == "failed")
    return left


async def _end(business: Business, left: list[tuple[bytes, str, int]]) -> None:
    for issuance_id, end, copies in left:
        if end in ("earned", "returned"):
            assert await business.close_issuance(issuance_id, r.ClosedFee(end)) is None
        else:
            await business.finish(issuance_id, copies=copies, failed=end == "failed")


def _check_sums(business: Business, lives: list[tuple[str, int, bool]]) -> None:
    """Every life counts in one day, and each day's money is that of its paper."""
    totals = [total for day in business.days_closed() for total in day.totals]
    issued = [copies for end, copies, _ in lives if end in ("printed", "earned")]
    for total in totals:
        assert total.earned_yen == total.collected_yen - total.returned_yen
        assert 200 * total.copies == total.earned_yen
        assert 117 * total.copies == total.commission_yen
    assert sum(issued) == sum(total.copies for total in totals)
    assert len(lives) == sum(
        total.completed + total.reversed + total.withdrawn + total.closed for total in totals
    )
    for day, fee_yen in business.city.rows(
        "SELECT end_day, sum(fee_yen) FROM issuance WHERE fee_state = 'earned' GROUP BY end_day"
    ):
        (closed,) = [one for one in business.days_closed() if one.day == day]
        assert fee_yen == sum(total.earned_yen for total in closed.totals)
