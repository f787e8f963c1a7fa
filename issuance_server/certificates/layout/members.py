"""Tables of members, four to a sheet: what juminhyo and kisaijiko have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.content.juminhyo import ENTRIES_PER_SHEET, Sheet
from issuance_server.certificates.content.residents import MemberFields
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
from issuance_server.certificates.layout.grid import layers
from issuance_server.certificates.layout.paragraphs import set_paragraph
from issuance_server.certificates.layout.refusals import named
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import CertificateRefused

Labels = tuple[tuple[str, Box], ...]
"""Words and their cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryForm:
    """One member's cells, in the place of the first entry.

    Attributes:
        labels: words and their cells.
        values: by the name of the field of ``MemberFields``.
        paragraphs: likewise, those of several lines.
        foreign_values: by the name of the field of ``ForeignFields``.
        never_filled: cells that always hold the mark.
    """

    labels: Labels
    values: Mapping[str, Field]
    foreign_values: Mapping[str, Field]
    paragraphs: Mapping[str, Field] = field(default_factory=dict)
    never_filled: tuple[Field, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every cell that is not a label."""
        filled = (self.values, self.foreign_values, self.paragraphs)
        return (*(one for fields in filled for one in fields.values()), *self.never_filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTable:
    """Head rows, and entries that are all alike, each a step lower than the one before.

    Attributes:
        head_box: the head rows together.
        head_labels: their labels.
        head_values: their fields, ``address`` and ``head``.
        head_label_pt: type size of their labels.
        entry_box: the first entry.
        entry_step_pt: from one entry to the next.
        position: the member's running number.
        label_pt: type size of an entry's labels.
        japanese: an entry's cells.
        foreign: those of a foreign resident.
    """

    head_box: Box
    head_labels: Labels
    head_values: Mapping[str, Field]
    head_label_pt: float
    entry_box: Box
    entry_step_pt: float
    position: Field
    label_pt: float
    japanese: EntryForm
    foreign: EntryForm

    def forms(self, fonts: FontList) -> dict[str, list[Mark]]:
        """Return the prepared forms: the head, both kinds of entry, and the rooms left empty."""
        head_shades, head = layers(
            furniture.labelled_cells(
                fonts, self.head_labels, tuple(self.head_values.values()), self.head_label_pt
            )
        )
        shades, entry = layers(self._entry(fonts, self.japanese))
        foreign_shades, foreign_entry = layers(self._entry(fonts, self.foreign))
        return {
            "HeadShades": head_shades,
            "Head": [*head, Frame(box=self.head_box, width_pt=furniture.THICK_PT)],
            "EntryShades": shades,
            "Entry": entry,
            "ForeignEntryShades": foreign_shades,
            "ForeignEntry": foreign_entry,
            **{
                f"Empty{entries}": furniture.struck_out(fonts, self.room(entries))
                for entries in range(1, ENTRIES_PER_SHEET)
            },
        }

    def pages(self, fonts: FontList, sheets: tuple[Sheet, ...]) -> tuple[Page, ...]:
        """Set the sheets of one copy.

        Raises:
            CertificateRefused: a glyph is missing or a text does not fit.
        """
        return tuple(self._page(fonts, sheet) for sheet in sheets)

    def room(self, entries: int) -> Box:
        """Return the room of the last entries of a sheet."""
        first, step = self.entry_box, self.entry_step_pt
        return Box(
            x=first.x,
            y=first.y - (ENTRIES_PER_SHEET - 1) * step,
            width=first.width,
            height=first.height + (entries - 1) * step,
        )

    def _page(self, fonts: FontList, sheet: Sheet) -> Page:
        lines = furniture.set_fields(fonts, self.head_values, sheet)
        shades, entries = [Placed(form="HeadShades")], [Placed(form="Head")]
        for place, entry in enumerate(sheet.entries):
            form, down = _form(entry), -place * self.entry_step_pt
            shades.append(Placed(form=f"{form}Shades", dy=down))
            entries.append(Placed(form=form, dy=down))
            lines += self._entry_lines(fonts, entry, down)
        placed = [*shades, Placed(form="Ground"), *entries]
        if empty := ENTRIES_PER_SHEET - len(sheet.entries):
            placed.append(Placed(form=f"Empty{empty}"))
        placed.append(furniture.last_form(sheet.attestation))
        lines += furniture.attestation_lines(fonts, sheet.attestation)
        return Page(forms=tuple(placed), lines=tuple(lines))

    def _entry_lines(self, fonts: FontList, entry: MemberFields, down: float) -> list[Line]:
        form = self.foreign if entry.foreign else self.japanese
        lines = [set_line(fonts, self.position, entry.position, down)]
        try:
            lines += furniture.set_fields(fonts, form.values, entry, down)
            lines += furniture.set_fields(fonts, form.foreign_values, entry.foreign, down)
            for name, place in form.paragraphs.items():
                lines += set_paragraph(fonts, place.moved(down), getattr(entry, name))
        except CertificateRefused as refused:
            raise named(refused, entry.entry) from None
        return lines

    def _entry(self, fonts: FontList, form: EntryForm) -> list[Mark]:
        """Draw the first entry's labels and rules; the others are the same, moved down."""
        return [
            *furniture.labelled_cells(fonts, form.labels, form.fields, self.label_pt),
            *(set_line(fonts, place, MARK) for place in form.never_filled),
            Frame(box=self.position.box, width_pt=furniture.THIN_PT),
            Frame(box=self.entry_box, width_pt=furniture.THICK_PT),
        ]


def _form(entry: MemberFields) -> str:
    """Return the name of the form that an entry is set on."""
    return "ForeignEntry" if entry.foreign else "Entry"
