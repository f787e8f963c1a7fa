"""What a terminal records: all of it, exactly, and nothing that is secret."""

import errno
import re
from pathlib import Path

import pytest

from keys.cards import load_card
from protocol.errors import SetUpError
from protocol.issuance import IssuanceState
from protocol.shells.trace_file import TraceFile
from protocol.shells.trace_reading import read_trace
from protocol.trace.entries import Ended as End
from protocol.trace.entries import Said, Stepped
from terminal_sim.__main__ import main
from terminal_sim.core.records import Mismatch
from terminal_sim.core.replay import MARKS, values_of_core
from terminal_sim.core.state import Profile
from terminal_sim.opening import Clock, Ended, Settings, Visitor, run_opening
from terminal_sim.person import Person
from terminal_sim.recording import Recording
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import BODY_CANARY, CONTENT_KEY, NAME_CANARY, PIN, Wire, document
from tests.terminal_sim.visits import only, person

S = IssuanceState
_PSEUDONYM = re.compile(rb"is\xa8[0-9a-f]{8}")


async def recorded(town: Town, wire: Wire, visitor: Person | None) -> Ended:
    """Run one opening with both traces."""
    stands = None
    if visitor is not None:
        stands = Visitor(customer=visitor, card=load_card(town.card), tray=town.tray)
    settings = Settings(
        timeout_ms=20_000,
        clock=Clock(),
        on_record=lambda _record: None,
        say=lambda _line: None,
        carrier=wire,
        traces=files(town),
    )
    return await run_opening(town.config, stands, settings)


def files(town: Town) -> tuple[Path, Path]:
    """Return where both traces go."""
    return town.folder / "line.trace", town.folder / "core.trace"


def steps(path: Path) -> list[Stepped]:
    """Read the steps of a core trace."""
    return [one for one in read_trace(path) if isinstance(one, Stepped)]


async def test_a_visit_is_recorded_and_decided_the_same_again(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ways of the line, every step; the signatures of the city hold once more."""
    wire = town.wire()
    ended = await recorded(town, wire, person(PIN))
    assert S.COMPLETED is only(ended).state
    assert () == ended.remarks

    line, core = files(town)
    said = [one.telegram["telegram"] for one in read_trace(line) if isinstance(one, Said)]
    assert ["open", "opened", "begin", "challenge", "authenticate", "menu"] == said[:6]
    assert isinstance(list(read_trace(core))[-1], End)
    assert "Started" == steps(core)[0].given[0]
    assert 0 == main(["trace", "replay", str(core)])
    assert f"{len(steps(core))} steps decided the same\n" == capsys.readouterr().out
    for path in files(town):
        content = _PSEUDONYM.sub(b"", path.read_bytes())  # eight digits can be anything
        for secret in (PIN, NAME_CANARY, BODY_CANARY, CONTENT_KEY.reveal()):
            octets = secret.encode() if isinstance(secret, str) else secret
            assert octets not in content
            assert octets.hex().encode() not in content


async def test_the_next_opening_is_played_from_the_journal(town: Town) -> None:
    """Its trace begins with the records of the first; the first one's files are put aside."""
    await recorded(town, town.wire(), person(PIN))
    await recorded(town, town.wire(), None)
    _line, core = files(town)
    assert core.with_name("core.trace.1").exists()
    assert "RecordOfBefore" == steps(core)[0].given[0]
    assert 0 == main(["trace", "replay", str(core)])


async def test_a_release_that_does_not_fit_is_found_again(town: Town) -> None:
    """Another document in the seal is a mismatch in the replay as well."""
    wire = town.wire()
    wire.city.inside = document(2) + b"\n"
    failure = only(await recorded(town, wire, person(PIN))).failure
    assert failure is not None
    assert Mismatch.FILE is failure.mismatch
    assert 0 == main(["trace", "replay", str(files(town)[1])])


async def test_a_disk_that_refuses_costs_nobody_a_certificate(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paper is out, and the remark says why the trace ends."""
    wire, whole = town.wire(), TraceFile._put
    left = [3]

    def refuse(file: TraceFile, encoded: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(file, encoded)

    monkeypatch.setattr(TraceFile, "_put", refuse)
    ended = await recorded(town, wire, person(PIN))
    assert S.COMPLETED is only(ended).state
    assert "the trace core.trace ends early: No space left on device" in ended.remarks


def test_a_file_that_cannot_be_begun_is_named(town: Town) -> None:
    """Before the line is opened, and before anybody pays."""
    profile = Profile(terminal="7-0001", city="272035", software="test", binding_keys=())
    nowhere = town.folder / "nowhere" / "line.trace"
    with pytest.raises(SetUpError, match="name another file"):
        Recording(profile, (nowhere, None), clock=Clock(), before=())
    with pytest.raises(SetUpError, match="a file each"):
        Recording(profile, (town.card, town.card), clock=Clock(), before=())


def test_every_field_is_decided_and_no_decision_is_in_vain() -> None:
    """Whoever adds a text to an input, an effect or a record has to say how it is shown."""
    decided = values_of_core(None).decided()
    names = {field.partition(".")[2] for field in decided}
    assert set() == {mark for mark in MARKS if mark not in decided and mark not in names}


def test_a_servers_trace_is_sent_to_the_other_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a file that is no trace is named."""
    path = tmp_path / "no.trace"
    path.write_bytes(b"%PDF-1.7")
    assert 1 == main(["trace", "replay", str(path)])
    assert "this is no trace" in capsys.readouterr().err
