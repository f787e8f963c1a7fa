"""The short form of fuzzing: the same inputs at every run, without coverage, on every Python.

``make fuzz`` searches with coverage and for longer; see ``tests/fuzz/__main__.py``.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest

from tests.fuzz import crashes
from tests.fuzz.mutations import mutated
from tests.fuzz.target import BrokenPromise, Target, demand
from tests.fuzz.targets import TARGETS

SEED = 20_260_302
FULL_TIMES = 20


def search(target: Target, runs: int) -> Counter[str]:
    """Run the seeds and so many mutations of them, and count what came of them."""
    dice, pool = random.Random(SEED), target.seeds()
    verdicts = Counter(map(target.run, pool))
    for _ in range(runs):
        content = mutated(dice.choice(pool), dice, pool, bytes_max=target.input_bytes_max)
        try:
            verdicts[target.run(content)] += 1
        except Exception as error:
            raise AssertionError(f"{target.name} crashed on {content.hex()}") from error
    return verdicts


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_only_documented_errors_come_out(target: Target, request: pytest.FixtureRequest) -> None:
    """Whatever the bytes; and the search has seen all that the target can say."""
    times = FULL_TIMES if request.config.getoption("--full") else 1

    assert target.verdicts <= search(target, target.short_runs * times).keys()


@pytest.mark.parametrize("crash", crashes.kept(), ids=lambda crash: crash.why)
def test_what_once_crashed_does_not_any_more(crash: crashes.Crash) -> None:
    """Every kept input is taken like any other."""
    target = TARGETS[crash.target]

    assert target.run(crash.content) in target.verdicts


def test_the_search_finds_a_planted_fault() -> None:
    """A decoder that fails on one field of one kind of telegram is caught within the short form."""
    decoder = TARGETS["decoder"]

    def run(data: bytes) -> str:
        verdict = decoder.run(data)
        demand(not (verdict == "telegram" and b"\xa6copies\x03" in data), "no three copies")
        return verdict

    with pytest.raises(AssertionError) as caught:
        search(replace(decoder, run=run), decoder.short_runs)
    assert isinstance(caught.value.__cause__, BrokenPromise)


def test_inputs_stay_within_their_bound() -> None:
    """No mutation is longer than asked for, and the same dice give the same inputs."""
    pool = TARGETS["decoder"].seeds()

    def draw() -> list[bytes]:
        dice = random.Random(SEED)
        return [mutated(dice.choice(pool), dice, pool, bytes_max=100) for _ in range(500)]

    assert draw() == draw()
    assert max(map(len, draw())) <= 100
