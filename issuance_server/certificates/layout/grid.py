"""A form's grid: cells by column and row from the upper left corner, as forms are specified."""

from dataclasses import dataclass

from issuance_server.certificates.layout.display import Box


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
