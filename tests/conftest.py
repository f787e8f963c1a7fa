"""What all tests share: how many cases are generated, and that none hangs for ever."""

import faulthandler
import os
import sys
from pathlib import Path

import hypothesis
import pytest

SHORT_EXAMPLES_MAX = 50
FULL_EXAMPLES_MAX = 2_000
STANDARD_ERROR = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--full``, the long form of ``make test-full``."""
    parser.addoption("--full", action="store_true", help="many more generated cases")


def pytest_configure(config: pytest.Config) -> None:
    """Generate the same cases at every run of the short form; search further in the long one."""
    if sys.__stderr__ is not None:  # before a test's output is captured
        config.stash[STANDARD_ERROR] = os.dup(sys.__stderr__.fileno())
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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Watch the end of every test, also of one that failed.

    pytest's own watch (``faulthandler_timeout``) is called off at a failure, though a failed test
    is the likeliest to leave what its fixtures cannot end. pytest calls this one off, too.
    """
    wait_s = float(item.config.getini("faulthandler_timeout"))
    if wait_s > 0 and STANDARD_ERROR in item.config.stash:
        faulthandler.dump_traceback_later(
            wait_s,
            file=item.config.stash[STANDARD_ERROR],
            exit=item.config.getini("faulthandler_exit_on_timeout"),
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what ``pytest_configure`` opened."""
    if STANDARD_ERROR in config.stash:
        os.close(config.stash[STANDARD_ERROR])
        del config.stash[STANDARD_ERROR]
