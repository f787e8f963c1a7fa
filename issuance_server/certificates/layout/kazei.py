"""How a 課税証明書 looks: the person, then income and deductions side by side, then the tax."""

from itertools import pairwise, zip_longest

from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.content.kazei import TaxCertificate
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import (
    Box,
    Field,
    Frame,
    Line,
    Mark,
    Page,
    Placed,
)
from issuance_server.certificates.layout.grid import Grid, layers
from issuance_server.certificates.layout.paragraphs import set_paragraph
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import Issuer
from issuance_server.core.tax_register import SEPARATE, DeductionKind, IncomeKind

COLUMNS = 40
ROWS = 33
_COLUMN_PT = furniture.WIDTH_PT / COLUMNS
_ROW_PT = (furniture.BODY_TOP_PT - furniture.BODY_BOTTOM_PT) / ROWS
_LABEL_TYPE_PT = 8.2
_VALUE_TYPE_PT = 9.6
_NOTES = (
    furniture.LEGEND + furniture.ONE_SET,
    "＊は、申告がないため金額を証明できない項目です。金額の単位は円です。",
)

_GRID = Grid(
    left=furniture.LEFT_PT,
    top=furniture.BODY_TOP_PT,
    column_pt=_COLUMN_PT,
    row_pt=_ROW_PT,
)
_HALF = 20
_TABLE_ROW = 5
"""Row of the column heads of the two tables."""
_FIRST_ROW = _TABLE_ROW + 1
_TOTAL_ROW = _FIRST_ROW + len(IncomeKind)
_COUNT_ROW = _TOTAL_ROW + 1
_LEVY_ROW = _COUNT_ROW + 3


def _text(item: str, row: float, rows: float = 1) -> Field:
    return Field(box=_GRID.cell(6, row, 34, rows), size_pt=_VALUE_TYPE_PT, item=item)


def _amount(item: str, column: float, row: float, columns: float) -> Field:
    return Field(
        box=_GRID.cell(column, row, columns),
        size_pt=_VALUE_TYPE_PT,
        align="right",
        padding_pt=6,
        item=item,
    )


_PERSON = {
    "year": _text("年度", 0),
    "address": _text("賦課期日の住所", 1),
    "name": Field(box=_GRID.cell(6, 2, 34, 2), size_pt=13, item="氏名"),
    "birth": _text("生年月日", 4),
}
_PERSON_LABELS = (
    ("年度", _GRID.cell(0, 0, 6)),
    ("１月１日の住所", _GRID.cell(0, 1, 6)),
    ("氏名", _GRID.cell(0, 2, 6, 2)),
    ("生年月日", _GRID.cell(0, 4, 6)),
)
_HEADS = (
    ("所得の種類", _GRID.cell(0, _TABLE_ROW, 8)),
    ("収入金額", _GRID.cell(8, _TABLE_ROW, 6)),
    ("所得金額", _GRID.cell(14, _TABLE_ROW, 6)),
    ("所得控除の種類", _GRID.cell(_HALF, _TABLE_ROW, 12)),
    ("控除額", _GRID.cell(32, _TABLE_ROW, 8)),
)
_INCOME_LABELS = tuple(
    (f"（分離）{kind.value}" if kind in SEPARATE else kind.value, _GRID.cell(0, row, 8))
    for row, kind in enumerate(IncomeKind, start=_FIRST_ROW)
)
_RECEIVED = {
    kind: _amount(f"収入金額 {kind.value}", 8, row, 6)
    for row, kind in enumerate(IncomeKind, start=_FIRST_ROW)
}
_LEFT = {
    kind: _amount(f"所得金額 {kind.value}", 14, row, 6)
    for row, kind in enumerate(IncomeKind, start=_FIRST_ROW)
}
_DEDUCTION_LABELS = tuple(
    (kind.value if kind else MARK, _GRID.cell(_HALF, row, 12))
    for row, (_, kind) in enumerate(zip_longest(IncomeKind, DeductionKind), start=_FIRST_ROW)
)
_DEDUCTIONS = {
    kind: _amount(f"所得控除 {kind.value}", 32, row, 8)
    for row, kind in enumerate(DeductionKind, start=_FIRST_ROW)
}
_NEVER_FILLED = tuple(
    _amount("", 32, row, 8) for row in range(_FIRST_ROW + len(DeductionKind), _TOTAL_ROW)
)
_TOTALS = {
    "income_total": _amount("合計所得金額", 14, _TOTAL_ROW, 6),
    "deduction_total": _amount("所得控除合計", 32, _TOTAL_ROW, 8),
}
_TOTAL_LABELS = (
    ("合計所得金額", _GRID.cell(0, _TOTAL_ROW, 14)),
    ("所得控除合計", _GRID.cell(_HALF, _TOTAL_ROW, 12)),
)
_COUNT_NAMES = (
    "配偶者",
    "一般",
    "特定",
    "老人",
    "同居老親",
    "16歳未満",
    "普通",
    "特別",
    "同居特別",
)
_COUNT_COLUMNS = (6, 10, 13.5, 17, 20.5, 24.5, 28.5, 32, 35.5, 40)
_COUNT_LABELS = (
    ("扶養人数", _GRID.cell(0, _COUNT_ROW, 6, 3)),
    ("扶養親族等", _GRID.cell(6, _COUNT_ROW, 22.5)),
    ("障害者", _GRID.cell(28.5, _COUNT_ROW, 11.5)),
    *(
        (name, _GRID.cell(left, _COUNT_ROW + 1, right - left))
        for name, (left, right) in zip(_COUNT_NAMES, pairwise(_COUNT_COLUMNS), strict=True)
    ),
)
_COUNTS = tuple(
    Field(
        box=_GRID.cell(left, _COUNT_ROW + 2, right - left),
        size_pt=_VALUE_TYPE_PT,
        align="center",
        item="扶養人数",
    )
    for left, right in pairwise(_COUNT_COLUMNS)
)
_LEVY_LABELS = (
    ("課税標準額（総合）", _GRID.cell(0, _LEVY_ROW, 8)),
    ("課税標準額（分離）", _GRID.cell(0, _LEVY_ROW + 1, 8)),
    ("税額控除", _GRID.cell(0, _LEVY_ROW + 2, 8)),
    ("市民税所得割", _GRID.cell(14, _LEVY_ROW, 7)),
    ("市民税均等割", _GRID.cell(14, _LEVY_ROW + 1, 7)),
    ("府民税所得割", _GRID.cell(27, _LEVY_ROW, 7)),
    ("府民税均等割", _GRID.cell(27, _LEVY_ROW + 1, 7)),
    ("森林環境税", _GRID.cell(14, _LEVY_ROW + 2, 7)),
    ("年税額", _GRID.cell(27, _LEVY_ROW + 2, 7)),
)
_LEVY = (
    _amount("課税標準額（総合）", 8, _LEVY_ROW, 6),
    _amount("課税標準額（分離）", 8, _LEVY_ROW + 1, 6),
    _amount("税額控除", 8, _LEVY_ROW + 2, 6),
    _amount("市民税所得割", 21, _LEVY_ROW, 6),
    _amount("市民税均等割", 21, _LEVY_ROW + 1, 6),
    _amount("府民税所得割", 34, _LEVY_ROW, 6),
    _amount("府民税均等割", 34, _LEVY_ROW + 1, 6),
    _amount("森林環境税", 21, _LEVY_ROW + 2, 6),
)
"""In the order of the fields of ``Levy``."""
_LEVY_TOTAL = _amount("年税額", 34, _LEVY_ROW + 2, 6)
_REMARKS_LABEL = ("備考", _GRID.cell(0, _LEVY_ROW + 3, 6, ROWS - _LEVY_ROW - 3))
_REMARKS = _text("備考", _LEVY_ROW + 3, ROWS - _LEVY_ROW - 3)

