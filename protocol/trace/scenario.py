"""A scenario: a conversation written by hand, and compiled to a trace.

A scenario says which telegrams a terminal sends and what is to come back. Compiled it is a trace
like any other (``Recorder.SCENARIO``), with patterns where it leaves something open (TP-134).
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from protocol.errors import KofuError
from protocol.limits import LINE_ID_BYTES, TABLES_VERSION
from protocol.trace.entries import (
    FORMAT,
    MAJOR,
    MINOR,
    Ended,
    Happened,
    Header,
    Known,
    LineWord,
    Recorder,
    Said,
    TraceKind,
    Way,
)
from protocol.trace.scenario_fields import (
    SOFTWARE,
    FieldFault,
    Speech,
    fields_of,
    named_bytes,
    quoted_numbers,
    telegram_type,
)
from protocol.trace.toml_places import KeyPath, Place, place_of, places_in

SUFFIX = ".scenario.toml"
STEPS_MAX = 10_000
WAIT_MS_MAX = 60 * 60 * 1_000
CITY = "272035"

_TOP = {"note", "city", "terminal", "terminals", "steps"}
_ACTS = ("say", "expect", "again", "fetch", "line", "wait_ms")
_WORDS = {"new-keys": LineWord.READY, "malformed": LineWord.MALFORMED}
_GENERATION = 1


class ScenarioUnreadable(KofuError):
    """A scenario cannot be compiled.

    Attributes:
        place: where in its text.
        reason: in words.
    """

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(f"line {place.line}, column {place.column}: {reason}")
        self.place = place
        self.reason = reason


def compile_scenario(text: str) -> list[Known]:
    """Return the entries of the trace that a scenario describes.

    Args:
        text: TOML.

    Raises:
        ScenarioUnreadable: it is no TOML, or something in it is not as it must be.
    """
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioUnreadable(_place_in(str(error), text), str(error)) from None
    try:
        return _Compiler(written).entries()
    except FieldFault as fault:
        place = place_of(places_in(text), fault.path)
        raise ScenarioUnreadable(place, fault.reason) from None


@dataclass(slots=True)
class _LineState:
    """What a line of the scenario has seen.

    Attributes:
        terminal: whose it is.
        counters: of the copies that were sent each way.
        generation: of its keys.
        sent: copies that were sent, newest last: label, telegram, name.
        answered: names of copies that have their answer.
    """

    terminal: str
    counters: dict[Way, int] = field(default_factory=lambda: {Way.UP: 0, Way.DOWN: 0})
    generation: int = _GENERATION
    sent: list[tuple[str, Said]] = field(default_factory=list)
    answered: set[tuple[int, int]] = field(default_factory=set)

    @property
    def line_id(self) -> bytes:
        """Return the line's id in the trace."""
        return named_bytes(f"line {self.terminal}", LINE_ID_BYTES)


