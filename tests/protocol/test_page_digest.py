"""The page digest: the same sheet gives the same 32 bytes, another sheet does not."""

import contextlib
import hashlib
import io
import random
import zlib

import pikepdf
import pytest

from protocol import page_digest
from protocol.errors import MalformedTelegram
from protocol.limits import PAGES_MAX
from protocol.page_digest import PDF_BYTES_MAX, first_pages, page_digests


def document(
    contents: list[bytes],
    *,
    font: bytes = b"outlines",
    compress: bool = False,
    inherit: bool = False,
) -> bytes:
    """Return a PDF with one page for each content stream, all using one font file."""
    pdf = pikepdf.new()
    font_file = pdf.make_stream(zlib.compress(font), Filter=pikepdf.Name.FlateDecode, Length1=8)
    resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=pikepdf.Dictionary(File=font_file)))
    media_box = [0, 0, 595.2, 841.92]
    for content in contents:
        page = pikepdf.Dictionary(Type=pikepdf.Name.Page, Contents=pdf.make_stream(content))
        if not inherit:
            page.MediaBox = pikepdf.Array(media_box)
            page.Resources = pdf.make_indirect(resources)
        pdf.pages.append(pikepdf.Page(page))
    if inherit:
        pdf.Root.Pages.MediaBox = pikepdf.Array(media_box)
        pdf.Root.Pages.Resources = resources
    written = io.BytesIO()
    pdf.save(written, compress_streams=compress, static_id=True)
    return written.getvalue()


ONE = b"BT /F 9 Tf <0001> Tj ET"
TWO = b"BT /F 9 Tf <0002> Tj ET"


def test_a_page_alone_and_among_others_has_the_same_digest() -> None:
    """The other pages of the file play no part."""
    both = page_digests(document([ONE, TWO]))
    assert both == page_digests(document([ONE])) + page_digests(document([TWO]))
    assert len(set(both)) == 2


@pytest.mark.parametrize("how", [{"compress": True}, {"inherit": True}])
def test_how_the_file_is_stored_plays_no_part(how: dict[str, bool]) -> None:
    """Compression and inherited attributes change nothing."""
    assert page_digests(document([ONE])) == page_digests(document([ONE], **how))


def test_contents_in_parts_are_joined_by_a_line_feed() -> None:
    """A page whose content lies in two streams is the page whose content lies in one."""
    pdf = pikepdf.open(io.BytesIO(document([b"q\nQ"])))
    page = pdf.pages[0].obj
    page.Contents = pikepdf.Array([pdf.make_stream(b"q"), pdf.make_stream(b"Q")])
    assert page_digests(document([b"q\nQ"])) == page_digests(saved(pdf))


def test_one_changed_glyph_code_changes_the_digest() -> None:
    """Code 0001 is not code 0002."""
    assert page_digests(document([ONE])) != page_digests(document([TWO]))


def test_one_changed_byte_of_a_font_changes_the_digest() -> None:
    """Other outlines under the same codes are another page."""
    assert page_digests(document([ONE])) != page_digests(document([ONE], font=b"outlinez"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("/MediaBox", pikepdf.Array([0, 0, 595.2, 841.9])),
        ("/Rotate", 180),
        ("/UserUnit", 2),
        ("/Annots", pikepdf.Array([pikepdf.Dictionary(Subtype=pikepdf.Name.Stamp)])),
    ],
)
def test_whatever_changes_the_print_changes_the_digest(key: str, value: object) -> None:
    """Size, turning, scale and annotations count."""
    pdf = pikepdf.open(io.BytesIO(document([ONE])))
    pdf.pages[0].obj[key] = value
    assert page_digests(document([ONE])) != page_digests(saved(pdf))


def test_the_canonical_form_is_the_documented_one() -> None:
    """The form written by hand from the docstring gives the same digest."""
    pdf = pikepdf.new()
    page = pikepdf.Dictionary(
        Type=pikepdf.Name.Page,
        MediaBox=pikepdf.Array([0, 0, 595.2, 10]),
        Contents=pdf.make_stream(b"q Q"),
        Resources=pikepdf.Dictionary(A=pikepdf.String("x"), B=True),
    )
    pdf.pages.append(pikepdf.Page(page))
    content = hashlib.sha256(b"<0:" + b"3:q Q").digest()
    form = (
        b"<4:/8:Contentss" + content + b"/8:MediaBox[4:#0;#0;#595.2;#10;"
        b"/9:Resources<2:/1:A(1:x/1:Bt" + b"/4:Type/4:Page"
    )
    expected = hashlib.sha256(b"kofu-page-1\n" + form).digest()
    assert (expected,) == page_digests(saved(pdf))


@pytest.mark.parametrize("garbage", [b"", b"%PDF-1.7", b"\0" * 400, document([ONE])[:-200]])
def test_garbage_is_malformed(garbage: bytes) -> None:
    """What is no PDF names the field and nothing else."""
    with pytest.raises(MalformedTelegram) as caught:
        page_digests(garbage)
    assert caught.value.field == "$.pdf"


