"""Finished certificates, read back with two independent PDF libraries."""

import io
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import pikepdf
import pypdfium2
import pytest

from issuance_server.certificates.content import juminhyo
from issuance_server.certificates.fonts import default_font_paths
from issuance_server.certificates.kinds import MAKINGS
from issuance_server.certificates.order import CertificateOrder, CertificateRefused, Rendered
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household
from issuance_server.sample.city import ISSUER
from issuance_server.sample.residents import sample_households
from protocol.errors import Misuse
from protocol.kinds import Item, Kind, Options, Scope
from protocol.page_digest import first_pages, page_digests

OrderMaker = Callable[..., CertificateOrder]

NUMBERS = ("20261130 豊中市 7E001 001 000012", "20261130 豊中市 7E001 001 000013")


def texts(pdf: bytes) -> list[str]:
    """Return each page's text as a reader would copy it."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def fonts(document: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    """Return every font of every page and of the forms that pages draw."""
    found = []
    for page in document.pages:
        for resources in (
            page.Resources,
            *(form.Resources for form in page.Resources.XObject.values()),
        ):
            found += list(resources.get("/Font", {}).values())
    return found


def test_two_sheets_are_a_printable_pdf(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """A4 in whole printer dots, printed without scaling, every page drawn by PDFium."""
    rendered = renderer.render(make_order())
    assert (2, 2) == (rendered.sheets, rendered.sheets_per_copy)
    with pypdfium2.PdfDocument(rendered.pdf) as document:
        assert 2 == len(document)
        for page in document:
            assert (595.2, 841.92) == pytest.approx(page.get_size(), abs=1e-3)
            greys = set(bytes(page.render(scale=0.5, grayscale=True).buffer))
            assert min(greys) < 64
            assert max(greys) == 255
    opened = pikepdf.open(io.BytesIO(rendered.pdf))
    assert [] == opened.check_pdf_syntax()
    assert pikepdf.Name("/None") == opened.Root.ViewerPreferences.PrintScaling


def test_every_sheet_has_its_number_and_the_last_the_certifying_words(
    renderer: CertificateRenderer, make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Three sheets in two copies: n/N runs within each copy, the words come once in each."""
    rendered = renderer.render(make_order(households[2], numbers=NUMBERS))
    assert (6, 3) == (rendered.sheets, rendered.sheets_per_copy)
    pages = texts(rendered.pdf)
    for place, text in enumerate(pages):
        copy, sheet = divmod(place, 3)
        assert 1 == text.count(f"{NUMBERS[copy]} {sheet + 1}/3")
        assert (sheet == 2) == (juminhyo.WHOLE_HOUSEHOLD in text)
        assert (sheet == 2) == ("大阪府豊中市長　見本　太郎" in text)
        assert (sheet == 2) == ("この印は黒色です" in text)
        assert (sheet != 2) == ("次のページに続く" in text)
        assert "住民票" in text


