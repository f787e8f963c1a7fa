"""The pale ground of every sheet: fine interlaced waves, and 見本 across a specimen."""

import math

from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import (
    MM_PT,
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
    Box,
    Drawing,
    Stencil,
)
from issuance_server.certificates.layout.latent import DOTS_PER_INCH, latent_tile
from issuance_server.certificates.layout.outline import character_outline

POINTS_PER_INCH = 72
GROUND_COLOUR = b"0.10 0.56 0.50 rg"
WAVE_COLOUR = b"0.80 0.89 0.86 RG"
ROSETTE_COLOUR = b"0.74 0.86 0.82 RG"
SPECIMEN_COLOUR = b"0.88 0.92 0.90 rg"
_HAIR_PT = 0.25
_INSET_PT = 8 * MM_PT
_WAVES = 56
_WAVE_CREST_PT = 11.0
_WAVE_PERIODS = 4
_ROSETTE_LINES = 24
_ROSETTE_PETALS = 9
_ROSETTE_STEPS = 108
_ROSETTE_RADIUS_PT = 158.0
_ROSETTE_PETAL_PT = 30.0
_SPECIMEN_CHARACTER_PT = 84.0
_SPECIMEN_GAP_PT = 18.0


def tint(fonts: FontList, *, specimen: bool) -> Drawing:
    """Draw the ground of a sheet.

    Args:
        fonts: where the characters of 見本 come from.
        specimen: whether to write 見本 across it.
    """
    operators = [b"q %.2f w" % _HAIR_PT]
    if specimen:
        operators += [SPECIMEN_COLOUR, *_specimen(fonts)]
    operators += [WAVE_COLOUR, *_waves(), ROSETTE_COLOUR, *_rosette(), b"Q"]
    tile = latent_tile(fonts)
    return Drawing(operators=b"\n".join((_ground(tile), *operators)), stencils=(tile,))


def _ground(tile: Stencil) -> bytes:
    """Cover the sheet with tiles, dot for dot of the printer."""
    width, height = (
        dots * POINTS_PER_INCH / DOTS_PER_INCH for dots in (tile.width_dots, tile.height_dots)
    )
    operators = [b"q " + GROUND_COLOUR]
    for row in range(math.ceil(SHEET_HEIGHT_PT / height)):
        for column in range(math.ceil(SHEET_WIDTH_PT / width)):
            place = (width, height, column * width, row * height, tile.name.encode("ascii"))
            operators.append(b"q %.1f 0 0 %.1f %.1f %.1f cm /%b Do Q" % place)
    return b"\n".join((*operators, b"Q"))


def _waves() -> list[bytes]:
    """Horizontal waves in two phases: each half period is one Bezier curve."""
    left, width = _INSET_PT, SHEET_WIDTH_PT - 2 * _INSET_PT
    half = width / (2 * _WAVE_PERIODS)
    paths = []
    for wave in range(_WAVES):
        y = _INSET_PT + (SHEET_HEIGHT_PT - 2 * _INSET_PT) * (wave + 0.5) / _WAVES
        for side in (1, -1):
            path = [b"%.1f %.1f m" % (left, y)]
            for step in range(2 * _WAVE_PERIODS):
                x, crest = left + step * half, y + side * (-1) ** step * _WAVE_CREST_PT
                path.append(
                    b"%.1f %.1f %.1f %.1f %.1f %.1f c"
                    % (x + half * 0.36, crest, x + half * 0.64, crest, x + half, y)
                )
            paths.append(b" ".join((*path, b"S")))
    return paths


def _rosette() -> list[bytes]:
    """A ring of shifted petals in the middle of the sheet."""
    middle_x, middle_y = SHEET_WIDTH_PT / 2, SHEET_HEIGHT_PT / 2
    paths = []
    for line in range(_ROSETTE_LINES):
        phase = 2 * math.pi * line / _ROSETTE_LINES
        points = []
        for step in range(_ROSETTE_STEPS):
            angle = 2 * math.pi * step / _ROSETTE_STEPS
            swing = _ROSETTE_PETAL_PT * math.sin(_ROSETTE_PETALS * angle + phase)
            radius = _ROSETTE_RADIUS_PT + swing
            points.append(
                (middle_x + radius * math.cos(angle), middle_y + radius * math.sin(angle))
            )
        start, *others = (b"%.1f %.1f" % point for point in points)
        paths.append(start + b" m " + b" ".join(point + b" l" for point in others) + b" s")
    return paths


def _specimen(fonts: FontList) -> list[bytes]:
    """見本 in two large characters within the rosette."""
    side = _SPECIMEN_CHARACTER_PT
    y = (SHEET_HEIGHT_PT - side) / 2
    right = (SHEET_WIDTH_PT + _SPECIMEN_GAP_PT) / 2
    left = right - _SPECIMEN_GAP_PT - side
    outlines = []
    for character, x in (("見", left), ("本", right)):
        box = Box(x=x, y=y, width=side, height=side)
        outlines += [character_outline(fonts, character, box), b"f"]
    return outlines
