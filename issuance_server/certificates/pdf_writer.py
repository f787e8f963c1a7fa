"""Pages into PDF: objects through pydyf, fonts as subsets, the static forms serialised once.

The same input gives the same bytes: nothing is taken from a clock, and the document's identifier
is given. Object numbers of the static part are fixed, because it is always added first.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby

import pydyf

from issuance_server.certificates.back.page import FORM as BACK_FORM
from issuance_server.certificates.fonts import FontList, Glyph
from issuance_server.certificates.layout.display import (
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
    Drawing,
    Frame,
    Line,
    Mark,
    Page,
    Picture,
    Placed,
    Rule,
    Shade,
)
from issuance_server.certificates.pdf_archive import archive_entries
from issuance_server.certificates.pdf_fonts import (
    PAGE_COMPRESSION,
    STATIC_COMPRESSION,
    embedded,
    stream,
)
from issuance_server.certificates.written_digests import CanonicalForms
from protocol.errors import Misuse

LINE_DIGESTS = "KofuLineDigests"
"""An entry of a page for whoever verifies the file; printers and viewers ignore it."""

LENGTHS_KNOWN_MAX = 4096
"""Sizes and places of lines whose digits are remembered, about 100 bytes each."""

_WHOLE_SHEET = b"[0 0 %.1f %.2f]" % (SHEET_WIDTH_PT, SHEET_HEIGHT_PT)
_FORM_BOX = b"[0 0 596 842]"
_FILE_HEAD = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"
"""With bytes beyond ASCII in a comment, so that nobody takes the file for text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticPart:
    """Objects that are the same in every document.

    Attributes:
        objects: serialised, numbered from the document's first free number on.
        forms: object number of each form.
        archived: entries of the document's catalog that PDF/A asks for.
        canonical_forms: of the objects, by their numbers, for page digests.
    """

    objects: tuple[bytes, ...]
    forms: Mapping[str, int]
    archived: Mapping[str, bytes]
    canonical_forms: Mapping[int, bytes]


class _Serialised(pydyf.Object):  # type: ignore[misc]  # pydyf has no types
    """An object whose bytes are ready."""

    def __init__(self, serialised: bytes) -> None:
        super().__init__()
        self._serialised = serialised

    @property
    def data(self) -> bytes:
        return self._serialised


def prepare(fonts: FontList, forms: Mapping[str, Sequence[Mark]]) -> StaticPart:
    """Serialise forms and the font subsets of their labels."""
    document = pydyf.PDF()
    first = len(document.objects)
    lines = [mark for marks in forms.values() for mark in marks if isinstance(mark, Line)]
    ink = _Ink(document, fonts, lines, STATIC_COMPRESSION)
    resources = pydyf.Dictionary(
        {"Font": ink.font_resources, "XObject": _stencils(document, forms)}
    )
    document.add_object(resources)
    numbers = {}
    for name, marks in forms.items():
        form = stream(
            b"\n".join(ink.operators(mark) for mark in marks),
            STATIC_COMPRESSION,
            Type="/XObject",
            Subtype="/Form",
            BBox=_FORM_BOX,
            Resources=resources.reference,
        )
        document.add_object(form)
        numbers[name] = form.number
    canonical = CanonicalForms({})
    canonical_forms = {
        written.number: canonical.add(written) for written in document.objects[first:]
    }
    archived = archive_entries(document)
    return StaticPart(
        objects=tuple(written.data for written in document.objects[first:]),
        forms=numbers,
        archived=archived,
        canonical_forms=canonical_forms,
    )


def write(fonts: FontList, static: StaticPart, pages: Sequence[Page], identifier: bytes) -> bytes:
    """Return the PDF file of these pages.

    Args:
        fonts: what the lines were set with.
        static: the forms that the pages use.
        pages: in order.
        identifier: names the document in its trailer.
    """
    return _file(_document(fonts, static, pages), identifier)


