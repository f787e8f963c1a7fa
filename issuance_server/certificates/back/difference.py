"""Finds where the scan of a face and the face that its back holds are not the same.

A decoded face is black or white, and a scan is neither: printer, paper and scanner blur it. How
they do is learnt from the two themselves, which are alike almost everywhere: first how much of a
module is inked for its neighbours, then how far off that usually is, which is more at the edges of
strokes than on white paper. What is further off than that, over the size of a stroke, is not the
same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from issuance_server.certificates.back.fitting import fitted
from issuance_server.certificates.back.registration import Levels
from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
    Bitmap,
)
from issuance_server.certificates.layout.furniture import CODE_BOX

DIFFERENT_MIN = 1.53
"""How many times further off than usual the surroundings of a module must be, to be different.
Simulated scans of unaltered sheets stayed below 1.46, and of 856 glyphs that were replaced by
others as black as they, every one was above 1.59."""

_CONTINUED_MIN = 1.2
_EXTENTS = (7, 11)
"""Sides of the surroundings: a spot of a badly drawn stroke fills the smaller square only."""
_CELL = 4
_REACH = 2
_STROKE = 5
_EVERY = 5
_RIDGE = 1e-4
_PATTERNS = 512
_PATTERN_STEADINESS = 30.0
_VARIANCE_FLOOR = 0.012
_VARIANCE_RIDGE = 1e-9
_SQUARE_MAX = 0.16
_PAPER_SQUARE_MAX = 0.02
_RULE_MODULES_MIN = 25
_SHORT_RULE_MODULES_MIN = 8
_RULE_REACH = 2
_RULE_MEAN_MODULES = 49
_SPECK_CERTAINTY = 0.5
_CODE_CLEARANCE = 2

_Counts: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of the window, in modules from its upper left corner.

    Attributes:
        column: left edge.
        row: upper edge.
        columns: width.
        rows: height.
    """

    column: int
    row: int
    columns: int
    rows: int


def different_patches(inked: Levels, decoded: Bitmap, certainty: Levels) -> list[Patch]:
    """Return where a scanned face differs from the decoded one.

    Args:
        inked: how much of each module is inked in the scan.
        decoded: what the back holds.
        certainty: of each of its modules, from 0 to 1.
    """
    far = strangeness(inked, decoded, certainty)
    return list(_patches(far))


def strangeness(inked: Levels, decoded: Bitmap, certainty: Levels) -> Levels:
    """Return how many times further off than usual the surroundings of each module are."""
    face = without_specks(decoded, certainty)
    black = face.astype(np.float32)
    compared = _compared_modules()
    expected, scale = _expected(inked, black, compared)
    off = (inked - expected) / scale
    usual = _by_pattern(off, face, compared)
    off = _without_rules(np.where(compared, off - usual, 0), face)
    off *= compared * certainty
    variance = _usual_square(off, black, expected / scale + usual, compared)
    relative = off / np.sqrt(variance + _VARIANCE_FLOOR)
    near, wide = (np.maximum(_mean_around(relative**2, extent), 0) for extent in _EXTENTS)
    return np.asarray((near * wide) ** 0.25, np.float32)


def without_specks(decoded: Bitmap, certainty: Levels) -> Bitmap:
    """Return a face without single black modules that were hardly read."""
    around = _mean_around(decoded.astype(np.float32), _STROKE) * _STROKE**2
    return decoded & ~((around < 1.5) & (certainty < _SPECK_CERTAINTY))  # noqa: PLR2004 - one


def _compared_modules() -> Bitmap:
    """Return the modules that are compared: all but those under the signed code."""
    compared = np.ones((ROWS, COLUMNS), np.bool_)
    left = int((CODE_BOX.x - LEFT_PT) / MODULE_PT) - _CODE_CLEARANCE
    top = int((TOP_PT - CODE_BOX.y - CODE_BOX.height) / MODULE_PT) - _CODE_CLEARANCE
    compared[top:, left:] = False
    return compared


def _expected(inked: Levels, black: Levels, compared: Bitmap) -> tuple[Levels, np.float32]:
    """Return what a scan shows of a face on the whole, and how much of that is solid black."""
    padded = np.pad(black, _REACH)
    steps = range(2 * _REACH + 1)
    views = [padded[y : y + ROWS, x : x + COLUMNS] for y in steps for x in steps]
    views.append(np.ones_like(black))
    chosen = compared[::_EVERY]
    known = np.stack([view[::_EVERY][chosen] for view in views])
    weights = fitted(known, inked[::_EVERY][chosen], _RIDGE)
    expected = np.zeros_like(black)
    for weight, view in zip(weights, views, strict=True):
        expected += np.float32(weight) * view
    return expected, np.float32(max(float(weights[:-1].sum()), _RIDGE))


def _by_pattern(off: Levels, face: Bitmap, compared: Bitmap) -> Levels:
    """Return how far off modules usually are whose nine surroundings look the same."""
    padded = np.pad(face.astype(np.int32), 1)
    pattern: _Counts = np.zeros(face.shape, np.int32)
    for down in range(3):
        for right in range(3):
            pattern = 2 * pattern + padded[down : down + ROWS, right : right + COLUMNS]
    counts = np.bincount(pattern[compared], minlength=_PATTERNS)
    sums = np.bincount(pattern[compared], weights=off[compared], minlength=_PATTERNS)
    return (sums / (counts + _PATTERN_STEADINESS)).astype(np.float32)[pattern]


