"""The tax register: sums agree, nothing is negative, and which year is the latest."""

from datetime import date
from typing import Any

import pytest

from issuance_server.core.register import RegisterDate
from issuance_server.core.tax_register import (
    Deduction,
    DeductionKind,
    Dependants,
    Filing,
    Income,
    IncomeKind,
    Levy,
    TaxRecord,
    latest_fiscal_year,
)

LEVY = Levy(city_income=60_000, city_flat=3_000, prefecture_income=40_000, prefecture_flat=1_300)


def record(**changes: Any) -> TaxRecord:
    """Return a record without a fault, or with changes."""
    usual = {
        "resident_id": "10000017",
        "fiscal_year": 2026,
        "address": "大阪府豊中市中桜塚3丁目901番1号",
        "name": "見本　健",
        "birth": RegisterDate(text="昭和59年5月20日", on=date(1984, 5, 20)),
        "incomes": (Income(kind=IncomeKind.SALARY, received=3_000_000, amount=2_020_000),),
        "income_total": 2_020_000,
        "deductions": (Deduction(kind=DeductionKind.BASIC, amount=430_000),),
        "deduction_total": 430_000,
        "levy": LEVY,
    }
    return TaxRecord(**(usual | changes))


def test_a_sound_record() -> None:
    """The year's tax is the sum of its parts; a loss may make the total less than the sum."""
    assert () == record().faults()
    assert 104_300 == record().levy.total
    assert record().is_taxed
    loss = Income(kind=IncomeKind.BUSINESS, received=0, amount=-20_000)
    assert () == record(incomes=(*record().incomes, loss), income_total=2_000_000).faults()


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"address": ""}, "record-incomplete", "賦課期日の住所"),
        ({"name": "　"}, "record-incomplete", "氏名"),
        ({"birth": RegisterDate(text="昭和70年1月1日")}, "date-impossible", "生年月日"),
        ({"income_total": 2_020_001}, "record-inconsistent", "合計所得金額"),
        ({"deduction_total": 430_001}, "record-inconsistent", "所得控除合計"),
        ({"levy": Levy(city_income=-100)}, "record-inconsistent", "税額"),
        (
            {"dependants": Dependants(elderly=1, elderly_together=2)},
            "record-inconsistent",
            "扶養人数",
        ),
        ({"dependants": Dependants(general=-1)}, "record-inconsistent", "扶養人数"),
        ({"filing": Filing.DEPENDANT}, "record-inconsistent", "申告の区分"),
        (
            {"incomes": record().incomes * 2},
            "record-inconsistent",
            "所得の内訳",
        ),
        (
            {"deductions": record().deductions * 2, "deduction_total": 860_000},
            "record-inconsistent",
            "所得控除の内訳",
        ),
    ],
)
def test_one_broken_rule_is_one_fault(changes: dict[str, Any], reason: str, item: str) -> None:
    """Empty items, sums that do not agree, and amounts where nothing was filed."""
    found = [(fault.reason, fault.item) for fault in record(**changes).faults()]
    assert [(reason, item)] == found


def test_a_dependant_who_filed_nothing_is_not_taxed() -> None:
    """No amounts, no tax, no fault."""
    empty = {"incomes": (), "income_total": 0, "deductions": (), "deduction_total": 0}
    dependant = record(filing=Filing.DEPENDANT, levy=Levy(), **empty)
    assert () == dependant.faults()
    assert not dependant.is_taxed


def test_a_foreign_taxpayers_birth_is_in_our_era() -> None:
    """The record follows the resident register."""
    birth = RegisterDate(text="1988年10月9日", on=date(1988, 10, 9))
    assert () == record(birth=birth).faults(western=True)
    assert ["生年月日"] == [fault.item for fault in record(birth=birth).faults()]


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2026, 5, 31), 2025),
        (date(2026, 6, 1), 2026),
        (date(2026, 12, 31), 2026),
        (date(2027, 1, 1), 2026),
    ],
)
def test_the_latest_year_changes_in_june(day: date, year: int) -> None:
    """In April and May the year before is still the latest."""
    assert year == latest_fiscal_year(day)


def test_nothing_personal_is_shown_by_accident() -> None:
    """The repr of a record names nobody and no amount."""
    assert "TaxRecord(...)" == repr(record())
