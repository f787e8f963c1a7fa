"""Copies of a city that goes on, and journals replayed on them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from issuance_server.adapters.backup import copying, placing
from issuance_server.adapters.backup.replaying import Replayed, begin_anew, replay
from issuance_server.adapters.pin_judge import store_file
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.audit_tree import AuditTree
from issuance_server.core.facts import Now
from issuance_server.core.number_blocks import NUMBERS_PER_BLOCK
from protocol.errors import SetUpError
from protocol.issuance import IssuanceState
from tests.adapters.city_file import CityFile, found
from tests.adapters.day_business import Business
from tests.core.made import TERMINAL

WRAPPED = b"w" * 40
BETWEEN_CUSTOMERS_MS = 10_000
"""However many there are, so few of their visits are open at a time that no terminal is busy."""
FOLLOWING = (
    *("issuance", "certificate_number", "number_serial", "open_subject", "line_opening"),
    *("closed_day", "operator_nonce", "late_report", "terminal", "notice"),
)
"""Tables that follow from the journal."""


@pytest.fixture
async def business(tmp_path: Path) -> AsyncIterator[Business]:
    """A city that works, with a customer served."""
    city = CityFile(found(tmp_path / "city.db"))
    await city.open()
    made = Business(city)
    await made.open()
    await made.finish(await made.released())
    yield made
    await city.close()


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    """A store with the one card of the city, as far as a copy looks at it."""
    path = tmp_path / "judge.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE card (card_ref TEXT, stage TEXT)")
        connection.execute(f"PRAGMA user_version = {store_file.SCHEMA_VERSION}")
    return path


def copy(business: Business, judge: Path, out: Path, **options: Any) -> copying.Copies:
    """Copy the city into a file."""
    path = business.city.path
    with copying.copied(path, judge, tell=lambda _done, _whole: None, **options) as copies:
        copying.write_copy(copies.city, out)
        return copies


def leaves(path: Path) -> list[tuple[int, bytes]]:
    """Return the journal of a database."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT seq, record FROM journal ORDER BY seq").fetchall()


def following(path: Path) -> dict[str, list[Any]]:
    """Return the tables that follow from the journal."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in FOLLOWING
        }


def replayed(out: Path, of: Path, until_ms: int | None = None) -> Replayed:
    """Replay one database's journal on another."""
    with placing.transaction(out) as connection:
        return replay(connection, leaves(of), (), until_ms)


async def test_copy_has_no_content_key_and_the_log_is_emptied_after_it(
    business: Business, judge: Path, tmp_path: Path
) -> None:
    """An issuance is open and its wrapped key lies in the database, but in no byte of the copy."""
    await business.released()
    assert WRAPPED in b"".join(business.city.bytes_on_disk().values())
    out = tmp_path / "copy.db"
    copies = await asyncio.to_thread(copy, business, judge, out)

    assert WRAPPED not in out.read_bytes()
    assert 1 == copies.cards_apart, "the judge does not know the card"
    assert 0 <= copies.snapshot_ms <= copying.SNAPSHOT_MS_MAX
    assert await business.city.store.checkpoint(), "no reader is left in the way"


async def test_copies_are_whole_while_the_city_goes_on(
    business: Business, judge: Path, tmp_path: Path
) -> None:
    """Each is one moment of it: its journal has the root that its frontier says."""
    done = asyncio.Event()

    async def customers() -> None:
        while not done.is_set():
            await business.finish(await business.released())
            business.city.clock.pass_ms(BETWEEN_CUSTOMERS_MS)
            await business.city.give(i.Woken())

    going_on = asyncio.create_task(customers())
    outs = [tmp_path / f"copy-{number}.db" for number in range(5)]
    for out in outs:
        await asyncio.to_thread(copy, business, judge, out)
    done.set()
    await going_on

    sizes = []
    for out in outs:
        tree = AuditTree()
        tree.extend(record for _, record in leaves(out))
        with closing(sqlite3.connect(out)) as connection:
            kept = connection.execute("SELECT size, frontier FROM audit_frontier").fetchone()
        assert (tree.size, tree.frontier) == kept
        sizes.append(tree.size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1], "it went on meanwhile"


