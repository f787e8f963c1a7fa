"""How a 戸籍の附票の写し looks: each person with a table of addresses, over several sheets.

A person whose addresses go on on the next sheet is named there again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from issuance_server.certificates.content.fuhyo import AddressCertificate, PersonAddresses
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
from issuance_server.certificates.layout.grid import Grid, layers, stroke
from issuance_server.certificates.layout.refusals import named
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import CertificateRefused, Issuer
from protocol.limits import SHEETS_MAX

COLUMNS = 40
ROW_PT = 19.0
HEAD_ROWS = 2
"""Rows that name a person: the person's cells, and the heads of the columns."""
GAP_ROWS = 0.4
_COLUMN_PT = furniture.WIDTH_PT / COLUMNS
_REGISTER_ROW_PT = 19.0
_LABEL_TYPE_PT = 8.6
_VALUE_TYPE_PT = 10.0
_REGISTER = Grid(
    left=furniture.LEFT_PT,
    top=furniture.BODY_TOP_PT,
    column_pt=_COLUMN_PT,
    row_pt=_REGISTER_ROW_PT,
)
_FLOW_TOP_PT = furniture.BODY_TOP_PT - 3 * _REGISTER_ROW_PT - 7
_FLOW = Grid(left=furniture.LEFT_PT, top=_FLOW_TOP_PT, column_pt=_COLUMN_PT, row_pt=ROW_PT)
ROWS_PER_SHEET = (_FLOW_TOP_PT - furniture.BODY_BOTTOM_PT) / ROW_PT

_REGISTER_LABELS = (
    ("本籍", _REGISTER.cell(0, 0, 7)),
    ("筆頭者", _REGISTER.cell(0, 1, 7)),
    ("編製・改製", _REGISTER.cell(0, 2, 7)),
)
_REGISTER_VALUES = {
    "domicile": Field(box=_REGISTER.cell(7, 0, 33), size_pt=_VALUE_TYPE_PT, item="本籍"),
    "head": Field(box=_REGISTER.cell(7, 1, 33), size_pt=_VALUE_TYPE_PT, item="筆頭者氏名"),
}
_MADE = Field(box=_REGISTER.cell(7, 2, 33), size_pt=_VALUE_TYPE_PT, item="編製日・改製日")

