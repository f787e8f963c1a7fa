"""Where in a TOML text each value stands, for messages that point at the line.

The library that reads TOML keeps no places. The text is read a second time here, and only for them:
it is known to be valid, so that the shape of a token is enough.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Names of keys and numbers of elements, from 0, such as ``("steps", 3, "say")``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{1,2}(?!"))?'
    r"|'''.*?'''(?:'{1,2}(?!'))?"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text, both counted from 1."""

    line: int
    column: int


def places_in(text: str) -> dict[KeyPath, Place]:
    """Return where the key of each value stands, and each element of an array.

    Args:
        text: valid TOML, as ``tomllib.loads`` takes it.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.places


def place_of(places: dict[KeyPath, Place], path: KeyPath) -> Place:
    """Return the place of a value, or of the nearest one around it that is known."""
    while path and path not in places:
        path = path[:-1]
    return places.get(path, Place(1, 1))


class _Scanner:
    def __init__(self, text: str) -> None:
        self.places: dict[KeyPath, Place] = {}
        self._text = text
        self._at = 0
        self._tables_of: dict[KeyPath, int] = {}  # how many tables an array of them has

    def scan(self) -> None:
        """Go through the whole text."""
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        start = self._at
        brackets = 2 if self._text.startswith("[[", start) else 1
        self._at += brackets
        keys = self._keys()
        self._at += brackets
        path = self._resolved(keys[:-1])
        if brackets == 1:
            path = self._resolved(keys)
        else:
            array = (*path, keys[-1])
            number = self._tables_of.get(array, 0)
            self._tables_of[array] = number + 1
            self._note(array, start)
            path = (*array, number)
        self._note(path, start)
        return path

    def _resolved(self, keys: list[str]) -> KeyPath:
        """Return the path of a table; in an array of them it is the last one."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._tables_of:
                path = (*path, self._tables_of[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = (*table, *self._keys())
        self._note(path, start)
        self._at += 1  # the sign of equality
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            quoted = self._text[self._at] in "\"'"
            found = self._take(_STRING if quoted else _BARE_KEY)
            keys.append(found[1:-1] if quoted else found)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._take(_STRING)
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._take(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                break
            element = (*path, number)
            self._note(element, self._at)
            self._value(element)
            number += 1
            self._skip(_BLANK)
            self._at += self._text[self._at] == ","
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                break
            self._pair(path)
            self._skip(_BLANK)
            self._at += self._text[self._at] == ","
        self._at += 1

    def _note(self, path: KeyPath, at: int) -> None:
        before = self._text.rfind("\n", 0, at)
        line = self._text.count("\n", 0, at) + 1
        self.places.setdefault(path, Place(line, at - before))

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None, "the text is no TOML"
        self._at = found.end()
        return found.group()
