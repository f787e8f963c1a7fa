"""What a PDF says, sheet by sheet and line by line: a lean reader for the gate and the verifier.

It shares no code with the writer: objects come from qpdf (through pikepdf), content streams are
interpreted here, and characters come from the ToUnicode maps that every reader of the file uses. It
understands the operators that certificates are made of and refuses everything else, for what it
does not understand could show something that it does not see.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import pikepdf

from protocol.errors import KofuError
from protocol.limits import SHEETS_MAX

PDF_BYTES_MAX = 8 * 1024 * 1024
CONTENT_BYTES_MAX = 4 * 1024 * 1024
"""One stream, inflated."""
MAPS_KEPT = 64
"""ToUnicode maps and forms that are remembered; those of labels are the same in every file."""

LINE_DIGESTS = "/KofuLineDigests"
"""The entry of a page's dictionary that holds the digests of its lines."""


class Unreadable(KofuError):
    """This is no PDF, or it shows something in a way that certificates do not."""


class ReadLine(NamedTuple):
    """A line of text.

    Attributes:
        text: its characters.
        x: left end of the baseline, in points from the left edge.
        y: height of the baseline, in points from the lower edge.
        size_pt: type size.
    """

    text: str
    x: float
    y: float
    size_pt: float


class ReadForm(NamedTuple):
    """A prepared form that a sheet shows.

    Attributes:
        name: its name in the sheet's resources.
        dy: how far up it is moved, in points.
        lines: the text in it.
    """

    name: str
    dy: float
    lines: tuple[ReadLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSheet:
    """One page.

    Attributes:
        lines: the sheet's own text, in the order in which it is drawn.
        forms: the prepared forms, in the same order.
        line_digests: what the file says that its lines' digests are; empty if it says nothing.
    """

    lines: tuple[ReadLine, ...]
    forms: tuple[ReadForm, ...]
    line_digests: bytes

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the sheet's own lines."""
        return tuple(line.text for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A file.

    Attributes:
        identifier: from its trailer.
        sheets: its pages.
    """

    identifier: bytes
    sheets: tuple[ReadSheet, ...]


def read(pdf: bytes) -> ReadDocument:
    """Read a file.

    Raises:
        Unreadable: see the class.
    """
    if len(pdf) > PDF_BYTES_MAX:
        raise Unreadable("the file is larger than a certificate can be")
    try:
        with pikepdf.open(
            io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=True
        ) as document:
            if document.is_encrypted or not 1 <= len(document.pages) <= SHEETS_MAX * 2:
                raise Unreadable("the file is not one of ours")
            file = _File()
            return ReadDocument(
                identifier=bytes(document.trailer["/ID"][0]),
                sheets=tuple(map(file.sheet, (page.obj for page in document.pages))),
            )
    except _STRANGE:
        raise Unreadable("the file is damaged, or not one of ours") from None


class _Characters(dict[int, str]):
    """Characters by code. A glyph without any belongs to the character before it."""

    def __missing__(self, code: int) -> str:
        return ""


class _File:
    """Reads the pages of one file; what they share is read once."""

    def __init__(self) -> None:
        self._maps: dict[tuple[int, int], dict[str, _Characters]] = {}
        self._forms: dict[tuple[int, int], tuple[ReadLine, ...]] = {}

    def sheet(self, page: Any) -> ReadSheet:
        """Read one page."""
        if "/Annots" in page:
            raise Unreadable("the file shows annotations, which no certificate has")
        resources = page["/Resources"]
        maps = self._maps_of(resources)
        lines: list[ReadLine] = []
        forms: list[ReadForm] = []
        for shown in _interpreted(_inflated(page["/Contents"])):
            match shown:
                case _Text():
                    lines.append(_read_line(shown, maps))
                case _Form(name=name, dy=dy):
                    form = resources["/XObject"][f"/{name}"]
                    forms.append(ReadForm(name, dy, self._lines_of(form)))
        digests = page.get(LINE_DIGESTS)
        return ReadSheet(
            lines=tuple(lines),
            forms=tuple(forms),
            line_digests=b"" if digests is None else bytes(digests),
        )

    def _maps_of(self, resources: Any) -> dict[str, _Characters]:
        known = self._maps.get(resources.objgen)
        if known is None:
            known = {name: _to_unicode(packed) for name, packed in _packed_maps(resources)}
            self._maps[resources.objgen] = known
        return known

    def _lines_of(self, form: Any) -> tuple[ReadLine, ...]:
        known = self._forms.get(form.objgen)
        if known is None:
            known = ()
            if form["/Subtype"] == "/Form":
                maps = _packed_maps(form.get("/Resources", {}))
                known = _lines_of_form(form.read_raw_bytes(), maps)
            self._forms[form.objgen] = known
        return known


class _Text(NamedTuple):
    """A text object before its codes are read: runs of font name and hexadecimal codes."""

    runs: tuple[tuple[str, str], ...]
    x: float
    y: float
    size_pt: float


class _Form(NamedTuple):
    name: str
    dy: float


@lru_cache(MAPS_KEPT)
def _lines_of_form(
    packed: bytes, packed_maps: tuple[tuple[str, bytes], ...]
) -> tuple[ReadLine, ...]:
    """Read a form; it is the same in every file that uses it, so its reading is remembered."""
    maps = {name: _to_unicode(content) for name, content in packed_maps}
    shown = _interpreted(_unpacked(packed))
    return tuple(_read_line(text, maps) for text in shown if isinstance(text, _Text))


def _read_line(text: _Text, maps: Mapping[str, _Characters]) -> ReadLine:
    try:
        characters = "".join(
            bytes.fromhex(codes).decode("utf-16-be").translate(maps[font])
            for font, codes in text.runs
        )
    except KeyError:
        raise Unreadable("a text is set in a font that the file does not have") from None
    return ReadLine(characters, text.x, text.y, text.size_pt)


def _interpreted(content: bytes) -> Iterator[_Text | _Form]:
    """Yield what a content stream shows as text, and the forms that it places."""
    operands: list[str] = []
    moves: list[tuple[float, float]] = [(0.0, 0.0)]
    for found in _TOKEN.finditer(content.decode("latin-1")):
        word = found.group()
        if word[0] in _OPERAND_BEGINNINGS:
            operands.append(word)
            continue
        if found.lastgroup == "text":
            yield _text(found, *moves[-1])
        elif word == "q":
            moves.append(moves[-1])
        elif word == "Q" and len(moves) > 1:
            moves.pop()
        elif word == "cm":
            moves[-1] = _moved(moves[-1], operands)
        elif word == "Do":
            yield _Form(operands[-1][1:], moves[-1][1])
        elif word not in _DRAWING and found.lastgroup != "picture":
            raise Unreadable(f"the content has what certificates lack: {word[:8]}")
        operands.clear()


def _text(found: re.Match[str], left: float, up: float) -> _Text:
    """Take a text object: one place, and runs of one size."""
    parts = _RUN.findall(found["text"])
    return _Text(
        runs=tuple((font, codes) for font, _, codes in parts),
        x=left + float(found["x"]),
        y=up + float(found["y"]),
        size_pt=float(parts[0][1]),
    )


def _moved(place: tuple[float, float], operands: list[str]) -> tuple[float, float]:
    """Follow a shift; what is turned or stretched (a code, a picture) holds no text of ours."""
    a, b, c, d, e, f = (float(operand) for operand in operands)
    return (place[0] + e, place[1] + f) if (a, b, c, d) == (1, 0, 0, 1) else place


def _packed_maps(resources: Any) -> tuple[tuple[str, bytes], ...]:
    """Return the ToUnicode map of every font, as it is stored, by the font's name."""
    fonts = resources.get("/Font", {})
    return tuple((name[1:], fonts[name]["/ToUnicode"].read_raw_bytes()) for name in dict(fonts))


def _to_unicode(packed: bytes) -> _Characters:
    content = _unpacked(packed).decode("latin-1")
    return _Characters(
        (int(code, 16), bytes.fromhex(text).decode("utf-16-be"))
        for block in _BFCHAR_BLOCK.findall(content)
        for code, text in _BFCHAR.findall(block)
    )


def _inflated(stream: Any) -> bytes:
    """Return a content stream; certificates have one for each page, packed by Flate or plain."""
    if stream.get("/Filter") is None:
        plain: bytes = stream.read_raw_bytes()
        return plain
    if stream["/Filter"] != "/FlateDecode" or "/DecodeParms" in stream:
        raise Unreadable("a stream is stored as those of certificates never are")
    return _unpacked(stream.read_raw_bytes())


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(packed, CONTENT_BYTES_MAX)
    if not unpacker.eof:
        raise Unreadable("a stream is longer than those of certificates")
    return content


_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_TOKEN = re.compile(
    rf"(?P<text>BT\s{_NUMBER}\sTc\s(?P<x>{_NUMBER})\s(?P<y>{_NUMBER})\sTd"
    rf"(?:\s/\w+\s{_NUMBER}\sTf\s<(?:[0-9A-F]{{4}})+>\sTj)+\sET\b)"
    r"|(?P<picture>BI\s[0-9A-Za-z\s/\[\].]*>\s*EI\b)"  # in the content, as hexadecimal digits
    r"|<[0-9A-F]*>|/[^\s/<>\[\]()]*|[-+.\d]+"  # operands
    r"|[A-Za-z*'\"]+|\S"  # operators, and whatever else there is
)
_RUN = re.compile(rf"/(\w+) ({_NUMBER}) Tf <([0-9A-F]+)>")
_OPERAND_BEGINNINGS = frozenset("</+-.0123456789")
_HOW_DRAWN = ("w", "j", "J", "M", "d", "[", "]", "gs", "g", "G", "rg", "RG")
_WHAT_DRAWN = ("m", "l", "c", "h", "re", "S", "s", "f", "f*", "B", "B*", "b", "n", "W", "W*")
_DRAWING = frozenset((*_HOW_DRAWN, *_WHAT_DRAWN))
_BFCHAR_BLOCK = re.compile(r"beginbfchar(.*?)endbfchar", re.DOTALL)
_BFCHAR = re.compile(r"<([0-9A-F]{4})>\s*<([0-9A-F]+)>")
_STRANGE = (
    pikepdf.PdfError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
