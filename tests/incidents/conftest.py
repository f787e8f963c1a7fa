"""A founded city, and a way to play an incident in it."""

import random
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.hostile.conftest import MEMORY
from tests.hostile.virtual_time import VirtualLoop, run
from tests.incidents.founding import Founded, make_founded
from tests.incidents.stage import IncidentTown

_T = TypeVar("_T")
Play = Callable[..., Any]


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """The city before anything happens."""
    return make_founded(tmp_path_factory.mktemp("incidents"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for one town; disks are not the matter here."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def play(founded: Founded, folder: Path) -> Play:
    """Return a way to play a scene in a running city; it returns what the scene does."""

    def played(scene: Callable[[IncidentTown], Awaitable[_T]], **changes: Any) -> _T:
        async def work(loop: VirtualLoop) -> _T:
            own = Path(tempfile.mkdtemp(dir=folder))
            town = IncidentTown(
                loop, founded.keys, own, random.Random(1), founded=founded, **changes
            )
            async with town.running():
                return await scene(town)

        return run(work)

    return played
