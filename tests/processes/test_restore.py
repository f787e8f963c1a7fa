"""An old copy of a city that went on is put back: a used number, a free try and an old key fail."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiomqtt
import pytest

from issuance_server.core.number_blocks import NUMBERS_PER_BLOCK
from issuance_server.desk_commands.set_up import CITY_CODE, sample_pin
from protocol.topics import city_subscription
from tests.processes.town import Town, wait_until

pytestmark = pytest.mark.processes

FAMILY, ALONE, OTHER = "h000-m1", "h001-m1", "h005-m1"
BEFORE, AFTER, UNSEEN = "LW-0001", "LW-0002", "7E-0001"
"""Machines that open before the backup, after it, and only in the city that was put back."""
WAIT_S = 20
NUMBERS_SQL = "SELECT number FROM certificate_number ORDER BY rowid"
RECORDS_SQL = "SELECT size FROM audit_frontier"


@contextmanager
def listened(town: Town) -> Iterator[list[tuple[str, bytes]]]:
    """Record all that terminals send, as anybody at the broker can."""
    heard: list[tuple[str, bytes]] = []
    subscribed = threading.Event()
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        async with aiomqtt.Client("127.0.0.1", town.port) as client:
            await client.subscribe(city_subscription(CITY_CODE), qos=1)
            subscribed.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                heard.append((str(message.topic), message.payload))

    task = loop.create_task(listen())
    thread = threading.Thread(target=lambda: _finish(loop, task))
    thread.start()
    assert subscribed.wait(WAIT_S)
    try:
        yield heard
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def _finish(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    loop.run_until_complete(asyncio.wait({task}))
    loop.close()


def say(town: Town, said: list[tuple[str, bytes]]) -> None:
    """Send it all again."""

    async def publish() -> None:
        async with aiomqtt.Client("127.0.0.1", town.port) as client:
            for topic, payload in said:
                await client.publish(topic, payload, qos=1)

    asyncio.run(publish())


def wrong(card: str, count: int) -> tuple[str, ...]:
    """Return as many wrong PINs."""
    return tuple(f"{(int(sample_pin(card)) + step) % 10_000:04d}" for step in range(1, count + 1))


def read(town: Town, sql: str) -> list[str]:
    """Return the first column of what the city's database answers."""
    with closing(sqlite3.connect(town.folder / "data" / "city.db")) as database:
        return [str(row[0]) for row in database.execute(sql)]


@pytest.mark.slow
def test_old_copy_gives_no_number_no_try_and_no_key_again(town: Town, tmp_path: Path) -> None:
    """Backed up in the middle of an issuance, gone on, put back; the list of what must fail."""
    backup = tmp_path / "backup"
    town.start()
    with listened(town) as heard:
        terminal = town.issue(BEFORE, FAMILY)
        wait_until(lambda: bool(town.events("issuance.quoted")), "an issuance is under way")
        backed_up = town.city("backup", "--out", str(backup), "--verify")
        assert 0 == backed_up.returncode, backed_up.stderr
        assert 0 == terminal.wait(), terminal.said
        assert 0 == town.issue(AFTER, ALONE).wait()
        assert 3 == town.issue(AFTER, OTHER, pins=wrong(OTHER, 3)).wait(), "it is locked now"
        wait_until(lambda: bool(town.events("card.locked")), "the lock is in the journal")
    used = read(town, NUMBERS_SQL)
    assert 2 == len(used)
    assert town.server is not None
    assert 0 == town.server.stop()

    words = ("--from", str(backup), "--replace", str(town.folder))
    restored = town.plain("restore", *words)
    assert 0 == restored.returncode, restored.stderr
    assert "cards with one try until the counter clears them" in restored.stdout
    town.start()

    before = read(town, RECORDS_SQL)
    dropped = len(town.events("envelope.dropped"))
    say(town, heard)
    wait_until(lambda: len(town.events("envelope.dropped")) > dropped, "an old key is refused")
    assert before == read(town, RECORDS_SQL), "nothing that was said under old keys does anything"
    told = {line["reason"] for line in town.events("envelope.dropped")[dropped:]}
    assert told <= {"replayed", "keys-unknown", "handshake-unknown"}
    assert 0 == town.issue(UNSEEN, FAMILY).wait()
    printed = read(town, NUMBERS_SQL)[-1]
    assert printed not in used
    assert int(printed.split()[-1]) > NUMBERS_PER_BLOCK, "a block of its own"
    refused = town.issue(UNSEEN, OTHER, pins=(*wrong(OTHER, 1), sample_pin(OTHER)))
    assert 3 == refused.wait()
    assert "CARD_LOCKED" == refused.result["refusal"]["name"], "one wrong PIN, and no other try"
    assert 0 == town.city("audit", "verify").returncode
