"""The register of the residents' tax (個人住民税課税台帳): one person's record of one fiscal year.

Amounts are whole yen. The words of the three enumerations are those on the certificate.
"""

from collections.abc import Iterator
from datetime import date
from enum import Enum

import msgspec

from issuance_server.core.record_faults import Fault, date_faults, inconsistent, missing
from issuance_server.core.register import RegisterDate

NEW_YEAR_MONTH = 6
"""From June on a fiscal year's records are the latest; in April and May the year before's are."""


class IncomeKind(Enum):
    """所得の種類."""

    SALARY = "給与"
    PENSION = "公的年金等"
    BUSINESS = "営業等"
    FARMING = "農業"
    REAL_ESTATE = "不動産"
    INTEREST = "利子"
    DIVIDEND = "配当"
    SIDE_BUSINESS = "雑（業務）"
    MISCELLANEOUS = "雑（その他）"
    TRANSFER = "総合譲渡・一時"
    LAND_SHORT = "短期譲渡"
    LAND_LONG = "長期譲渡"
    SHARES = "株式等譲渡・配当"
    FUTURES = "先物取引"
    FORESTRY = "山林"
    RETIREMENT = "退職"


SEPARATE = frozenset(
    {
        IncomeKind.LAND_SHORT,
        IncomeKind.LAND_LONG,
        IncomeKind.SHARES,
        IncomeKind.FUTURES,
        IncomeKind.FORESTRY,
        IncomeKind.RETIREMENT,
    }
)
"""Taxed apart from the rest (分離課税)."""


class DeductionKind(Enum):
    """所得控除の種類."""

    CASUALTY = "雑損"
    MEDICAL = "医療費"
    SOCIAL_INSURANCE = "社会保険料"
    SMALL_ENTERPRISE = "小規模企業共済等掛金"
    LIFE_INSURANCE = "生命保険料"
    EARTHQUAKE_INSURANCE = "地震保険料"
    DISABILITY = "障害者"
    WIDOW = "寡婦・ひとり親"
    WORKING_STUDENT = "勤労学生"
    SPOUSE = "配偶者"
    SPOUSE_SPECIAL = "配偶者特別"
    DEPENDANTS = "扶養"
    RELATIVE_SPECIAL = "特定親族特別"
    BASIC = "基礎"


class Filing(Enum):
    """Whether the person's income is known."""

    FILED = "filed"
    DEPENDANT = "dependant"  # 未申告, and somebody else's dependant: amounts are marked *
    NOT_FILED = "not-filed"  # nothing can be certified


