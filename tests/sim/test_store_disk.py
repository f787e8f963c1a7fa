"""The disk in memory: what a crash, a lie and a lack of room do to what a store has written."""

import asyncio

import msgspec
import pytest

from issuance_server.core.effects import DropKey, KeepKey
from issuance_server.core.suppression import SubjectKind
from issuance_server.core.switch import Needs
from protocol.errors import JournalFailed
from tests.core.made import ISSUANCE, START_REAL_MS
from tests.sim.store.made import KEY, applied, begun, write
from tests.sim.store.memory_store import MemoryStore, Moment
from tests.sim.store.pair import HOLDER_ID, found_disk


async def test_deleted_key_is_on_the_disk_until_a_checkpoint() -> None:
    """A crash does not remove it, and a reader in the way keeps it there."""
    disk = found_disk()
    store = MemoryStore(disk)
    for change in (KEY, DropKey(issuance_id=ISSUANCE)):
        async with store.transaction() as transaction:
            if isinstance(change, KeepKey):
                transaction.keep_key(change)
            else:
                transaction.drop_key(change)
    disk.crash()
    store = MemoryStore(disk)

    assert await store.wrapped_key(ISSUANCE) is None
    assert [ISSUANCE] == list(disk.keys_left())
    disk.reader_in_the_way = lambda: True
    assert not await store.checkpoint()
    assert [ISSUANCE] == list(disk.keys_left())
    disk.reader_in_the_way = lambda: False
    assert await store.checkpoint()
    assert {} == disk.keys_left()


@pytest.mark.parametrize(("dies_at", "kept"), [("begin", 0), ("commit", 0), ("committed", 1)])
async def test_crash_leaves_all_of_a_commit_or_nothing(dies_at: Moment, kept: int) -> None:
    """Before the commit nothing of it is there, after it everything; the dead write no more."""
    disk = found_disk()
    reached = asyncio.Event()

    async def pause(moment: Moment) -> None:
        if moment == dies_at:
            reached.set()
            await asyncio.Event().wait()

    async def write_both(store: MemoryStore) -> None:
        async with store.transaction() as transaction:
            transaction.write(begun())
            transaction.keep_key(KEY)

    dead = MemoryStore(disk, pause)
    task = asyncio.create_task(write_both(dead))
    await reached.wait()
    disk.crash()
    task.cancel()
    await asyncio.wait({task})
    dead.pause = None
    with pytest.raises(JournalFailed):
        await write_both(dead)

    store = MemoryStore(disk)
    assert kept == len(disk.records())
    assert kept == len(await store.records_of_open_subjects(0))
    assert kept == len(disk.keys_left())
    async with store.transaction() as transaction:
        transaction.write(begun(b"another-visit---"))
    assert kept + 1 == len(disk.records())


async def test_lazy_disk_loses_what_it_acknowledged() -> None:
    """As if it had never been: the tree, the numbers and the folded records, too."""
    disk = found_disk()
    store = MemoryStore(disk)
    async with store.transaction() as transaction:
        transaction.write(begun())
    before = msgspec.json.encode([record.at_ms for record in disk.records()]), disk.frontier
    disk.lazy = True
    async with store.transaction() as transaction:
        transaction.write(applied())
        transaction.keep_key(KEY)
    await store.sign_tree(city="272035", at_ms=1, sign=lambda _: bytes(64))
    assert 2 == len(disk.records())

    assert 2 == disk.crash()

    assert before == (
        msgspec.json.encode([record.at_ms for record in disk.records()]),
        disk.frontier,
    )
    store = MemoryStore(disk)
    assert [begun()] == await store.records_of_open_subjects(0)
    assert {} == disk.keys_left()
    assert [] == disk.signed
    async with store.transaction() as transaction:
        transaction.write(applied())
    assert [begun(), applied()] == disk.records()


async def test_full_disk_and_failing_commit_leave_nothing() -> None:
    """The journal fails, and once there is room it goes on as if nothing had been tried."""
    disk = found_disk()
    store = MemoryStore(disk)
    disk.full = True
    with pytest.raises(JournalFailed):
        await write(store, applied())
    with pytest.raises(JournalFailed):
        await store.set_watermark(1)
    disk.full = False
    async with store.transaction() as transaction:
        transaction.write(applied())
    assert [applied()] == disk.records()


async def test_staff_writes_between_two_transactions() -> None:
    """Who edits while a transaction is open waits for its end."""
    disk = found_disk()
    store = MemoryStore(disk)
    async with store.transaction() as transaction:
        edit = asyncio.create_task(
            disk.edit(lambda tables: tables.register_edit.put((SubjectKind.PERSON, HOLDER_ID), 1))
        )
        await asyncio.sleep(0)
        facts = await transaction.facts(Needs(resident_id=HOLDER_ID), START_REAL_MS)
        assert facts.holder is not None
        assert not facts.holder.under_edit
    await edit
    async with store.transaction() as transaction:
        facts = await transaction.facts(Needs(resident_id=HOLDER_ID), START_REAL_MS)
        assert facts.holder is not None
        assert facts.holder.under_edit
