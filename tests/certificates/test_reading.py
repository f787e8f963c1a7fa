"""The lean reader sees what every other reader sees, and refuses what it does not understand."""

import io
from collections.abc import Callable

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.reading.sheets import LINE_DIGESTS, Unreadable, read
from issuance_server.certificates.render import CertificateRenderer
from protocol.page_digest import PDF_BYTES_MAX

OrderMaker = Callable[..., CertificateOrder]
Change = Callable[[pikepdf.Pdf], None]


@pytest.fixture
def pdf(renderer: CertificateRenderer, make_order: OrderMaker) -> bytes:
    """The certificate of the household of five: two sheets."""
    return renderer.render(make_order()).pdf


def changed(pdf: bytes, change: Change) -> bytes:
    """Return the file after a change that another program made."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        written = io.BytesIO()
        document.save(written, static_id=True)
        return written.getvalue()


def content_of(document: pikepdf.Pdf, page: int = 0) -> bytes:
    """Return a page's content stream."""
    return bytes(document.pages[page].Contents.read_bytes())


def test_it_reads_what_pdfium_reads(pdf: bytes) -> None:
    """Every line, of the sheets and of the forms on them, is in the text that PDFium extracts."""
    found = read(pdf)
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.get_textpage().get_text_range() for page in document]

    assert 2 == len(found.sheets)
    for sheet, page in zip(found.sheets, pages, strict=True):
        shown = [*sheet.texts, *(line.text for form in sheet.forms for line in form.lines)]
        assert len(shown) > 20
        flat = "".join(page.split())
        assert [] == [text for text in shown if "".join(text.split()) not in flat]


def test_it_knows_the_document_and_where_lines_stand(pdf: bytes) -> None:
    """The identifier, the forms by name, and a line's place and size come with the text."""
    found = read(pdf)
    address = next(line for line in found.sheets[0].lines if "架空ハイツ" in line.text)

    assert bytes(range(16)).hex().encode() == found.identifier
    assert "Seal" not in {form.name for form in found.sheets[0].forms}
    assert "Seal" in {form.name for form in found.sheets[1].forms}
    assert 700 < address.y < 842
    assert 0 < address.x < 200
    assert 5 <= address.size_pt <= 14
    assert b"" == found.sheets[0].line_digests


def test_it_reads_the_line_digests_of_a_page(pdf: bytes) -> None:
    """What the file says of its lines' digests comes back as it is."""

    def add(document: pikepdf.Pdf) -> None:
        document.pages[1].obj[LINE_DIGESTS] = pikepdf.String(b"\x00\xff digests")

    sheets = read(changed(pdf, add)).sheets
    assert [b"", b"\x00\xff digests"] == [sheet.line_digests for sheet in sheets]


def literal_text(document: pikepdf.Pdf) -> None:
    """Show a text as a literal string, whose letters other readers would see."""
    content = content_of(document) + b"\nBT 0 Tc 10 10 Td /F0R0 9 Tf (words) Tj ET"
    document.pages[0].Contents = document.make_stream(content)


def array_text(document: pikepdf.Pdf) -> None:
    """Show a text with TJ."""
    content = content_of(document) + b"\nBT 0 Tc 10 10 Td /F0R0 9 Tf [<0001>] TJ ET"
    document.pages[0].Contents = document.make_stream(content)


def strange_font(document: pikepdf.Pdf) -> None:
    """Set a text in a font that is not there."""
    content = content_of(document) + b"\nBT 0 Tc 10 10 Td /Other 9 Tf <0001> Tj ET"
    document.pages[0].Contents = document.make_stream(content)


def annotation(document: pikepdf.Pdf) -> None:
    """Lay a note over the text."""
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text)
    document.pages[0].Annots = pikepdf.Array([document.make_indirect(note)])


def several_contents(document: pikepdf.Pdf) -> None:
    """Add a second content stream."""
    document.pages[0].contents_add(b"0 0 10 10 re f")


@pytest.mark.parametrize(
    "change", [literal_text, array_text, strange_font, annotation, several_contents]
)
def test_what_certificates_never_have_is_refused(pdf: bytes, change: Change) -> None:
    """Whoever adds something in another way than ours is not overlooked."""
    with pytest.raises(Unreadable):
        read(changed(pdf, change))


def test_damaged_and_oversized_files_are_refused(pdf: bytes) -> None:
    """A cut, an encrypted, an empty and a huge file end in the documented error."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        locked = io.BytesIO()
        document.save(locked, encryption=pikepdf.Encryption(owner="owner", user=""))
    for content in (pdf[: len(pdf) // 2], b"", locked.getvalue(), bytes(PDF_BYTES_MAX + 1)):
        with pytest.raises(Unreadable):
            read(content)


def test_a_stream_that_inflates_without_end_is_refused(pdf: bytes) -> None:
    """A bomb is not unpacked beyond the bound."""

    def swell(document: pikepdf.Pdf) -> None:
        document.pages[0].Contents = document.make_stream(b" " * (5 * 1024 * 1024))

    with pytest.raises(Unreadable, match="longer"):
        read(changed(pdf, swell))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_end_in_the_documented_error(content: bytes) -> None:
    """No stranger's file raises anything else."""
    with pytest.raises(Unreadable):
        read(b"%PDF-1.7\n" + content)
