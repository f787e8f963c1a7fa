"""Plants a patch in a copy of the tree, and hunts for it there."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.sim.mutants.hunt import Catch
from tests.sim.mutants.patches import SEEDS_MAX, Finder, Mutant

ROOT = Path(__file__).parents[3]
PACKAGES = ("protocol", "keys", "issuance_server", "terminal_sim")
TESTS = ("explorer", "sim", "core", "protocol", "adapters")
"""Parts of the tests that explorer and simulation are made of."""
SEEDS_PER_PROCESS = 150
"""A process is replaced after so many, so that memory stays bounded whatever they keep."""


class PatchFailed(Exception):
    """A patch does not fit the tree any more."""


class HuntBroke(Exception):
    """The hunt ended without a word on what it found."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one planted bug.

    Attributes:
        name: of the bug.
        bug: what is wrong.
        breaks: the rule.
        finder: what looked last.
        catch: what it said.
        took_s: seconds of the processor, all finders together.
    """

    name: str
    bug: str
    breaks: str
    finder: str
    catch: Catch
    took_s: float

    @property
    def unit(self) -> str:
        """What its effort is counted in."""
        what = "state" if self.finder.startswith("explorer") else "seed"
        return what if self.catch.looked_at == 1 else f"{what}s"


@contextmanager
def patched_tree(patch: Path | None, root: Path = ROOT) -> Iterator[Path]:
    """Give a copy of product, explorer and simulation with a patch applied; None: as it is.

    Raises:
        PatchFailed: the patch does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="kofu-mutant-") as folder:
        copy = Path(folder)
        for package in PACKAGES:
            shutil.copytree(root / package, copy / package, ignore=_UNWANTED)
        for part in TESTS:
            shutil.copytree(root / "tests" / part, copy / "tests" / part, ignore=_UNWANTED)
        if patch is not None:
            apply(patch, copy)
        yield copy


def apply(patch: Path, tree: Path) -> None:
    """Apply a patch to a tree.

    Raises:
        PatchFailed: it does not fit.
    """
    command = ("git", "apply", "-C1", str(patch))
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PatchFailed(f"{patch.name} does not fit: {done.stderr.strip()}")


def caught(mutant: Mutant, *, seeds_max: int = SEEDS_MAX) -> Result:
    """Let the finders of a bug look for it, until one finds it.

    Raises:
        PatchFailed: the patch does not fit.
        HuntBroke: a hunt ended without an answer.
    """
    took_s = 0.0
    with patched_tree(mutant.patch) as tree:
        for finder in mutant.finders:
            catch = hunt(finder, tree, seeds_max)
            took_s += catch.took_s
            if catch.said:
                break
    return Result(
        name=mutant.name,
        bug=mutant.bug,
        breaks=mutant.breaks,
        finder=finder.name,
        catch=catch,
        took_s=round(took_s, 1),
    )


def hunt(finder: Finder, tree: Path, seeds_max: int = SEEDS_MAX) -> Catch:
    """Let one finder look for a broken rule in a tree.

    Raises:
        HuntBroke: it ended without an answer.
    """
    if finder.configurations:
        return _ask(tree, "explorer", *finder.configurations)
    took_s, looked_at = 0.0, 0
    while looked_at < seeds_max:
        seeds = min(SEEDS_PER_PROCESS, seeds_max - looked_at)
        numbers = (str(looked_at + 1), str(seeds))
        catch = _ask(tree, "simulation", finder.mode, finder.store, *numbers)
        took_s, looked_at = took_s + catch.took_s, looked_at + catch.looked_at
        if catch.said:
            break
    return msgspec.structs.replace(catch, looked_at=looked_at, took_s=round(took_s, 2))


def _ask(tree: Path, *words: str) -> Catch:
    command = (sys.executable, "-m", "tests.sim.mutants.hunt", *words)
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HuntBroke(f"the hunt {' '.join(words)} broke:\n{done.stderr[-2_000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Catch)


_UNWANTED = shutil.ignore_patterns("__pycache__", "*.patch", "test_*.py")