def write_digested(
    fonts: FontList, static: StaticPart, pages: Sequence[Page], identifier: bytes
) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the PDF file of these pages, as :func:`write` does, and their page digests."""
    document = _document(fonts, static, pages)
    canonical = CanonicalForms(static.canonical_forms)
    digests = []
    for written in document.objects[document.catalog.number + 1 + len(static.objects) :]:
        if isinstance(written, pydyf.Dictionary) and written.get("Type") == "/Page":
            digests.append(canonical.page_digest(written))
        else:
            canonical.add(written)
    return _file(document, identifier), tuple(digests)


def _document(fonts: FontList, static: StaticPart, pages: Sequence[Page]) -> pydyf.PDF:
    """Put a document together; every object stands behind those that it refers to."""
    document = pydyf.PDF()
    used = {placed.form for page in pages for placed in page.forms}
    left_out = {number for name, number in static.forms.items() if name not in used}
    for serialised in static.objects:
        document.add_object(_Serialised(serialised))
        if document.objects[-1].number in left_out:
            document.objects[-1].free = "f"
    lines = (line for page in pages for line in page.lines)
    ink = _Ink(document, fonts, lines, PAGE_COMPRESSION)
    forms = {name: b"%d 0 R" % static.forms[name] for name in sorted(used)}
    pictures = _pictures(document, pages)
    resources = pydyf.Dictionary(
        {"Font": ink.font_resources, "XObject": pydyf.Dictionary(forms | pictures.references)}
    )
    document.add_object(resources)
    for page in pages:
        content = [_placed(form) for form in page.forms]
        content += [
            pictures.operators(mark) if isinstance(mark, Picture) else ink.operators(mark)
            for mark in page.marks
        ]
        content += [ink.line(line) for line in page.lines if line.glyphs]
        shown = stream(b"\n".join(content), PAGE_COMPRESSION)
        document.add_object(shown)
        entries = {
            "Type": "/Page",
            "Parent": document.pages.reference,
            "MediaBox": _WHOLE_SHEET,
            "Contents": shown.reference,
            "Resources": resources.reference,
        }
        if page.line_digests:
            entries[LINE_DIGESTS] = b"<%b>" % page.line_digests.hex().encode("ascii")
        document.add_page(pydyf.Dictionary(entries))
    # A printer that fits the page to its margins would change the seal's size.
    preferences = {"PrintScaling": "/None"}
    if BACK_FORM in used:
        preferences["Duplex"] = "/DuplexFlipLongEdge"
    document.catalog["ViewerPreferences"] = pydyf.Dictionary(preferences)
    document.catalog["Lang"] = pydyf.String("ja-JP")
    document.catalog.update(static.archived)
    return document


def _stencils(document: pydyf.PDF, forms: Mapping[str, Sequence[Mark]]) -> pydyf.Dictionary:
    """Add the stencils of drawings to a document, each once, and return them by their names."""
    drawings = (mark for marks in forms.values() for mark in marks if isinstance(mark, Drawing))
    references = {}
    for stencil in dict.fromkeys(chain.from_iterable(drawing.stencils for drawing in drawings)):
        mask = _mask(stencil.width_dots, stencil.height_dots, stencil.packed_rows)
        document.add_object(mask)
        references[stencil.name] = mask.reference
    return pydyf.Dictionary(references)


def _mask(width_dots: int, height_dots: int, rows: bytes, *, deflated: bool = True) -> pydyf.Stream:
    """Return a picture of one bit a dot, through which the present colour is painted."""
    entries = {
        "Type": "/XObject",
        "Subtype": "/Image",
        "Width": width_dots,
        "Height": height_dots,
        "ImageMask": "true",
        "BitsPerComponent": 1,
        "Decode": pydyf.Array([1, 0]),
    }
    return pydyf.Stream([rows], entries | {"Filter": "/FlateDecode"} if deflated else entries)


def _file(document: pydyf.PDF, identifier: bytes) -> bytes:
    """Write a document out; pydyf would name it by a hash over all of it."""
    parts = [_FILE_HEAD]
    offset = len(_FILE_HEAD)
    places = []
    for written in document.objects:
        if written.free == "f":
            places.append(b"%010d %05d f \n" % (0, written.generation))
            continue
        places.append(b"%010d 00000 n \n" % offset)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (written.number, written.data))
        offset += len(parts[-1])
    name = pydyf.String(identifier.hex()).data
    entries = (len(places), document.catalog.reference, name, name)
    parts += [b"xref\n0 %d\n" % len(places), *places]
    parts.append(b"trailer\n<<\n/Size %d\n/Root %b\n/ID [%b %b]\n>>\n" % entries)
    parts.append(b"startxref\n%d\n%%%%EOF\n" % offset)
    return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pictures:
    """The pictures of a document, each embedded once.

    Attributes:
        references: to the objects, by the picture's name.
        names: by size and rows.
    """

    references: dict[str, bytes]
    names: dict[tuple[int, int, bytes], str]

    def operators(self, picture: Picture) -> bytes:
        box = picture.box
        name = self.names[picture.width_dots, picture.height_dots, picture.rows]
        return b"q %.2f 0 0 %.2f %.2f %.2f cm /%b Do Q" % (
            *(box.width, box.height, box.x, box.y),
            name.encode("ascii"),
        )


def _pictures(document: pydyf.PDF, pages: Sequence[Page]) -> _Pictures:
    """Add the pages' pictures to a document as masks, through which black is painted."""
    references: dict[str, bytes] = {}
    names: dict[tuple[int, int, bytes], str] = {}
    for mark in (mark for page in pages for mark in page.marks):
        if not isinstance(mark, Picture):
            continue
        key = (mark.width_dots, mark.height_dots, mark.rows)
        if key in names:
            continue
        rows = mark.rows if mark.noise else zlib.compress(mark.rows, PAGE_COMPRESSION)
        mask = _mask(mark.width_dots, mark.height_dots, rows, deflated=not mark.noise)
        document.add_object(mask)
        names[key] = f"P{len(names)}"
        references[names[key]] = mask.reference
    return _Pictures(references=references, names=names)


