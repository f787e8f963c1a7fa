"""The latent word 「複写」: dots of two sizes that the eye takes for one pale ground.

Outside the letters lie fine dots, which a copier loses; inside lie coarse ones, which it keeps.
Both cover the same share of the paper, so that the letters show on copies only. The ground is one
tile of dots for a printer of 600 dpi, in one solid colour: nothing in it is left to the printer's
own screen, which would blur the difference. The tile's sides are multiples of both grids, so that
tiles join without a seam.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache

from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import Stencil

WORD = "複写"
DOTS_PER_INCH = 600
TILE_WIDTH_DOTS = 2520
TILE_HEIGHT_DOTS = 1800
FINE_SIDE_DOTS = 2
FINE_STEP_DOTS = 6
"""Fine dots stand on every other place of a grid of this step, so that their rows run aslant."""
COARSE_SIDE_DOTS = 5
COARSE_STEP_DOTS = 15
"""The same for coarse dots: 25 of 450 dots are inked, as 4 of 72 are on the fine ground."""

_LETTER_DOTS = 560
_WORDS_DOTS = ((70, 180), (1330, 1080))
"""Left upper corners of the words in a tile: the lower one stands below the gap of the upper."""
_BOLDENING_DOTS = 14
"""A stroke must hold some coarse dots side by side, whatever the font."""
_CLEARANCE_DOTS = 3
_KEPT = 4

_WHOLE_ROW = (1 << TILE_WIDTH_DOTS) - 1
_BIT_OF_COVERAGE = bytes(ord("0") if level < 128 else ord("1") for level in range(256))  # noqa: PLR2004


@lru_cache(_KEPT)
def latent_tile(fonts: FontList) -> Stencil:
    """Return the tile; made once for a list of fonts, in some hundredths of a second.

    Raises:
        CertificateRefused: no font has the characters.
    """
    dots = tile_dots(letter_rows(fonts))
    packed = zlib.compress(b"".join(row.to_bytes(TILE_WIDTH_DOTS // 8, "big") for row in dots), 9)
    return Stencil(
        name="Latent",
        width_dots=TILE_WIDTH_DOTS,
        height_dots=TILE_HEIGHT_DOTS,
        packed_rows=packed,
    )


def letter_rows(fonts: FontList) -> list[int]:
    """Return the area of the letters, row by row from the top; the leftmost dot is the top bit."""
    rows = [0] * TILE_HEIGHT_DOTS
    for left, top in _WORDS_DOTS:
        for place, character in enumerate(WORD):
            (glyph,) = fonts.glyphs(character)
            file = fonts.files[glyph.font]
            ink = file.coverage(glyph.glyph_id, _LETTER_DOTS, 0, _LETTER_DOTS * 0.12)
            x = left + place * _LETTER_DOTS + ink.left
            for row in range(ink.height):
                line = ink.rows[row * ink.width : (row + 1) * ink.width]
                bits = int(line.translate(_BIT_OF_COVERAGE), 2)
                y = top + _LETTER_DOTS - ink.bottom - row
                rows[y] |= bits << (TILE_WIDTH_DOTS - x - ink.width)
    wide = [_spread(row, _BOLDENING_DOTS, _BOLDENING_DOTS) for row in rows]
    return _spread_downwards(wide, _BOLDENING_DOTS)


def tile_dots(letters: Sequence[int]) -> list[int]:
    """Return the tile for an area of letters: whole dots only, row by row as the letters are."""
    dots = [0] * TILE_HEIGHT_DOTS
    near = [0] * TILE_HEIGHT_DOTS
    before = FINE_SIDE_DOTS - 1 + _CLEARANCE_DOTS
    behind = COARSE_SIDE_DOTS - 1 + _CLEARANCE_DOTS
    middle = COARSE_SIDE_DOTS // 2
    for y, places in _places(COARSE_STEP_DOTS):
        kept = places & letters[y + middle] << middle
        for row in range(y, y + COARSE_SIDE_DOTS):
            dots[row] |= _spread(kept, 0, COARSE_SIDE_DOTS - 1)
        for row in range(y - before, y + behind + 1):
            near[row % TILE_HEIGHT_DOTS] |= _spread(kept, before, behind)
    for y, places in _places(FINE_STEP_DOTS):
        kept = places & ~(letters[y] | near[y])
        for row in range(y, y + FINE_SIDE_DOTS):
            dots[row] |= _spread(kept, 0, FINE_SIDE_DOTS - 1)
    return dots


def _places(step: int) -> list[tuple[int, int]]:
    """Return each row of a slanting grid with the left ends of its dots."""
    even = sum(1 << (TILE_WIDTH_DOTS - 1 - x) for x in range(0, TILE_WIDTH_DOTS, 2 * step))
    return [(y, even >> step if y // step % 2 else even) for y in range(0, TILE_HEIGHT_DOTS, step)]


def _spread(row: int, left: int, right: int) -> int:
    """Return a row in which every bit is as wide as to the left and right as said."""
    spread = row
    for dots in range(1, left + 1):
        spread |= row << dots
    for dots in range(1, right + 1):
        spread |= row >> dots
    return spread & _WHOLE_ROW


def _spread_downwards(rows: Sequence[int], dots: int) -> list[int]:
    """Return rows of which each holds its neighbours' bits, above and below."""
    spread = []
    for y in range(len(rows)):
        joined = 0
        for row in rows[max(0, y - dots) : y + dots + 1]:
            joined |= row
        spread.append(joined)
    return spread
