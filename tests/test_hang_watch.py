"""The watch over hanging tests, tried on a small suite of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
END_S_MAX = 60
SUITE = """
import threading

import pytest


@pytest.fixture
def never_ends():
    yield
    threading.Event().wait()


def test_before_it(never_ends):
    assert {holds}
"""


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("holds", [True, False])
def test_fixture_that_hangs_ends_the_run(tmp_path: Path, holds: bool) -> None:
    """All stacks are shown and the run ends, whether the test before had passed or failed."""
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE.format(holds=holds))
    watch = ["-o", "faulthandler_timeout=2", "-o", "faulthandler_exit_on_timeout=true"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", *watch, str(suite)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=END_S_MAX,
        check=False,
    )

    assert 1 == run.returncode
    assert "in never_ends" in run.stderr
