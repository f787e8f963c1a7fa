"""The vocabulary between layout and PDF: boxes in points, and what is drawn in them.

The origin is the lower left corner of the sheet, as in PDF; lengths are points (1/72 inch).
"""

from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from issuance_server.certificates.fonts import Glyph

SHEET_WIDTH_PT = 595.2
SHEET_HEIGHT_PT = 841.92
"""A4 upright, in whole dots of a 600-dpi printer (4960 x 7016)."""
MM_PT = 72 / 25.4

Align = Literal["left", "center", "right", "spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle.

    Attributes:
        x: left edge.
        y: lower edge.
        width: to the right.
        height: upwards.
    """

    x: float
    y: float
    width: float
    height: float

    def moved(self, dy: float) -> "Box":
        """Return the same rectangle higher up by ``dy``."""
        return Box(x=self.x, y=self.y + dy, width=self.width, height=self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Where one line of text goes, and how.

    Attributes:
        box: the cell; the line is centred in its height.
        size_pt: type size if there is room.
        align: ``spread`` puts the characters evenly over the width, as labels are set.
        padding_pt: kept free on the left and on the right.
        item: what a refusal calls the text that goes there, such as ``氏名``.
    """

    box: Box
    size_pt: float
    align: Align = "left"
    padding_pt: float = 4.0
    item: str = ""

    def moved(self, dy: float) -> "Field":
        """Return the same field higher up by ``dy``."""
        return Field(
            box=self.box.moved(dy),
            size_pt=self.size_pt,
            align=self.align,
            padding_pt=self.padding_pt,
            item=self.item,
        )


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A set line of text; hundreds of them are made for a certificate.

    Attributes:
        glyphs: from left to right.
        x: left end of the baseline.
        y: height of the baseline.
        size_pt: type size.
        spacing_pt: added after every glyph.
    """

    glyphs: tuple[Glyph, ...]
    x: float
    y: float
    size_pt: float
    spacing_pt: float = 0.0

    @property
    def text(self) -> str:
        """The characters that the glyphs stand for."""
        return "".join([glyph.text for glyph in self.glyphs])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A straight black line from (x1, y1) to (x2, y2)."""

    x1: float
    y1: float
    x2: float
    y2: float
    width_pt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The black outline of a box."""

    box: Box
    width_pt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """A box filled with a colour; red, green and blue from 0 to 1."""

    box: Box
    colour: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stencil:
    """A picture of one bit for each dot, through which operators paint with their own colour.

    Attributes:
        name: under which they find it.
        width_dots: dots in a row, whole bytes.
        height_dots: rows.
        packed_rows: from the top, deflated; a set bit is painted.
    """

    name: str
    width_dots: int
    height_dots: int
    packed_rows: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Content stream operators that leave the graphics state as they found it.

    Attributes:
        operators: of the content stream.
        stencils: what they paint through; in prepared forms only.
    """

    operators: bytes
    stencils: tuple[Stencil, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A black picture of one bit for each dot, stretched over a box.

    Attributes:
        box: where it stands.
        width_dots: dots in a row.
        height_dots: rows.
        rows: from the top, each padded to whole bytes; a set bit is ink.
        noise: whether there is no order in it, so that deflating it would take time for nothing.
    """

    box: Box
    width_dots: int
    height_dots: int
    rows: bytes
    noise: bool = False


Mark = Line | Rule | Frame | Shade | Drawing | Picture
"""Anything that can be drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A prepared form on a page.

    Attributes:
        form: its name.
        dy: how far up it is moved.
    """

    form: str
    dy: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One sheet: prepared forms below, then marks, then the text that is this certificate's own.

    Attributes:
        forms: from below.
        lines: what it says, in the order in which it is read; labels of forms are not among it.
        marks: rules and pictures that are this certificate's own.
        line_digests: kept in the file, not shown; see ``certificates.code.line_digests``.
    """

    forms: tuple[Placed, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    line_digests: bytes = b""

    def with_lines(self, *lines: Line) -> "Page":
        """Return the page with more text at the end."""
        return replace(self, lines=(*self.lines, *lines))

    def with_marks(self, *marks: Mark) -> "Page":
        """Return the page with more marks on top of the others."""
        return replace(self, marks=(*self.marks, *marks))


def sheet_text(page: Page) -> tuple[str, ...]:
    """Return the texts of a sheet's own lines, in drawing order; empty lines are not drawn."""
    return tuple(line.text for line in page.lines if line.glyphs)