_FIELDS: tuple[Field, ...] = (
    *_PERSON.values(),
    *_RECEIVED.values(),
    *_LEFT.values(),
    *_DEDUCTIONS.values(),
    *_NEVER_FILLED,
    *_TOTALS.values(),
    *_COUNTS,
    *_LEVY,
    _LEVY_TOTAL,
    _REMARKS,
)
_BLOCKS: tuple[Box, ...] = (
    _GRID.cell(0, 0, COLUMNS, _TABLE_ROW),
    _GRID.cell(0, _TABLE_ROW, _HALF, _COUNT_ROW - _TABLE_ROW),
    _GRID.cell(_HALF, _TABLE_ROW, _HALF, _COUNT_ROW - _TABLE_ROW),
    _GRID.cell(0, _COUNT_ROW, COLUMNS, 3),
    _GRID.cell(0, _LEVY_ROW, COLUMNS, 3),
    _GRID.cell(0, 0, COLUMNS, ROWS),
)


def forms(fonts: FontList, issuer: Issuer) -> dict[str, list[Mark]]:
    """Return what is the same on every certificate, by name."""
    labels = (
        *(*_PERSON_LABELS, *_HEADS, *_INCOME_LABELS, *_DEDUCTION_LABELS, *_TOTAL_LABELS),
        *(*_COUNT_LABELS, *_LEVY_LABELS, _REMARKS_LABEL),
    )
    shades, cells = layers(furniture.labelled_cells(fonts, labels, _FIELDS, _LABEL_TYPE_PT))
    return {
        **furniture.shared_forms(fonts, issuer, None, _NOTES),
        "Shades": shades,
        "Table": [
            *cells,
            *(set_line(fonts, field, MARK) for field in _NEVER_FILLED),
            *(Frame(box=box, width_pt=furniture.THICK_PT) for box in _BLOCKS),
        ],
    }


def pages(fonts: FontList, said: TaxCertificate) -> tuple[Page, ...]:
    """Set the one sheet of a copy.

    Raises:
        CertificateRefused: a glyph is missing or a text does not fit.
    """
    lines = [set_line(fonts, furniture.TITLE, said.title)]
    lines += furniture.set_fields(fonts, _PERSON, said)
    lines += _table_lines(fonts, said)
    lines += [
        set_line(fonts, field, text) for field, text in zip(_COUNTS, said.dependants, strict=True)
    ]
    lines += [set_line(fonts, field, text) for field, text in zip(_LEVY, said.levy, strict=True)]
    lines.append(set_line(fonts, _LEVY_TOTAL, said.levy_total))
    lines += set_paragraph(fonts, _REMARKS, said.remarks)
    lines += furniture.attestation_lines(fonts, said.attestation)
    placed = (
        *(Placed(form="Shades"), Placed(form="Ground"), Placed(form="Table")),
        furniture.last_form(said.attestation),
    )
    return (Page(forms=placed, lines=tuple(lines)),)


def _table_lines(fonts: FontList, said: TaxCertificate) -> list[Line]:
    """Set income and deductions, by kind, and their totals."""
    lines = []
    for kind, (received, left) in said.incomes.items():
        lines.append(set_line(fonts, _RECEIVED[kind], received))
        lines.append(set_line(fonts, _LEFT[kind], left))
    for deduction, amount in said.deductions.items():
        lines.append(set_line(fonts, _DEDUCTIONS[deduction], amount))
    return [*lines, *furniture.set_fields(fonts, _TOTALS, said)]
