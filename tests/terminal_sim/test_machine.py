"""The whole machine when things break: crashes, signals, lost keys, lost messages, lost time."""

import asyncio
import os
import signal

import pikepdf
import pytest

from protocol import exchange
from protocol.codes import ReplyCode
from protocol.errors import JournalFailed, SetUpError
from protocol.issuance import IssuanceState
from protocol.telegrams import NoticeKind, Refused
from terminal_sim import link as link_module
from terminal_sim import machine as machine_module
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.requests import Step
from terminal_sim.journal import Journal, locked_storage
from terminal_sim.result import Exit, exit_of
from tests.terminal_sim.city import FEE_YEN
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import (
    PIN,
)
from tests.terminal_sim.visits import Killed, hoppers, only, person, run

S = IssuanceState


RECORDS = (
    r.VisitOpened,
    r.Applied,
    r.Quoted,
    r.CiphertextHeld,
    r.ReleaseAsked,
    r.ReleaseGranted,
    r.SheetStarted,
    r.SheetLaid,
    r.Printed,
    r.ReportTaken,
    r.SpoolErased,
)


@pytest.mark.parametrize("last", RECORDS, ids=lambda kind: kind.__name__)
async def test_a_machine_that_dies_at_a_record_is_settled_at_the_next_opening(
    town: Town, last: type[AnyRecord]
) -> None:
    """Real files, the same city: money one way, spool empty, every word said."""
    wire = town.wire()

    def die(record: AnyRecord) -> None:
        if isinstance(record, last):
            raise Killed

    with pytest.raises(Killed):
        await run(town, wire, person(PIN), on_record=die)
    ended = await run(town, wire, None)

    assert [] == ended.state.unfinished()
    assert ended.counters_agree
    assert [] == list(town.config.storage.glob("spool/*"))
    inside_earned_returned = hoppers(town)
    states = list(wire.city.city.states.values())
    earned = [FEE_YEN] if states == [S.COMPLETED] else []
    assert earned == [earned for _, earned, _ in inside_earned_returned if earned]
    assert all(inside == 0 for inside, _, _ in inside_earned_returned)


