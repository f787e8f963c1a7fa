"""Certificates with backs: face and back in turn, what the gate stops, what a PDF shows."""

import io
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pikepdf
import pypdfium2
import pytest

from issuance_server.certificates.back.drawn_face import is_drawn
from issuance_server.certificates.code.claim import key_id
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.gate import gate_fault
from issuance_server.certificates.gate_backs import decoded
from issuance_server.certificates.layout.furniture import BACK_HINT
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.reading.sheets import read
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.certificates.verify.documents import BACK_FOREIGN, KEYLESS, found_in_pdf
from issuance_server.certificates.verify.scans import FACE_MISSING
from issuance_server.certificates.verify.verdict import Verdict, judge
from issuance_server.core.register import Household
from issuance_server.sample.city import ISSUER, ISSUER_WITH_BACKS
from keys.signing import SigningKey
from protocol import sealed_certificate
from protocol.errors import Misuse
from protocol.kinds import Kind, Options, Scope
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digests

OrderMaker = Callable[..., CertificateOrder]

KEY = SigningKey.from_seed(Secret(b"a seed for tests of both sides.."))
KEYS = {key_id(KEY.public_key): KEY.public_key}
SECRET, FORMER_SECRET = Secret(bytes(range(32))), Secret(bytes(range(32, 64)))
BYTES_MAX = 320_000
HOUSEHOLD_KINDS = (Kind.JUMINHYO, Kind.KISAIJIKO, Kind.KOSEKI_ZENBU, Kind.FUHYO)


@pytest.fixture(scope="module")
def maker() -> CertificateRenderer:
    """A renderer that signs every sheet and makes its back."""
    return CertificateRenderer(code=SheetCodes("272035", lambda: KEY), back_secret=lambda: SECRET)


@pytest.fixture
def order(make_order: OrderMaker) -> CertificateOrder:
    """The household of five: two sheets."""
    return make_order(issuer=ISSUER_WITH_BACKS)


@pytest.fixture
def rendered(maker: CertificateRenderer, order: CertificateOrder) -> Rendered:
    """That certificate."""
    return maker.render(order)


def with_pages(rendered: Rendered, pages: Sequence[int]) -> Rendered:
    """Return a certificate of other pages, with the digests of the new file."""
    with pikepdf.open(io.BytesIO(rendered.pdf)) as document:
        whole = [document.pages[place] for place in pages]
        identifier = document.trailer.ID
        made = pikepdf.new()
        made.pages.extend(whole)
        made.trailer.ID = made.copy_foreign(document.make_indirect(identifier))
        written = io.BytesIO()
        made.save(written, static_id=True)
    pdf = written.getvalue()
    return msgspec.structs.replace(
        rendered, pdf=pdf, sheet_digests=sheet_digests(pdf, rendered.sheets)
    )


def verdict_of(pdf: bytes, secrets: Sequence[Secret] = (SECRET,)) -> tuple[Verdict, set[str]]:
    """Return what is said of a file, and what is said of its sheets."""
    found = [sheet.found for sheet in found_in_pdf(pdf, KEYS, secrets)]
    return judge(found, None).verdict, {one.problem for one in found}


def test_each_face_is_followed_by_its_back(order: CertificateOrder, rendered: Rendered) -> None:
    """Two sheets are four pages; sheets, digests and the sealed size count paper."""
    pages = page_digests(rendered.pdf)

    assert (2, 4) == (rendered.sheets, len(pages))
    assert sheet_digests(rendered.pdf, 2) == rendered.sheet_digests
    assert len(rendered.pdf) <= BYTES_MAX
    assert sealed_certificate.fits(rendered.pdf, rendered.sheets)
    read_pages = read(rendered.pdf).sheets
    for face, back in zip(read_pages[::2], read_pages[1::2], strict=True):
        assert face.texts[-1:] == back.texts
    assert gate_fault(order, rendered) is None
    with pikepdf.open(io.BytesIO(rendered.pdf)) as document:
        assert pikepdf.Name("/DuplexFlipLongEdge") == document.Root.ViewerPreferences.Duplex


