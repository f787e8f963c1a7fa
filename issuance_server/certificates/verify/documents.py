"""Verifies a PDF: its codes as they are printed, and its text line by line against them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pypdfium2
from PIL import Image

from issuance_server.certificates.code.line_digests import altered_lines, text_digest
from issuance_server.certificates.reading.sheets import ReadSheet, Unreadable, read
from issuance_server.certificates.verify.pictures import found_in
from issuance_server.certificates.verify.verdict import FoundSheet

DRAWN_DPI = 200
_POINTS_PER_INCH = 72


def found_in_pdf(pdf: bytes, public_keys: Mapping[bytes, bytes]) -> tuple[FoundSheet, ...]:
    """Return what is found on the sheets of a PDF.

    The code is read from the page as it would be printed, not from the file's structure: what
    counts is what people see. A file that holds the right codes but shows anything in another way
    than certificates do is altered.

    Args:
        pdf: a file.
        public_keys: the city's keys by ``key_id``.

    Raises:
        Unreadable: no reader can open it.
    """
    codes = [found_in(picture, public_keys) for picture in _drawn(pdf)]
    try:
        sheets: Sequence[ReadSheet | None] = read(pdf).sheets
    except Unreadable:
        sheets = [None] * len(codes)
    return tuple(_compared(found, sheet) for found, sheet in zip(codes, sheets, strict=False))


def _compared(found: FoundSheet, sheet: ReadSheet | None) -> FoundSheet:
    """Compare a sheet's text with the claim of its code."""
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


def _line(texts: Sequence[str], place: int) -> str:
    return texts[place] if place < len(texts) else ""


def _drawn(pdf: bytes) -> Iterator[Image.Image]:
    """Draw every page in grey."""
    try:
        with pypdfium2.PdfDocument(pdf) as document:
            for page in document:
                bitmap = page.render(scale=DRAWN_DPI / _POINTS_PER_INCH, grayscale=True)
                yield bitmap.to_pil().convert("L")
    except pypdfium2.PdfiumError:
        raise Unreadable("the file is damaged, or no PDF") from None
