"""The records of the other registers: stored once, read with the household, each with a version."""

from pathlib import Path

import pytest

from issuance_server.adapters.sqlite.founding import found_city
from issuance_server.core.facts import HolderFacts
from issuance_server.core.switch import Needs
from protocol.kinds import Kind
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS, RECORDS, CityFile
from tests.core.made import START_REAL_MS

SPOUSE_ID = HOUSEHOLDS[0].members[1].resident_id
CHILD_ID = HOUSEHOLDS[0].members[2].resident_id
OF_RESIDENTS = {Kind.JUMINHYO, Kind.KISAIJIKO}
NEXT_VERSION = (
    "UPDATE register_record SET version = (SELECT max(version) + 1 FROM register_record)"
    " WHERE record_id = (SELECT record_id FROM register_record_holder"
    " WHERE resident_id = ? AND kind = ?)"
)


async def facts_of(city: CityFile, resident_id: str) -> HolderFacts:
    """Read a holder's facts in a transaction."""
    async with city.store.transaction() as transaction:
        facts = await transaction.facts(Needs(resident_id=resident_id), START_REAL_MS)
    assert facts.holder is not None
    return facts.holder


@pytest.mark.parametrize("kind", Kind)
async def test_certificate_is_made_of_household_and_record(city: CityFile, kind: Kind) -> None:
    """What was founded comes back whole; what the resident register holds has no other record."""
    source = await city.store.source_of(HOLDER_ID, kind)

    assert source is not None
    assert (HOUSEHOLDS[0], 1) == (source.household, source.register_version)
    assert RECORDS.get((HOLDER_ID, kind)) == source.record
    assert (source.record is None) is (kind in OF_RESIDENTS)
    versions = (await facts_of(city, HOLDER_ID)).record_versions
    assert versions.get(kind) == source.record_version


async def test_who_has_no_record_has_no_version(city: CityFile) -> None:
    """A child has no tax record; whom nobody knows has nothing at all."""
    assert Kind.KAZEI not in (await facts_of(city, CHILD_ID)).record_versions
    source = await city.store.source_of(CHILD_ID, Kind.KAZEI)
    assert source is not None
    assert (None, None) == (source.record, source.record_version)
    assert await city.store.source_of("99999999", Kind.KAZEI) is None


async def test_change_of_a_record_changes_its_version_only(city: CityFile) -> None:
    """Neither the household nor another person's seal has changed."""
    before, of_spouse = await facts_of(city, HOLDER_ID), await facts_of(city, SPOUSE_ID)
    city.change(NEXT_VERSION, HOLDER_ID, Kind.INKAN.value)
    after = await facts_of(city, HOLDER_ID)

    changed = {
        kind
        for kind, version in after.record_versions.items()
        if version != before.record_versions[kind]
    }
    assert {Kind.INKAN} == changed
    assert before.register_version == after.register_version
    assert of_spouse == await facts_of(city, SPOUSE_ID)


async def test_family_register_is_one_record_of_everybody_in_it(city: CityFile) -> None:
    """A notification of one person changes the version for the others, and for both kinds."""
    before = await facts_of(city, SPOUSE_ID)
    city.change(NEXT_VERSION, HOLDER_ID, Kind.KOSEKI_ZENBU.value)
    after = await facts_of(city, SPOUSE_ID)

    for kind in (Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN):
        assert before.record_versions[kind] != after.record_versions[kind]
    assert before.record_versions[Kind.FUHYO] == after.record_versions[Kind.FUHYO]


def test_city_without_other_registers_can_be_founded(tmp_path: Path) -> None:
    """Their records may come later, or never."""
    path = tmp_path / "city.db"
    found_city(path, households=HOUSEHOLDS, terminals=(), cards=(), at_ms=0)

    assert [] == CityFile(path).rows("SELECT * FROM register_record")
