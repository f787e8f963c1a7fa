"""Sums of many worlds, the closing table, and how a violation is told."""

from collections import Counter
from dataclasses import dataclass, field

from tests.sim.plan import HOUR_MS, Mode
from tests.sim.world import Outcome

VIOLATIONS_TOLD_MAX = 20


@dataclass(slots=True)
class Sums:
    """What many worlds came to.

    Attributes:
        worlds: how many.
        virtual_ms: how long they lasted, in their own time.
        cpu_s: what they cost.
        counts: see ``Outcome``.
        faults: by kind.
        broken: seed and mode of every world with a violation, with its first words.
    """

    worlds: int = 0
    virtual_ms: int = 0
    cpu_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, outcome: Outcome, cpu_s: float) -> None:
        """Take one more world."""
        self.worlds += 1
        self.virtual_ms += outcome.virtual_ms
        self.cpu_s += cpu_s
        self.counts += outcome.counts
        self.faults += outcome.faults
        if outcome.violations:
            self.broken.append((outcome.seed, outcome.mode.value, str(outcome.violations[0])))

    @property
    def per_core_s(self) -> float:
        """Issuances begun for each second of one core."""
        return self.counts["begun"] / self.cpu_s if self.cpu_s else 0.0

    @property
    def same_second_percent(self) -> float:
        """Share of applications in whose second another one came."""
        return 100 * self.counts["same_second"] / max(1, self.counts["begun"])

    def line(self) -> str:
        """Return the progress in one line."""
        return (
            f"{self.worlds:,} worlds, {self.virtual_ms / HOUR_MS:,.0f} h, "
            f"{self.counts['begun']:,} issuances, {sum(self.faults.values()):,} faults, "
            f"{len(self.broken)} broken, {self.per_core_s:,.0f} issuances/s of a core"
        )

    def table(self) -> str:
        """Return all figures."""
        counts = self.counts
        rows = [
            ("worlds (seed and mode)", f"{self.worlds:,}"),
            ("virtual hours", f"{self.virtual_ms / HOUR_MS:,.1f}"),
            ("issuances begun", f"{counts['begun']:,}"),
            ("  released", f"{counts['released']:,}"),
            ("  completed", f"{counts['completed']:,}"),
            ("  reversed", f"{counts['reversed']:,}"),
            ("  withdrawn", f"{counts['withdrawn']:,}"),
            ("papers (copies) out", f"{counts['papers']:,}"),
            ("sheets out", f"{counts['sheets']:,}"),
            ("applications within one second of another", f"{self.same_second_percent:.1f} %"),
            ("PIN comparisons", f"{counts['comparisons']:,}"),
            ("lives of the server", f"{counts['server_lives']:,}"),
            ("faults", f"{sum(self.faults.values()):,}"),
            *((f"  {kind}", f"{number:,}") for kind, number in sorted(self.faults.items())),
            ("issuances per second of one core", f"{self.per_core_s:,.0f}"),
            ("CPU seconds", f"{self.cpu_s:,.1f}"),
            ("worlds with a violation", f"{len(self.broken):,}"),
        ]
        wide = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{wide}}  {value:>14}" for name, value in rows)


def told(outcome: Outcome, store: str = "memory") -> str:
    """Return how a world broke, and the command that repeats it."""
    lines = [f"seed {outcome.seed}, {outcome.mode.value}: a rule was broken"]
    lines += [f"  {violation}" for violation in outcome.violations[:VIOLATIONS_TOLD_MAX]]
    lines.append(f"  the last {len(outcome.last)} events (µs, node, what):")
    lines += [f"    {line}" for line in outcome.last]
    lines.append(f"  repeat: {repeating(outcome.seed, outcome.mode, store)}")
    return "\n".join(lines)


def repeating(seed: int, mode: Mode, store: str) -> str:
    """Return the command that repeats one world."""
    chosen = "" if store == "memory" else f" --store {store}"
    return f"python -m tests.sim --seed {seed} --mode {mode.value}{chosen}"
