"""Nothing is accepted that was not sent, and a line recovers when the broker leaves it alone.

Whole visits at two machines of one city, under a few hundred mixes of acts, each from a seed.
"""

import asyncio
import random
import tempfile
from pathlib import Path

import pytest

from protocol.limits import GENERATION_OVERLAP_MS
from protocol.replay_window import ReplayWindow
from protocol.sealing import Opener
from protocol.telegrams import LineTest, LineTested
from tests.hostile.acts import Repeat
from tests.hostile.conftest import MEMORY
from tests.hostile.founding import PIN, TERMINALS, Keys
from tests.hostile.hand import Hand
from tests.hostile.mixes import Afternoon, afternoon, check, drawn_acts
from tests.hostile.town import Town
from tests.hostile.virtual_time import VirtualLoop, run

BATCHES = 10
SEEDS_PER_BATCH = 20
SEEDS_PER_BATCH_FULL = 300


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_under_any_mix_of_acts_only_what_was_sent_is_taken(
    keys: Keys, batch: int, full: bool
) -> None:
    """Byte for byte and once; both journals, the money and the paper agree in the end."""
    seeds_count = SEEDS_PER_BATCH_FULL if full else SEEDS_PER_BATCH
    bent = taken = 0
    for seed in range(batch * seeds_count, (batch + 1) * seeds_count):
        try:
            seen = _checked_afternoon(seed, keys)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        bent += seen.town.broker.bent
        taken += len(seen.town.recorder.taken)

    assert bent > 10 * seeds_count
    assert taken > 30 * seeds_count


def test_every_act_is_drawn(keys: Keys) -> None:
    """No kind of act is missing from the mixes."""
    drawn = {
        type(act).__name__
        for seed in range(BATCHES * SEEDS_PER_BATCH)
        for act in drawn_acts(random.Random(seed), keys)
    }

    assert 15 == len(drawn)


def test_without_acts_a_visit_passes_through_the_double(keys: Keys, folder: Path) -> None:
    """An honest broker carries a visit in a tenth of a second, and drops nothing."""

    async def work(loop: VirtualLoop) -> Town:
        town = Town(loop, keys, folder, random.Random(1))
        async with town.running():
            opening = await town.terminals[0].open(PIN)
            assert "closed" == opening.outcome
            assert {} == opening.counts
            await town.runtime.lines.report_drops()
        return town

    town = run(work)

    assert [] == town.recorder.faults
    assert len(town.recorder.sent) == len(town.recorder.taken)
    assert 1 == len(town.log.of("issuance.completed"))
    assert [] == town.log.of("envelope.dropped")


@pytest.mark.parametrize("later_ms", [0, GENERATION_OVERLAP_MS])
def test_a_visit_played_once_more_into_a_new_session_does_nothing(
    keys: Keys, folder: Path, later_ms: int
) -> None:
    """Every message of it, in order, at both ends; while its keys still open, and afterwards."""

    async def work(loop: VirtualLoop) -> tuple[Town, Hand, int]:
        town = Town(loop, keys, folder, random.Random(1))
        async with town.running():
            await town.terminals[0].open(PIN)
            record = list(town.broker.history)
            hand = await Hand(town, TERMINALS[0]).open()
            await asyncio.sleep(later_ms / 1_000)
            before = len(town.recorder.taken), town.recorder.ready
            for passing in record:
                town.broker.put_in(passing)
            await hand.quiet()
            assert before == (len(town.recorder.taken), town.recorder.ready)
            await hand.ask(LineTest(nonce=1), LineTested)
        return town, hand, len(record)

    town, hand, count = run(work)

    assert [] == town.recorder.faults
    assert count > 30
    assert 1 == len(town.log.of("issuance.released"))
    assert set(hand.dropped) <= {"keys-unknown", "handshake-unknown"}


@pytest.mark.parametrize("fault", ["replay", "forgery"])
def test_the_oracle_sees_a_line_that_takes_too_much(
    keys: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A line without a replay window, and one whose seal says something else, are found."""
    if fault == "replay":
        monkeypatch.setattr(ReplayWindow, "check", lambda _window, _counter: None)
        said = "a copy was taken twice"
    else:
        honest = Opener.open
        monkeypatch.setattr(Opener, "open", lambda self, sealed: honest(self, sealed) + b"\0")
        said = "something was taken that nobody sent"

    async def work(loop: VirtualLoop) -> list[str]:
        town = Town(loop, keys, folder, random.Random(1))
        town.broker.acts = [Repeat(dice=town.dice, chance=1.0)]
        async with town.running():
            await town.terminals[0].open(PIN)
        return town.recorder.faults

    faults = run(work)

    assert faults
    assert all(told.startswith(said) for told in faults)


def _checked_afternoon(seed: int, keys: Keys) -> Afternoon:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        seen = afternoon(seed, keys, Path(folder))
        check(seen)
        return seen
