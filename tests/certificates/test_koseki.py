"""戸籍証明書: the register's items in full-width digits, over many sheets."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.content import koseki
from issuance_server.certificates.layout.koseki import ROWS_PER_SHEET, Row, divided
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.family_register import FamilyRegister, RegisterEvent, RegisterItem
from issuance_server.core.register import Household, RegisterDate
from protocol.kinds import Kind, Options
from protocol.limits import SHEETS_MAX
from tests.certificates.read_back import rendered_texts

OrderMaker = Callable[..., CertificateOrder]
KAZURA = "葛\U000e0100"


@pytest.fixture
def koseki_order(make_order: OrderMaker, households: tuple[Household, ...]) -> OrderMaker:
    """Return a maker of orders for a household's member, with changes to the register."""

    def make(
        household: int = 0, member: int = 0, kind: Kind = Kind.KOSEKI_ZENBU, **changes: Any
    ) -> CertificateOrder:
        holder_id = households[household].members[member].resident_id
        order = make_order(households[household], kind=kind, holder_id=holder_id, options=Options())
        record = msgspec.structs.replace(order.record, **changes)
        return msgspec.structs.replace(order, record=record)

    return make


def test_the_whole_register(renderer: CertificateRenderer, koseki_order: OrderMaker) -> None:
    """Head, register events, and for each person the items and events, in their order."""
    text = "".join(rendered_texts(renderer, koseki_order()))
    expected = (
        ("（２の１）", "全部事項証明", "大阪府豊中市中桜塚３丁目９０１番", "見本　健"),
        ("戸籍事項", "戸籍編製", "【編製日】平成２０年６月１０日"),
        ("戸籍に記録されている者", "【名】健", "【生年月日】昭和５９年５月２０日"),
        ("【配偶者区分】夫", "【父】見本　例一", "【母】見本　例子", "【続柄】長男"),
        ("身分事項", "出生", "【出生日】昭和５９年５月２０日", "【届出人】母", "婚姻"),
        ("【配偶者氏名】見本　優子", "【名】優子", "【配偶者区分】妻", "【名】一葉"),
        ("【父】見本　健", "【母】見本　優子", "【続柄】長女", "【名】二郎"),
        ("【生年月日】平成２４年２月２９日", "【続柄】長男", "【名】三春"),
        ("【続柄】二女", "【出生日】令和元年５月１日", "以下余白"),
    )
    at = 0
    for words in (word for group in expected for word in group):
        at = text.index(words, at)
    assert 1 == text.count("以下余白")


def test_one_person_of_the_register(
    renderer: CertificateRenderer, koseki_order: OrderMaker
) -> None:
    """The holder only, with the register's own events."""
    (text,) = rendered_texts(renderer, koseki_order(0, 1, Kind.KOSEKI_KOJIN))
    assert "個人事項証明" in text
    assert "【名】優子" in text
    assert "【編製日】" in text
    for others in ("【名】健", "【名】一葉", "全部事項証明"):
        assert others not in text


def test_fourteen_sheets(renderer: CertificateRenderer, koseki_order: OrderMaker) -> None:
    """Each names the register and its place among the fourteen; nothing is said twice or lost."""
    order = koseki_order(2, 6)
    pages = rendered_texts(renderer, order)
    assert 14 == len(pages)
    for number, text in enumerate(pages, start=1):
        digits = str(number).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
        assert f"（１４の{digits}）" in text
        assert "大阪府豊中市刀根山４丁目９０３番" in text
        assert "【氏の振り仮名】れいじ" in text
        assert (number == 14) == ("以下余白" in text)
    together = "".join("".join(pages).split())
    register = order.record
    assert isinstance(register, FamilyRegister)
    for person in register.people:
        assert 1 == together.count(f"【名】{person.name}【")
    removed = sum(person.removed for person in register.people)
    assert 13 == removed == together.count("除籍")


def test_long_items_are_set_as_paragraphs(
    renderer: CertificateRenderer, koseki_order: OrderMaker
) -> None:
    """An item of many lines, with variation sequences, comes back whole."""
    words = f"{KAZURA}城" * 60 + "の記録を移記した。"
    item = RegisterItem(heading="特記事項", value=words)
    events = (*koseki_order().record.events, RegisterEvent(title="記録", items=(item,)))
    text = "".join("".join(rendered_texts(renderer, koseki_order(events=events))).split())
    assert f"【特記事項】{words}" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"closed": True}, "record-closed"),
        ({"filing_in_progress": True}, "filing-in-progress"),
        ({"domicile": ""}, "record-incomplete"),
        ({"people": ()}, "member-unknown"),
        ({"head": "見本　優子"}, "record-inconsistent"),
        ({"head": "見本" * 30 + "　健"}, "text-too-long"),
        ({"family_name_kana": "\ue000"}, "missing-glyph"),
    ],
)
def test_refusals(
    renderer: CertificateRenderer, koseki_order: OrderMaker, changes: dict[str, Any], reason: str
) -> None:
    """A closed register, one that waits for an entry, one that breaks a rule or does not fit."""
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(koseki_order(**changes))
    assert reason == caught.value.reason


def test_a_wrong_era_is_found_before_it_is_printed(koseki_order: OrderMaker) -> None:
    """平成31年5月7日 was printed on eleven certificates of a real city; here it refuses."""
    wrong = RegisterItem(heading="編製日", value=RegisterDate(text="平成31年5月7日"))
    events = (RegisterEvent(title="戸籍編製", items=(wrong,)),)
    with pytest.raises(CertificateRefused) as caught:
        koseki.certificate(koseki_order(events=events))
    assert "date-impossible" == caught.value.reason
    assert "戸籍事項 戸籍編製 編製日" == caught.value.item


def test_who_left_the_register_gets_none(koseki_order: OrderMaker) -> None:
    """A removed person's certificate is refused."""
    people = koseki_order().record.people
    gone = (msgspec.structs.replace(people[0], removed=True, spouse=None), *people[1:])
    with pytest.raises(CertificateRefused) as caught:
        koseki.certificate(koseki_order(people=gone))
    assert "member-unknown" == caught.value.reason


def test_sheets_end_where_they_may() -> None:
    """Rows that are kept together go to the next sheet together; a sheet is never overfull."""
    free, kept = Row(label="free"), Row(label="kept", kept=True)
    rows = [free] * (ROWS_PER_SHEET - 2) + [kept] * 4 + [free] * 3
    first, second = divided(rows)
    assert ROWS_PER_SHEET - 2 == len(first)
    assert [kept] * 4 + [free] * 3 == list(second)
    everything_kept = divided([kept] * (ROWS_PER_SHEET + 1))
    assert [ROWS_PER_SHEET, 1] == [len(sheet) for sheet in everything_kept]


def test_endless_registers_are_refused() -> None:
    """No more sheets are set than one issuance may have."""
    assert SHEETS_MAX == len(divided([Row()] * ROWS_PER_SHEET * SHEETS_MAX))
    with pytest.raises(CertificateRefused) as caught:
        divided([Row()] * (ROWS_PER_SHEET * SHEETS_MAX + 1))
    assert "too-many-sheets" == caught.value.reason
