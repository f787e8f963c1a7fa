"""Clients at a PIN judge that is killed: what they saw fits the rules, and so does the ghost.

The long form is ``python -m tests.pin_judge``; ``docs/proofs/pin-counter.md`` has its figures.
"""

import asyncio
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest

from tests.pin_judge.ghost import GhostLine, wrong_in_a_row_max
from tests.pin_judge.histories import Operation, linearizable
from tests.pin_judge.storm import Plan, Storm
from tests.power_cuts.cuts import folder_in_memory

CARDS_SHORT = 102
CARDS_FULL = 1_002


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder without a disk: what a killed process wrote is there all the same."""
    with folder_in_memory() as folder:
        yield folder


def tried(began_ns: int, ended_ns: float, said: str, *, right: bool = False) -> Operation:
    """Return a try; what is said is an outcome and the tries left, or nothing."""
    outcome, _, left = said.partition(" ")
    return Operation(
        right=right,
        began_ns=began_ns,
        ended_ns=ended_ns,
        outcome=outcome or None,
        tries_left=int(left) if left else None,
    )


def unlocked(began_ns: int, ended_ns: float) -> Operation:
    """Return an unlocking that was done."""
    return Operation(right=None, began_ns=began_ns, ended_ns=ended_ns, outcome="unlocked")


THREE_WRONG = (tried(0, 1, "wrong 2"), tried(2, 3, "wrong 1"), tried(4, 5, "wrong 0"))

IMPOSSIBLE = {
    "stale read": [tried(0, 1, "wrong 2"), tried(2, 3, "wrong 2")],
    "lost failure": [*THREE_WRONG[:2], tried(4, 5, "wrong 1")],
    "success after the lock": [*THREE_WRONG, tried(6, 7, "right 3", right=True)],
    "fourth comparison": [*THREE_WRONG, tried(6, 7, "wrong 0")],
    "two from one count": [tried(0, 9, "wrong 2"), tried(1, 8, "wrong 2")],
    "two right, and one failure too few": [
        *THREE_WRONG[:2],
        tried(4, 9, "right 3", right=True),
        tried(5, 8, "wrong 1"),
    ],
    "locked too early": [*THREE_WRONG[:2], tried(4, 5, "locked 0")],
    "locked without a failure": [tried(0, 1, "locked 0")],
    "failure after a success is forgotten": [
        tried(0, 1, "wrong 2"),
        tried(2, 3, "right 3", right=True),
        tried(4, 5, "wrong 1"),
    ],
    "burned try given back": [tried(0, 1, "burned 2"), tried(2, 3, "wrong 2")],
    "locked after it was unlocked": [*THREE_WRONG, unlocked(6, 7), tried(8, 9, "locked 0")],
    "free tries without operators": [*THREE_WRONG, tried(6, 7, "wrong 2"), unlocked(8, 9)],
    "wrong PIN taken": [tried(0, 1, "right 3")],
    "right PIN refused": [tried(0, 1, "wrong 2", right=True)],
    "unanswered try before it was asked": [
        tried(0, 1, "wrong 1"),
        tried(2, inf, ""),
    ],
    "busy with nobody": [tried(0, 1, "wrong 2"), tried(2, 3, "busy")],
    "busy with one that was over": [tried(0, 1, "wrong 2"), tried(2, 3, "busy"), tried(4, 5, "")],
}

POSSIBLE = {
    "in sequence": [
        *THREE_WRONG,
        tried(6, 7, "locked 0"),
        unlocked(8, 9),
        tried(10, 11, "wrong 2"),
    ],
    "at once, in the other order": [tried(0, 9, "wrong 1"), tried(1, 8, "wrong 2")],
    "unanswered and counted": [tried(0, inf, ""), tried(2, 3, "wrong 1")],
    "unanswered and not counted": [tried(0, inf, ""), tried(2, 3, "wrong 2")],
    "unanswered and late": [tried(0, inf, ""), tried(2, 3, "wrong 2"), tried(4, 5, "wrong 0")],
    "unanswered and right": [
        *THREE_WRONG[:2],
        tried(4, inf, "", right=True),
        tried(6, 7, "wrong 2"),
    ],
    "burned right one": [tried(0, 1, "burned 2", right=True), tried(2, 3, "wrong 1")],
    "busy": [tried(0, 9, "wrong 2"), tried(2, 3, "busy")],
    "asked again too late": [tried(0, 1, "challenge-expired"), tried(2, 3, "wrong 2")],
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_history_is_rejected(name: str) -> None:
    """What no counter can have answered is found, whatever order the operations come in."""
    assert not linearizable(IMPOSSIBLE[name])
    assert not linearizable(IMPOSSIBLE[name][::-1])


@pytest.mark.parametrize("name", POSSIBLE)
def test_possible_history_is_accepted(name: str) -> None:
    """What a counter may have answered, with deaths and at the same time, is no fault."""
    assert linearizable(POSSIBLE[name])


def test_ghost_counts_between_resets() -> None:
    """A right PIN or a committed reset begins anew; one that was not committed does not."""
    wrong, right = GhostLine(seen="wrong", card="a"), GhostLine(seen="right", card="a")
    reset, other = GhostLine(seen="reset", card="a", nonce="01"), GhostLine(seen="wrong", card="b")

    assert 2 == wrong_in_a_row_max([wrong, wrong, right, wrong, other], frozenset())
    assert 2 == wrong_in_a_row_max([wrong, wrong, reset, wrong], frozenset({"01"}))
    assert 3 == wrong_in_a_row_max([wrong, wrong, reset, wrong], frozenset())


@pytest.mark.slow
@pytest.mark.processes
def test_storm(folder: Path, city_keys: Path, pytestconfig: pytest.Config) -> None:
    """A judge killed under six processes: linearizable, and no comparison too many."""
    full = bool(pytestconfig.getoption("--full"))
    cards = CARDS_FULL if full else CARDS_SHORT
    storm = Storm(Plan(seed=1, cards=cards), folder, city_keys)
    asyncio.run(storm.run())

    histories = storm.histories()

    assert [] == storm.faults()
    assert [] == [one for one in histories if not linearizable(one)]
    assert cards == len(histories)
    assert storm.judges_killed >= 3
    outcomes = {one.outcome for history in histories for one in history}
    assert {"right", "wrong", "locked", "busy", "unlocked"} <= outcomes


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize(("planted", "comparisons"), [("given-back", 1), ("uncounted", 0)])
def test_broken_judge_is_found(
    folder: Path, city_keys: Path, planted: str, comparisons: int
) -> None:
    """A judge that gives a burned try back, or takes none, is found by ghost or store."""
    plan = Plan(
        seed=2,
        cards=1,
        clients=2,
        each=4,
        planted=planted,
        comparisons=comparisons,
        unlocks=False,
    )
    storm = Storm(plan, folder, city_keys)
    asyncio.run(storm.run())

    assert [] != storm.faults()
