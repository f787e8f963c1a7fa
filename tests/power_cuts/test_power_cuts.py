"""The store under power cuts: nothing acknowledged is lost, nothing is half, no dropped key stays.

The long form is ``python -m tests.power_cuts``; ``docs/proofs/power-cuts.md`` has its figures.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from issuance_server.adapters.sqlite import store as store_module
from issuance_server.adapters.sqlite.schema import WRITER_PRAGMAS
from issuance_server.adapters.sqlite.transaction import Transaction
from tests.power_cuts.city import WatchedStore
from tests.power_cuts.cuts import Fault, Plan, Tally, found_small_city, run
from tests.power_cuts.recorder import LibraryOutOfReach, sqlite_library

try:
    sqlite_library()
except LibraryOutOfReach as unreachable:  # a Python that has SQLite linked in
    pytest.skip(str(unreachable), allow_module_level=True)

SHORT_SHARE = 0.35


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city that was just founded."""
    return found_small_city(tmp_path_factory.mktemp("founded"))


def test_power_cuts_lose_nothing(founded: Path, pytestconfig: pytest.Config) -> None:
    """At any write or sync of two starts of the server; each time the database is whole."""
    full = bool(pytestconfig.getoption("--full"))
    tally = Tally()
    for seed in range(20 if full else 1):
        share = 1.0 if full else SHORT_SHARE
        run(Plan(seed=seed, lives=2, customers=3, share=share), founded, tally)

    assert "" == tally.first
    assert tally.cuts > 200
    assert tally.unsynced > tally.cuts // 2


def with_pragma(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Open the writer with another setting."""
    pragmas = tuple(pragma.replace(old, new) for pragma in WRITER_PRAGMAS)
    assert pragmas != WRITER_PRAGMAS
    monkeypatch.setattr(store_module, "WRITER_PRAGMAS", pragmas)


class EarlyStore(WatchedStore):
    """Tells of a transaction before it is committed."""

    @asynccontextmanager
    async def transaction(self, attached: str | None = None) -> AsyncIterator[Transaction]:
        async with store_module.SqliteStore.transaction(self, attached) as transaction:
            yield transaction
            self.promised()
        self.acknowledged()


class HalvedStore(WatchedStore):
    """Commits what was written of a transaction, and what belongs to it in the next one."""

    @asynccontextmanager
    async def transaction(self, attached: str | None = None) -> AsyncIterator[Transaction]:
        async with super().transaction(attached) as transaction:
            yield transaction
            await transaction.flush()
            await self._writer.execute("COMMIT")
            await self._writer.execute("BEGIN IMMEDIATE")


class LazyStore(WatchedStore):
    """Says that the log is empty, and empties nothing."""

    async def checkpoint(self) -> bool:
        return True


class PassiveStore(WatchedStore):
    """Brings the log into the database, and leaves it lying there."""

    async def checkpoint(self) -> bool:
        await self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return True


def faults(founded: Path, plan: Plan) -> set[Fault]:
    """Return what is found, in as many seeds as it takes up to three."""
    tally = Tally()
    for seed in range(plan.seed, plan.seed + 3):
        run(Plan(seed=seed, customers=2, share=0.3, store_class=plan.store_class), founded, tally)
        if tally.faults:
            break
    return set(tally.faults)


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_less_than_full_synchronous_is_seen(
    founded: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str
) -> None:
    """Acknowledged commits are lost with either."""
    with_pragma(monkeypatch, "synchronous = FULL", f"synchronous = {synchronous}")

    assert Fault.LOST in faults(founded, Plan(seed=1))


def test_deletion_that_does_not_overwrite_is_seen(
    founded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of a deleted row stays in the page."""
    with_pragma(monkeypatch, "secure_delete = ON", "secure_delete = OFF")

    assert {Fault.KEY_LEFT} == faults(founded, Plan(seed=1))


@pytest.mark.parametrize(
    ("store_class", "fault"),
    [
        (EarlyStore, Fault.LOST),
        (HalvedStore, Fault.HALF),
        (LazyStore, Fault.KEY_LEFT),
        (PassiveStore, Fault.KEY_LEFT),
    ],
)
def test_faults_of_the_store_are_seen(
    founded: Path, store_class: type[WatchedStore], fault: Fault
) -> None:
    """Telling before the commit, two commits for one, and a log that is not emptied."""
    assert {fault} == faults(founded, Plan(seed=1, store_class=store_class))
