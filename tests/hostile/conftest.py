"""Keys that take a moment, and folders that cost no disk."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.founding import Keys, make_keys

MEMORY = Path("/dev/shm")
"""Where files cost no disk, if there is such a place; disks are not the matter here."""


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """All keys of a city and of an authority that calls itself the city's."""
    return make_keys(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for one town."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def full(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long form."""
    return bool(pytestconfig.getoption("--full"))
