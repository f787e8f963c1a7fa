"""Fonts into PDF: a subset's program, its description, and its way back to characters."""

import hashlib
import string
import zlib
from collections.abc import Sequence

import pydyf

from issuance_server.certificates.fonts import PDF_UNITS_PER_EM, FontFile, Subset

STATIC_COMPRESSION = 9
PAGE_COMPRESSION = 1
"""Level 6 costs twice the time of everything else and saves a hundredth."""
_BFCHAR_ENTRIES_MAX = 100
_SYMBOLIC = 4
_STEM_WIDTH = 80
_SUBSET_TAG_LETTERS = 6
_GLYPHS_AS_NUMBERED = {"Registry": b"(Adobe)", "Ordering": b"(Identity)", "Supplement": 0}


def embedded(
    document: pydyf.PDF,
    file: FontFile,
    subset: Subset,
    readings: Sequence[dict[int, str]],
    compression: int,
) -> list[bytes]:
    """Add a font's objects to a document and return the reference to the font in each reading.

    Args:
        document: what they are added to.
        file: the font.
        subset: the part of it that is used.
        readings: for each, what the glyphs stand for.
        compression: level, 0 to 9.
    """
    name = f"/{_subset_tag(subset)}+{file.postscript_name}"
    descendant = _descendant(document, file, subset, name, compression)
    references = []
    for texts in readings:
        to_unicode = stream(_to_unicode(subset, texts), compression)
        document.add_object(to_unicode)
        font = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": name,
                "Encoding": "/Identity-H",
                "DescendantFonts": b"[%b]" % descendant,
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
    program = _program(file, subset, compression)
    document.add_object(program)
    ascent, descent = file.ascent_descent
    descriptor = pydyf.Dictionary(
        {
            "Type": "/FontDescriptor",
            "FontName": name,
            "Flags": _SYMBOLIC,
            "FontBBox": b"[%d %d %d %d]" % file.box,
            "ItalicAngle": 0,
            "Ascent": ascent,
            "Descent": descent,
            "CapHeight": ascent,
            "StemV": _STEM_WIDTH,
            "FontFile3" if file.is_cff else "FontFile2": program.reference,
        }
    )
    document.add_object(descriptor)
    font = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/CIDFontType0" if file.is_cff else "/CIDFontType2",
            "BaseFont": name,
            "CIDSystemInfo": pydyf.Dictionary(_GLYPHS_AS_NUMBERED),
            "FontDescriptor": descriptor.reference,
            "DW": PDF_UNITS_PER_EM,
            "W": _widths(file, subset),
        }
    )
    if not file.is_cff:
        font["CIDToGIDMap"] = "/Identity"
    document.add_object(font)
    return bytes(font.reference)


def _widths(file: FontFile, subset: Subset) -> bytes:
    """Return the widths that are not the default; codes that follow each other in one array."""
    parts: list[str] = []
    following = -1
    for glyph_id, code in subset.codes.items():
        width = file.advance(glyph_id)
        if width == PDF_UNITS_PER_EM:
            continue
        parts.append(f"{width}" if code == following else f"] {code} [{width}")
        following = code + 1
    return f"[{' '.join(parts)[1:]}{']' if parts else ''}]".encode("ascii")


def _program(file: FontFile, subset: Subset, compression: int) -> pydyf.Stream:
    """Return the font program; a bare CFF table of a page is dense and worth no compression."""
    if not file.is_cff:
        return stream(subset.program, compression, Length1=len(subset.program))
    if compression == PAGE_COMPRESSION:
        return pydyf.Stream([subset.program], {"Subtype": "/CIDFontType0C"})
    return stream(subset.program, compression, Subtype="/CIDFontType0C")


def _subset_tag(subset: Subset) -> str:
    """Return six letters that differ between subsets, as PDF asks."""
    digest = hashlib.sha256(subset.program).digest()
    letters = string.ascii_uppercase
    return "".join(letters[byte % len(letters)] for byte in digest[:_SUBSET_TAG_LETTERS])


def _to_unicode(subset: Subset, texts: dict[int, str]) -> bytes:
    """Return the CMap from codes to characters, so that text can be searched and copied."""
    codes = subset.codes
    entries = sorted(
        [f"<{codes[glyph]:04X}> <{_utf_16(text)}>" for glyph, text in texts.items() if text]
    )
    blocks = []
    for start in range(0, len(entries), _BFCHAR_ENTRIES_MAX):
        block = entries[start : start + _BFCHAR_ENTRIES_MAX]
        blocks += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    return "\n".join((_CMAP_HEAD, *blocks, _CMAP_TAIL)).encode("ascii")


def _utf_16(text: str) -> str:
    """Return a text as hexadecimal digits of UTF-16; most are one character of its first plane."""
    if len(text) == 1 and text <= "\uffff":
        return f"{ord(text):04X}"
    return text.encode("utf-16-be").hex().upper()


def stream(content: bytes, compression: int, **extra: object) -> pydyf.Stream:
    """Return a compressed stream with more entries in its dictionary."""
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
