"""How a 住民票の写し (世帯連記式) looks: A4 upright, 40 columns, four members of 12 rows each."""

from collections.abc import Mapping, Sequence

from issuance_server.certificates.content import MARK, Attestation
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.juminhyo import ENTRIES_PER_SHEET, Entry, Sheet
from issuance_server.certificates.layout.display import (
    MM_PT,
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
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
from issuance_server.certificates.layout.grid import Grid
from issuance_server.certificates.layout.seal import SEAL_PT, seal
from issuance_server.certificates.layout.tint import tint
from issuance_server.certificates.layout.typesetting import set_line

COLUMNS = 40
ROWS_PER_ENTRY = 12

LEFT_PT = 15 * MM_PT
WIDTH_PT = SHEET_WIDTH_PT - 2 * LEFT_PT
COLUMN_PT = WIDTH_PT / COLUMNS
TITLE_PT = 20.0
HEAD_TOP_PT = SHEET_HEIGHT_PT - 26 * MM_PT
HEAD_ROW_PT = 18.0
ENTRIES_TOP_PT = HEAD_TOP_PT - 2 * HEAD_ROW_PT - 6.0
ENTRY_ROW_PT = 11.45
ENTRY_GAP_PT = 4.0
ENTRY_STEP_PT = ROWS_PER_ENTRY * ENTRY_ROW_PT + ENTRY_GAP_PT
ENTRIES_BOTTOM_PT = ENTRIES_TOP_PT - ENTRIES_PER_SHEET * ENTRY_STEP_PT + ENTRY_GAP_PT

THIN_PT = 0.4
THICK_PT = 1.0
LABEL_COLOUR = (0.92, 0.95, 0.94)
LABEL_TYPE_PT = 7.6
VALUE_TYPE_PT = 8.8
SMALL_TYPE_PT = 6.6

_HEAD = Grid(left=LEFT_PT, top=HEAD_TOP_PT, column_pt=COLUMN_PT, row_pt=HEAD_ROW_PT)
_ENTRY = Grid(left=LEFT_PT, top=ENTRIES_TOP_PT, column_pt=COLUMN_PT, row_pt=ENTRY_ROW_PT)

_HEAD_LABELS = (("住所", 0), ("世帯主", 1))
_HEAD_LABEL_COLUMNS = 6
_ADDRESS = Field(box=_HEAD.cell(6, 0, 34), size_pt=11)
_HEAD_NAME = Field(box=_HEAD.cell(6, 1, 34), size_pt=11)

_POSITION = Field(box=_ENTRY.cell(0, 0, 2, 12), size_pt=11, align="center", padding_pt=1)
_LABELS: tuple[tuple[str, Box], ...] = (
    ("氏名の振り仮名", _ENTRY.cell(2, 0, 6)),
    ("氏名", _ENTRY.cell(2, 1, 6, 2)),
    ("旧氏の振り仮名", _ENTRY.cell(2, 3, 6)),
    ("旧氏", _ENTRY.cell(2, 4, 6)),
    ("生年月日", _ENTRY.cell(2, 5, 6)),
    ("性別", _ENTRY.cell(15, 5, 2.5)),
    ("続柄", _ENTRY.cell(19.5, 5, 2.5)),
    ("本籍", _ENTRY.cell(2, 6, 6)),
    ("転入前住所", _ENTRY.cell(2, 7, 6)),
    (MARK, _ENTRY.cell(2, 8, 6)),
    (MARK, _ENTRY.cell(2, 9, 6)),
    ("備考", _ENTRY.cell(2, 10, 6, 2)),
    ("個人番号", _ENTRY.cell(26, 0, 6)),
    ("住民票コード", _ENTRY.cell(26, 1, 6)),
    ("住民となった年月日", _ENTRY.cell(26, 2, 6)),
    ("住所を定めた年月日", _ENTRY.cell(26, 3, 6)),
    ("届出日", _ENTRY.cell(26, 4, 6)),
    ("筆頭者", _ENTRY.cell(26, 5, 6)),
    (MARK, _ENTRY.cell(26, 8, 6)),
    (MARK, _ENTRY.cell(26, 9, 6)),
)
_VALUES: Mapping[str, Field] = {
    "kana": Field(box=_ENTRY.cell(8, 0, 18), size_pt=8),
    "name": Field(box=_ENTRY.cell(8, 1, 18, 2), size_pt=14),
    "former_name_kana": Field(box=_ENTRY.cell(8, 3, 18), size_pt=8),
    "former_name": Field(box=_ENTRY.cell(8, 4, 18), size_pt=VALUE_TYPE_PT),
    "birth": Field(box=_ENTRY.cell(8, 5, 7), size_pt=VALUE_TYPE_PT),
    "sex": Field(box=_ENTRY.cell(17.5, 5, 2), size_pt=VALUE_TYPE_PT, align="center", padding_pt=1),
    "relationship": Field(box=_ENTRY.cell(22, 5, 4), size_pt=VALUE_TYPE_PT, padding_pt=3),
    "domicile": Field(box=_ENTRY.cell(8, 6, 32), size_pt=VALUE_TYPE_PT),
    "previous_address": Field(box=_ENTRY.cell(8, 7, 32), size_pt=VALUE_TYPE_PT),
    "remarks": Field(box=_ENTRY.cell(8, 10, 32, 2), size_pt=VALUE_TYPE_PT),
    "my_number": Field(box=_ENTRY.cell(32, 0, 8), size_pt=VALUE_TYPE_PT),
    "became_resident_on": Field(box=_ENTRY.cell(32, 2, 8), size_pt=VALUE_TYPE_PT),
    "address_since": Field(box=_ENTRY.cell(32, 3, 8), size_pt=VALUE_TYPE_PT),
    "notified_on": Field(box=_ENTRY.cell(32, 4, 8), size_pt=VALUE_TYPE_PT),
    "register_head": Field(box=_ENTRY.cell(32, 5, 8), size_pt=VALUE_TYPE_PT),
}
"""By the name of the field of ``Entry``."""
_NEVER_FILLED = (
    Field(box=_ENTRY.cell(32, 1, 8), size_pt=VALUE_TYPE_PT),  # 住民票コード
    Field(box=_ENTRY.cell(8, 8, 18), size_pt=VALUE_TYPE_PT),
    Field(box=_ENTRY.cell(8, 9, 18), size_pt=VALUE_TYPE_PT),
    Field(box=_ENTRY.cell(32, 8, 8), size_pt=VALUE_TYPE_PT),
    Field(box=_ENTRY.cell(32, 9, 8), size_pt=VALUE_TYPE_PT),
)

_SEAL_X_PT = SHEET_WIDTH_PT - LEFT_PT - SEAL_PT - 14.0
_SEAL_Y_PT = ENTRIES_BOTTOM_PT - 107.0


def _row(top_pt: float, height_pt: float, left_pt: float = 0.0, width_pt: float = WIDTH_PT) -> Box:
    """Return a box below the entries: ``top_pt`` down from them, ``left_pt`` into the table."""
    y = ENTRIES_BOTTOM_PT - top_pt - height_pt
    return Box(x=LEFT_PT + left_pt, y=y, width=width_pt, height=height_pt)


_SENTENCE = Field(box=_row(12, 18), size_pt=11)
_ISSUED_ON = Field(box=_row(40, 18, left_pt=20, width_pt=200), size_pt=11)
_AUTHORITY = Field(
    box=_row(66, 24, left_pt=170, width_pt=_SEAL_X_PT - LEFT_PT - 178), size_pt=15, align="center"
)
_SEAL_NOTE = Field(
    box=Box(x=_SEAL_X_PT - 10, y=_SEAL_Y_PT - 12, width=SEAL_PT + 20, height=10),
    size_pt=SMALL_TYPE_PT,
    align="center",
    padding_pt=0,
)
_CONTINUED = Field(box=_row(12, 18), size_pt=10, align="center")
_FOOT = Box(x=LEFT_PT, y=8 * MM_PT, width=WIDTH_PT, height=11)
_NUMBER = Field(box=_FOOT.moved(11), size_pt=9, padding_pt=0)
_LEGEND = Field(box=_FOOT, size_pt=SMALL_TYPE_PT, padding_pt=0)


def forms(fonts: FontList, *, seal_text: str, specimen: bool) -> dict[str, Sequence[Mark]]:
    """Return everything that does not depend on the certificate, by the names of ``page``.

    Args:
        fonts: what labels are set with.
        seal_text: the characters of the city's seal.
        specimen: whether the sheets are marked 見本.
    """
    prepared: dict[str, Sequence[Mark]] = {
        "Ground": (tint(fonts, specimen=specimen),),
        "Head": _head(fonts, specimen=specimen),
        "Entry": _entry(fonts),
        "Seal": (
            seal(fonts, seal_text, _SEAL_X_PT, _SEAL_Y_PT),
            set_line(fonts, _SEAL_NOTE, "この印は黒色です"),
        ),
        "Continued": (set_line(fonts, _CONTINUED, "（次のページに続く）"),),
    }
    for empty in range(1, ENTRIES_PER_SHEET):
        prepared[f"Empty{empty}"] = _blank(fonts, empty)
    return prepared


def page(fonts: FontList, sheet: Sheet, number: str) -> Page:
    """Return one sheet.

    Args:
        fonts: what the texts are set with.
        sheet: what it says.
        number: its 発行番号 line.

    Raises:
        CertificateRefused: a glyph is missing or a text does not fit.
    """
    placed = [Placed(form="Ground"), Placed(form="Head")]
    lines = [
        set_line(fonts, _ADDRESS, sheet.address),
        set_line(fonts, _HEAD_NAME, sheet.head),
        number_line(fonts, number),
    ]
    for place, entry in enumerate(sheet.entries):
        down = -place * ENTRY_STEP_PT
        placed.append(Placed(form="Entry", dy=down))
        lines += _entry_lines(fonts, entry, down)
    if empty := ENTRIES_PER_SHEET - len(sheet.entries):
        placed.append(Placed(form=f"Empty{empty}"))
    if sheet.attestation is None:
        placed.append(Placed(form="Continued"))
    else:
        placed.append(Placed(form="Seal"))
        lines += _attestation_lines(fonts, sheet.attestation)
    return Page(forms=tuple(placed), lines=tuple(lines))


def number_line(fonts: FontList, number: str) -> Line:
    """Return the 発行番号 line at the foot."""
    return set_line(fonts, _NUMBER, f"発行番号　{number}")


def _entry_lines(fonts: FontList, entry: Entry, down: float) -> list[Line]:
    lines = [set_line(fonts, _POSITION.moved(down), entry.position)]
    for name, field in _VALUES.items():
        lines.append(set_line(fonts, field.moved(down), getattr(entry, name)))
    return lines


def _attestation_lines(fonts: FontList, attestation: Attestation) -> list[Line]:
    return [
        set_line(fonts, _SENTENCE, attestation.sentence),
        set_line(fonts, _ISSUED_ON, attestation.issued_on),
        set_line(fonts, _AUTHORITY, attestation.authority),
    ]


def _head(fonts: FontList, *, specimen: bool) -> list[Mark]:
    """Draw the title, the two rows above the entries, and what is said at the foot."""
    title = Box(x=LEFT_PT + WIDTH_PT / 4, y=HEAD_TOP_PT + 5, width=WIDTH_PT / 2, height=30)
    marks: list[Mark] = [
        set_line(fonts, Field(box=title, size_pt=TITLE_PT, align="spread"), "住民票"),
        set_line(
            fonts,
            _LEGEND,
            f"{MARK}は、記載を省略した項目又は該当のない項目です。"
            "複数枚にわたる証明書は、とじていません。全てのページがそろって一通です。",
        ),
    ]
    for label, row in _HEAD_LABELS:
        marks += _labelled(fonts, label, _HEAD.cell(0, row, _HEAD_LABEL_COLUMNS), size_pt=10)
        marks.append(Frame(box=_HEAD.cell(_HEAD_LABEL_COLUMNS, row, 34), width_pt=THIN_PT))
    marks.append(Frame(box=_HEAD.cell(0, 0, COLUMNS, 2), width_pt=THICK_PT))
    if specimen:
        words = Field(
            box=Box(x=LEFT_PT, y=SHEET_HEIGHT_PT - 11 * MM_PT, width=WIDTH_PT, height=12),
            size_pt=8,
            align="center",
        )
        notice = "見本　記載の人物は架空であり、証明書としての効力はありません。"
        marks.append(set_line(fonts, words, notice))
    return marks


def _entry(fonts: FontList) -> list[Mark]:
    """Draw the first entry's labels and rules; the others are the same, moved down."""
    marks: list[Mark] = []
    for label, box in _LABELS:
        marks += _labelled(fonts, label, box, size_pt=LABEL_TYPE_PT)
    marks += [Frame(box=field.box, width_pt=THIN_PT) for field in _VALUES.values()]
    for field in _NEVER_FILLED:
        marks += [Frame(box=field.box, width_pt=THIN_PT), set_line(fonts, field, MARK)]
    marks.append(Frame(box=_POSITION.box, width_pt=THIN_PT))
    marks.append(Frame(box=_ENTRY.cell(0, 0, COLUMNS, ROWS_PER_ENTRY), width_pt=THICK_PT))
    return marks


def _blank(fonts: FontList, entries: int) -> list[Mark]:
    """Strike out the room of the last entries, so that nobody can be added there."""
    bottom = ENTRIES_BOTTOM_PT
    height = entries * ENTRY_STEP_PT - ENTRY_GAP_PT
    box = Box(x=LEFT_PT, y=bottom, width=WIDTH_PT, height=height)
    words = Field(
        box=Box(x=LEFT_PT, y=bottom + height - 24, width=WIDTH_PT, height=20),
        size_pt=VALUE_TYPE_PT,
        align="center",
    )
    return [
        Frame(box=box, width_pt=THICK_PT),
        Rule(
            x1=LEFT_PT + WIDTH_PT,
            y1=bottom + height - 28,
            x2=LEFT_PT,
            y2=bottom,
            width_pt=THIN_PT,
        ),
        set_line(fonts, words, "以下余白"),
    ]


def _labelled(fonts: FontList, label: str, box: Box, size_pt: float) -> list[Mark]:
    """Draw a label's cell."""
    field = Field(box=box, size_pt=size_pt, align="spread", padding_pt=4)
    return [
        Shade(box=box, colour=LABEL_COLOUR),
        Frame(box=box, width_pt=THIN_PT),
        set_line(fonts, field, label),
    ]
