"""What a 課税証明書 or 非課税証明書 says: every row of the form, the empty ones marked."""

from dataclasses import dataclass
from datetime import date

from issuance_server.certificates.content.common import (
    MARK,
    Attestation,
    attestation,
    demand_options,
    holder,
    or_mark,
    record_of,
    refuse_faults,
)
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.core.eras import era_year
from issuance_server.core.tax_register import (
    DeductionKind,
    Dependants,
    Filing,
    IncomeKind,
    Levy,
    TaxRecord,
    latest_fiscal_year,
)
from protocol.kinds import Scope

TAXED = "市・府民税課税証明書"
NOT_TAXED = "市・府民税非課税証明書"
SENTENCE = "上記のとおり相違ないことを証明します。"
UNKNOWN = "＊"
"""An amount that nobody filed, of somebody else's dependant."""
_YES, _NO = "有", "無"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCertificate:
    """The one sheet, as printed. Amounts are yen with commas, or a mark.

    Attributes:
        title: by the result.
        year: 年度, and the year of the income.
        address: that of 1 January.
        name: 氏名.
        birth: 生年月日.
        incomes: received and left, by kind.
        income_total: 合計所得金額.
        deductions: by kind.
        deduction_total: 所得控除合計.
        dependants: numbers, in the order of the fields of ``Dependants``.
        levy: amounts, in the order of the fields of ``Levy``.
        levy_total: 年税額.
        remarks: 備考.
        attestation: the certifying words.
    """

    title: str
    year: str
    address: str
    name: str
    birth: str
    incomes: dict[IncomeKind, tuple[str, str]]
    income_total: str
    deductions: dict[DeductionKind, str]
    deduction_total: str
    dependants: tuple[str, ...]
    levy: tuple[str, ...]
    levy_total: str
    remarks: str
    attestation: Attestation


def certificate(order: CertificateOrder) -> TaxCertificate:
    """Return what is certified.

    Raises:
        CertificateRefused: there is no record of the latest year, nothing was filed, or the record
            breaks a rule.
    """
    demand_options(order, Scope.SELF)
    taxpayer, record = holder(order), record_of(order, TaxRecord)
    if record.resident_id != taxpayer.resident_id:
        raise CertificateRefused("record-missing")
    if record.fiscal_year != (order.tax_year or latest_fiscal_year(order.issued_on)):
        raise CertificateRefused("tax-year-not-offered")
    if record.filing is Filing.NOT_FILED:
        raise CertificateRefused("tax-not-filed")
    refuse_faults(record.faults(western=taxpayer.foreign is not None))
    known = record.filing is Filing.FILED
    none = MARK if known else UNKNOWN
    received = {income.kind: income.received for income in record.incomes}
    left = {income.kind: income.amount for income in record.incomes}
    deducted = {deduction.kind: deduction.amount for deduction in record.deductions}
    return TaxCertificate(
        title=TAXED if record.is_taxed else NOT_TAXED,
        year=_year(record.fiscal_year),
        address=record.address,
        name=record.name,
        birth=record.birth.text,
        incomes={
            kind: (_yen(received.get(kind), none), _yen(left.get(kind), none))
            for kind in IncomeKind
        },
        income_total=_yen(record.income_total) if known else UNKNOWN,
        deductions={kind: _yen(deducted.get(kind), none) for kind in DeductionKind},
        deduction_total=_yen(record.deduction_total) if known else UNKNOWN,
        dependants=_counts(record.dependants) if known else (UNKNOWN,) * _COUNTS,
        levy=_amounts(record.levy),
        levy_total=_yen(record.levy.total),
        remarks=or_mark(record.remarks),
        attestation=attestation(order, SENTENCE),
    )


_COUNTS = len(Dependants.__struct_fields__)


def _year(fiscal_year: int) -> str:
    """Return 年度 and the year of the income, which is the one before."""
    year, before = (era_year(date(year, 12, 31)) for year in (fiscal_year, fiscal_year - 1))
    return f"{year}年度（{before}年分の所得）"


def _yen(amount: int | None, none: str = MARK) -> str:
    return none if amount is None else f"{amount:,}"


def _counts(dependants: Dependants) -> tuple[str, ...]:
    """Return the numbers as printed; none is marked."""
    numbers = (getattr(dependants, name) for name in Dependants.__struct_fields__[1:])
    spouse = _YES if dependants.spouse else _NO
    return (spouse, *(str(number) if number else MARK for number in numbers))


def _amounts(levy: Levy) -> tuple[str, ...]:
    return tuple(_yen(getattr(levy, name)) for name in Levy.__struct_fields__)
