"""The model of the PIN judge's counter, checked with spin, and that its faults are found.

``docs/proofs/pin-counter.md`` has figures and bounds; ``make programs`` installs spin and gcc.
"""

import importlib
import re
import subprocess
from functools import reduce
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = Path(__file__).with_name("pin.pml")
PAGE = ROOT / "docs" / "proofs" / "pin-counter.md"
JUDGE = "issuance_server.adapters.pin_judge"
DEPTH_MAX = 100_000
WAIT_S_MAX = 240

SMALL = {"TERMINALS": 2, "ATTEMPTS": 4, "DEATHS": 3, "UNLOCKS": 1}
LARGE = {"TERMINALS": 3, "ATTEMPTS": 3, "DEATHS": 2, "UNLOCKS": 1}

# What is planted -> (bounds that are enough to see it, what the shortest way there ends with).
PLANTED = {
    "COMPARE_FIRST": (SMALL, "compared<=3"),
    "TWO_PENDING": (SMALL, "tries_left+pending"),
    "NOT_BURNED": (SMALL, "!(waits[t])"),
    "GIVEN_BACK": (SMALL | {"TERMINALS": 1}, "compared<=3"),
    "UNLOCKED_PENDING": (SMALL, "tries_left+pending"),
}


def searched(folder: Path, bounds: dict[str, int], *, planted: str = "") -> str:
    """Return what spin's search of the model prints.

    Args:
        folder: for what spin writes.
        bounds: of the model.
        planted: a fault; it is searched for by breadth, so that the way to it is a shortest one.
    """
    macros = [f"-D{name}={count}" for name, count in bounds.items()]
    planted_macros = [f"-DPLANTED_{planted}"] if planted else []
    search = "-DBFS" if planted else "-DCOLLAPSE"
    for command in (
        ["spin", *macros, *planted_macros, "-a", str(MODEL)],
        ["gcc", "-O1", "-DSAFETY", search, "-o", "pan", "pan.c"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=WAIT_S_MAX)
    return subprocess.run(
        ["./pan", f"-m{DEPTH_MAX}"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
    ).stdout


def states(report: str) -> int:
    """Return how many states spin stored."""
    found = re.search(r"(\d+) states, stored", report)
    assert found is not None, report
    return int(found[1])


def test_model_holds(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """In no state is a fourth PIN compared, a try lost or given, or a card locked too early."""
    full = bool(pytestconfig.getoption("--full"))
    report = searched(tmp_path, LARGE if full else SMALL)

    assert "errors: 0" in report, report
    assert "max search depth too small" not in report
    assert "Search not completed" not in report
    assert states(report) >= (11_000_000 if full else 900_000)


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_fault_is_found(tmp_path: Path, planted: str) -> None:
    """A judge that compares first, or breaks another rule, is refuted."""
    bounds, violated = PLANTED[planted]

    report = searched(tmp_path, bounds, planted=planted)

    assert "errors: 1" in report, report
    assert violated in next(line for line in report.splitlines() if "assertion violated" in line)


def functions_named() -> set[str]:
    """Return the functions that the model says it stands for."""
    lines = re.findall(r"stands for ([\w., ]+?) \*/", MODEL.read_text())
    return {name.strip() for line in lines for name in line.split(",")}


def test_every_part_stands_for_a_function() -> None:
    """The judge has each function that the model names, and the page lists the same ones."""
    for name in functions_named():
        module, *attributes = name.split(".")
        found = importlib.import_module(f"{JUDGE}.{module}")
        assert callable(reduce(getattr, attributes, found)), name
    table = re.findall(r"^\|[^|]*\|([^|]*)\|[^|]*\|$", PAGE.read_text(), re.MULTILINE)
    listed = {name for cell in table for name in re.findall(r"`(\w+\.[\w.]+)`", cell)}

    assert functions_named() == listed


def test_every_planted_fault_is_tried() -> None:
    """The model has no fault to plant that no test plants."""
    planted = re.findall(r"^#ifn?def PLANTED_(\w+)", MODEL.read_text(), re.MULTILINE)

    assert set(PLANTED) == set(planted)
