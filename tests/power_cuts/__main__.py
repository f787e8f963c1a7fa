"""The long form: python -m tests.power_cuts --cuts 100000 --seed 1.

Each seed is a city of its own: several starts of the server, each on what a power cut left of the
one before. Prints what was done and found; the exit status is 1 if anything was found.
"""

import argparse
import sqlite3
import sys
import time

from tests.power_cuts.cuts import Plan, Tally, folder_in_memory, found_small_city, run

PROGRESS_EVERY_S = 30


def main() -> int:
    """Run seed after seed until there were enough cuts."""
    parser = argparse.ArgumentParser(prog="python -m tests.power_cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=100_000, help="at least so many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first one (%(default)s)")
    arguments = parser.parse_args()
    tally, began_s, told_s = Tally(), time.monotonic(), 0.0
    seed = arguments.seed
    with folder_in_memory() as folder:
        founded = found_small_city(folder)
        while tally.cuts < arguments.cuts and not tally.faults:
            run(Plan(seed=seed, lives=3, cuts=3), founded, tally)
            seed += 1
            passed_s = time.monotonic() - began_s
            if passed_s - told_s >= PROGRESS_EVERY_S:
                told_s = passed_s
                sys.stderr.write(f"{tally.cuts} cuts\n")
    sys.stdout.write(
        f"SQLite {sqlite3.sqlite_version}: {tally.cuts} power cuts"
        f" ({tally.unsynced} of them with something unsynced)"
        f" at {tally.events} events of {tally.lives} lives with {tally.customers} customers"
        f" in {time.monotonic() - began_s:.0f} s, seeds {arguments.seed} to {seed - 1}:"
        f" {sum(tally.faults.values())} faults {tally.first}\n"
    )
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
