"""What holds for all seven kinds, on finished certificates of the sample city."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pikepdf
import pytest

from issuance_server.certificates.kinds import MAKINGS
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import Drawing, Page, sheet_text
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer, SheetPlace
from issuance_server.core.register import Household
from protocol.kinds import Item, Kind, Options, Scope
from protocol.page_digest import page_digests
from tests.certificates.read_back import rendered_texts, texts

OrderMaker = Callable[..., CertificateOrder]
CaseMaker = Callable[..., CertificateOrder]
NUMBERS = ("20261130 豊中市 7E001 001 000012", "20261130 豊中市 7E001 001 000013")
ROOT = Path(__file__).resolve().parents[2]

SENTENCES = {
    Kind.JUMINHYO: "この写しは、世帯全員の住民票の原本と相違ないことを証明する。",
    Kind.KISAIJIKO: "この証明書の記載事項は、住民票の記載事項と相違ないことを証明する。",
    Kind.INKAN: "この写しは、登録された印影と相違ないことを証明します。",
    Kind.KAZEI: "上記のとおり相違ないことを証明します。",
    Kind.KOSEKI_ZENBU: "これは、戸籍に記録されている事項の全部を証明した書面である。",
    Kind.KOSEKI_KOJIN: (
        "これは、戸籍中の一部の者について記録されている事項の全部を証明した書面である。"
    ),
    Kind.FUHYO: "この写しは、戸籍の附票の原本と相違ないことを証明する。",
}
TITLES = {
    Kind.JUMINHYO: "住民票",
    Kind.KISAIJIKO: "住民票記載事項証明書",
    Kind.INKAN: "印鑑登録証明書",
    Kind.KAZEI: "市・府民税課税証明書",
    Kind.KOSEKI_ZENBU: "全部事項証明",
    Kind.KOSEKI_KOJIN: "個人事項証明",
    Kind.FUHYO: "戸籍の附票　全部",
}
SHEETS = {
    Kind.JUMINHYO: 3,
    Kind.KISAIJIKO: 3,
    Kind.KOSEKI_ZENBU: 14,
    Kind.FUHYO: 5,
}
"""Of the household of nine, for its oldest member; the other kinds take one sheet."""


@pytest.fixture
def case(make_order: OrderMaker, households: tuple[Household, ...]) -> CaseMaker:
    """Return a maker of orders of every kind: the household of nine, for its oldest member."""

    def make(kind: Kind, **changes: object) -> CertificateOrder:
        scopes = {Kind.JUMINHYO: Scope.HOUSEHOLD, Kind.KISAIJIKO: Scope.HOUSEHOLD}
        scope = (scopes | {Kind.FUHYO: Scope.HOUSEHOLD}).get(kind, Scope.SELF)
        usual = {"kind": kind, "options": Options(scope=scope)}
        holder_id = households[2].members[6].resident_id
        if kind is Kind.KAZEI:  # the oldest pays no tax
            holder_id = households[2].members[2].resident_id
        return make_order(households[2], holder_id=holder_id, **(usual | changes))

    return make


@pytest.mark.parametrize("kind", list(Kind))
def test_number_words_and_seal_are_where_they_belong(
    renderer: CertificateRenderer, case: CaseMaker, kind: Kind
) -> None:
    """n/N runs within each copy; words, date, mayor and seal come once, at the end of each."""
    copies = NUMBERS if kind in SHEETS else NUMBERS[:1]
    sheets = SHEETS.get(kind, 1)
    pages = rendered_texts(renderer, case(kind, numbers=copies))
    assert sheets * len(copies) == len(pages)
    for place, text in enumerate(pages):
        copy, sheet = divmod(place, sheets)
        assert 1 == text.count(f"発行番号　{copies[copy]} {sheet + 1}/{sheets}")
        assert TITLES[kind] in text
        is_last = sheet + 1 == sheets
        for words in (
            SENTENCES[kind],
            "令和8年11月30日",
            "大阪府豊中市長　見本　太郎",
            "この印は黒色です",
        ):
            assert is_last == (1 == text.count(words))
        assert is_last == ("次のページに続く" not in text)
        assert "全てのページがそろって一通です" in text
        assert "真偽の確認" in text


@pytest.mark.parametrize("kind", list(Kind))
def test_poppler_reads_the_same(
    renderer: CertificateRenderer, case: CaseMaker, kind: Kind, tmp_path: Path
) -> None:
    """Another reader finds the name, every font embedded as a subset, and nothing to complain."""
    path = tmp_path / "certificate.pdf"
    path.write_bytes(renderer.render(case(kind)).pdf)
    read = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True)
    assert b"" == read.stderr
    assert ("誠" if kind is Kind.KAZEI else "清") in read.stdout.decode()
    listed = subprocess.run(["pdffonts", path], check=True, capture_output=True, text=True)
    rows = listed.stdout.splitlines()[2:]
    assert rows
    for row in rows:
        assert ["yes", "yes", "yes"] == row.split()[-5:-2]  # embedded, subset, to Unicode
        assert "+" in row.split()[0]


@pytest.mark.parametrize("kind", list(Kind))
def test_the_file_is_sound(renderer: CertificateRenderer, case: CaseMaker, kind: Kind) -> None:
    """No syntax error, the issuance's identifier, no form that no sheet shows."""
    rendered = renderer.render(case(kind))
    document = pikepdf.open(io.BytesIO(rendered.pdf))
    assert [] == document.check_pdf_syntax()
    assert [bytes(range(16)).hex().encode()] * 2 == [bytes(part) for part in document.trailer.ID]
    assert rendered.sheet_digests == page_digests(rendered.pdf)
    shown = {
        str(operands[0])
        for page in document.pages
        for operands, operator in pikepdf.parse_content_stream(page)
        if str(operator) == "Do"
    }
    assert shown == set(document.pages[0].Resources.XObject.keys())


