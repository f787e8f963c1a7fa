"""Planted bugs are found: every patch still fits the product, and a few are hunted in earnest."""

import subprocess
from pathlib import Path

import pytest

from tests.sim.mutants.patches import Mutant, mutants, read
from tests.sim.mutants.planting import ROOT, caught

MUTANTS_MIN = 25
QUICK = ("10-fee-before-print", "27-printed-again", "28-spool-kept-after-power-loss")
"""Found by the explorer within a second; the others are found by ``make mutants``."""


def test_there_are_enough() -> None:
    """At least twenty-five bugs are planted, each under a number of its own."""
    numbers = [one.name[:2] for one in mutants()]

    assert len(numbers) >= MUTANTS_MIN
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("mutant", mutants(), ids=lambda one: one.name)
def test_a_patch_fits(mutant: Mutant) -> None:
    """A patch can be applied to the product as it is, and touches nothing but the product."""
    touched = [line for line in mutant.patch.read_text().splitlines() if line.startswith("+++ ")]
    command = ("git", "apply", "--check", "-C1", str(mutant.patch))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "" == done.stderr
    assert touched
    assert not [line for line in touched if line.startswith("+++ b/tests/")]


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    """The rule that the bug breaks is the one that its head names."""
    mutant = next(one for one in mutants() if one.name == name)

    result = caught(mutant)

    assert result.catch.said.partition(":")[0] == mutant.breaks.partition(":")[0]


def test_a_head_says_what_it_must(tmp_path: Path) -> None:
    """A patch whose head lacks a word is named."""
    path = tmp_path / "99-nameless.patch"
    path.write_text("Bug: none\n--- a/none\n")

    with pytest.raises(ValueError, match="99-nameless"):
        read(path)
