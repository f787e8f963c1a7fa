"""The running server over a real line and a real file: whole visits, restarts, drains, failure."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName
from issuance_server.runtime.intervals import Intervals
from protocol import telegrams as t
from protocol.errors import JournalFailed, Misuse
from protocol.secret import Secret
from protocol.terminal_statements import FailureCause
from tests.adapters.city_file import HOUSEHOLDS
from tests.core.made import CARD_REF, RULES, START_REAL_MS, TERMINAL, opening
from tests.runtime.doubles import CARD_NUMBER, RIGHT_BLOCK, WRONG_BLOCK, Bench
from tests.runtime.visits import (
    ISSUANCE,
    VISIT,
    applying,
    authenticate,
    authenticating,
    deleted,
    fetch,
    printed,
    release,
    to_sealed,
)


def on_disk(bench: Bench) -> bytes:
    """Return everything in the city's folder."""
    return b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())


def journal(bench: Bench) -> list[r.AnyRecord]:
    """Return the records on the disk."""
    with closing(sqlite3.connect(bench.path)) as connection:
        rows = connection.execute("SELECT record FROM journal ORDER BY seq").fetchall()
    return [r.decode_record(row[0]) for row in rows]


def change(bench: Bench, sql: str) -> None:
    """Change the database from outside."""
    with closing(sqlite3.connect(bench.path)) as connection, connection:
        connection.execute(sql)


async def test_visit_from_card_to_confirmed_deletion(bench: Bench) -> None:
    """Menu with the members' names, quotation, pieces, key, paper, deletion; and the log of it."""
    async with bench.running():
        menu = await authenticate(bench)
        assert [m.name for m in HOUSEHOLDS[0].members] == [m.name for m in menu.members]
        assert [1, 2, 3, 4, 5] == [m.number for m in menu.members]
        sealed = await fetch(bench, await bench.ask(applying(), t.Quotation))
        released = await release(bench, sealed)
        assert released.binding == (await release(bench, sealed)).binding
        assert CARD_REF == released.binding.holder
        assert ("20261130 豊中市 7E-0001 001 000001",) == released.binding.numbers
        assert "printed" == (await bench.ask(printed(bench), t.Acknowledged)).state
        assert "completed" == (await bench.ask(deleted(bench), t.Acknowledged)).state
        await bench.ask(t.EndVisit(visit_id=VISIT), t.Acknowledged)
        counters = t.Counters(completed=1, reversed=0, fees_earned_yen=200)
        assert counters == (await bench.ask(t.Close(counters=counters), t.Closed)).counters
        assert "ENDED" == await bench.refused(t.Release(issuance_id=ISSUANCE, amount_yen=200))

    (line,) = bench.log.of("issuance.completed")
    assert (ISSUANCE.hex(), TERMINAL, "completed") == (
        line["issuance"],
        line["terminal"],
        line["state"],
    )
    events = ("line.opened", "visit.begun", "pin.right", "issuance.released", "line.closed")
    assert [1] * 5 == [len(bench.log.of(event)) for event in events]


async def test_no_secret_is_left_on_the_disk_or_in_the_log(bench: Bench) -> None:
    """No card number, no PIN block, no body and no key; the names in the register's tables only."""
    async with bench.running():
        sealed = await to_sealed(bench)
        released = await release(bench, sealed)
        content_key = released.content_key
        await bench.ask(printed(bench), t.Acknowledged)
        with closing(sqlite3.connect(bench.path)) as connection:
            (wrapped,) = connection.execute("SELECT wrapped_key FROM issuance_key").fetchone()
        assert wrapped in on_disk(bench)
        await bench.ask(deleted(bench), t.Acknowledged)
        assert wrapped not in on_disk(bench), "when the deletion is confirmed the key is off it"

    found, log = on_disk(bench), bench.log.stream.getvalue()
    body = bench.renderer.made[0].pdf
    stretches = [body[at : at + 64] for at in range(0, len(body) - 64, 1_024)]
    for secret in (
        *(CARD_NUMBER, RIGHT_BLOCK, sealed[:64], content_key.reveal()),
        *stretches,
    ):
        assert secret not in found
        assert secret not in log
        assert secret.hex().encode() not in log
    records = b"".join(map(r.encode_record, journal(bench)))
    for name in (member.name.encode() for member in HOUSEHOLDS[0].members):
        assert name in found
        assert name not in records
        assert name not in log


