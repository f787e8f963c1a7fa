"""The page digest: what a sheet shows, as 32 bytes, however its file is put together.

The city signs the digests of all sheets (``protocol.sheet_digest``); the terminal computes them
again from what it decrypted and prints only what agrees. Object numbers, compression, the order of
keys and the other pages of the file play no part; one changed glyph code, one changed byte of an
embedded font does.

Canonical form (TP-072). ``LEN`` and ``COUNT`` are decimal numbers in ASCII; references are
replaced by what they refer to::

    null        n
    boolean     t | f
    number      # DECIMAL ;         no exponent, no leading "+", no trailing zeros: 595, 0.5, -3
    name        / LEN : BYTES       without the leading slash, #xx undone
    string      ( LEN : BYTES
    array       [ COUNT : VALUE ...
    dictionary  < COUNT : (NAME VALUE) ...    by the bytes of NAME; without entries that are null
                                              and without /Parent
    stream      s DIGEST            SHA-256 of DICTIONARY LEN : BYTES, the dictionary without
                                    /Length, /Filter and /DecodeParms, the bytes decoded

A page is its dictionary, with /MediaBox, /CropBox, /Rotate and /Resources looked up along /Parent
where absent, and with /Contents replaced by one stream with an empty dictionary: the content
streams in order, each decoded, joined by one line feed. The page digest is SHA-256 of
``kofu-page-1`` LF followed by that form. So everything that can change what is printed counts,
annotations included.

A stream may be stored as it is or with /FlateDecode alone and without a predictor. A file that
needs repair, is encrypted, holds a circle of references other than through /Parent, or passes a
limit below is malformed.
"""

import hashlib
import io
import re
import zlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pikepdf

from protocol.errors import MalformedTelegram
from protocol.limits import PAGES_MAX

PDF_BYTES_MAX = 8 * 1024 * 1024
DECODED_BYTES_MAX = 32 * 1024 * 1024
"""All streams of one file together, after inflating."""
VALUES_MAX = 200_000
"""Values visited in one file; an indirect object counts once."""
DEPTH_MAX = 32
"""Dictionaries and arrays inside one another, and page tree nodes above a page."""
STREAMS_KNOWN_MAX = 1024
"""Streams whose form is remembered from one file to the next, 100 bytes each."""

_INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
_HOW_STORED = frozenset({"/Length", "/Filter", "/DecodeParms"})
_PAGE_PREFIX = b"kofu-page-1\n"
_FIELD = "$.pdf"
_CONSTANTS = {None: b"n", True: b"t", False: b"f"}
_KNOWN_STREAMS: dict[bytes, tuple[bytes, int]] = {}
"""By the SHA-256 of a stream as it is stored: its form, and how many bytes it inflates to. A city's
certificates share their ground and labels, which need not be inflated for every one of them. A
form depends on what is stored and on nothing else, so that remembering it changes no answer."""
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


def page_digests(pdf: bytes) -> tuple[bytes, ...]:
    """Return the digest of every page of a PDF, in order (TP-072).

    Args:
        pdf: a whole file, at most ``PDF_BYTES_MAX`` bytes.

    Returns:
        32 bytes for each page; 1 to ``PAGES_MAX`` pages.

    Raises:
        MalformedTelegram: it is no PDF that fits the rules above; the field is ``$.pdf``.
    """
    try:
        with _opened(pdf) as document:
            canon = _Canon()
            digests = tuple(canon.page_digest(page.obj) for page in document.pages)
            _demand_unrepaired(document)
            return digests
    except _STRANGE:
        raise MalformedTelegram(_FIELD) from None


def first_pages(pdf: bytes, sheets: int) -> bytes:
    """Return a PDF of the first pages, as it would lie in the tray of a printer that stopped.

    Args:
        pdf: a whole file, as for :func:`page_digests`.
        sheets: how many pages to keep, from 0 (an empty document) to all of them.

    Raises:
        MalformedTelegram: it is no PDF, or it has fewer pages.
    """
    try:
        with _opened(pdf) as document:
            if not 0 <= sheets <= len(document.pages):
                raise MalformedTelegram(_FIELD)
            del document.pages[sheets:]
            kept = io.BytesIO()
            document.save(kept, deterministic_id=True)
            return kept.getvalue()
    except _STRANGE:
        raise MalformedTelegram(_FIELD) from None