def test_copies_differ_in_their_number_only(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """The text of the second copy is that of the first with the second number."""
    first_1, first_2, second_1, second_2 = texts(renderer.render(make_order(numbers=NUMBERS)).pdf)
    assert second_1 == first_1.replace("000012", "000013")
    assert second_2 == first_2.replace("000012", "000013")


def test_every_printed_text_can_be_copied(
    renderer: CertificateRenderer, make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Names come back exactly: 𠮷 outside the basic plane, 髙, 﨑, selectors after 葛 and 辻."""
    for household in households[3:6]:
        order = make_order(household)
        text = "".join(texts(renderer.render(order).pdf))
        for sheet in juminhyo.sheets(order):
            for entry in sheet.entries:
                printed = msgspec.to_builtins(entry)
                del printed["entry"]
                for said in printed.values():
                    assert said is None or said in text


def test_one_glyph_for_two_texts_is_copied_as_it_was_written(
    renderer: CertificateRenderer, make_single: OrderMaker
) -> None:
    """葛 and 葛 with U+E0101 look the same in this font, and yet stay apart in the text."""
    name = "葛見　葛\U000e0101葛"
    text = "".join(texts(renderer.render(make_single(name=name)).pdf))
    assert name in text


def test_fonts_are_embedded_as_subsets(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """Every font is embedded, carries a subset tag and can be read back to characters."""
    document = pikepdf.open(io.BytesIO(renderer.render(make_order()).pdf))
    used = fonts(document)
    assert used
    for font in used:
        (descendant,) = font.DescendantFonts
        assert pikepdf.Name("/Identity-H") == font.Encoding
        assert "+" in str(font.BaseFont)
        assert len(descendant.FontDescriptor.FontFile3.read_bytes()) > 200
        assert b"beginbfchar" in font.ToUnicode.read_bytes()


def test_the_same_order_gives_the_same_bytes(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """In this process and in another renderer; another issuance differs in its identifier."""
    first = renderer.render(make_order())
    assert first == renderer.render(make_order())
    assert first == CertificateRenderer().render(make_order())
    other = renderer.render(make_order(issuance_id=bytes(16)))
    assert first.pdf != other.pdf
    assert first.sheet_digests == other.sheet_digests


def test_nothing_of_one_order_shows_in_the_next(
    renderer: CertificateRenderer, make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """A certificate made after others is the one made first."""
    alone = CertificateRenderer().render(make_order(households[1]))
    for household in households[2:9]:
        renderer.render(make_order(household))
    assert alone == renderer.render(make_order(households[1]))


def test_page_digests_are_those_of_the_file(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """Every sheet has its own; the first sheet alone keeps it."""
    rendered = renderer.render(make_order(numbers=NUMBERS))
    assert rendered.sheet_digests == page_digests(rendered.pdf)
    assert 4 == len(set(rendered.sheet_digests))
    assert rendered.sheet_digests[:1] == page_digests(first_pages(rendered.pdf, 1))


def test_one_changed_glyph_is_noticed(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """A file in which one name's glyph was exchanged has another digest for that page only."""
    rendered = renderer.render(make_order())
    document = pikepdf.open(io.BytesIO(rendered.pdf))
    content = document.pages[0].Contents.read_bytes()
    start = content.index(b" Tj") - 5
    forged = content[:start] + (b"0001" if content[start : start + 4] != b"0001" else b"0002")
    document.pages[0].Contents.write(forged + content[start + 4 :])
    written = io.BytesIO()
    document.save(written)
    digests = page_digests(written.getvalue())
    assert rendered.sheet_digests[0] != digests[0]
    assert rendered.sheet_digests[1] == digests[1]


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"name": "模擬　\u4db6"}, "missing-glyph", "世帯主 氏名"),
        ({"name": "模擬　\ue000"}, "missing-glyph", "世帯主 氏名"),
        ({"name": "吉\U000e01ef田　一"}, "missing-glyph", "世帯主 氏名"),
        ({"name": "寿" * 30}, "text-too-long", "世帯員1 氏名"),
        ({"kana": "ことぶき" * 20}, "text-too-long", "世帯員1 氏名の振り仮名"),
        ({"address": "大阪府豊中市" + "架空" * 50}, "text-too-long", "住所"),
        ({"relationship": "父の母の妹の子の縁故者"}, "relationship-impossible", "世帯員1 続柄"),
    ],
)
def test_what_cannot_be_printed_whole_is_refused(
    renderer: CertificateRenderer,
    make_single: OrderMaker,
    changes: dict[str, Any],
    reason: str,
    item: str,
) -> None:
    """A missing glyph or a text beyond the smallest type: the refusal names the item, nobody."""
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(make_single(**changes))
    assert (reason, item) == (caught.value.reason, caught.value.item)
    for text in changes.values():
        assert text not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize("scope", [Scope.SELF, Scope.HOUSEHOLD])
@pytest.mark.parametrize(
    ("place", "named"), [(2, ("remarks", "備考")), (4, ("previous_address", "転入前住所"))]
)
def test_a_refusal_names_the_member_by_the_place_in_the_household(
    renderer: CertificateRenderer,
    make_order: OrderMaker,
    scope: Scope,
    place: int,
    named: tuple[str, str],
) -> None:
    """Also where the member is alone on the certificate, as number 1."""
    household, (field, item) = sample_households()[0], named
    members = list(household.members)
    members[place] = msgspec.structs.replace(members[place], **{field: "\ue000"})
    order = make_order(
        msgspec.structs.replace(household, members=tuple(members)),
        holder_id=members[place].resident_id,
        options=Options(scope=scope),
    )
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(order)
    assert f"世帯員{place + 1} {item}" == caught.value.item


