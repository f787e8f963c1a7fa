"""What all tests share: how many cases are generated."""

import os
from pathlib import Path

import hypothesis
import pytest

SHORT_EXAMPLES_MAX = 50
FULL_EXAMPLES_MAX = 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--full``, the long form of ``make test-full``."""
    parser.addoption("--full", action="store_true", help="many more generated cases")


def pytest_configure(config: pytest.Config) -> None:
    """Generate the same cases at every run of the short form; search further in the long one."""
    # Children are started apart from the working folder (python -P); doubles live in this tree.
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    full = bool(config.getoption("--full"))
    hypothesis.settings.register_profile(
        "chosen",
        max_examples=FULL_EXAMPLES_MAX if full else SHORT_EXAMPLES_MAX,
        derandomize=not full,
        deadline=None,
        print_blob=True,
    )
    hypothesis.settings.load_profile("chosen")
