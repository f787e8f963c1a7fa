"""The store of the simulation against the real one: the same inputs, the same everything."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from issuance_server.adapters.sqlite.register_stage import new_stage, stage_path
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.copy_changes import NewExtract
from issuance_server.core.effects import DropKey, KeepKey
from issuance_server.core.register_extract import (
    Content,
    Counts,
    EditLine,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from issuance_server.core.suppression import SubjectKind
from issuance_server.core.switch import Needs
from issuance_server.ports import Store
from protocol.errors import JournalFailed
from protocol.kinds import Kind, Options
from protocol.terminal_statements import FailureCause, PrintOutcome
from tests.adapters.city_file import HOUSEHOLDS, RECORDS
from tests.core.changes import remarked, suppression
from tests.core.made import CARD_REF, ISSUANCE, OTHER_TERMINAL, START_REAL_MS, TERMINAL, VISIT
from tests.sim.store.disk import Staged
from tests.sim.store.memory_store import MemoryStore, Moment
from tests.sim.store.pair import HOLDER_ID, Pair, found_disk, opened
from tests.sim.store.walk import Walk

WALKS, GROUPS = 12, 90
KINDS_MIN = 36
KEY = KeepKey(issuance_id=ISSUANCE, key_day="2026-11-30", wrapped_key=b"w" * 40)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Open both cities."""
    both = await opened(tmp_path)
    yield both
    await both.close()


def begun(visit_id: bytes = VISIT, at_ms: int = START_REAL_MS) -> r.VisitBegun:
    """Return the record of a visit."""
    return r.VisitBegun(
        at_ms=at_ms, visit_id=visit_id, terminal=TERMINAL, deadline_ms=at_ms + 60_000
    )


def applied(
    issuance_id: bytes = ISSUANCE, number: str = "K-1", terminal: str = TERMINAL
) -> r.IssuanceApplied:
    """Return the record of an application with one number."""
    return r.IssuanceApplied(
        at_ms=START_REAL_MS,
        issuance_id=issuance_id,
        visit_id=VISIT,
        terminal=terminal,
        card_ref=CARD_REF,
        resident_id=HOLDER_ID,
        kind=Kind.JUMINHYO,
        options=Options(),
        copies=1,
        fee_yen=200,
        request_digest=bytes(32),
        business_day="2026-11-30",
        numbers=(number,),
        last_serial=7,
        register_version=1,
        business_ms=START_REAL_MS,
        deadline_ms=START_REAL_MS,
    )


def stores(pair: Pair) -> tuple[Store, Store]:
    """Return both stores."""
    return pair.real.store, pair.memory.store


