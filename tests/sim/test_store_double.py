"""The store of the simulation against the real one: the same inputs, the same everything."""

import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from issuance_server.adapters.sqlite.register_stage import new_stage, stage_path
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.asides import Applicant, NoticeAddress
from issuance_server.core.copy_changes import NewExtract
from issuance_server.core.effects import KeepAside
from issuance_server.core.notices import FIRST_WAIT_MS
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
from protocol.kinds import Kind
from protocol.terminal_statements import FailureCause
from tests.adapters.city_file import HOUSEHOLDS, RECORDS
from tests.core.changes import remarked, suppression
from tests.core.made import ISSUANCE, OTHER_TERMINAL, START_REAL_MS, TERMINAL
from tests.sim.store.disk import Staged
from tests.sim.store.made import KEY, applied, begun, printed, write
from tests.sim.store.pair import HOLDER_ID, Pair, opened
from tests.sim.store.walk import Walk

WALKS, GROUPS = 12, 90
KINDS_MIN = 36


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Open both cities."""
    both = await opened(tmp_path)
    yield both
    await both.close()


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
            await write(store, opened_, printed(issuance_id, at_ms, cause))
    counted = set()
    for inspected_ms in (None, at, at + 20):
        for store in stores(pair):
            if inspected_ms is not None:
                reopened = r.LineReopened(
                    at_ms=inspected_ms, terminal=TERMINAL, operators=("a", "b")
                )
                await write(store, reopened)
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


async def test_holder_who_lives_elsewhere_is_the_same_in_both(pair: Pair) -> None:
    """From the request over its approval until what was typed is forgotten."""
    at, request_id, serial = START_REAL_MS, b"request-one-----", "e15e"
    typed = Applicant(
        request_id=request_id,
        certificate_serial=serial,
        domicile="大阪府豊中市",
        register_head="見本　太郎",
        name="見本　次郎",
        birth="1990-01-01",
        phone="",
    )
    asked = r.DomicileRequested(
        at_ms=at,
        request_id=request_id,
        terminal=TERMINAL,
        card_ref="card-elsewhere",
        request_digest=bytes(32),
    )
    matched = r.DomicileMatched(
        at_ms=at, request_id=request_id, resident_id=HOLDER_ID, operator="mado-1"
    )
    approved = r.DomicileApproved(at_ms=at, request_id=request_id, day="2026-12-07")
    by_serial = Needs(certificate_serial=serial, domicile_serial=serial)
    for store in stores(pair):
        async with store.transaction() as transaction:
            transaction.write(asked)
            transaction.keep_aside(KeepAside(typed))
    waiting = await pair.facts(by_serial)
    assert waiting.card is None
    assert waiting.domicile is not None
    for store in stores(pair):
        await write(store, matched, approved)

    for kept in (True, False):
        found = await pair.facts(Needs(certificate_serial=serial))
        assert found.holder is not None
        assert found.holder.by_domicile
        assert kept == ((await pair.facts(by_serial)).domicile is not None)
        for store in stores(pair):
            assert kept == bool(await store.forget_applicants(at + 1))
    await pair.check()


async def test_notices_are_due_in_the_same_order_in_both(pair: Pair) -> None:
    """The longest waiting first, also after a try that failed, and none after it was sent."""
    at, ids = START_REAL_MS, (b"issue-1---------", b"issue-2---------")
    wanted = NoticeAddress(resident_id=HOLDER_ID, address="holder@example.org", at_ms=at)
    due: list[list[str]] = []
    for store in stores(pair):
        async with store.transaction() as transaction:
            transaction.keep_aside(KeepAside(wanted))
            for number, issuance_id in enumerate(ids):
                transaction.write(applied(issuance_id, f"K-{number}"))
                transaction.write(printed(issuance_id, at + number, FailureCause.NONE))
        first, second = await store.outbox.due(at + 1)
        await store.outbox.not_sent(first, at + 1)
        later = await store.outbox.due(at + FIRST_WAIT_MS + 1)
        assert [second.key, first.key] == [letter.key for letter in later]
        await store.outbox.sent(second.key, at + 2)
        due.append([letter.key for letter in await store.outbox.due(at + FIRST_WAIT_MS + 1)])
        assert [first.key] == due[-1]
    assert due[0] == due[1]
    await pair.check()


@pytest.mark.parametrize(
    "again", [applied(b"other-issuance--"), applied(number="K-2")], ids=["number", "id"]
)
async def test_neither_gives_a_number_or_an_id_twice(pair: Pair, again: r.IssuanceApplied) -> None:
    """The journal fails, and nothing of that transaction is there."""
    for store in stores(pair):
        async with store.transaction() as transaction:
            transaction.write(applied())
        with pytest.raises(JournalFailed):
            await write(store, begun(), again)

    await pair.check()
    assert [applied()] == pair.disk.records()


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
