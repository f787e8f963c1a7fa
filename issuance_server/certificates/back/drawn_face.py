"""Whether a face, as a viewer draws it, is what its back holds: line by line, without the tint."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pypdfium2
from numpy.typing import NDArray

from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
    Bitmap,
)
from issuance_server.certificates.layout.display import SHEET_HEIGHT_PT, SHEET_WIDTH_PT
from issuance_server.certificates.reading.sheets import ReadLine

_ABOVE, _BELOW = 0.9, 0.12
"""Of the type size: where a character's ink is, from its baseline."""
_DOTS_PER_MODULE = 3
_COMPARED_CHARACTERS = 6
_LIKENESS_MIN = 0.6
"""Of the least alike of a face's lines to what PDFium draws there. The sample city's faces are
above 0.71; every other face of the same form has a line below 0.48."""


def is_drawn(bitmap: Bitmap, lines: Sequence[ReadLine], page: pypdfium2.PdfPage) -> bool:
    """Tell whether the lines of a face, as PDFium draws it, are those that its back holds.

    Args:
        bitmap: what the back holds.
        lines: the face's own, as a reader found them.
        page: the face.
    """
    if not is_sheet(page):
        return False
    picture = page.render(scale=_DOTS_PER_MODULE / MODULE_PT, grayscale=True).to_numpy()
    dots: NDArray[np.uint8] = picture.reshape(picture.shape[:2])
    top = dots.shape[0] - round(TOP_PT / MODULE_PT * _DOTS_PER_MODULE)
    left = round(LEFT_PT / MODULE_PT * _DOTS_PER_MODULE)
    window = dots[top : top + ROWS * _DOTS_PER_MODULE, left : left + COLUMNS * _DOTS_PER_MODULE]
    levels = window.reshape(ROWS, _DOTS_PER_MODULE, COLUMNS, _DOTS_PER_MODULE).mean(axis=(1, 3))
    return all(
        _likeness(bitmap[part], -levels[part]) >= _LIKENESS_MIN
        for part in (part_of(line, _COMPARED_CHARACTERS) for line in lines if line.text.strip())
    )


def is_sheet(page: pypdfium2.PdfPage) -> bool:
    """Tell whether a page has the size of our sheets."""
    width, height = page.get_size()
    return (round(width, 2), round(height, 2)) == (SHEET_WIDTH_PT, SHEET_HEIGHT_PT)


def _likeness(one: NDArray[Any], other: NDArray[Any]) -> float:
    if not (one.std() and other.std()):
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def part_of(line: ReadLine, characters: int) -> tuple[slice, slice]:
    """Return the rows and columns of a window where a line's first characters stand."""
    left = (line.x - LEFT_PT) / MODULE_PT
    baseline = (TOP_PT - line.y) / MODULE_PT
    size = line.size_pt / MODULE_PT
    rows = slice(max(int(baseline - _ABOVE * size), 0), int(baseline + _BELOW * size) + 1)
    return rows, slice(max(int(left), 0), int(left + characters * size) + 1)
