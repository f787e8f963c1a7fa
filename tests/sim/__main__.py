"""Simulates seeds: ``python -m tests.sim --seeds 100``, or one exactly: ``--seed 17 --trace``."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import msgspec

from tests.sim.campaign import Task, simulate_one
from tests.sim.outcome import Outcome
from tests.sim.plan import HOUR_MS, Mode
from tests.sim.report import Sums, repeating, told
from tests.sim.world import simulate

EXIT_DONE, EXIT_BROKEN = 0, 1
SEEDS = 20
PROGRESS_EVERY_S = 5.0
SUMMARY = Path("var/sim/summary.json")
WORLDS_PER_BATCH = 8
WORLDS_PER_CHILD = 200
"""A child process is replaced after so many, so that memory stays bounded whatever they keep."""


class Progress(msgspec.Struct, kw_only=True):
    """What a campaign came to so far; enough to go on with it.

    Attributes:
        first_seed: where it began.
        next_seed: where it goes on.
        modes: which modes each seed is simulated in.
        store: behind the server.
        sums: of all worlds so far.
    """

    first_seed: int
    next_seed: int
    modes: tuple[str, ...]
    store: str
    sums: Sums


def main(argv: Sequence[str]) -> int:
    """Simulate what is asked for; return 0 if no rule was broken."""
    asked = _arguments(argv)
    modes = tuple(mode.value for mode in Mode) if asked.mode is None else (asked.mode,)
    if asked.seed is not None:
        return _one(asked, modes)
    progress = _progress(asked, modes)
    sums = progress.sums
    until_s = time.monotonic()
    for outcome, cpu_s in _worlds(asked, progress):
        sums.add(outcome, cpu_s)
        whole = outcome.mode.value == progress.modes[-1]
        progress.next_seed = outcome.seed + int(whole)
        if outcome.violations:
            print(told(outcome, asked.store), flush=True)
        if time.monotonic() >= until_s:
            until_s = time.monotonic() + PROGRESS_EVERY_S
            print(sums.line(), file=sys.stderr, flush=True)
            _write(asked.summary, progress)
        if _enough(asked, sums):
            break
    _write(asked.summary, progress)
    print(sums.table())
    for seed, mode, text in sums.broken:
        print(f"{text}: {repeating(seed, Mode(mode), asked.store)}")
    return EXIT_BROKEN if sums.broken else EXIT_DONE


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, help=f"how many ({SEEDS} if nothing is said)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seed", type=int, help="this one alone, and its trace hash")
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], help="only this one")
    parser.add_argument("--issuances", type=int, help="go on until so many have begun")
    parser.add_argument("--hours", type=float, help="go on until so many virtual hours are over")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--store", choices=["memory", "sqlite"], default="memory")
    parser.add_argument("--trace", action="store_true", help="with --seed: write every event")
    parser.add_argument("--resume", action="store_true", help="go on with the last campaign")
    parser.add_argument("--summary", type=Path, default=SUMMARY, help="where progress is kept")
    return parser.parse_args(argv)


def _one(asked: argparse.Namespace, modes: tuple[str, ...]) -> int:
    broken = False
    for mode in modes:
        stream = sys.stderr if asked.trace else None
        outcome = simulate(asked.seed, Mode(mode), store=asked.store, stream=stream)
        sums = Sums()
        sums.add(outcome, 0.0)
        print(f"seed {asked.seed} {mode}: trace {outcome.trace_hash}")
        print(f"  {sums.line()}")
        if outcome.violations:
            broken = True
            print(told(outcome, asked.store))
    return EXIT_BROKEN if broken else EXIT_DONE


def _progress(asked: argparse.Namespace, modes: tuple[str, ...]) -> Progress:
    if asked.resume and asked.summary.exists():
        return msgspec.json.decode(asked.summary.read_bytes(), type=Progress)
    first = asked.first_seed
    return Progress(first_seed=first, next_seed=first, modes=modes, store=asked.store, sums=Sums())


def _tasks(asked: argparse.Namespace, progress: Progress) -> Iterator[Task]:
    seeds = asked.seeds
    if seeds is None and asked.issuances is None and asked.hours is None:
        seeds = SEEDS
    seed = progress.next_seed
    while seeds is None or seed < progress.first_seed + seeds:
        yield from ((seed, mode, progress.store) for mode in progress.modes)
        seed += 1


def _worlds(asked: argparse.Namespace, progress: Progress) -> Iterator[tuple[Outcome, float]]:
    tasks = _tasks(asked, progress)
    if asked.jobs <= 1:
        yield from map(simulate_one, tasks)
        return
    with get_context("spawn").Pool(asked.jobs, maxtasksperchild=WORLDS_PER_CHILD) as pool:
        while batch := list(islice(tasks, WORLDS_PER_BATCH * asked.jobs)):
            yield from pool.imap(simulate_one, batch)


def _enough(asked: argparse.Namespace, sums: Sums) -> bool:
    if asked.issuances is not None and sums.counts["begun"] >= asked.issuances:
        return True
    return asked.hours is not None and sums.virtual_ms >= asked.hours * HOUR_MS


def _write(path: Path, progress: Progress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".new")
    waiting.write_bytes(msgspec.json.encode(progress))
    waiting.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
