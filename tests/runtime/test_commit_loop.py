"""The commit loop: groups, order, a bounded queue, and nothing that leaves without its records."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName
from issuance_server.runtime import commit_loop
from protocol import telegrams as t
from protocol.errors import JournalFailed
from tests.adapters.city_file import CityFile, found
from tests.core.made import CARD_REF, VISIT

WAIT_S = 5


@pytest.fixture
async def city(tmp_path: Path) -> Any:
    """A city that is open."""
    made = CityFile(found(tmp_path / "city.db"))
    await made.open()
    yield made
    await made.close()


def begin(number: int) -> t.Begin:
    """Return the first telegram of a visit."""
    return t.Begin(visit_id=b"visit %010d" % number, attempt=1)


async def test_neighbours_share_one_commit(city: CityFile) -> None:
    """What has come meanwhile goes into one transaction; effects leave in order after it."""
    city.place(*(f"T-{number:04d}" for number in range(300)))
    running = asyncio.create_task(city.loop.run())
    for number in range(300):
        assert city.loop.offer(city.input(begin(number), f"T-{number:04d}"))
    async with asyncio.timeout(WAIT_S):
        while city.commits < 2:  # noqa: ASYNC110  # the loop tells nobody
            await asyncio.sleep(0.001)
    running.cancel()

    assert 300 == len(city.records())
    drawn = [effect.visit_id for effect in city.left if isinstance(effect, e.DrawChallenge)]
    assert [begin(number).visit_id for number in range(300)] == drawn


async def test_full_queue_refuses_what_is_repeated_and_keeps_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal repeats; an answer of the judge comes once, and waits for room."""
    monkeypatch.setattr(commit_loop, "INPUTS_WAITING_MAX", 2)
    city = CityFile(found(tmp_path / "city.db"))
    await city.open()
    try:
        assert [True, True, False] == [city.loop.offer(city.input(begin(n))) for n in range(3)]
        waiting = asyncio.create_task(city.loop.submit(i.DrainBegun()))
        await asyncio.sleep(0)
        assert not waiting.done()
        running = asyncio.create_task(city.loop.run())
        await waiting
        running.cancel()
    finally:
        await city.close()


async def test_failed_commit_lets_nothing_leave(city: CityFile) -> None:
    """Of the whole group, whichever input it failed at; and the loop ends."""
    city.change(
        "CREATE TRIGGER full AFTER INSERT ON journal WHEN new.seq = 3"
        " BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    for number in range(5):
        city.loop.offer(city.input(begin(number)))
    with pytest.raises(JournalFailed, match="full"):
        await asyncio.wait_for(city.loop.run(), WAIT_S)

    assert [] == city.left
    assert [] == city.records()
    assert 0 == city.commits


async def test_closed_file_is_a_failed_journal(tmp_path: Path) -> None:
    """The connection is gone: nothing leaves."""
    city = CityFile(found(tmp_path / "city.db"))
    await city.open()
    await city.store._writer.close()
    with pytest.raises((JournalFailed, ValueError)):
        await city.give(city.input(begin(1)))
    await city.store._reader.close()

    assert [] == city.left


async def test_locked_file_is_a_failed_journal(city: CityFile) -> None:
    """Another writer that does not let go is not waited for without end."""
    await city.store._writer.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(city.path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalFailed, match="locked"):
            await city.give(city.input(begin(1)))
        rival.execute("ROLLBACK")

    assert [] == city.left


async def test_effects_of_the_transaction_do_not_leave(city: CityFile) -> None:
    """Records and keys stay inside; a deleted key leaves as well, to be destroyed."""
    given = await city.give(
        city.input(t.Begin(visit_id=VISIT, attempt=1)),
        i.JudgeSaid(
            events=(
                JudgeEvent(
                    number=1,
                    name=JudgeEventName.TRY_BURNED,
                    at_ms=1,
                    card_ref=CARD_REF,
                    tries_left=1,
                ),
            )
        ),
    )

    assert {e.Log, e.DrawChallenge} == {type(effect) for effect in given}
