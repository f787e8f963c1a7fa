"""The store of the simulation against the real one: the same inputs, the same everything."""

import random
from pathlib import Path

import pytest

from tests.sim.store.pair import opened
from tests.sim.store.walk import Walk

WALKS = 12
GROUPS = 40


@pytest.mark.parametrize("seed", range(WALKS))
async def test_both_stores_read_and_write_the_same(seed: int, tmp_path: Path) -> None:
    """Facts, effects, journal, tables and what is folded agree all along a seeded walk."""
    pair = await opened(tmp_path)
    walk = Walk(pair, random.Random(seed))
    try:
        for _ in range(4):
            await walk.go(GROUPS // 4)
            await pair.check()
            await walk.look()
    finally:
        await pair.close()
