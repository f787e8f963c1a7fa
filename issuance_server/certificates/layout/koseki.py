"""How 戸籍証明書 look: labels on the left, the register's items on the right, over many sheets.

The head with 本籍 and 筆頭者 stands on every sheet. Rows are of one height. A sheet never ends
between a label and its first row, nor within a person's own items.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from issuance_server.certificates.content.koseki import Block, FamilyCertificate, Section
from issuance_server.certificates.dates import full_width
from issuance_server.certificates.fonts import FontList, Glyph
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import (
    Box,
    Field,
    Frame,
    Line,
    Mark,
    Page,
    Placed,
    Rule,
    Shade,
)
from issuance_server.certificates.layout.grid import Grid, layers, stroke
from issuance_server.certificates.layout.paragraphs import broken
from issuance_server.certificates.layout.refusals import named
from issuance_server.certificates.layout.typesetting import MIDDLE_ABOVE_BASELINE, set_line
from issuance_server.certificates.order import CertificateRefused, Issuer
from protocol.limits import SHEETS_MAX

COLUMNS = 40
LABEL_COLUMNS = 11
ROW_PT = 15.4
TYPE_PT = 10.5
INDENT = "　"
REMOVED = "除籍"
_DEPTH_PT = 2 * TYPE_PT
_REMOVED_ROW = 2
"""Row of a person's own items beside which the mark stands."""

_COLUMN_PT = furniture.WIDTH_PT / COLUMNS
_HEAD_ROW_PT = 22.0
_DOUBLE_RULE_PT = 2.4
_HEAD = Grid(
    left=furniture.LEFT_PT,
    top=furniture.BODY_TOP_PT,
    column_pt=_COLUMN_PT,
    row_pt=_HEAD_ROW_PT,
)
_FLOW_TOP_PT = furniture.BODY_TOP_PT - 2 * _HEAD_ROW_PT - _DOUBLE_RULE_PT
ROWS_PER_SHEET = int((_FLOW_TOP_PT - furniture.BODY_BOTTOM_PT) / ROW_PT)
_FLOW = Grid(left=furniture.LEFT_PT, top=_FLOW_TOP_PT, column_pt=_COLUMN_PT, row_pt=ROW_PT)
_FLOW_BOX = _FLOW.cell(0, 0, COLUMNS, ROWS_PER_SHEET)
_PADDING_PT = 6.0
_TEXT_X_PT = furniture.LEFT_PT + LABEL_COLUMNS * _COLUMN_PT + _PADDING_PT
_TEXT_WIDTH_PT = furniture.RIGHT_PT - _TEXT_X_PT - _PADDING_PT

