"""Paragraphs: a text into lines of one width, by the rules of Japanese line breaking (禁則).

Lines break between characters, never inside a variation sequence or a run of half-width letters
and digits. A line begins with no closing mark and ends with no opening one; what would, goes to
the next line together with the character before it (JIS X 4051, 追い出し).
"""

from collections.abc import Sequence

from issuance_server.certificates.fonts import PDF_UNITS_PER_EM, FontList, Glyph
from issuance_server.certificates.layout.display import Field, Line
from issuance_server.certificates.layout.refusals import named
from issuance_server.certificates.layout.typesetting import (
    MIDDLE_ABOVE_BASELINE,
    SHRINK_MIN,
    SIZE_PT_MIN,
    width_ems,
)
from issuance_server.certificates.order import CertificateRefused

NEVER_FIRST = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）〕］｝〉》」』】"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
NEVER_LAST = frozenset("（〔［｛〈《「『【")

LEADING = 1.25
"""From line to line within a field, in parts of the type size."""
_SIZE_STEP_PT = 0.5


def set_paragraph(fonts: FontList, field: Field, text: str) -> list[Line]:
    """Set a text into a field that is several lines high; they stand in its middle.

    Returns:
        At least one line, of the size intended or of one as small as a single line may have.

    Raises:
        CertificateRefused: a glyph is missing, or the text is too long for the smallest type; the
            item is the field's.
    """
    box = field.box
    try:
        size, lines = _fitting(fonts, field, text)
    except CertificateRefused as refused:
        raise named(refused, field.item) from None
    above = LEADING * size * (len(lines) - 1) / 2
    top = box.y + box.height / 2 + above - MIDDLE_ABOVE_BASELINE * size
    return [
        Line(
            glyphs=glyphs,
            x=box.x + field.padding_pt,
            y=top - place * LEADING * size,
            size_pt=size,
        )
        for place, glyphs in enumerate(lines)
    ]


def _fitting(fonts: FontList, field: Field, text: str) -> tuple[float, Sequence[tuple[Glyph, ...]]]:
    """Return the largest size at which a text fits a field, and its lines."""
    size, width_pt = field.size_pt, field.box.width - 2 * field.padding_pt
    while size >= max(field.size_pt * SHRINK_MIN, SIZE_PT_MIN):
        lines = broken(fonts, text, size_pt=size, width_pt=width_pt)
        if len(lines) * LEADING * size <= field.box.height:
            return size, lines
        size -= _SIZE_STEP_PT
    raise CertificateRefused("text-too-long")


def broken(
    fonts: FontList, text: str, *, size_pt: float, width_pt: float
) -> list[tuple[Glyph, ...]]:
    """Return a text's lines, at least one.

    Args:
        fonts: what it is set in.
        text: without line breaks of its own.
        size_pt: type size.
        width_pt: of every line.

    Raises:
        CertificateRefused: a glyph is missing.
    """
    glyphs = fonts.glyphs(text)
    if width_ems(glyphs) * size_pt <= width_pt:
        return [glyphs]
    room = int(width_pt / size_pt * PDF_UNITS_PER_EM)
    lines = []
    start = 0
    while start < len(glyphs):
        end = _break(glyphs, start, room)
        lines.append(glyphs[start:end])
        start = end
    return lines


def _break(glyphs: Sequence[Glyph], start: int, room: int) -> int:
    """Return where the line that begins at ``start`` ends."""
    end, width = start, 0
    while end < len(glyphs) and (end == start or width + glyphs[end].advance <= room):
        width += glyphs[end].advance
        end += 1
    if end == len(glyphs):
        return end
    places = range(end, start, -1)
    allowed = (place for place in places if _may_break(glyphs, place))
    whole = (place for place in places if glyphs[place].text)
    return next(allowed, next(whole, end))


def _may_break(glyphs: Sequence[Glyph], place: int) -> bool:
    """Tell whether a line may end before a glyph."""
    before, after = glyphs[place - 1].text, glyphs[place].text
    if not after:  # still the character before
        return False
    if after[0] in NEVER_FIRST or before[:1] in NEVER_LAST:
        return False
    return not (_is_half_width(before) and _is_half_width(after))


def _is_half_width(text: str) -> bool:
    return text.isascii() and text.isalnum()
