"""What a terminal tells its traces. It is never in the way: but at the beginning nothing raises."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from protocol.errors import SetUpError
from protocol.limits import TABLES_VERSION
from protocol.line import Line
from protocol.secret import Secret
from protocol.shells.trace_file import Subject, TraceFile
from protocol.trace.entries import LineWord, Recorder, Stepped, TraceKind
from protocol.trace.redaction import PSEUDONYM_KEY_BYTES
from protocol.trace.traced_line import TracedLine
from terminal_sim.core.effects import Effect
from terminal_sim.core.inputs import Input
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.replay import StepCoder
from terminal_sim.core.state import Profile

_CARRIER_WORDS = {
    "broker.connected": LineWord.CONNECTED,
    "broker.lost": LineWord.DISCONNECTED,
}


class Recording:
    """Up to two traces of one opening: what is said on the line, and what the core decides."""

    def __init__(
        self,
        profile: Profile,
        files: tuple[Path | None, Path | None],
        *,
        clock: Callable[[], int],
        before: Iterable[AnyRecord],
    ) -> None:
        """Begin the traces that are asked for.

        Args:
            profile: who the terminal is.
            files: of the telegrams and of the core; None: not wanted.
            clock: milliseconds since 1970.
            before: what the core begins with: the journal's records.

        Raises:
            SetUpError: a file cannot be begun; the text names it.
        """
        telegrams, core = files
        if telegrams is not None and core is not None and telegrams.absolute() == core.absolute():
            raise SetUpError(f"{telegrams}: telegrams and core need a file each; name another one")
        self._profile = profile
        self._clock = clock
        self._lines: TraceFile | None = None
        self._steps: TraceFile | None = None
        self._coder: StepCoder | None = None
        if telegrams is not None:
            self._lines = self._begun(telegrams, TraceKind.TELEGRAMS, None)
        if core is not None:
            self._coder = StepCoder(Secret(os.urandom(PSEUDONYM_KEY_BYTES)))
            self._steps = self._begun(core, TraceKind.CORE, self._coder.settings(profile))
            for record in before:
                self._take(lambda coder, record=record: coder.before(record))  # type: ignore[misc]

    def make_line(self, **settings: Any) -> Line:
        """Make a line, with a tap if there is a trace of telegrams."""
        if self._lines is None:
            return Line(**settings)
        return TracedLine.tapped_by(self._lines, **settings)

    def carrier_event(self, event: str, **fields: object) -> None:
        """Record that the carrier came or went."""
        word = _CARRIER_WORDS.get(event)
        if word is not None and self._lines is not None:
            self._lines.carrier(word, str(fields.get("reason", "")))

    def stepped(self, input_: Input, now_ms: int, effects: list[Effect]) -> None:
        """Record a step of the core."""
        self._take(lambda coder: coder.step(input_, now_ms, effects))

    def close(self) -> None:
        """End the recordings in order. May be called twice."""
        for file in self._files():
            file.close()

    def remarks(self) -> tuple[str, ...]:
        """Return what went wrong with a recording, in words."""
        words = [
            f"the trace {file.name} ends early: {file.failure}"
            for file in self._files()
            if file.failure is not None
        ]
        words += [
            f"the trace {file.name} leaves out {file.missed_count} entries"
            for file in self._files()
            if file.missed_count
        ]
        return tuple(words)

    def _files(self) -> list[TraceFile]:
        return [one for one in (self._lines, self._steps) if one is not None]

    def _take(self, made: Callable[[StepCoder], Stepped]) -> None:
        if self._steps is not None and self._coder is not None:
            self._steps.stepped(partial(made, self._coder))

    def _begun(self, path: Path, kind: TraceKind, settings: dict[str, Any] | None) -> TraceFile:
        subject = Subject(
            kind=kind,
            recorder=Recorder.TERMINAL,
            city=self._profile.city,
            software=self._profile.software,
            tables_version=TABLES_VERSION,
            settings=settings,
        )
        try:
            return TraceFile(path, subject, clock=self._clock, on_failure=lambda _reason: None)
        except OSError as error:
            raise SetUpError(
                f"no trace can be written to {path}: {error.strerror}; name another file"
            ) from None
