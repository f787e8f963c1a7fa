"""The log: declared events only, as JSON lines for programs or as readable lines for people.

    log.configure(log_format="auto", level="info")
    log("line.opened", terminal="KM-0001", line="00112233445566aa")

What is not in the catalogue is refused, and so is any value that is not plain: a ``Secret``,
bytes, an exception or an object never gets into a line, whatever its ``repr`` would show.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson
import structlog

from issuance_server.observe.catalogue import EVENTS
from issuance_server.observe.event import Event, Level
from protocol.errors import Misuse
from protocol.secret import Secret

FORMATS = ("auto", "json", "console")
LEVELS = tuple(Level)
_EVENT_COLUMNS = 26
_COLOURS = {"info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m"}
_COLOUR_OFF = "\x1b[0m"

_Line = MutableMapping[str, Any]


class LineSink:
    """Writes finished lines to a stream of bytes, each at once.

    A log that cannot be written stops nothing at once: the line is lost, or late, and counted. If
    it lasts, the server accepts nothing new (``runtime.evidence_watch``).

    Attributes:
        lost_count: lines that could not be written.
        failing: whether the last line could not.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.lost_count = 0
        self.failing = False
        self._stream = stream

    def write(self, line: bytes) -> None:
        """Write ``line`` and a line feed."""
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self.lost_count += 1
            self.failing = True
        else:
            self.failing = False

    def flushes(self) -> bool:
        """Tell whether what a failed line may have left in the stream's buffer can go out."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return False
        return True

    debug = info = warning = error = critical = write


class EventLog:
    """Takes declared events; ``log`` below is the process's own.

    Before ``configure`` it writes readable lines from level info to standard error.
    """

    def __init__(self) -> None:
        self._sink: LineSink | None = None
        self._logger: Any = None

    def configure(
        self,
        *,
        log_format: str = "auto",
        level: str = Level.INFO,
        stream: BinaryIO | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Say how and where to write from now on.

        Args:
            log_format: ``json``, ``console``, or ``auto``: console on a terminal, else json.
            level: the least level that is written, one of ``LEVELS``.
            stream: where to; standard error if not given.
            now: gives the time of a line, in UTC.

        Raises:
            Misuse: unknown format or level.
        """
        if log_format not in FORMATS or level not in LEVELS:
            raise Misuse(f"no log format {log_format} or no level {level}")
        target = stream if stream is not None else sys.stderr.buffer
        on_terminal = target.isatty()
        readable = log_format == "console" or (log_format == "auto" and on_terminal)

        def stamp(_logger: Any, _method: str, line: _Line) -> _Line:
            line["ts"] = now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return line

        self._sink = LineSink(target)
        self._logger = structlog.wrap_logger(
            self._sink,
            processors=[
                stamp,
                structlog.processors.add_log_level,
                _Readable(coloured=on_terminal) if readable else _json_line,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            cache_logger_on_first_use=True,
        )

    def __call__(self, event_name: str, /, **fields: object) -> None:
        """Write one event.

        Raises:
            Misuse: the event or a field is not in the catalogue, or a value is not plain.
        """
        event = EVENTS.get(event_name)
        if event is None:
            raise Misuse(f"log event {event_name} is not in the catalogue")
        _refuse_undeclared(event, fields)
        if self._logger is None:
            self.configure(log_format="console")
        getattr(self._logger, event.level.value)(event_name, **fields)

    def is_written(self) -> bool:
        """Tell whether the log can be written now; after a failure this tries it."""
        sink = self._sink
        if sink is None or not sink.failing:
            return True
        if sink.flushes():
            self("log.written_again", lines=sink.lost_count)
        return not sink.failing


def add_log_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--log-format`` and ``--log-level`` to a command."""
    parser.add_argument(
        "--log-format",
        choices=FORMATS,
        default="auto",
        help="how to log: readable lines, JSON lines, or whichever fits (%(default)s)",
    )
    parser.add_argument(
        "--log-level",
        choices=[level.value for level in LEVELS],
        default=Level.INFO.value,
        help="the least level to log (%(default)s)",
    )


def _refuse_undeclared(event: Event, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if name not in event.fields:
            raise Misuse(f"log event {event.name} has no field {name}")
        if not _is_plain(value):
            what = "a secret" if isinstance(value, Secret) else "not plain"
            raise Misuse(f"the value of {name} in log event {event.name} is {what}")


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_scalar(part) for key, part in value.items())
    return _is_scalar(value)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int)


def _json_line(_logger: Any, _method: str, line: _Line) -> bytes:
    head = {"ts": line.pop("ts"), "level": line.pop("level"), "event": line.pop("event")}
    return orjson.dumps({**head, **line})


class _Readable:
    """One line for people: time, level, event, fields."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured

    def __call__(self, _logger: Any, _method: str, line: _Line) -> bytes:
        time, level, event = line.pop("ts"), line.pop("level"), line.pop("event")
        shown_level = f"{level:<7}"
        if self._coloured:
            shown_level = f"{_COLOURS[level]}{shown_level}{_COLOUR_OFF}"
        fields = " ".join(f"{name}={_shown(value)}" for name, value in line.items())
        return f"{time} {shown_level} {event:<{_EVENT_COLUMNS}} {fields}".rstrip().encode()


def _shown(value: object) -> str:
    """Show a value so that it stays one word on one line, whatever a peer put into it."""
    if isinstance(value, dict):
        return ",".join(f"{name}:{_shown(part)}" for name, part in value.items())
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)


log = EventLog()
