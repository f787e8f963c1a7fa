"""The checks can see: bugs of the kind that hurt in 2023 are planted, and every one is found."""

import pytest

from tests.explorer.planted import PLANTED, PlantedBug, search


@pytest.mark.parametrize("bug", PLANTED, ids=lambda one: one.name)
def test_planted_bug_is_found(bug: PlantedBug) -> None:
    """The rule that it breaks is named, with the steps that lead there."""
    found = search(bug)

    assert (found.fault or "nothing").startswith(bug.breaks)
    assert found.trace, "a counterexample is told step by step"
