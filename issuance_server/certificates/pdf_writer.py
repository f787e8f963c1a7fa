"""Pages into PDF: objects through pydyf, fonts as subsets, the static forms serialised once.

The same input gives the same bytes: nothing is taken from a clock, and the document's identifier
is given. Object numbers of the static part are fixed, because it is always added first.
"""

import hashlib
import io
import string
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import pydyf

from issuance_server.certificates.fonts import PDF_UNITS_PER_EM, FontFile, FontList, Glyph, Subset
from issuance_server.certificates.layout.display import (
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
    Drawing,
    Frame,
    Line,
    Mark,
    Page,
    Placed,
    Rule,
    Shade,
)

STATIC_COMPRESSION = 9
PAGE_COMPRESSION = 1
"""Level 6 costs twice the time of everything else and saves a hundredth."""
_BFCHAR_ENTRIES_MAX = 100
_SYMBOLIC = 4
_STEM_WIDTH = 80
_SUBSET_TAG_LETTERS = 6
_WHOLE_SHEET = pydyf.Array([0, 0, SHEET_WIDTH_PT, SHEET_HEIGHT_PT])


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticPart:
    """Objects that are the same in every document.

    Attributes:
        objects: serialised, numbered from the document's first free number on.
        forms: object number of each form.
    """

    objects: tuple[bytes, ...]
    forms: Mapping[str, int]


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
    numbers = {}
    for name, marks in forms.items():
        form = _stream(
            b"\n".join(ink.operators(mark) for mark in marks),
            STATIC_COMPRESSION,
            Type="/XObject",
            Subtype="/Form",
            BBox=_WHOLE_SHEET,
            Resources=pydyf.Dictionary({"Font": ink.font_resources}),
        )
        document.add_object(form)
        numbers[name] = form.number
    return StaticPart(objects=tuple(o.data for o in document.objects[first:]), forms=numbers)


def write(fonts: FontList, static: StaticPart, pages: Sequence[Page], identifier: bytes) -> bytes:
    """Return the PDF file of these pages.

    Args:
        fonts: what the lines were set with.
        static: the forms that the pages use.
        pages: in order.
        identifier: names the document in its trailer.
    """
    document = pydyf.PDF()
    for serialised in static.objects:
        document.add_object(_Serialised(serialised))
    ink = _Ink(document, fonts, (line for page in pages for line in page.lines), PAGE_COMPRESSION)
    resources = pydyf.Dictionary(
        {
            "Font": ink.font_resources,
            "XObject": pydyf.Dictionary(
                {name: b"%d 0 R" % number for name, number in static.forms.items()}
            ),
        }
    )
    document.add_object(resources)
    for page in pages:
        content = [_placed(form) for form in page.forms]
        content += [ink.operators(line) for line in page.lines]
        stream = _stream(b"\n".join(content), PAGE_COMPRESSION)
        document.add_object(stream)
        document.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": document.pages.reference,
                    "MediaBox": _WHOLE_SHEET,
                    "Contents": stream.reference,
                    "Resources": resources.reference,
                }
            )
        )
    # A printer that fits the page to its margins would change the seal's size.
    document.catalog["ViewerPreferences"] = pydyf.Dictionary({"PrintScaling": "/None"})
    document.catalog["Lang"] = pydyf.String("ja-JP")
    written = io.BytesIO()
    document.write(written, identifier=identifier.hex())
    return written.getvalue()


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
        for glyph in (glyph for line in lines for glyph in line.glyphs):
            if glyph not in places:
                places[glyph] = _reading(readings.setdefault(glyph.font, []), glyph)
        self.font_resources = pydyf.Dictionary()
        codes = {}
        for index, font_readings in sorted(readings.items()):
            subset = fonts.files[index].subset(font_readings[0])
            codes[index] = subset.codes
            references = _embed(document, fonts.files[index], subset, font_readings, compression)
            for place, reference in enumerate(references):
                self.font_resources[f"F{index}R{place}"] = reference
        self._written = {
            glyph: (f"F{glyph.font}R{place}", f"{codes[glyph.font][glyph.glyph_id]:04X}")
            for glyph, place in places.items()
        }

    def operators(self, mark: Mark) -> bytes:
        """Return the content stream operators of a mark."""
        match mark:
            case Line():
                return self._line(mark)
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

    def _line(self, line: Line) -> bytes:
        """Write a line; each run of one font is one string."""
        parts = [f"BT {line.spacing_pt:.2f} Tc {line.x:.2f} {line.y:.2f} Td"]
        written = (self._written[glyph] for glyph in line.glyphs)
        for font, run in groupby(written, key=itemgetter(0)):
            parts.append(f"/{font} {line.size_pt:.2f} Tf <{''.join(code for _, code in run)}> Tj")
        parts.append("ET")
        return " ".join(parts).encode("ascii")


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


