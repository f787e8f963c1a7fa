"""Pictures for people: what was issued, what was scanned, and where the two are not the same."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from issuance_server.certificates.back.difference import Patch
from issuance_server.certificates.back.registration import Levels
from issuance_server.certificates.back.window import Bitmap

Colours: TypeAlias = NDArray[np.uint8]
"""Rows of red, green and blue."""

PIXELS_PER_MODULE = 2
"""The pictures have 200 dots to the inch."""
MISSING_COLOUR = (0, 90, 200)
"""What the back has and the scan has not: blue."""
ADDED_COLOUR = (200, 30, 0)
"""What the scan has and the back has not: red."""
BOX_COLOUR = (230, 0, 120)

_INKED = 0.4
_BARE = 0.25
_BOX_PIXELS = 3
_BOX_CLEARANCE = 4


def issued_picture(decoded: Bitmap, patches: Sequence[Patch]) -> Image.Image:
    """Return the face as it was issued, altered parts boxed."""
    levels = np.where(decoded, 0, 255).astype(np.uint8)
    return _boxed(np.stack([levels] * 3, axis=2), patches)


def scanned_picture(inked: Levels, patches: Sequence[Patch]) -> Image.Image:
    """Return the face as it was scanned, laid straight, altered parts boxed."""
    levels = (255 * (1 - np.clip(inked, 0, 1))).astype(np.uint8)
    return _boxed(np.stack([levels] * 3, axis=2), patches)


def difference_picture(inked: Levels, decoded: Bitmap, patches: Sequence[Patch]) -> Image.Image:
    """Return both in one picture: grey where they agree; what was added red, what is gone blue."""
    levels = (255 * (1 - np.clip(inked, 0, 1))).astype(np.uint8)
    colours = np.stack([levels] * 3, axis=2)
    for patch in patches:
        part = np.s_[
            patch.row : patch.row + patch.rows, patch.column : patch.column + patch.columns
        ]
        # The places below are views: to colour them is to colour the whole.
        colours[part][decoded[part] & (inked[part] < _BARE)] = MISSING_COLOUR
        colours[part][~decoded[part] & (inked[part] > _INKED)] = ADDED_COLOUR
    return _boxed(colours, patches)


def _boxed(colours: Colours, patches: Sequence[Patch]) -> Image.Image:
    """Enlarge a picture and draw boxes around patches."""
    picture = Image.fromarray(colours)
    picture = picture.resize(
        (picture.width * PIXELS_PER_MODULE, picture.height * PIXELS_PER_MODULE),
        Image.Resampling.BICUBIC,
    )
    pen = ImageDraw.Draw(picture)
    for patch in patches:
        left, top = patch.column - _BOX_CLEARANCE, patch.row - _BOX_CLEARANCE
        right = patch.column + patch.columns + _BOX_CLEARANCE
        bottom = patch.row + patch.rows + _BOX_CLEARANCE
        corners = tuple(PIXELS_PER_MODULE * edge for edge in (left, top, right, bottom))
        pen.rectangle(corners, outline=BOX_COLOUR, width=_BOX_PIXELS)
    return picture
