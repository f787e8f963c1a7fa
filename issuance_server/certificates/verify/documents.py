"""Verifies a PDF: its codes as they are printed, its text line by line against them, its backs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pypdfium2
from PIL import Image

from issuance_server.certificates.back.drawn_face import is_drawn, is_sheet
from issuance_server.certificates.back.page import PICTURE_BOX
from issuance_server.certificates.back.scramble import scrambled, sheet_key
from issuance_server.certificates.back.window import (
    COLUMNS,
    MODULE_PT,
    ROWS,
    Bitmap,
    packed,
    unpacked,
)
from issuance_server.certificates.code.claim import Claim
from issuance_server.certificates.code.line_digests import altered_lines, text_digest
from issuance_server.certificates.content.common import number_line
from issuance_server.certificates.layout.display import SHEET_HEIGHT_PT
from issuance_server.certificates.reading.sheets import ReadSheet, Unreadable, read
from issuance_server.certificates.verify.pictures import PIXELS_MAX
from issuance_server.certificates.verify.scans import (
    FACE_MISSING,
    ScannedSheet,
    Side,
)
from issuance_server.certificates.verify.verdict import FoundSheet
from protocol.secret import Secret

DRAWN_DPI = 200
PAGES_MAX = 400
"""Several certificates in one file are welcome; a book is not."""
KEYLESS = "the secret of the backs is not at hand; the back was not compared"
BACK_FOREIGN = "the back is not that of this sheet, or its secret is no longer in use"

_POINTS_PER_INCH = 72
_DOTS_PER_MODULE = 3
_DARK = 128
_INKED_MAX = 0.35
"""Of a window. Faces have a tenth at most, and what another key decrypts has a half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """A face whose back may follow.

    Attributes:
        page: as it would be printed.
        text: as it was read; none if it shows anything in another way than certificates do.
        found: what its code says, compared with its text.
    """

    page: pypdfium2.PdfPage
    text: ReadSheet | None
    found: FoundSheet


def found_in_pdf(
    pdf: bytes, public_keys: Mapping[bytes, bytes], secrets: Sequence[Secret] = ()
) -> tuple[ScannedSheet, ...]:
    """Return what is found on the sheets of a PDF.

    The code is read from the page as it would be printed, not from the file's structure: what
    counts is what people see. A file that holds the right codes but shows anything in another way
    than certificates do is altered. So is one whose back, drawn, does not hold the face before it.

    Args:
        pdf: a file; of each sheet the face, then the back if sheets have backs.
        public_keys: the city's keys by ``key_id``.
        secrets: the city's secrets of backs; without any no back is compared.

    Raises:
        Unreadable: no reader can open it.
    """
    try:
        read_pages: Sequence[ReadSheet] = read(pdf).sheets
    except Unreadable:
        read_pages = ()
    try:
        with pypdfium2.PdfDocument(pdf) as document:
            if len(document) > PAGES_MAX:
                raise Unreadable("the file has more pages than can be verified at once")
            return tuple(_sheets(document, read_pages, public_keys, secrets))
    except pypdfium2.PdfiumError:
        raise Unreadable("the file is damaged, or no PDF") from None


def _sheets(
    document: pypdfium2.PdfDocument,
    read_pages: Sequence[ReadSheet],
    public_keys: Mapping[bytes, bytes],
    secrets: Sequence[Secret],
) -> Iterator[ScannedSheet]:
    """Yield sheet after sheet; a face waits for the page that follows it."""
    face: _Face | None = None
    for place, page in enumerate(document):
        side = Side.of(_drawn(page, DRAWN_DPI / _POINTS_PER_INCH))
        text = read_pages[place] if place < len(read_pages) else None
        if not side.is_back:
            if face is not None:
                yield ScannedSheet(found=face.found)
            found, _code = side.signed(public_keys)
            face = _Face(page=page, text=text, found=_read(found, text))
        elif face is None:
            yield ScannedSheet(found=FoundSheet(problem=FACE_MISSING))
        else:
            yield ScannedSheet(found=_with_back(face, page, text, secrets))
            face = None
    if face is not None:
        yield ScannedSheet(found=face.found)


def _read(found: FoundSheet, sheet: ReadSheet | None) -> FoundSheet:
    """Compare a face's text with the claim of its code."""
    claim = found.claim
    if claim is None:
        return found
    if sheet is None:
        return replace(found, altered_otherwise=True)
    salt, number = claim.salt, claim.sheet
    altered = altered_lines(sheet.texts, sheet.line_digests, salt=salt, sheet=number)
    digests_hold = text_digest(sheet.line_digests, salt=salt, sheet=number) == claim.text_digest
    return replace(
        found,
        compared=True,
        altered=tuple(_line(sheet.texts, place) for place in altered),
        altered_otherwise=not digests_hold,
    )


def _with_back(
    face: _Face, page: pypdfium2.PdfPage, text: ReadSheet | None, secrets: Sequence[Secret]
) -> FoundSheet:
    """Compare a face with the back that follows it."""
    found, claim = face.found, face.found.claim
    if claim is None or face.text is None:
        return found
    number = f"発行番号　{number_line(claim.number, claim.sheet, claim.sheets)}"
    foreign = text is None or text.texts != (number,)
    if secrets and not foreign:
        held = _decoded(page, secrets, claim)
        foreign = held is None or not is_drawn(held, face.text.lines, face.page)
    if foreign:
        return replace(found, altered_otherwise=True, problem=BACK_FOREIGN)
    return found if secrets else replace(found, problem=KEYLESS)


def _decoded(page: pypdfium2.PdfPage, secrets: Sequence[Secret], claim: Claim) -> Bitmap | None:
    """Decrypt the picture that a back shows, dot by dot; None if it is another sheet's."""
    if not is_sheet(page):
        return None
    picture = np.asarray(_drawn(page, _DOTS_PER_MODULE / MODULE_PT))
    top = round(
        (SHEET_HEIGHT_PT - PICTURE_BOX.y - PICTURE_BOX.height) / MODULE_PT * _DOTS_PER_MODULE
    )
    left = round(PICTURE_BOX.x / MODULE_PT * _DOTS_PER_MODULE)
    middle = _DOTS_PER_MODULE // 2
    dots = picture[top + middle :: _DOTS_PER_MODULE, left + middle :: _DOTS_PER_MODULE]
    black = dots[:ROWS, :COLUMNS] < _DARK
    if black.shape != (ROWS, COLUMNS):
        return None
    keys = (sheet_key(secret, claim.number, claim.sheet) for secret in secrets)
    faces = (unpacked(scrambled(packed(black), key)) for key in keys)
    return next((face for face in faces if face.mean() < _INKED_MAX), None)


def _line(texts: Sequence[str], place: int) -> str:
    return texts[place] if place < len(texts) else ""


def _drawn(page: pypdfium2.PdfPage, scale: float) -> Image.Image:
    """Draw a page in grey.

    Raises:
        Unreadable: it is larger than paper can be.
    """
    width, height = page.get_size()
    if width * height * scale**2 > PIXELS_MAX:
        raise Unreadable("the file has a page that is larger than a sheet can be")
    picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return picture.convert("L")
