"""A telegram trace as steps of a client: what to say, what to wait for, what cannot be done."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from protocol.errors import SetUpError
from protocol.trace.entries import (
    MINOR,
    Entry,
    Happened,
    Header,
    LineWord,
    Missed,
    Recorder,
    Said,
    TraceKind,
    Unknown,
    Way,
)

_UPKEEP = {"line-test", "line-tested"}
_QUIET = {LineWord.CONNECTED, LineWord.DISCONNECTED, LineWord.CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Send a telegram.

    Attributes:
        place: which telegram of the trace, from 1.
        said: as it stands in the trace.
        answered_by: the telegram that answers it in the trace; None: none does.
    """

    place: int
    said: Said
    answered_by: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hear:
    """Wait for an answer.

    Attributes:
        place: which telegram of the trace, from 1.
        said: as it stands in the trace.
        answers: digest, in the trace, of the request; None: of the latest that was no telegram.
    """

    place: int
    said: Said
    answers: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeys:
    """Make new keys for the line."""

    at_ms: int
    terminal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoil:
    """Send what comes through the seal and is no telegram."""

    at_ms: int
    terminal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cannot:
    """Something that happened and that a client cannot make happen.

    Attributes:
        place: the telegram that it came after.
        what: in words.
    """

    place: int
    what: str


Step: TypeAlias = Say | Hear | NewKeys | Spoil | Cannot


@dataclass(slots=True, kw_only=True)
class Script:
    """What a client does to let a trace happen again.

    Attributes:
        header: of the trace.
        steps: in order.
        terminals: ids of the terminals, in the order of their appearance.
        entries: the whole trace, to be written again.
    """

    header: Header
    steps: list[Step] = field(default_factory=list)
    terminals: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def by_hand(self) -> bool:
        """Whether nobody recorded it; its times are then meant."""
        return self.header.recorder is Recorder.SCENARIO

    @property
    def of_an_earlier_version(self) -> bool:
        """Whether it was recorded in an earlier minor version, which had fewer fields."""
        return self.header.minor < MINOR and not self.by_hand

    @property
    def telegrams(self) -> int:
        """Return how many telegrams are sent or waited for."""
        return sum(1 for step in self.steps if isinstance(step, Say | Hear))


def script_of(entries: Iterable[Entry]) -> Script:
    """Return the script of a telegram trace.

    Raises:
        SetUpError: it is a trace of a core, or it says nothing.
    """
    every = list(entries)
    header = every[0] if every else None
    if not isinstance(header, Header):
        raise SetUpError("the trace has no header")
    if header.kind is not TraceKind.TELEGRAMS:
        raise SetUpError(
            "this is a trace of a core, which is played with: issuance-server trace replay"
        )
    script = Script(header=header, entries=every)
    writer = _Writer(script, _answers(every))
    for entry in every[1:]:
        writer.take(entry)
    if not script.steps:
        raise SetUpError("the trace holds no telegram")
    return script


def kind_of(telegram: dict[str, Any]) -> str:
    """Return the name of a telegram."""
    return str(telegram.get("telegram", "?"))


def _answers(entries: Iterable[Entry]) -> dict[tuple[bytes, bytes], dict[str, Any]]:
    """Return what answers each request first, by line and digest."""
    found: dict[tuple[bytes, bytes], dict[str, Any]] = {}
    for entry in entries:
        if isinstance(entry, Said) and (digest := _asked(entry)) is not None:
            found.setdefault((entry.line, digest), entry.telegram)
    return found


def _asked(said: Said) -> bytes | None:
    """Return the digest of the request that a telegram answers."""
    ref = said.telegram.get("in_reply_to")
    digest = ref[2] if isinstance(ref, list | tuple) and len(ref) == 3 else None  # noqa: PLR2004
    return digest if isinstance(digest, bytes) else None


class _Writer:
    def __init__(self, script: Script, answers: dict[tuple[bytes, bytes], dict[str, Any]]) -> None:
        self._script = script
        self._answers = answers
        self._place = 0
        self._ready: set[str] = set()
        self._known: set[tuple[bytes, bytes]] = set()

    def take(self, entry: Entry) -> None:
        """Add the steps of an entry."""
        match entry:
            case Said():
                self._said(entry)
            case Happened():
                self._happened(entry)
            case Missed():
                self._cannot(f"the recorder left out {entry.count} entries here")
            case Unknown():
                pass
            case _:
                pass

    def _said(self, said: Said) -> None:
        self._place += 1
        kind, asked = kind_of(said.telegram), _asked(said)
        if said.terminal not in self._script.terminals:
            self._script.terminals.append(said.terminal)
        self._ready.add(said.terminal)
        if said.way is Way.UP:
            if kind in _UPKEEP and asked is not None:
                return  # an answer to the city's own test: the line gives it by itself
            self._known.add((said.line, said.digest))
            answer = self._answers.get((said.line, said.digest))
            self._script.steps.append(Say(place=self._place, said=said, answered_by=answer))
        elif asked is None:
            if kind not in _UPKEEP:
                self._cannot(f"the city said {kind!r} by itself")
        else:
            known = (said.line, asked) in self._known
            self._script.steps.append(
                Hear(place=self._place, said=said, answers=asked if known else None)
            )

    def _happened(self, happened: Happened) -> None:
        terminal = happened.terminal
        match happened.word:
            case LineWord.READY:
                if terminal in self._ready:
                    self._script.steps.append(NewKeys(at_ms=happened.at_ms, terminal=terminal))
                self._ready.add(terminal)
            case LineWord.MALFORMED:
                self._script.steps.append(Spoil(at_ms=happened.at_ms, terminal=terminal))
            case word if word not in _QUIET:
                reason = f" ({happened.reason})" if happened.reason else ""
                self._cannot(f"line {word.value}{reason} at {terminal or 'an unknown line'}")
            case _:
                pass

    def _cannot(self, what: str) -> None:
        self._script.steps.append(Cannot(place=self._place, what=what))
