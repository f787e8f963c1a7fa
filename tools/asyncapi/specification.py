"""Reads the sentences of ``protocol/SPEC.md``: what a field, a reply code or a limit means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import SetUpError

SPECIFICATION = Path("protocol/SPEC.md")

_END_OF_SECTION = re.compile(r"\n(?:#|\*\*[a-z_-]+\*\*\n)")
_REPLIES = re.compile(r"\s*Replies:\s[^.]*\.")
_JAPANESE = re.compile(r"([^\x00-\x7f]+)[.,:]\s*")
_CHOICE = re.compile(r"`([a-z-]+)`(?: \(([^)]*)\))?")
_TABLE = re.compile(r"^\|.*\n?", re.MULTILINE)
_DASHES = re.compile(r"\|[-| ]+\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldText:
    """What section 7 says of one field.

    Attributes:
        care: ``secret``, ``personal`` or nothing.
        meaning: half a sentence, in Markdown.
    """

    care: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderText:
    """What section 3 says of one field of the envelope's header.

    Attributes:
        offset: bytes before it; of the body, the length of the header.
        length: how many bytes; None for the body, which has no fixed length.
        name: the field's name there, such as ``line id``.
        content: what it holds.
    """

    offset: int
    length: int | None
    name: str
    content: str


class Specification:
    """The text of SPEC.md, by section."""

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def read(cls) -> "Specification":
        """Read the specification of this checkout.

        Raises:
            SetUpError: it is not where the checkout has it.
        """
        try:
            return cls(SPECIFICATION.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise SetUpError(
                f"{SPECIFICATION} is not here: run this from the top of the checkout"
            ) from error

    def section(self, heading: str) -> str:
        """Return the text between a heading and the next one of any level.

        Raises:
            SetUpError: there is no such heading.
        """
        _, found, rest = self._text.partition(f"\n{heading}\n")
        if not found:
            raise SetUpError(f"{SPECIFICATION} has no heading {heading!r}: give it one")
        return _END_OF_SECTION.split(rest, maxsplit=1)[0]

    def name_of_telegram(self, name: str) -> str:
        """Return the Japanese name of a telegram, or nothing if it has none."""
        found = _JAPANESE.match(self._prose(f"### `{name}`"))
        return found[1] if found else ""

    def prose_of_telegram(self, name: str) -> str:
        """Return what is said of a telegram above its table, without its name and replies."""
        prose = _REPLIES.sub("", _JAPANESE.sub("", self._prose(f"### `{name}`"))).strip()
        return prose[:1].upper() + prose[1:]

    def prose_of_structure(self, name: str) -> str:
        """Return what is said of a structure above its table."""
        return self._prose(f"**{name}**")

    def fields_of_telegram(self, name: str) -> dict[str, FieldText]:
        """Return what is said of each field of a telegram, in order."""
        return self._fields(f"### `{name}`")

    def fields_of_structure(self, name: str) -> dict[str, FieldText]:
        """Return what is said of each field of a structure in telegrams, in order."""
        return self._fields(f"**{name}**")

    def meanings_of_choice(self, name: str) -> dict[str, str]:
        """Return the words that a type allows; with each what stands behind it in brackets."""
        words = self._found(name, {row[0]: row[2] for row in self._rows("### Types")})
        return dict(_CHOICE.findall(words))

    def meaning_of_code(self, code: int) -> str:
        """Return what section 8 says of a reply code."""
        return self._found(str(code), {row[0]: row[2] for row in self._rows("## 8 Reply codes")})

    def meaning_of_band(self, band: int) -> str:
        """Return what the codes of a band are about: ``card and PIN`` for 20."""
        listed = re.search(r"bands: ([^.]*)\.", self.section("## 8 Reply codes"))
        bands = re.findall(r"(\d+)\s+([a-zA-Z\s]+)", listed[1] if listed else "")
        return self._found(str(band), {number: " ".join(text.split()) for number, text in bands})

    def meaning_of_limit(self, name: str) -> str:
        """Return what a limit bounds."""
        return self._found(name, {row[0].strip("`"): row[2] for row in self._rows("## 10 Limits")})

    def envelope(self) -> list[HeaderText]:
        """Return the fields of the envelope in order; the last one is the body."""
        return [
            HeaderText(
                offset=int(offset),
                length=int(length) if length.isdecimal() else None,
                name=name,
                content=content,
            )
            for offset, length, name, content in self._rows("## 3 Envelope")
        ]

    def _prose(self, heading: str) -> str:
        return " ".join(_TABLE.sub("", self.section(heading)).split())

    def _fields(self, heading: str) -> dict[str, FieldText]:
        return {
            name.strip("`"): FieldText(care=care, meaning=meaning)
            for name, _type, care, meaning in self._rows(heading)
        }

    def _rows(self, heading: str) -> Iterator[list[str]]:
        """Yield the cells of every row of a section's table, without its head."""
        rows = [line for line in self.section(heading).splitlines() if line.startswith("|")]
        for line in rows[1:]:
            if not _DASHES.fullmatch(line):
                yield [cell.strip() for cell in line.strip("|").split("|")]

    def _found(self, key: str, texts: dict[str, str]) -> str:
        if key not in texts:
            raise SetUpError(f"{SPECIFICATION} says nothing of {key!r}: give it a row")
        return texts[key]
