"""The watch over the copy: each change of its state is told once."""

from pathlib import Path

import pytest

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import records as r
from issuance_server.runtime.register_watch import RegisterWatch
from tests.adapters.city_file import HandClock, found
from tests.core.made import START_REAL_MS

MAX_MS = 600_000


class Told:
    """Collects events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


async def test_copy_that_becomes_old_is_told_once(tmp_path: Path) -> None:
    """And once when it is young again; not at each look."""
    store = await SqliteStore.open(found(tmp_path / "city.db"))
    clock, told = HandClock(), Told()
    watch = RegisterWatch(store=store, clock=clock, age_ms_max=MAX_MS, log=told)
    await watch.look()
    for _ in range(3):
        clock.pass_ms(MAX_MS // 2 + 1)
        await watch.look()
        await watch.look()
    await store.set_watermark(clock.real_ms)
    await watch.look()
    await watch.look()
    await store.close()

    assert ["register.stale", "register.fresh"] == told.names()
    assert [MAX_MS + 2, 0] == [fields["age_ms"] for _, fields in told.events]


async def test_copy_that_was_old_at_the_start_is_told(tmp_path: Path) -> None:
    """A server that starts with an old copy must not be silent about it."""
    store = await SqliteStore.open(found(tmp_path / "city.db"))
    clock, told = HandClock(real_ms=START_REAL_MS + MAX_MS + 1), Told()
    await RegisterWatch(store=store, clock=clock, age_ms_max=MAX_MS, log=told).look()
    await store.close()

    assert ["register.stale"] == told.names()


@pytest.mark.parametrize(
    ("by_operator", "events"), [(False, ["register.stand_in_ended"]), (True, [])]
)
async def test_stand_in_that_ends_by_itself_is_told(
    tmp_path: Path, by_operator: bool, events: list[str]
) -> None:
    """An end by operators was told when they did it."""
    store = await SqliteStore.open(found(tmp_path / "city.db"))
    clock, told = HandClock(), Told()
    watch = RegisterWatch(store=store, clock=clock, age_ms_max=MAX_MS, log=told)
    async with store.transaction() as transaction:
        transaction.write(r.StandInBegun(at_ms=clock.real_ms, until_ms=clock.real_ms + 1_000))
    await watch.look()
    if by_operator:
        async with store.transaction() as transaction:
            transaction.write(r.StandInEnded(at_ms=clock.real_ms))
    clock.pass_ms(1_000)
    await watch.look()
    await watch.look()
    await store.close()

    assert events == told.names()
