"""Lays the scan of a face over what its back holds, module for module.

The signed code in a corner tells about where the sheet lies. From so small a thing the far end of
the sheet cannot be told, so that the scan is turned and scaled a little around the code until it is
most like the decoded face, then drawn into place by ever smaller blocks.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from issuance_server.certificates.back.registration import (
    Blocks,
    Levels,
    Likeness,
    Numbers,
    Placement,
    Point,
    followed,
    interpolated,
    likeness,
    reduced,
    resampled,
    sampled,
    similarity,
)
from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
    Bitmap,
)
from issuance_server.certificates.code.symbol import MODULE_MM_MIN
from issuance_server.certificates.layout.display import MM_PT
from issuance_server.certificates.layout.furniture import CODE_BOX
from protocol.errors import KofuError

LIKENESS_MIN = 0.25
"""Of a whole face and what its back holds; the same form with other entries is at 0.6."""

_COARSE = 4
_TURNS_DEGREES = np.arange(-6, 7) * 0.075
_SCALES = 1 + np.arange(-10, 11) * 0.002
_STEPS = ((2, 3, Blocks(8, 6)), (1, 3, Blocks(8, 6)))
_LAST_BLOCKS = Blocks(16, 12)
_LAST_FINENESS = 2
_LAST_RADIUS = 3
_MARGIN = 8
_SCORE_MIN = 0.3
_SHIFT_MAX = 1.0
_STEADINESS = 0.05
_PAPER_BLOCKS = Blocks(32, 24)
_PAPER_PERCENTILE = 85


class FaceUnreadable(KofuError):
    """The face cannot be compared by this picture; the text says why."""


class FaceForeign(KofuError):
    """The face has nothing in common with what its back holds."""


def inked_face(
    picture: Image.Image, corners: Sequence[Point], code_modules: int, decoded: Bitmap
) -> Levels:
    """Return how much of every module is inked in the scan of a face, about 0 to 1.

    Args:
        picture: in grey; 200 dpi or more, any way round, lying flat.
        corners: of the signed code in it, in pixels.
        code_modules: of that code, on a side.
        decoded: what the back holds.

    Raises:
        FaceUnreadable: the picture does not show the whole sheet.
        FaceForeign: it shows another face.
    """
    ours = _code_corners(code_modules)
    placement = similarity(ours, corners)
    expected = decoded.astype(np.float32)
    placement = _turned_into_place(picture, placement, _middle(ours), expected)
    levels, placement = reduced(picture, placement)
    for stride, radius, blocks in _STEPS:
        samples = _coarser(-resampled(levels, placement, 1, _MARGIN), stride)
        seen = likeness(samples, _coarser(expected, stride), 1, radius, blocks)
        wider = Likeness(seen.shifts * stride, seen.scores, seen.sharpness)
        placement = followed(placement, wider, _SCORE_MIN)
    samples = -resampled(levels, placement, _LAST_FINENESS, _MARGIN)
    seen = likeness(samples, expected, _LAST_FINENESS, _LAST_RADIUS, _LAST_BLOCKS)
    if not placement.lies_in((levels.shape[1], levels.shape[0])):
        raise FaceUnreadable("the picture does not show the whole face")
    return _inked(levels, Placement(placement.matrix, _steadied(seen)))


def _code_corners(modules: int) -> list[Point]:
    """Return the corners of the signed code in the window."""
    side = modules * MODULE_MM_MIN * MM_PT / MODULE_PT
    middle_x = (CODE_BOX.x + CODE_BOX.width / 2 - LEFT_PT) / MODULE_PT
    middle_y = (TOP_PT - CODE_BOX.y - CODE_BOX.height / 2) / MODULE_PT
    left, right = middle_x - side / 2, middle_x + side / 2
    top, bottom = middle_y - side / 2, middle_y + side / 2
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _middle(points: Sequence[Point]) -> Point:
    x, y = np.array(points).mean(axis=0)
    return float(x), float(y)


def _turned_into_place(
    picture: Image.Image, placement: Placement, about: Point, expected: Levels
) -> Placement:
    """Turn and scale about a point until the picture is most like what is expected."""
    factor = max(1, int(placement.pixels_per_module * _COARSE / 2))
    small = np.asarray(picture.reduce(factor), np.float32)
    rough = placement.reduced(factor)
    columns = np.arange(_COARSE / 2, COLUMNS, _COARSE)
    rows = np.arange(_COARSE / 2, ROWS, _COARSE)
    wanted = _coarser(expected, _COARSE)
    wanted = wanted - wanted.mean()
    wanted /= np.sqrt((wanted**2).sum()) + np.float32(1e-6)
    best, found = LIKENESS_MIN, None
    for degrees in _TURNS_DEGREES:
        for scale in _SCALES:
            seen = -sampled(small, rough.turned(about, degrees, scale), columns, rows)
            seen -= seen.mean()
            score = float((seen * wanted).sum() / (np.sqrt((seen**2).sum()) + 1e-6))
            if score > best:
                best, found = score, placement.turned(about, degrees, scale)
    if found is None:
        raise FaceForeign("the face has nothing in common with what its back holds")
    return found


def _coarser(values: Levels, stride: int) -> Levels:
    rows, columns = values.shape
    blocks = values.reshape(rows // stride, stride, columns // stride, stride)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _steadied(seen: Likeness) -> Numbers:
    """Return the blocks' shifts, blended with their neighbours'; blank blocks do not move."""
    trust = seen.sharpness * (np.maximum(seen.scores, 0) ** 2)[:, :, None]
    trust *= np.asarray(np.abs(seen.shifts) < _SHIFT_MAX).all(axis=2, keepdims=True)
    return _blended(trust * seen.shifts) / (_blended(trust) + _STEADINESS)


def _blended(values: Numbers) -> Numbers:
    """Return sums over three by three blocks, the middle counting most."""
    rows, columns = values.shape[:2]
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    blended = np.zeros_like(values)
    for down, weight_down in enumerate((1, 2, 1)):
        for right, weight_right in enumerate((1, 2, 1)):
            part = padded[down : down + rows, right : right + columns]
            blended += weight_down * weight_right * part
    return blended


def _inked(levels: Levels, placement: Placement) -> Levels:
    """Return how dark each module is against the paper around it."""
    samples = resampled(levels, placement, _LAST_FINENESS, 1)
    dark = np.zeros((ROWS, COLUMNS), np.float32)
    for down, weight_down in ((-1, 1), (0, 2), (1, 1)):
        for right, weight_right in ((-1, 1), (0, 2), (1, 1)):
            part = samples[2 + down :: 2, 2 + right :: 2][:ROWS, :COLUMNS]
            dark += np.float32(weight_down * weight_right / 16) * part
    rows, columns = _PAPER_BLOCKS.rows, _PAPER_BLOCKS.columns
    blocks = dark.reshape(rows, ROWS // rows, columns, COLUMNS // columns)
    paper = _greatest_around(np.percentile(blocks, _PAPER_PERCENTILE, axis=(1, 3)))
    background = interpolated(paper, *Blocks(ROWS, COLUMNS).middles)
    return np.asarray(1 - dark / np.maximum(background, 1), np.float32)


def _greatest_around(blocks: Numbers) -> Numbers:
    """Return the greatest of each block and its neighbours: within a seal there is little paper."""
    rows, columns = blocks.shape
    padded = np.pad(blocks, 1, mode="edge")
    steps = range(3)
    parts = [padded[y : y + rows, x : x + columns] for y in steps for x in steps]
    return np.asarray(np.max(parts, axis=0), np.float64)