async def test_bodies_are_in_memory_while_they_are_fetched(bench: Bench) -> None:
    """From the rendering until the terminal holds the whole, or the issuance is withdrawn."""
    async with bench.running():
        await authenticate(bench)
        quotation = await bench.ask(applying(), t.Quotation)
        bodies = bench.runtime._performer._bodies
        assert [ISSUANCE] == list(bodies)
        beyond = t.Fetch(issuance_id=ISSUANCE, piece=quotation.pieces)
        assert "OUT_OF_ORDER" == await bench.refused(beyond)
        await fetch(bench, quotation)
        assert {} == bodies
        second = b"issuance-two----"
        await bench.ask(applying(second), t.Quotation)
        assert [second] == list(bodies)
        cancel = t.Cancel(issuance_id=second, cause=FailureCause.CANCELLED)
        await bench.ask(cancel, t.Acknowledged)
        assert {} == bodies


async def test_nothing_is_sent_when_the_journal_fails(bench: Bench) -> None:
    """The server ends with the failure; no reply, no challenge, no log event of it has left."""
    async with bench.running():
        await bench.open_line()
        await bench.ask(opening(), t.Opened)
        change(
            bench,
            "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'full'); END",
        )
        bench.tell(t.Begin(visit_id=VISIT, attempt=1))
        await asyncio.wait({bench.task})
        with pytest.raises(JournalFailed, match="full"):
            bench.task.result()

        assert bench.gateway.down.empty()
        assert [] == bench.log.of("visit.begun")
        assert ["LineOpened"] == [type(record).__name__ for record in journal(bench)]


async def test_restart_keeps_what_the_terminal_holds(bench: Bench) -> None:
    """Killed after the ciphertext was held: released, printed and completed by the next server."""
    async with bench.running():
        sealed = await to_sealed(bench)
    bench.far.fresh()
    async with bench.running():
        await bench.open_line()
        opened = await bench.ask(opening(ISSUANCE), t.Opened)
        assert ["sealed"] == [one.state for one in opened.unfinished]
        await release(bench, sealed)
    bench.far.fresh()
    async with bench.running():
        await bench.open_line()
        await release(bench, sealed)
        await bench.ask(printed(bench), t.Acknowledged)
    bench.far.fresh()
    async with bench.running():
        await bench.open_line()
        assert "completed" == (await bench.ask(deleted(bench), t.Acknowledged)).state


async def test_restart_withdraws_what_only_memory_held(bench: Bench) -> None:
    """Killed while it was fetched: the body is gone, the key is destroyed, the resident is told."""
    async with bench.running():
        await authenticate(bench)
        await bench.ask(applying(), t.Quotation)
    bench.far.fresh()
    async with bench.running():
        await bench.open_line()
        assert "SERVER_FAULT" == await bench.refused(t.Fetch(issuance_id=ISSUANCE, piece=0))
        assert set() == await bench.store.key_days()
        assert isinstance(await bench.ask(applying(b"issuance-two----"), t.Quotation), t.Quotation)


async def test_restart_finishes_a_deletion(bench: Bench) -> None:
    """Killed between the terminal's word and the destroyed key: the next server destroys it."""
    async with bench.running():
        await release(bench, await to_sealed(bench))
        await bench.ask(printed(bench), t.Acknowledged)
        bench.runtime._destroyer._some.set = lambda: None  # type: ignore[method-assign]  # dies
        bench.tell(deleted(bench))
        await bench.until(lambda: bench.runtime._destroyer._waiting)
    async with bench.running():
        await bench.until(lambda: bench.log.of("issuance.completed"))

    assert "KeyDestroyed" == type(journal(bench)[-1]).__name__


