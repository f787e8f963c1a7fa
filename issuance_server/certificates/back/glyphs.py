"""Glyphs as modules, each drawn once for every size and place off the grid, and kept."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from issuance_server.certificates.back.halftone import GAP, GRID, halftoned
from issuance_server.certificates.fonts import Coverage, FontList

GLYPHS_MAX = 32_768
"""Kept in a process, about 300 bytes each: single characters, and nobody's name."""
PHASES = 4
"""A glyph stands off the grid by quarters of a module."""
SHEET_COLUMNS = 828
"""Modules in a row of a whole sheet."""

GlyphKey: TypeAlias = tuple[int, int, float, int, int]
"""Font, glyph, size in modules, and how far off the grid, to the right and up."""
Places: TypeAlias = NDArray[np.int32]
"""Places of ink in a flattened sheet, relative to the module of the glyph's origin."""


class GlyphModules:
    """Draws glyphs; one per process.

    Args:
        fonts: where they come from.
    """

    def __init__(self, fonts: FontList) -> None:
        self.fonts = fonts
        self._places: dict[GlyphKey, Places] = {}

    def places(self, keys: Sequence[GlyphKey]) -> list[Places]:
        """Return where each of these glyphs has ink."""
        try:
            return [self._places[key] for key in keys]
        except KeyError:
            self._draw(keys)
            return [self._places[key] for key in keys]

    def _draw(self, keys: Sequence[GlyphKey]) -> None:
        """Draw glyphs that were not seen before, side by side, since that costs least."""
        if len(self._places) > GLYPHS_MAX - len(keys):
            self._places.clear()
        new = [key for key in dict.fromkeys(keys) if key not in self._places]
        drawings = [self._coverage(key) for key in new]
        lefts, width = [], 0
        for made in drawings:
            lefts.append(width)
            width += -(-(made.width + GAP) // GRID) * GRID
        strip = np.zeros((max(made.height for made in drawings), width), np.uint8)
        for made, left in zip(drawings, lefts, strict=True):
            dots = np.frombuffer(made.rows, np.uint8).reshape(made.height, made.width)
            strip[: made.height, left : left + made.width] = dots[::-1]
        black = halftoned(strip)
        for key, made, left in zip(new, drawings, lefts, strict=True):
            rows, columns = np.nonzero(black[: made.height, left : left + made.width])
            below = rows - made.bottom - made.height
            self._places[key] = (below * SHEET_COLUMNS + columns + made.left).astype(np.int32)

    def _coverage(self, key: GlyphKey) -> Coverage:
        font, glyph_id, size, x_phase, y_phase = key
        x, y = x_phase / PHASES, y_phase / PHASES
        return self.fonts.files[font].coverage(glyph_id, size, x, y)
