"""How a 住民票記載事項証明書 looks: four members of seven tall rows each."""

from dataclasses import replace

from issuance_server.certificates.content.juminhyo import ENTRIES_PER_SHEET
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import Field, Mark
from issuance_server.certificates.layout.grid import Grid
from issuance_server.certificates.layout.members import EntryForm, MemberTable
from issuance_server.certificates.order import Issuer
from protocol.kinds import Kind

COLUMNS = 40
ROWS_PER_ENTRY = 7
COLUMN_PT = furniture.WIDTH_PT / COLUMNS
HEAD_ROW_PT = 20.0
HEAD_GAP_PT = 6.0
ENTRIES_TOP_PT = furniture.BODY_TOP_PT - 2 * HEAD_ROW_PT - HEAD_GAP_PT
ENTRY_GAP_PT = 6.0
ENTRY_STEP_PT = (ENTRIES_TOP_PT - furniture.BODY_BOTTOM_PT + ENTRY_GAP_PT) / ENTRIES_PER_SHEET
ENTRY_ROW_PT = (ENTRY_STEP_PT - ENTRY_GAP_PT) / ROWS_PER_ENTRY

HEAD_TYPE_PT = 12.0
LABEL_TYPE_PT = 8.4
VALUE_TYPE_PT = 10.0
NAME_TYPE_PT = 15.0

_HEAD = Grid(
    left=furniture.LEFT_PT,
    top=furniture.BODY_TOP_PT,
    column_pt=COLUMN_PT,
    row_pt=HEAD_ROW_PT,
)
_ENTRY = Grid(left=furniture.LEFT_PT, top=ENTRIES_TOP_PT, column_pt=COLUMN_PT, row_pt=ENTRY_ROW_PT)
_HEAD_LABELS = (("住所", _HEAD.cell(0, 0, 7)), ("世帯主", _HEAD.cell(0, 1, 7)))
_HEAD_VALUES = {
    "address": Field(box=_HEAD.cell(7, 0, 33), size_pt=HEAD_TYPE_PT, item="住所"),
    "head": Field(box=_HEAD.cell(7, 1, 33), size_pt=HEAD_TYPE_PT, item="世帯主 氏名"),
}


def _value(item: str, column: float, row: float, columns: float) -> Field:
    return Field(box=_ENTRY.cell(column, row, columns), size_pt=VALUE_TYPE_PT, item=item)


POSITION = Field(box=_ENTRY.cell(0, 0, 2, ROWS_PER_ENTRY), size_pt=12, align="center", padding_pt=1)
_SHARED_LABELS = (
    ("振り仮名", _ENTRY.cell(2, 0, 6)),
    ("氏名", _ENTRY.cell(2, 1, 6, 2)),
    ("生年月日", _ENTRY.cell(2, 3, 6)),
    ("性別", _ENTRY.cell(20, 3, 3)),
    ("続柄", _ENTRY.cell(27, 3, 4)),
    ("個人番号", _ENTRY.cell(26, 4, 5)),
)
_SHARED_VALUES = {
    "kana": Field(box=_ENTRY.cell(8, 0, 32), size_pt=8.8, item="氏名の振り仮名"),
    "name": Field(box=_ENTRY.cell(8, 1, 32, 2), size_pt=NAME_TYPE_PT, item="氏名"),
    "birth": _value("生年月日", 8, 3, 12),
    "sex": replace(_value("性別", 23, 3, 4), align="center"),
    "relationship": _value("続柄", 31, 3, 9),
    "my_number": _value("個人番号", 31, 4, 9),
}
JAPANESE = EntryForm(
    labels=(
        *_SHARED_LABELS,
        ("旧氏", _ENTRY.cell(2, 4, 6)),
        ("本籍", _ENTRY.cell(2, 5, 6)),
        ("筆頭者", _ENTRY.cell(2, 6, 6)),
    ),
    values={
        **_SHARED_VALUES,
        "former_name": _value("旧氏", 8, 4, 18),
        "domicile": _value("本籍", 8, 5, 32),
        "register_head": _value("筆頭者", 8, 6, 32),
    },
    foreign_values={},
)
FOREIGN = EntryForm(
    labels=(
        *_SHARED_LABELS,
        ("通称", _ENTRY.cell(2, 4, 6)),
        ("国籍・地域", _ENTRY.cell(2, 5, 6)),
        ("30条の45区分", _ENTRY.cell(20, 5, 6)),
        ("在留資格", _ENTRY.cell(2, 6, 6)),
        ("満了の日", _ENTRY.cell(26, 6, 5)),
    ),
    values=_SHARED_VALUES,
    foreign_values={
        "alias": _value("通称", 8, 4, 18),
        "nationality": _value("国籍・地域", 8, 5, 12),
        "category": _value("30条の45区分", 26, 5, 14),
        "status": _value("在留資格", 8, 6, 18),
        "until": _value("在留期間の満了の日", 31, 6, 9),
    },
)
TABLE = MemberTable(
    head_box=_HEAD.cell(0, 0, COLUMNS, 2),
    head_labels=_HEAD_LABELS,
    head_values=_HEAD_VALUES,
    head_label_pt=10,
    entry_box=_ENTRY.cell(0, 0, COLUMNS, ROWS_PER_ENTRY),
    entry_step_pt=ENTRY_STEP_PT,
    position=POSITION,
    label_pt=LABEL_TYPE_PT,
    japanese=JAPANESE,
    foreign=FOREIGN,
)
pages = TABLE.pages


def forms(fonts: FontList, issuer: Issuer) -> dict[str, list[Mark]]:
    """Return what is the same on every certificate, by name."""
    return {**furniture.shared_forms(fonts, issuer, Kind.KISAIJIKO.title), **TABLE.forms(fonts)}