def test_the_same_orders_give_the_same_bytes_in_another_process(
    renderer: CertificateRenderer, case: CaseMaker, tmp_path: Path
) -> None:
    """Whatever the other process hashes its strings with."""
    orders = [case(kind) for kind in Kind]
    for place, order in enumerate(orders):
        (tmp_path / f"{place}.order").write_bytes(msgspec.msgpack.encode(order))
    program = (
        "import sys, msgspec, pathlib\n"
        "from issuance_server.certificates.order import CertificateOrder\n"
        "from issuance_server.certificates.render import CertificateRenderer\n"
        "renderer = CertificateRenderer()\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.order'):\n"
        "    order = msgspec.msgpack.decode(path.read_bytes(), type=CertificateOrder)\n"
        "    path.with_suffix('.pdf').write_bytes(renderer.render(order).pdf)\n"
    )
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True, env=environment)
    for place, order in enumerate(orders):
        assert renderer.render(order).pdf == (tmp_path / f"{place}.pdf").read_bytes()


@pytest.mark.parametrize("kind", list(Kind))
def test_the_code_hook_sees_every_finished_sheet(case: CaseMaker, kind: Kind) -> None:
    """It gets the sheet's own text, number last, and what it draws is on the sheet."""
    seen: list[tuple[SheetPlace, tuple[str, ...]]] = []
    box = furniture.CODE_BOX

    def code(_order: CertificateOrder, place: SheetPlace, page: Page) -> Page:
        seen.append((place, sheet_text(page)))
        drawn = b"q 0 g %.2f %.2f 20 20 re f Q" % (box.x, box.y)
        return page.with_marks(Drawing(operators=drawn))

    order = case(kind, numbers=NUMBERS[:1])
    pdf = CertificateRenderer(code=code).render(order).pdf
    read = texts(pdf)
    assert len(read) == len(seen)
    for number, ((place, lines), text) in enumerate(zip(seen, read, strict=True), start=1):
        assert (NUMBERS[0], number, len(read)) == place
        assert f"発行番号　{NUMBERS[0]} {number}/{len(read)}" == lines[-1]
        for line in lines:
            assert line in text
        assert "この印は黒色です" not in lines  # a label of the form


def test_a_city_brings_its_own_layout(case: CaseMaker) -> None:
    """Content of one kind with another layout: here every copy ends with an empty sheet."""
    usual = MAKINGS[Kind.INKAN]

    def with_more(fonts: object, said: object) -> tuple[Page, ...]:
        return (*usual.set(fonts, said), Page(forms=(), lines=()))  # type: ignore[arg-type]

    own = {Kind.INKAN: type(usual)(say=usual.say, set=with_more, forms=usual.forms)}
    assert 2 == CertificateRenderer(makings=own).render(case(Kind.INKAN)).sheets


@pytest.mark.parametrize("kind", [Kind.INKAN, Kind.KAZEI, Kind.KOSEKI_KOJIN, Kind.FUHYO])
def test_a_kind_without_its_record_is_refused(case: CaseMaker, kind: Kind) -> None:
    """No record, or one of another kind."""
    order = case(kind)
    for record in (None, case(Kind.KAZEI if kind is not Kind.KAZEI else Kind.INKAN).record):
        with pytest.raises(CertificateRefused) as caught:
            MAKINGS[kind].say(msgspec.structs.replace(order, record=record))
        assert "record-missing" == caught.value.reason


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Kind.INKAN, Options(scope=Scope.HOUSEHOLD)),
        (Kind.INKAN, Options(items=(Item.MY_NUMBER,))),
        (Kind.KAZEI, Options(scope=Scope.SOME, members=(1,))),
        (Kind.KOSEKI_ZENBU, Options(scope=Scope.SOME, members=(1,))),
        (Kind.KOSEKI_KOJIN, Options(scope=Scope.HOUSEHOLD)),
        (Kind.KOSEKI_KOJIN, Options(items=(Item.DOMICILE,))),
        (Kind.FUHYO, Options(scope=Scope.SOME, members=(1,))),
        (Kind.FUHYO, Options(items=(Item.RELATIONSHIP,))),
    ],
)
def test_options_that_a_kind_does_not_have_are_refused(
    case: CaseMaker, kind: Kind, options: Options
) -> None:
    """What was asked for is printed, or nothing is."""
    with pytest.raises(CertificateRefused) as caught:
        MAKINGS[kind].say(case(kind, options=options))
    assert "options-not-offered" == caught.value.reason
