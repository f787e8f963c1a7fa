"""Where the modules of a window lie in a scan: first from codes, then by likeness, block by block.

Places in a window are columns and rows in modules from its upper left corner, the middle of the
first module at (0.5, 0.5). Places in a picture are pixels in the same manner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from issuance_server.certificates.back.window import COLUMNS, ROWS

Levels: TypeAlias = NDArray[np.float32]
"""Rows of grey values."""
Numbers: TypeAlias = NDArray[np.float64]
Point: TypeAlias = tuple[float, float]
_Indices: TypeAlias = NDArray[np.intp]

PIXELS_PER_MODULE = 2.5
"""Scans that are finer than twice this are reduced."""

_BAND_ROWS = 256
_BEYOND_MODULES = 4
_PIXELS_PER_MODULE_MIN = 1.0
_LEVEL_FLOOR = 1e-6
_FIT_ROUNDS = 6
_OUTLIER_MODULES_MIN = 0.3
_CURVATURE_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Blocks:
    """How a window is divided.

    Attributes:
        rows: blocks from top to bottom.
        columns: blocks from left to right.
    """

    rows: int
    columns: int

    @property
    def middles(self) -> tuple[Numbers, Numbers]:
        """Rows and columns of the middles of the blocks, in modules."""
        return _middles(self.rows, ROWS), _middles(self.columns, COLUMNS)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a window lies in a picture.

    Attributes:
        matrix: 3 x 3, from the window to the picture, in homogeneous coordinates.
        shifts: blocks x blocks x 2: how far off, in columns and rows, the middle of each block
            lies besides; in between it is interpolated.
    """

    matrix: Numbers
    shifts: Numbers | None = None

    @property
    def pixels_per_module(self) -> float:
        """How large a module in the middle of the window is."""
        middle = (COLUMNS / 2, ROWS / 2)
        near = [self.place(middle), self.place((middle[0] + 1, middle[1]))]
        return float(np.hypot(near[1][0] - near[0][0], near[1][1] - near[0][1]))

    def place(self, point: Point) -> Point:
        """Return where a point of the window lies, without the shifts."""
        x, y, w = self.matrix @ (*point, 1.0)
        return float(x / w), float(y / w)

    def lies_in(self, picture: tuple[int, int]) -> bool:
        """Tell whether the whole window lies in a picture of this width and height, or nearly.

        What is read from a stranger's picture may be no placement at all.
        """
        corners = np.array([(x, y, 1.0) for x in (0, COLUMNS) for y in (0, ROWS)])
        x, y, w = self.matrix @ corners.T
        # On this side of the horizon everywhere, or it is not a sheet that somebody scanned.
        if not np.isfinite(self.matrix).all() or not (w > _LEVEL_FLOOR).all():
            return False
        size = self.pixels_per_module
        inside = [
            (-_BEYOND_MODULES * size <= places) & (places <= length + _BEYOND_MODULES * size)
            for places, length in zip((x / w, y / w), picture, strict=True)
        ]
        return bool(np.all(inside)) and size >= _PIXELS_PER_MODULE_MIN

    def turned(self, about: Point, degrees: float, scale: float) -> "Placement":
        """Return the placement of the window turned and scaled about one of its points."""
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
        change = np.eye(3)
        change[:2, :2] = turn
        change[:2, 2] = np.array(about) - turn @ np.array(about)
        return Placement(self.matrix @ change)

    def reduced(self, factor: int) -> "Placement":
        """Return the same for a picture that is so much smaller."""
        return Placement(np.diag([1 / factor, 1 / factor, 1.0]) @ self.matrix, self.shifts)


def homography(window: Sequence[Point], picture: Sequence[Point]) -> Placement:
    """Return the placement that takes points of the window (at least 4) to those of a picture.

    The least squares are taken over coordinates of about 1, as their solution asks.
    """
    ours, theirs = np.array(window, float), np.array(picture, float)
    to_unit, unit = _unit(ours), _unit(theirs)
    x, y = (ours @ to_unit[:2, :2].T + to_unit[:2, 2]).T
    u, v = (theirs @ unit[:2, :2].T + unit[:2, 2]).T
    ones, zeros = np.ones_like(x), np.zeros_like(x)
    equations = np.concatenate(
        [
            np.stack([x, y, ones, zeros, zeros, zeros, -u * x, -u * y], axis=1),
            np.stack([zeros, zeros, zeros, x, y, ones, -v * x, -v * y], axis=1),
        ]
    )
    solution = np.linalg.lstsq(equations, np.concatenate([u, v]), rcond=None)[0]
    matrix = np.linalg.inv(unit) @ np.append(solution, 1.0).reshape(3, 3) @ to_unit
    return Placement(matrix / matrix[2, 2])


