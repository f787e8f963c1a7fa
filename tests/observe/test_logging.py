"""What gets into the log, and what never does."""

import argparse
import contextlib
import errno
import io
import json
import os
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest

from issuance_server.observe.logging import EventLog, LineSink, add_log_arguments
from protocol.errors import Misuse
from protocol.secret import Secret

LINE = {"terminal": "KM-0001", "line": "00112233445566aa"}


class StubbornStream(io.BytesIO):
    """Bytes in memory that have no room while ``full``."""

    full = False

    def write(self, line: Any) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "no room")
        return super().write(line)

    def flush(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "no room")


class TerminalStream(io.BytesIO):
    """Bytes in memory that say they are a terminal."""

    def isatty(self) -> bool:
        return True


def fixed_now() -> datetime:
    return datetime(2026, 11, 24, 1, 2, 3, 456_789, tzinfo=UTC)


def log_to(stream: BinaryIO, log_format: str = "json", level: str = "info") -> EventLog:
    log = EventLog()
    log.configure(log_format=log_format, level=level, stream=stream, now=fixed_now)
    return log


def test_json_lines() -> None:
    """A program reads one object per line, with time, level and event first."""
    stream = io.BytesIO()
    log = log_to(stream, "auto")
    log("line.closed", **LINE, reason="in order")
    log("issuance.completed", issuance="0a", durations_ms={"render": 12}, fee_yen=200)

    first, second = stream.getvalue().splitlines()
    assert first == (
        b'{"ts":"2026-11-24T01:02:03.456Z","level":"info","event":"line.closed",'
        b'"terminal":"KM-0001","line":"00112233445566aa","reason":"in order"}'
    )
    assert json.loads(second)["durations_ms"] == {"render": 12}


def test_readable_lines() -> None:
    """A person reads one line per event; odd values stay one word on one line."""
    stream = io.BytesIO()
    log = log_to(stream, "console")
    log("line.closed", terminal="KM\n-0001", reason="in order")
    log("issuance.completed", durations_ms={"render": 12, "wait": 3}, sheets=None)

    assert stream.getvalue().decode() == (
        "2026-11-24T01:02:03.456Z info    line.closed                "
        "terminal='KM\\n-0001' reason='in order'\n"
        "2026-11-24T01:02:03.456Z info    issuance.completed         "
        "durations_ms=render:12,wait:3 sheets=None\n"
    )


def test_auto_is_readable_on_a_terminal() -> None:
    """On a terminal the same call writes colours and words instead of JSON."""
    stream = TerminalStream()
    log_to(stream, "auto")("card.locked", terminal="KM-0001")

    assert b"\x1b[33mwarning" in stream.getvalue()
    assert stream.getvalue().endswith(b" terminal=KM-0001\n")


def test_level_filters() -> None:
    """Below the level nothing is written, but the catalogue is asked all the same."""
    stream = io.BytesIO()
    log = log_to(stream, level="warning")
    log("pin.right", terminal="KM-0001")
    log("card.locked", terminal="KM-0001")
    with pytest.raises(Misuse):
        log("pin.right", colour="red")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["card.locked"]


@pytest.mark.parametrize(
    "value",
    [
        Secret(b"1234"),
        {"render": Secret(b"1234")},
        b"1234",
        [1],
        1.5,
        {"render": {"deep": 1}},
        {1: 1},
        ValueError("1234"),
    ],
    ids=type,
)
def test_only_plain_values_pass(value: object) -> None:
    """Secrets, bytes and objects are refused by type; the refusal does not show them either."""
    stream = io.BytesIO()
    with pytest.raises(Misuse) as refused:
        log_to(stream)("issuance.completed", durations_ms=value)

    assert "1234" not in str(refused.value)
    assert stream.getvalue() == b""


def test_undeclared_events_are_refused() -> None:
    """A name that is not in the catalogue is a bug, as is a field that the event has not."""
    log = log_to(io.BytesIO())
    with pytest.raises(Misuse, match="not in the catalogue"):
        log("line.exploded")
    with pytest.raises(Misuse, match="has no field colour"):
        log("line.opened", colour="red")


def test_unknown_format_or_level_is_misuse() -> None:
    """A configuration that cannot be meant is refused."""
    with pytest.raises(Misuse):
        EventLog().configure(log_format="xml")
    with pytest.raises(Misuse):
        EventLog().configure(level="loud")


def test_unwritable_log_loses_lines_only() -> None:
    """A full disk or a closed pipe costs lines, which are counted, and nothing else."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = os.fdopen(write_end, "wb", buffering=0)
    sink = LineSink(stream)
    sink.write(b"one")
    stream.close()
    sink.write(b"two")

    assert sink.lost_count == 2


def test_a_full_disk_is_noticed_and_told_when_there_is_room_again() -> None:
    """Nothing is written behind a line that is not out; the first one after it says how many."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a disk without room
        log = log_to(full)
        log("line.closed", **LINE, reason="in order")
        assert not log.is_written()
        assert not log.is_written()
        with contextlib.suppress(OSError):
            full.close()

    stream = StubbornStream()
    log = log_to(stream, level="error")
    assert log.is_written()
    stream.full = True
    log("journal.failed", reason="full")
    assert not log.is_written()
    stream.full = False
    assert log.is_written()
    assert log.is_written()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [("log.written_again", 1)] == [(line["event"], line["lines"]) for line in told]


def test_a_log_without_a_sink_is_no_fault() -> None:
    """A command that never logs has lost nothing."""
    assert EventLog().is_written()


def test_unconfigured_log_goes_to_standard_error(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Before it is told otherwise, the log writes readable lines where people look."""
    EventLog()("card.locked", terminal="KM-0001")

    said = capfdbinary.readouterr()
    assert said.out == b""
    assert b"warning card.locked" in said.err


def test_command_line_arguments() -> None:
    """Both switches have defaults that fit and take nothing else."""
    parser = argparse.ArgumentParser()
    add_log_arguments(parser)

    assert vars(parser.parse_args([])) == {"log_format": "auto", "log_level": "info"}
    options = parser.parse_args(["--log-format", "json", "--log-level", "error"])
    assert vars(options) == {"log_format": "json", "log_level": "error"}
