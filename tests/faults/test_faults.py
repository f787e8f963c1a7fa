"""The short form of ``make faults``: a few faults of each kind, and bugs that must be found."""

import pytest

from tests.faults.disk import DAMAGES, REFUSALS, Damage, Refusal, damaged, refused
from tests.faults.network import TROUBLES, troubled
from tests.faults.panel import Action, Calls, Role
from tests.faults.report import Row
from tests.faults.stage import Foundation
from tests.faults.storm import storm
from tests.faults.sweep import Plan, sweep

pytestmark = [pytest.mark.processes, pytest.mark.slow]

POINTS = (
    (Plan(role=Role.TERMINAL, calls=Calls.SYNC), (3, 13, 16, 20, 21)),
    (Plan(role=Role.TERMINAL, calls=Calls.SEND, action=Action.POWER), (20, 30)),
    (Plan(role=Role.JUDGE), (4, 12)),
    (Plan(role=Role.SERVER), (120,)),
)
"""Ten of the calls of an issuance, where most is at stake: money, key, sheets, tries."""
FOUND = (
    Plan(
        role=Role.TERMINAL,
        calls=Calls.SEND,
        action=Action.POWER,
        planted="journal-not-synced",
        warm=True,
    ),
    (20,),
)
FOUND_SLOWLY = (
    (Plan(role=Role.TERMINAL, calls=Calls.SYNC, planted="unknown-counts-as-out", warm=True), (19,)),
    (Plan(role=Role.TERMINAL, calls=Calls.SYNC, planted="prints-again", warm=True), (16, 19)),
    (
        Plan(
            role=Role.SERVER,
            calls=Calls.SYNC,
            action=Action.POWER,
            planted="answer-before-commit",
            warm=True,
        ),
        tuple(range(10, 17)),
    ),
)


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Foundation:
    """One founded city and one compiled shim for all tests here."""
    return Foundation.lay(tmp_path_factory.mktemp("faults"))


def assert_clean(row: Row) -> None:
    """Nothing lost, duplicated, crossed or otherwise wrong; what is printed repeats it."""
    assert [] == row.findings.all(), row.rerun
    assert row.points > 0


@pytest.mark.parametrize(("plan", "points"), POINTS, ids=lambda value: getattr(value, "name", ""))
def test_death_at_an_exact_call(foundation: Foundation, plan: Plan, points: list[int]) -> None:
    """Wherever a process dies, both sides settle and agree about paper, money and keys."""
    assert_clean(sweep(foundation, plan, points))


def test_planted_bug_is_found(foundation: Foundation) -> None:
    """A terminal that leaves its journal to the operating system does not pass."""
    plan, points = FOUND
    assert [] != sweep(foundation, plan, points, until_found=True).findings.lost


@pytest.mark.parametrize(
    ("plan", "points"), FOUND_SLOWLY, ids=lambda value: getattr(value, "planted", "")
)
def test_more_planted_bugs_are_found(
    foundation: Foundation, plan: Plan, points: list[int], pytestconfig: pytest.Config
) -> None:
    """Nor does one that prints again, nor a server that answers before its commit."""
    if not pytestconfig.getoption("--full"):
        pytest.skip("in the long form")
    assert not sweep(foundation, plan, points, until_found=True).clean


def test_random_kills_under_load(foundation: Foundation) -> None:
    """Four terminals issue while processes are killed and stopped."""
    assert_clean(storm(foundation, faults=3, seed=2))


@pytest.mark.parametrize("refusals", [(REFUSALS[1],)], ids=["the server's disk fails once"])
def test_disk_that_refuses(foundation: Foundation, refusals: tuple[Refusal, ...]) -> None:
    """The server stops and says why; nothing that was promised is lost."""
    row = refused(foundation, refusals)
    assert_clean(row)
    assert "the journal cannot be written" in row.notes[0]


@pytest.mark.parametrize("damages", [(DAMAGES[5],)], ids=["a torn page"])
def test_damaged_database(foundation: Foundation, damages: tuple[Damage, ...]) -> None:
    """The server does not start on it, and names the way out."""
    row = damaged(foundation, damages)
    assert_clean(row)
    assert "issuance-server restore" in row.notes[0]


def test_network_that_turns_bits(foundation: Foundation, pytestconfig: pytest.Config) -> None:
    """Corrupted bytes cost time and nothing else; in the long form also cut, stalled and slow."""
    full = pytestconfig.getoption("--full")
    for trouble in TROUBLES if full else TROUBLES[-1:]:
        assert_clean(troubled(foundation, trouble, faults=4 if full else 1, seed=3))
