"""The part of a sheet's face that its back repeats, as modules: square dots of 100 to the inch.

A module is six dots of a 600-dpi printer. The window holds all that a certificate says: the fields
from the left edge of the body to its right edge, the title above, the 発行番号 below.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bitmap: TypeAlias = NDArray[np.bool_]
"""Modules as ROWS x COLUMNS, from the upper left corner; True is ink."""

COLUMNS = 720
ROWS = 1024
MODULE_PT = 0.72
MODULE_MM = 0.254

LEFT_PT = 38.4
"""Left edge of the window on the face, from the sheet's left edge."""
TOP_PT = 793.92
"""Upper edge of the window on the face, from the sheet's lower edge."""

ROW_BYTES = COLUMNS // 8
BITMAP_BYTES = ROWS * ROW_BYTES


def packed(bitmap: Bitmap) -> bytes:
    """Return a bitmap in one bit a module, rows from the top; a set bit is ink."""
    return np.packbits(bitmap, axis=1).tobytes()


def unpacked(rows: bytes) -> Bitmap:
    """Return the bitmap that was packed."""
    bits = np.unpackbits(np.frombuffer(rows, np.uint8).reshape(ROWS, ROW_BYTES), axis=1)
    return bits.astype(np.bool_)
