"""Two worlds with one seed and other people look the same: ``python -m tests.sim.noninterference``.

Each seed is simulated twice, with all its faults. Names, addresses, numbers, birthdays, cards and
PINs are others the second time (``residents``); everything else is what it was. What anybody sees
who has the broker, the server's log or a view of the machines, has to be the same. What differs all
the same has leaked.
"""

import argparse
import gc
import io
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

from issuance_server.observe.logging import EventLog
from protocol.envelope import HEADER_BYTES
from tests.sim.checks.witness import Witness
from tests.sim.outcome import Outcome, Plant
from tests.sim.plan import HOUR_MS, Mode
from tests.sim.world import World, simulate

EXIT_SAME, EXIT_DIFFERENT = 0, 1
SEEDS = 20
PROGRESS_EVERY_S = 30.0
PAIRS_PER_CHILD = 100
"""A child process is replaced after so many, so that memory stays bounded whatever they keep."""
_MS_PER_S = 1_000

Seen = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What can be seen of one world from outside.

    Attributes:
        passed: of every message at the broker: when, in µs, where to, its header, its length.
        logged: the lines of the server's log, as they are written for programs.
        happened: at the machines: when, in µs, where, and a record's kind, a coin or a sheet.
        outcome: what became of the world.
    """

    passed: list[Seen]
    logged: list[bytes]
    happened: list[Seen]
    outcome: Outcome


class Bystander(Witness):
    """Writes down what can be seen of a world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.passed: list[Seen] = []
        self.happened: list[Seen] = []
        self._loop = world.loop
        self._lines = io.BytesIO()
        self._log = EventLog()
        self._log.configure(
            log_format="json",
            stream=self._lines,
            now=lambda: datetime.fromtimestamp(world.server_clock.real_ms() / _MS_PER_S, UTC),
        )

    @property
    def logged(self) -> list[bytes]:
        """The lines of the log."""
        return self._lines.getvalue().splitlines()

    def on_message(self, topic: str, payload: bytes) -> None:
        """Look at a message from outside: the header, and how long it is; the rest is noise."""
        self.passed.append((self._loop.now_us, topic, payload[:HEADER_BYTES], len(payload)))

    def on_log(self, event: str, fields: dict[str, Any]) -> None:
        """Write a line with the log that ships, which refuses what is not in its catalogue."""
        self._log(event, **fields)

    def on_terminal_records(self, terminal: str, records: list[Any]) -> None:
        """Note what happens at a machine; digests of content are not for the eye."""
        for record in records:
            of = getattr(record, "issuance_id", b"")
            self.happened.append((self._loop.now_us, terminal, type(record).__name__, of))

    def on_sheet(self, terminal: str, issuance_id: bytes, sheet: int, _text: str) -> None:
        """See a sheet from behind."""
        self.happened.append((self._loop.now_us, terminal, "sheet", issuance_id, sheet))

    def on_coins(self, terminal: str, issuance_id: bytes, move: str, amount_yen: int) -> None:
        """Hear coins."""
        self.happened.append((self._loop.now_us, terminal, move, issuance_id, amount_yen))


def observe(
    seed: int, mode: Mode, people_seed: int, *, store: str = "memory", plant: Plant | None = None
) -> Observation:
    """Run one world, and return what can be seen of it.

    Args:
        seed: decides everything but who the people are.
        mode: what the world is watched for.
        people_seed: decides on the people.
        store: ``memory`` or ``sqlite``.
        plant: patches the product before the world begins.
    """
    bystanders: list[Bystander] = []

    def watch(world: World) -> None:
        bystanders.append(Bystander(world))
        world.court.join(bystanders[0])
        world.network.tap = bystanders[0].on_message

    outcome = simulate(seed, mode, store=store, plant=plant, people_seed=people_seed, watch=watch)
    seen = bystanders[0]
    return Observation(
        passed=seen.passed, logged=seen.logged, happened=seen.happened, outcome=outcome
    )


