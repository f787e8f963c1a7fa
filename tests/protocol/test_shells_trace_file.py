"""A recording on a real disk: whole, bounded, and never the cause of a failure."""

import stat
import time
from pathlib import Path

import pytest

from protocol.secret import Secret
from protocol.shells.trace_file import Bounds, Subject, TraceFile
from protocol.telegrams import Fetch, LineTest, Released
from protocol.trace import stream
from protocol.trace.entries import (
    Ended,
    Entry,
    Happened,
    Header,
    LineWord,
    Missed,
    Recorder,
    Said,
    TraceKind,
    Way,
)
from protocol.trace.traced_line import Copy, Whose
from tests.protocol.samples import SAMPLES

BOUNDS = Bounds()
WHOSE = Whose(bytes(8), "LW-0001")
SUBJECT = Subject(
    kind=TraceKind.TELEGRAMS,
    recorder=Recorder.SERVER,
    city="272035",
    software="konbini-kofu 0.1.0",
    tables_version=1,
)


class Recording:
    """A recording with a clock that goes on by itself, and what it complains of."""

    def __init__(self, path: Path, bounds: Bounds = BOUNDS) -> None:
        """Begin it."""
        self.time_ms = 1_000
        self.failures: list[str] = []
        self.file = TraceFile(
            path, SUBJECT, clock=self._now, on_failure=self.failures.append, bounds=bounds
        )

    def say(self, counter: int) -> None:
        """Record a telegram."""
        copy = Copy(WHOSE, Way.UP, (7, counter), bytes(32), 552)
        self.file.said(copy, Fetch(issuance_id=bytes(16), piece=counter))

    def _now(self) -> int:
        self.time_ms += 1
        return self.time_ms


def read(path: Path) -> list[Entry]:
    """Read a whole trace."""
    return [placed.entry for placed in stream.read([path.read_bytes()])]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Where a recording goes."""
    return tmp_path / "city.trace"


def test_what_is_told_is_in_the_file_in_order(trace: Path) -> None:
    """A header, what happened with rising times, and an end that counts it."""
    recording = Recording(trace)
    recording.file.happened(WHOSE, LineWord.READY, 7, "")
    for counter in range(3):
        recording.say(counter)
    recording.file.close()
    recording.file.close()

    header, ready, *said, ended = read(trace)
    assert isinstance(header, Header)
    assert (0, TraceKind.TELEGRAMS, "272035") == (header.part, header.kind, header.city)
    assert isinstance(ready, Happened)
    assert [0, 1, 2] == [one.counter for one in said if isinstance(one, Said)]
    times = [one.at_ms for one in said if isinstance(one, Said)]
    assert sorted(times) == times
    assert isinstance(ended, Ended)
    assert (5, False) == (ended.entries, ended.continued)
    assert 0o600 == stat.S_IMODE(trace.stat().st_mode)


def test_a_key_never_reaches_the_file(trace: Path) -> None:
    """What may not be shown is taken out before it is queued."""
    recording = Recording(trace)
    released = next(one for one in SAMPLES if isinstance(one, Released))
    recording.file.said(Copy(WHOSE, Way.DOWN, (7, 1), bytes(32), 552), released)
    recording.file.close()

    assert released.content_key.reveal() not in trace.read_bytes()
    assert isinstance(released.content_key, Secret)


def test_full_files_are_put_aside_and_the_oldest_go(trace: Path) -> None:
    """Parts are numbered, nothing is lost between them, and no more are kept than asked."""
    recording = Recording(trace, Bounds(part_bytes=2_000, parts=3))
    for counter in range(60):
        recording.say(counter)
    recording.file.close()

    parts = sorted(trace.parent.glob("city.trace.*"), key=lambda path: int(path.suffix[1:]))
    assert 2 == len(parts)
    kept = [read(path) for path in [*parts, trace]]
    assert all(path.stat().st_size <= 2_200 for path in [*parts, trace])
    counters = [one.counter for part in kept for one in part if isinstance(one, Said)]
    assert list(range(counters[0], 60)) == counters
    assert [True, True, False] == [part[-1].continued for part in kept if _ended(part)]


def _ended(part: list[Entry]) -> bool:
    return isinstance(part[-1], Ended)


def test_a_recording_of_before_is_put_aside(trace: Path) -> None:
    """Nothing is written over."""
    for _ in range(2):
        Recording(trace).file.close()
    assert ["city.trace", "city.trace.1"] == sorted(path.name for path in trace.parent.iterdir())


def test_what_is_too_much_is_counted_and_left_out(trace: Path) -> None:
    """A flood costs a bounded queue; the trace says how much is missing, and where."""
    recording = Recording(trace, Bounds(queued_bytes=600))
    for counter in range(2_000):
        recording.say(counter)
    missed = recording.file.missed_count
    recording.file.close()
    kept = read(trace)

    assert 0 < missed
    told = sum(one.count for one in kept if isinstance(one, Missed))
    said = sum(isinstance(one, Said) for one in kept)
    assert 2_000 == said + missed
    assert told <= missed


def test_a_disk_that_refuses_ends_the_recording_alone(trace: Path) -> None:
    """It is told of once; whoever goes on telling notices nothing."""
    recording = Recording(trace, Bounds(part_bytes=1_000, parts=2))
    _block_the_next_part(trace)
    for counter in range(50):
        recording.say(counter)
    while recording.file.failure is None:
        time.sleep(0.001)
    recording.say(1)
    recording.file.close()

    assert 1 == len(recording.failures)
    assert recording.file.failure == recording.failures[0]


def _block_the_next_part(trace: Path) -> None:
    """Leave no name for the part that is full: a folder with something in it has the next one."""
    for number in (1, 2):
        folder = trace.with_name(f"{trace.name}.{number}")
        folder.mkdir()
        (folder / "in the way").touch()


def test_a_line_test_is_recorded_while_it_runs(trace: Path) -> None:
    """The file grows while the recording goes on, so that somebody can follow it."""
    recording = Recording(trace)
    before = trace.stat().st_size
    recording.file.said(Copy(WHOSE, Way.UP, (7, 1), bytes(32), 552), LineTest(nonce=1))
    while trace.stat().st_size == before:
        pass
    recording.file.close()
