"""A sheet's face as a bitmap of modules, from the same page that is written to the PDF.

Its text, rules and frames are drawn, and of the prepared forms also the seal; the tint is not, nor
the signed code, which vouches for itself. Glyphs are drawn once for each quarter of a module that
they may stand off the grid, and kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from issuance_server.certificates.back.drawings import drawn
from issuance_server.certificates.back.glyphs import PHASES, SHEET_COLUMNS, GlyphKey, GlyphModules
from issuance_server.certificates.back.halftone import halftoned
from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
    Bitmap,
)
from issuance_server.certificates.fonts import PDF_UNITS_PER_EM
from issuance_server.certificates.layout.display import (
    Box,
    Drawing,
    Frame,
    Line,
    Mark,
    Page,
    Picture,
    Placed,
    Rule,
)
from issuance_server.certificates.layout.furniture import CODE_BOX

GROUNDS_MAX = 12
"""Sets of placed forms kept in a process, 1 MB each; a kind has a handful."""
FORMS_OF_TINT = frozenset({"Ground"})
"""Forms whose drawings are no part of what a face says. Another form's are: the seal."""

_FULLY_COVERED = 255

# The whole sheet is drawn and the window cut out of it, so nothing needs to be clipped.
_MARGIN_LEFT = (SHEET_COLUMNS - COLUMNS) // 2
_MARGIN_TOP = 67
_SHEET_ROWS = _MARGIN_TOP + ROWS + 80
_SHEET_LEFT_PT = LEFT_PT - _MARGIN_LEFT * MODULE_PT
_SHEET_TOP_PT = TOP_PT + _MARGIN_TOP * MODULE_PT
_WINDOW = np.s_[_MARGIN_TOP : _MARGIN_TOP + ROWS, _MARGIN_LEFT : _MARGIN_LEFT + COLUMNS]


class FaceRaster:
    """Draws faces; one per process and set of prepared forms.

    Args:
        glyphs: of the fonts that the lines were set with; shared by all sets of forms.
        forms: the prepared forms that the pages use.
    """

    def __init__(self, glyphs: GlyphModules, forms: Mapping[str, Sequence[Mark]]) -> None:
        self._glyphs = glyphs
        self._forms = forms
        self._grounds: dict[tuple[Placed, ...], Bitmap] = {}

    def bitmap(self, page: Page) -> Bitmap:
        """Return the face of a page within the window."""
        sheet = self._ground(page.forms).copy()
        self._draw(sheet, page.marks)
        self._set(sheet, page.lines)
        return sheet[_WINDOW]

    def _ground(self, placed: tuple[Placed, ...]) -> Bitmap:
        """Return the placed forms, drawn when they are first seen together."""
        ground = self._grounds.get(placed)
        if ground is None:
            ground = np.zeros((_SHEET_ROWS, SHEET_COLUMNS), np.bool_)
            for form in placed:
                marks = [_moved(mark, form.dy) for mark in self._forms[form.form]]
                self._draw(ground, marks)
                drawings = [mark for mark in marks if isinstance(mark, Drawing)]
                if drawings and form.form not in FORMS_OF_TINT:
                    ground[_WINDOW] |= halftoned(drawn(self._glyphs.fonts, drawings, form.dy))
            if len(self._grounds) == GROUNDS_MAX:
                self._grounds.clear()
            self._grounds[placed] = ground
        return ground

    def _draw(self, sheet: Bitmap, marks: Sequence[Mark]) -> None:
        for mark in marks:
            match mark:
                case Rule():
                    _rule(sheet, (mark.x1, mark.y1), (mark.x2, mark.y2), mark.width_pt)
                case Frame(box=box):
                    _frame(sheet, box, mark.width_pt)
                case Picture():
                    _picture(sheet, mark)
        self._set(sheet, [mark for mark in marks if isinstance(mark, Line)])

    def _set(self, sheet: Bitmap, lines: Sequence[Line]) -> None:
        """Blacken the glyphs of lines, all in one go."""
        keys: list[GlyphKey] = []
        origins: list[int] = []
        for line in lines:
            size = line.size_pt / MODULE_PT
            step = size * PHASES / PDF_UNITS_PER_EM
            spacing = line.spacing_pt / MODULE_PT * PHASES
            above, y_phase = divmod(round((line.y - _SHEET_TOP_PT) / MODULE_PT * PHASES), PHASES)
            row_origin = -above * SHEET_COLUMNS
            x = (line.x - _SHEET_LEFT_PT) / MODULE_PT * PHASES + 0.5
            for glyph in line.glyphs:
                column, x_phase = divmod(int(x), PHASES)
                x += glyph.advance * step + spacing
                keys.append((glyph.font, glyph.glyph_id, size, x_phase, y_phase))
                origins.append(row_origin + column)
        if not keys:
            return
        glyphs = self._glyphs.places(keys)
        sizes = [len(places) for places in glyphs]
        sheet.reshape(-1)[np.concatenate(glyphs) + np.repeat(origins, sizes)] = True


