"""Explore every configuration and print what was reached: ``python -m tests.explorer``.

::

    python -m tests.explorer                 the short form, as the tests run it
    python -m tests.explorer --long          more troubles at once
    python -m tests.explorer NAME...         only these configurations
    python -m tests.explorer --states N      stop each after so many states

A counterexample is printed as the steps that lead to it, and nothing shorter leads there.
"""

import argparse
import sys

from tests.explorer.configuration import LONG, SHORT
from tests.explorer.search import Found, Search

_HEAD = f"{'configuration':<22}{'states':>10}{'steps':>12}{'depth':>7}{'ends':>8}{'s':>8}"


def main() -> int:
    """Run the command line; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.explorer", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--states", type=int, metavar="N")
    asked = parser.parse_args()
    table = LONG if asked.long else SHORT
    chosen = [one for one in table if not asked.names or one.name in asked.names]
    print(_HEAD, flush=True)
    found = []
    for configuration in chosen:
        found.append(Search(configuration, asked.states).run())
        print(row(found[-1]), flush=True)
    states = sum(one.states for one in found)
    print(f"{'in all':<22}{states:>10,}{sum(one.moves for one in found):>12,}", end="")
    print(f"{'':>15}{sum(one.took_s for one in found):>8.1f}")
    return 1 if any(one.fault for one in found) else 0


def row(found: Found) -> str:
    """Return what came of one search, with the counterexample if there is one."""
    line = (
        f"{found.configuration.name:<22}{found.states:>10,}{found.moves:>12,}"
        f"{found.depth:>7}{found.ends:>8,}{found.took_s:>8.1f}"
    )
    if found.fault is not None:
        steps = "\n".join(f"  {n:>3}  {step}" for n, step in enumerate(found.trace, 1))
        return f"{line}\n{found.fault}, after {len(found.trace)} steps:\n{steps}"
    return line if found.exhausted else f"{line}  not all: stopped at the bound"


if __name__ == "__main__":
    sys.exit(main())