def _embed(
    document: pydyf.PDF,
    file: FontFile,
    subset: Subset,
    readings: Sequence[dict[int, str]],
    compression: int,
) -> list[bytes]:
    """Add a font's objects to a document and return the reference to the font in each reading."""
    name = f"/{_subset_tag(subset)}+{file.postscript_name}"
    descendant = _descendant(document, file, subset, name, compression)
    references = []
    for texts in readings:
        to_unicode = _stream(_to_unicode(subset, texts), compression)
        document.add_object(to_unicode)
        font = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": name,
                "Encoding": "/Identity-H",
                "DescendantFonts": pydyf.Array([descendant]),
                "ToUnicode": to_unicode.reference,
            }
        )
        document.add_object(font)
        references.append(font.reference)
    return references


def _descendant(
    document: pydyf.PDF, file: FontFile, subset: Subset, name: str, compression: int
) -> bytes:
    """Add the font program with what describes it and return the reference to the CID font."""
    program = _stream(subset.program, compression, **_program_kind(file, subset))
    document.add_object(program)
    ascent, descent = file.ascent_descent
    descriptor = pydyf.Dictionary(
        {
            "Type": "/FontDescriptor",
            "FontName": name,
            "Flags": _SYMBOLIC,
            "FontBBox": pydyf.Array(file.box),
            "ItalicAngle": 0,
            "Ascent": ascent,
            "Descent": descent,
            "CapHeight": ascent,
            "StemV": _STEM_WIDTH,
            "FontFile3" if file.is_cff else "FontFile2": program.reference,
        }
    )
    document.add_object(descriptor)
    widths = sorted((code, file.advance(glyph)) for glyph, code in subset.codes.items())
    font = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/CIDFontType0" if file.is_cff else "/CIDFontType2",
            "BaseFont": name,
            "CIDSystemInfo": "<</Registry (Adobe)/Ordering (Identity)/Supplement 0>>",
            "FontDescriptor": descriptor.reference,
            "DW": PDF_UNITS_PER_EM,
            "W": pydyf.Array(
                part
                for code, width in widths
                if width != PDF_UNITS_PER_EM
                for part in (code, pydyf.Array([width]))
            ),
        }
    )
    if not file.is_cff:
        font["CIDToGIDMap"] = "/Identity"
    document.add_object(font)
    return bytes(font.reference)


def _program_kind(file: FontFile, subset: Subset) -> dict[str, object]:
    return {"Subtype": "/CIDFontType0C"} if file.is_cff else {"Length1": len(subset.program)}


def _subset_tag(subset: Subset) -> str:
    """Return six letters that differ between subsets, as PDF asks."""
    digest = hashlib.sha256(subset.program).digest()
    letters = string.ascii_uppercase
    return "".join(letters[byte % len(letters)] for byte in digest[:_SUBSET_TAG_LETTERS])


def _to_unicode(subset: Subset, texts: dict[int, str]) -> bytes:
    """Return the CMap from codes to characters, so that text can be searched and copied."""
    entries = sorted(
        f"<{subset.codes[glyph]:04X}> <{text.encode('utf-16-be').hex().upper()}>"
        for glyph, text in texts.items()
        if text
    )
    blocks = []
    for start in range(0, len(entries), _BFCHAR_ENTRIES_MAX):
        block = entries[start : start + _BFCHAR_ENTRIES_MAX]
        blocks += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    return "\n".join((_CMAP_HEAD, *blocks, _CMAP_TAIL)).encode("ascii")


def _stream(content: bytes, compression: int, **extra: object) -> pydyf.Stream:
    packed = zlib.compress(content, compression)
    return pydyf.Stream([packed], {**extra, "Filter": "/FlateDecode"})


_CMAP_HEAD = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange"""
_CMAP_TAIL = """endcmap
CMapName currentdict /CMap defineresource pop
end
end"""