async def test_both_stores_read_and_write_the_same(tmp_path: Path) -> None:
    """Facts, effects, journal, tables and what is folded agree all along seeded walks."""
    written: set[str] = set()
    for seed in range(WALKS):
        (folder := tmp_path / str(seed)).mkdir()
        pair = await opened(folder)
        walk = Walk(pair, random.Random(seed))
        try:
            for _ in range(3):
                await walk.go(GROUPS // 3)
                await walk.look()
            await pair.check()
        finally:
            await pair.close()
        written |= {type(record).__name__ for record in pair.disk.records()}
    assert len(written) >= KINDS_MIN, "the walks come to most kinds of records"


async def test_extract_takes_the_place_of_the_copy_in_both(pair: Pair) -> None:
    """What is the same keeps its version; the register's suppressions and edits are new."""
    first, second, _ = HOUSEHOLDS
    lines: tuple[Content, ...] = (
        HouseholdLine(household=first),
        SuppressionLine(suppression=suppression("r-1", first.members[1].resident_id)),
        HouseholdLine(household=remarked(second)),
        RecordLine(record=RECORDS[HOLDER_ID, Kind.INKAN]),
        EditLine(subject_kind=SubjectKind.PERSON, subject_id=second.head_id),
    )
    path = stage_path(pair.path, "one")
    with new_stage(path) as stage:
        assert [None] * len(lines) == [stage.add(line, START_REAL_MS) for line in lines]
    pair.disk.staged[str(path)] = Staged(lines, START_REAL_MS)
    change = NewExtract(
        staged=str(path),
        file_digest=bytes(32),
        counts=Counts(households=2, records=1, suppressions=1, edits=1),
        sequence=9,
        as_of_ms=START_REAL_MS,
    )
    act = i.ActAccepted(
        operator="mado-1",
        act="register.import",
        subject="all",
        reason="night",
        nonce=bytes(16),
        change=change,
    )

    await pair.give(act, attached=str(path))

    await pair.check()
    for household in HOUSEHOLDS:
        for member in household.members:
            await pair.facts(Needs(resident_id=member.resident_id))
    with pytest.raises(JournalFailed):
        await pair.give(i.Woken(), attached="nowhere/city.db.extract-two")


async def test_restore_opens_a_block_of_numbers_in_both(pair: Pair) -> None:
    """Serials go on above it on every day."""
    record = r.Restored(
        at_ms=START_REAL_MS, kept=0, root=bytes(32), backup_at_ms=0, first_serial=5_000
    )
    for store in stores(pair):
        async with store.transaction() as transaction:
            transaction.write(applied())
            transaction.write(record)

    for day in ("2026-11-30", "2026-12-01"):
        assert 5_000 == (await pair.facts(Needs(serial_day=day))).next_serial


async def test_both_count_failed_prints_from_the_last_inspection_and_of_a_day(pair: Pair) -> None:
    """At every time on either side of a bound."""
    at = START_REAL_MS
    reports = (
        (at, b"issue-1---------", FailureCause.PRINTER, TERMINAL),
        (at + 10, b"issue-2---------", FailureCause.NO_RELEASE_ANSWER, TERMINAL),
        (at + 20, b"issue-3---------", FailureCause.PRINTER, TERMINAL),
        (at + 20, b"issue-4---------", FailureCause.BINDING_MISMATCH, OTHER_TERMINAL),
        (at + 30, b"issue-5---------", FailureCause.NONE, TERMINAL),
    )
    for at_ms, issuance_id, cause, terminal in reports:
        for store in stores(pair):
            opened_ = msgspec.structs.replace(
                applied(issuance_id, repr(issuance_id)), terminal=terminal
            )
            await _write(store, opened_, printed(issuance_id, at_ms, cause))
    counted = set()
    for inspected_ms in (None, at, at + 20):
        for store in stores(pair):
            if inspected_ms is not None:
                reopened = r.LineReopened(
                    at_ms=inspected_ms, terminal=TERMINAL, operators=("a", "b")
                )
                await _write(store, reopened)
        for since_ms in (at, at + 9, at + 20, at + 31):
            for window_ms in (24 * 60 * 60 * 1_000, 10 * 60 * 1_000):
                pair.clock.real_ms = since_ms + window_ms
                facts = await pair.facts(Needs(prints_of=TERMINAL))
                assert facts.prints is not None
                counted.add(
                    (facts.prints.failed_in_day, facts.prints.failed, facts.prints.reported)
                )
    assert {2, 1, 0} == {one[0] for one in counted}
    assert {(2, 4), (1, 3), (0, 1)} == {one[1:] for one in counted}


def printed(issuance_id: bytes, at_ms: int, cause: FailureCause) -> r.PrintReported:
    """Return the record of a report."""
    outcome = PrintOutcome.PRINTED if cause is FailureCause.NONE else PrintOutcome.FAILED
    return r.PrintReported(
        at_ms=at_ms,
        issuance_id=issuance_id,
        outcome=outcome,
        sheets_out=1,
        sheets_unknown=False,
        cause=cause,
        reported_at_ms=at_ms,
        signature=bytes(64),
        deadline_ms=at_ms,
    )


@pytest.mark.parametrize(
    "again", [applied(b"other-issuance--"), applied(number="K-2")], ids=["number", "id"]
)
async def test_neither_gives_a_number_or_an_id_twice(pair: Pair, again: r.IssuanceApplied) -> None:
    """The journal fails, and nothing of that transaction is there."""
    for store in stores(pair):
        async with store.transaction() as transaction:
            transaction.write(applied())
        with pytest.raises(JournalFailed):
            await _write(store, begun(), again)

    await pair.check()
    assert [applied()] == pair.disk.records()


async def _write(store: Store, *records: r.AnyRecord) -> None:
    async with store.transaction() as transaction:
        for record in records:
            transaction.write(record)


async def test_facts_are_of_what_was_written_before_and_others_see_the_last_commit(
    pair: Pair,
) -> None:
    """Inside the transaction it is there, beside it not before its end, after an error never."""
    for store in stores(pair):
        with pytest.raises(ZeroDivisionError):
            await _write_and_fail(store)
        assert await store.wrapped_key(ISSUANCE) is None
        assert [] == await store.records_of_open_subjects(0)
    assert 1 == (await pair.facts(Needs(serial_day="2026-11-30"))).next_serial


async def _write_and_fail(store: Store) -> None:
    async with store.transaction() as transaction:
        transaction.write(applied())
        transaction.keep_key(KEY)
        facts = await transaction.facts(Needs(serial_day="2026-11-30"), START_REAL_MS)
        assert 8 == facts.next_serial
        assert await store.wrapped_key(ISSUANCE) is None
        raise ZeroDivisionError


async def test_signed_tree_is_the_same_and_signed_once(pair: Pair) -> None:
    """Also by a process that starts after the records were written."""
    said: list[bytes] = []

    def sign(statement: bytes) -> bytes:
        said.append(statement)
        return hashlib.sha512(statement).digest()

    for store in stores(pair):
        async with store.transaction() as transaction:
            for number in range(300):
                transaction.write(begun(b"visit-%010d" % number))
    await pair.close()
    await pair.open()
    for store in stores(pair):
        for _ in range(2):
            await store.sign_tree(city="272035", at_ms=1, sign=sign)

    assert 2 == len(said)
    assert said[0] == said[1]
    for witnessed in (0, 1, 255, 257, 300):
        shown = [await store.shown_checkpoint(witnessed) for store in stores(pair)]
        assert shown[0] == shown[1]


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

    async def write(store: MemoryStore) -> None:
        async with store.transaction() as transaction:
            transaction.write(begun())
            transaction.keep_key(KEY)

    dead = MemoryStore(disk, pause)
    task = asyncio.create_task(write(dead))
    await reached.wait()
    disk.crash()
    task.cancel()
    await asyncio.wait({task})
    dead.pause = None
    with pytest.raises(JournalFailed):
        await write(dead)

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
        await _write(store, applied())
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
