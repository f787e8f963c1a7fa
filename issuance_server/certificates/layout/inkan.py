"""How a 印鑑登録証明書 looks: the impression in real size beside the name, one item a row."""

from issuance_server.certificates.content.inkan import SealCertificate
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import (
    MM_PT,
    Box,
    Field,
    Frame,
    Mark,
    Page,
    Picture,
    Placed,
)
from issuance_server.certificates.layout.grid import Grid, layers
from issuance_server.certificates.layout.paragraphs import set_paragraph
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import Issuer
from issuance_server.core.seal_register import IMPRESSION_DOTS_PER_INCH, SealImpression
from protocol.kinds import Kind

COLUMNS = 40
ROW_PT = 34.0
_IMPRESSION_ROWS = 5
_BODY_ROWS = 9
_COLUMN_PT = furniture.WIDTH_PT / COLUMNS
_LABEL_TYPE_PT = 10.0
_VALUE_TYPE_PT = 12.0
_POINTS_PER_INCH = 72
_DOT_PT = _POINTS_PER_INCH / IMPRESSION_DOTS_PER_INCH

_GRID = Grid(
    left=furniture.LEFT_PT,
    top=furniture.BODY_TOP_PT - 8 * MM_PT,
    column_pt=_COLUMN_PT,
    row_pt=ROW_PT,
)
_IMPRESSION_LABEL = _GRID.cell(0, 0, 13)
IMPRESSION_BOX = _GRID.cell(0, 1, 13, _IMPRESSION_ROWS - 1)
"""Larger than any seal that can be registered; the impression stands in its middle."""


def _value(
    item: str, column: float, row: float, columns: float, size_pt: float = _VALUE_TYPE_PT
) -> Field:
    box = _GRID.cell(column, row, columns)
    return Field(box=box, size_pt=size_pt, padding_pt=6, item=item)


_LABELS = (
    ("印影", _IMPRESSION_LABEL),
    ("振り仮名", _GRID.cell(13, 0, 6)),
    ("氏名", _GRID.cell(13, 1, 6)),
    ("旧氏", _GRID.cell(13, 2, 6)),
    ("通称", _GRID.cell(13, 3, 6)),
    ("片仮名表記", _GRID.cell(13, 4, 6)),
    ("生年月日", _GRID.cell(0, 5, 6)),
    ("住所", _GRID.cell(0, 6, 6)),
    ("備考", _GRID.cell(0, 7, 6, 2)),
)
VALUES = {
    "kana": _value("名義人 氏名の振り仮名", 19, 0, 21, 10),
    "name": _value("名義人 氏名", 19, 1, 21, 16),
    "former_name": _value("名義人 旧氏", 19, 2, 21),
    "alias": _value("名義人 通称", 19, 3, 21),
    "katakana_name": _value("氏名のカタカナ表記", 19, 4, 21),
    "birth": _value("名義人 生年月日", 6, 5, 34),
    "address": _value("住所", 6, 6, 34),
}
"""Refusals name an item as the register does in which it is to be corrected."""
REMARKS = Field(box=_GRID.cell(6, 7, 34, 2), size_pt=_VALUE_TYPE_PT, padding_pt=6, item="備考")
_END = Field(box=_GRID.cell(0, _BODY_ROWS, COLUMNS), size_pt=10.5, align="center")
BODY_BOX = _GRID.cell(0, 0, COLUMNS, _BODY_ROWS)


def forms(fonts: FontList, issuer: Issuer) -> dict[str, list[Mark]]:
    """Return what is the same on every certificate, by name."""
    fields = (*VALUES.values(), REMARKS)
    shades, cells = layers(furniture.labelled_cells(fonts, _LABELS, fields, _LABEL_TYPE_PT))
    return {
        **furniture.shared_forms(fonts, issuer, Kind.INKAN.title),
        "Shades": shades,
        "Table": [
            *cells,
            Frame(box=IMPRESSION_BOX, width_pt=furniture.THIN_PT),
            Frame(box=BODY_BOX, width_pt=furniture.THICK_PT),
            set_line(fonts, _END, furniture.END),
        ],
    }


def pages(fonts: FontList, said: SealCertificate) -> tuple[Page, ...]:
    """Set the one sheet of a copy.

    Raises:
        CertificateRefused: a glyph is missing or a text does not fit.
    """
    lines = furniture.set_fields(fonts, VALUES, said)
    lines += set_paragraph(fonts, REMARKS, said.remarks)
    lines += furniture.attestation_lines(fonts, said.attestation)
    page = Page(
        forms=(
            Placed(form="Shades"),
            Placed(form="Ground"),
            Placed(form="Table"),
            furniture.last_form(said.attestation),
        ),
        marks=(_in_real_size(said.impression),),
        lines=tuple(lines),
    )
    return (page,)


def _in_real_size(impression: SealImpression) -> Picture:
    """Put an impression into the middle of its box, one dot of the scan on one of the printer."""
    width, height = impression.width_dots * _DOT_PT, impression.height_dots * _DOT_PT
    box = IMPRESSION_BOX
    return Picture(
        box=Box(
            x=round((box.x + (box.width - width) / 2) / _DOT_PT) * _DOT_PT,
            y=round((box.y + (box.height - height) / 2) / _DOT_PT) * _DOT_PT,
            width=width,
            height=height,
        ),
        width_dots=impression.width_dots,
        height_dots=impression.height_dots,
        rows=impression.rows,
    )
