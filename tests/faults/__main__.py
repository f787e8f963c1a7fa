"""Real faults on real processes: python -m tests.faults [--short] [--only NAME,...] [--seed N].

Processes of a whole city die at exact calls, at random and stopped under load; disks fill, fail and
tear; the network is cut, stalled, slowed and corrupted. Prints a table of what was done and found,
writes the same into var/faults/, and ends with 1 if anything was found.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from protocol.errors import SetUpError
from tests.faults.programme import NAMES, Wishes, run
from tests.faults.report import table, violations, write_json
from tests.faults.stage import Foundation


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few of each kind")
    parser.add_argument("--only", metavar="NAME,…", help="of " + ", ".join(NAMES))
    parser.add_argument("--seed", type=int, default=1, help="of what is random (%(default)s)")
    parser.add_argument(
        "--at", type=_numbers, default=(), metavar="N[-M]", help="of a sweep, these calls alone"
    )
    parser.add_argument("--kills", type=int, default=200, help="random ones (%(default)s)")
    parser.add_argument(
        "--soak-minutes", type=float, default=2.0, help="length of the soak (%(default)s)"
    )
    parser.add_argument("--planted", default="", help="a bug of planted/sitecustomize.py")
    arguments = parser.parse_args()
    only = tuple(arguments.only.split(",")) if arguments.only else NAMES
    unknown = [name for name in only if name not in NAMES]
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    wishes = Wishes(
        only=only,
        short=arguments.short,
        seed=arguments.seed,
        at=arguments.at,
        kills=arguments.kills,
        soak_s=arguments.soak_minutes * 60,
        planted=arguments.planted,
    )
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            rows = run(Foundation.lay(Path(folder)), wishes)
    except SetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{table(rows)}\n")
    for row in rows:
        sys.stdout.writelines(f"{row.fault}: {note}\n" for note in row.notes if note)
    name = "all" if only == NAMES else "-".join(only)
    path = write_json(rows, name)
    sys.stdout.write(f"in {time.monotonic() - began:.0f} s; {path}\n")
    found = violations(rows)
    if found:
        sys.stdout.write(f"{found}\n")
        return 1
    return 0


def _numbers(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
