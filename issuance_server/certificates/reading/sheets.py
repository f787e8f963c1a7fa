"""What a PDF says, sheet by sheet and line by line: a lean reader for the gate and the verifier.

It shares no code with the writer: objects come from qpdf (through pikepdf), content streams are
interpreted here, and characters come from the ToUnicode maps that every reader of the file uses. It
understands the operators that certificates are made of and refuses everything else, for what it
does not understand could show something that it does not see.
"""

import io
import re
import zlib
from codecs import utf_16_be_decode
from collections.abc import Mapping
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
    """A prepared form or a picture that a sheet shows.

    Attributes:
        name: its name in the sheet's resources.
        dy: how far up it is moved, in points.
        lines: the text in it.
        dots: of a picture that is stored as it is, its rows; otherwise empty.
    """

    name: str
    dy: float
    lines: tuple[ReadLine, ...]
    dots: bytes = b""


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
        self._packed: dict[tuple[int, int], tuple[tuple[str, bytes], ...]] = {}
        self._forms: dict[tuple[int, int], tuple[tuple[ReadLine, ...], bytes]] = {}

    def sheet(self, page: Any) -> ReadSheet:
        """Read one page."""
        if "/Annots" in page:
            raise Unreadable("the file shows annotations, which no certificate has")
        resources = page["/Resources"]
        lines, placed = _interpreted(_inflated(page["/Contents"]), self._maps_of(resources))
        forms = resources.get("/XObject", {})
        digests = page.get(LINE_DIGESTS)
        return ReadSheet(
            lines=tuple(lines),
            forms=tuple(
                [ReadForm(name, dy, *self._shown(forms[f"/{name}"])) for name, dy in placed]
            ),
            line_digests=b"" if digests is None else bytes(digests),
        )

    def _maps_of(self, resources: Any) -> dict[str, _Characters]:
        known = self._maps.get(resources.objgen)
        if known is None or resources.objgen == _DIRECT:
            known = _maps(_packed_maps(resources))
            self._maps[resources.objgen] = known
        return known

    def _packed_of(self, form: Any) -> tuple[tuple[str, bytes], ...]:
        resources = form.get("/Resources")
        if resources is None:
            return ()
        if resources.objgen == _DIRECT:  # stands in the form itself, so nothing shares it
            return _packed_maps(resources)
        if resources.objgen not in self._packed:
            self._packed[resources.objgen] = _packed_maps(resources)
        return self._packed[resources.objgen]

    def _shown(self, form: Any) -> tuple[tuple[ReadLine, ...], bytes]:
        """Return the lines of a form, or the dots of a picture that is stored as it is."""
        known = self._forms.get(form.objgen)
        if known is None:
            known = (), b""
            if form["/Subtype"] == "/Form":
                known = _lines_of_form(form.read_raw_bytes(), self._packed_of(form)), b""
            elif form["/Subtype"] == "/Image" and "/Filter" not in form:
                known = (), form.read_raw_bytes()
            self._forms[form.objgen] = known
        return known


@lru_cache(MAPS_KEPT)
def _lines_of_form(
    packed: bytes, packed_maps: tuple[tuple[str, bytes], ...]
) -> tuple[ReadLine, ...]:
    """Read a form; it is the same in every file that uses it, so its reading is remembered."""
    lines, _placed = _interpreted(_unpacked(packed), _maps(packed_maps))
    return tuple(lines)