async def test_a_journal_that_cannot_be_written_lets_nothing_leave(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release is not asked if it cannot be noted that it was."""
    append = Journal.append

    def refuse(journal: Journal, records: list[AnyRecord]) -> None:
        if any(isinstance(record, r.ReleaseAsked) for record in records):
            raise JournalFailed("the terminal's journal cannot be written")
        append(journal, records)

    monkeypatch.setattr(Journal, "append", refuse)
    wire = town.wire()
    with pytest.raises(JournalFailed):
        await run(town, wire, person(PIN))

    assert Step.RELEASE not in wire.city.city.asked
    assert [S.SEALED] == list(wire.city.city.states.values())


@pytest.mark.parametrize("at", [r.VisitOpened, r.Quoted, r.ReleaseAsked, r.Printed])
async def test_a_city_that_lost_its_keys_gets_new_ones(
    town: Town, at: type[AnyRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restarted server says that it knows no keys; the visit goes on under fresh ones."""
    monkeypatch.setattr(link_module, "HANDSHAKE_INTERVAL_MS", 20)
    wire = town.wire()

    def forget(record: AnyRecord) -> None:
        if isinstance(record, at):
            wire.city.line.forget_keys()

    ended = await run(town, wire, person(PIN), on_record=forget)

    assert S.COMPLETED is only(ended).state
    assert 2 == wire.city.city.asked.count(Step.OPEN)
    assert ended.counts["keys-unknown"] >= 1


async def test_a_lost_message_is_repeated(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request comes again after its interval, and is the same request."""
    monkeypatch.setattr(exchange, "REQUEST_REPEAT_MS", 20)
    wire = town.wire()

    def lose(record: AnyRecord) -> None:
        if isinstance(record, r.ReleaseAsked):
            wire.city.lost = 1

    ended = await run(town, wire, person(PIN), on_record=lose)

    assert S.COMPLETED is only(ended).state


async def test_a_stop_notice_ends_the_visit(town: Town) -> None:
    """What was not released is withdrawn, and the person gets the card back."""
    wire, visitor = town.wire(), person(PIN)

    def stop(record: AnyRecord) -> None:
        if isinstance(record, r.Applied):
            wire.deliver(wire.city.say(NoticeKind.STOPPED))

    wire.city.city.deaf = {Step.APPLY}
    ended = await run(town, wire, visitor, on_record=stop)

    assert S.WITHDRAWN is only(ended).state


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_before_the_release_cancels(town: Town, number: int) -> None:
    """Ctrl-C withdraws, tells the city and closes the line."""
    wire = town.wire()
    wire.city.city.deaf = {Step.APPLY}

    def interrupt(record: AnyRecord) -> None:
        if isinstance(record, r.Applied):
            os.kill(os.getpid(), number)

    ended = await run(town, wire, person(PIN), on_record=interrupt)

    assert ended.machine.stopped_early
    assert S.WITHDRAWN is only(ended).state
    assert ended.machine.closed is not None


async def test_a_signal_after_the_release_leaves_the_rest_to_the_next_opening(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outcome unknown, exit 4; the next opening settles it."""
    monkeypatch.setattr(machine_module, "GRACE_MS_MAX", 50)
    wire = town.wire()
    wire.city.city.deaf = {Step.REPORT}

    def interrupt(record: AnyRecord) -> None:
        if isinstance(record, r.Printed):
            os.kill(os.getpid(), signal.SIGTERM)

    ended = await run(town, wire, person(PIN), on_record=interrupt)
    assert Exit.UNKNOWN is exit_of(only(ended), None)

    wire.city.city.deaf = set()
    settled = await run(town, wire, None)
    assert S.COMPLETED is only(settled).state


async def test_time_over_stops_like_a_signal(town: Town) -> None:
    """The visit is cancelled when the given time is over."""
    wire = town.wire()
    wire.city.city.deaf = {Step.APPLY}
    ended = await run(town, wire, person(PIN), timeout_ms=1_500)

    assert S.WITHDRAWN is only(ended).state


async def test_a_second_signal_ends_at_once(town: Town) -> None:
    """Whoever presses Ctrl-C twice does not wait for the city."""
    wire = town.wire()
    wire.city.city.deaf = set(Step) - {Step.OPEN}

    def interrupt(record: AnyRecord) -> None:
        if isinstance(record, r.VisitOpened):
            loop = asyncio.get_running_loop()
            loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
            loop.call_later(0.02, os.kill, os.getpid(), signal.SIGINT)

    ended = await run(town, wire, person(PIN), on_record=interrupt)
    assert ended.machine.closed is None


async def test_a_city_that_says_nothing_is_a_matter_of_set_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broker and city are told apart."""
    monkeypatch.setattr(machine_module, "OPEN_MS_MAX", 50)
    silent, unreachable = town.wire(), town.wire()
    silent.city.lost = 1_000
    unreachable.connected.clear()

    with pytest.raises(SetUpError, match="does not answer on this line"):
        await run(town, silent, person(PIN))
    with pytest.raises(SetUpError, match="broker cannot be reached"):
        await run(town, unreachable, person(PIN))


async def test_a_refused_opening_ends_refused(town: Town) -> None:
    """The reply code is kept for the screen."""
    wire = town.wire()
    wire.city.city.refusals[Step.OPEN] = [Refused(code=ReplyCode.VERSION_UNKNOWN)]
    ended = await run(town, wire, person(PIN))

    assert ReplyCode.VERSION_UNKNOWN is ended.machine.refused


async def test_a_broker_that_breaks_loses_no_more_than_a_message(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be published is repeated when the connection is back."""
    monkeypatch.setattr(exchange, "REQUEST_REPEAT_MS", 20)
    wire = town.wire()

    def interrupt(record: AnyRecord) -> None:
        if isinstance(record, r.CiphertextHeld):
            wire.broken = True
            asyncio.get_running_loop().call_later(0.03, setattr, wire, "broken", False)

    ended = await run(town, wire, person(PIN), on_record=interrupt)
    assert S.COMPLETED is only(ended).state


async def test_a_terminal_is_one_process(town: Town) -> None:
    """The second one is told to wait, and touches nothing."""
    with locked_storage(town.config.storage), pytest.raises(SetUpError, match="another process"):
        await run(town, town.wire(), person(PIN))

    assert not (town.config.storage / "journal.sqlite").exists()


async def test_half_a_paper_shows_the_sheets_that_are_out(town: Town) -> None:
    """A machine that dies after the first of two sheets leaves one page in the tray."""

    def die(record: AnyRecord) -> None:
        if isinstance(record, r.SheetLaid):
            raise Killed

    with pytest.raises(Killed):
        await run(town, town.wire(), person(PIN), on_record=die)

    (paper,) = town.tray.iterdir()
    with pikepdf.open(paper) as pdf:
        assert 1 == len(pdf.pages)
