"""What all tests for leaks share."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.city_keys import JudgeKeys, create_city_keys, load_judge_keys
from tests.leaks.observation import Observatory
from tests.leaks.virtual_time import connect_at_once
from tests.protocol.stand_in import CITY

_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def judge_keys(tmp_path_factory: pytest.TempPathFactory) -> JudgeKeys:
    """The judge's keys of all watched cities."""
    folder = tmp_path_factory.mktemp("watched") / "keys"
    create_city_keys(folder, CITY, datetime.now(UTC))
    return load_judge_keys(folder)


@pytest.fixture
def observatory(judge_keys: JudgeKeys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Observatory]:
    """Where runs take place: in memory, where there is such a folder."""
    connect_at_once(monkeypatch)
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Observatory(folder=Path(folder), judge_keys=judge_keys, patch=monkeypatch)
