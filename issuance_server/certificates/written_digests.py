"""Page digests (TP-072) of a document from the objects that are about to be written.

The terminal and the gate compute them from the file's bytes with ``protocol.page_digest``, which
takes any file. Here only our own writer's objects are met, each behind those that it refers to,
and those that every certificate shares have their form ready: that takes a tenth of the time. What
our writer never writes is refused, and tests hold both against each other for every kind.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping

import pydyf

from protocol.errors import Misuse

_PAGE_PREFIX = b"kofu-page-1\n"
_HOW_STORED = frozenset({"Length", "Filter"})
_REFERENCE_END = b" 0 R"
_NAME = re.compile("/([A-Za-z0-9+_-]*)")
_TOKEN = re.compile(
    rb"(?P<reference>\d+) 0 R\b"
    rb"|(?P<real>\d+\.\d+)"
    rb"|(?P<whole>-?\d+)"
    rb"|\((?P<text>[^()\\\r]*)\)"
    rb"|<(?P<bytes>(?:[0-9A-Fa-f]{2})*)>"
    rb"|(?P<array>\[)"
    rb"|(?P<end>\])"
    rb"|\S"
)


class CanonicalForms:
    """The canonical forms of a document's objects.

    Args:
        known: forms that are ready, by the number of the object.
    """

    def __init__(self, known: Mapping[int, bytes]) -> None:
        self._forms = dict(known)

    def add(self, written: pydyf.Object) -> bytes:
        """Return an object's form and remember it; what it refers to must have been added before.

        Raises:
            Misuse: our writer writes no such object.
        """
        if isinstance(written, pydyf.Stream):
            kept = {key: value for key, value in written.extra.items() if key not in _HOW_STORED}
            stored = b"".join(written.stream)
            content = zlib.decompress(stored) if "Filter" in written.extra else stored
            hashed = hashlib.sha256(self._dictionary(kept) + _counted(content))
            form = b"s" + hashed.digest()
        else:
            form = self._dictionary(written)
        self._forms[written.number] = form
        return form

    def page_digest(self, page: pydyf.Dictionary) -> bytes:
        """Return the digest of a page that inherits nothing and has one content stream.

        The stream's dictionary says how it is stored and nothing else, so that its form is the one
        that TP-072 gives to a page's content.
        """
        return hashlib.sha256(_PAGE_PREFIX + self.add(page)).digest()

    def _dictionary(self, entries: Mapping[str, object]) -> bytes:
        forms = [
            b"/%d:%b%b" % (len(key), key.encode("ascii"), self._value(value))
            for key, value in sorted(entries.items())
            if key != "Parent"
        ]
        return b"<%d:%b" % (len(forms), b"".join(forms))

    def _value(self, value: object) -> bytes:
        """Return the form of a value in any of the ways in which it is given to pydyf."""
        if isinstance(value, int):
            return b"#%d;" % value
        if isinstance(value, str):
            return _name(value)
        if isinstance(value, dict):
            return self._dictionary(value)
        serialised = value.data if isinstance(value, pydyf.Object) else value
        if not isinstance(serialised, bytes):
            raise Misuse("our writer writes no such value")
        if serialised.endswith(_REFERENCE_END):
            return self._forms[int(serialised.removesuffix(_REFERENCE_END))]
        forms = self._values(_TOKEN.finditer(serialised))
        if len(forms) != 1:
            raise Misuse("our writer writes one value for a name")
        return forms[0]

    def _values(self, tokens: Iterator[re.Match[bytes]]) -> list[bytes]:
        """Return the forms of values up to the end of the array that holds them."""
        forms: list[bytes] = []
        for token in tokens:
            kind = token.lastgroup
            text = token[kind] if kind else b""
            match kind:
                case "whole":
                    forms.append(b"#%b;" % text)
                case "real":
                    forms.append(b"#%b;" % text.rstrip(b"0").rstrip(b"."))
                case "array":
                    values = self._values(tokens)
                    forms.append(b"[%d:%b" % (len(values), b"".join(values)))
                case "end":
                    break
                case "reference":
                    forms.append(self._forms[int(text)])
                case "bytes":
                    forms.append(b"(" + _counted(bytes.fromhex(text.decode("ascii"))))
                case "text":
                    forms.append(b"(" + _counted(text))
                case _:
                    raise Misuse("our writer writes no such value")
        return forms


def _name(value: str) -> bytes:
    """Return the form of a name, or of a truth value, which pydyf takes as text, too."""
    if (name := _NAME.fullmatch(value)) is not None:
        return b"/" + _counted(name[1].encode("ascii"))
    if value in ("true", "false"):
        return value[:1].encode("ascii")
    raise Misuse("our writer writes no such value")


def _counted(content: bytes) -> bytes:
    return b"%d:%b" % (len(content), content)
