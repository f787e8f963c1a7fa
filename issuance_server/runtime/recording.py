"""What a running server tells its traces. It is never in the way: nothing here raises (TP-133)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from issuance_server.core.effects import Effect
from issuance_server.core.facts import Facts, Now
from issuance_server.core.inputs import Input
from issuance_server.core.records import AnyRecord
from issuance_server.core.replay import Beginning, StepCoder
from protocol.line import Line
from protocol.shells.trace_file import TraceFile
from protocol.trace.entries import LineWord, Stepped
from protocol.trace.traced_line import TracedLine

_CARRIER_WORDS = {
    "broker.connected": LineWord.CONNECTED,
    "broker.lost": LineWord.DISCONNECTED,
}


class Recording:
    """Up to two traces: what is said on lines, and what the core is given and decides."""

    def __init__(
        self,
        *,
        lines: TraceFile | None = None,
        steps: TraceFile | None = None,
        coder: StepCoder | None = None,
        log: Callable[..., None] = lambda _event, **_fields: None,
    ) -> None:
        """Take what is recorded into; nothing is recorded without.

        Args:
            lines: the trace of telegrams.
            steps: the core trace.
            coder: of the core's values; goes with ``steps``.
            log: takes events.
        """
        self._lines = lines
        self._steps = steps
        self._coder = coder
        self._log = log
        self._files = [one for one in (lines, steps) if one is not None]
        self._missed_told: dict[TraceFile, int] = {}
        self._failure_told: set[TraceFile] = set()

    @property
    def goes_on(self) -> bool:
        """Whether anything is to be recorded."""
        return bool(self._files)

    @property
    def takes_steps(self) -> bool:
        """Whether there is a core trace."""
        return self._steps is not None

    @property
    def missed_count(self) -> int:
        """How many entries were left out since the beginning."""
        return sum(file.missed_count for file in self._files)

    def make_line(self, **settings: Any) -> Line:
        """Make a line, with a tap if there is a trace of telegrams."""
        if self._lines is None:
            return Line(**settings)
        return TracedLine.tapped_by(self._lines, **settings)

    def carrier_event(self, event: str, **fields: object) -> None:
        """Log an event of the carrier, and record that it came or went."""
        self._log(event, **fields)
        word = _CARRIER_WORDS.get(event)
        if word is not None and self._lines is not None:
            self._lines.carrier(word, str(fields.get("reason", "")))

    def folded(self, record: AnyRecord) -> None:
        """Record what was folded before the first step."""
        self._take(lambda coder: coder.before(record))

    def begun(self, beginning: Beginning) -> None:
        """Record what the process begins with."""
        self._take(lambda coder: coder.beginning(beginning))

    def stepped(self, input_: Input, now: Now, facts: Facts, effects: list[Effect]) -> None:
        """Record a step of the core."""
        self._take(lambda coder: coder.step(input_, now, facts, effects))

    async def look(self) -> None:
        """Log what went wrong with a recording since the last look."""
        self._tell()

    def close(self) -> None:
        """End the recordings in order."""
        for file in self._files:
            file.close()
        self._tell()

    def _take(self, made: Callable[[StepCoder], Stepped]) -> None:
        if self._steps is not None and self._coder is not None:
            self._steps.stepped(partial(made, self._coder))

    def _tell(self) -> None:
        for file in self._files:
            missed = file.missed_count - self._missed_told.get(file, 0)
            if missed:
                self._missed_told[file] = file.missed_count
                self._log("trace.missed", file=file.name, count=missed)
            if file.failure is not None and file not in self._failure_told:
                self._failure_told.add(file)
                self._log("trace.failed", file=file.name, reason=file.failure)


NO_RECORDING = Recording()
