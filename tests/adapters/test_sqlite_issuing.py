"""What the database says of issuing as a whole."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from issuance_server.adapters.sqlite.issuing_projections import issuing_stop, mismatches_elsewhere
from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import records as r
from issuance_server.core.issuing_desk import MISMATCH_WINDOW_MS
from issuance_server.runtime.folding import folded_state
from tests.adapters.city_file import found

NOW_MS = 1_800_000_000_000
STOP = r.IssuingStopped(
    at_ms=NOW_MS,
    reason=r.StopReason.MISMATCH_REPORTS,
    fault="binding-mismatch",
    terminals=("7E-0001", "LW-0001"),
    issuance_id=b"i" * 16,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(found(tmp_path / "city.db"))
    yield opened
    await opened.close()


async def write(store: SqliteStore, record: r.AnyRecord) -> None:
    """Journal a record."""
    async with store.transaction() as transaction:
        transaction.write(record)


async def test_a_stop_outlives_every_restart_until_it_is_reopened(
    store: SqliteStore, tmp_path: Path
) -> None:
    """It is told as it was found, and no process begins without it."""
    assert not (await folded_state(store, NOW_MS)).issuing_stopped
    await write(store, STOP)
    assert (await folded_state(store, NOW_MS)).issuing_stopped
    assert STOP == await issuing_stop(Reader(tmp_path / "city.db").all)

    await write(store, r.IssuingReopened(at_ms=NOW_MS, operators=("mado-1", "mado-2")))
    assert not (await folded_state(store, NOW_MS)).issuing_stopped


async def test_evidence_is_a_matter_of_the_process_that_keeps_it(store: SqliteStore) -> None:
    """The next process finds out for itself what it can keep."""
    await write(store, r.EvidenceLost(at_ms=NOW_MS, evidence=r.Evidence.LOG, lost_ms=31_000))

    assert frozenset() == (await folded_state(store, NOW_MS)).evidence_lost


async def test_the_latest_manifest_is_in_force(store: SqliteStore) -> None:
    """None was declared in a city of before; a later one takes the place of the first."""
    assert await store.declared_manifest() is None
    for build in ("one", "two"):
        await write(store, r.ManifestDeclared(at_ms=NOW_MS, items={"build": build}))

    assert {"build": "two"} == await store.declared_manifest()


@pytest.mark.parametrize(
    ("terminal", "age_ms", "cause", "counts"),
    [
        ("LW-0001", 0, "binding-mismatch", True),
        ("LW-0001", MISMATCH_WINDOW_MS - 1, "binding-mismatch", True),
        ("LW-0001", MISMATCH_WINDOW_MS, "binding-mismatch", False),
        ("LW-0001", 0, "printer", False),
        ("7E-0001", 0, "binding-mismatch", False),  # the one that reports now
    ],
)
async def test_mismatches_of_others_within_ten_minutes_count(
    tmp_path: Path, terminal: str, age_ms: int, cause: str, *, counts: bool
) -> None:
    """Neither an older one, nor another fault, nor the same terminal again."""
    path = found(tmp_path / "city.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM terminal_certificate")
        connection.execute("DELETE FROM terminal")
        for name, line in (("7E-0001", b"1"), ("LW-0001", b"2")):
            connection.execute(
                "INSERT INTO terminal VALUES (?, ?, 'c', 's', 1, 'store', 1, NULL, NULL, NULL)",
                (name, line),
            )
        connection.execute(
            "INSERT INTO issuance (issuance_id, visit_id, terminal, card_ref, kind, copies,"
            " fee_yen, fee_state, state, business_day, applied_at_ms, reported_at_ms,"
            " failure_cause) VALUES (x'01', x'02', ?, 'c', 'juminhyo', 1, 200, 'returned',"
            " 'print-failed', '2026-11-30', 1, ?, ?)",
            (terminal, NOW_MS - age_ms, cause),
        )
    elsewhere = await mismatches_elsewhere(Reader(path).all, "7E-0001", NOW_MS)

    assert (("LW-0001",) if counts else ()) == elsewhere
