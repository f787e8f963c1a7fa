"""課税証明書: every row of the form, by the latest fiscal year's record."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.content import kazei
from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household
from issuance_server.core.tax_register import (
    DeductionKind,
    Filing,
    Income,
    IncomeKind,
    TaxRecord,
)
from protocol.kinds import Kind, Options
from tests.certificates.read_back import rendered_texts

OrderMaker = Callable[..., CertificateOrder]
ENDLESS_YEN = 10**24


@pytest.fixture
def kazei_order(make_order: OrderMaker, households: tuple[Household, ...]) -> OrderMaker:
    """Return a maker of orders for a household's member, with changes to the tax record."""

    def make(household: int = 0, member: int = 0, **changes: Any) -> CertificateOrder:
        holder_id = households[household].members[member].resident_id
        order = make_order(
            households[household], kind=Kind.KAZEI, holder_id=holder_id, options=Options()
        )
        record = msgspec.structs.replace(order.record, **changes)
        return msgspec.structs.replace(order, record=record)

    return make


def test_every_row_is_there(renderer: CertificateRenderer, kazei_order: OrderMaker) -> None:
    """All kinds of income and deduction have a row; those without an amount are marked."""
    order = kazei_order()
    (text,) = rendered_texts(renderer, order)
    for kind in (*IncomeKind, *DeductionKind):
        assert kind.value in text
    said = kazei.certificate(order)
    assert ("4,800,000", "3,400,000") == said.incomes[IncomeKind.SALARY]
    assert (MARK, "150,000") == said.incomes[IncomeKind.TRANSFER]
    assert (MARK, MARK) == said.incomes[IncomeKind.FARMING]
    assert "430,000" == said.deductions[DeductionKind.BASIC]
    assert MARK == said.deductions[DeductionKind.WIDOW]
    amounts = [amount for pair in said.incomes.values() for amount in pair]
    amounts += [*said.deductions.values(), said.income_total, said.deduction_total]
    for amount in (*amounts, *said.levy, said.levy_total):
        assert amount in text


def test_whose_and_of_which_year(renderer: CertificateRenderer, kazei_order: OrderMaker) -> None:
    """The year of the tax and of the income, and the address of 1 January."""
    (text,) = rendered_texts(renderer, kazei_order(address="大阪府豊中市架空町1丁目930番2号"))
    assert "令和8年度（令和7年分の所得）" in text
    assert "大阪府豊中市架空町1丁目930番2号" in text
    assert "見本　健" in text
    assert "昭和59年5月20日" in text
    assert "市・府民税課税証明書" in text


def test_the_tax_is_the_sum_of_its_parts(kazei_order: OrderMaker) -> None:
    """市民税, 府民税 and 森林環境税 together are the 年税額."""
    order = kazei_order()
    assert isinstance(order.record, TaxRecord)
    said, levy = kazei.certificate(order), order.record.levy
    parts = [int(amount.replace(",", "")) for amount in said.levy[3:]]
    assert levy.total == sum(parts) == int(said.levy_total.replace(",", ""))


def test_somebody_who_pays_nothing(renderer: CertificateRenderer, kazei_order: OrderMaker) -> None:
    """A small pension makes it a 非課税証明書; the amounts are known and printed."""
    order = kazei_order(2, 6)
    (text,) = rendered_texts(renderer, order)
    assert "市・府民税非課税証明書" in text
    said = kazei.certificate(order)
    assert "0" == said.levy_total
    assert said.incomes[IncomeKind.PENSION][0] != MARK


def test_a_dependant_who_filed_nothing(
    renderer: CertificateRenderer, kazei_order: OrderMaker
) -> None:
    """Amounts that nobody knows are marked with one asterisk, which the foot explains."""
    order = kazei_order(0, 1)
    said = kazei.certificate(order)
    assert "市・府民税非課税証明書" == said.title
    amounts = {amount for pair in said.incomes.values() for amount in pair}
    amounts |= {*said.deductions.values(), *said.dependants}
    assert {"＊"} == {said.income_total, said.deduction_total, *amounts}
    (text,) = rendered_texts(renderer, order)
    assert "＊は、申告がないため金額を証明できない項目です。" in text


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 5, 31), "tax-year-not-offered"),
        (date(2026, 6, 1), None),
        (date(2027, 5, 31), None),
        (date(2027, 6, 1), "tax-year-not-offered"),
    ],
)
def test_only_the_latest_year_is_certified(
    kazei_order: OrderMaker, day: date, reason: str | None
) -> None:
    """Fiscal 2026 is the latest from June 2026 to May 2027."""
    order = msgspec.structs.replace(kazei_order(), issued_on=day)
    if reason is None:
        assert kazei.certificate(order)
        return
    with pytest.raises(CertificateRefused) as caught:
        kazei.certificate(order)
    assert reason == caught.value.reason


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"resident_id": "10000025"}, "record-missing", ""),
        ({"filing": Filing.NOT_FILED}, "tax-not-filed", ""),
        ({"deduction_total": 1}, "record-inconsistent", "所得控除合計"),
        ({"address": ""}, "record-incomplete", "賦課期日の住所"),
        ({"remarks": "\ue000"}, "missing-glyph", "備考"),
        ({"address": "架空" * 60}, "text-too-long", "賦課期日の住所"),
        (
            {"incomes": (Income(kind=IncomeKind.SALARY, amount=ENDLESS_YEN),)},
            "text-too-long",
            "所得金額 給与",
        ),
    ],
)
def test_refusals(
    renderer: CertificateRenderer,
    kazei_order: OrderMaker,
    changes: dict[str, Any],
    reason: str,
    item: str,
) -> None:
    """Somebody else's record, none that was filed, sums that do not agree, what cannot be set."""
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(kazei_order(**changes))
    assert (reason, item) == (caught.value.reason, caught.value.item)
