"""A bench for every test of the runtime."""

from pathlib import Path

import pytest

from issuance_server.runtime import runtime
from tests.runtime.doubles import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A founded city whose server does not run yet; what it drops is told when a test asks."""
    monkeypatch.setattr(runtime, "DROPS_INTERVAL_MS", 60_000)
    return Bench(tmp_path)
