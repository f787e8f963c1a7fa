"""A form's grid: cells by column and row from the upper left corner, as forms are specified."""

from collections.abc import Iterable
from dataclasses import dataclass

from issuance_server.certificates.layout.display import Box, Mark, Rule, Shade


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Columns and rows of equal size.

    Attributes:
        left: left edge, in points.
        top: upper edge, in points.
        column_pt: width of a column.
        row_pt: height of a row.
    """

    left: float
    top: float
    column_pt: float
    row_pt: float

    def cell(self, column: float, row: float, columns: float, rows: float = 1) -> Box:
        """Return the box that starts at a column and row and spans some of each."""
        return Box(
            x=self.left + column * self.column_pt,
            y=self.top - (row + rows) * self.row_pt,
            width=columns * self.column_pt,
            height=rows * self.row_pt,
        )


def layers(marks: Iterable[Mark]) -> tuple[list[Mark], list[Mark]]:
    """Part a form's marks into shades and all others.

    Shades lie below the ground, so that neither its pattern nor its 見本 ends at a label.
    """
    below: list[Mark] = []
    above: list[Mark] = []
    for mark in marks:
        (below if isinstance(mark, Shade) else above).append(mark)
    return below, above


def stroke(box: Box, width_pt: float) -> Rule:
    """Return the stroke through room that is left: from the upper right to the lower left."""
    return Rule(x1=box.x + box.width, y1=box.y + box.height, x2=box.x, y2=box.y, width_pt=width_pt)
