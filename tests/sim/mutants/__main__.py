"""Plants bugs and tells what finds them: ``python -m tests.sim.mutants``.

::

    python -m tests.sim.mutants                  all of them
    python -m tests.sim.mutants 03 yokohama      those whose names contain one of these
    python -m tests.sim.mutants --jobs 2         two at once
    python -m tests.sim.mutants --planted        the explorer's own ones as well
    python -m tests.sim.mutants --write          writes the table of docs/proofs/mutants.md anew

What each came to lies in ``var/mutants/`` as JSON. The exit code is 1 if one was not found.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tests.explorer.planted import PLANTED, search
from tests.sim.mutants import page
from tests.sim.mutants.hunt import Catch
from tests.sim.mutants.patches import SEEDS_MAX, Mutant, mutants
from tests.sim.mutants.planting import ROOT, HuntBroke, PatchFailed, Result, caught

RESULTS = ROOT / "var" / "mutants"
EXIT_ALL_FOUND, EXIT_MISSED = 0, 1


def main(argv: Sequence[str]) -> int:
    """Plant what is asked for; 1 if something was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=1, help="hunts at once")
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="of the simulation, at most")
    parser.add_argument("--planted", action="store_true", help="the explorer's own ones as well")
    parser.add_argument("--write", action="store_true", help="write the table of the proof")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where JSON is written")
    asked = parser.parse_args(argv)
    chosen = [one for one in mutants() if _is_meant(one.name, asked.names)]
    asked.results.mkdir(parents=True, exist_ok=True)
    missed = 0
    for result in _results(chosen, asked.jobs, asked.seeds):
        missed += not result.catch.said
        print(told(result), flush=True)
        path = asked.results / f"{result.name}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(result)))
    if asked.planted:
        missed += _search_planted()
    print(f"{len(chosen)} planted, {missed} not found")
    if asked.write:
        page.write(asked.results, mutants())
    return EXIT_MISSED if missed else EXIT_ALL_FOUND


def told(result: Result) -> str:
    """Return bug, finder, effort and what was said, in three lines."""
    catch = result.catch
    said = catch.said or "NOT FOUND"
    effort = f"{catch.looked_at:,} {result.unit}, {result.took_s:.1f} s"
    return f"{result.name}\n    {result.finder}: {effort}, {catch.where}\n    {said}"


def _is_meant(name: str, words: Sequence[str]) -> bool:
    return not words or any(word in name for word in words)


def _results(chosen: Sequence[Mutant], jobs: int, seeds_max: int) -> Iterator[Result]:
    def hunted(mutant: Mutant) -> Result:
        try:
            return caught(mutant, seeds_max=seeds_max)
        except (PatchFailed, HuntBroke) as error:
            print(f"{mutant.name}: {error}", file=sys.stderr, flush=True)
            nothing = Catch(said="", looked_at=0, where="nowhere", took_s=0.0)
            return Result(
                name=mutant.name,
                bug=mutant.bug,
                breaks=mutant.breaks,
                finder=mutant.finders[0].name,
                catch=nothing,
                took_s=0.0,
            )

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        yield from pool.map(hunted, chosen)


def _search_planted() -> int:
    """Let the explorer find its own planted bugs; return how many it does not find."""
    missed = 0
    for bug in PLANTED:
        found = search(bug)
        fault = found.fault or "NOT FOUND"
        missed += not fault.startswith(bug.breaks)
        print(
            f"{bug.name}\n    explorer: {found.states:,} states, {found.took_s:.1f} s\n    {fault}"
        )
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