def _opened(pdf: bytes) -> pikepdf.Pdf:
    """Open a file strictly: nothing is repaired, nothing is deciphered.

    All objects are read before the first one is looked into. Told not to recover a file, qpdf still
    guesses at what it meets on the way (a token that is none, an object that does not end), where
    another reader would guess otherwise; and it may change a dictionary under its own hands, and
    end the process, when such an object turns up while it goes through a page tree. So its help
    with inherited attributes, which goes through that tree at once, is not wanted either.
    """
    if len(pdf) > PDF_BYTES_MAX:
        raise MalformedTelegram(_FIELD)
    document = pikepdf.open(
        io.BytesIO(pdf),
        attempt_recovery=False,
        inherit_page_attributes=False,
        suppress_warnings=True,
    )
    try:
        for _ in document.objects:
            pass
        _demand_unrepaired(document)
        _demand_tree(document.Root.Pages, set(), 0)
        _demand(not document.is_encrypted and 1 <= len(document.pages) <= PAGES_MAX)
    except (*_STRANGE, MalformedTelegram):
        document.close()
        raise
    return document


def _demand(holds: bool) -> None:  # noqa: FBT001  # reads like an assertion
    if not holds:
        raise MalformedTelegram(_FIELD)


def _demand_unrepaired(document: pikepdf.Pdf) -> None:
    """Refuse a file in which the library has guessed at anything so far, as its warnings say."""
    _demand(not document.get_warnings())


def _demand_tree(node: Any, known: set[tuple[int, int]], depth: int) -> None:
    """Refuse a page tree in which the way down and the way up differ, or a node occurs twice.

    Printers go down, ``_inherited`` goes up: both must find the same attributes.
    """
    _demand(depth <= DEPTH_MAX)
    for kid in _items(node["/Kids"]):
        _demand(kid.is_indirect and kid.objgen not in known)
        known.add(kid.objgen)
        _demand(kid["/Parent"].objgen == node.objgen)
        if "/Kids" in kid:
            _demand_tree(kid, known, depth + 1)


