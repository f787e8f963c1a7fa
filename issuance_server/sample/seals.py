"""Sample seals: a family name in a ring, an oval or a square, as an impression at 600 dpi.

Outlines of the packages' fonts are filled dot by dot, so that nothing is needed to draw with and
the same seal has the same dots everywhere.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from issuance_server.certificates.dates import registered
from issuance_server.certificates.fonts import FontList
from issuance_server.core.register import Household, Resident, age_on
from issuance_server.core.seal_register import (
    IMPRESSION_DOTS_PER_INCH,
    SealImpression,
    SealRegistration,
)
from issuance_server.sample.city import SAMPLE_DAY

Point = tuple[float, float]
Outline = list[Point]

SEAL_AGE_MIN_YEARS = 15
_DOTS_PER_MM = IMPRESSION_DOTS_PER_INCH / 25.4
_CURVE_STEPS = 8
_RING_STEPS = 180
_CHARACTERS_MAX = 4
_VARIATION_SELECTORS_FROM = 0xE0000


@dataclass(frozen=True, slots=True, kw_only=True)
class SealShape:
    """What a seal is cut like.

    Attributes:
        width_mm: outer width.
        height_mm: outer height.
        ring_mm: thickness of the outline.
        square: whether it has corners.
    """

    width_mm: float
    height_mm: float
    ring_mm: float
    square: bool = False


SHAPES = (
    SealShape(width_mm=13.5, height_mm=13.5, ring_mm=0.5),
    SealShape(width_mm=15.0, height_mm=15.0, ring_mm=0.6),
    SealShape(width_mm=10.5, height_mm=10.5, ring_mm=0.35),
    SealShape(width_mm=12.0, height_mm=12.0, ring_mm=0.45),
    SealShape(width_mm=10.0, height_mm=13.0, ring_mm=0.4),
    SealShape(width_mm=18.0, height_mm=18.0, ring_mm=0.7),
    SealShape(width_mm=24.5, height_mm=24.5, ring_mm=1.1, square=True),
    SealShape(width_mm=8.5, height_mm=8.5, ring_mm=0.3),
)
"""From nearly the smallest to nearly the largest that can be registered."""


def seal_of(household: Household, resident: Resident) -> SealRegistration | None:
    """Return a resident's registered seal; none under 15, and for every seventh adult.

    The registration of every thirty-first has ended.
    """
    born = resident.birth.on
    if born is not None and age_on(born, SAMPLE_DAY) < SEAL_AGE_MIN_YEARS:
        return None
    serial = int(resident.resident_id[:-1])
    if serial % 7 == 0:
        return None
    words = _words_of(resident)
    impression = impressed(words, SHAPES[serial % len(SHAPES)])
    since = household.members[0].address_since.on or SAMPLE_DAY
    return SealRegistration(
        resident_id=resident.resident_id,
        number=f"{serial:08}",
        registered_on=registered(max(since, resident.address_since.on or since)),
        impression=impression,
        katakana_name=None if resident.foreign is None else _katakana(resident.kana),
        abolished=serial % 31 == 0,
    )


@cache
def impressed(words: str, shape: SealShape) -> SealImpression:
    """Return the impression of a seal with these characters, read downwards."""
    width, height = (round(side * _DOTS_PER_MM) for side in (shape.width_mm, shape.height_mm))
    ring = shape.ring_mm * _DOTS_PER_MM
    outlines = [_edge(width, height, 0.0, square=shape.square)]
    outlines.append(_edge(width, height, ring, square=shape.square))
    inset = (0.10 if shape.square else 0.17) * width + ring
    side_inset = inset if shape.square or len(words) == 1 else inset * 1.5
    step = (height - 2 * inset) / len(words)
    for place, character in enumerate(words):
        top = inset + place * step
        box = (side_inset, top + step * 0.04, width - 2 * side_inset, step * 0.92)
        outlines += _character(character, box)
    return SealImpression(
        width_dots=width, height_dots=height, rows=_filled(outlines, width, height)
    )


def _words_of(resident: Resident) -> str:
    """Return the characters of a seal: the family name, without selectors, or the 通称's."""
    foreign = resident.foreign
    name = foreign.alias if foreign and foreign.alias else resident.name
    if name.isascii():
        name = _katakana(resident.kana)
    family = name.partition("　")[0]
    # A seal is cut by hand: a variation selector says nothing about it.
    cut = [sign for sign in family if ord(sign) < _VARIATION_SELECTORS_FROM]
    return "".join(cut[:_CHARACTERS_MAX])


