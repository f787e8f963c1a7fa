"""What the tests of keys share: one city's keys, made anew for every run."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.authority import Authority
from keys.city_keys import create_city_keys
from keys.terminal_keys import create_terminal_keys

CITY = "272035"


@pytest.fixture(scope="session")
def not_before() -> datetime:
    """A beginning of validity that has passed: TLS compares certificates with the real clock."""
    return datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture(scope="session")
def authority(not_before: datetime) -> Authority:
    """The line authority of a city."""
    return Authority.generate(CITY, not_before=not_before)


@pytest.fixture
def city_folder(tmp_path: Path) -> Path:
    """A city's key folder with one terminal admitted, whose folder is ``terminal`` beside it."""
    root = tmp_path / "keys"
    create_city_keys(root, CITY, datetime.now(UTC))
    create_terminal_keys(root, "T-0001", tmp_path / "terminal", bytes(range(8)), datetime.now(UTC))
    return root
