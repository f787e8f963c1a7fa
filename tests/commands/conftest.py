"""A sample city for the tests of the commands."""

import shutil
from pathlib import Path

import pytest

from issuance_server.desk_commands.set_up import init
from tests.commands.desk import Commands


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city, made once; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("sample") / "city"
    init(folder, sample="toyonaka")
    return folder


@pytest.fixture
def commands(
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    """Commands on a city of the test's own."""
    folder = tmp_path / "city"
    shutil.copytree(sample, folder)
    return Commands(folder, capsys, monkeypatch)
