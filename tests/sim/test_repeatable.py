"""A seed is one course of events, whatever hashes Python makes and whatever store lies below."""

import os
import subprocess
import sys

import pytest

from tests.sim.plan import Mode
from tests.sim.world import simulate

SEEDS = (3, 9)


def _traces(hash_seed: int) -> str:
    arguments = [sys.executable, "-m", "tests.sim", "--seed", str(SEEDS[0])]
    ran = subprocess.run(
        arguments,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout


@pytest.mark.slow
def test_trace_is_the_same_under_three_hash_seeds() -> None:
    """The command prints the same hashes, byte for byte, in three processes."""
    first = _traces(0)

    assert 2 == first.count("trace ")
    assert [first, first] == [_traces(1), _traces(2)]


@pytest.mark.slow
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seed", SEEDS)
def test_both_stores_give_the_same_trace(seed: int, mode: Mode) -> None:
    """SQLite and the double in memory make no difference to anything that can be seen."""
    traces = {simulate(seed, mode, store=store).trace_hash for store in ("memory", "sqlite")}

    assert 1 == len(traces)


def test_another_seed_is_another_course() -> None:
    """Two seeds have two traces: the hash hashes something."""
    traces = {simulate(seed, Mode.SAFETY).trace_hash for seed in SEEDS}

    assert len(SEEDS) == len(traces)
