"""Looks for a broken rule in the tree that it lies in: the runner calls it in a patched copy.

::

    python -m tests.sim.mutants.hunt explorer NAME...
    python -m tests.sim.mutants.hunt simulation MODE STORE FIRST_SEED SEEDS

One line of JSON tells what came of it.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import issuance_server
from tests.explorer.configuration import LONG, SHORT
from tests.explorer.search import Search
from tests.sim.plan import Mode
from tests.sim.world import simulate


class Catch(msgspec.Struct, frozen=True, kw_only=True):
    """What a hunt came to.

    Attributes:
        said: the rule that is broken and how; empty if nothing was found.
        looked_at: states of the explorer, or seeds, until it was found.
        where: configuration or seed.
        took_s: seconds of the processor.
    """

    said: str
    looked_at: int
    where: str
    took_s: float


def main(argv: Sequence[str]) -> int:
    """Hunt."""
    here, product = Path.cwd(), Path(str(issuance_server.__file__))
    if not product.is_relative_to(here):
        print(f"the product under test is {product}, and not the one in {here}", file=sys.stderr)
        return 2
    kinds: dict[str, Callable[[Sequence[str]], Catch]] = {
        "explorer": explored,
        "simulation": simulated,
    }
    print(msgspec.json.encode(kinds[argv[0]](argv[1:])).decode())
    return 0


def explored(names: Sequence[str]) -> Catch:
    """Search configurations, one after the other, until a rule is broken."""
    began_s, states = time.process_time(), 0
    known = {one.name: one for one in (*SHORT, *LONG)}
    for name in names:
        found = Search(known[name]).run()
        states += found.states
        if found.fault is not None:
            said = f"{found.fault} (after {len(found.trace)} steps)"
            return _caught(said, states, name, began_s)
    return _caught("", states, ", ".join(names), began_s)


def simulated(asked: Sequence[str]) -> Catch:
    """Simulate seeds, one after the other, until a rule is broken."""
    began_s = time.process_time()
    mode, store, first, seeds = Mode(asked[0]), asked[1], int(asked[2]), int(asked[3])
    for seed in range(first, first + seeds):
        outcome = simulate(seed, mode, store=store)
        if outcome.violations:
            said = str(outcome.violations[0])
            return _caught(said, seed - first + 1, f"seed {seed}", began_s)
    return _caught("", seeds, f"seeds {first} to {first + seeds - 1}", began_s)


def _caught(said: str, looked_at: int, where: str, began_s: float) -> Catch:
    took_s = round(time.process_time() - began_s, 2)
    return Catch(said=said, looked_at=looked_at, where=where, took_s=took_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
