"""A bench for every test of the runtime."""

from pathlib import Path

import pytest

from issuance_server.runtime.intervals import Intervals
from tests.runtime.doubles import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A founded city whose server does not run yet; what it drops is told when a test asks."""
    return Bench(tmp_path, intervals=Intervals(drops_ms=60_000))