def similarity(window: Sequence[Point], picture: Sequence[Point]) -> Placement:
    """Return the placement that moves, turns and scales points of the window to a picture's."""
    ours, theirs = np.array(window, float), np.array(picture, float)
    middle, their_middle = ours.mean(axis=0), theirs.mean(axis=0)
    x, y = (ours - middle).T
    u, v = (theirs - their_middle).T
    power = float((x * x + y * y).sum())
    along, across = float((x * u + y * v).sum()) / power, float((x * v - y * u).sum()) / power
    turn = np.array([[along, -across], [across, along]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = their_middle - turn @ middle
    return Placement(matrix)


def reduced(picture: Image.Image, placement: Placement) -> tuple[Levels, Placement]:
    """Return a picture's levels, and of a very fine one those of a smaller picture."""
    factor = max(1, int(placement.pixels_per_module / PIXELS_PER_MODULE))
    if factor > 1:
        picture, placement = picture.reduce(factor), placement.reduced(factor)
    return np.asarray(picture, np.float32), placement


def resampled(levels: Levels, placement: Placement, fineness: int, margin: int) -> Levels:
    """Return the window as it lies in a picture, ``fineness`` samples to a module.

    Args:
        levels: the picture.
        placement: of the window in it.
        fineness: the first sample of each module lies in its middle.
        margin: modules around the window that are taken too.
    """
    columns = np.arange(-margin * fineness, (COLUMNS + margin) * fineness) / fineness + 0.5
    rows = np.arange(-margin * fineness, (ROWS + margin) * fineness) / fineness + 0.5
    samples = np.empty((len(rows), len(columns)), np.float32)
    for start in range(0, len(rows), _BAND_ROWS):
        band = np.s_[start : start + _BAND_ROWS]
        samples[band] = sampled(levels, placement, columns, rows[band])
    return samples


def sampled(levels: Levels, placement: Placement, columns: Numbers, rows: Numbers) -> Levels:
    """Return a picture at the crossings of rows and columns of the window."""
    x, y = columns[None, :].astype(np.float32), rows[:, None].astype(np.float32)
    if placement.shifts is not None:
        x = x + interpolated(placement.shifts[:, :, 0], rows, columns)
        y = y + interpolated(placement.shifts[:, :, 1], rows, columns)
    a = placement.matrix.astype(np.float32)
    w = a[2, 0] * x + a[2, 1] * y + a[2, 2]
    height, width = levels.shape
    # a pixel's value stands in its middle
    u = np.clip((a[0, 0] * x + a[0, 1] * y + a[0, 2]) / w - 0.5, 0, width - 1.001)
    v = np.clip((a[1, 0] * x + a[1, 1] * y + a[1, 2]) / w - 0.5, 0, height - 1.001)
    left, top = u.astype(np.int32), v.astype(np.int32)
    u -= left
    v -= top
    first = top * width + left
    flat = levels.reshape(-1)
    above = flat[first] * (1 - u) + flat[first + 1] * u
    first += width
    below = flat[first] * (1 - u) + flat[first + 1] * u
    return np.asarray(above * (1 - v) + below * v, np.float32)


def interpolated(blocks: NDArray[np.floating], rows: Numbers, columns: Numbers) -> Levels:
    """Return values given at the middles of blocks, at the crossings of rows and columns."""
    above, below, down = _between(rows, _middles(blocks.shape[0], ROWS))
    left, right, across = _between(columns, _middles(blocks.shape[1], COLUMNS))
    values = blocks.astype(np.float32)
    lines = values[above] * (1 - down[:, None]) + values[below] * down[:, None]
    return np.asarray(lines[:, left] * (1 - across) + lines[:, right] * across, np.float32)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How blocks of a window lie in samples, each array blocks x blocks.

    Attributes:
        shifts: x 2, in columns and rows, in modules.
        scores: correlation at the best shift, up to 1.
        sharpness: x 2, how quickly it falls off on either side in columns and rows.
    """

    shifts: Numbers
    scores: Numbers
    sharpness: Numbers


def likeness(
    samples: Levels, template: Levels, fineness: int, radius: int, blocks: Blocks
) -> Likeness:
    """Find the shift of every block at which samples are most like a template.

    Args:
        samples: as ``resampled`` gives them, with a margin of at least ``radius`` samples.
        template: what is expected, one value a module, or a coarser one of both.
        fineness: samples to a value of the template.
        radius: how far to look, in samples.
        blocks: the division of the template.
    """
    rows, columns = template.shape
    margin = (samples.shape[0] - rows * fineness) // 2
    size = template.size / (blocks.rows * blocks.columns)
    means = block_sums(template, blocks) / size
    spread = np.sqrt(np.maximum(block_sums(template**2, blocks) / size - means**2, _LEVEL_FLOOR))
    squares = samples**2
    found = np.empty((2 * radius + 1, 2 * radius + 1, blocks.rows, blocks.columns))
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            view = np.s_[margin + down :: fineness, margin + right :: fineness]
            seen = samples[view][:rows, :columns]
            level = block_sums(seen, blocks) / size
            power = block_sums(squares[view][:rows, :columns], blocks) / size - level**2
            product = block_sums(seen * template, blocks) / size - level * means
            # Noise of a blank block must not look like anything.
            scale = spread * np.sqrt(np.maximum(power, _LEVEL_FLOOR))
            found[down + radius, right + radius] = product / scale
    return _peaks(found, radius, fineness)


def block_sums(values: NDArray[np.floating], blocks: Blocks) -> Numbers:
    """Return the sum of each block of an array that they divide evenly."""
    down = values.reshape(blocks.rows, -1, values.shape[1]).sum(axis=1)
    return np.asarray(down.reshape(blocks.rows, blocks.columns, -1).sum(axis=2), np.float64)


def _peaks(found: Numbers, radius: int, fineness: int) -> Likeness:
    """Return the best shift of every block, to a fraction of a sample by a parabola."""
    side = 2 * radius + 1
    flat = found.reshape(side * side, -1)
    best = flat.argmax(axis=0)
    down, right = np.divmod(best, side)
    place = np.arange(flat.shape[1])
    cube = found.reshape(side, side, -1)
    inner_down, inner_right = np.clip(down, 1, side - 2), np.clip(right, 1, side - 2)
    shift_down, sharp_down = _vertex(
        *(cube[inner_down + step, right, place] for step in (-1, 0, 1))
    )
    shift_right, sharp_right = _vertex(
        *(cube[down, inner_right + step, place] for step in (-1, 0, 1))
    )
    shape = found.shape[2:]
    shifts = np.stack(
        [inner_right + shift_right - radius, inner_down + shift_down - radius], axis=1
    )
    return Likeness(
        shifts=(shifts / fineness).reshape(*shape, 2),
        scores=flat[best, place].reshape(shape),
        sharpness=np.stack([sharp_right, sharp_down], axis=1).reshape(*shape, 2),
    )


def _vertex(before: Numbers, middle: Numbers, after: Numbers) -> tuple[Numbers, Numbers]:
    """Return the top of the parabola through three values, and how sharp it is."""
    curvature = np.maximum(2 * middle - before - after, _CURVATURE_FLOOR)
    return np.clip((after - before) / (2 * curvature), -1, 1), curvature


def followed(placement: Placement, seen: Likeness, score_min: float) -> Placement:
    """Return a placement that an affine correction makes agree with the blocks' shifts.

    Blocks count by the sharpness of their likeness in each direction, so that a ruled line says
    nothing of where along itself it lies; those that disagree with the most are left out.
    """
    rows, columns = Blocks(*seen.scores.shape).middles
    y, x = (places.ravel() for places in np.meshgrid(rows, columns, indexing="ij"))
    terms = np.stack([x - COLUMNS / 2, y - ROWS / 2, np.ones_like(x)], axis=1)
    good = (seen.scores > score_min).ravel()
    correction = np.eye(3)
    for axis in range(2):
        shifts = seen.shifts[:, :, axis].ravel()
        weights = np.where(good, seen.sharpness[:, :, axis].ravel(), 0.0)
        fitted = _fitted(terms, shifts, weights)
        correction[axis, :2] += fitted[:2]
        correction[axis, 2] = fitted[2] - fitted[0] * COLUMNS / 2 - fitted[1] * ROWS / 2
    return Placement(placement.matrix @ correction)


def _fitted(terms: Numbers, shifts: Numbers, weights: Numbers) -> Numbers:
    """Fit shifts by their place, with less and less weight to outliers."""
    trust = weights
    fitted: Numbers = np.zeros(terms.shape[1])
    for _ in range(_FIT_ROUNDS):
        root = np.sqrt(trust)
        solved = np.linalg.lstsq(terms * root[:, None], shifts * root, rcond=1e-8)[0]
        fitted = np.asarray(solved, np.float64)
        off = np.abs(shifts - terms @ fitted)
        usual = np.median(off[weights > 0]) if np.any(weights > 0) else 0.0
        limit = max(2.5 * float(usual), _OUTLIER_MODULES_MIN)
        trust = weights / (1 + (off / limit) ** 4)
    return fitted


def _unit(points: Numbers) -> Numbers:
    """Return the matrix that moves points to the origin and scales them to about 1."""
    middle = points.mean(axis=0)
    scale = 1 / max(float(np.abs(points - middle).max()), _LEVEL_FLOOR)
    matrix = np.diag([scale, scale, 1.0])
    matrix[:2, 2] = -scale * middle
    return matrix


def _middles(count: int, length: int) -> Numbers:
    return np.asarray((np.arange(count) + 0.5) * (length / count), np.float64)


def _between(places: Numbers, knots: Numbers) -> tuple[_Indices, _Indices, Levels]:
    """Return the knots before and behind each place, and how far it is from one to the other."""
    step = knots[1] - knots[0] if len(knots) > 1 else 1.0
    position = np.clip((places - knots[0]) / step, 0, len(knots) - 1)
    before = position.astype(np.intp)
    behind = np.minimum(before + 1, len(knots) - 1)
    return before, behind, (position - before).astype(np.float32)
