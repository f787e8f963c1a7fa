"""How a 住民票の写し (世帯連記式) looks: A4 upright, 40 columns, four members of 12 rows each."""

from dataclasses import replace

from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import furniture
from issuance_server.certificates.layout.display import Field, Mark
from issuance_server.certificates.layout.grid import Grid
from issuance_server.certificates.layout.members import EntryForm, MemberTable
from issuance_server.certificates.order import Issuer

TITLE = "住民票"
COLUMNS = 40
ROWS_PER_ENTRY = 12

COLUMN_PT = furniture.WIDTH_PT / COLUMNS
HEAD_ROW_PT = 16.0
HEAD_GAP_PT = 4.4
ENTRIES_TOP_PT = furniture.BODY_TOP_PT - 2 * HEAD_ROW_PT - HEAD_GAP_PT
ENTRY_ROW_PT = 10.9
ENTRY_GAP_PT = 3.9
ENTRY_STEP_PT = ROWS_PER_ENTRY * ENTRY_ROW_PT + ENTRY_GAP_PT

HEAD_TYPE_PT = 11.0
LABEL_TYPE_PT = 7.4
VALUE_TYPE_PT = 8.6
NAME_TYPE_PT = 14.0
KANA_TYPE_PT = 7.8

_HEAD = Grid(
    left=furniture.LEFT_PT,
    top=furniture.BODY_TOP_PT,
    column_pt=COLUMN_PT,
    row_pt=HEAD_ROW_PT,
)
_ENTRY = Grid(left=furniture.LEFT_PT, top=ENTRIES_TOP_PT, column_pt=COLUMN_PT, row_pt=ENTRY_ROW_PT)

_HEAD_LABELS = (("住所", _HEAD.cell(0, 0, 6)), ("世帯主", _HEAD.cell(0, 1, 6)))
_HEAD_VALUES = {
    "address": Field(box=_HEAD.cell(6, 0, 34), size_pt=HEAD_TYPE_PT, item="住所"),
    "head": Field(box=_HEAD.cell(6, 1, 34), size_pt=HEAD_TYPE_PT, item="世帯主 氏名"),
}


def _value(item: str, column: float, row: float, columns: float, rows: float = 1) -> Field:
    box = _ENTRY.cell(column, row, columns, rows)
    return Field(box=box, size_pt=VALUE_TYPE_PT, item=item)


def _kana(item: str, row: float) -> Field:
    return Field(box=_ENTRY.cell(8, row, 18), size_pt=KANA_TYPE_PT, item=item)


POSITION = Field(box=_ENTRY.cell(0, 0, 2, ROWS_PER_ENTRY), size_pt=11, align="center", padding_pt=1)
_SHARED_LABELS = (
    ("氏名の振り仮名", _ENTRY.cell(2, 0, 6)),
    ("氏名", _ENTRY.cell(2, 1, 6, 2)),
    ("生年月日", _ENTRY.cell(2, 5, 6)),
    ("性別", _ENTRY.cell(15.3, 5, 1.9)),
    ("続柄", _ENTRY.cell(18.6, 5, 1.9)),
    ("転入前住所", _ENTRY.cell(2, 7, 6)),
    ("備考", _ENTRY.cell(2, 10, 6, 2)),
    ("個人番号", _ENTRY.cell(26, 0, 6)),
    ("住民票コード", _ENTRY.cell(26, 1, 6)),
    ("住所を定めた年月日", _ENTRY.cell(26, 3, 6)),
    ("届出日", _ENTRY.cell(26, 4, 6)),
)
_SHARED_VALUES = {
    "kana": _kana("氏名の振り仮名", 0),
    "name": Field(box=_ENTRY.cell(8, 1, 18, 2), size_pt=NAME_TYPE_PT, item="氏名"),
    "my_number": _value("個人番号", 32, 0, 8),
    "became_resident_on": _value("住民となった年月日", 32, 2, 8),
    "address_since": _value("住所を定めた年月日", 32, 3, 8),
    "notified_on": _value("届出日", 32, 4, 8),
    "birth": _value("生年月日", 8, 5, 7.3),
    "sex": replace(_value("性別", 17.2, 5, 1.4), align="center", padding_pt=1),
    "relationship": replace(_value("続柄", 20.5, 5, 5.5), padding_pt=3),
    "previous_address": _value("転入前住所", 8, 7, 32),
}
_REMARKS = {"remarks": _value("備考", 8, 10, 32, 2)}
JAPANESE = EntryForm(
    labels=(
        *_SHARED_LABELS,
        ("旧氏の振り仮名", _ENTRY.cell(2, 3, 6)),
        ("旧氏", _ENTRY.cell(2, 4, 6)),
        ("住民となった年月日", _ENTRY.cell(26, 2, 6)),
        ("筆頭者", _ENTRY.cell(26, 5, 6)),
        ("本籍", _ENTRY.cell(2, 6, 6)),
        (MARK, _ENTRY.cell(2, 8, 6)),
        (MARK, _ENTRY.cell(2, 9, 6)),
        (MARK, _ENTRY.cell(26, 8, 6)),
        (MARK, _ENTRY.cell(26, 9, 6)),
    ),
    values={
        **_SHARED_VALUES,
        "former_name_kana": _kana("旧氏の振り仮名", 3),
        "former_name": _value("旧氏", 8, 4, 18),
        "register_head": _value("筆頭者", 32, 5, 8),
        "domicile": _value("本籍", 8, 6, 32),
    },
    foreign_values={},
    paragraphs=_REMARKS,
    never_filled=(
        _value("住民票コード", 32, 1, 8),
        *(_value("", column, row, width) for row in (8, 9) for column, width in ((8, 18), (32, 8))),
    ),
)
FOREIGN = EntryForm(
    labels=(
        *_SHARED_LABELS,
        ("通称の振り仮名", _ENTRY.cell(2, 3, 6)),
        ("通称", _ENTRY.cell(2, 4, 6)),
        ("外国人住民となった日", _ENTRY.cell(26, 2, 6)),
        ("国籍・地域", _ENTRY.cell(26, 5, 6)),
        ("在留資格", _ENTRY.cell(2, 6, 6)),
        ("30条の45区分", _ENTRY.cell(26, 6, 6)),
        ("在留期間", _ENTRY.cell(2, 8, 6)),
        ("満了の日", _ENTRY.cell(26, 8, 6)),
        ("在留カード等の番号", _ENTRY.cell(2, 9, 6)),
        (MARK, _ENTRY.cell(26, 9, 6)),
    ),
    values=_SHARED_VALUES,
    foreign_values={
        "alias_kana": _kana("通称の振り仮名", 3),
        "alias": _value("通称", 8, 4, 18),
        "nationality": _value("国籍・地域", 32, 5, 8),
        "status": _value("在留資格", 8, 6, 18),
        "category": _value("30条の45区分", 32, 6, 8),
        "period": _value("在留期間", 8, 8, 18),
        "until": _value("在留期間の満了の日", 32, 8, 8),
        "card_number": _value("在留カード等の番号", 8, 9, 18),
    },
    paragraphs=_REMARKS,
    never_filled=(_value("住民票コード", 32, 1, 8), _value("", 32, 9, 8)),
)


TABLE = MemberTable(
    head_box=_HEAD.cell(0, 0, COLUMNS, 2),
    head_labels=_HEAD_LABELS,
    head_values=_HEAD_VALUES,
    head_label_pt=9.5,
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
    return {**furniture.shared_forms(fonts, issuer, TITLE), **TABLE.forms(fonts)}
