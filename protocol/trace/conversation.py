"""Which telegram of a trace answers which, and which issuance it is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from protocol.trace.entries import Entry, Said

CopyName: TypeAlias = tuple[bytes, int, int]
"""Line, key generation and counter: the name of one copy of a request."""


@dataclass(frozen=True, slots=True)
class Told:
    """A telegram with what is known about it from those before.

    Attributes:
        said: the telegram.
        issuance: which issuance it is about, 16 bytes; None: about none.
        answers: what it answers.
        repeats: how many copies of the same request came before it.
        waited_ms: of an answer, since that copy of its request.
    """

    said: Said
    issuance: bytes | None
    answers: Said | None = None
    repeats: int = 0
    waited_ms: int | None = None


class Conversation:
    """Follows the telegrams of a trace. What it remembers is bounded: old copies are forgotten."""

    REMEMBERED_MAX = 100_000

    def __init__(self) -> None:
        self._requests: dict[CopyName, Said] = {}
        self._copies: dict[tuple[bytes, bytes], int] = {}

    def follow(self, said: Said) -> Told:
        """Take the next telegram."""
        ref = said.telegram.get("in_reply_to")
        if ref is not None:
            return self._answer(said, ref)
        self._bound()
        self._requests[(said.line, said.generation, said.counter)] = said
        key = (said.line, said.digest)
        repeats = self._copies.get(key, 0)
        self._copies[key] = repeats + 1
        return Told(said, issuance=issuance_of(said.telegram), repeats=repeats)

    def _answer(self, said: Said, ref: Any) -> Told:
        generation, counter = ref[0], ref[1]
        asked = self._requests.get((said.line, generation, counter))
        issuance = issuance_of(said.telegram)
        if asked is None:
            return Told(said, issuance=issuance)
        return Told(
            said,
            issuance=issuance or issuance_of(asked.telegram),
            answers=asked,
            waited_ms=said.at_ms - asked.at_ms,
        )

    def _bound(self) -> None:
        if len(self._requests) >= self.REMEMBERED_MAX:
            del self._requests[next(iter(self._requests))]
        if len(self._copies) >= self.REMEMBERED_MAX:
            del self._copies[next(iter(self._copies))]


def issuance_of(telegram: dict[str, Any]) -> bytes | None:
    """Return the issuance that a telegram names."""
    named = telegram.get("issuance_id")
    if named is None and isinstance(report := telegram.get("report"), dict):
        named = report.get("issuance_id")
    return named if isinstance(named, bytes) else None


def told(entries: Iterable[Entry]) -> Iterable[Told]:
    """Follow all telegrams of a trace."""
    conversation = Conversation()
    for entry in entries:
        if isinstance(entry, Said):
            yield conversation.follow(entry)
