"""The close of a day with real processes: a machine, its line, the operator, the accounts."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.processes.town import Town

pytestmark = pytest.mark.processes

TERMINAL = "7E-0001"
HOLDER = "h001-m1"
DAY = "2026-11-30"


def close(town: Town) -> "tuple[int, str]":
    """Let an operator close the day; return exit status and what is said."""
    operator = ("--operator", "mado-1", "--reason", "daily close", "--passphrase-stdin")
    done = town.city("day", "close", DAY, *operator, typed="toyonaka-sample\n")
    return done.returncode, done.stderr


def status(town: Town) -> Any:
    """Return what is told of the day."""
    return json.loads(town.city("day", "status", DAY, "--json").stdout)


@pytest.mark.slow
def test_day_of_a_machine_is_closed_and_accounted_for(town: Town, tmp_path: Path) -> None:
    """Its line closes (閉局), both sides counted the same, and next morning the day is closed."""
    town.start("--clock", f"{DAY}T10:00:00")
    assert 0 == town.issue(TERMINAL, HOLDER).wait()
    refused = close(town)
    assert (1, True) == (refused[0], "its service is not over" in refused[1])
    (line,) = [one for one in status(town)["lines"] if one["terminal"] == TERMINAL]
    assert "closed" == line["line"]
    assert line["ours"] == line["theirs"]
    assert 1 == line["ours"]["completed"]
    assert town.server is not None
    assert 0 == town.server.stop()

    town.start("--clock", "2026-12-01T08:00:00")
    done = close(town)
    assert (0, True) == (done[0], f"{DAY} is closed: 1 certificates" in done[1]), done
    (logged,) = town.events("day.closed")
    out = tmp_path / "accounts.csv"
    assert 0 == town.city("day", "export", DAY, "--out", str(out)).returncode
    with out.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (str(logged["earned_yen"]), str(logged["commission_yen"]), "completed") == (
        row["earned_yen"],
        row["commission_yen"],
        row["state"],
    )
    assert 0 == town.settle(TERMINAL), "the line opens and closes again on the next day"
    assert "holds" in town.city("audit", "verify").stdout
