"""Tables for people, JSON for programs; results go to standard output."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from issuance_server.core.calendar import JST


def width(text: str) -> int:
    """Return how many columns a text takes; East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns with a heading."""
    lines = [tuple(columns), *(tuple("" if v is None else str(v) for v in row) for row in rows)]
    widths = [max(width(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        cells = (text + " " * (widths[at] - width(text)) for at, text in enumerate(line))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(text.decode() + "\n")


def clock_text(at_ms: int) -> str:
    """Return a real time as people in Japan read it, to the millisecond."""
    at = datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(JST)
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at_ms % 1_000:03d}"
