"""A certificate's PDF is verified: as issued, altered anywhere, and without its pages."""

import io
import random
import re
from collections.abc import Callable

import msgspec
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from issuance_server.certificates.code.claim import key_id
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.reading.sheets import Unreadable
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.certificates.verify.documents import PAGES_MAX, found_in_pdf
from issuance_server.certificates.verify.pictures import PictureUnreadable, pictures
from issuance_server.certificates.verify.verdict import NumberStatus, Verdict, Verified, judge
from keys.signing import SigningKey
from protocol.secret import Secret

OrderMaker = Callable[..., CertificateOrder]

KEY = SigningKey.from_seed(Secret(b"a seed for tests of the code 32."))
KEYS = {key_id(KEY.public_key): KEY.public_key}
ALTERATIONS = 200
ALTERATIONS_SHORT = 30
_CODES = re.compile(rb"<([0-9A-F]{4})+>")


@pytest.fixture(scope="module")
def coding() -> CertificateRenderer:
    """A renderer that signs every sheet."""
    return CertificateRenderer(code=SheetCodes("272035", lambda: KEY))


@pytest.fixture
def pdf(coding: CertificateRenderer, make_order: OrderMaker) -> bytes:
    """A certificate of two sheets."""
    return coding.render(make_order()).pdf


def verified(pdf: bytes, status: NumberStatus | None = NumberStatus.PRINTED) -> Verified:
    """Verify a file against the city's key and one status for every number."""
    found = [sheet.found for sheet in found_in_pdf(pdf, KEYS)]
    return judge(found, None if status is None else lambda _number: status)


def saved(document: pikepdf.Pdf) -> bytes:
    """Return the file as another program would write it."""
    written = io.BytesIO()
    document.save(written, static_id=True)
    return written.getvalue()


def test_a_certificate_as_it_was_issued(pdf: bytes) -> None:
    """Both sheets bear the number, and their text is what was signed; the sample is a test."""
    found = verified(pdf)

    assert Verdict.TEST is found.verdict
    assert ((), 2) == (found.missing, len(found.sheets))
    for place, sheet in enumerate(found.sheets, start=1):
        claim = sheet.found.claim
        assert claim is not None
        assert ("20261130 豊中市 7E001 001 000012", place, 2) == (
            claim.number,
            claim.sheet,
            claim.sheets,
        )
        assert sheet.found.compared


def test_a_real_certificate_is_what_the_record_says(
    coding: CertificateRenderer, make_order: OrderMaker
) -> None:
    """Genuine when printed, not valid when void; offline only the signature is vouched for."""
    order = make_order()
    issuer = msgspec.structs.replace(order.issuer, specimen=False)
    pdf = coding.render(msgspec.structs.replace(order, issuer=issuer)).pdf

    assert Verdict.GENUINE is verified(pdf).verdict
    assert Verdict.NOT_VALID is verified(pdf, NumberStatus.VOID).verdict
    assert Verdict.SIGNATURE_GOOD is verified(pdf, None).verdict


def test_every_alteration_of_one_glyph_is_found(pdf: bytes, pytestconfig: pytest.Config) -> None:
    """One character replaced by another, anywhere: the sheet is altered, and its line is named."""
    dice = random.Random(20261130)
    found = 0
    alterations = ALTERATIONS if pytestconfig.getoption("--full") else ALTERATIONS_SHORT
    for _ in range(alterations // 2):
        with pikepdf.open(io.BytesIO(pdf)) as document:
            for page in document.pages:
                content = one_glyph_replaced(page.Contents.read_bytes(), dice)
                page.Contents = document.make_stream(content)
            sheets = verified(saved(document)).sheets
        found += [sheet.verdict for sheet in sheets].count(Verdict.ALTERED)
        assert [1, 1] == [len(sheet.found.altered) for sheet in sheets]

    assert alterations == found


def one_glyph_replaced(content: bytes, dice: random.Random) -> bytes:
    """Replace one glyph code of a content stream by another one of the same stream."""
    strings = [match.span() for match in _CODES.finditer(content)]
    start, end = dice.choice(strings)
    place = start + 1 + 4 * dice.randrange((end - start - 2) // 4)
    others = {content[at + 1 : at + 5] for at, _ in strings} - {content[place : place + 4]}
    return content[:place] + dice.choice(sorted(others)) + content[place + 4 :]


def test_altered_digests_do_not_cover_an_alteration(pdf: bytes) -> None:
    """Who changes a line and its digest in the file contradicts the signed code."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0]
        digests = bytearray(bytes(page.obj["/KofuLineDigests"]))
        digests[3] ^= 1
        page.obj["/KofuLineDigests"] = pikepdf.String(bytes(digests))
        found = verified(saved(document))

    assert [Verdict.ALTERED, Verdict.TEST] == [sheet.verdict for sheet in found.sheets]
    assert found.sheets[0].found.altered_otherwise


def test_text_laid_over_in_another_way_is_altered(pdf: bytes) -> None:
    """An annotation or a text that certificates cannot have is not overlooked."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.pages[0].contents_add(b"BT /F0R0 9 Tf 10 10 Td (more) Tj ET")
        found = verified(saved(document))

    assert Verdict.ALTERED is found.verdict


def test_a_missing_sheet_is_named(pdf: bytes) -> None:
    """One sheet of two is good by itself, and the other is said to be missing."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        del document.pages[1]
        found = verified(saved(document))

    assert Verdict.TEST is found.verdict
    assert [2] == [sheet for _number, sheet in found.missing]


def test_a_code_copied_from_another_sheet_does_not_help(
    coding: CertificateRenderer, make_order: OrderMaker, pdf: bytes
) -> None:
    """The code of a genuine sheet on another text: altered."""
    other = coding.render(make_order(issuance_id=bytes(16), salt=b"another salt, 16")).pdf
    with pikepdf.open(io.BytesIO(pdf)) as one, pikepdf.open(io.BytesIO(other)) as two:
        theirs = two.pages[0].Resources.XObject
        for name in [name for name in theirs if name.startswith("/P")]:
            one.pages[0].Resources.XObject[name] = one.copy_foreign(theirs[name])
        found = verified(saved(one))

    assert Verdict.ALTERED is found.sheets[0].verdict


def test_other_files_have_no_code_or_cannot_be_read() -> None:
    """A stranger's PDF bears no code of the city; what is no PDF cannot be opened."""
    blank = pikepdf.new()
    blank.add_blank_page()

    assert Verdict.NO_CODE is verified(saved(blank)).verdict
    with pytest.raises(Unreadable):
        verified(b"no PDF")


def test_files_that_are_too_large_are_refused_in_words() -> None:
    """Neither a picture nor a book takes memory or time without a bound."""
    wide = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(wide, "PNG")
    with pypdfium2.PdfDocument.new() as book:
        for _ in range(PAGES_MAX + 1):
            book.new_page(595, 842)
        pages = io.BytesIO()
        book.save(pages)

    with pytest.raises(PictureUnreadable, match="larger than a scan can be"):
        list(pictures(wide.getvalue()))
    with pytest.raises(Unreadable, match="more pages than can be verified"):
        found_in_pdf(pages.getvalue(), {})


def test_without_a_verification_page_sheets_bear_no_code(
    coding: CertificateRenderer, make_order: OrderMaker
) -> None:
    """A city that has no page yet prints no code, and no hint to one."""
    order = make_order()
    issuer = msgspec.structs.replace(order.issuer, verify_page="")
    pdf = coding.render(msgspec.structs.replace(order, issuer=issuer)).pdf

    assert Verdict.NO_CODE is verified(pdf).verdict
    assert b"KofuLineDigests" not in pdf