def _without_rules(off: Levels, face: Bitmap) -> Levels:
    """Take away by how much a ruled line is paler or darker along its whole length."""
    level, upright = _long_runs(face), _long_runs(face.T)
    crossing = _between(face.T, upright).T
    upright = upright | _between(face, level).T
    off = _levelled(off, level | crossing)
    return np.ascontiguousarray(_levelled(off.T, upright).T)


def _levelled(off: Levels, rules: Bitmap) -> Levels:
    """Return values less their mean along each ruled line and beside it."""
    padded = np.pad(rules, ((_RULE_REACH, _RULE_REACH), (0, 0)))
    near = np.zeros_like(rules)
    for step in range(2 * _RULE_REACH + 1):
        near |= padded[step : step + rules.shape[0]]
    total = _sums_along(off * near, _RULE_MEAN_MODULES)
    count = _sums_along(near.astype(np.float32), _RULE_MEAN_MODULES)
    return np.where(near, off - total / np.maximum(count, 1), off)


def _between(face: Bitmap, level: Bitmap) -> Bitmap:
    """Return the upright rules from one level rule to the next: no glyph touches both."""
    rows = face.shape[0]
    row = np.arange(rows)[:, None]
    above = np.maximum.accumulate(np.where(level, row, -1), axis=0)
    below = np.minimum.accumulate(np.where(level, row, rows)[::-1], axis=0)[::-1]
    there = (above >= 0) & (below < rows) & (below - above >= _SHORT_RULE_MODULES_MIN)
    above, below = np.maximum(above, 0), np.minimum(below, rows - 1)
    blacks = np.pad((face | level).astype(np.int32), ((1, 0), (0, 0))).cumsum(axis=0)
    column = np.arange(face.shape[1])[None, :]
    unbroken = blacks[below + 1, column] - blacks[above, column] == below - above + 1
    return np.asarray(there & unbroken)


def _long_runs(black: Bitmap) -> Bitmap:
    """Return the modules that belong to long horizontal runs of black."""
    length = _RULE_MODULES_MIN
    sums = np.pad(black.astype(np.int32), ((0, 0), (1, 0))).cumsum(axis=1)
    starts = np.pad(sums[:, length:] - sums[:, :-length] == length, ((0, 0), (length, length - 1)))
    started = np.pad(starts.astype(np.int32), ((0, 0), (1, 0))).cumsum(axis=1)
    width = black.shape[1]
    runs = started[:, length + 1 : length + 1 + width] - started[:, 1 : 1 + width]
    return np.asarray(runs > 0)


def _sums_along(values: Levels, length: int) -> Levels:
    """Return for every module the sum over so many of its row."""
    half = length // 2
    sums = np.pad(values, ((0, 0), (half + 1, half))).cumsum(axis=1, dtype=np.float64)
    return np.asarray(sums[:, length:] - sums[:, :-length], np.float32)


def _usual_square(off: Levels, black: Levels, expected: Levels, compared: Bitmap) -> Levels:
    """Return how far off, squared, a module usually is, by what the face is like around it."""
    half_tone = np.clip(expected, 0, 1) * (1 - np.clip(expected, 0, 1))
    edges = np.zeros_like(black)
    edges[:, 1:] += np.abs(np.diff(black, axis=1))
    edges[1:] += np.abs(np.diff(black, axis=0))
    near, wide = _mean_around(edges, 3), _mean_around(edges, _STROKE)
    density = _mean_around(black, _STROKE)
    likes = [np.ones_like(black), half_tone, _mean_around(half_tone, 3)]
    likes += [density, density**2, near, wide, wide**2]
    text = density > _RIDGE
    chosen = (compared & text)[::2]
    squares = np.minimum(off**2, _PAPER_SQUARE_MAX)[compared & ~text]
    paper = np.float32(squares.mean() if squares.size else 0)
    if not chosen.any():
        return np.full_like(black, paper)
    known = np.stack([like[::2][chosen] for like in likes]).astype(np.float64)
    wanted = np.minimum(off[::2][chosen].astype(np.float64) ** 2, _SQUARE_MAX)
    weights = fitted(known, wanted, _VARIANCE_RIDGE)
    usual = np.zeros_like(black)
    for weight, like in zip(weights, likes, strict=True):
        usual += np.float32(weight) * like
    return np.where(text, np.maximum(usual, paper), paper)


def _mean_around(values: Levels, side: int) -> Levels:
    """Return the mean of the square around each module."""
    half = side // 2
    sums = np.pad(values, ((half + 1, half), (half + 1, half))).cumsum(axis=0, dtype=np.float64)
    sums = sums.cumsum(axis=1)
    square = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(square / side**2, np.float32)


def _patches(far: Levels) -> Iterator[Patch]:
    """Yield the surroundings of what is different, pieces that touch as one."""
    cells = far.reshape(ROWS // _CELL, _CELL, COLUMNS // _CELL, _CELL).max(axis=(1, 3))
    doubtful = {(int(row), int(column)) for row, column in np.argwhere(cells >= _CONTINUED_MIN)}
    for row, column in np.argwhere(cells >= DIFFERENT_MIN):
        waiting, joined = [(int(row), int(column))], []
        while waiting:
            cell = waiting.pop()
            if cell in doubtful:
                doubtful.remove(cell)
                joined.append(cell)
                waiting += [(cell[0] + y, cell[1] + x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        if joined:
            rows, columns = zip(*joined, strict=True)
            yield Patch(
                column=min(columns) * _CELL,
                row=min(rows) * _CELL,
                columns=(max(columns) - min(columns) + 1) * _CELL,
                rows=(max(rows) - min(rows) + 1) * _CELL,
            )