class _Ink:
    """Embeds the glyphs of some lines in a document, then writes marks with their codes.

    Two texts may share a glyph, such as 葛 and 葛 with a variation selector. So that each can be
    copied as it was written, a font appears under a second name that reads its codes otherwise.
    """

    def __init__(
        self, document: pydyf.PDF, fonts: FontList, lines: Iterable[Line], compression: int
    ) -> None:
        readings: dict[int, list[dict[int, str]]] = {}
        places: dict[Glyph, int] = {}
        # A dictionary, not a set: its order is that of the text, in every process.
        for glyph in dict.fromkeys(chain.from_iterable([line.glyphs for line in lines])):
            places[glyph] = _reading(readings.setdefault(glyph.font, []), glyph)
        self.font_resources = pydyf.Dictionary()
        codes = {}
        for index, font_readings in sorted(readings.items()):
            subset = fonts.files[index].subset(font_readings[0])
            codes[index] = subset.codes
            references = embedded(document, fonts.files[index], subset, font_readings, compression)
            for place, reference in enumerate(references):
                self.font_resources[f"F{index}R{place}"] = reference
        self._fonts = {glyph: b"F%dR%d" % (glyph.font, place) for glyph, place in places.items()}
        self._codes = {glyph: b"%04X" % codes[glyph.font][glyph.glyph_id] for glyph in places}

    def operators(self, mark: Mark) -> bytes:
        """Return the content stream operators of a mark."""
        match mark:
            case Line():
                return self.line(mark)
            case Rule():
                return b"%.2f w %.2f %.2f m %.2f %.2f l S" % (
                    *(mark.width_pt, mark.x1, mark.y1),
                    *(mark.x2, mark.y2),
                )
            case Frame(box=box):
                return b"%.2f w %.2f %.2f %.2f %.2f re S" % (
                    *(mark.width_pt, box.x, box.y),
                    *(box.width, box.height),
                )
            case Shade(box=box):
                return b"q %.2f %.2f %.2f rg %.2f %.2f %.2f %.2f re f Q" % (
                    *mark.colour,
                    *(box.x, box.y, box.width, box.height),
                )
            case Drawing():
                return mark.operators
            case Picture():
                raise Misuse("a picture belongs to one document, not to a prepared form")

    def line(self, line: Line) -> bytes:
        """Return the operators of a line with glyphs; each run of one font is one string."""
        codes, size = self._codes, _points(line.size_pt)
        shown = [
            b"/%b %b Tf <%b> Tj" % (font, size, b"".join([codes[glyph] for glyph in run]))
            for font, run in self._runs(line.glyphs)
        ]
        place = (_points(line.spacing_pt), _points(line.x), _points(line.y))
        return b"BT %b Tc %b %b Td %b ET" % (*place, b" ".join(shown))

    def _runs(self, glyphs: Sequence[Glyph]) -> Iterable[tuple[bytes, Iterable[Glyph]]]:
        if len(self.font_resources) == 1:
            return [(self._fonts[glyphs[0]], glyphs)]
        return groupby(glyphs, self._fonts.__getitem__)


@lru_cache(LENGTHS_KNOWN_MAX)
def _points(length: float) -> bytes:
    """Return a length as it is written; a form's fields stand in the same places every time."""
    return b"%.2f" % length


def _reading(readings: list[dict[int, str]], glyph: Glyph) -> int:
    """Find the reading of a font in which a glyph stands for its text, or add one."""
    for place, texts in enumerate(readings):
        if texts.setdefault(glyph.glyph_id, glyph.text) == glyph.text:
            return place
    readings.append({glyph.glyph_id: glyph.text})
    return len(readings) - 1


def _placed(placed: Placed) -> bytes:
    if not placed.dy:
        return f"/{placed.form} Do".encode("ascii")
    return f"q 1 0 0 1 0 {placed.dy:.2f} cm /{placed.form} Do Q".encode("ascii")
