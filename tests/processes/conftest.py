"""A sample city for every test that starts real processes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuance_server.demo.stage import free_port
from issuance_server.desk_commands.set_up import BROKER_PORT, init
from tests.processes.town import Town


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found a city once; tests work on copies."""
    folder = tmp_path_factory.mktemp("founded") / "city"
    init(folder, sample="toyonaka")
    return folder


@pytest.fixture
def town(founded: Path, tmp_path: Path) -> Iterator[Town]:
    """A city of the test's own, with a broker port of its own; everything ends with the test."""
    folder = tmp_path / "city"
    shutil.copytree(founded, folder)
    port = free_port()
    for settings in (folder / "server.toml", *folder.glob("terminals/*/terminal.toml")):
        settings.write_text(settings.read_text().replace(str(BROKER_PORT), str(port)))
    made = Town(folder=folder, port=port)
    yield made
    made.end()