_PERSON_LABELS = (
    ("氏名", _FLOW.cell(0, 0, 4)),
    ("生年月日", _FLOW.cell(19, 0, 4.5)),
    ("性別", _FLOW.cell(33, 0, 3.5)),
    ("番号", _FLOW.cell(0, 1, 4)),
    ("住所", _FLOW.cell(4, 1, 26)),
    ("住所を定めた年月日", _FLOW.cell(30, 1, 10)),
)
_PERSON_VALUES = {
    "name": Field(box=_FLOW.cell(4, 0, 15), size_pt=12, item="氏名"),
    "birth": Field(box=_FLOW.cell(23.5, 0, 9.5), size_pt=_VALUE_TYPE_PT, item="生年月日"),
    "sex": Field(box=_FLOW.cell(36.5, 0, 3.5), size_pt=_VALUE_TYPE_PT, align="center", item="性別"),
}
_REMOVED = Field(box=_FLOW.cell(15.4, 0.14, 3.2, 0.72), size_pt=9, align="spread", padding_pt=3)
REMOVED_NAME = Field(box=_FLOW.cell(4, 0, 11.2), size_pt=12, item="氏名")
"""The name's field beside the mark 除籍."""
_ADDRESS = (
    Field(box=_FLOW.cell(0, 0, 4), size_pt=_VALUE_TYPE_PT, align="center"),
    Field(box=_FLOW.cell(4, 0, 26), size_pt=_VALUE_TYPE_PT, item="住所"),
    Field(box=_FLOW.cell(30, 0, 10), size_pt=_VALUE_TYPE_PT, item="住所を定めた年月日"),
)
_END = Field(box=_FLOW.cell(0, 0, COLUMNS), size_pt=_VALUE_TYPE_PT, align="center")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Addresses of one person on one sheet.

    Attributes:
        row: where its head stands, in rows from the top of the flow.
        person: whose.
        first: number of its first address, from 1.
        last: number of its last address.
    """

    row: float
    person: PersonAddresses
    first: int
    last: int

    @property
    def end_row(self) -> float:
        """Where it ends."""
        return self.row + HEAD_ROWS + self.last - self.first + 1


def forms(fonts: FontList, issuer: Issuer) -> dict[str, list[Mark]]:
    """Return what is the same on every certificate, by name."""
    register_fields = (*_REGISTER_VALUES.values(), _MADE)
    register_shades, register = layers(
        furniture.labelled_cells(fonts, _REGISTER_LABELS, register_fields, 9.5)
    )
    person_fields = tuple(_PERSON_VALUES.values())
    person_shades, person = layers(
        furniture.labelled_cells(fonts, _PERSON_LABELS, person_fields, _LABEL_TYPE_PT)
    )
    return {
        **furniture.shared_forms(fonts, issuer, None),
        "RegisterShades": register_shades,
        "Register": [
            *register,
            Frame(box=_REGISTER.cell(0, 0, COLUMNS, 3), width_pt=furniture.THICK_PT),
        ],
        "PersonShades": person_shades,
        "Person": [
            *person,
            Frame(box=_FLOW.cell(0, 0, COLUMNS), width_pt=furniture.THICK_PT),
        ],
        "Address": [Frame(box=field.box, width_pt=furniture.THIN_PT) for field in _ADDRESS],
        "Removed": [
            Frame(box=_REMOVED.box, width_pt=furniture.THICK_PT),
            set_line(fonts, _REMOVED, "除籍"),
        ],
        "End": [set_line(fonts, _END, furniture.END)],
    }


def pages(fonts: FontList, said: AddressCertificate) -> tuple[Page, ...]:
    """Set the sheets of one copy.

    Raises:
        CertificateRefused: a glyph is missing, a text does not fit, or there are more sheets than
            one issuance may have.
    """
    sheets = list(divided(said.people))
    return tuple(_page(fonts, said, parts, is_last=parts is sheets[-1]) for parts in sheets)


def divided(people: tuple[PersonAddresses, ...]) -> Iterator[list[Part]]:
    """Divide people among sheets; a part has at least one address.

    Raises:
        CertificateRefused: there are more sheets than one issuance may have.
    """
    parts: list[Part] = []
    row, sheets = 0.0, 1
    for person in people:
        first = 1
        while first <= len(person.addresses):
            room = int(ROWS_PER_SHEET - row) - HEAD_ROWS
            if room < 1:
                yield parts
                parts, row, sheets = [], 0.0, sheets + 1
                if sheets > SHEETS_MAX:
                    raise CertificateRefused("too-many-sheets")
                continue
            last = min(first + room - 1, len(person.addresses))
            parts.append(Part(row=row, person=person, first=first, last=last))
            row = parts[-1].end_row + GAP_ROWS
            first = last + 1
    yield parts


def _page(fonts: FontList, said: AddressCertificate, parts: list[Part], *, is_last: bool) -> Page:
    attestation = said.attestation if is_last else None
    placed = [
        Placed(form="RegisterShades"),
        *(Placed(form="PersonShades", dy=-part.row * ROW_PT) for part in parts),
        *(Placed(form="Ground"), Placed(form="Register")),
    ]
    lines = [set_line(fonts, furniture.TITLE, f"戸籍の附票　{said.coverage}")]
    lines += furniture.set_fields(fonts, _REGISTER_VALUES, said)
    lines.append(set_line(fonts, _MADE, f"【{said.made_by}】{said.made_on}"))
    for part in parts:
        placed += _part_forms(part)
        try:
            lines += _part_lines(fonts, part)
        except CertificateRefused as refused:
            raise named(refused, part.person.entry) from None
    marks: list[Mark] = [_outline(part) for part in parts]
    left_row = parts[-1].end_row + GAP_ROWS
    if left_row + 1 <= ROWS_PER_SHEET:
        marks.append(Frame(box=_left(left_row), width_pt=furniture.THICK_PT))
        if is_last:
            placed.append(Placed(form="End", dy=-left_row * ROW_PT))
            left_row += 1
        marks.append(stroke(_left(left_row), furniture.THIN_PT))
    placed.append(furniture.last_form(attestation))
    lines += furniture.attestation_lines(fonts, attestation)
    return Page(forms=tuple(placed), lines=tuple(lines), marks=tuple(marks))


def _left(row: float) -> Box:
    """Return the room that is left from a row on."""
    return _FLOW.cell(0, row, COLUMNS, ROWS_PER_SHEET - row)


def _part_forms(part: Part) -> Iterator[Placed]:
    yield Placed(form="Person", dy=-part.row * ROW_PT)
    if part.person.removed:
        yield Placed(form="Removed", dy=-part.row * ROW_PT)
    for place in range(part.last - part.first + 1):
        yield Placed(form="Address", dy=-(part.row + HEAD_ROWS + place) * ROW_PT)


def _part_lines(fonts: FontList, part: Part) -> Iterator[Line]:
    person, down = part.person, -part.row * ROW_PT
    fields = {**_PERSON_VALUES, "name": REMOVED_NAME} if person.removed else _PERSON_VALUES
    yield from furniture.set_fields(fonts, fields, person, down)
    for number in range(part.first, part.last + 1):
        row = part.row + HEAD_ROWS + number - part.first
        texts = (str(number), *person.addresses[number - 1])
        for field, text in zip(_ADDRESS, texts, strict=True):
            yield set_line(fonts, field.moved(-row * ROW_PT), text)


def _outline(part: Part) -> Frame:
    box = _FLOW.cell(0, part.row, COLUMNS, part.end_row - part.row)
    return Frame(box=box, width_pt=furniture.THICK_PT)
