"""Two traces of the same course, compared: what differs, field by field.

Ids, keys, digests and pseudonyms are drawn anew in every run, so they are not compared by their
content. The first one of a trace is *the first*, wherever it stands again; two traces agree if the
same ones stand in the same places. Times, lengths and the names of copies are not compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from protocol.trace.entries import Entry, Happened, Said

ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        place: which telegram or word, counted from 1 among those that are compared.
        path: of the field, such as ``quotation.fee_yen``; empty: the whole.
        left: what stands in the first trace.
        right: what stands in the second.
    """

    place: int
    path: str
    left: Any
    right: Any

    def __str__(self) -> str:
        where = f"{self.place}: {self.path}" if self.path else f"{self.place}"
        return f"{where}: {self.left!r} in the first, {self.right!r} in the second"


@dataclass(slots=True)
class Naming:
    """Gives what is drawn anew in every run a name by its first appearance."""

    _names: dict[Any, str] = field(default_factory=dict)

    def name(self, value: Any, kind: str) -> str:
        """Return the name of a value; the same value has the same one."""
        return self._names.setdefault((kind, value), f"{kind} {len(self._names) + 1}")

    def named(self, value: Any) -> Any:
        """Return a value with everything drawn in it replaced by names."""
        match value:
            case {"~": str(hidden)}:
                return self._hidden(hidden, value)
            case Mapping():
                return {key: self.named(one) for key, one in value.items()}
            case bytes():
                return self.name(value, f"{len(value)} bytes")
            case list() | tuple():
                return [self.named(one) for one in value]
            case _:
                return value

    def _hidden(self, hidden: str, value: Mapping[str, Any]) -> Any:
        if "is" in value:
            return self.name(value["is"], hidden)
        if "digest" in value:
            return f"{hidden}, {value.get('bytes')} bytes"
        return hidden


def differences(
    left: Iterable[Entry],
    right: Iterable[Entry],
    *,
    ignore: frozenset[str] = frozenset(),
    with_line_words: bool = False,
) -> Iterator[Difference]:
    """Compare two traces.

    Args:
        left: the first.
        right: the second.
        ignore: names of fields that may differ, such as ``software``.
        with_line_words: whether what happens to lines beside telegrams is compared as well.
    """
    sides = (Naming(), Naming())
    pairs = zip_longest(
        _compared(left, words=with_line_words), _compared(right, words=with_line_words)
    )
    for place, (one, other) in enumerate(pairs, start=1):
        yield from compared(place, _seen(one, sides[0]), _seen(other, sides[1]), ignore)


def compared(
    place: int, left: Any, right: Any, ignore: frozenset[str] = frozenset(), path: str = ""
) -> Iterator[Difference]:
    """Compare two plain values, down to the fields that differ."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in dict.fromkeys([*left, *right]):
            if key not in ignore:
                below = f"{path}.{key}" if path else str(key)
                inner = (left.get(key, ABSENT), right.get(key, ABSENT))
                yield from compared(place, *inner, ignore, below)
    elif _is_list(left) and _is_list(right) and len(left) == len(right):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from compared(place, one, other, ignore, f"{path}[{number}]")
    elif left != right:
        yield Difference(place=place, path=path, left=left, right=right)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _compared(entries: Iterable[Entry], *, words: bool) -> Iterator[Said | Happened]:
    for entry in entries:
        if isinstance(entry, Said) or (words and isinstance(entry, Happened)):
            yield entry


def _seen(entry: Said | Happened | None, naming: Naming) -> Any:
    """Return what is compared of an entry."""
    match entry:
        case None:
            return ABSENT
        case Happened():
            reason = {"reason": entry.reason} if entry.reason else {}
            return {"line": entry.word.value, "of": entry.terminal, **reason}
        case Said():
            fields = dict(entry.telegram)
            kind = str(fields.pop("telegram", "?"))
            if fields.pop("in_reply_to", None) is not None:
                fields["is_reply"] = True
            return {
                "way": entry.way.value,
                "terminal": entry.terminal,
                kind: naming.named(fields),
            }