def test_damaged_files_never_raise_anything_else() -> None:
    """Three hundred files with damaged bytes give digests or the one error."""
    dice = random.Random(7)
    whole = document([ONE, TWO], compress=True)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        with contextlib.suppress(MalformedTelegram):
            page_digests(bytes(damaged))


def test_a_circle_of_references_is_malformed() -> None:
    """A resource that holds itself ends in the error, not in a loop."""
    pdf = pikepdf.open(io.BytesIO(document([ONE])))
    circle = pdf.make_indirect(pikepdf.Dictionary())
    circle.Self = circle
    pdf.pages[0].obj.Resources.Circle = circle
    with pytest.raises(MalformedTelegram):
        page_digests(saved(pdf))


def test_what_is_remembered_of_earlier_files_changes_no_answer() -> None:
    """The same stream under another dictionary, or stored as it was inflated, is another one."""
    packed = zlib.compress(b"outlines")
    files = [document([ONE], font=packed), document([ONE], font=b"outlines")]
    pdf = pikepdf.open(io.BytesIO(files[1]))
    pdf.pages[0].obj.Resources.Font.F.File.Length1 = 9
    files.append(saved(pdf))
    unpacked = pikepdf.open(io.BytesIO(files[0]))
    unpacked.pages[0].obj.Resources.Font.F.File.write(packed)
    page_digest._KNOWN_STREAMS.clear()
    first = [page_digests(file) for file in files]
    assert 3 == len(set(first))
    assert first == [page_digests(file) for file in files]
    assert first[0] == page_digests(saved(unpacked))
    for file, digests in zip(files, first, strict=True):
        page_digest._KNOWN_STREAMS.clear()
        assert digests == page_digests(file)


def test_a_remembered_stream_still_counts_against_the_limit() -> None:
    """Two streams that inflate to more than the limit together are malformed every time."""
    pdf = pikepdf.open(io.BytesIO(document([ONE])))
    half = zlib.compress(bytes(page_digest.DECODED_BYTES_MAX // 2))
    resources = pdf.pages[0].obj.Resources
    resources.A = pdf.make_stream(half, Filter=pikepdf.Name.FlateDecode)
    page_digests(saved(pdf))
    resources.B = pdf.make_stream(half, Filter=pikepdf.Name.FlateDecode)
    for _ in range(2):
        with pytest.raises(MalformedTelegram):
            page_digests(saved(pdf))


def test_no_more_streams_are_remembered_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files pass by."""
    monkeypatch.setattr(page_digest, "STREAMS_KNOWN_MAX", 4)
    for number in range(9):
        page_digests(document([ONE], font=b"outlines %d" % number))
        assert len(page_digest._KNOWN_STREAMS) <= 4


def test_a_stream_that_inflates_without_end_is_malformed() -> None:
    """Forty megabytes in forty kilobytes are not inflated to the end."""
    pdf = pikepdf.open(io.BytesIO(document([ONE])))
    bomb = zlib.compress(bytes(40 * 1024 * 1024))
    pdf.pages[0].obj.Contents = pdf.make_stream(bomb, Filter=pikepdf.Name.FlateDecode)
    with pytest.raises(MalformedTelegram):
        page_digests(saved(pdf))


def test_limits_of_size_and_pages() -> None:
    """Too many bytes and too many pages are malformed."""
    with pytest.raises(MalformedTelegram):
        page_digests(bytes(PDF_BYTES_MAX + 1))
    with pytest.raises(MalformedTelegram):
        page_digests(document([ONE] * (PAGES_MAX + 1)))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"/MediaBox", b"/MediaBix"),
        (b"841.92", b"84l.92"),
        (b"/Parent 2 0 R", b"/Parent 1 0 R"),
        (b"/Kids [ 3 0 R ]", b"/Kids [ 2 0 R ]"),
        (b"endobj", b"endibj"),
    ],
)
def test_what_the_library_would_mend_on_the_way_is_malformed(good: bytes, bad: bytes) -> None:
    """A page without a size or a token that is none: another reader would guess otherwise."""
    whole = document([ONE])
    changed = whole.replace(good, bad, 1)
    assert whole != changed

    with pytest.raises(MalformedTelegram):
        page_digests(changed)


def test_the_first_pages_keep_their_digests() -> None:
    """What lies in the tray after k sheets is the first k sheets."""
    whole = document([ONE, TWO, ONE])
    for sheets in (1, 2, 3):
        assert page_digests(whole)[:sheets] == page_digests(first_pages(whole, sheets))
    assert first_pages(whole, 2) == first_pages(whole, 2)


def test_no_more_first_pages_than_there_are() -> None:
    """Four sheets of a document of three are malformed."""
    with pytest.raises(MalformedTelegram):
        first_pages(document([ONE, TWO, ONE]), 4)


def saved(pdf: pikepdf.Pdf) -> bytes:
    """Return the file of a changed document."""
    written = io.BytesIO()
    pdf.save(written, static_id=True)
    return written.getvalue()