class Income(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of income: what came in (収入, where it is told), and what is left (所得)."""

    kind: IncomeKind
    received: int | None = None
    amount: int


class Deduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One deduction (所得控除)."""

    kind: DeductionKind
    amount: int


class Dependants(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many people the taxpayer provides for.

    Attributes:
        spouse: 控除対象配偶者.
        general: 一般.
        specific: 特定.
        elderly: 老人, those of ``elderly_together`` included.
        elderly_together: 同居老親等.
        under_16: 16歳未満.
        disabled: 普通障害.
        severely_disabled: 特別障害, those of ``severely_disabled_together`` included.
        severely_disabled_together: 同居特別障害.
    """

    spouse: bool = False
    general: int = 0
    specific: int = 0
    elderly: int = 0
    elderly_together: int = 0
    under_16: int = 0
    disabled: int = 0
    severely_disabled: int = 0
    severely_disabled_together: int = 0

    @property
    def are_countable(self) -> bool:
        """Whether no number is negative and no part larger than its whole."""
        return (
            min(self.general, self.specific, self.elderly_together, self.under_16) >= 0
            and min(self.disabled, self.severely_disabled_together) >= 0
            and self.elderly_together <= self.elderly
            and self.severely_disabled_together <= self.severely_disabled
        )


class Levy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The year's tax.

    Attributes:
        base: 課税標準額 (総合).
        base_separate: 課税標準額 (分離).
        credits: 税額控除, of city and prefecture together; not part of the sum below.
        city_income: 市民税所得割.
        city_flat: 市民税均等割.
        prefecture_income: 府民税所得割.
        prefecture_flat: 府民税均等割.
        forest: 森林環境税 (from fiscal 2024 on).
    """

    base: int = 0
    base_separate: int = 0
    credits: int = 0
    city_income: int = 0
    city_flat: int = 0
    prefecture_income: int = 0
    prefecture_flat: int = 0
    forest: int = 0

    @property
    def total(self) -> int:
        """年税額."""
        city, prefecture = self.city_income + self.city_flat, self.prefecture_income
        return city + prefecture + self.prefecture_flat + self.forest

    @property
    def is_negative_anywhere(self) -> bool:
        """Whether an amount lies below nothing."""
        return any(amount < 0 for amount in msgspec.structs.astuple(self))


class TaxRecord(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """One person's record of one fiscal year. Its ``repr`` shows nothing personal.

    Attributes:
        resident_id: 宛名番号.
        fiscal_year: 年度, as a year of our era; the income is that of the year before.
        address: 賦課期日 (1 January) の住所.
        name: 氏名.
        birth: 生年月日.
        filing: whether the income is known.
        incomes: one for each kind that there is.
        income_total: 合計所得金額; losses may make it less than the sum.
        deductions: one for each kind that there is.
        deduction_total: 所得控除合計, their sum.
        dependants: whom the taxpayer provides for.
        levy: the tax.
        remarks: 備考.
    """

    resident_id: str
    fiscal_year: int
    address: str
    name: str
    birth: RegisterDate
    filing: Filing = Filing.FILED
    incomes: tuple[Income, ...] = ()
    income_total: int = 0
    deductions: tuple[Deduction, ...] = ()
    deduction_total: int = 0
    dependants: Dependants = Dependants()
    levy: Levy = Levy()
    remarks: str | None = None

    def __repr__(self) -> str:
        return "TaxRecord(...)"

    @property
    def is_taxed(self) -> bool:
        """Whether the certificate is a 課税証明書; otherwise it is a 非課税証明書."""
        return self.levy.total > 0

    def faults(self, *, western: bool = False) -> tuple[Fault, ...]:
        """Return every broken rule; none in a sound record.

        Args:
            western: whether the taxpayer is a foreign resident, whose birth is in our era.
        """
        return tuple(self._faults(western=western))

    def _faults(self, *, western: bool) -> Iterator[Fault]:
        yield from missing("賦課期日の住所", self.address)
        yield from missing("氏名", self.name.strip("　 "))
        yield from date_faults("生年月日", self.birth.text, self.birth.on, western=western)
        income_kinds = {income.kind for income in self.incomes}
        deduction_kinds = {deduction.kind for deduction in self.deductions}
        yield from inconsistent("所得の内訳", unless=len(income_kinds) == len(self.incomes))
        yield from inconsistent(
            "所得控除の内訳", unless=len(deduction_kinds) == len(self.deductions)
        )
        income_sum = sum(max(income.amount, 0) for income in self.incomes)
        yield from inconsistent("合計所得金額", unless=self.income_total <= income_sum)
        deduction_sum = sum(deduction.amount for deduction in self.deductions)
        yield from inconsistent("所得控除合計", unless=self.deduction_total == deduction_sum)
        yield from inconsistent("扶養人数", unless=self.dependants.are_countable)
        yield from inconsistent("税額", unless=not self.levy.is_negative_anywhere)
        if self.filing is not Filing.FILED:
            empty = not (self.incomes or self.deductions or self.income_total or self.is_taxed)
            yield from inconsistent("申告の区分", unless=empty)


def latest_fiscal_year(day: date, new_year_days: tuple[date, ...] = ()) -> int:
    """Return the fiscal year (年度) whose records are the latest on a day.

    A year's records become the latest in June (domain §3); in April and May the year before's are.

    Args:
        day: the day of issue.
        new_year_days: the days from which those of their year are, such as 3 June 2026; a year for
            which none is named begins on 1 June.
    """
    named = {first.year: first for first in new_year_days}
    first = named.get(day.year, date(day.year, NEW_YEAR_MONTH, 1))
    return day.year if day >= first else day.year - 1
