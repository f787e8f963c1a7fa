"""What all kinds share: title, foot, certifying words, seal, and the room for the signed code.

Upright A4. The body stands between ``BODY_TOP_PT`` and ``BODY_BOTTOM_PT``. Below lie the certifying
words, on the last sheet, then the foot: the 発行番号, what the marks mean, how to verify, and on
the right the signed code, on every sheet.
"""

from collections.abc import Mapping, Sequence

from issuance_server.certificates.content.common import MARK, Attestation
from issuance_server.certificates.fonts import FontList
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
from issuance_server.certificates.layout.seal import SEAL_PT, seal
from issuance_server.certificates.layout.tint import tint
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import Issuer

LEFT_PT = 14 * MM_PT
WIDTH_PT = SHEET_WIDTH_PT - 2 * LEFT_PT
RIGHT_PT = LEFT_PT + WIDTH_PT

BODY_TOP_PT = SHEET_HEIGHT_PT - 28 * MM_PT
BODY_BOTTOM_PT = 66 * MM_PT

CODE_SIDE_PT = 32.5 * MM_PT
"""A QR code of version 13 (69 modules of 0.42 mm) with its quiet zone is 32.34 mm wide."""
CODE_BOX = Box(
    x=SHEET_WIDTH_PT - 12 * MM_PT - CODE_SIDE_PT,
    y=8 * MM_PT,
    width=CODE_SIDE_PT,
    height=CODE_SIDE_PT,
)
"""Kept white on every sheet for the signed code, quiet zone included."""

THIN_PT = 0.4
THICK_PT = 1.0
LABEL_COLOUR = (0.955, 0.975, 0.967)
WHITE = (1.0, 1.0, 1.0)
TITLE_TYPE_PT = 20.0
BODY_TYPE_PT = 10.5
SMALL_TYPE_PT = 6.6
CELL_PADDING_PT = 4.0

CONTINUED = "（次のページに続く）"
END = "以下余白"
SEAL_NOTE = "この印は黒色です"
SPECIMEN_NOTICE = "見本　記載の人物は架空であり、証明書としての効力はありません。"
LEGEND = f"{MARK}は、記載を省略した項目又は該当のない項目です。"
ONE_SET = "複数枚にわたる証明書は、とじていません。全てのページがそろって一通です。"
VERIFY_HINT = "真偽の確認：右のコードを読み取ると、市の署名と発行の記録を確かめられます。"
BACK_HINT = "裏面の画像：両面を読み取ると、表面が書き換えられていないことを確かめられます。"

_FOOT_WIDTH_PT = CODE_BOX.x - LEFT_PT - 3 * MM_PT
_FOOT_ROW_PT = 9.2
_FOOT_TOP_PT = 24.5 * MM_PT
_NUMBER_TYPE_PT = 9.0

_SEAL_X_PT = CODE_BOX.x - 5 * MM_PT - SEAL_PT
_SEAL_Y_PT = 29 * MM_PT


def _foot_row(row: int) -> Box:
    """Return a row of the foot, counted from its rule down."""
    y = _FOOT_TOP_PT - 14 - row * _FOOT_ROW_PT
    return Box(x=LEFT_PT, y=y, width=_FOOT_WIDTH_PT, height=_FOOT_ROW_PT)


TITLE = Field(
    box=Box(x=LEFT_PT + WIDTH_PT / 8, y=BODY_TOP_PT + 7, width=WIDTH_PT * 3 / 4, height=28),
    size_pt=TITLE_TYPE_PT,
    align="spread",
)
"""The title, centred above the body."""
NUMBER = Field(
    box=Box(x=LEFT_PT, y=_FOOT_TOP_PT - 14, width=_FOOT_WIDTH_PT, height=12),
    size_pt=_NUMBER_TYPE_PT,
    padding_pt=0,
    item="発行番号",
)
SENTENCE = Field(
    box=Box(x=LEFT_PT, y=56 * MM_PT, width=WIDTH_PT, height=18), size_pt=11.5, padding_pt=0
)
ISSUED_ON = Field(
    box=Box(x=LEFT_PT, y=46.5 * MM_PT, width=60 * MM_PT, height=18),
    size_pt=11.5,
    padding_pt=12,
)
AUTHORITY = Field(
    box=Box(
        x=LEFT_PT + 20 * MM_PT,
        y=_SEAL_Y_PT + SEAL_PT / 2 - 14,
        width=_SEAL_X_PT - LEFT_PT - 24 * MM_PT,
        height=28,
    ),
    size_pt=15,
    align="right",
    item="証明者の職氏名",
)
SEAL_BOX = Box(x=_SEAL_X_PT, y=_SEAL_Y_PT, width=SEAL_PT, height=SEAL_PT)
_SEAL_NOTE = Field(
    box=Box(x=_SEAL_X_PT - 10, y=_SEAL_Y_PT - 11, width=SEAL_PT + 20, height=9),
    size_pt=SMALL_TYPE_PT,
    align="center",
    padding_pt=0,
)
_CONTINUED = Field(
    box=Box(x=LEFT_PT, y=57 * MM_PT, width=WIDTH_PT, height=14), size_pt=9.5, align="center"
)
_SPECIMEN = Field(
    box=Box(x=LEFT_PT, y=SHEET_HEIGHT_PT - 12.5 * MM_PT, width=WIDTH_PT, height=12),
    size_pt=8,
    align="center",
)


