"""Characters as outlines: for the seal and for pale words in the background."""

from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import Box

Point = tuple[float, float]

_INK_EDGE = 1e-6


class _Recorder:
    """Records an outline in font units; the method names are those of fontTools' pens."""

    def __init__(self) -> None:
        self.steps: list[tuple[bytes, tuple[Point, ...]]] = []
        self._at: Point = (0.0, 0.0)

    def moveTo(self, point: Point) -> None:  # noqa: N802 - called by HarfBuzz under this name
        self._add(b"m", point)

    def lineTo(self, point: Point) -> None:  # noqa: N802
        self._add(b"l", point)

    def curveTo(self, *points: Point) -> None:  # noqa: N802
        self._add(b"c", *points)

    def qCurveTo(self, control: Point, end: Point) -> None:  # noqa: N802
        # PDF knows cubic curves only.
        first = _between(self._at, control)
        second = _between(end, control)
        self._add(b"c", first, second, end)

    def closePath(self) -> None:  # noqa: N802
        self.steps.append((b"h", ()))

    def _add(self, operator: bytes, *points: Point) -> None:
        self.steps.append((operator, points))
        self._at = points[-1]


def character_outline(fonts: FontList, character: str, box: Box) -> bytes:
    """Return path operators for a character whose ink is stretched to fill a box.

    Args:
        fonts: where the character is looked up.
        character: one character that is one glyph with ink.
        box: what the ink fills, in points.

    Raises:
        CertificateRefused: no font has the character.
    """
    (glyph,) = fonts.glyphs(character)
    recorder = _Recorder()
    fonts.files[glyph.font].draw(glyph.glyph_id, recorder)
    points = [point for _, points in recorder.steps for point in points]
    left, bottom = (min(point[axis] for point in points) for axis in (0, 1))
    right, top = (max(point[axis] for point in points) for axis in (0, 1))
    scale_x = box.width / max(right - left, _INK_EDGE)
    scale_y = box.height / max(top - bottom, _INK_EDGE)
    return b"\n".join(
        b" ".join(
            b"%.2f %.2f" % (box.x + (x - left) * scale_x, box.y + (y - bottom) * scale_y)
            for x, y in points
        )
        + b" "
        + operator
        for operator, points in recorder.steps
    )


def _between(start: Point, control: Point) -> Point:
    return (start[0] + (control[0] - start[0]) * 2 / 3, start[1] + (control[1] - start[1]) * 2 / 3)
