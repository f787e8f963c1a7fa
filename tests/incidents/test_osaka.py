"""Osaka, 7 May 2019: eleven family registers were dated 平成31年5月7日, a week into 令和.

Three of about 230 machines had not fetched the table of eras. Known from
https://www.city.osaka.lg.jp/hodoshiryo/shimin/0000469083.html.

Here: the same day, and one of the places where certificates are made has the old table.
"""

import pytest

from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core import eras
from protocol.kinds import Kind
from tests.core.made import business_ms
from tests.hostile import town as town_module
from tests.incidents.conftest import Play
from tests.incidents.stage import (
    IncidentTown,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    make,
)

RIGHT, WRONG = "令和元年5月7日", "平成31年5月7日"


@pytest.fixture(autouse=True)
def that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Tuesday, 7 May 2019."""
    monkeypatch.setattr(town_module, "MONDAY_MS", business_ms(2019, 5, 7))


async def make_with_the_old_table(order: CertificateOrder) -> Rendered:
    """Make a certificate where 令和 is not known."""
    with pytest.MonkeyPatch.context() as old:
        old.setattr(eras, "ERAS", eras.ERAS[1:])
        return await make(order)


def assert_dated_in_reiwa(visit: Visit) -> None:
    """Assert that the paper bears the day's right name, and not the other."""
    assert RIGHT in visit.said
    assert WRONG not in visit.said


def test_day_has_its_right_name(play: Play) -> None:
    """On everybody's family register."""

    async def scene(town: IncidentTown) -> None:
        for visit in await town.all_visit(Kind.KOSEKI_ZENBU):
            assert_own_paper(visit)
            assert_dated_in_reiwa(visit)

    play(scene)


def test_place_with_the_old_table_is_found_at_its_first_certificate(play: Play) -> None:
    """The gate has a table of its own: nothing leaves, and the operator is told."""

    async def scene(town: IncidentTown) -> None:
        assert_clean_refusal(await town.machines[1].visit(Kind.KOSEKI_ZENBU))
        assert ["certifying-words-wrong"] == town.alarms()

    play(scene, workers=Workers(make_with_the_old_table))


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without the gate the wrong date is printed, and seen here."""

    async def scene(town: IncidentTown) -> None:
        assert_dated_in_reiwa(await town.machines[1].visit(Kind.KOSEKI_ZENBU))

    with pytest.raises(AssertionError):
        play(scene, workers=Workers(make_with_the_old_table), gated=False)
