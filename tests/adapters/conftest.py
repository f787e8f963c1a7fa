"""A city on a file for the tests of the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.city_file import CityFile, found


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded database; tests work on copies of it."""
    return found(tmp_path_factory.mktemp("founded") / "city.db")


@pytest.fixture
def city_path(founded: Path, tmp_path: Path) -> Path:
    """A database of the test's own."""
    path = tmp_path / "city.db"
    path.write_bytes(founded.read_bytes())
    return path


@pytest.fixture
async def city(city_path: Path) -> AsyncIterator[CityFile]:
    """A city that is open."""
    made = CityFile(city_path)
    await made.open()
    yield made
    await made.close()
