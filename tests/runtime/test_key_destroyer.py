"""The key destroyer: one checkpoint for all that have come, and an alarm if a reader blocks it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from issuance_server.core.effects import DropKey, KeepKey
from issuance_server.core.inputs import KeysDestroyed
from issuance_server.runtime import key_destroyer
from issuance_server.runtime.key_destroyer import BLOCKED_ALARM_MS, KeyDestroyer
from tests.adapters.city_file import CityFile, found
from tests.runtime.doubles import KeptLog

WRAPPED = b"\xfeunmistakable wrapped key of forty bytes."


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[CityFile]:
    """A city that is open."""
    made = CityFile(found(tmp_path / "city.db"))
    await made.open()
    yield made
    await made.close()


class Destroying:
    """A running destroyer and what it says."""

    def __init__(self, city: CityFile) -> None:
        self.said: asyncio.Queue[KeysDestroyed] = asyncio.Queue()
        self.log = KeptLog()
        self.destroyer = KeyDestroyer(
            store=city.store, clock=city.clock, submit=self.said.put, log=self.log
        )
        self.task = asyncio.create_task(self.destroyer.run())

    async def next(self) -> tuple[bytes, ...]:
        async with asyncio.timeout(5):
            return (await self.said.get()).issuance_ids


@pytest.fixture
async def destroying(city: CityFile) -> AsyncIterator[Destroying]:
    made = Destroying(city)
    yield made
    made.task.cancel()


async def drop(city: CityFile, *issuance_ids: bytes) -> None:
    """Store a key for each issuance and delete it again."""
    for issuance_id in issuance_ids:
        kept = KeepKey(issuance_id=issuance_id, key_day="2026-11-30", wrapped_key=WRAPPED)
        async with city.store.transaction() as transaction:
            transaction.keep_key(kept)
        async with city.store.transaction() as transaction:
            transaction.drop_key(DropKey(issuance_id=issuance_id))


async def test_keys_are_off_the_disk_when_it_is_said(
    city: CityFile, destroying: Destroying
) -> None:
    """All that have come are said together, and those that come later by themselves."""
    await drop(city, b"1" * 16, b"2" * 16)
    destroying.destroyer.add(b"1" * 16)
    destroying.destroyer.add(b"2" * 16)
    assert (b"1" * 16, b"2" * 16) == await destroying.next()
    assert not any(WRAPPED in content for content in city.bytes_on_disk().values())
    await drop(city, b"3" * 16)
    destroying.destroyer.add(b"3" * 16)

    assert (b"3" * 16,) == await destroying.next()


async def test_reader_that_blocks_is_an_alarm_once(
    city: CityFile, destroying: Destroying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is confirmed meanwhile; when the reader has gone the deletion is."""
    monkeypatch.setattr(key_destroyer, "RETRY_WAIT_MS", 1)
    with closing(sqlite3.connect(city.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM journal").fetchall()
        await drop(city, b"1" * 16)
        destroying.destroyer.add(b"1" * 16)
        blocked = 0
        async with asyncio.timeout(5):
            while len(destroying.log.of("key.destruction_blocked")) < 1 or blocked < 20:
                await asyncio.sleep(0.001)
                city.clock.pass_ms(BLOCKED_ALARM_MS // 10)
                blocked += 1
        assert destroying.said.empty()
        reader.execute("COMMIT")

    assert (b"1" * 16,) == await destroying.next()
    (alarm,) = destroying.log.of("key.destruction_blocked")
    assert 1 == alarm["keys"]
    assert alarm["waited_ms"] >= BLOCKED_ALARM_MS