def test_copy_that_takes_too_long_lets_go(
    business: Business, judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives up rather than keep deletions waiting, and names the way out."""
    monkeypatch.setattr(copying, "_STEP_PAGES", 1)
    with pytest.raises(SetUpError, match=r"within 0 ms.*--snapshot-ms"):
        copy(business, judge, tmp_path / "copy.db", snapshot_ms_max=0)


def test_databases_of_another_form_are_not_backed_up(
    business: Business, judge: Path, tmp_path: Path
) -> None:
    """Their own program does it: this one would not know what to leave out."""
    with closing(sqlite3.connect(judge)) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(SetUpError, match="back up with that one"):
        copy(business, judge, tmp_path / "copy.db")


async def test_replayed_journal_gives_the_same_tables(
    business: Business, judge: Path, tmp_path: Path
) -> None:
    """A copy with the records that followed is the city of now, and of any time between."""
    out, earlier = tmp_path / "copy.db", tmp_path / "earlier.db"
    for path in (out, earlier):
        await asyncio.to_thread(copy, business, judge, path)
    await business.finish(await business.released(copies=2))
    business.city.clock.pass_ms(60_000)
    at_ms, then = business.city.clock.real_ms - 1, following(business.city.path)
    await business.withdrawn()
    await business.finish(await business.released(), failed=True)
    await business.close()

    assert replayed(out, business.city.path).records > 10
    replayed(earlier, business.city.path, at_ms)

    assert following(business.city.path) == following(out)
    assert leaves(business.city.path) == leaves(out)
    assert then == following(earlier)


async def test_what_the_journal_may_not_hold_is_listed(
    business: Business, judge: Path, tmp_path: Path
) -> None:
    """Nothing is made up in its place: people do it again."""
    out = tmp_path / "copy.db"
    await asyncio.to_thread(copy, business, judge, out)
    async with business.city.store.transaction() as transaction:
        transaction.write(r.NoticeSubscribed(at_ms=1, resident_id="10000017"))
        transaction.write(
            r.DomicileRequested(
                at_ms=2,
                request_id=b"q" * 16,
                terminal=TERMINAL,
                card_ref="card-9",
                request_digest=bytes(32),
            )
        )
    told = replayed(out, business.city.path).to_do_again

    assert [True, True] == ["10000017" in told[0], (b"q" * 16).hex() in told[1]]
    with closing(sqlite3.connect(out)) as connection:
        assert [] == connection.execute("SELECT * FROM domicile_request").fetchall()


async def test_another_history_is_refused(business: Business, judge: Path, tmp_path: Path) -> None:
    """A record that differs, an export that ends before the backup, and a record nobody knows."""
    out = tmp_path / "copy.db"
    await asyncio.to_thread(copy, business, judge, out)
    before = out.read_bytes()
    own = leaves(business.city.path)
    changed = [(1, own[0][1] + b"x"), *own[1:]]
    newer = [*own, (len(own) + 1, b"\x81\xa6record\xa3new")]
    for other, said in (
        (changed, "record 1 of the export"),
        (own[:2], "ends at record 2"),
        (newer, "another version of this program"),
    ):
        with pytest.raises(SetUpError, match=said), placing.transaction(out) as connection:
            replay(connection, other, (), None)

    assert before[100:] == out.read_bytes()[100:]


async def test_restored_city_withdraws_what_was_not_released_and_counts_on_in_a_new_block(
    business: Business, judge: Path, tmp_path: Path
) -> None:
    """What was released stays owed; no number that was reserved then comes again."""
    owed = await business.released()
    out = tmp_path / "copy.db"
    await asyncio.to_thread(copy, business, judge, out)
    await business.released()
    journal = leaves(business.city.path)
    last = max(at for at, leaf in enumerate(journal) if b"issuance-released" in leaf[1])
    with placing.transaction(out) as connection:
        replay(connection, journal[:last], (), None)
    clock = business.city.clock
    now = Now(real_ms=clock.real_ms, business_ms=clock.business_ms)
    with placing.transaction(out) as connection:
        restored, withdrawn = begin_anew(connection, now=now, backup_at_ms=now.real_ms)
    city = CityFile(out, clock=clock)
    await city.open()
    again = Business(city, number=100)
    await again.open()
    new = await again.released()

    assert 1 == withdrawn
    rows = dict(city.rows("SELECT issuance_id, state FROM issuance"))
    assert IssuanceState.RELEASED.value == rows[owed] == rows[new]
    ((number,),) = city.rows("SELECT number FROM certificate_number WHERE issuance_id = ?", new)
    assert restored.first_serial == int(number.split()[-1])
    assert restored.first_serial > NUMBERS_PER_BLOCK
    assert isinstance(city.records()[restored.kept], r.Restored)
    await city.close()
