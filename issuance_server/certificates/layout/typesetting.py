"""Lines of text into fields: full size where it fits, smaller within a bound, else refused."""

from collections.abc import Sequence

from issuance_server.certificates.fonts import PDF_UNITS_PER_EM, FontList, Glyph
from issuance_server.certificates.layout.display import Field, Line
from issuance_server.certificates.layout.refusals import named
from issuance_server.certificates.order import CertificateRefused

SHRINK_MIN = 0.6
"""The smallest type is this part of the intended size ..."""
SIZE_PT_MIN = 5.0
"""... and never smaller than this."""
MIDDLE_ABOVE_BASELINE = 0.38
"""Middle of an ideographic glyph above the baseline, in parts of the type size."""
SPREAD_GAP_MAX = 1.5
"""Largest gap between the characters of a spread label, in parts of the type size."""


def set_line(fonts: FontList, field: Field, text: str, dy: float = 0.0) -> Line:
    """Set one line of text into a field.

    Args:
        fonts: what it is set with.
        field: where.
        text: one line.
        dy: how far up the field is moved.

    Raises:
        CertificateRefused: a glyph is missing, or the text is too long for the smallest type; the
            item is the field's.
    """
    room = field.box.width - 2 * field.padding_pt
    try:
        glyphs = fonts.glyphs(text)
        ems = width_ems(glyphs)
        size = _size_that_fits(field.size_pt, ems, room)
    except CertificateRefused as refused:
        raise named(refused, field.item) from None
    width = ems * size
    x = field.box.x + field.padding_pt
    spacing = 0.0
    if field.align == "spread" and len(glyphs) > 1:
        spacing = min((room - width) / (len(glyphs) - 1), SPREAD_GAP_MAX * size)
        width += spacing * (len(glyphs) - 1)
    if field.align == "right":
        x += room - width
    elif field.align != "left":
        x += (room - width) / 2
    y = field.box.y + dy + field.box.height / 2 - MIDDLE_ABOVE_BASELINE * size
    return Line(glyphs=glyphs, x=x, y=y, size_pt=size, spacing_pt=spacing)


def width_ems(glyphs: Sequence[Glyph]) -> float:
    """Return the width of set glyphs, in parts of the type size."""
    return sum([glyph.advance for glyph in glyphs]) / PDF_UNITS_PER_EM


def _size_that_fits(size_pt: float, ems: float, room_pt: float) -> float:
    if ems * size_pt <= room_pt:
        return size_pt
    size = int(room_pt / ems * 100) / 100  # rounded down to what is written in the file
    if size < max(size_pt * SHRINK_MIN, SIZE_PT_MIN):
        raise CertificateRefused("text-too-long")
    return size
