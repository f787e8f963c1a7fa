"""Each card of the list of refusals is refused what the list says, for the reason that it names."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from issuance_server.adapters.sqlite.founding import found_city, found_suppressions
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core.eligibility import holder_refusal
from issuance_server.core.facts import HolderFacts, Now
from issuance_server.core.kind_eligibility import refused_kinds
from issuance_server.core.refusals import Refusal
from issuance_server.core.switch import Needs
from issuance_server.sample.city import SAMPLE_DAY
from issuance_server.sample.records import records_of
from issuance_server.sample.residents import sample_households
from issuance_server.sample.standings import CASES, STANDINGS, Case, sample_suppressions
from protocol.kinds import Kind
from tests.core.made import RULES, START_REAL_MS, business_ms

HOUSEHOLDS = sample_households()
NOW = Now(
    real_ms=START_REAL_MS,
    business_ms=business_ms(SAMPLE_DAY.year, SAMPLE_DAY.month, SAMPLE_DAY.day),
)
NOT_IN_THE_SAMPLE = {
    Refusal.RESIDENT_UNKNOWN,  # whom the register does not know has no card
    Refusal.UNDER_AGE,  # with the clock two days earlier: the card of 仮名 葵
    Refusal.TAX_YEAR_NOT_LATEST,  # with the clock in May: every card
    Refusal.CARD_NOT_YET_USABLE,  # of the card, not of the register
    Refusal.RESIDENT_ELSEWHERE,  # who lives elsewhere has no sample card
    Refusal.MEMBER_CHARACTERS_PENDING,
    Refusal.HEAD_REMOVED,
    Refusal.REGISTER_CLOSED,
    Refusal.MY_NUMBER_NOT_OFFERED,  # with every card: asked for where the city prints none
}


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The register of the whole sample city."""
    path = tmp_path_factory.mktemp("standings") / "city.db"
    found_city(
        path,
        households=HOUSEHOLDS,
        records=records_of(HOUSEHOLDS),
        terminals=(),
        cards=(),
        at_ms=START_REAL_MS,
    )
    found_suppressions(path, sample_suppressions(HOUSEHOLDS, START_REAL_MS))
    return path


@pytest.fixture
async def store(founded: Path) -> AsyncIterator[SqliteStore]:
    """Its store."""
    opened = await SqliteStore.open(founded)
    yield opened
    await opened.close()


async def facts_of(store: SqliteStore, place: tuple[int, int]) -> HolderFacts:
    """Read the facts of a holder."""
    at, number = place
    resident_id = HOUSEHOLDS[at].members[number - 1].resident_id
    async with store.transaction() as transaction:
        facts = await transaction.facts(Needs(resident_id=resident_id), START_REAL_MS)
    assert facts.holder is not None
    return facts.holder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.card)
async def test_card_is_refused_what_the_list_says(store: SqliteStore, case: Case) -> None:
    """Everything, or some kinds; the rest can be had."""
    facts = await facts_of(store, case.place)
    refusal = holder_refusal(RULES, facts, NOW)

    if not case.kinds:
        assert case.refusal is refusal
        return
    assert refusal is None
    refused = refused_kinds(RULES, Kind, facts, SAMPLE_DAY)
    assert set(case.kinds) == {kind for kind, why in refused.items() if why is case.refusal}


async def test_who_has_moved_is_no_choice_for_the_others(store: SqliteStore) -> None:
    """The household is read without the removed member."""
    head = HOUSEHOLDS[36].head_id
    found = await store.household_of(head)

    assert found is not None
    assert 4 == len(HOUSEHOLDS[36].members)
    assert 3 == len(found[0].members) == (await facts_of(store, (36, 1))).household_members
    source = await store.source_of(head, Kind.JUMINHYO)
    assert source is not None
    assert found[0] == source.household


def test_every_reason_has_a_card_or_says_why_not() -> None:
    """A new reason needs a resident to try it with."""
    assert set(Refusal) - NOT_IN_THE_SAMPLE == {case.refusal for case in CASES}
    assert STANDINGS.keys() <= {case.place for case in CASES}


def test_suppressions_of_the_sample_are_the_registers(founded: Path) -> None:
    """They are lifted where they were set; one is past its last day and goes on."""
    with closing(sqlite3.connect(founded)) as connection:
        rows = connection.execute("SELECT origin, level, until_day FROM suppression").fetchall()

    assert {"register"} == {row[0] for row in rows}
    assert {"error", "alert"} == {row[1] for row in rows}
    assert ["2024-03-31"] == [row[2] for row in rows if row[2] is not None]
    assert date(2024, 3, 31) < SAMPLE_DAY