def first_difference(one: Observation, other: Observation) -> str | None:
    """Return the first thing that somebody could tell the worlds apart by."""
    for kind in ("passed", "logged", "happened"):
        seen: tuple[list[Any], list[Any]] = (getattr(one, kind), getattr(other, kind))
        for left, right in zip(*seen, strict=False):
            if left != right:
                return f"{kind}:\n  {left!r}\n  {right!r}"
        if len(seen[0]) != len(seen[1]):
            return f"{kind}: {len(seen[0])} or {len(seen[1])} in all"
    for kind in ("virtual_ms", "steps", "counts", "faults"):
        ends = getattr(one.outcome, kind), getattr(other.outcome, kind)
        if ends[0] != ends[1]:
            return f"{kind}:\n  {ends[0]!r}\n  {ends[1]!r}"
    return None


@dataclass(slots=True, kw_only=True)
class Compared:
    """Worlds that were compared, and what came of it.

    Attributes:
        seeds: how many pairs.
        counts: of one world of each pair: messages, lines, issuances, PINs, and so on.
        faults: of one world of each pair, by kind.
        told_apart: by seed, the first difference, or the first rule that was broken.
    """

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    told_apart: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Compared") -> None:
        """Take further pairs."""
        self.seeds += other.seeds
        self.counts += other.counts
        self.faults += other.faults
        self.told_apart |= other.told_apart

    def line(self) -> str:
        """Return it in words."""
        counts = self.counts
        return (
            f"{self.seeds:,} seeds with two sets of people: {len(self.told_apart):,} told apart\n"
            f"  in each of the two: {counts['virtual_ms'] / HOUR_MS:,.0f} virtual hours, "
            f"{counts['passed']:,} messages, {counts['logged']:,} lines, "
            f"{counts['happened']:,} events at machines,\n"
            f"  {counts['begun']:,} issuances ({counts['completed']:,} completed), "
            f"{counts['comparisons']:,} PINs compared, "
            f"{self.faults.total():,} faults of {len(self.faults)} kinds"
        )


def compare(
    seed: int, mode: Mode, *, store: str = "memory", plant: Plant | None = None
) -> Compared:
    """Run one seed with two sets of people.

    Args:
        seed: decides everything but the people, who come from its double and the number behind.
        mode: what the worlds are watched for.
        store: ``memory`` or ``sqlite``.
        plant: patches the product before each of the worlds begins.
    """
    one, other = (
        observe(seed, mode, people_seed, store=store, plant=plant)
        for people_seed in (2 * seed, 2 * seed + 1)
    )
    compared = Compared(seeds=1, faults=one.outcome.faults, counts=one.outcome.counts.copy())
    for kind in ("passed", "logged", "happened"):
        compared.counts[kind] = len(getattr(one, kind))
    compared.counts["virtual_ms"] = one.outcome.virtual_ms
    difference = first_difference(one, other)
    for outcome in (one.outcome, other.outcome):
        if outcome.violations and difference is None:
            difference = f"a rule was broken: {outcome.violations[0]}"
    if difference is not None:
        compared.told_apart[seed] = difference
    return compared


Task = tuple[int, str, str]


def compare_one(task: Task) -> Compared:
    """Run one seed in a process of its own."""
    seed, mode, store = task
    return compare(seed, Mode(mode), store=store)


def main(argv: Sequence[str]) -> int:
    """Compare what is asked for; return 0 if nobody could be told apart."""
    asked = _arguments(argv)
    sums = Compared()
    until_s = time.monotonic() + PROGRESS_EVERY_S
    for compared in _pairs(asked):
        sums.add(compared)
        for seed, difference in compared.told_apart.items():
            print(f"seed {seed}, {asked.mode}: {difference}", flush=True)
        if time.monotonic() >= until_s:
            until_s = time.monotonic() + PROGRESS_EVERY_S
            print(sums.line(), file=sys.stderr, flush=True)
    print(sums.line())
    return EXIT_DIFFERENT if sums.told_apart else EXIT_SAME


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.noninterference")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.SAFETY.value)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--store", choices=["memory", "sqlite"], default="memory")
    return parser.parse_args(argv)


def _pairs(asked: argparse.Namespace) -> Iterator[Compared]:
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    tasks = [(seed, asked.mode, asked.store) for seed in seeds]
    if asked.jobs <= 1:
        yield from map(compare_one, tasks)
        return
    # what a process imported lasts: it need not be looked through after each world (gc.freeze)
    with get_context("spawn").Pool(asked.jobs, gc.freeze, (), PAIRS_PER_CHILD) as pool:
        yield from pool.imap_unordered(compare_one, tasks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
