"""A TrueType font with outlines of ours, for ReportLab, which embeds no other kind.

Our Japanese fonts are of the kind with cubic curves (CFF), and no package of ours has one with
quadratic curves. So the glyphs that a certificate needs are put into a small font here, each cubic
curve as two quadratic ones. It is good for measuring: its glyphs have about as many points as those
of a font that was drawn so, and ReportLab takes a subset of it as of any other.
"""

import struct
from collections.abc import Mapping, Sequence

from issuance_server.certificates.fonts import FontFile

_UNITS_PER_EM = 1000
_ASCENT, _DESCENT = 880, -120
_ON_CURVE = 1
_MAGIC = 0x5F0F3CF5
_ONE = 0x00010000
_NAMELESS = 0x00030000
_PARTS_OF_TWO = 4
_NAME = b"KofuBench"
_LAST_SEGMENT = (0xFFFF, 0xFFFF, 1)

Point = tuple[float, float]


class _Contours:
    """Records an outline; the method names are those of fontTools' pens."""

    def __init__(self) -> None:
        self.contours: list[list[tuple[int, int, int]]] = []
        self._at: Point = (0.0, 0.0)

    def moveTo(self, point: Point) -> None:  # noqa: N802 - called by HarfBuzz under this name
        self.contours.append([])
        self.lineTo(point)

    def lineTo(self, point: Point) -> None:  # noqa: N802
        self._add(*point, _ON_CURVE)
        self._at = point

    def curveTo(self, first: Point, second: Point, end: Point) -> None:  # noqa: N802
        axes = list(zip(self._at, first, second, end, strict=True))
        x, y = ((a + 3 * b) / _PARTS_OF_TWO for a, b, _, _ in axes)
        self._add(x, y, 0)
        x, y = ((a + 3 * b + 3 * c + d) / (2 * _PARTS_OF_TWO) for a, b, c, d in axes)
        self._add(x, y, _ON_CURVE)
        x, y = ((3 * c + d) / _PARTS_OF_TWO for _, _, c, d in axes)
        self._add(x, y, 0)
        self.lineTo(end)

    def qCurveTo(self, control: Point, end: Point) -> None:  # noqa: N802
        self._add(*control, 0)
        self.lineTo(end)

    def closePath(self) -> None:  # noqa: N802
        """TrueType closes every contour."""

    def _add(self, x: float, y: float, flag: int) -> None:
        self.contours[-1].append((round(x), round(y), flag))


def truetype(font: FontFile, glyph_ids: Mapping[str, int]) -> bytes:
    """Return a TrueType font of some characters of the Basic Multilingual Plane.

    Args:
        font: where outlines and widths come from; 1000 units to the em.
        glyph_ids: by the character.
    """
    characters = sorted(glyph_ids)
    ordered = [glyph_ids[character] for character in characters]
    glyphs = [b"", *(_glyph(font, glyph_id) for glyph_id in ordered)]
    widths = [_UNITS_PER_EM, *map(font.advance, ordered)]
    offsets = [sum(map(len, glyphs[:place])) for place in range(len(glyphs) + 1)]
    box = (0, _DESCENT, _UNITS_PER_EM, _ASCENT)
    head = (_ONE, _ONE, 0, _MAGIC, 0, _UNITS_PER_EM, 0, 0, *box, 0, 8, 2, 1, 0)
    hhea = (_ONE, _ASCENT, _DESCENT, 0, _UNITS_PER_EM, *[0] * 11, len(glyphs))
    return _file(
        {
            b"cmap": _cmap(characters),
            b"glyf": b"".join(glyphs),
            b"head": struct.pack(">4L2H2Q4h2H3h", *head),
            b"hhea": struct.pack(">L3hH11hH", *hhea),
            b"hmtx": b"".join(struct.pack(">Hh", width, 0) for width in widths),
            b"loca": struct.pack(f">{len(offsets)}L", *offsets),
            b"maxp": struct.pack(">L14H", _ONE, len(glyphs), *[0] * 13),
            b"name": struct.pack(">9H", 0, 1, 18, 1, 0, 0, 6, len(_NAME), 0) + _NAME,
            b"post": struct.pack(">2L2h5L", _NAMELESS, 0, -100, 50, 0, 0, 0, 0, 0),
        }
    )


def _glyph(font: FontFile, glyph_id: int) -> bytes:
    outline = _Contours()
    font.draw(glyph_id, outline)
    points = [point for contour in outline.contours for point in contour]
    if not points:
        return b""
    xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
    ends, last = [], -1
    for contour in outline.contours:
        last += len(contour)
        ends.append(last)
    parts = [
        struct.pack(">5h", len(ends), min(xs), min(ys), max(xs), max(ys)),
        struct.pack(f">{len(ends)}HH", *ends, 0),
        bytes(flag for _, _, flag in points),
        *(struct.pack(f">{len(points)}h", *_steps(places)) for places in (xs, ys)),
    ]
    return _padded(b"".join(parts))


def _steps(places: Sequence[int]) -> list[int]:
    """Return each place as seen from the one before."""
    return [place - before for before, place in zip((0, *places), places, strict=False)]


def _cmap(characters: Sequence[str]) -> bytes:
    """Return a map of format 4 with a segment for every character."""
    segments = [
        (ord(character), ord(character), (glyph - ord(character)) % 0x10000)
        for glyph, character in enumerate(characters, start=1)
    ]
    starts, ends, deltas = zip(*segments, _LAST_SEGMENT, strict=True)
    count = len(starts)
    body = struct.pack(
        f">4H{count}HH{3 * count}H",
        *(2 * count, 0, 0, 0),
        *(*ends, 0, *starts, *deltas, *[0] * count),
    )
    head = struct.pack(">4HL", 0, 1, 3, 1, 12)
    return head + struct.pack(">3H", 4, len(body) + 6, 0) + body


def _file(tables: Mapping[bytes, bytes]) -> bytes:
    offset = 12 + 16 * len(tables)
    directory, contents = [struct.pack(">L4H", _ONE, len(tables), 0, 0, 0)], []
    for tag, content in sorted(tables.items()):
        directory.append(struct.pack(">4s3L", tag, 0, offset, len(content)))
        contents.append(_padded(content))
        offset += len(contents[-1])
    return b"".join((*directory, *contents))


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)
