"""The long form: python -m tests.pin_judge --histories 1000 --seed 1.

Storms of client processes at a PIN judge that is killed; each card gives one history. Prints what
was done and found; the exit status is 1 if a history is not linearizable or the ghost saw a fault.
"""

import argparse
import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from keys.city_keys import create_city_keys
from tests.pin_judge.histories import linearizable
from tests.pin_judge.judge_bench import CITY
from tests.pin_judge.storm import Plan, Storm
from tests.power_cuts.cuts import folder_in_memory

CARDS = 102


def main() -> int:
    """Run storm after storm until there are enough histories."""
    parser = argparse.ArgumentParser(prog="python -m tests.pin_judge", description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000, help="at least (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first one (%(default)s)")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    histories = operations = unknown = comparisons = judges = clients = 0
    faults: list[str] = []
    began_s, seed = time.monotonic(), arguments.seed
    while histories < arguments.histories:
        with folder_in_memory() as folder:  # what a killed process wrote is there without a disk
            keys = folder / "keys"
            create_city_keys(keys, CITY, datetime.now(UTC))
            storm = Storm(Plan(seed=seed, cards=CARDS), folder, keys)
            asyncio.run(storm.run())
            found = storm.histories()
            faults += [f"seed {seed}: {fault}" for fault in storm.faults()]
            faults += [f"seed {seed}: {one}" for one in found if not linearizable(one)]
            histories += len(found)
            operations += sum(map(len, found))
            unknown += sum(one.outcome is None for history in found for one in history)
            comparisons += storm.comparisons()
            judges, clients = judges + storm.judges_killed, clients + storm.clients_killed
        seed += 1
        sys.stderr.write(f"{histories} histories, {len(faults)} faults\n")
    sys.stdout.write(
        f"{histories} histories of {operations} operations ({unknown} without an answer),"
        f" {comparisons} comparisons, {judges} judges and {clients} clients killed,"
        f" {time.monotonic() - began_s:.0f} s, seeds {arguments.seed} to {seed - 1}:"
        f" {len(faults)} faults {faults[:1]}\n"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