def test_a_back_holds_the_face_that_is_printed(
    maker: CertificateRenderer, order: CertificateOrder, rendered: Rendered
) -> None:
    """What the picture in the file decrypts to is another for each sheet, and always the same."""
    pages = read(rendered.pdf).sheets
    first, second = (
        decoded(back, key) for back, key in zip(pages[1::2], rendered.back_keys, strict=True)
    )

    assert first is not None
    assert second is not None
    assert not np.array_equal(first, second)
    assert maker.render(order).pdf == rendered.pdf


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_every_kind_passes_the_gate(
    maker: CertificateRenderer, make_order: OrderMaker, kind: Kind
) -> None:
    """Both readers find each back to be that of its face, in two copies too."""
    scope = Scope.HOUSEHOLD if kind in HOUSEHOLD_KINDS else Scope.SELF
    numbers = ("20261130 豊中市 7E001 001 000012", "20261130 豊中市 7E001 001 000013")
    order = make_order(
        kind=kind,
        options=Options(scope=scope),
        issuer=ISSUER_WITH_BACKS,
        numbers=numbers,
    )

    assert gate_fault(order, maker.render(order), deep=True) is None


def test_the_gate_stops_backs_that_are_not_their_faces(
    order: CertificateOrder, rendered: Rendered
) -> None:
    """Turned, exchanged, missing, or made under another key."""
    keys = rendered.back_keys
    changed = {
        "sides-turned": with_pages(rendered, (1, 0, 3, 2)),
        "back-of-another-sheet": with_pages(rendered, (0, 3, 2, 1)),
        "back-differs": msgspec.structs.replace(rendered, back_keys=keys[::-1]),
        "back-missing": msgspec.structs.replace(rendered, back_keys=keys[:1]),
        "sheets-miscounted": with_pages(rendered, (0, 2)),
        "sheets-differ": msgspec.structs.replace(
            rendered, sheet_digests=page_digests(rendered.pdf)[::2]
        ),
    }
    faults = {wanted: gate_fault(order, given, deep=True) for wanted, given in changed.items()}

    assert dict(zip(faults, faults, strict=True)) == faults


def test_pdfium_sees_a_back_that_holds_another_text(
    maker: CertificateRenderer, make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Of two people of one household, each on a sheet of the same form, no back fits the other."""
    pdfs, bitmaps = [], []
    for member in households[0].members[:2]:
        holder = member.resident_id
        given = maker.render(
            make_order(issuer=ISSUER_WITH_BACKS, options=Options(), holder_id=holder)
        )
        pdfs.append(given.pdf)
        bitmaps.append(decoded(read(given.pdf).sheets[1], given.back_keys[0]))
    with pypdfium2.PdfDocument(pdfs[0]) as document:
        face = read(pdfs[0]).sheets[0].lines
        fits = [is_drawn(one, face, document[0]) for one in bitmaps if one is not None]

    assert [True, False] == fits


def test_backs_go_with_the_issuer(maker: CertificateRenderer, make_order: OrderMaker) -> None:
    """Without them there is no hint on the face either, and a gate that expects some stops it."""
    plain, backed = make_order(issuer=ISSUER), make_order(issuer=ISSUER_WITH_BACKS)
    without = maker.render(plain)

    assert (2, ()) == (len(page_digests(without.pdf)), without.back_keys)
    assert b"/Duplex" not in without.pdf
    assert BACK_HINT not in labels(without.pdf)
    assert BACK_HINT in labels(maker.render(backed).pdf)
    assert "sheets-miscounted" == gate_fault(backed, without)
    assert "sheets-miscounted" == gate_fault(plain, maker.render(backed))
    with pytest.raises(Misuse, match="no secret"):
        CertificateRenderer().render(backed)


def test_a_pdf_with_backs_is_genuine_with_and_without_the_secret(rendered: Rendered) -> None:
    """An older secret is tried too; without any it is said that backs were not compared."""
    assert (Verdict.TEST, {""}) == verdict_of(rendered.pdf, (FORMER_SECRET, SECRET))
    assert (Verdict.TEST, {KEYLESS}) == verdict_of(rendered.pdf, ())


def test_a_back_of_another_sheet_is_altered(rendered: Rendered) -> None:
    """So are exchanged backs, and one that the city's secret did not make."""
    exchanged = with_pages(rendered, (0, 3, 2, 1)).pdf

    assert (Verdict.ALTERED, {BACK_FOREIGN}) == verdict_of(exchanged, ())
    assert (Verdict.ALTERED, {BACK_FOREIGN}) == verdict_of(rendered.pdf, (FORMER_SECRET,))


def test_a_back_alone_is_no_sheet(rendered: Rendered) -> None:
    """A page that says what is missing, beside the sheets that are whole."""
    with pikepdf.open(io.BytesIO(rendered.pdf)) as document:
        del document.pages[2]
        written = io.BytesIO()
        document.save(written, static_id=True)

    assert (Verdict.NO_CODE, {"", FACE_MISSING}) == verdict_of(written.getvalue())


def labels(pdf: bytes) -> set[str]:
    """Return the text of a file's prepared forms."""
    return {line.text for page in read(pdf).sheets for form in page.forms for line in form.lines}
