"""戸籍の附票の写し: addresses since the register was made, over several sheets."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.content import fuhyo
from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.content.fuhyo import PersonAddresses
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import fuhyo as layout
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import Rule
from issuance_server.certificates.layout.fuhyo import HEAD_ROWS, ROWS_PER_SHEET, divided
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.family_register import AddressHistory
from issuance_server.core.register import Household
from protocol.kinds import Item, Kind, Options, Scope
from protocol.limits import SHEETS_MAX
from tests.certificates.read_back import rendered_texts

OrderMaker = Callable[..., CertificateOrder]
WHOLE = Options(scope=Scope.HOUSEHOLD, items=(Item.DOMICILE,))


def person(name: str, addresses: int) -> PersonAddresses:
    """Return a person with so many addresses."""
    rows = tuple((f"{name} {number}", "令和元年5月1日") for number in range(1, addresses + 1))
    return PersonAddresses(entry="", name=name, birth="", sex="", removed=False, addresses=rows)


@pytest.fixture
def fuhyo_order(make_order: OrderMaker, households: tuple[Household, ...]) -> OrderMaker:
    """Return a maker of orders for a household's member."""

    def make(household: int = 0, member: int = 0, **changes: Any) -> CertificateOrder:
        usual = {"kind": Kind.FUHYO, "options": WHOLE}
        holder_id = households[household].members[member].resident_id
        return make_order(households[household], holder_id=holder_id, **(usual | changes))

    return make


def test_a_family_of_five(renderer: CertificateRenderer, fuhyo_order: OrderMaker) -> None:
    """Everybody with birth, sex and every address, the 筆頭者 first."""
    (text,) = rendered_texts(renderer, fuhyo_order())
    at = 0
    for words in (
        *("戸籍の附票　全部", "大阪府豊中市中桜塚3丁目901番", "見本　健"),
        *("【編製日】平成20年6月10日", "見本　健", "昭和59年5月20日", "男"),
        "京都府京都市左京区架空町17番地の3　みほん荘201号",
        *("平成20年6月10日", "大阪府豊中市中桜塚3丁目901番1号　架空ハイツ豊中501号"),
        *("平成27年10月12日", "見本　優子", "見本　一葉", "平成21年3月14日", "見本　三春"),
    ):
        at = text.index(words, at)


def test_the_holder_alone_without_the_domicile(
    renderer: CertificateRenderer, fuhyo_order: OrderMaker
) -> None:
    """本籍 and 筆頭者 are omitted unless asked for, and others are not shown."""
    order = fuhyo_order(0, 1, options=Options())
    said = fuhyo.certificate(order)
    assert (MARK, MARK, "一部") == (said.domicile, said.head, said.coverage)
    (text,) = rendered_texts(renderer, order)
    assert "戸籍の附票　一部" in text
    assert "見本　優子" in text
    assert "見本　健" not in text


def test_several_sheets(renderer: CertificateRenderer, fuhyo_order: OrderMaker) -> None:
    """Each names the register; who is removed is marked, and has neither birth nor sex."""
    order = fuhyo_order(2, 6)
    history = order.record
    assert isinstance(history, AddressHistory)
    pages = rendered_texts(renderer, order)
    assert 5 == len(pages)
    for text in pages:
        assert "【改製日】平成15年3月1日" in text
        assert "大阪府豊中市刀根山4丁目903番" in text
    together = "".join(pages)
    for one in history.people:
        assert one.name in together
        for entry in one.addresses:
            assert f"{entry.since.text}" in together
    removed = [one for one in fuhyo.certificate(order).people if one.removed]
    assert 13 == len(removed)
    assert {(MARK, MARK)} == {(one.birth, one.sex) for one in removed}


def test_addresses_go_on_on_the_next_sheet() -> None:
    """A person is named again there; every address stands once, and no sheet is overfull."""
    people = (person("一", 3), person("二", 70), person("三", 1))
    sheets = list(divided(people))
    assert 4 == len(sheets)
    shown = [
        row
        for parts in sheets
        for part in parts
        for row in part.person.addresses[part.first - 1 : part.last]
    ]
    assert [row for one in people for row in one.addresses] == shown
    for parts in sheets:
        assert parts[0].row == 0
        assert parts[-1].end_row <= ROWS_PER_SHEET
        assert all(part.end_row - part.row > HEAD_ROWS for part in parts)


def test_endless_histories_are_refused() -> None:
    """No more sheets are set than one issuance may have."""
    rows = int(ROWS_PER_SHEET) - HEAD_ROWS
    assert SHEETS_MAX == len(list(divided((person("一", rows * SHEETS_MAX),))))
    with pytest.raises(CertificateRefused) as caught:
        list(divided((person("一", rows * SHEETS_MAX + 1),)))
    assert "too-many-sheets" == caught.value.reason


def test_refusals(renderer: CertificateRenderer, fuhyo_order: OrderMaker) -> None:
    """A holder who is not in it, a rule that is broken, an address too long for its row."""
    history = fuhyo_order().record
    assert isinstance(history, AddressHistory)
    first, *others = history.people
    entry = msgspec.structs.replace(first.addresses[0], address="架空" * 60)
    long = msgspec.structs.replace(first, addresses=(entry,))
    strange = msgspec.structs.replace(others[-1], name="見本　\ue000")
    for changed, reason, item in (
        ({"people": tuple(others)}, "member-unknown", ""),
        ({"head": ""}, "record-incomplete", "筆頭者氏名"),
        ({"domicile": "\ue000"}, "missing-glyph", "本籍"),
        ({"people": (long, *others)}, "text-too-long", "名欄1 住所"),
        ({"people": (first, *others[:-1], strange)}, "missing-glyph", "名欄5 氏名"),
    ):
        record = msgspec.structs.replace(history, **changed)
        with pytest.raises(CertificateRefused) as caught:
            renderer.render(fuhyo_order(record=record))
        assert (reason, item) == (caught.value.reason, caught.value.item)


def test_room_that_is_left_is_struck_out(fuhyo_order: OrderMaker) -> None:
    """A row or more under the last address is framed and struck out, down to the certifying words.

    On the last sheet the words 以下余白 come first.
    """
    fonts = FontList()
    for household, member in ((0, 0), (1, 0), (2, 6)):
        said = fuhyo.certificate(fuhyo_order(household, member))
        pages, sheets = layout.pages(fonts, said), list(divided(said.people))
        for page, parts in zip(pages, sheets, strict=True):
            left = ROWS_PER_SHEET - parts[-1].end_row - layout.GAP_ROWS
            struck = [mark for mark in page.marks if isinstance(mark, Rule)]
            assert (left >= 1) == bool(struck)
            for stroke in struck:
                rows = left - (page is pages[-1])
                assert rows * layout.ROW_PT == pytest.approx(stroke.y1 - stroke.y2)
                assert furniture.BODY_BOTTOM_PT == pytest.approx(stroke.y2)
