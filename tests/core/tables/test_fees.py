"""Fees, campaigns, commissions, and what a terminal offers."""

from datetime import date

import pytest

from issuance_server.core.tables import Channel, CityTables, Closed
from issuance_server.core.tables.preview import changes, fees_on, openings
from issuance_server.core.tables.reading import read_tables
from issuance_server.core.terminal_place import TerminalClass, TerminalPlace
from issuance_server.sample.tables import SAMPLE_TABLES
from protocol.kinds import Kind
from tests.core.made import business_ms

STORE, CITY_HALL = TerminalClass.STORE, TerminalClass.CITY_HALL
CAMPAIGNS = """
[[campaigns]]
from = 2027-01-05
until = 2027-03-31
channel = "store"
yen = { juminhyo = 10 }

[[campaigns]]
from = 2027-02-01
until = 2027-02-28
channel = "store"
yen = { inkan = 100 }
chains = ["Lawson"]
"""
TODAY = date(2026, 11, 30)
ENDING = SAMPLE_TABLES.replace(
    'chain = "Sunkus"\nfrom = 2013-12-05\n',
    'chain = "Sunkus"\nfrom = 2013-12-05\nuntil = 2026-11-30\n',
    1,
).replace('chain = "FamilyMart"\n', 'chain = "FamilyMart"\nin_city_only = true\n', 1)


@pytest.fixture(scope="module")
def tables() -> CityTables:
    """The sample city's, with two campaigns, and a chain that ends."""
    return read_tables((ENDING + CAMPAIGNS).encode())


def place(
    chain: str, terminal_class: TerminalClass = STORE, *, in_city: bool = True
) -> TerminalPlace:
    """Return where a terminal stands."""
    return TerminalPlace(
        terminal="T-0001", terminal_class=terminal_class, chain=chain, in_city=in_city
    )


@pytest.mark.parametrize(
    ("kind", "chain", "day", "yen"),
    [
        (Kind.JUMINHYO, "Lawson", (2027, 1, 4), 200),
        (Kind.JUMINHYO, "Lawson", (2027, 1, 5), 10),
        (Kind.JUMINHYO, "Sunkus", (2027, 3, 31), 10),
        (Kind.JUMINHYO, "Lawson", (2027, 4, 1), 200),
        (Kind.INKAN, "Lawson", (2027, 2, 14), 100),
        (Kind.INKAN, "FamilyMart", (2027, 2, 14), 200),
        (Kind.KOSEKI_ZENBU, "Lawson", (2027, 2, 14), 350),
        (Kind.JUMINHYO, "Lawson", (2012, 1, 1), None),
    ],
)
def test_campaigns_take_the_place_of_fees(
    tables: CityTables, kind: Kind, chain: str, day: tuple[int, int, int], yen: int | None
) -> None:
    """From their first to their last day, for their kinds and chains only."""
    assert yen == tables.fee_yen(kind, STORE, chain, date(*day))


def test_counter_and_city_hall_have_their_own_fees(tables: CityTables) -> None:
    """The counter's stand for information: 300, and 450 of family registers."""
    assert 300 == tables.channel_fee_yen(Kind.JUMINHYO, Channel.COUNTER, "", TODAY)
    assert 450 == tables.channel_fee_yen(Kind.KOSEKI_KOJIN, Channel.COUNTER, "", TODAY)
    assert 200 == tables.fee_yen(Kind.INKAN, CITY_HALL, "Toyonaka City", TODAY)
    assert tables.fee_yen(Kind.KAZEI, CITY_HALL, "Toyonaka City", TODAY) is None


def test_commission_is_of_chain_kind_and_day(tables: CityTables) -> None:
    """None before the chain began."""
    assert 117 == tables.commission_yen("Lawson", Kind.KAZEI, TODAY)
    assert 0 == tables.commission_yen("Toyonaka City", Kind.INKAN, TODAY)
    assert tables.commission_yen("FamilyMart", Kind.INKAN, date(2013, 12, 18)) is None
    assert tables.commission_yen("Nobody", Kind.INKAN, TODAY) is None


def test_terminals_offer_what_their_chain_issues_there(tables: CityTables) -> None:
    """By chain, kind, day, class, and whether they stand in the city."""
    early = date(2013, 4, 1)
    assert () == tables.offered(place("Lawson"), early)
    assert Kind.KAZEI not in tables.offered(place("Seven-Eleven"), date(2013, 12, 4))
    assert tuple(Kind) == tables.offered(place("Seven-Eleven"), date(2013, 12, 5))
    city_hall = place("Toyonaka City", CITY_HALL)
    assert (Kind.JUMINHYO, Kind.KISAIJIKO, Kind.INKAN) == tables.offered(city_hall, TODAY)
    assert () == tables.offered(place("Toyonaka City", STORE), TODAY)
    assert tuple(Kind) == tables.offered(place("FamilyMart"), TODAY)
    assert () == tables.offered(place("FamilyMart", in_city=False), TODAY)


def test_a_chain_that_ends_does_not_open_again(tables: CityTables) -> None:
    """On the evening of its last day nothing is foreseen, though the hours go on."""
    night_ms = business_ms(2026, 11, 30, 23, 30)
    ended = tables.opening_at(Kind.JUMINHYO, place("Sunkus"), night_ms)
    going_on = tables.opening_at(Kind.JUMINHYO, place("Lawson"), night_ms)

    assert isinstance(ended, Closed)
    assert isinstance(going_on, Closed)
    assert ended.opens_at_ms is None
    assert business_ms(2026, 12, 1, 6, 30) == going_on.opens_at_ms


def test_preview_says_what_is_open_and_where(tables: CityTables) -> None:
    """Each kind with the chains that issue it, and when it closes or opens again."""
    rows = openings(tables, CITY_HALL, business_ms(2026, 12, 29))

    assert [Kind.JUMINHYO, Kind.KISAIJIKO, Kind.INKAN] == [row.kind for row in rows]
    assert {business_ms(2027, 1, 4, 8, 45)} == {row.until_ms for row in rows}
    (juminhyo, *_) = openings(tables, STORE, business_ms(2026, 12, 1))
    assert (None, business_ms(2026, 12, 1, 23)) == (juminhyo.cause, juminhyo.until_ms)
    assert "Sunkus" not in juminhyo.chains


def test_preview_tells_campaigns_from_fees(tables: CityTables) -> None:
    """A chain's own campaign has a line beside the fee of the others."""
    rows = {
        (row.kind, row.chain): (row.yen, row.campaign_until)
        for row in fees_on(tables, date(2027, 2, 14))
        if row.channel is Channel.STORE
    }

    assert (10, date(2027, 3, 31)) == rows[Kind.JUMINHYO, None]
    assert (200, None) == rows[Kind.INKAN, None]
    assert (100, date(2027, 2, 28)) == rows[Kind.INKAN, "Lawson"]


def test_preview_lists_what_begins_and_ends(tables: CityTables) -> None:
    """In order of days; closed days among them."""
    found = [(one.day, one.what) for one in changes(tables, TODAY, date(2027, 2, 28))]

    assert (TODAY, "last day: Sunkus issues " + ", ".join(kind.value for kind in Kind)) == found[0]
    assert (date(2026, 12, 29), "closed until 01-03") in found
    assert (date(2027, 1, 5), "first day: campaign at store: juminhyo 10 yen") in found
    assert (date(2027, 2, 14), "inspection day: closed") in found
    assert found == sorted(found)