def _interpreted(
    content: bytes, maps: Mapping[str, _Characters]
) -> tuple[list[ReadLine], list[tuple[str, float]]]:
    """Return what a content stream shows as text, and the forms that it places, with their dy."""
    lines: list[ReadLine] = []
    placed: list[tuple[str, float]] = []
    operands: list[str] = []
    moves: list[tuple[float, float]] = [(0.0, 0.0)]
    for found in _TOKEN.finditer(content.decode("latin-1")):
        kind = found.lastgroup
        if kind == "operand":
            operands.append(found.group())
            continue
        if kind == "text":
            lines.append(_line(found, moves[-1], maps))
            continue
        word = found.group()
        if word == "q":
            moves.append(moves[-1])
        elif word == "Q" and len(moves) > 1:
            moves.pop()
        elif word == "cm":
            moves[-1] = _moved(moves[-1], operands)
        elif word == "Do":
            placed.append((operands[-1][1:], moves[-1][1]))
        elif word not in _DRAWING and kind != "picture":
            raise Unreadable(f"the content has what certificates lack: {word[:8]}")
        operands.clear()
    return lines, placed


def _line(
    found: re.Match[str], moved: tuple[float, float], maps: Mapping[str, _Characters]
) -> ReadLine:
    """Take a text object: one place, and runs of one size."""
    x, y, runs = found.group("x", "y", "runs")
    parts = _RUN.findall(runs)
    text = ""
    try:
        for font, _size, codes in parts:
            shown, _bytes = utf_16_be_decode(bytes.fromhex(codes), "strict", _WHOLE)
            text += shown.translate(maps[font])
    except KeyError:
        raise Unreadable("a text is set in a font that the file does not have") from None
    return ReadLine(text, moved[0] + float(x), moved[1] + float(y), float(parts[0][1]))


def _moved(place: tuple[float, float], operands: list[str]) -> tuple[float, float]:
    """Follow a shift; what is turned or stretched (a code, a picture) holds no text of ours."""
    a, b, c, d, e, f = (float(operand) for operand in operands)
    return (place[0] + e, place[1] + f) if (a, b, c, d) == (1, 0, 0, 1) else place


def _packed_maps(resources: Any) -> tuple[tuple[str, bytes], ...]:
    """Return the ToUnicode map of every font, as it is stored, by the font's name."""
    fonts = resources.get("/Font", {})
    return tuple((name[1:], fonts[name]["/ToUnicode"].read_raw_bytes()) for name in dict(fonts))


def _maps(packed_maps: tuple[tuple[str, bytes], ...]) -> dict[str, _Characters]:
    return {name: _to_unicode(packed) for name, packed in packed_maps}


def _to_unicode(packed: bytes) -> _Characters:
    """Read a ToUnicode map; all of its texts are decoded in one go, a line for each."""
    content = _unpacked(packed).decode("latin-1")
    entries = [
        entry for block in _BFCHAR_BLOCK.findall(content) for entry in _BFCHAR.findall(block)
    ]
    if any(len(text) % _UTF_16_DIGITS for _code, text in entries):
        raise Unreadable("a font has no readable way back to characters")
    texts = bytes.fromhex("000A".join([text for _code, text in entries])).decode("utf-16-be")
    lines = texts.split("\n") if entries else []
    return _Characters(zip([int(code, 16) for code, _text in entries], lines, strict=True))


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
    r"(?P<operand><[0-9A-F]*>|/[^\s/<>\[\]()]*|[-+.\d]+)"
    rf"|BT\s{_NUMBER}\sTc\s(?P<x>{_NUMBER})\s(?P<y>{_NUMBER})\sTd"
    rf"(?P<runs>(?:\s/\w+\s{_NUMBER}\sTf\s<(?:[0-9A-F]{{4}})+>\sTj)+)\sET\b(?P<text>)"
    r"|(?P<picture>BI\s[0-9A-Za-z\s/\[\].]*>\s*EI\b)"  # in the content, as hexadecimal digits
    r"|[A-Za-z*'\"]+|\S"  # operators, and whatever else there is
)
_RUN = re.compile(rf"/(\w+) ({_NUMBER}) Tf <([0-9A-F]+)>")
_DIRECT = (0, 0)
_WHOLE = True
"""Nothing follows the bytes that are decoded: half a character is an error."""
_UTF_16_DIGITS = 4
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
