"""The gate's look at backs: each belongs to its face, in its place, and holds what the face says.

The server's process does not have the secret of the backs. A worker gives it what each sheet was
scrambled with; that opens this sheet alone, whose face the server has anyway.
"""

from collections.abc import Sequence

import numpy as np

from issuance_server.certificates.back.drawn_face import part_of
from issuance_server.certificates.back.scramble import SHEET_KEY_BYTES, scrambled
from issuance_server.certificates.back.window import BITMAP_BYTES, Bitmap, unpacked
from issuance_server.certificates.reading.sheets import ReadSheet
from protocol.secret import Secret

_FORM = "Back"
_INKED_MIN, _INKED_MAX = 0.005, 0.3
"""Of a window. The sample city's faces have 0.03 to 0.1, and what a wrong key gives has a half."""


def backs_fault(
    faces: Sequence[ReadSheet], backs: Sequence[ReadSheet], keys: Sequence[bytes]
) -> str | None:
    """Return what is wrong with the backs of a file, as a word for the alarm.

    Args:
        faces: as a reader found them.
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


def _holds(bitmap: Bitmap, face: ReadSheet) -> bool:
    """Tell whether a bitmap is a face at all, and has ink where each line of text begins."""
    if not _INKED_MIN <= np.count_nonzero(bitmap) / bitmap.size <= _INKED_MAX:
        return False
    begun = (line for line in face.lines if not line.text[:1].isspace())
    return all(bitmap[part_of(line, 1)].any() for line in begun)
