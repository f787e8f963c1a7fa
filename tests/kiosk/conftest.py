"""One city and one machine for all tests in the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.kiosk.scene import opened_city, served_kiosk
from tests.terminal_sim.conftest import founded, town
from tests.verify_page.browser import launched

__all__ = ["founded", "town"]  # fixtures of the terminal's tests


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sample city whose line is open."""
    with opened_city(tmp_path_factory.mktemp("kiosk") / "city") as folder:
        yield folder


@pytest.fixture(scope="session")
def address(city: Path) -> Iterator[str]:
    """The panel of one of its machines."""
    with served_kiosk(city) as served:
        yield served


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    """Chromium; Playwright has an event loop until the module ends."""
    with sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()
