"""The gate's look at backs: each belongs to its face, in its place, and holds what the face says.

The server's process does not have the secret of the backs. A worker gives it what each sheet was
scrambled with; that opens this sheet alone, whose face the server has anyway.
"""

from collections.abc import Sequence

import numpy as np
import pypdfium2
from numpy.typing import NDArray

from issuance_server.certificates.back.scramble import SHEET_KEY_BYTES, scrambled
from issuance_server.certificates.back.window import (
    BITMAP_BYTES,
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
    Bitmap,
    unpacked,
)
from issuance_server.certificates.reading.sheets import ReadLine, ReadSheet
from protocol.secret import Secret

_FORM = "Back"
_INKED_MIN, _INKED_MAX = 0.005, 0.3
"""Of a window. The barest face has 0.015, the densest 0.15; what a wrong key gives has a half."""
_ABOVE, _BELOW = 0.9, 0.12
"""Of the type size: where a character's ink is, from its baseline."""
_DOTS_PER_MODULE = 3
_COMPARED_ROWS = ROWS - 90
"""Those above the signed code, which backs do not hold."""
_LIKENESS_MIN = 0.6
"""Of a whole face as PDFium draws it. Another sheet of the same form has 0.5 at most."""


def backs_fault(
    faces: Sequence[ReadSheet], backs: Sequence[ReadSheet], keys: Sequence[bytes]
) -> str | None:
    """Return what is wrong with the backs of a file, as a word for the alarm.

    Args:
        faces: as a reader found them; their own text was checked.
        backs: the pages behind them.
        keys: what each sheet was scrambled with.
    """
    if not len(faces) == len(backs) == len(keys):
        return "back-missing"
    for face, back, key in zip(faces, backs, keys, strict=True):
        names = [form.name for form in back.forms]
        if _FORM in [form.name for form in face.forms] or names[:1] != [_FORM]:
            return "sides-turned"
        if back.texts != face.texts[-1:] or len(names) != len((_FORM, "picture")):
            return "back-of-another-sheet"
        bitmap = decoded(back, key)
        if bitmap is None or not _holds(bitmap, face):
            return "back-differs"
    return None


def decoded(back: ReadSheet, key: bytes) -> Bitmap | None:
    """Return what a back holds; None if it has no picture of the right size, or no key."""
    dots = back.forms[-1].dots
    if len(dots) != BITMAP_BYTES or len(key) != SHEET_KEY_BYTES:
        return None
    return unpacked(scrambled(dots, Secret(key)))


def is_drawn(bitmap: Bitmap, page: pypdfium2.PdfPage) -> bool:
    """Tell whether a face, as PDFium draws it, is what its back holds."""
    picture = page.render(scale=_DOTS_PER_MODULE / MODULE_PT, grayscale=True).to_numpy()
    dots: NDArray[np.uint8] = picture.reshape(picture.shape[:2])
    top = dots.shape[0] - round(TOP_PT / MODULE_PT * _DOTS_PER_MODULE)
    left = round(LEFT_PT / MODULE_PT * _DOTS_PER_MODULE)
    window = dots[top : top + ROWS * _DOTS_PER_MODULE, left : left + COLUMNS * _DOTS_PER_MODULE]
    levels = window.reshape(ROWS, _DOTS_PER_MODULE, COLUMNS, _DOTS_PER_MODULE).mean(axis=(1, 3))
    likeness = np.corrcoef(bitmap[:_COMPARED_ROWS].ravel(), -levels[:_COMPARED_ROWS].ravel())
    return float(likeness[0, 1]) >= _LIKENESS_MIN


def _holds(bitmap: Bitmap, face: ReadSheet) -> bool:
    """Tell whether a bitmap is a face at all, and has ink where each line of text begins."""
    if not _INKED_MIN <= np.count_nonzero(bitmap) / bitmap.size <= _INKED_MAX:
        return False
    return all(_begins(bitmap, line) for line in face.lines if not line.text[:1].isspace())


def _begins(bitmap: Bitmap, line: ReadLine) -> bool:
    """Tell whether there is ink where a line's first character stands."""
    left = (line.x - LEFT_PT) / MODULE_PT
    baseline = (TOP_PT - line.y) / MODULE_PT
    size = line.size_pt / MODULE_PT
    top, bottom = int(baseline - _ABOVE * size), int(baseline + _BELOW * size) + 1
    return bool(bitmap[max(top, 0) : bottom, max(int(left), 0) : int(left + size) + 1].any())
