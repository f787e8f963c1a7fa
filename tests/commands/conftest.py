"""A sample city for the tests of the commands, and a control desk alone."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from issuance_server.desk_commands.set_up import init
from tests.adapters.city_file import CityFile, found
from tests.commands.desk import Commands
from tests.commands.scene import Scene


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city, made once; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("sample") / "city"
    init(folder, sample="toyonaka")
    return folder


@pytest.fixture
def untouched(
    sample: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Commands:
    """Commands on the sample city itself, which a test only reads."""
    return Commands(sample, capsys, monkeypatch)


@pytest.fixture
def commands(untouched: Commands, tmp_path: Path) -> Commands:
    """Commands on a city of the test's own, which has no cards and terminals at hand."""
    folder = tmp_path / "city"
    ignore = shutil.ignore_patterns("cards", "terminals")
    shutil.copytree(untouched.folder, folder, ignore=ignore)
    return replace(untouched, folder=folder)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A desk on a founded city's file."""
    city = CityFile(found(tmp_path / "city.db"))
    await city.open()
    yield Scene(city)
    await city.close()
