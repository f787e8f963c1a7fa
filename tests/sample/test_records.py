"""The sample's records: the same every time, sound, and each kind renders or refuses as meant."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest

from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.register import Household, Resident
from issuance_server.core.register_rules import household_faults
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.tax_register import Filing, TaxRecord
from issuance_server.sample.city import ISSUER, SAMPLE_DAY
from issuance_server.sample.records import sample_record, sample_records
from issuance_server.sample.residents import sample_households
from issuance_server.sample.standings import UNPRINTABLE
from protocol.kinds import Item, Kind, Options, Scope

TOO_LONG_NAME, MISSING_GLYPH, TOO_LONG_ADDRESS = "架空　寿限無", "模擬　\u4db6", "標本　長"
UNPRINTABLE_NAMES = {TOO_LONG_NAME, MISSING_GLYPH, TOO_LONG_ADDRESS}
NOT_FILED, FILING, LONG = "試作　翔", "雛形　遥", "例示　清"

OPTIONS = {
    Kind.JUMINHYO: Options(scope=Scope.HOUSEHOLD, items=tuple(Item)),
    Kind.KISAIJIKO: Options(scope=Scope.HOUSEHOLD, items=tuple(Item)),
    Kind.FUHYO: Options(scope=Scope.HOUSEHOLD, items=(Item.DOMICILE,)),
}

REFUSED_AS_MEANT = {
    (Kind.JUMINHYO, "text-too-long"): {TOO_LONG_NAME, TOO_LONG_ADDRESS},
    (Kind.KISAIJIKO, "text-too-long"): {TOO_LONG_ADDRESS},
    (Kind.INKAN, "text-too-long"): {TOO_LONG_NAME, TOO_LONG_ADDRESS},
    (Kind.KAZEI, "text-too-long"): {TOO_LONG_ADDRESS},
    (Kind.FUHYO, "text-too-long"): {TOO_LONG_NAME, TOO_LONG_ADDRESS},
    **{(kind, "missing-glyph"): {MISSING_GLYPH} for kind in Kind},
    (Kind.KAZEI, "tax-not-filed"): {NOT_FILED},
    (Kind.KOSEKI_ZENBU, "filing-in-progress"): {FILING},
    (Kind.KOSEKI_KOJIN, "filing-in-progress"): {FILING},
}
"""Everybody else has each certificate, or no record of that kind, or an abolished seal."""


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    """A renderer with the fonts of the Python packages."""
    return CertificateRenderer()


def everybody() -> Iterator[tuple[Household, Resident]]:
    """Give every resident of the sample city."""
    for household in sample_households():
        for member in household.members:
            yield household, member


def test_the_records_are_the_same_every_time() -> None:
    """No chance is involved."""
    again = sample_records.__wrapped__()
    assert dict(sample_records()) == dict(again)


def test_no_record_has_a_fault() -> None:
    """Households, seals, tax records, registers and histories keep the standard's rules."""
    foreigners = set()
    for household in sample_households():
        assert () == household_faults(household)
        foreigners |= {one.resident_id for one in household.members if one.foreign}
    for (resident_id, _), record in sample_records().items():
        if isinstance(record, TaxRecord):
            assert () == record.faults(western=resident_id in foreigners)
        else:
            assert () == record.faults()


def test_seals_are_of_many_sizes() -> None:
    """From little over 8 mm to nearly 25 mm; some adults have none, some registrations ended."""
    seals = [record for record in sample_records().values() if isinstance(record, SealRegistration)]
    widths = {round(seal.impression.width_mm, 1) for seal in seals}
    assert min(widths) < 9
    assert max(widths) > 24
    assert len(widths) >= 6
    assert 120 <= len(seals) <= 170
    assert 1 <= sum(seal.abolished for seal in seals) <= 10


def test_tax_records_of_every_sort() -> None:
    """Taxed and not, a dependant, one who filed nothing; and one adult has none."""
    records = [one for one in sample_records().values() if isinstance(one, TaxRecord)]
    assert {Filing.FILED, Filing.DEPENDANT, Filing.NOT_FILED} == {one.filing for one in records}
    assert {True, False} == {one.is_taxed for one in records if one.filing is Filing.FILED}
    (absent,) = [one for _, one in everybody() if one.name == "仮説　学"]
    assert sample_record(absent.resident_id, Kind.KAZEI) is None