def test_a_refusal_names_what_the_city_itself_must_correct(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """A mayor's name that no font can set, and a number too long for its line."""
    issuer = msgspec.structs.replace(ISSUER, name="\ue000")
    for changes, item in (
        ({"issuer": issuer}, "証明者の職氏名"),
        ({"numbers": ("豊中市" * 60,)}, "発行番号"),
    ):
        with pytest.raises(CertificateRefused) as caught:
            renderer.render(make_order(**changes))
        assert item == caught.value.item


def test_a_kind_that_the_city_does_not_offer_is_refused(make_order: OrderMaker) -> None:
    """A city may offer some kinds only."""
    renderer = CertificateRenderer(makings={Kind.KISAIJIKO: MAKINGS[Kind.KISAIJIKO]})
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(make_order())
    assert "kind-not-offered" == caught.value.reason
    assert 2 == renderer.render(make_order(kind=Kind.KISAIJIKO)).sheets


def test_more_sheets_than_an_issuance_may_have_are_refused(
    renderer: CertificateRenderer, make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Three copies of a family register of fourteen sheets would be forty-two."""
    kind, holder_id = Kind.KOSEKI_ZENBU, households[2].members[6].resident_id
    with pytest.raises(CertificateRefused) as caught:
        renderer.render(
            make_order(
                households[2],
                kind=kind,
                holder_id=holder_id,
                options=Options(),
                numbers=NUMBERS[:1] * 3,
            )
        )
    assert caught.value.reason == "too-many-sheets"


@pytest.mark.parametrize("numbers", [(), NUMBERS * 3])
def test_an_order_has_a_number_for_each_copy(
    renderer: CertificateRenderer, make_order: OrderMaker, numbers: tuple[str, ...]
) -> None:
    """No copy, or more copies than may be asked for, is our own mistake."""
    with pytest.raises(Misuse):
        renderer.render(make_order(numbers=numbers))


def test_orders_and_answers_travel_to_worker_processes(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """Order and answer survive MessagePack, the refusal survives pickling."""
    order = make_order()
    carried = msgspec.msgpack.decode(msgspec.msgpack.encode(order), type=CertificateOrder)
    assert order == carried
    rendered = renderer.render(carried)
    assert rendered == msgspec.msgpack.decode(msgspec.msgpack.encode(rendered), type=Rendered)
    refusal = pickle.loads(pickle.dumps(CertificateRefused("missing-glyph")))
    assert ("missing-glyph", "a character or variation is in none of the fonts") == (
        refusal.reason,
        str(refusal),
    )


def test_nothing_personal_is_shown_by_accident(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """The repr of an order and of an answer, which may end in a log, names nobody."""
    order = make_order()
    for shown in (repr(order), repr(renderer.render(order))):
        assert "見本" not in shown
        assert order.holder_id not in shown


def test_my_number_is_printed_only_when_asked_for(
    renderer: CertificateRenderer, make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """The twelve digits are in the text with the item and nowhere in it without."""
    (person,) = households[1].members
    assert person.my_number is not None
    for items in ((), (Item.MY_NUMBER,)):
        options = Options(scope=Scope.SELF, items=items)
        (text,) = texts(renderer.render(make_order(households[1], options=options)).pdf)
        assert bool(items) == (person.my_number in text)


def test_a_specimen_says_so_and_a_real_certificate_does_not(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """見本 stands on every sheet unless the city's configuration says that it is real."""
    specimen = make_order()
    real = make_order(issuer=msgspec.structs.replace(specimen.issuer, specimen=False))
    notice = "証明書としての効力はありません"
    assert [True, True] == [notice in text for text in texts(renderer.render(specimen).pdf)]
    assert [False, False] == [notice in text for text in texts(renderer.render(real).pdf)]


def test_the_list_of_fonts_is_configured(make_order: OrderMaker) -> None:
    """A certificate can be set in Noto Sans JP as well."""
    sans_first = tuple(reversed(default_font_paths()))
    rendered = CertificateRenderer(sans_first).render(make_order())
    document = pikepdf.open(io.BytesIO(rendered.pdf))
    assert all("Sans" in str(font.BaseFont) for font in fonts(document))
