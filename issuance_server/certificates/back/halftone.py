"""Grey into black and white so that, seen from a little way off, they are the same.

A module is either black or white, and a stroke of small type covers a part of it. A threshold makes
blots of dense characters and loses thin strokes. So modules are changed one by one for as long as
that brings the picture, slightly blurred, nearer to the strokes, slightly blurred and darkened: the
darkening keeps characters whole for people. The result does not depend on what else is
in the picture, if it is at least ``GAP`` modules away and shifted by multiples of ``GRID``.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from issuance_server.certificates.back.window import Bitmap

Coverage: TypeAlias = NDArray[np.uint8]
"""How much of every module is inked, 255 for all of it; rows from the top."""

GAP = 8
GRID = 5

_DARKENING = 1.9
_NEIGHBOUR = 0.2
_MIDDLE = 0.6
_CHANGE = (2 * _NEIGHBOUR**2 + _MIDDLE**2) ** 2
"""By how much the blurred squared error grows if one module of a perfect picture is changed."""
_ROUNDS = 10
_GAIN_MIN = 2e-3
_TIE = 1e-7

# Of a coverage, for the first guess.
_COVERED_MIN = 72
_STROKE_MIN = 69
_STROKE_TOP_MIN = 21
_BARE_MAX = 26


def halftoned(coverage: Coverage) -> Bitmap:
    """Return a picture of black and white modules, as large as the coverage."""
    margin = GAP // 2
    padded = np.pad(coverage, margin)
    wanted = np.minimum(padded.astype(np.float32) * np.float32(_DARKENING / 255), 1)
    black = _first_guess(padded).astype(np.float32)
    rows, columns = (np.arange(length, dtype=np.float32) % GRID for length in black.shape)
    # Within five by five modules no two are alike, so that of equal neighbours one is changed.
    change = np.float32(_CHANGE) + np.float32(_TIE) * (rows[:, None] * GRID + columns)
    for _ in range(_ROUNDS):
        off = _blurred(_blurred(black - wanted))
        gain = change + 2 * (1 - 2 * black) * off
        chosen = (gain < -_GAIN_MIN) & (gain <= _least_around(gain))
        if not chosen.any():
            break
        black = np.where(chosen, 1 - black, black)
    return black[margin:-margin, margin:-margin] > 0


def _first_guess(coverage: Coverage) -> Bitmap:
    """Return what is well covered, and the middle of thin strokes."""
    levels = np.pad(coverage, 1).astype(np.int16)
    middle = levels[1:-1, 1:-1]
    black = middle >= _COVERED_MIN
    for before, after in (
        (levels[:-2, 1:-1], levels[2:, 1:-1]),
        (levels[1:-1, :-2], levels[1:-1, 2:]),
    ):
        top = (middle >= before) & (middle > after) & (middle >= _STROKE_TOP_MIN)
        bare = np.minimum(before, after) < _BARE_MAX
        black |= top & bare & (before + middle + after >= _STROKE_MIN)
    return black


def _blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values mixed with their neighbours', beyond the edges nothing."""
    neighbour, middle = np.float32(_NEIGHBOUR), np.float32(_MIDDLE)
    padded = np.pad(values, ((1, 1), (0, 0)))
    values = (padded[:-2] + padded[2:]) * neighbour + values * middle
    padded = np.pad(values, ((0, 0), (1, 1)))
    return (padded[:, :-2] + padded[:, 2:]) * neighbour + values * middle


def _least_around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the least of the five by five values around each."""
    reach = GRID // 2
    rows, columns = values.shape
    padded = np.pad(values, reach, constant_values=np.inf)
    down = padded[:rows].copy()
    for step in range(1, GRID):
        np.minimum(down, padded[step : step + rows], out=down)
    least = down[:, :columns].copy()
    for step in range(1, GRID):
        np.minimum(least, down[:, step : step + columns], out=least)
    return least
