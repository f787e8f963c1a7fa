"""印鑑登録証明書: the impression in real size, and whose it is."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.content import inkan
from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household, RegisterDate
from issuance_server.core.seal_register import SealImpression, SealRegistration
from protocol.kinds import Kind, Options
from tests.certificates.read_back import black_box_mm, rendered_texts

OrderMaker = Callable[..., CertificateOrder]
INSIDE_THE_BOX_MM = (15.5, 49.0, 72.0, 95.0)
"""Within the rules around the impression."""
HEAVY_RULE_DOTS = 14


@pytest.fixture
def inkan_order(make_order: OrderMaker, households: tuple[Household, ...]) -> OrderMaker:
    """Return a maker of orders for a household's member, with changes to the registration."""

    def make(household: int = 0, member: int = 0, **changes: Any) -> CertificateOrder:
        holder_id = households[household].members[member].resident_id
        order = make_order(
            households[household], kind=Kind.INKAN, holder_id=holder_id, options=Options()
        )
        record = msgspec.structs.replace(order.record, **changes)
        return msgspec.structs.replace(order, record=record)

    return make


def framed(width: int, height: int) -> SealImpression:
    """Return an impression that is a frame of this size."""
    full = b"\xff" * ((width + 7) // 8)
    side = (1 << HEAVY_RULE_DOTS) - 1
    row = (side << (width - HEAVY_RULE_DOTS) | side) << (-width % 8)
    between = row.to_bytes(len(full), "big")
    rows = full * HEAVY_RULE_DOTS + between * (height - 2 * HEAVY_RULE_DOTS)
    return SealImpression(width_dots=width, height_dots=height, rows=rows + full * HEAVY_RULE_DOTS)


@pytest.mark.parametrize("size_mm", [(8.3, 8.3), (10.0, 13.0), (18.0, 18.0), (25.0, 25.0)])
def test_the_impression_is_in_real_size(
    renderer: CertificateRenderer, inkan_order: OrderMaker, size_mm: tuple[float, float]
) -> None:
    """What is black in the box on the sheet is as large as the seal, within a fifth of a mm."""
    width, height = (int(side * 600 / 25.4) for side in size_mm)
    rendered = renderer.render(inkan_order(impression=framed(width, height)))
    seen = black_box_mm(rendered.pdf, 0, INSIDE_THE_BOX_MM)
    assert size_mm == pytest.approx(seen, abs=0.2)


def test_whose_seal_it_is(renderer: CertificateRenderer, inkan_order: OrderMaker) -> None:
    """Name, birth, address; neither sex nor registration number."""
    order = inkan_order()
    assert isinstance(order.record, SealRegistration)
    (text,) = rendered_texts(renderer, order)
    for words in ("見本　健", "みほん　たけし", "昭和59年5月20日", "架空ハイツ豊中501号"):
        assert words in text
    for words in ("性別", "男", order.record.number):
        assert words not in text


def test_a_former_name_and_foreign_names(inkan_order: OrderMaker) -> None:
    """旧氏 for whom it is registered; 通称 and カタカナ表記 for a foreign resident."""
    wife = inkan.certificate(inkan_order(0, 1))
    assert ("架空", MARK, MARK) == (wife.former_name, wife.alias, wife.katakana_name)
    husband = inkan.certificate(inkan_order(15, 1))
    assert ("架空　丈", "1988年10月9日") == (husband.alias, husband.birth)
    assert "スペシメン　ジョン　アレクサンダー" == husband.katakana_name


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"abolished": True}, "seal-abolished", ""),
        ({"resident_id": "10000025"}, "record-missing", ""),
        ({"impression": framed(180, 300)}, "record-inconsistent", "印影の大きさ"),
        ({"impression": framed(300, 600)}, "record-inconsistent", "印影の大きさ"),
        (
            {"registered_on": RegisterDate(text="平成31年5月7日", on=date(2019, 5, 7))},
            "date-impossible",
            "登録年月日",
        ),
        ({"number": ""}, "record-incomplete", "印鑑登録番号"),
        ({"remarks": "備考" * 200}, "text-too-long", "備考"),
        ({"katakana_name": "ケン\ue000"}, "missing-glyph", "氏名のカタカナ表記"),
    ],
)
def test_refusals(
    renderer: CertificateRenderer,
    inkan_order: OrderMaker,
    changes: dict[str, Any],
    reason: str,
    item: str,
) -> None:
    """An ended registration, somebody else's, a seal too small or large, a broken rule."""
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(inkan_order(**changes))
    assert (reason, item) == (caught.value.reason, caught.value.item)


def test_two_copies_share_one_picture(
    renderer: CertificateRenderer, inkan_order: OrderMaker
) -> None:
    """A second copy adds a page, not a second impression."""
    numbers = ("20261130 豊中市 7E001 001 000012", "20261130 豊中市 7E001 001 000013")
    one = inkan_order()
    two = msgspec.structs.replace(one, numbers=numbers)
    more = len(renderer.render(two).pdf) - len(renderer.render(one).pdf)
    assert 0 < more < 2_000
