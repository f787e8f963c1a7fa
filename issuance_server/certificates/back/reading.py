"""Reads a back: from a scan to the face that was encrypted into it.

Markers tell about where the picture lies. The keystream tells exactly: nine modules of ten are as
it says, since most of a face is white, so each block of the scan is laid where it is most like the
keystream. It also shows how the scanner blurs neighbours into each other, and that is undone by a
linear filter that makes the samples most like the keystream.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from issuance_server.certificates.back.fitting import fitted
from issuance_server.certificates.back.page import MARKER_CORNERS, MARKER_SIDE, MARKER_TEXTS
from issuance_server.certificates.back.registration import (
    Blocks,
    Levels,
    Likeness,
    Numbers,
    Placement,
    Point,
    block_sums,
    homography,
    interpolated,
    likeness,
    reduced,
    resampled,
)
from issuance_server.certificates.back.scramble import keystream, sheet_key
from issuance_server.certificates.back.window import COLUMNS, ROWS, Bitmap, unpacked
from issuance_server.certificates.verify.pictures import SeenCode
from protocol.errors import KofuError
from protocol.secret import Secret

MARKERS_MIN = 3
LIKENESS_MIN = 0.2
"""Of the median block: another sheet's picture stays far below, a good scan is at 0.7."""

_BLOCKS = Blocks(16, 10)
_FINENESS = 2
_RADIUS = 5
_MARGIN = 4
_LEVEL_BLOCKS = Blocks(32, 24)
_REACH = 3
_TRAINED_EVERY = 13
_RIDGE = 1e-3
_DISAGREEMENT = 0.5
_SPECK_REACH = 2
_SURE = 0.5
"""A module is sure if it is half as clearly black or white as most are."""


class BackUnreadable(KofuError):
    """The face cannot be had from this picture; the text says why."""


@dataclass(frozen=True, slots=True)
class DecodedFace:
    """A face as its back has it.

    Attributes:
        bitmap: the window.
        certainty: of each module, from 0 to 1.
        error_rate: share of modules that were read wrongly, estimated.
    """

    bitmap: Bitmap
    certainty: Levels
    error_rate: float


def read_back(
    picture: Image.Image, codes: Sequence[SeenCode], secret: Secret, number: str, sheet: int
) -> DecodedFace:
    """Decrypt the face of a sheet from a scan of its back.

    Args:
        picture: in grey; 200 dpi or more, any way round, lying flat.
        codes: those that are seen in the picture.
        secret: the city's secret of backs.
        number: 発行番号 of the copy, without the page number.
        sheet: number of the sheet, from 1.

    Raises:
        BackUnreadable: it is no back, that of another sheet, or too poor a picture.
    """
    placement = _from_markers(codes)
    if not placement.lies_in(picture.size):
        raise BackUnreadable("the picture does not show the whole back, lying flat")
    levels, placement = reduced(picture, placement)
    expected = unpacked(keystream(sheet_key(secret, number, sheet)))
    template = np.where(expected, np.float32(-1), np.float32(1))
    seen = likeness(
        _evened(resampled(levels, placement, _FINENESS, _MARGIN)),
        template,
        _FINENESS,
        _RADIUS,
        _BLOCKS,
    )
    if np.median(seen.scores) < LIKENESS_MIN:
        raise BackUnreadable("the back is that of another sheet, or the picture is too poor")
    placed = Placement(placement.matrix, _smoothed(seen))
    samples = _evened(resampled(levels, placed, _FINENESS, _MARGIN))
    sharpened = _sharpened(samples, template)
    bitmap = (sharpened < 0) ^ expected
    certainty = np.clip(np.abs(sharpened) / (_SURE * np.median(np.abs(sharpened))), 0, 1)
    return DecodedFace(bitmap, certainty.astype(np.float32), _error_rate(bitmap))


def _from_markers(codes: Sequence[SeenCode]) -> Placement:
    """Return about where the window lies."""
    ours: list[Point] = []
    theirs: list[Point] = []
    for code in codes:
        if code.text in MARKER_TEXTS:
            column, row = MARKER_CORNERS[MARKER_TEXTS.index(code.text)]
            right, below = column + MARKER_SIDE, row + MARKER_SIDE
            ours += [(column, row), (right, row), (right, below), (column, below)]
            theirs += code.corners
    if len(ours) < 4 * MARKERS_MIN:
        raise BackUnreadable("the markers at the corners of the back are not to be seen")
    return homography(ours, theirs)


def _evened(samples: Levels) -> Levels:
    """Return samples without the slow changes of paper and light."""
    margin = _MARGIN * _FINENESS
    inner = samples[margin:-margin:_FINENESS, margin:-margin:_FINENESS]
    means = block_sums(inner, _LEVEL_BLOCKS) / (
        inner.size / (_LEVEL_BLOCKS.rows * _LEVEL_BLOCKS.columns)
    )
    rows = np.arange(samples.shape[0]) / _FINENESS - _MARGIN + 0.5
    columns = np.arange(samples.shape[1]) / _FINENESS - _MARGIN + 0.5
    return samples - interpolated(means, rows, columns)


def _smoothed(seen: Likeness) -> Numbers:
    """Return the blocks' shifts; one that disagrees with its neighbours is replaced by theirs."""
    padded = np.pad(seen.shifts, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns = seen.scores.shape
    around = np.stack(
        [
            padded[down : down + rows, right : right + columns]
            for down in range(3)
            for right in range(3)
        ]
    )
    usual = np.median(around, axis=0)
    off = np.abs(seen.shifts - usual).max(axis=2) > _DISAGREEMENT
    doubtful = off | (seen.scores < LIKENESS_MIN)
    return np.where(doubtful[:, :, None], usual, seen.shifts)


def _sharpened(samples: Levels, template: Levels) -> Levels:
    """Return one value a module: positive where paper is, negative where ink is."""
    margin = _MARGIN * _FINENESS
    views = [
        samples[margin + down :: _FINENESS, margin + right :: _FINENESS][:ROWS, :COLUMNS]
        for down in range(-_REACH, _REACH + 1)
        for right in range(-_REACH, _REACH + 1)
    ]
    known = np.stack([view[::_TRAINED_EVERY].ravel() for view in views])
    wanted = template[::_TRAINED_EVERY].ravel()
    weights = fitted(known, wanted, _RIDGE)
    sharpened = np.zeros((ROWS, COLUMNS), np.float32)
    for weight, view in zip(weights, views, strict=True):
        sharpened += np.float32(weight) * view
    return sharpened


def _error_rate(bitmap: Bitmap) -> float:
    """Estimate wrong modules by single black ones on white: no glyph has any."""
    padded = np.pad(bitmap, _SPECK_REACH).astype(np.int8)
    around = np.zeros((ROWS, COLUMNS), np.int8)
    for down in range(2 * _SPECK_REACH + 1):
        for right in range(2 * _SPECK_REACH + 1):
            around += padded[down : down + ROWS, right : right + COLUMNS]
    lonely = int((bitmap & (around == 1)).sum())
    white = int((around == 0).sum())
    return lonely / max(lonely + white, 1)
