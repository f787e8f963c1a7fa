"""Writes a trace to a file: beside the work, within bounds, and never in its way (TP-133).

A telegram that holds a secret, a card or a person is made fit to be shared at once, so that none of
them waits in the queue. Other telegrams, and the steps of a core, which knows no secret, wait as
they are, and the thread that writes codes them, one after the other, which costs less than doing it
in between everything else. A file that is full is put aside under a number, and the oldest ones go.
When the thread cannot keep up, entries are counted instead of kept; when the disk refuses, the
recording ends, is told of once, and everything else goes on.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from protocol.secret import Secret
from protocol.telegrams import AnyTelegram
from protocol.trace import stream
from protocol.trace.entries import (
    FORMAT,
    MAJOR,
    MINOR,
    Ended,
    Happened,
    Header,
    Known,
    LineWord,
    Missed,
    Recorder,
    Said,
    Stepped,
    TraceKind,
)
from protocol.trace.redaction import PSEUDONYM_KEY_BYTES, Redactor
from protocol.trace.traced_line import Copy, Whose

PART_BYTES_MAX = 64 * 1024 * 1024
PARTS_MAX = 8
QUEUED_BYTES_MAX = 4 * 1024 * 1024
WRITE_INTERVAL_MS = 250
CLOSE_MS_MAX = 2_000
STEP_BYTES = 2_048
TELEGRAM_BYTES = 1_024
"""What a step and a telegram that wait count for in the queue; the usual ones take less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a recording may take.

    Attributes:
        part_bytes: of one file, after which the next one is begun.
        parts: how many files are kept, the one that is written included.
        queued_bytes: what waits to be written; more is counted and left out.
    """

    part_bytes: int = PART_BYTES_MAX
    parts: int = PARTS_MAX
    queued_bytes: int = QUEUED_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a recording is about; it stands in the header."""

    kind: TraceKind
    recorder: Recorder
    city: str
    software: str
    tables_version: int
    settings: dict[str, Any] | None = None


