"""``kill -9`` of the server, the judge, the broker and terminals; then everything goes on."""

import os
import signal
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument

from tests.processes.town import Town, alive, wait_until

pytestmark = pytest.mark.processes

FAMILY = "h000-m1"
SHEETS, SIDES = 2, 2
"""Of the family's certificate, in a city with backs."""
MOMENTS = (
    "line.opened",
    "visit.begun",
    "pin.right",
    "issuance.applied",
    "issuance.quoted",
    "issuance.released",
    "issuance.printed",
    "issuance.completed",
)
"""Log events of the server, in order; it dies just after it has written one of them."""
SAID = ("ciphertext held", "printing")
"""Words of the terminal at which the server dies while the terminal works on its own."""
TERMINAL_POINTS = (
    "visit",
    "applied",
    "quoted",
    "held",
    "release-sent",
    "released",
    "sheet-1-before",
    "sheet-1-after",
    "sheet-2-before",
    "sheet-2-after",
    "printed",
    "reported",
    "erased",
)
"""Records of the terminal's journal right after which it dies."""


def _assert_settled(town: Town, exit_status: int) -> None:
    """Whatever happened: nothing is lost, printed twice, or paid without paper."""
    assert town.settle("LW-0001") == 0
    rows = town.issuances()
    assert all(row["state"] in {"completed", "reversed", "withdrawn"} for row in rows), rows
    completed = [row for row in rows if row["state"] == "completed"]
    papers = sorted(Path(town.paper).glob("*.pdf"))
    assert len(papers) == len(completed)
    assert all(len(PdfDocument(paper)) == SHEETS * SIDES for paper in papers)
    assert (exit_status == 0) == bool(completed)
    assert all((row["fee"] == "earned") == (row["state"] == "completed") for row in rows)
    assert all(row["deletion_confirmed"] for row in rows if row["state"] != "withdrawn")
    assert "Traceback" not in town.log_text
    assert town.city("audit", "verify").returncode == 0


def _kill_and_start_again(town: Town) -> None:
    town.kill()
    town.start()


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_server_is_killed_and_started_again(town: Town, moment: str) -> None:
    """Nothing is lost and nothing printed twice, at whatever moment the server dies."""
    town.start()
    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")
    wait_until(lambda: bool(town.events(moment)), moment)

    _kill_and_start_again(town)

    exit_status = terminal.wait()
    assert exit_status in {0, 3, 5}, terminal.said
    _assert_settled(town, exit_status)


@pytest.mark.slow
@pytest.mark.parametrize("word", SAID)
def test_the_server_is_killed_while_the_terminal_works(town: Town, word: str) -> None:
    """The same, at moments that only the terminal knows of."""
    town.start()
    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")
    wait_until(lambda: any(word in line for line in terminal.said), word)

    _kill_and_start_again(town)

    exit_status = terminal.wait()
    assert exit_status in {0, 3, 5}, terminal.said
    _assert_settled(town, exit_status)


@pytest.mark.slow
@pytest.mark.parametrize("point", TERMINAL_POINTS)
def test_the_terminal_dies_and_opens_again(town: Town, point: str) -> None:
    """A terminal that dies at any record settles at its next opening, and prints nothing twice."""
    town.start()
    options = ("--option", "scope=household", "--die-at", point)
    assert town.issue("LW-0001", FAMILY, *options).wait() == 137

    assert town.settle("LW-0001") == 0

    rows = town.issuances()
    printed = point in {"sheet-2-after", "printed", "reported", "erased"}
    sheets = {"sheet-1-after": 1, "sheet-2-before": 1}.get(point, SHEETS if printed else 0)
    papers = sorted(town.paper.glob("*.pdf"))
    assert [len(PdfDocument(paper)) for paper in papers] == ([sheets * SIDES] if sheets else [])
    wanted = "completed" if printed else "reversed"
    before_release = {"visit", "applied", "quoted", "held", "release-sent"}
    states = {"withdrawn"} if point in before_release else {wanted}
    assert {row["state"] for row in rows} <= states
    assert all((row["fee"] == "earned") == printed for row in rows)
    assert not list((town.folder / "terminals" / "LW-0001").rglob("*.sealed"))


@pytest.mark.slow
def test_the_judge_is_killed_and_started_again(town: Town) -> None:
    """A new judge answers within seconds; the resident notices a short wait at most."""
    town.start()
    judge = town.child_process("pin_judge")

    os.kill(judge, signal.SIGKILL)
    wait_until(lambda: bool(town.events("judge.restarted")), "the judge is restarted")

    assert town.issue("7E-0001", "h001-m1").wait() == 0


@pytest.mark.slow
def test_the_broker_is_killed_and_started_again(town: Town) -> None:
    """Server and terminals connect again; an issuance under way finishes."""
    town.start()
    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")
    wait_until(lambda: bool(town.events("issuance.applied")), "the application")

    os.kill(town.child_process("embedded_broker"), signal.SIGKILL)

    assert terminal.wait() == 0, terminal.said
    _assert_settled(town, 0)


@pytest.mark.slow
def test_children_end_with_their_parent(town: Town) -> None:
    """After ``kill -9`` of the server no child of it stays behind."""
    town.start()
    children = [
        town.child_process(module) for module in ("pin_judge", "embedded_broker", "renderer")
    ]

    town.kill()

    wait_until(lambda: not any(alive(child) for child in children), "the children have ended")