def test_family_registers_and_histories_belong_together() -> None:
    """The same people, the same 本籍; the long one has its fourteen sheets' worth of people."""
    registers = {
        record.register_id: record
        for record in sample_records().values()
        if isinstance(record, FamilyRegister)
    }
    histories = {
        record.register_id: record
        for record in sample_records().values()
        if isinstance(record, AddressHistory)
    }
    assert registers.keys() == histories.keys()
    assert len(registers) > 80
    for register_id, register in registers.items():
        history = histories[register_id]
        assert (register.domicile, register.head) == (history.domicile, history.head)
        assert [one.resident_id for one in register.people] == [
            one.resident_id for one in history.people
        ]
    assert 16 == max(len(register.people) for register in registers.values())


def test_registers_say_what_the_residents_say() -> None:
    """Name, birth and sex of who lives in the city are those of the resident register."""
    for _, resident in everybody():
        register = sample_record(resident.resident_id, Kind.KOSEKI_ZENBU)
        if register is None:
            continue
        assert isinstance(register, FamilyRegister)
        person = register.person(resident.resident_id)
        assert person is not None
        assert (resident.birth, resident.sex) == (person.birth, person.sex)
        assert resident.name.endswith("　" + person.name)
        assert register.domicile == resident.domicile


def test_a_domicile_is_no_address() -> None:
    """本籍 names a lot (番地) or a block (番) of a town, never a house (号) or a flat."""
    domiciles = {resident.domicile for _, resident in everybody() if resident.domicile}
    assert len(domiciles) > 80
    for domicile in domiciles - {"不明"}:
        assert re.fullmatch(r"\D+府豊中市\D+(\d丁目)?\d+番(地(の\d+)?)?", domicile)


def test_the_list_of_cards_names_what_cannot_be_printed() -> None:
    """Who tries the sample is told beforehand which certificates the renderer refuses."""
    households = sample_households()
    listed: dict[tuple[Kind, str], set[str]] = {}
    for one in UNPRINTABLE:
        at, number = one.place
        name = households[at].members[number - 1].name
        known = next(start for start in UNPRINTABLE_NAMES if name.startswith(start))
        for kind in one.kinds:
            listed.setdefault((kind, one.reason), set()).add(known)
    of_renderer = {
        key: names for key, names in REFUSED_AS_MEANT.items() if names <= UNPRINTABLE_NAMES
    }
    assert of_renderer == listed


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(Kind))
def test_every_sample_renders_or_is_refused_as_meant(
    renderer: CertificateRenderer, kind: Kind
) -> None:
    """Each resident's (or household's) certificate, with everything that can be asked for."""
    refused: dict[tuple[Kind, str], set[str]] = {}
    sheets = Counter[int]()
    of_households = kind in (Kind.JUMINHYO, Kind.KISAIJIKO)
    for household, resident in everybody():
        if of_households and resident is not household.head:
            continue
        try:
            rendered = renderer.render(_order(household, resident, kind))
        except CertificateRefused as error:
            known = (TOO_LONG_NAME, MISSING_GLYPH, TOO_LONG_ADDRESS, NOT_FILED, FILING)
            name = next((one for one in known if resident.name.startswith(one)), resident.name)
            refused.setdefault((kind, error.reason), set()).add(name)
        else:
            sheets[rendered.sheets] += 1
    expected = {key: names for key, names in REFUSED_AS_MEANT.items() if key[0] is kind}
    without_record = refused.pop((kind, "record-missing"), set())
    abolished = refused.pop((kind, "seal-abolished"), set())
    assert expected == refused
    assert bool(without_record) != of_households
    assert bool(abolished) == (kind is Kind.INKAN)
    assert sum(sheets.values()) >= (85 if of_households else 120)
    assert {Kind.JUMINHYO: 3, Kind.KOSEKI_ZENBU: 14}.get(kind, 1) <= max(sheets)


def _order(household: Household, resident: Resident, kind: Kind) -> CertificateOrder:
    assert SAMPLE_DAY == date(2026, 11, 30)
    return CertificateOrder(
        issuance_id=bytes(16),
        kind=kind,
        options=OPTIONS.get(kind, Options()),
        holder_id=resident.resident_id,
        household=household,
        numbers=("20261130 豊中市 7E001 001 000012",),
        issued_on=SAMPLE_DAY,
        issuer=ISSUER,
        record=sample_record(resident.resident_id, kind),
    )
