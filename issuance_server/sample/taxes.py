"""Sample tax records of fiscal 2026 (令和8年度), computed by the rules in a simple form.

The rules for salaries, pensions and taxes are simplified: the sums agree with each other, not with
what a tax office would find.
"""

from issuance_server.core.register import Household, Resident, age_on
from issuance_server.core.tax_register import (
    SEPARATE,
    Deduction,
    DeductionKind,
    Dependants,
    Filing,
    Income,
    IncomeKind,
    Levy,
    TaxRecord,
)
from issuance_server.sample.city import SAMPLE_DAY

FISCAL_YEAR = 2026
ADULT_YEARS = 18
PENSION_YEARS = 65
ABSENT_ON_1_JANUARY = "仮説　学"
"""Lived elsewhere on 1 January, so this city taxes him not."""
NOT_FILED = "試作　翔"
DEPENDANT = "見本　優子"
"""Filed nothing, being her husband's dependant."""
MANY_ROWS = "見本　健"
"""Has an income of nearly every kind, and nearly every deduction."""

_BASIC = 430_000
_SPOUSE = 330_000
_DEPENDANT = 330_000
_INCOME_FREE = 450_000
_CITY_RATE, _PREFECTURE_RATE = 0.06, 0.04
_CITY_RATE_APART, _PREFECTURE_RATE_APART = 0.03, 0.02
_CREDITS = 2_500
_CITY_CREDITS, _PREFECTURE_CREDITS = 1_500, 1_000
_CITY_FLAT, _PREFECTURE_FLAT, _FOREST = 3_000, 1_300, 1_000
_PENSION_FREE = 1_100_000
_UNDER_16 = 16


def tax_record_of(household: Household, resident: Resident) -> TaxRecord | None:
    """Return an adult's record of fiscal 2026; none for children, and for who lived elsewhere."""
    born = resident.birth.on
    age = PENSION_YEARS if born is None else age_on(born, SAMPLE_DAY)
    if age < ADULT_YEARS or resident.name == ABSENT_ON_1_JANUARY:
        return None
    if resident.name in (NOT_FILED, DEPENDANT):
        filing = Filing.NOT_FILED if resident.name == NOT_FILED else Filing.DEPENDANT
        return _record(household, resident, filing=filing)
    incomes = _incomes(resident, age)
    total = sum(income.amount for income in incomes)
    separate = sum(income.amount for income in incomes if income.kind in SEPARATE)
    dependants = _dependants(household, resident)
    deductions = _deductions(resident, incomes, dependants)
    deducted = sum(deduction.amount for deduction in deductions)
    return _record(
        household,
        resident,
        incomes=incomes,
        income_total=total,
        deductions=deductions,
        deduction_total=deducted,
        dependants=dependants,
        levy=_levy(total - separate, separate, deducted),
    )


def _record(household: Household, resident: Resident, **filed: object) -> TaxRecord:
    return TaxRecord(
        resident_id=resident.resident_id,
        fiscal_year=FISCAL_YEAR,
        address=household.address,
        name=resident.name,
        birth=resident.birth,
        **filed,  # type: ignore[arg-type]
    )


def _incomes(resident: Resident, age: int) -> tuple[Income, ...]:
    """Return a pension or a salary by the resident's number; one has nearly everything."""
    serial = int(resident.resident_id[:-1])
    if age >= PENSION_YEARS:
        received = 900_000 + serial % 13 * 120_000
        left = max(received - _PENSION_FREE, 0)
        return (Income(kind=IncomeKind.PENSION, received=received, amount=left),)
    received = 1_000_000 + serial % 17 * 380_000
    salary = Income(kind=IncomeKind.SALARY, received=received, amount=_salary(received))
    if resident.name != MANY_ROWS:
        return (salary,)
    others = (
        Income(kind=IncomeKind.BUSINESS, received=2_450_000, amount=812_300),
        Income(kind=IncomeKind.REAL_ESTATE, received=960_000, amount=288_000),
        Income(kind=IncomeKind.DIVIDEND, received=41_200, amount=41_200),
        Income(kind=IncomeKind.SIDE_BUSINESS, received=130_000, amount=64_500),
        Income(kind=IncomeKind.MISCELLANEOUS, received=20_000, amount=12_345),
        Income(kind=IncomeKind.TRANSFER, amount=150_000),
        Income(kind=IncomeKind.SHARES, received=1_204_000, amount=333_100),
    )
    return (salary, *others)


def _salary(received: int) -> int:
    """Return what is left of a salary after 給与所得控除."""
    for limit, free in (
        (1_900_000, 650_000),
        (3_600_000, received * 3 // 10 + 80_000),
        (6_600_000, received // 5 + 440_000),
    ):
        if received <= limit:
            return max(received - free, 0)
    return received - received // 10 - 1_100_000


def _dependants(household: Household, resident: Resident) -> Dependants:
    """Count whom the head provides for; nobody else provides for anybody."""
    if resident.resident_id != household.head_id:
        return Dependants()
    ages = [
        age_on(member.birth.on, SAMPLE_DAY)
        for member in household.members
        if member.relationship.startswith("子") and member.birth.on
    ]
    return Dependants(
        spouse=any(member.name == DEPENDANT for member in household.members),
        under_16=sum(age < _UNDER_16 for age in ages),
        general=sum(_UNDER_16 <= age < ADULT_YEARS for age in ages),
    )


def _deductions(
    resident: Resident, incomes: tuple[Income, ...], dependants: Dependants
) -> tuple[Deduction, ...]:
    received = sum(income.received or 0 for income in incomes[:1])
    amounts = {
        DeductionKind.SOCIAL_INSURANCE: received * 15 // 100,
        DeductionKind.SPOUSE: _SPOUSE if dependants.spouse else 0,
        DeductionKind.DEPENDANTS: _DEPENDANT * dependants.general,
        DeductionKind.BASIC: _BASIC,
    }
    if resident.name == MANY_ROWS:
        amounts |= {
            DeductionKind.MEDICAL: 84_210,
            DeductionKind.SMALL_ENTERPRISE: 276_000,
            DeductionKind.LIFE_INSURANCE: 70_000,
            DeductionKind.EARTHQUAKE_INSURANCE: 25_000,
        }
    return tuple(
        Deduction(kind=kind, amount=amounts[kind]) for kind in DeductionKind if amounts.get(kind)
    )


def _levy(income: int, separate: int, deducted: int) -> Levy:
    """Return the tax; nobody pays who has no more than the income that is free."""
    if income + separate <= _INCOME_FREE:
        return Levy()
    base = max(income - deducted, 0) // 1_000 * 1_000
    apart = separate // 1_000 * 1_000
    city = base * _CITY_RATE + apart * _CITY_RATE_APART - _CITY_CREDITS
    prefecture = base * _PREFECTURE_RATE + apart * _PREFECTURE_RATE_APART - _PREFECTURE_CREDITS
    return Levy(
        base=base,
        base_separate=apart,
        credits=_CREDITS if base else 0,
        city_income=_tax(city),
        city_flat=_CITY_FLAT,
        prefecture_income=_tax(prefecture),
        prefecture_flat=_PREFECTURE_FLAT,
        forest=_FOREST,
    )


def _tax(amount: float) -> int:
    """Return a tax in whole hundreds."""
    return max(int(amount) // 100 * 100, 0)