class _Canon:
    """Writes the values of one document in canonical form, within the limits."""

    def __init__(self) -> None:
        self._decoded_bytes_left = DECODED_BYTES_MAX
        self._values_left = VALUES_MAX
        self._known: dict[tuple[int, int], bytes] = {}
        self._open: set[tuple[int, int]] = set()

    def page_digest(self, page: Any) -> bytes:
        entries = {key: value for key, value in page.items() if key != "/Contents"}
        for key in _INHERITED:
            if (value := _inherited(page, key)) is not None:
                entries[key] = value
        content = b"\n".join(self._decoded(stream) for stream in _content_streams(page))
        form = self._entries(entries, 0, {"/Contents": _stream_form(b"<0:", content)})
        return hashlib.sha256(_PAGE_PREFIX + form).digest()

    def _value(self, value: Any, depth: int) -> bytes:
        """Return the form of a value; an indirect object is written once and remembered."""
        name = value.objgen if isinstance(value, pikepdf.Object) and value.is_indirect else None
        if name is None:
            return self._direct(value, depth)
        if name not in self._known:
            if name in self._open:
                raise MalformedTelegram(_FIELD)
            self._open.add(name)
            self._known[name] = self._direct(value, depth)
            self._open.remove(name)
        return self._known[name]

    def _direct(self, value: Any, depth: int) -> bytes:
        self._values_left -= 1
        if self._values_left < 0 or depth > DEPTH_MAX:
            raise MalformedTelegram(_FIELD)
        match value:
            case None | bool():
                return _CONSTANTS[value]
            case int():
                return b"#%d;" % value
            case Decimal():
                return b"#%b;" % _decimal(value)
            case pikepdf.Name():
                return _name(str(value))
            case pikepdf.String():
                return b"(" + _counted(bytes(value))
            case pikepdf.Array():
                items = [self._value(item, depth + 1) for item in _items(value)]
                return b"[%d:%b" % (len(items), b"".join(items))
            case pikepdf.Stream():
                return self._stream(value, depth)
            case pikepdf.Dictionary():
                return self._entries(dict(value.items()), depth)
        raise MalformedTelegram(_FIELD)

    def _entries(
        self, entries: dict[str, Any], depth: int, forms: dict[str, bytes] | None = None
    ) -> bytes:
        """Return the form of a dictionary of values, and of forms that are ready."""
        ready = dict(forms or {})
        for key, value in entries.items():
            if key != "/Parent" and value is not None:
                ready[key] = self._value(value, depth + 1)
        ordered = sorted([(key[1:].encode(), form) for key, form in ready.items()])
        body = b"".join([b"/%d:%b%b" % (len(name), name, form) for name, form in ordered])
        return b"<%d:%b" % (len(ordered), body)

    def _stream(self, stream: Any, depth: int) -> bytes:
        """Return the form of a stream."""
        entries = dict(stream.items())
        stored, is_packed = _stored(stream, entries)
        kept = {key: item for key, item in entries.items() if key not in _HOW_STORED}
        dictionary = self._entries(kept, depth)
        name = hashlib.sha256(b"%d" % is_packed + _counted(dictionary) + stored).digest()
        known = _KNOWN_STREAMS.get(name)
        if known is None:
            content = self._inflated(stored) if is_packed else stored
            known = _stream_form(dictionary, content), len(content)
            if len(_KNOWN_STREAMS) >= STREAMS_KNOWN_MAX:
                _KNOWN_STREAMS.clear()
            _KNOWN_STREAMS[name] = known
        form, decoded_bytes = known
        self._spend(decoded_bytes)
        return form

    def _decoded(self, stream: Any) -> bytes:
        """Return a stream's bytes, inflated no further than the limit."""
        _demand(isinstance(stream, pikepdf.Stream))
        stored, is_packed = _stored(stream, dict(stream.items()))
        decoded = self._inflated(stored) if is_packed else stored
        self._spend(len(decoded))
        return decoded

    def _inflated(self, stored: bytes) -> bytes:
        """Inflate, one byte beyond the limit at most."""
        inflate = zlib.decompressobj()
        decoded = inflate.decompress(stored, self._decoded_bytes_left + 1)
        if not inflate.eof or inflate.unused_data:
            raise MalformedTelegram(_FIELD)
        return decoded

    def _spend(self, decoded_bytes: int) -> None:
        self._decoded_bytes_left -= decoded_bytes
        if self._decoded_bytes_left < 0:
            raise MalformedTelegram(_FIELD)


def _stored(stream: Any, entries: dict[str, Any]) -> tuple[bytes, bool]:
    """Return a stream's bytes as they are stored, and whether they are deflated."""
    _demand(entries.get("/DecodeParms") is None)
    filters = entries.get("/Filter")
    names = list(_items(filters)) if isinstance(filters, pikepdf.Array) else [filters]
    is_packed = names not in ([None], [])
    _demand(not is_packed or names == [pikepdf.Name.FlateDecode])
    return bytes(stream.read_raw_bytes()), is_packed


def _inherited(page: Any, key: str) -> Any:
    """Look an attribute up at the page and then at the nodes above it."""
    node = page
    for _ in range(DEPTH_MAX):
        if (value := node.get(key)) is not None:
            return value
        node = node.get("/Parent")
        if node is None:
            return None
    raise MalformedTelegram(_FIELD)


def _content_streams(page: Any) -> Iterable[Any]:
    contents = page.get("/Contents")
    if contents is None:
        return ()
    return _items(contents) if isinstance(contents, pikepdf.Array) else (contents,)


def _items(array: Any) -> Iterable[Any]:
    return (array[index] for index in range(len(array)))


def _decimal(number: Decimal) -> bytes:
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = re.sub(r"^(-?)0*(?=\d)", r"\1", text)
    return b"0" if text in ("-0", "-", "") else text.encode("ascii")


def _name(name: str) -> bytes:
    return b"/" + _counted(name.removeprefix("/").encode())


def _counted(content: bytes) -> bytes:
    return b"%d:%b" % (len(content), content)


def _stream_form(dictionary: bytes, content: bytes) -> bytes:
    return b"s" + hashlib.sha256(dictionary + _counted(content)).digest()