def _katakana(kana: str) -> str:
    """Return hiragana as katakana."""
    return "".join(chr(ord(sign) + 0x60) if "ぁ" <= sign <= "ゖ" else sign for sign in kana)


def _edge(width: int, height: int, inset: float, *, square: bool) -> Outline:
    """Return an outline around the seal, ``inset`` within it; the origin is the upper left."""
    if square:
        right, bottom = width - inset, height - inset
        return [(inset, inset), (right, inset), (right, bottom), (inset, bottom)]
    turns = (2 * math.pi * step / _RING_STEPS for step in range(_RING_STEPS))
    return [
        (
            width / 2 + (width / 2 - inset) * math.cos(turn),
            height / 2 + (height / 2 - inset) * math.sin(turn),
        )
        for turn in turns
    ]


class _Flattener:
    """Takes a glyph's outline as polygons; the method names are those of fontTools' pens."""

    def __init__(self) -> None:
        self.outlines: list[Outline] = []

    def moveTo(self, point: Point) -> None:  # noqa: N802 - called by HarfBuzz under this name
        self.outlines.append([point])

    def lineTo(self, point: Point) -> None:  # noqa: N802
        self.outlines[-1].append(point)

    def curveTo(self, first: Point, second: Point, end: Point) -> None:  # noqa: N802
        start = self.outlines[-1][-1]
        for step in range(1, _CURVE_STEPS + 1):
            part = step / _CURVE_STEPS
            rest = 1 - part
            weights = (rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3)
            points = (start, first, second, end)
            self.outlines[-1].append(
                (
                    sum(weight * point[0] for weight, point in zip(weights, points, strict=True)),
                    sum(weight * point[1] for weight, point in zip(weights, points, strict=True)),
                )
            )

    def qCurveTo(self, control: Point, end: Point) -> None:  # noqa: N802
        start = self.outlines[-1][-1]
        self.curveTo(_between(start, control), _between(end, control), end)

    def closePath(self) -> None:  # noqa: N802
        """Polygons close by themselves."""


def _between(start: Point, control: Point) -> Point:
    """Return the cubic control point that does what a quadratic one does."""
    return (start[0] + (control[0] - start[0]) * 2 / 3, start[1] + (control[1] - start[1]) * 2 / 3)


@cache
def _fonts() -> FontList:
    return FontList()


def _character(character: str, box: tuple[float, float, float, float]) -> Iterable[Outline]:
    """Return a character's outlines, its ink stretched to a box (left, top, width, height)."""
    glyph, *_ = _fonts().glyphs(character)
    pen = _Flattener()
    _fonts().files[glyph.font].draw(glyph.glyph_id, pen)
    points = [point for outline in pen.outlines for point in outline]
    left, top = min(x for x, _ in points), max(y for _, y in points)
    wide, high = max(x for x, _ in points) - left, top - min(y for _, y in points)
    scale_x, scale_y = box[2] / max(wide, 1), box[3] / max(high, 1)
    for outline in pen.outlines:
        yield [(box[0] + (x - left) * scale_x, box[1] + (top - y) * scale_y) for x, y in outline]


def _filled(outlines: Iterable[Outline], width: int, height: int) -> bytes:
    """Fill outlines by the even-odd rule: every edge turns the dots to its right over."""
    rows = [0] * height
    for outline in outlines:
        for (x1, y1), (x2, y2) in _edges(outline):
            for row in range(max(math.ceil(y1 - 0.5), 0), min(math.ceil(y2 - 0.5), height)):
                x = x1 + (row + 0.5 - y1) * (x2 - x1) / (y2 - y1)
                rows[row] ^= (1 << max(width - max(math.ceil(x - 0.5), 0), 0)) - 1
    row_bytes = (width + 7) // 8
    padding = row_bytes * 8 - width
    return b"".join((row << padding).to_bytes(row_bytes, "big") for row in rows)


def _edges(outline: Outline) -> Iterator[tuple[Point, Point]]:
    """Yield a polygon's edges downwards, without level ones."""
    for one, other in zip(outline, (*outline[1:], outline[0]), strict=True):
        if one[1] != other[1]:
            yield (one, other) if one[1] < other[1] else (other, one)
