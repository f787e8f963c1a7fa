"""What of a trace is what of a live conversation, and what differs.

Ids, keys and digests are drawn anew in every run: the first one of the trace is the first live one,
and from then on each stands for the other, wherever it appears. So two conversations are the same
if the same things stand in the same places (``protocol.trace.comparing``), and one difference does
not make all that follows different.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol.trace.comparing import ABSENT, Difference
from protocol.trace.patterns import is_pattern, name_of
from protocol.trace.redaction import is_hidden

OF_THE_CITY = frozenset(
    {"software", "call_centre", "checkpoint", "proof", "sealed_bytes", "pieces", "witnessed"}
)
"""Fields that tell of the city that was asked, or of one rendering, and not of the course."""
NAMED_TEXTS = frozenset({"holder", "numbers"})
"""Texts that are drawn anew as ids are."""
_TIME_END = "_ms"
_NO_FIELD = frozenset({"telegram", "in_reply_to"})


@dataclass(slots=True)
class Matching:
    """Which recorded thing is which live one.

    Attributes:
        ignore: names of fields that are not compared.
        lenient: whether a live telegram may have fields that the recorded one has not, because a
            later version added them.
    """

    ignore: frozenset[str] = frozenset()
    lenient: bool = False
    _live: dict[tuple[str, Any], Any] = field(default_factory=dict)
    _recorded: dict[tuple[str, Any], Any] = field(default_factory=dict)
    _named: dict[str, Any] = field(default_factory=dict)

    def bind(self, recorded: Any, live: Any, kind: str = "bytes") -> bool:
        """Let two things stand for each other, unless one of them stands for another."""
        there = (self._live.get((kind, recorded)), self._recorded.get((kind, live)))
        if there == (None, None):
            self._live[kind, recorded] = live
            self._recorded[kind, live] = recorded
            return True
        return there == (live, recorded)

    def live(self, recorded: bytes) -> bytes | None:
        """Return what stands for recorded bytes; None: nothing yet."""
        found: bytes | None = self._live.get(("bytes", recorded))
        return found

    def knows(self, live: bytes) -> bool:
        """Tell whether live bytes stand for something of the trace."""
        return ("bytes", live) in self._recorded

    def named(self, name: str | None) -> Any:
        """Return what stood where the trace has a pattern of that name; None: nothing yet."""
        return None if name is None else self._named.get(name)

    def compare(
        self, place: int, recorded: Mapping[str, Any], live: Mapping[str, Any]
    ) -> list[Difference]:
        """Compare two telegrams of the same kind, and learn from them.

        Args:
            place: which telegram of the trace.
            recorded: as it stands there.
            live: as it came, without what may not be shown.
        """
        fields = [
            {name: value for name, value in one.items() if name not in _NO_FIELD}
            for one in (recorded, live)
        ]
        return list(self._compare(place, fields[0], fields[1], ""))

    def in_words_of_the_trace(self, live: Any) -> Any:
        """Return a live value as the trace would have it: with its names where it has some."""
        match live:
            case {"~": hidden, "is": name}:
                return {"~": hidden, "is": self._recorded.get((str(hidden), name), name)}
            case Mapping():
                return {name: self.in_words_of_the_trace(one) for name, one in live.items()}
            case bytes():
                return self._recorded.get(("bytes", live), live)
            case list() | tuple():
                return [self.in_words_of_the_trace(one) for one in live]
            case _:
                return live

    def _compare(self, place: int, left: Any, right: Any, path: str) -> Iterator[Difference]:
        name = path.rpartition(".")[2].partition("[")[0]
        if name in self.ignore or name in OF_THE_CITY or name.endswith(_TIME_END):
            return
        if path == "unfinished" and not is_pattern(left):
            left, right = ([] if one == ABSENT else one for one in (left, right))
            yield from self._unfinished(place, left, right, path)
        elif _has_fields(left) and _has_fields(right):
            yield from self._fields(place, left, right, path)
        elif _is_list(left) and _is_list(right) and len(left) == len(right):
            for number, (one, other) in enumerate(zip(left, right, strict=True)):
                yield from self._compare(place, one, other, f"{path}[{number}]")
        elif not self._same(name, left, right):
            expected = self.named(name_of(left)) if is_pattern(left) else left
            yield Difference(place, path, expected, right)

    def _same(self, name: str, left: Any, right: Any) -> bool:
        """Tell whether two values without parts are the same, and learn from them."""
        if is_pattern(left):
            return self._fits(left, right)
        if is_hidden(left) and is_hidden(right):
            return self._same_hidden(left, right)
        if isinstance(left, bytes) and isinstance(right, bytes):
            return len(left) == len(right) and self.bind(left, right)
        if ABSENT in (left, right):
            return _is_empty(left) or _is_empty(right)  # a field at its default is left out
        if name in NAMED_TEXTS and isinstance(left, str) and isinstance(right, str):
            return self.bind(left, right, name)
        return bool(left == right)

    def _fields(
        self, place: int, left: Mapping[str, Any], right: Mapping[str, Any], path: str
    ) -> Iterator[Difference]:
        for key in dict.fromkeys([*left, *right]):
            if key not in left and self.lenient:
                continue
            below = f"{path}.{key}" if path else str(key)
            inner = (left.get(key, ABSENT), right.get(key, ABSENT))
            yield from self._compare(place, inner[0], inner[1], below)

    def _unfinished(
        self, place: int, left: Sequence[Any], right: Sequence[Any], path: str
    ) -> Iterator[Difference]:
        """Compare what is not ended, as far as both sides speak of this conversation."""
        old = {one["issuance_id"]: one for one in left if self.live(one["issuance_id"])}
        new = {one["issuance_id"]: one for one in right if self.knows(one["issuance_id"])}
        for issuance, one in old.items():
            other = new.pop(self.live(issuance), ABSENT)
            yield from self._compare(place, one, other, f"{path}[{len(old) - 1}]")
        for other in new.values():
            yield Difference(place, path, ABSENT, other)

    def _fits(self, pattern: dict[str, Any], value: Any) -> bool:
        name = name_of(pattern)
        if name is None:
            return True
        if isinstance(value, list | dict):
            return True  # what has parts is not learned
        learned: bool = self._named.setdefault(name, value) == value
        return learned

    def _same_hidden(self, left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
        if left.get("~") != right.get("~"):
            return False
        if "is" not in left or "is" not in right:
            return True
        return self.bind(left["is"], right["is"], str(left["~"]))


def _is_empty(value: Any) -> bool:
    return value is None or (_is_list(value) and not value)


def _has_fields(value: Any) -> bool:
    return isinstance(value, Mapping) and not is_hidden(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
