"""What a running server records: all of it, exactly, and nothing that is secret."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from issuance_server.__main__ import main
from issuance_server.runtime.intervals import Intervals
from issuance_server.runtime.recording import NO_RECORDING, Recording
from issuance_server.runtime.runtime import Parts
from issuance_server.trace_files import begin_recording
from issuance_server.trace_settings import Trace
from protocol import telegrams as t
from protocol.errors import SetUpError
from protocol.shells.trace_file import Bounds, TraceFile
from protocol.trace import stream
from protocol.trace.entries import Ended, Entry, Happened, LineWord, Missed, Said, Stepped
from tests.adapters.city_file import HOUSEHOLDS
from tests.runtime.doubles import CARD_NUMBER, RIGHT_BLOCK, Bench
from tests.runtime.visits import (
    VISIT,
    applying,
    authenticate,
    deleted,
    fetch,
    printed,
    release,
    to_sealed,
)

BOUNDS = Trace().bounds()


class RecordedBench(Bench):
    """A bench whose server records, once it is told so."""

    recording: Recording = NO_RECORDING

    def _parts(self) -> Parts:
        return replace(super()._parts(), recording=self.recording)


@pytest.fixture
def bench(tmp_path: Path) -> RecordedBench:
    """A founded city whose server does not run yet."""
    return RecordedBench(tmp_path, intervals=Intervals(trace_ms=60_000))


def begin(bench: RecordedBench, folder: Path, bounds: Bounds = BOUNDS) -> Recording:
    """Begin both traces of a bench's server."""
    bench.recording = begin_recording(
        bench.rules,
        bounds,
        (folder / "lines.trace", folder / "core.trace"),
        clock=lambda: bench.clock.real_ms,
        log=bench.log,
    )
    return bench.recording


@pytest.fixture
def recorded(bench: RecordedBench, tmp_path: Path) -> Iterator[RecordedBench]:
    """A bench whose server records."""
    begun = begin(bench, tmp_path)
    yield bench
    begun.close()


def entries(path: Path) -> list[Entry]:
    """Read a trace."""
    return [placed.entry for placed in stream.read([path.read_bytes()])]


def steps(path: Path) -> list[Stepped]:
    """Read the steps of a core trace."""
    return [one for one in entries(path) if isinstance(one, Stepped)]


async def to_the_end(bench: Bench) -> bytes:
    """From the opening to the deletion; return the sealed certificate."""
    sealed = await to_sealed(bench)
    await release(bench, sealed)
    await bench.ask(printed(bench), t.Acknowledged)
    assert "completed" == (await bench.ask(deleted(bench), t.Acknowledged)).state
    await bench.ask(t.EndVisit(visit_id=VISIT), t.Acknowledged)
    return sealed