def _moved(mark: Mark, dy: float) -> Mark:
    """Return a mark of a form as it stands on the sheet; drawings stay."""
    match mark:
        case Line():
            return msgspec.structs.replace(mark, y=mark.y + dy)
        case Rule():
            return replace(mark, y1=mark.y1 + dy, y2=mark.y2 + dy)
        case Frame(box=box):
            return replace(mark, box=box.moved(dy))
    return mark


def _frame(sheet: Bitmap, box: Box, width_pt: float) -> None:
    left, right, bottom, top = box.x, box.x + box.width, box.y, box.y + box.height
    for start, end in (
        ((left, bottom), (right, bottom)),
        ((left, top), (right, top)),
        ((left, bottom), (left, top)),
        ((right, bottom), (right, top)),
    ):
        _rule(sheet, start, end, width_pt)


def _rule(
    sheet: Bitmap, start: tuple[float, float], end: tuple[float, float], width_pt: float
) -> None:
    """Draw a rule."""
    columns = [(x - _SHEET_LEFT_PT) / MODULE_PT for x, _ in (start, end)]
    rows = [(_SHEET_TOP_PT - y) / MODULE_PT for _, y in (start, end)]
    width = width_pt / MODULE_PT
    if start[0] == end[0] or start[1] == end[1]:
        top, bottom = _span(rows, width)
        left, right = _span(columns, width)
        sheet[top:bottom, left:right] = True
        return
    steps = 2 * round(max(abs(columns[1] - columns[0]), abs(rows[1] - rows[0]))) + 1
    along_rows = np.floor(np.linspace(rows[0], rows[1], steps)).astype(np.intp)
    along_columns = np.floor(np.linspace(columns[0], columns[1], steps)).astype(np.intp)
    sheet[along_rows, along_columns] = True


def _picture(sheet: Bitmap, picture: Picture) -> None:
    """Draw a picture, unless it is the signed code."""
    box = picture.box
    if CODE_BOX.x <= box.x and CODE_BOX.y + CODE_BOX.height >= box.y + box.height:
        return
    row_bytes = (picture.width_dots + 7) // 8
    packed = np.frombuffer(picture.rows, np.uint8).reshape(picture.height_dots, row_bytes)
    dots = np.unpackbits(packed, axis=1, count=picture.width_dots)
    left = (box.x - _SHEET_LEFT_PT) / MODULE_PT
    top = (_SHEET_TOP_PT - box.y - box.height) / MODULE_PT
    columns, first_column = _modules(left, box.width / MODULE_PT, picture.width_dots)
    rows, first_row = _modules(top, box.height / MODULE_PT, picture.height_dots)
    inked = np.add.reduceat(dots, rows, axis=0, dtype=np.uint16)
    inked = np.add.reduceat(inked, columns, axis=1)
    dots_in_module = dots.size * MODULE_PT**2 / (box.width * box.height)
    covered = np.minimum(inked * (_FULLY_COVERED / dots_in_module), _FULLY_COVERED)
    black = halftoned(covered.astype(np.uint8))
    height, width = black.shape
    sheet[first_row : first_row + height, first_column : first_column + width] |= black


def _modules(start: float, length: float, dots: int) -> tuple[NDArray[np.intp], int]:
    """Return at which dot each module of a row begins, and the place of the first module."""
    places = np.floor(start + (np.arange(dots) + 0.5) * (length / dots)).astype(np.intp)
    return np.flatnonzero(np.diff(places, prepend=places[0] - 1)), int(places[0])


def _span(ends: Sequence[float], width: float) -> tuple[int, int]:
    """Return the modules from one end to the other that a rule covers by half, or the best one."""
    start, end = min(ends) - width / 2, max(ends) + width / 2
    first, last = round(start), round(end)
    return (first, last) if first < last else (int((start + end) / 2), int((start + end) / 2) + 1)