_TITLE_BOX = furniture.TITLE.box
_OF_ALL = Field(
    box=Box(x=furniture.LEFT_PT, y=_TITLE_BOX.y, width=120, height=_TITLE_BOX.height),
    size_pt=12,
    padding_pt=0,
)
_TITLE = Field(
    box=Box(x=furniture.RIGHT_PT - 260, y=_TITLE_BOX.y, width=260, height=_TITLE_BOX.height),
    size_pt=18,
    align="spread",
    padding_pt=10,
)
_HEAD_LABELS = (
    ("本籍", _HEAD.cell(0, 0, LABEL_COLUMNS)),
    ("氏名", _HEAD.cell(0, 1, LABEL_COLUMNS)),
)
_DOMICILE = Field(
    box=_HEAD.cell(LABEL_COLUMNS, 0, COLUMNS - LABEL_COLUMNS),
    size_pt=11,
    padding_pt=_PADDING_PT,
    item="本籍",
)
_NAME = Field(
    box=_HEAD.cell(LABEL_COLUMNS, 1, COLUMNS - LABEL_COLUMNS),
    size_pt=12,
    padding_pt=_PADDING_PT,
    item="筆頭者氏名・氏の振り仮名",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the flow.

    Attributes:
        label: on the left, or nothing.
        text: on the right, as set.
        depth: how many items the text's item stands under; it is indented by as much.
        ruled: whether a rule runs above it.
        kept: whether the next row must stand on the same sheet.
        removed: whether the mark 除籍 stands on the left.
    """

    label: str = ""
    text: tuple[Glyph, ...] = ()
    depth: int = 0
    ruled: bool = False
    kept: bool = False
    removed: bool = False


class SetLine(NamedTuple):
    """One line of an item.

    Attributes:
        text: as set.
        depth: how many items its item stands under.
        kept: whether the next line must stand on the same sheet.
    """

    text: tuple[Glyph, ...]
    depth: int
    kept: bool


def forms(fonts: FontList, issuer: Issuer) -> dict[str, list[Mark]]:
    """Return what is the same on every certificate, by name."""
    divide = furniture.LEFT_PT + LABEL_COLUMNS * _COLUMN_PT
    shades, head = layers(furniture.labelled_cells(fonts, _HEAD_LABELS, (_DOMICILE, _NAME), 10.5))
    labels = _FLOW.cell(0, 0, LABEL_COLUMNS, ROWS_PER_SHEET)
    return {
        **furniture.shared_forms(fonts, issuer, None, (furniture.ONE_SET,)),
        "Shades": [*shades, Shade(box=labels, colour=furniture.LABEL_COLOUR)],
        "Table": [
            *head,
            Frame(box=_HEAD.cell(0, 0, COLUMNS, 2), width_pt=furniture.THICK_PT),
            Frame(box=_FLOW_BOX, width_pt=furniture.THICK_PT),
            Rule(
                x1=divide,
                y1=_FLOW_BOX.y,
                x2=divide,
                y2=_FLOW_TOP_PT,
                width_pt=furniture.THIN_PT,
            ),
        ],
    }


def pages(fonts: FontList, said: FamilyCertificate) -> tuple[Page, ...]:
    """Set the sheets of one copy.

    Raises:
        CertificateRefused: a glyph is missing, a text of the head does not fit, or there are more
            sheets than one issuance may have.
    """
    sheets = divided(list(_rows(fonts, said)))
    return tuple(
        _page(fonts, said, rows, (place, len(sheets))) for place, rows in enumerate(sheets, start=1)
    )


def divided(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Divide rows among sheets; a sheet ends where it may, as far down as it can.

    Raises:
        CertificateRefused: there are more sheets than one issuance may have.
    """
    sheets: list[Sequence[Row]] = []
    start = 0
    while start < len(rows):
        if len(sheets) == SHEETS_MAX:
            raise CertificateRefused("too-many-sheets")
        end = min(start + ROWS_PER_SHEET, len(rows))
        if end < len(rows):
            allowed = (place for place in range(end, start, -1) if not rows[place - 1].kept)
            end = next(allowed, end)
        sheets.append(rows[start:end])
        start = end
    return sheets


def _rows(fonts: FontList, said: FamilyCertificate) -> Iterator[Row]:
    for section in said.sections:
        try:
            yield from _section_rows(fonts, section)
        except CertificateRefused as refused:
            raise named(refused, section.place) from None


def _section_rows(fonts: FontList, section: Section) -> Iterator[Row]:
    """Yield a section's rows: its title on a row of its own if labels follow."""
    first, *_ = section.blocks
    if not first.label:
        yield from _person_rows(list(_set_lines(fonts, first)), section)
        return
    yield Row(label=section.title, ruled=True, kept=True)
    for block in section.blocks:
        try:
            lines = list(_set_lines(fonts, block))
        except CertificateRefused as refused:
            raise named(refused, block.label) from None
        yield from _event_rows(lines, block.label, ruled=block is not first)


def _person_rows(lines: list[SetLine], section: Section) -> Iterator[Row]:
    """Yield a person's own items, which stay together."""
    for place, line in enumerate(lines):
        yield Row(
            label="" if place else section.title,
            text=line.text,
            ruled=not place,
            kept=place < len(lines) - 1,
            removed=section.removed and place == _REMOVED_ROW,
        )


def _event_rows(lines: list[SetLine], label: str, *, ruled: bool) -> Iterator[Row]:
    """Yield an event's rows: neither the first nor the last one stands alone on a sheet."""
    last = len(lines) - 1
    for place, line in enumerate(lines):
        together = place < last and place in (0, last - 1)
        yield Row(
            label="" if place else INDENT + label,
            text=line.text,
            depth=line.depth,
            ruled=ruled and not place,
            kept=line.kept or together,
        )


def _set_lines(fonts: FontList, block: Block) -> Iterator[SetLine]:
    """Yield the lines of each item; a paragraph's first line and a heading keep what follows.

    Raises:
        CertificateRefused: a glyph is missing.
    """
    for entry, following in zip_longest(block.entries, block.entries[1:]):
        width = _TEXT_WIDTH_PT - entry.depth * _DEPTH_PT
        try:
            lines = broken(fonts, entry.text, size_pt=TYPE_PT, width_pt=width)
        except CertificateRefused as refused:
            raise named(refused, entry.name) from None
        heads = following is not None and following.depth > entry.depth
        for place, glyphs in enumerate(lines, start=1):
            kept = heads if place == len(lines) else place == 1
            yield SetLine(glyphs, entry.depth, kept)


def _page(
    fonts: FontList, said: FamilyCertificate, rows: Sequence[Row], place: tuple[int, int]
) -> Page:
    """Set one sheet; ``place`` is its number and the number of all."""
    sheet, sheets = place
    attestation = said.attestation if sheet == sheets else None
    name = f"{said.head}　　【氏の振り仮名】{said.head_kana}" if said.head_kana else said.head
    lines = [
        set_line(fonts, _OF_ALL, full_width(f"（{sheets}の{sheet}）")),
        set_line(fonts, _TITLE, said.title),
        set_line(fonts, _DOMICILE, said.domicile),
        set_line(fonts, _NAME, name),
    ]
    marks: list[Mark] = []
    for number, row in enumerate(rows):
        lines += _row_lines(fonts, row, number)
        if row.ruled and number:
            marks.append(_rule_above(number))
        if row.removed:
            marks.append(Frame(box=_removed_box(number), width_pt=furniture.THICK_PT))
    unused = len(rows)
    if unused < ROWS_PER_SHEET:
        marks.append(_rule_above(unused))
        if sheet == sheets:
            box = _FLOW.cell(LABEL_COLUMNS, unused, COLUMNS - LABEL_COLUMNS)
            end = Field(box=box, size_pt=TYPE_PT, align="center")
            lines.append(set_line(fonts, end, furniture.END))
            unused += 1
    if unused < ROWS_PER_SHEET:
        left = _FLOW.cell(0, unused, COLUMNS, ROWS_PER_SHEET - unused)
        marks.append(stroke(left, furniture.THIN_PT))
    lines += furniture.attestation_lines(fonts, attestation)
    placed = (
        *(Placed(form="Shades"), Placed(form="Ground"), Placed(form="Table")),
        furniture.last_form(attestation),
    )
    return Page(forms=placed, lines=tuple(lines), marks=tuple(marks))


def _row_lines(fonts: FontList, row: Row, number: int) -> Iterator[Line]:
    """Set a row: label and text share one baseline."""
    if row.label:
        field = Field(
            box=_FLOW.cell(0, number, LABEL_COLUMNS), size_pt=TYPE_PT, padding_pt=_PADDING_PT
        )
        yield set_line(fonts, field, row.label)
    if row.removed:
        field = Field(box=_removed_box(number), size_pt=TYPE_PT, align="spread", padding_pt=8)
        yield set_line(fonts, field, REMOVED)
    if row.text:
        middle = _FLOW_TOP_PT - (number + 0.5) * ROW_PT
        baseline = middle - MIDDLE_ABOVE_BASELINE * TYPE_PT
        x = _TEXT_X_PT + row.depth * _DEPTH_PT
        yield Line(glyphs=row.text, x=x, y=baseline, size_pt=TYPE_PT)


def _removed_box(number: int) -> Box:
    """Return the box of the mark 除籍: two rows high, within the label's column."""
    cell = _FLOW.cell(2, number, LABEL_COLUMNS - 4, 1.5)
    return cell.moved(-ROW_PT / 4)


def _rule_above(number: int) -> Rule:
    y = _FLOW_TOP_PT - number * ROW_PT
    return Rule(x1=furniture.LEFT_PT, y1=y, x2=furniture.RIGHT_PT, y2=y, width_pt=furniture.THIN_PT)
