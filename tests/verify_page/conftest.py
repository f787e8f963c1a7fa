"""One city and one served page for all tests of the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.test_verify import GENUINE
from tests.verify_page.scene import Page, certificate, issued_city, served


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample city with a number in every state."""
    return issued_city(tmp_path_factory.mktemp("verify") / "city")


@pytest.fixture(scope="session")
def served_page(city: Path) -> Iterator[Page]:
    """Its page, which looks numbers up in its records."""
    with served(city, "--config", "server.toml") as page:
        yield page


@pytest.fixture(scope="session")
def genuine(city: Path) -> bytes:
    """A certificate that was issued and printed."""
    return certificate(city / "keys", GENUINE)
