"""戸籍証明書: the register's items in full-width digits, over many sheets."""

import itertools
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.content import koseki
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import koseki as layout
from issuance_server.certificates.layout.display import Page, Rule, sheet_text
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
        ("【配偶者氏名】架空　優子", "【名】優子", "【配偶者区分】妻"),
        ("【配偶者氏名】見本　健", "【名】一葉"),
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


def test_what_a_correction_replaced_stands_under_it(
    koseki_order: OrderMaker,
) -> None:
    """【従前の記録】 and each item that it held have a line of their own, in full-width digits."""
    born = RegisterDate(text="昭和59年5月21日", on=date(1984, 5, 21))
    before = (
        RegisterItem(heading="出生日", value=born),
        RegisterItem(heading="届出人", value="父"),
    )
    record = koseki_order().record
    earlier = RegisterItem(heading="従前の記録", items=before)
    events = (*record.events, RegisterEvent(title="訂正", items=(earlier,)))
    page, *_ = layout.pages(FontList(), koseki.certificate(koseki_order(events=events)))
    at = sheet_text(page).index("【従前の記録】")
    heading, *held = page.lines[at : at + 3]
    assert ["【出生日】昭和５９年５月２１日", "【届出人】父"] == [line.text for line in held]
    for line in held:
        assert heading.x + heading.size_pt == pytest.approx(line.x - line.size_pt)
        assert heading.y > line.y


def strokes(page: Page) -> list[Rule]:
    """Return what runs aslant."""
    return [mark for mark in page.marks if isinstance(mark, Rule) and mark.y1 != mark.y2]


def test_unused_rows_are_struck_out(koseki_order: OrderMaker) -> None:
    """On every sheet, the rows under the last item as far as the last row, and no others."""
    fonts = FontList()
    for household, member in ((0, 0), (1, 0), (2, 6)):
        said = koseki.certificate(koseki_order(household, member))
        sheets = divided(list(layout._rows(fonts, said)))
        for place, (page, rows) in enumerate(
            zip(layout.pages(fonts, said), sheets, strict=True), start=1
        ):
            unused = ROWS_PER_SHEET - len(rows) - (place == len(sheets))
            found = strokes(page)
            assert (unused > 0) == bool(found)
            for stroke in found:
                box = layout._FLOW_BOX
                assert (box.x + box.width, box.x) == pytest.approx((stroke.x1, stroke.x2))
                assert unused * layout.ROW_PT == pytest.approx(stroke.y1 - stroke.y2)
                assert box.y == pytest.approx(stroke.y2)


def test_no_row_of_an_event_stands_alone(koseki_order: OrderMaker) -> None:
    """A sheet neither ends with an event's first row nor begins with its last one."""
    said = koseki.certificate(koseki_order(2, 6))
    sheets = divided(list(layout._rows(FontList(), said)))
    assert 14 == len(sheets)
    for sheet, following in itertools.pairwise(sheets):
        assert not (sheet[-1].label and not following[0].label)
        assert following[0].label or not following[1].label


@pytest.mark.parametrize(
    ("item", "where"),
    [
        (RegisterItem(heading="特記事項", value="\ue000"), "特記事項"),
        (
            RegisterItem(
                heading="従前の記録", items=(RegisterItem(heading="届出人", value="\ue000"),)
            ),
            "従前の記録 届出人",
        ),
    ],
)
def test_a_refusal_names_person_event_and_item(
    renderer: CertificateRenderer, koseki_order: OrderMaker, item: RegisterItem, where: str
) -> None:
    """The third person's item that no font can set is named, also alone on the certificate."""
    people = koseki_order().record.people
    wrong = (*people[2].events, RegisterEvent(title="訂正", items=(item,)))
    changed = msgspec.structs.replace(people[2], events=wrong)
    for member, kind in ((0, Kind.KOSEKI_ZENBU), (2, Kind.KOSEKI_KOJIN)):
        order = koseki_order(0, member, kind, people=(*people[:2], changed, *people[3:]))
        with pytest.raises(CertificateRefused) as caught:
            renderer.render(order)
        assert "missing-glyph" == caught.value.reason
        assert f"名欄3 身分事項 訂正 {where}" == caught.value.item


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"closed": True}, "record-closed", ""),
        ({"filing_in_progress": True}, "filing-in-progress", ""),
        ({"domicile": ""}, "record-incomplete", "本籍"),
        ({"domicile": "架空町" * 40}, "text-too-long", "本籍"),
        ({"people": ()}, "member-unknown", ""),
        ({"head": "見本　優子"}, "record-inconsistent", "筆頭者氏名"),
        ({"head": "見本" * 30 + "　健"}, "text-too-long", "筆頭者氏名・氏の振り仮名"),
        ({"family_name_kana": "\ue000"}, "missing-glyph", "筆頭者氏名・氏の振り仮名"),
    ],
)
def test_refusals(
    renderer: CertificateRenderer,
    koseki_order: OrderMaker,
    changes: dict[str, Any],
    reason: str,
    item: str,
) -> None:
    """A closed register, one that waits for an entry, one that breaks a rule or does not fit."""
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(koseki_order(**changes))
    assert (reason, item) == (caught.value.reason, caught.value.item)


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