class _Compiler:
    def __init__(self, written: Mapping[str, Any]) -> None:
        for name in written:
            if name not in _TOP:
                raise FieldFault((name,), f"a scenario has no {name!r}; it has {', '.join(_TOP)}")
        self._written = written
        self._lines = self._named_lines()
        self._at_ms = 0
        self._numbers: dict[str, int] = {}  # of names whose value the scenario says itself
        self._entries: list[Known] = [self._header()]

    def entries(self) -> list[Known]:
        """Compile all steps."""
        steps = self._written.get("steps")
        if not isinstance(steps, list) or not 0 < len(steps) <= STEPS_MAX:
            raise FieldFault(("steps",), f"a scenario has 1 to {STEPS_MAX} steps")
        for number, step in enumerate(steps):
            self._step(step, ("steps", number))
        self._entries.append(Ended(at_ms=self._at_ms, entries=len(self._entries)))
        return self._entries

    def _header(self) -> Header:
        note = self._written.get("note", "")
        city = self._written.get("city", CITY)
        for name, value in (("note", note), ("city", city)):
            if not isinstance(value, str):
                raise FieldFault((name,), "a text belongs here")
        return Header(
            format=FORMAT,
            major=MAJOR,
            minor=MINOR,
            kind=TraceKind.TELEGRAMS,
            recorder=Recorder.SCENARIO,
            city=city,
            software=SOFTWARE,
            tables_version=TABLES_VERSION,
            started_at_ms=0,
            note=note,
        )

    def _named_lines(self) -> dict[str, _LineState]:
        """Return the lines by the names that the steps give them."""
        several, one = self._written.get("terminals"), self._written.get("terminal")
        if isinstance(one, str) and several is None:
            return {"": _LineState(one)}
        if isinstance(several, dict) and several and one is None:
            for name, terminal in several.items():
                if not isinstance(terminal, str):
                    raise FieldFault(("terminals", name), "a terminal's id belongs here")
            return {name: _LineState(terminal) for name, terminal in several.items()}
        raise FieldFault(
            ("terminal",), 'a scenario names its terminal = "ID", or several: [terminals] a = "ID"'
        )

    def _step(self, step: Any, path: KeyPath) -> None:
        if not isinstance(step, dict):
            raise FieldFault(path, "a step is a table")
        acts = [act for act in _ACTS if act in step]
        if len(acts) != 1:
            raise FieldFault(path, f"a step has one of {', '.join(_ACTS)}")
        (act,) = acts
        rest = {name: value for name, value in step.items() if name != act}
        if act == "wait_ms":
            self._wait(step[act], (*path, act))
            return
        line = self._line(rest.pop("on", None), (*path, "on"))
        match act:
            case "say":
                self._say(line, step[act], rest, path)
            case "expect":
                self._expect(line, step[act], rest, path)
            case "fetch":
                self._fetch(line, step[act], rest, path)
            case "again":
                self._again(line, step[act], (*path, act))
            case _:
                self._word(line, step[act], (*path, act))
        if act in {"again", "line"} and rest:
            raise FieldFault((*path, next(iter(rest))), f"{act!r} stands alone, but for 'on'")

    def _line(self, name: Any, path: KeyPath) -> _LineState:
        if name is None and len(self._lines) == 1:
            return next(iter(self._lines.values()))
        line = self._lines.get(name) if isinstance(name, str) else None
        if line is None:
            raise FieldFault(path, f"'on' is one of the terminals {', '.join(self._lines)}")
        return line

    def _wait(self, wait_ms: Any, path: KeyPath) -> None:
        if not isinstance(wait_ms, int) or not 0 < wait_ms <= WAIT_MS_MAX:
            raise FieldFault(path, f"milliseconds from 1 to {WAIT_MS_MAX} belong here")
        self._at_ms += wait_ms

    def _say(self, line: _LineState, name: Any, rest: dict[str, Any], path: KeyPath) -> None:
        kind = telegram_type(name, (*path, "say"))
        label = rest.pop("as", name)
        fields = fields_of(kind, rest, self._speech(line, said=True), path)
        telegram = {"telegram": name, **fields}
        said = self._said(line, Way.UP, telegram)
        line.sent.append((label, said))

    def _expect(self, line: _LineState, name: Any, rest: dict[str, Any], path: KeyPath) -> None:
        kind = telegram_type(name, (*path, "expect"))
        asked = self._asked(line, rest.pop("answers", None), (*path, "answers"))
        fields = fields_of(kind, rest, self._speech(line, said=False), path)
        if name == "quotation":
            self._numbers |= quoted_numbers(rest)
        ref: dict[str, Any] = {}
        if asked is not None:
            line.answered.add((asked.generation, asked.counter))
            ref = {"in_reply_to": [asked.generation, asked.counter, asked.digest]}
        self._said(line, Way.DOWN, {"telegram": name, **ref, **fields})

    def _speech(self, line: _LineState, *, said: bool) -> Speech:
        return Speech(terminal=line.terminal, said=said, numbers=self._numbers)

    def _asked(self, line: _LineState, label: Any, path: KeyPath) -> Said | None:
        """Return what is answered: what was labelled so, or the newest that has no answer."""
        for known, said in reversed(line.sent):
            if label is None and (said.generation, said.counter) in line.answered:
                continue
            if label in {None, known}:
                return said
        if label is not None:
            raise FieldFault(path, f"nothing was said before as {label!r}")
        return None

    def _fetch(self, line: _LineState, name: Any, rest: dict[str, Any], path: KeyPath) -> None:
        """Say and expect all pieces of a certificate."""
        pieces = rest.pop("pieces", None)
        if not isinstance(pieces, int) or pieces < 1:
            raise FieldFault((*path, "pieces"), "how many pieces belongs here")
        for piece in range(pieces):
            about = {"issuance_id": name, "piece": piece, **rest}
            self._say(line, "fetch", dict(about), path)
            self._expect(line, "piece", dict(about), path)

    def _again(self, line: _LineState, label: Any, path: KeyPath) -> None:
        said = next((said for known, said in reversed(line.sent) if known == label), None)
        if said is None:
            raise FieldFault(path, f"nothing was said before as {label!r}")
        line.sent.append((label, self._said(line, Way.UP, said.telegram)))

    def _word(self, line: _LineState, name: Any, path: KeyPath) -> None:
        word = _WORDS.get(name) if isinstance(name, str) else None
        if word is None:
            raise FieldFault(path, f"what happens to a line is one of {', '.join(_WORDS)}")
        if word is LineWord.READY:
            line.generation += 1
        if word is LineWord.MALFORMED:
            line.sent.append((name, self._no_telegram(line)))
        self._entries.append(
            Happened(
                at_ms=self._at_ms,
                word=word,
                line=line.line_id,
                terminal=line.terminal,
                generation=line.generation,
            )
        )

    def _no_telegram(self, line: _LineState) -> Said:
        """Return the copy that is answered where what was sent is no telegram; no entry has it."""
        said = self._said(line, Way.UP, {"telegram": ""})
        self._entries.pop()
        return said

    def _said(self, line: _LineState, way: Way, telegram: dict[str, Any]) -> Said:
        counter = line.counters[way]
        line.counters[way] = counter + 1
        said = Said(
            at_ms=self._at_ms,
            line=line.line_id,
            terminal=line.terminal,
            way=way,
            generation=line.generation,
            counter=counter,
            digest=hashlib.sha256(msgspec.msgpack.encode(telegram)).digest(),
            envelope_bytes=0,
            telegram=telegram,
        )
        self._entries.append(said)
        return said


def _place_in(message: str, text: str) -> Place:
    """Return the place that the library's message names; at the end of a text it says so."""
    words = message.replace(",", "").replace(")", "").split()
    numbers = [int(word) for word in words if word.isdigit()]
    if "line" in words and len(numbers) >= 2:  # noqa: PLR2004  # line and column
        return Place(numbers[-2], numbers[-1])
    return Place(text.count("\n") + 1, 1)