async def test_a_whole_course_is_recorded_and_decided_the_same_again(
    recorded: RecordedBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every telegram of both sides, every step; the core plays it to the end."""
    async with recorded.running():
        await to_the_end(recorded)
    recorded.recording.close()

    said = [one for one in entries(tmp_path / "lines.trace") if isinstance(one, Said)]
    kinds = [one.telegram["telegram"] for one in said]
    assert ["open", "opened", "begin", "challenge", "authenticate", "menu"] == kinds[:6]
    core = tmp_path / "core.trace"
    given = [one.given[0] for one in steps(core)]
    assert ["Beginning", "Restarted", "Asked", "Asked"] == given[:4]
    assert isinstance(entries(core)[-1], Ended)
    assert 0 == main(["trace", "replay", str(core)])
    assert f"{len(given)} steps decided the same\n" == capsys.readouterr().out


async def test_a_recording_that_begins_at_a_restart_is_played_from_the_folded_records(
    bench: RecordedBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What had not ended comes first, record by record."""
    async with bench.running():
        sealed = await to_sealed(bench)
    bench.far.fresh()
    begin(bench, tmp_path)
    async with bench.running():
        await bench.open_line()
        await release(bench, sealed)
        await bench.ask(printed(bench), t.Acknowledged)
        await bench.ask(deleted(bench), t.Acknowledged)
    bench.recording.close()

    core = tmp_path / "core.trace"
    assert "RecordOfBefore" == steps(core)[0].given[0]
    assert 0 == main(["trace", "replay", str(core)])
    assert "decided the same" in capsys.readouterr().out


async def test_another_decision_is_shown_field_by_field(
    recorded: RecordedBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recorded effect that is not the core's: which entry, which field, and what came before."""
    async with recorded.running():
        await authenticate(recorded)
    recorded.recording.close()
    whole = entries(tmp_path / "core.trace")
    place = next(
        number
        for number, one in enumerate(whole)
        if isinstance(one, Stepped) and one.given[0] == "VerdictGiven"
    )
    step = whole[place]
    assert isinstance(step, Stepped)
    name, fields = step.effects[0]
    fields["record"]["register_version"] += 1
    whole[place] = msgspec.structs.replace(step, effects=((name, fields), *step.effects[1:]))
    changed = tmp_path / "changed.trace"
    changed.write_bytes(b"".join(stream.encode(one) for one in whole))  # type: ignore[arg-type]

    assert 1 == main(["trace", "replay", str(changed)])
    told = capsys.readouterr().out
    assert f"entry {place + 1} is decided otherwise" in told
    assert "1 Write.record.register_version\n    recorded: 2\n    now:      1\n" in told
    before = told.partition(f"entry {place + 1}")[0]
    assert all(words in before for words in ("Asked begin", "ChallengeDrawn"))


async def test_nothing_secret_and_no_name_is_in_either_trace(
    recorded: RecordedBench, tmp_path: Path
) -> None:
    """No card number, PIN block, key, body, name, id of a resident or date of birth."""
    async with recorded.running():
        sealed = await to_sealed(recorded)
        released = await release(recorded, sealed)
        await recorded.ask(printed(recorded), t.Acknowledged)
        await recorded.ask(deleted(recorded), t.Acknowledged)
    recorded.recording.close()
    body = recorded.renderer.made[0].pdf
    people = [
        word
        for member in HOUSEHOLDS[0].members
        for word in (member.name, member.kana, member.resident_id)
    ]
    secrets = [
        *(CARD_NUMBER, RIGHT_BLOCK, sealed[:64], released.content_key.reveal(), body[:64]),
        *(word.encode() for word in [*people, HOUSEHOLDS[0].household_id]),
    ]
    for name in ("lines.trace", "core.trace"):
        content = (tmp_path / name).read_bytes()
        assert [] == [one for one in secrets if one in content or one.hex().encode() in content]


async def test_a_disk_that_refuses_ends_the_recording_and_nothing_else(
    recorded: RecordedBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate comes; the log says once for each file that its recording has ended."""

    def refuse(_file: TraceFile, _encoded: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with recorded.running():
        await recorded.open_line()
        monkeypatch.setattr(TraceFile, "_put", refuse)
        await to_the_end(recorded)
        await recorded.until(lambda: all(file.failure for file in recorded.recording._files))
        await recorded.recording.look()
        await recorded.recording.look()
    recorded.recording.close()

    told = [(line["file"], line["reason"]) for line in recorded.log.of("trace.failed")]
    full = "No space left on device"
    assert [("core.trace", full), ("lines.trace", full)] == sorted(told)
    assert 1 == len(recorded.log.of("issuance.completed"))


async def test_what_cannot_be_kept_is_counted(bench: RecordedBench, tmp_path: Path) -> None:
    """A queue without room: entries are left out, the log says how many, the trace says where."""
    begun = begin(bench, tmp_path, Bounds(queued_bytes=200))
    async with bench.running():
        await to_the_end(bench)
        await begun.look()
    begun.close()
    told = {line["file"]: line["count"] for line in bench.log.of("trace.missed")}
    left_out = [one.count for one in entries(tmp_path / "core.trace") if isinstance(one, Missed)]
    assert 0 < sum(left_out) <= told["core.trace"]
    assert 1 == len(bench.log.of("issuance.completed"))


async def test_a_kill_leaves_no_end(recorded: RecordedBench, tmp_path: Path) -> None:
    """What was written until then can be read."""
    async with recorded.running():
        await fetch(recorded, await _quoted(recorded))
        core = tmp_path / "core.trace"
        await recorded.until(lambda: b"ciphertext-held" in core.read_bytes())
        killed = entries(core)
    assert not isinstance(killed[-1], Ended)


async def _quoted(bench: Bench) -> t.Quotation:
    await authenticate(bench)
    return await bench.ask(applying(), t.Quotation)


async def test_the_carrier_comes_and_goes(recorded: RecordedBench, tmp_path: Path) -> None:
    """Both are logged as ever, and stand in the trace of the lines."""
    recorded.recording.carrier_event("broker.connected", host="broker", port=1)
    recorded.recording.carrier_event("broker.lost", host="broker", port=1, reason="unreachable")
    recorded.recording.close()
    found = [one for one in entries(tmp_path / "lines.trace") if isinstance(one, Happened)]
    assert [(LineWord.CONNECTED, ""), (LineWord.DISCONNECTED, "unreachable")] == [
        (one.word, one.reason) for one in found
    ]
    assert 1 == len(recorded.log.of("broker.lost"))


def test_what_cannot_be_coded_is_counted(recorded: RecordedBench) -> None:
    """A recording that fails inside raises nothing."""
    recorded.recording.begun("no beginning")  # type: ignore[arg-type]
    recorded.recording.close()
    (line,) = recorded.log.of("trace.missed")
    assert ("core.trace", 1) == (line["file"], line["count"])


def test_a_file_that_cannot_be_begun_is_named(bench: RecordedBench, tmp_path: Path) -> None:
    """Before anything starts."""
    with pytest.raises(SetUpError, match="name another file"):
        begin(bench, tmp_path / "nowhere")
    with pytest.raises(SetUpError, match="a file each"):
        begin_recording(
            bench.rules,
            BOUNDS,
            (tmp_path / "one.trace", tmp_path / "one.trace"),
            clock=lambda: 0,
            log=bench.log,
        )