def shared_forms(
    fonts: FontList,
    issuer: Issuer,
    title: str | None,
    notes: Sequence[str] = (LEGEND + ONE_SET,),
) -> dict[str, list[Mark]]:
    """Return the prepared forms that every kind places: Ground, Continued and Seal.

    Args:
        fonts: for labels and the seal.
        issuer: whose seal, and whether it is a specimen.
        title: of every sheet; ``None`` where it is no label but text of its own.
        notes: explanations at the foot, each on a row of its own.
    """
    return {
        "Ground": [
            tint(fonts, specimen=issuer.specimen),
            Shade(box=CODE_BOX, colour=WHITE),
            *_head(fonts, issuer, title),
            *_foot(fonts, (*notes, *_hints(issuer))),
        ],
        "Continued": [set_line(fonts, _CONTINUED, CONTINUED)],
        "Seal": [
            seal(fonts, issuer.seal_text, SEAL_BOX.x, SEAL_BOX.y),
            set_line(fonts, _SEAL_NOTE, SEAL_NOTE),
        ],
    }


def last_form(attestation: Attestation | None) -> Placed:
    """Return the form below the body: the seal where the sheet certifies, else the notice."""
    return Placed(form="Seal" if attestation else "Continued")


def attestation_lines(fonts: FontList, attestation: Attestation | None) -> list[Line]:
    """Set the certifying words of a sheet, if it certifies.

    Raises:
        CertificateRefused: a glyph is missing, or a name is too long.
    """
    if attestation is None:
        return []
    return [
        set_line(fonts, SENTENCE, attestation.sentence),
        set_line(fonts, ISSUED_ON, attestation.issued_on),
        set_line(fonts, AUTHORITY, attestation.authority),
    ]


def numbered(fonts: FontList, page: Page, number: str) -> Page:
    """Return a sheet with its 発行番号 line, which is the last of its lines."""
    return page.with_lines(set_line(fonts, NUMBER, f"発行番号　{number}"))


def labelled(fonts: FontList, label: str, box: Box, size_pt: float) -> list[Mark]:
    """Draw a label's cell."""
    field = Field(box=box, size_pt=size_pt, align="spread", padding_pt=CELL_PADDING_PT)
    return [
        Shade(box=box, colour=LABEL_COLOUR),
        Frame(box=box, width_pt=THIN_PT),
        set_line(fonts, field, label),
    ]


def labelled_cells(
    fonts: FontList, labels: Sequence[tuple[str, Box]], fields: Sequence[Field], size_pt: float
) -> list[Mark]:
    """Draw cells of labels and frames of fields."""
    marks: list[Mark] = []
    for label, box in labels:
        marks += labelled(fonts, label, box, size_pt)
    return [*marks, *(Frame(box=field.box, width_pt=THIN_PT) for field in fields)]


def struck_out(fonts: FontList, box: Box) -> list[Mark]:
    """Strike out room that is left, so that nothing can be added there."""
    words = Field(
        box=Box(x=box.x, y=box.y + box.height - 24, width=box.width, height=20),
        size_pt=BODY_TYPE_PT,
        align="center",
    )
    return [
        Frame(box=box, width_pt=THICK_PT),
        Rule(
            x1=box.x + box.width,
            y1=box.y + box.height - 28,
            x2=box.x,
            y2=box.y,
            width_pt=THIN_PT,
        ),
        set_line(fonts, words, END),
    ]


def set_fields(
    fonts: FontList, fields: Mapping[str, Field], said: object, down: float = 0.0
) -> list[Line]:
    """Set attributes of what is said into the fields of the same names, moved by ``down``.

    Raises:
        CertificateRefused: a glyph is missing or a text does not fit; the item is the field's.
    """
    return [set_line(fonts, field, getattr(said, name), down) for name, field in fields.items()]


def _head(fonts: FontList, issuer: Issuer, title: str | None) -> list[Mark]:
    marks: list[Mark] = []
    if title is not None:
        marks.append(set_line(fonts, TITLE, title))
    if issuer.specimen:
        marks.append(set_line(fonts, _SPECIMEN, SPECIMEN_NOTICE))
    return marks


def _hints(issuer: Issuer) -> list[str]:
    """Return how a sheet can be verified."""
    hints = [VERIFY_HINT] if issuer.verify_page else []
    return [*hints, BACK_HINT] if issuer.backs else hints


def _foot(fonts: FontList, notes: Sequence[str]) -> list[Mark]:
    """Draw the rule above the foot and the explanations under the number."""
    rule = Rule(
        x1=LEFT_PT,
        y1=_FOOT_TOP_PT,
        x2=LEFT_PT + _FOOT_WIDTH_PT,
        y2=_FOOT_TOP_PT,
        width_pt=THIN_PT,
    )
    marks: list[Mark] = [rule]
    for row, words in enumerate(notes, start=1):
        field = Field(box=_foot_row(row), size_pt=SMALL_TYPE_PT, padding_pt=0)
        marks.append(set_line(fonts, field, words))
    return marks