async def test_deadline_wakes_the_switch(bench: Bench) -> None:
    """The time comes while nothing else happens: the visit ends by itself."""
    async with bench.running():
        await authenticate(bench)
        bench.clock.pass_ms(5 * 60_000)
        bench.runtime._timer_changed.set()
        # The state is ahead of the disk: what counts is the record, before everything stops.
        await bench.until(lambda: "VisitEnded" == type(journal(bench)[-1]).__name__)
        assert not bench.runtime.state.visits


async def test_drain_waits_for_what_is_under_way(bench: Bench) -> None:
    """Terminals are told; a released issuance is waited for; nothing new begins."""
    async with bench.running():
        await release(bench, await to_sealed(bench))
        drained = asyncio.create_task(bench.runtime.drain(60_000))
        await bench.until(lambda: bench.runtime.state.draining)
        begin = t.Begin(visit_id=b"visit-two-------", attempt=1)
        assert "DRAINING" == await bench.refused(begin)
        assert [t.NoticeKind.DRAINING] == [notice.notice for notice in bench.far.notices]
        assert not drained.done()
        await bench.ask(printed(bench), t.Acknowledged)
        await bench.ask(deleted(bench), t.Acknowledged)
        assert await drained


async def test_drain_gives_up_when_its_time_is_over(bench: Bench) -> None:
    """What is still under way is in the journal, and the next server goes on with it."""
    async with bench.running():
        await release(bench, await to_sealed(bench))

        assert not await bench.runtime.drain(0)


async def test_stop_of_a_line_outlives_the_issuance_and_the_server(bench: Bench) -> None:
    """The table of terminals keeps it when nothing of the issuance is folded any more."""
    change(bench, "UPDATE terminal SET stopped_at_ms = 1")
    async with bench.running():
        await bench.open_line()

        assert "LINE_STOPPED" == await bench.refused(t.Begin(visit_id=VISIT, attempt=1))


async def test_judges_events_are_recorded_and_logged(bench: Bench) -> None:
    """What no verdict could tell any more; a judge out of reach keeps its events."""
    names = (
        JudgeEventName.TRY_BURNED,
        JudgeEventName.CARD_LOCKED,
        JudgeEventName.TERMINAL_FROZEN,
        JudgeEventName.CARD_UNLOCKED,
    )
    events = [
        JudgeEvent(
            number=number, name=name, at_ms=1, card_ref=CARD_REF, terminal=TERMINAL, tries_left=1
        )
        for number, name in enumerate(names, start=1)
    ]
    async with bench.running():
        bench.judge.reachable = False
        await bench.runtime._collect_judge_events()
        assert [] == journal(bench)
        bench.judge.reachable, bench.judge.events = True, events
        await bench.runtime._collect_judge_events()

        assert list(names) == [record.event for record in journal(bench)]  # type: ignore[union-attr]
    assert [CARD_REF] == [line["card_ref"] for line in bench.log.of("card.try_burned")]
    assert [CARD_REF] == [line["card_ref"] for line in bench.log.of("card.locked")]
    assert [TERMINAL] == [line["terminal"] for line in bench.log.of("terminal.frozen")]


async def test_judges_event_that_comes_again_after_a_restart_is_known(bench: Bench) -> None:
    """The server died after it was recorded and before the judge heard that it was."""
    burned = JudgeEvent(
        number=4, name=JudgeEventName.TRY_BURNED, at_ms=9, card_ref=CARD_REF, tries_left=1
    )
    locked = JudgeEvent(number=5, name=JudgeEventName.CARD_LOCKED, at_ms=9, card_ref=CARD_REF)
    async with bench.running():
        bench.judge.events = [burned]
        await bench.runtime._collect_judge_events()
    async with bench.running():
        bench.judge.events = [burned, locked]
        await bench.runtime._collect_judge_events()

    assert [4, 5] == [record.number for record in journal(bench)]  # type: ignore[union-attr]
    assert 1 == len(bench.log.of("card.try_burned"))


