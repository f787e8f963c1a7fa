"""Operators of prepared drawings as modules, by way of a small PDF that PDFium draws.

It is done once for each form in a process. The drawing is the seal, whose outlines are too rich for
a reader of operators of our own.
"""

from collections.abc import Sequence

import numpy as np
import pypdfium2

from issuance_server.certificates import pdf_writer
from issuance_server.certificates.back.halftone import Coverage
from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
)
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import SHEET_HEIGHT_PT, Drawing, Page, Placed

_FORM = "Drawing"
_FINENESS = 6
"""Dots to a module's side, as a printer has."""
_DARK = 128
_FULLY_COVERED = 255


def drawn(fonts: FontList, drawings: Sequence[Drawing], dy: float) -> Coverage:
    """Return how much of each module of the window is inked by drawings.

    Args:
        fonts: the writer asks for them; the drawings have no text.
        drawings: of one form.
        dy: how far up they are moved, in points.
    """
    static = pdf_writer.prepare(fonts, {_FORM: drawings})
    page = Page(forms=(Placed(form=_FORM, dy=dy),), lines=())
    pdf = pdf_writer.write(fonts, static, [page], bytes(16))
    with pypdfium2.PdfDocument(pdf) as document:
        bitmap = document[0].render(scale=_FINENESS / MODULE_PT, grayscale=True)
        dots = bitmap.to_numpy().reshape(bitmap.height, bitmap.width) < _DARK
    top = round((SHEET_HEIGHT_PT - TOP_PT) / MODULE_PT * _FINENESS)
    left = round(LEFT_PT / MODULE_PT * _FINENESS)
    window = dots[top : top + ROWS * _FINENESS, left : left + COLUMNS * _FINENESS]
    inked = window.reshape(ROWS, _FINENESS, COLUMNS, _FINENESS).mean(axis=(1, 3))
    return np.asarray(np.round(inked * _FULLY_COVERED), np.uint8)
