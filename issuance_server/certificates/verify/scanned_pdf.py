"""PDFs as scanners write them: pages of which each is a picture."""

from collections.abc import Iterator

import pypdfium2
from PIL import Image
from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_TEXT

from issuance_server.certificates.reading.sheets import Unreadable
from issuance_server.certificates.verify.pictures import (
    FRAMES_MAX,
    PICTURE_BYTES_MAX,
    PIXELS_MAX,
    PictureUnreadable,
)

_POINTS_PER_INCH = 72
_DPI_MIN, _DPI_MAX = 200, 600
_COVERED_MIN = 0.5
_OBJECTS_MAX = 20_000
"""A scanner that reads text lays it invisibly over the picture, word by word."""


def is_scanned(pdf: bytes) -> bool:
    """Tell whether pictures fill the pages of a PDF, and there is nothing else but text.

    Raises:
        Unreadable: no reader can open it.
        PictureUnreadable: it is too large.
    """
    with _opened(pdf) as document:
        return all(_is_picture(page) for page in document)


def scanned_pages(pdf: bytes) -> Iterator[Image.Image]:
    """Yield the pages in grey, drawn as finely as they were scanned.

    Raises:
        Unreadable: no reader can open it.
        PictureUnreadable: it is too large.
    """
    with _opened(pdf) as document:
        if len(document) > FRAMES_MAX:
            raise PictureUnreadable("the file has more pages than a certificate can have")
        for page in document:
            width_inches, height_inches = (side / _POINTS_PER_INCH for side in page.get_size())
            dpi = _dpi(page)
            if width_inches * height_inches * dpi**2 > PIXELS_MAX:
                raise PictureUnreadable("the picture is larger than a scan can be")
            bitmap = page.render(scale=dpi / _POINTS_PER_INCH, grayscale=True)
            yield bitmap.to_pil().convert("L")


def _opened(pdf: bytes) -> pypdfium2.PdfDocument:
    if len(pdf) > PICTURE_BYTES_MAX:
        raise PictureUnreadable("the file is larger than a scan can be")
    try:
        return pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        raise Unreadable("the file is damaged, or no PDF") from None


def _is_picture(page: pypdfium2.PdfPage) -> bool:
    kinds, covered = set(), 0.0
    for place, each in enumerate(page.get_objects(max_depth=1)):
        kinds.add(each.type)
        if place == _OBJECTS_MAX:
            return False
        if isinstance(each, pypdfium2.PdfImage):
            left, bottom, right, top = each.get_bounds()
            covered = max(covered, (right - left) * (top - bottom))
    width, height = page.get_size()
    only_pictures = kinds <= {FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_TEXT}
    return only_pictures and covered >= _COVERED_MIN * width * height


def _dpi(page: pypdfium2.PdfPage) -> float:
    """Return how fine the finest picture of a page is, within what scanners do."""
    finest = float(_DPI_MIN)
    for each in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=1):
        left, bottom, right, top = each.get_bounds()
        longer = max(right - left, top - bottom)
        if longer > 0:  # however it is turned
            finest = max(finest, max(each.get_px_size()) * _POINTS_PER_INCH / longer)
    return min(finest, _DPI_MAX)