async def test_operators_act_is_on_the_disk_when_it_returns(bench: Bench) -> None:
    """Only then may it be carried out."""
    act = i.ActAccepted(
        operator="mado-1", act="card.unlock", subject=CARD_REF, reason="came", nonce=bytes(16)
    )
    async with bench.running():
        await bench.runtime.record_act(act)

        assert ["OperatorActed"] == [type(record).__name__ for record in journal(bench)]


async def test_day_keys_without_issuances_are_destroyed_at_the_start(bench: Bench) -> None:
    """The newest two stay, for what is rendered at midnight, and any that wraps something."""
    for day in ("2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"):
        bench.day_keys.wrap(day, Secret(bytes(32)))
    change(bench, "INSERT INTO issuance_key VALUES (x'01', '2026-11-28', x'02')")
    async with bench.running():
        assert ("2026-11-28", "2026-11-29", "2026-11-30") == bench.day_keys.days()


@pytest.mark.parametrize("heartbeat", [False, True])
async def test_register_copy_feeds_itself_only_if_told(bench: Bench, *, heartbeat: bool) -> None:
    """Without a heartbeat a copy of yesterday refuses everybody."""
    bench.heartbeat = heartbeat
    bench.clock.real_ms += 24 * 60 * 60 * 1_000
    async with bench.running():
        await bench.open_line()
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
        if heartbeat:
            await bench.ask(authenticating(), t.Menu)
        else:
            assert "REGISTER_STALE" == await bench.refused(authenticating())


async def test_periodic_work_is_done(bench: Bench) -> None:
    """The tree is signed, the list read and the heartbeat beats while the server runs."""
    bench.intervals = Intervals(judge_events_ms=1, tree_ms=1, list_ms=1, heartbeat_ms=1)
    bench.heartbeat = True
    async with bench.running():
        await bench.open_line()
        await bench.ask(opening(), t.Opened)
        bench.clock.pass_ms(1_000)
        change(bench, "UPDATE terminal SET revoked_at_ms = 1")
        await bench.until(lambda: not bench.runtime.terminal_count)
        await bench.until(lambda: START_REAL_MS + 1_000 in _watermarks(bench))
        await bench.until(lambda: _checkpoints(bench))


def _watermarks(bench: Bench) -> list[int]:
    with closing(sqlite3.connect(bench.path)) as connection:
        return [row[0] for row in connection.execute("SELECT watermark_ms FROM register_state")]


def _checkpoints(bench: Bench) -> list[int]:
    with closing(sqlite3.connect(bench.path)) as connection:
        return [row[0] for row in connection.execute("SELECT size FROM audit_checkpoint")]


async def test_bug_ends_the_server(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misuse is no failure of the journal: it goes up as what it is."""
    async with bench.running():
        monkeypatch.setattr(bench.runtime.switch, "needs", _misuse)
        await bench.open_line()
        bench.tell(t.LineTest(nonce=1))
        await asyncio.wait({bench.task})
        with pytest.raises(ExceptionGroup) as failed:
            bench.task.result()
        assert failed.group_contains(Misuse, match="a bug")


def _misuse(*_: object) -> None:
    raise Misuse("a bug")


async def test_wrong_pin_tells_the_tries_left(bench: Bench) -> None:
    """And the next attempt may be the right one."""
    async with bench.running():
        await bench.open_line()
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
        wrong = await bench.ask(authenticating(block=WRONG_BLOCK), t.Refused)
        assert ("PIN_WRONG", 2) == (wrong.code.name, wrong.tries_left)
        await bench.ask(t.Begin(visit_id=VISIT, attempt=2), t.ChallengeGiven)
        assert isinstance(await bench.ask(authenticating(2), t.Menu), t.Menu)
    (first, second) = bench.judge.asked
    assert (RULES.city, TERMINAL, CARD_NUMBER) == (first.city, first.terminal, first.card)
    assert (WRONG_BLOCK, RIGHT_BLOCK) == (first.pin_block, second.pin_block)
