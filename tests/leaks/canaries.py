"""Finds planted words in any bytes, however they were written.

A canary is looked for in its own spellings (half-width, full-width, kana of either kind, backwards,
packed digits) in seven encodings of text, and the bytes are also unwrapped: whatever in them is
compressed, base64, hexadecimal, percent-encoded or escaped is looked into, several layers deep. So
the UTF-16 of a name, in base64, in JSON, in a gzip file, is found.

A spelling of a few bytes is found by chance in so many random bytes; canaries are long for that.
"""

import base64
import binascii
import re
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

LAYERS_MAX = 3
INFLATED_BYTES_MAX = 8 << 20
_WORD_BYTES = 4
_STEP_BYTES = 2
SPELLING_BYTES_MIN = _WORD_BYTES + _STEP_BYTES - 1
_HALF_WIDTH = range(0xFF61, 0xFFA0)
_KATAKANA = range(0x30A1, 0x30F7)
_HIRAGANA = range(0x3041, 0x3097)
_KANA_SHIFT = 0x60
_WIDE_SHIFT = 0xFEE0
_PRINTABLE = range(0x21, 0x7F)

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "cp932", "euc-jp", "iso-2022-jp")
_ESCAPES_2022 = re.compile(rb"\x1b[$(][@BJI]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Something that must not be found.

    Attributes:
        name: what a finding calls it.
        text: as people write it; empty for what is no text.
        octets: as it is in memory, for what is no text.
    """

    name: str
    text: str = ""
    octets: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A canary that was found.

    Attributes:
        canary: its name.
        way: the layers that were taken off, the outermost first, and how it was spelled.
        offset: where, in the outermost bytes that were not unwrapped.
    """

    canary: str
    way: tuple[str, ...]
    offset: int


class Scanner:
    """Looks for some canaries in many things."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._spellings: dict[bytes, tuple[str, str]] = {}
        for canary in canaries:
            for how, spelling in spellings(canary):
                if len(spelling) >= SPELLING_BYTES_MIN:
                    self._spellings.setdefault(spelling, (canary.name, how))
        self._words: set[int] = set()
        self._by_first_word: dict[int, list[tuple[bytes, set[int]]]] = {}
        for spelling in self._spellings:
            for start in range(_STEP_BYTES):
                words = _words_of(spelling[start:])
                self._words.update(words)
                first = self._by_first_word.setdefault(words[0], [])
                first.append((spelling, set(words)))

    def scan(self, content: bytes, *, layers_max: int = LAYERS_MAX) -> list[Finding]:
        """Return what is found in some bytes, and in whatever they contain.

        Args:
            content: to be looked through.
            layers_max: how many wrappings are taken off; 0 for none.
        """
        return list(self._scan(content, (), layers_max))

    def _scan(self, content: bytes, way: tuple[str, ...], layers: int) -> Iterator[Finding]:
        for spelling in self._candidates(content):
            offset = content.find(spelling)
            if offset >= 0:
                name, how = self._spellings[spelling]
                yield Finding(canary=name, way=(*way, how), offset=offset)
        if layers:
            for how, inside in unwrapped(content):
                yield from self._scan(inside, (*way, how), layers - 1)

    def _candidates(self, content: bytes) -> set[bytes]:
        """Return the spellings that may be in there.

        Wherever a spelling begins, its first or its second byte lies at an even place, and all the
        words of four bytes from there on are words of the content; so one look at each even place
        tells which spellings are worth a search.
        """
        found: set[bytes] = set()
        for start in range(0, _WORD_BYTES, _STEP_BYTES):
            present = self._words.intersection(_words_of(content[start:]))
            for first in present & self._by_first_word.keys():
                found.update(s for s, words in self._by_first_word[first] if words <= present)
        return found


def _words_of(content: bytes) -> "memoryview[int]":
    """Return the content as numbers of four bytes each, without what is left over at its end."""
    return memoryview(content)[: len(content) - len(content) % _WORD_BYTES].cast("I")


def spellings(canary: Canary) -> Iterator[tuple[str, bytes]]:
    """Give every way to write a canary, with the name of the way."""
    if canary.octets:
        yield "raw", canary.octets
        yield "raw backwards", canary.octets[::-1]
    for how, text in _writings(canary.text):
        for encoding in ENCODINGS:
            try:
                encoded = text.encode(encoding)
            except UnicodeEncodeError:
                continue
            yield f"{how} {encoding}", _ESCAPES_2022.sub(b"", encoded)
        yield f"{how} utf-8 backwards", text.encode()[::-1]
    if canary.text.isascii() and canary.text.isdigit():
        yield from _numbers(canary.text)


def _writings(text: str) -> Iterator[tuple[str, str]]:
    """Give the forms in which the same thing is written."""
    if not text:
        return
    plain = unicodedata.normalize("NFKC", text)
    for how, written in (
        ("as it is", text),
        ("normal", plain),
        ("decomposed", unicodedata.normalize("NFD", plain)),
        ("without spaces", plain.replace(" ", "")),
        ("half-width", half_width(plain)),
        ("full-width", full_width(plain)),
        ("hiragana", _shifted(plain, _KATAKANA, -_KANA_SHIFT)),
        ("katakana", _shifted(plain, _HIRAGANA, _KANA_SHIFT)),
        ("lower case", plain.lower()),
    ):
        yield how, written
        yield f"{how}, wide spaces", written.replace(" ", "\u3000")
        yield f"{how}, backwards", written[::-1]


def half_width(text: str) -> str:
    """Write katakana as half-width kana, with sound marks as letters of their own."""
    narrow = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in _HALF_WIDTH}
    narrow |= {"\u3099": "\uff9e", "\u309a": "\uff9f"}
    kana = _shifted(text, _HIRAGANA, _KANA_SHIFT)
    return "".join(
        "".join(narrow.get(part, part) for part in unicodedata.normalize("NFD", letter))
        if letter not in narrow
        else narrow[letter]
        for letter in kana
    )


def full_width(text: str) -> str:
    """Write ASCII as wide letters."""
    return _shifted(text, _PRINTABLE, _WIDE_SHIFT)


def _shifted(text: str, those: range, by: int) -> str:
    return "".join(chr(ord(letter) + by) if ord(letter) in those else letter for letter in text)


def _numbers(digits: str) -> Iterator[tuple[str, bytes]]:
    """Give digits two to a byte, from either nibble on and in either order, and as a number."""
    for how, some in (("packed", digits), ("packed from the second", digits[1:])):
        even = some[: len(some) - len(some) % 2]
        yield how, bytes.fromhex(even)
        swapped = "".join(even[at + 1] + even[at] for at in range(0, len(even), 2))
        yield f"{how}, swapped", bytes.fromhex(swapped)
    number = int(digits)
    count = (number.bit_length() + 7) // 8
    yield "number, big-endian", number.to_bytes(count, "big")
    yield "number, little-endian", number.to_bytes(count, "little")


def unwrapped(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what lies in some bytes in other forms, all of one form at once, and the form's name."""
    for how, unwrap in _UNWRAPPERS:
        inside = _BETWEEN.join(unwrap(content))
        if inside:
            yield how, inside


def _inflated(content: bytes) -> Iterator[bytes]:
    for start in _STREAM.finditer(content):
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, as its head says
        try:
            inside = stream.decompress(memoryview(content)[start.start() :], INFLATED_BYTES_MAX)
        except zlib.error:
            inside = _inflated_before_damage(content[start.start() :])
        if inside:
            yield inside


def _inflated_before_damage(content: bytes) -> bytes:
    """Return what comes out before a stream breaks off or goes wrong."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    inside = bytearray()
    for start in range(0, min(len(content), INFLATED_BYTES_MAX), _PART_BYTES):
        try:
            inside += stream.decompress(content[start : start + _PART_BYTES], INFLATED_BYTES_MAX)
        except zlib.error:
            break
    return bytes(inside)


def _from_base64(content: bytes) -> Iterator[bytes]:
    for run in _BASE64.finditer(content):
        letters = run[0].translate(_FROM_URL_ALPHABET)
        for start in range(4):
            part = letters[start:]
            yield base64.b64decode(part + b"A" * (-len(part) % 4))


def _from_hexadecimal(content: bytes) -> Iterator[bytes]:
    for run in _HEXADECIMAL.finditer(content):
        digits = _NO_DIGIT.sub(b"", run[0])
        for start in range(2):
            part = digits[start:]
            yield binascii.unhexlify(part + b"0" * (len(part) % 2))


def _from_percent(content: bytes) -> Iterator[bytes]:
    return (unquote_to_bytes(run) for run in _runs(_PERCENT, content))


def _from_quoted_printable(content: bytes) -> Iterator[bytes]:
    return (binascii.a2b_qp(run) for run in _runs(_QUOTED, content))


def _runs(pattern: "re.Pattern[bytes]", content: bytes) -> Iterator[bytes]:
    """Give what a pattern finds, with what stands before it: it may be plain there."""
    for run in pattern.finditer(content):
        yield content[max(0, run.start() - _BEFORE_BYTES) : run.end()]


def _from_escapes(content: bytes) -> Iterator[bytes]:
    for run in _PRINTED.finditer(content):
        if b"\\" in run[0] or b"&#" in run[0]:
            yield _ESCAPE.sub(_unescaped, run[0].replace(b"\\\\", b"\\"))


def _unescaped(escape: "re.Match[bytes]") -> bytes:
    """Return the bytes of one escape: a byte, or a character in UTF-8."""
    octet, unit, octal, decimal, entity = escape.groups()
    if octet is not None:
        return bytes.fromhex(octet.decode())
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    code = int(decimal) if decimal is not None else int(unit or entity, 16)
    return chr(min(code, sys.maxunicode)).encode(errors="surrogatepass")


_PART_BYTES = 256
_BETWEEN = b"\n\0\n\0"
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_FROM_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F](?:[ :,-]?[0-9a-fA-F]){9,}")
_NO_DIGIT = re.compile(rb"[ :,-]")
_PERCENT = re.compile(rb"(?:%[0-9A-Fa-f]{2}[!-$&-~]*)+")
_QUOTED = re.compile(rb"(?:=(?:[0-9A-F]{2}|\r?\n)[ -<>-~]*)+")
_BEFORE_BYTES = 64
_PRINTED = re.compile(rb"[ -~]{8,}")
_ESCAPE = re.compile(
    rb"\\x([0-9a-fA-F]{2})|\\[uU](?:0000)?([0-9a-fA-F]{4})|\\([0-3][0-7]{2})"
    rb"|&#([0-9]{1,7});|&#x([0-9a-fA-F]{1,5});"
)
_UNWRAPPERS: tuple[tuple[str, Callable[[bytes], Iterator[bytes]]], ...] = (
    ("compressed", _inflated),
    ("base64", _from_base64),
    ("hexadecimal", _from_hexadecimal),
    ("percent", _from_percent),
    ("quoted-printable", _from_quoted_printable),
    ("escaped", _from_escapes),
)
