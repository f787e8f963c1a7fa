"""How the back of a sheet looks: the scrambled face between four markers, and what it is for."""

from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
)
from issuance_server.certificates.code.symbol import symbol
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import (
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
    Box,
    Drawing,
    Field,
    Mark,
    Page,
    Picture,
    Placed,
    Shade,
)
from issuance_server.certificates.layout.tint import tint
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import Issuer

FORM = "Back"
MARKER_TEXTS = ("K0", "K1", "K2", "K3")
"""What the markers say: upper left, upper right, lower left, lower right."""
MARKER_SIDE = 42
"""Side of a marker, in modules of the picture: 21 modules of its own, 0.508 mm each."""

_MARKER_GAP = 8
"""Its quiet zone, four modules of its own."""
MARKER_CORNERS = tuple(
    (column, row)
    for row in (-_MARKER_GAP - MARKER_SIDE, ROWS + _MARKER_GAP)
    for column in (0, COLUMNS - MARKER_SIDE)
)
"""Column and row of each marker's upper left corner, in modules of the picture."""

PICTURE_BOX = Box(
    x=LEFT_PT,
    y=(SHEET_HEIGHT_PT - ROWS * MODULE_PT) / 2,
    width=COLUMNS * MODULE_PT,
    height=ROWS * MODULE_PT,
)
"""Where the scrambled face stands."""
_WHITE = (1.0, 1.0, 1.0)
_WORDS_INSET_PT = (MARKER_SIDE + 2 * _MARKER_GAP) * MODULE_PT
_WORDS_ROW_PT = 10.0
_NUMBER_TYPE_PT = 9.0
_WORDS_TYPE_PT = 7.0
_MARKER_BOTTOM_PT = PICTURE_BOX.y - (_MARKER_GAP + MARKER_SIDE) * MODULE_PT
_HEADING = "スクランブル画像：表面の内容を暗号にしたものです。折り目や書き込みを避けてください。"


def _words(row: int, size_pt: float) -> Field:
    """Return a row of words between the lower markers, counted from below."""
    return Field(
        box=Box(
            x=PICTURE_BOX.x + _WORDS_INSET_PT,
            y=_MARKER_BOTTOM_PT + row * _WORDS_ROW_PT,
            width=PICTURE_BOX.width - 2 * _WORDS_INSET_PT,
            height=_WORDS_ROW_PT,
        ),
        size_pt=size_pt,
        align="center",
        padding_pt=0,
    )


_ABOVE_PT = PICTURE_BOX.y + PICTURE_BOX.height + _MARKER_GAP * MODULE_PT - _MARKER_BOTTOM_PT
_NUMBER = _words(2, _NUMBER_TYPE_PT).moved(_ABOVE_PT)


def back_forms(fonts: FontList, issuer: Issuer, address: str) -> dict[str, list[Mark]]:
    """Return what is the same on every back.

    Args:
        fonts: for words and tint.
        issuer: whether it is a specimen.
        address: of the verification page, for people to type.

    Raises:
        CertificateRefused: the address is too long for its line, or a glyph is missing.
    """
    how = (
        "真偽の確認：表面とこの面を読み取った画像を次のページで開くと、",
        "表面の元の内容と、書き換えられた箇所が表示されます。",
        address,
    )
    marks: list[Mark] = [tint(fonts, specimen=issuer.specimen)]
    for column, row in MARKER_CORNERS:
        marks.append(Shade(box=_around(column, row), colour=_WHITE))
    marks.append(Shade(box=PICTURE_BOX, colour=_WHITE))
    for text, (column, row) in zip(MARKER_TEXTS, MARKER_CORNERS, strict=True):
        marks.append(_marker(text, column, row))
    marks.append(set_line(fonts, _words(1, _WORDS_TYPE_PT).moved(_ABOVE_PT), _HEADING))
    for place, words in enumerate(reversed(how)):
        marks.append(set_line(fonts, _words(place, _WORDS_TYPE_PT), words))
    return {FORM: marks}


def back_page(fonts: FontList, number: str, rows: bytes) -> Page:
    """Set the back of a sheet.

    Args:
        fonts: for the number.
        number: 発行番号 with page and pages, as on the face.
        rows: the scrambled window, packed.

    Raises:
        CertificateRefused: a glyph is missing.
    """
    picture = Picture(box=PICTURE_BOX, width_dots=COLUMNS, height_dots=ROWS, rows=rows, noise=True)
    line = set_line(fonts, _NUMBER, f"発行番号　{number}")
    return Page(forms=(Placed(form=FORM),), lines=(line,), marks=(picture,))


def _marker(text: str, column: int, row: int) -> Drawing:
    """Draw a marker, all its modules in one path, so that no seams can show."""
    made = symbol(text)
    row_bytes = len(made.rows) // made.modules
    side = MARKER_SIDE // made.modules
    path = [b"q 0 g"]
    for line in range(made.modules):
        bits = int.from_bytes(made.rows[line * row_bytes : (line + 1) * row_bytes], "big")
        for place in range(made.modules):
            if bits >> (row_bytes * 8 - 1 - place) & 1:
                dot = _box(column + place * side, row + line * side, side)
                path.append(b"%.2f %.2f %.2f %.2f re" % (dot.x, dot.y, dot.width, dot.height))
    return Drawing(operators=b"\n".join((*path, b"f Q")))


def _around(column: int, row: int) -> Box:
    """Return a marker with its quiet zone, as far as there is paper."""
    box = _box(column - _MARKER_GAP, row - _MARKER_GAP, MARKER_SIDE + 2 * _MARKER_GAP)
    right = min(box.x + box.width, SHEET_WIDTH_PT)
    return Box(x=max(box.x, 0.0), y=box.y, width=right - max(box.x, 0.0), height=box.height)


def _box(column: int, row: int, side: int) -> Box:
    """Return a square of the sheet, given in modules of the picture."""
    return Box(
        x=PICTURE_BOX.x + column * MODULE_PT,
        y=PICTURE_BOX.y + PICTURE_BOX.height - (row + side) * MODULE_PT,
        width=side * MODULE_PT,
        height=side * MODULE_PT,
    )
