"""Takamatsu, 4 April 2024: a certificate of residence of somebody who applied elsewhere just then.

A site of several servers had been given the program for a single one. It had gone into service on
4 January 2024, after the fixes had gone round, and had been left out. Known from
https://www.itmedia.co.jp/news/articles/2404/16/news171.html.

Here: two servers of one city, each of which takes itself for the only one.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from issuance_server.adapters.file_lock import only_one
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.config import ManifestMode
from issuance_server.core import records as r
from issuance_server.manifest import NotAsDeclared, check
from issuance_server.runtime.runtime import Runtime
from protocol.errors import JournalFailed, SetUpError
from tests.hostile.broker import Carrier, HostileBroker
from tests.hostile.founding import CITY
from tests.incidents.conftest import Play
from tests.incidents.planted import FileNamedBy
from tests.incidents.stage import (
    IncidentTown,
    Machine,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    assert_own_paper_or_refusal,
)


async def test_second_server_of_a_city_does_not_start(tmp_path: Path) -> None:
    """It is refused before it reads anything, and told what to do."""
    async with only_one(tmp_path / "city.db"):
        with pytest.raises(SetUpError, match="another server works on"):
            async with only_one(tmp_path / "city.db", wait_ms=0):
                pass


def test_node_that_is_set_up_otherwise_than_declared_is_refused() -> None:
    """What is declared for several is not taken up by a program or a configuration for one."""
    declared = {"build": "00" * 32, "topology-renderers": "4", "version": "1"}
    found = declared | {"build": "ff" * 32, "topology-renderers": "1"}
    check(declared, declared, ManifestMode.DECLARED)
    with pytest.raises(NotAsDeclared, match="topology-renderers is 1, declared 4"):
        check(declared, found, ManifestMode.DECLARED)
    with pytest.raises(NotAsDeclared, match="no manifest is declared"):
        check(None, found, ManifestMode.DECLARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondServer:
    """A server that takes itself for the only one, and a machine on its lines."""

    machine: Machine
    task: asyncio.Task[None]


@asynccontextmanager
async def second_server(town: IncidentTown, *, own_journal: bool) -> AsyncIterator[SecondServer]:
    """Run another server of the city, past the lock.

    It has a broker of its own: both servers believe that they have all of the city's terminals.

    Args:
        town: with the first server.
        own_journal: whether it has a database of its own, or works on the first one's.
    """
    broker, folder = HostileBroker(town.loop, CITY), town.folder / "second"
    (folder / "machines").mkdir(parents=True)
    database = town.folder / "city.db"
    if own_journal:
        database = Path(shutil.copyfile(town.keys.folder / "city.db", folder / "city.db"))
    store = await SqliteStore.open(database)
    gateway = Carrier(broker, "up")
    runtime = Runtime(replace(town.runtime._parts, store=store, gateway=gateway))
    beside = SimpleNamespace(
        loop=town.loop, dice=town.dice, recorder=town.recorder, broker=broker, folder=folder
    )
    # as much of a town as a machine needs
    machine = Machine(town.founded.applicants[1], town.founded, cast("IncidentTown", beside))
    await runtime.prepare()
    task = asyncio.create_task(runtime.run())
    try:
        yield SecondServer(machine=machine, task=task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()


async def at_both(town: IncidentTown, second: SecondServer) -> tuple[Visit, Visit]:
    """Let two people apply at the same moment, each at a store of another server."""
    first, there = await asyncio.gather(town.machines[0].visit(), second.machine.visit())
    return first, there


def test_two_servers_on_one_journal_give_nobody_anothers_paper(play: Play) -> None:
    """The one that finds the other's records in its journal stops at once and hands out nothing."""

    async def scene(town: IncidentTown) -> None:
        async with second_server(town, own_journal=False) as second:
            first, there = await at_both(town, second)
            assert isinstance(second.task.exception(), JournalFailed)
        assert_own_paper(first)
        assert ((), 0, 0) == (there.sheets, there.earned_yen, there.inside_yen)
        assert "does not answer" in (there.opening.error or "")
        applied = [one for one in town.journal() if isinstance(one, r.IssuanceApplied)]
        assert [town.machines[0].name] == [one.terminal for one in applied]

    play(scene)


def test_two_servers_with_journals_of_their_own_give_each_their_own(play: Play) -> None:
    """Each begins with the same serial, and nothing is named by it."""

    async def scene(town: IncidentTown) -> None:
        async with second_server(town, own_journal=True) as second:
            for visit in await at_both(town, second):
                assert_own_paper(visit)

    play(scene)


def test_place_that_two_servers_share_is_seen_by_the_gate(play: Play) -> None:
    """The very fault: a file in a common place, by a name that each server takes for its own."""

    async def scene(town: IncidentTown) -> None:
        async with second_server(town, own_journal=True) as second:
            first, there = await at_both(town, second)
        assert_clean_refusal(first)
        assert_own_paper_or_refusal(there)
        assert "another-document" == town.alarms()[0]

    play(scene, workers=Workers(FileNamedBy(["1", "1"], expected=2)))


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without gates the first one takes home what the other server made for the second."""

    async def scene(town: IncidentTown) -> None:
        async with second_server(town, own_journal=True) as second:
            for visit in await at_both(town, second):
                assert_own_paper_or_refusal(visit)

    workers = Workers(FileNamedBy(["1", "1"], expected=2))
    with pytest.raises(AssertionError, match="not the applicant's"):
        play(scene, workers=workers, gated=False)
