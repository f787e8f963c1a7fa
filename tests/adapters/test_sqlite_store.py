"""The store on a real file: atomic transactions, facts read inside them, keys that go away."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from issuance_server.adapters.sqlite import store as store_module
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import records as r
from issuance_server.core.audit_tree import AuditTree, leaf_hash
from issuance_server.core.effects import DropKey, KeepKey
from issuance_server.core.facts import EndedIssuance, Facts
from issuance_server.core.switch import Needs
from keys.signing import SigningKey
from protocol.checkpoint import checkpoint_statement
from protocol.codes import ReplyCode
from protocol.errors import JournalFailed, Misuse, SetUpError
from protocol.issuance import IssuanceState
from protocol.kinds import Kind, Options
from protocol.statements import signature_holds
from tests.adapters.city_file import HOLDER_ID, CityFile
from tests.core.made import (
    CARD,
    CARD_REF,
    DAY,
    ISSUANCE,
    START_REAL_MS,
    TERMINAL,
    line_closed,
)

WRAPPED = b"\xfeunmistakable wrapped key of forty bytes."
OPENED = r.LineOpened(at_ms=START_REAL_MS, terminal=TERMINAL, software="sim 1", day=DAY)
BEGUN = r.VisitBegun(
    at_ms=START_REAL_MS, visit_id=bytes(16), terminal=TERMINAL, deadline_ms=START_REAL_MS + 5
)


async def keep_key(city: CityFile, wrapped_key: bytes = WRAPPED) -> None:
    """Store a wrapped key in a transaction of its own."""
    kept = KeepKey(issuance_id=ISSUANCE, key_day="2026-11-30", wrapped_key=wrapped_key)
    async with city.store.transaction() as transaction:
        transaction.keep_key(kept)


async def drop_key(city: CityFile) -> None:
    """Delete it again."""
    async with city.store.transaction() as transaction:
        transaction.drop_key(DropKey(issuance_id=ISSUANCE))


async def test_journal_projection_and_tree_are_one_transaction(city: CityFile) -> None:
    """All of it is on the disk when the block is left."""
    async with city.store.transaction() as transaction:
        transaction.write(BEGUN)
        assert [] == city.rows("SELECT * FROM journal")

    assert [BEGUN] == city.records()
    assert [(bytes(16), START_REAL_MS + 5)] == city.rows("SELECT * FROM open_subject")
    tree = AuditTree()
    tree.append(r.encode_record(BEGUN))
    assert [(1, tree.frontier)] == city.rows("SELECT size, frontier FROM audit_frontier")


@pytest.mark.parametrize("flushed", [False, True])
async def test_exception_inside_leaves_nothing(city: CityFile, *, flushed: bool) -> None:
    """Not even what was handed to the database already; the next transaction begins afresh."""

    async def fail() -> None:
        async with city.store.transaction() as transaction:
            transaction.write(BEGUN)
            if flushed:
                await transaction.flush()
            raise Misuse("in the middle")

    with pytest.raises(Misuse, match="in the middle"):
        await fail()
    assert [] == city.records()
    async with city.store.transaction() as transaction:
        transaction.write(OPENED)

    assert [OPENED] == city.records()
    assert [] == city.rows("SELECT * FROM open_subject")
    assert [(1,)] == city.rows("SELECT size FROM audit_frontier")


async def test_cancelled_transaction_leaves_nothing(city: CityFile) -> None:
    """A task that is given up in the middle does not keep the next one from the file."""
    begun = asyncio.Event()

    async def never() -> None:
        async with city.store.transaction() as transaction:
            transaction.write(BEGUN)
            await transaction.flush()
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never())
    await begun.wait()
    task.cancel()
    await asyncio.wait({task})
    async with city.store.transaction() as transaction:
        transaction.write(OPENED)

    assert [OPENED] == city.records()


async def test_transactions_take_their_turn(city: CityFile) -> None:
    """Many at once, and a checkpoint and a signature between them: none falls into another."""
    key = SigningKey.generate()

    async def write(number: int) -> None:
        async with city.store.transaction() as transaction:
            transaction.write(line_closed(number))
            await transaction.facts(Needs(card_ref=CARD_REF), START_REAL_MS)

    async def sign() -> None:
        await city.store.sign_tree(city="272035", at_ms=START_REAL_MS, sign=key.sign)

    work = [write(number) for number in range(20)]
    await asyncio.gather(*work[:10], sign(), city.store.checkpoint(), sign(), *work[10:])

    assert 20 == len(city.records())


async def test_facts_see_earlier_writes_of_the_same_transaction(city: CityFile) -> None:
    """A serial that was just taken is not given again; an issuance that just ended has ended."""
    applied = r.IssuanceApplied(
        at_ms=START_REAL_MS,
        issuance_id=ISSUANCE,
        visit_id=bytes(16),
        terminal=TERMINAL,
        card_ref=CARD_REF,
        resident_id=HOLDER_ID,
        kind=Kind.JUMINHYO,
        options=Options(),
        copies=2,
        fee_yen=400,
        request_digest=bytes(32),
        business_day="2026-11-30",
        numbers=("number 1", "number 2"),
        last_serial=2,
        register_version=1,
        business_ms=0,
        deadline_ms=0,
    )
    withdrawn = r.IssuanceWithdrawn(
        at_ms=START_REAL_MS, issuance_id=ISSUANCE, day=DAY, code=ReplyCode.DATA_CHANGED
    )
    needs = Needs(serial_day="2026-11-30", issuance_id=ISSUANCE)
    async with city.store.transaction() as transaction:
        before = await transaction.facts(needs, START_REAL_MS)
        transaction.write(applied)
        between = await transaction.facts(needs, START_REAL_MS)
        transaction.write(withdrawn)
        after = await transaction.facts(needs, START_REAL_MS)
        other_day = await transaction.facts(Needs(serial_day="2026-12-01"), START_REAL_MS)

    assert (1, None) == (before.next_serial, before.ended)
    assert 3 == between.next_serial
    ended = EndedIssuance(
        terminal=TERMINAL, state=IssuanceState.WITHDRAWN, code=ReplyCode.DATA_CHANGED
    )
    assert (3, ended) == (after.next_serial, after.ended)
    assert 1 == other_day.next_serial


async def test_facts_of_a_holder(city: CityFile) -> None:
    """By card or by 宛名番号: household, version, birth, members, age of the register copy."""
    async with city.store.transaction() as transaction:
        by_card = await transaction.facts(Needs(card_ref=CARD_REF), START_REAL_MS + 7)
        by_id = await transaction.facts(Needs(resident_id=HOLDER_ID), START_REAL_MS + 7)
        unknown = await transaction.facts(Needs(card_ref="card-nobodys"), START_REAL_MS)
        nobody = await transaction.facts(Needs(resident_id="99999999"), START_REAL_MS)

    assert by_card.holder == by_id.holder
    assert replace(CARD, resident_id=HOLDER_ID) == by_card.card
    assert None is by_id.card
    holder = by_card.holder
    assert holder is not None
    assert ("50000028", 1, date(1984, 5, 20), 5) == (
        holder.household_id,
        holder.register_version,
        holder.birth_on,
        holder.household_members,
    )
    assert (7, False) == (holder.register_age_ms, holder.suppressed)
    assert HOLDER_ID == by_card.resident_id
    assert Facts() == unknown
    assert Facts(resident_id="99999999") == nobody


@pytest.mark.parametrize(
    ("column", "value", "suppressed"),
    [
        ("resident_id", HOLDER_ID, True),
        ("household_id", "50000028", True),
        ("resident_id", "10000025", False),
        ("household_id", "50000036", False),
    ],
)
async def test_suppression_is_of_a_person_or_a_household(
    city: CityFile, column: str, value: str, *, suppressed: bool
) -> None:
    """Another member's own suppression is not the holder's."""
    city.change(
        f"INSERT INTO suppression (suppression_id, {column}, reason, since_ms)"
        " VALUES ('s-1', ?, 'a word of a later version', 0)",
        value,
    )
    async with city.store.transaction() as transaction:
        facts = await transaction.facts(Needs(resident_id=HOLDER_ID), START_REAL_MS)

    assert facts.holder is not None
    assert suppressed is facts.holder.suppressed


async def test_watermark_ages_the_register(city: CityFile) -> None:
    """The heartbeat makes the copy fresh again."""
    await city.store.set_watermark(START_REAL_MS + 1_000)
    async with city.store.transaction() as transaction:
        facts = await transaction.facts(Needs(resident_id=HOLDER_ID), START_REAL_MS + 1_500)

    assert facts.holder is not None
    assert 500 == facts.holder.register_age_ms


async def test_revoked_terminal_is_off_the_list(city: CityFile) -> None:
    """A stopped one is on it; both are known as stopped."""
    city.change("UPDATE terminal SET revoked_at_ms = 1 WHERE terminal = ?", TERMINAL)
    city.change("UPDATE terminal SET stopped_at_ms = 1 WHERE terminal <> ?", TERMINAL)

    assert ["LW-0001"] == [one.terminal for one in await city.store.terminals(START_REAL_MS)]
    assert {"LW-0001", TERMINAL} == await city.store.stopped_terminals()


async def test_dropped_key_is_off_the_disk_after_the_checkpoint(city: CityFile) -> None:
    """Before it is there; the deletion alone leaves it in the log; the checkpoint empties that."""
    await keep_key(city)
    assert ("2026-11-30", WRAPPED) == await city.store.wrapped_key(ISSUANCE)
    assert {"2026-11-30"} == await city.store.key_days()
    assert await city.store.checkpoint()
    assert WRAPPED in city.bytes_on_disk()[""]
    await drop_key(city)
    assert await city.store.wrapped_key(ISSUANCE) is None
    assert await city.store.checkpoint()

    assert [] == [name for name, content in city.bytes_on_disk().items() if WRAPPED in content]
    assert b"" == city.bytes_on_disk()["-wal"]


async def test_key_that_never_left_the_log_goes_with_it(city: CityFile) -> None:
    """Stored and deleted between two checkpoints."""
    await keep_key(city)
    await drop_key(city)
    assert WRAPPED in city.bytes_on_disk()["-wal"]
    assert await city.store.checkpoint()

    assert [] == [name for name, content in city.bytes_on_disk().items() if WRAPPED in content]


def test_search_would_find_a_key_that_is_only_unlinked(city_path: Path) -> None:
    """Without secure_delete the bytes stay in a free page: the tests above look in earnest."""
    with closing(sqlite3.connect(city_path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("INSERT INTO issuance_key VALUES (x'01', '2026-11-30', ?)", (WRAPPED,))
        connection.execute("DELETE FROM issuance_key")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert WRAPPED in city_path.read_bytes()


async def test_reader_in_the_way_is_not_waited_for(city: CityFile) -> None:
    """The checkpoint says at once that it could not; commits go on; later it can."""
    await keep_key(city)
    with closing(sqlite3.connect(city.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM journal").fetchall()
        await drop_key(city)
        async with asyncio.timeout(2):
            assert not await city.store.checkpoint()
        async with city.store.transaction() as transaction:
            transaction.write(OPENED)
        assert WRAPPED in city.bytes_on_disk()["-wal"]
        reader.execute("COMMIT")

    assert await city.store.checkpoint()
    assert [OPENED] == city.records()


async def test_tree_is_signed_once_per_size(city: CityFile) -> None:
    """Also when two ask at once, and after a restart; and what is signed is the root."""
    key = SigningKey.generate()

    async def sign(at_ms: int) -> None:
        await city.store.sign_tree(city="272035", at_ms=at_ms, sign=key.sign)

    await sign(1)
    assert [] == city.rows("SELECT * FROM audit_checkpoint")
    async with city.store.transaction() as transaction:
        transaction.write(OPENED)
    await asyncio.gather(sign(2), sign(3))
    await city.restart()
    await sign(4)

    ((size, root, at_ms, signature, leaves),) = city.rows("SELECT * FROM audit_checkpoint")
    assert leaf_hash(r.encode_record(OPENED)) == leaves
    statement = checkpoint_statement(city="272035", size=size, root=root, at_ms=at_ms)
    assert (1, 2) == (size, at_ms)
    assert signature_holds(key.public_key, signature, statement)


async def test_checkpoint_has_the_leaves_since_the_one_before(city: CityFile) -> None:
    """Also those that were written before a restart, and not yet signed then."""
    key = SigningKey.generate()
    records = [line_closed(number) for number in range(4)]
    for number, record in enumerate(records):
        async with city.store.transaction() as transaction:
            transaction.write(record)
        if number == 0:
            await city.store.sign_tree(city="272035", at_ms=number, sign=key.sign)
        if number == 1:
            await city.restart()
    await city.store.sign_tree(city="272035", at_ms=9, sign=key.sign)

    leaves = [leaf_hash(r.encode_record(record)) for record in records]
    assert [(1, leaves[0]), (4, b"".join(leaves[1:]))] == city.rows(
        "SELECT size, leaves FROM audit_checkpoint ORDER BY size"
    )


async def test_tree_grows_on_after_a_restart(city: CityFile) -> None:
    """The frontier in the file is that of all records, whoever wrote them."""
    tree = AuditTree()
    for number in range(5):
        record = line_closed(number)
        async with city.store.transaction() as transaction:
            transaction.write(record)
        tree.append(r.encode_record(record))
        await city.restart()

    assert [(5, tree.frontier)] == city.rows("SELECT size, frontier FROM audit_frontier")


def test_missing_database_names_the_way_out(tmp_path: Path) -> None:
    """And none is made in passing."""
    with pytest.raises(SetUpError, match="issuance-server init"):
        asyncio.run(SqliteStore.open(tmp_path / "none.db"))

    assert [] == list(tmp_path.iterdir())


async def test_other_versions_database_is_refused(city_path: Path) -> None:
    """A later or an earlier one, or a file that is no database at all."""
    with closing(sqlite3.connect(city_path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99'")
    with pytest.raises(SetUpError, match="another version"):
        await SqliteStore.open(city_path)
    with pytest.raises(SetUpError, match="cannot be opened"):
        await SqliteStore.open(Path(__file__))


async def test_old_sqlite_is_refused(city_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strict tables came with 3.37."""
    monkeypatch.setattr(store_module, "REQUIRED_SQLITE_VERSION", (99, 0, 0))
    with pytest.raises(SetUpError, match="too old"):
        await SqliteStore.open(city_path)


async def test_journal_that_cannot_be_written_fails(city: CityFile) -> None:
    """A trigger that raises stands for a full disk; nothing of the transaction stays."""
    city.change(
        "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(JournalFailed, match="full"):
        async with city.store.transaction() as transaction:
            transaction.write(BEGUN)
    city.change(
        "CREATE TRIGGER fuller BEFORE INSERT ON audit_checkpoint"
        " BEGIN SELECT RAISE(ABORT, 'fuller'); END"
    )
    city.change("DROP TRIGGER full")
    async with city.store.transaction() as transaction:
        transaction.write(OPENED)
    with pytest.raises(JournalFailed, match="fuller"):
        await city.store.sign_tree(city="272035", at_ms=1, sign=SigningKey.generate().sign)

    assert [OPENED] == city.records()
    assert [] == city.rows("SELECT * FROM open_subject")