class TraceFile:
    """A recording that goes on until ``close``.

    Attributes:
        missed_count: entries that were left out because the disk could not keep up.
        failure: why the recording has ended by itself; None while it goes on.
    """

    def __init__(
        self,
        path: Path,
        subject: Subject,
        *,
        clock: Callable[[], int],
        on_failure: Callable[[str], None],
        bounds: Bounds = Bounds(),
    ) -> None:
        """Begin a file; one that is there already is put aside.

        Args:
            path: of the file that is written.
            subject: what it is about.
            clock: milliseconds since 1970.
            on_failure: told once, from the writing thread, if the recording cannot go on.
            bounds: how much it may take.

        Raises:
            OSError: the file cannot be begun.
        """
        self.missed_count = 0
        self.failure: str | None = None
        self._path = path
        self._subject = subject
        self._clock = clock
        self._on_failure = on_failure
        self._bounds = bounds
        self._redactor = Redactor(Secret(os.urandom(PSEUDONYM_KEY_BYTES)))
        self._started_at_ms = clock()
        self._queue: deque[bytes | Callable[[], bytes]] = deque()
        self._queued_bytes = 0
        self._missed = 0
        self._room = threading.Lock()
        self._due = threading.Event()
        self._closing = False
        self._part = -1
        self._begin_part()
        self._thread = threading.Thread(target=self._write_on, name="trace", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return self._path.name

    def said(self, copy: Copy, telegram: AnyTelegram) -> None:
        """Record a telegram of a line."""
        entry = partial(self._said, self._at_ms(), copy, telegram)
        if self._redactor.hides(type(telegram)):
            encoded = self._made(entry)
            self._keep(encoded, len(encoded))
        else:
            self._keep(entry, TELEGRAM_BYTES + copy.envelope_bytes)

    def _said(self, at_ms: int, copy: Copy, telegram: AnyTelegram) -> bytes:
        generation, counter = copy.name
        return stream.encode(
            Said(
                at_ms=at_ms,
                line=copy.whose.line_id,
                terminal=copy.whose.terminal,
                way=copy.way,
                generation=generation,
                counter=counter,
                digest=copy.digest,
                envelope_bytes=copy.envelope_bytes,
                telegram=self._redactor.redact(telegram),
            )
        )

    def happened(self, whose: Whose, word: LineWord, generation: int | None, reason: str) -> None:
        """Record something else that happened to a line."""
        self._record(
            Happened(
                at_ms=self._at_ms(),
                line=whose.line_id,
                terminal=whose.terminal,
                word=word,
                generation=generation,
                reason=reason,
            )
        )

    def carrier(self, word: LineWord, reason: str) -> None:
        """Record that the carrier came or went."""
        self._record(Happened(at_ms=self._at_ms(), word=word, reason=reason))

    def stepped(self, made: Callable[[], Stepped]) -> None:
        """Record a step of a core.

        Args:
            made: gives it, in the writing thread; what it reads must not change any more. Its time
                is that of this call.
        """
        at_ms = self._at_ms()

        def encoded() -> bytes:
            return stream.encode(msgspec.structs.replace(made(), at_ms=at_ms))

        self._keep(encoded, STEP_BYTES)

    def close(self) -> None:
        """Write what waits, end the file, and give it up. May be called twice."""
        if self._closing:
            return
        self._closing = True
        self._due.set()
        self._thread.join(CLOSE_MS_MAX / 1_000)

    def _at_ms(self) -> int:
        return max(0, self._clock() - self._started_at_ms)

    def _record(self, entry: Known) -> None:
        encoded = self._made(lambda: stream.encode(entry))
        self._keep(encoded, len(encoded))

    def _keep(self, entry: bytes | Callable[[], bytes], length: int) -> None:
        """Let an entry wait for the thread, or count it."""
        if self.failure is not None or self._closing:
            return
        with self._room:
            if self._queued_bytes + length > self._bounds.queued_bytes:
                self._missed += 1
                self.missed_count += 1
                return
            if self._missed:
                self._queue.append(self._missed_told())
            self._queue.append(entry)
            self._queued_bytes += length

    def _missed_told(self) -> bytes:
        told = stream.encode(Missed(at_ms=self._at_ms(), count=self._missed))
        self._missed = 0
        return told

    def _made(self, make: Callable[[], bytes]) -> bytes:
        """Return an entry; what cannot be made, or is too long for a trace, is told as missed."""
        try:
            return make()
        except Exception:  # noqa: BLE001  # a bug in here must not cost a city a certificate
            self.missed_count += 1
            return stream.encode(Missed(at_ms=self._at_ms(), count=1))

    def _write_on(self) -> None:
        """Write until it is closed, or the disk refuses."""
        try:
            while not self._closing:
                self._due.wait(WRITE_INTERVAL_MS / 1_000)
                self._write_queue()
            self._write_queue()
            if self._missed:
                self._put(self._missed_told())
            self._end_part(continued=False)
        except OSError as error:
            self.failure = error.strerror or str(error)
            self._queue.clear()
            self._on_failure(self.failure)

    def _write_queue(self) -> None:
        while self._queue:
            with self._room:
                waiting = list(self._queue)
                self._queue.clear()
                self._queued_bytes = 0
            for one in waiting:
                encoded = one if isinstance(one, bytes) else self._made(one)
                if self._written_bytes + len(encoded) > self._bounds.part_bytes:
                    self._end_part(continued=True)
                    self._begin_part()
                self._put(encoded)
            self._file.flush()

    def _begin_part(self) -> None:
        self._part += 1
        self._put_aside()
        self._file = self._path.open("xb")
        self._path.chmod(0o600)
        self._written_bytes = self._entries = 0
        self._put(stream.encode(self._header()))
        self._file.flush()

    def _end_part(self, *, continued: bool) -> None:
        ended = Ended(at_ms=self._at_ms(), entries=self._entries, continued=continued)
        self._put(stream.encode(ended))
        self._file.close()

    def _put(self, encoded: bytes) -> None:
        self._file.write(encoded)
        self._written_bytes += len(encoded)
        self._entries += 1

    def _put_aside(self) -> None:
        """Give the file that is there the next number, and let the oldest ones go."""
        numbered = sorted(
            (int(path.suffix[1:]), path)
            for path in self._path.parent.glob(f"{self._path.name}.*")
            if path.suffix[1:].isdigit()
        )
        if self._path.exists():
            number = numbered[-1][0] + 1 if numbered else 1
            aside = self._path.with_name(f"{self._path.name}.{number}")
            self._path.rename(aside)
            numbered.append((number, aside))
        for _number, path in numbered[: -(self._bounds.parts - 1) or None]:
            path.unlink()

    def _header(self) -> Header:
        subject = self._subject
        return Header(
            format=FORMAT,
            major=MAJOR,
            minor=MINOR,
            kind=subject.kind,
            recorder=subject.recorder,
            city=subject.city,
            software=subject.software,
            tables_version=subject.tables_version,
            started_at_ms=self._started_at_ms,
            part=self._part,
            settings=subject.settings or {},
        )
