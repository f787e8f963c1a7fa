"""What is told of a run: a table for people, JSON in ``var/faults/`` for programs."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.ledger import Findings

JSON_FOLDER = Path("var/faults")
_P99 = 0.99


@dataclass(slots=True, kw_only=True)
class Row:
    """One kind of fault: how often, what was found, how long until all was settled again.

    Attributes:
        fault: its name.
        rerun: the words of the command that repeat it.
        points: how many faults happened.
        recoveries_ms: from the start of what comes back, or the end of the fault, until nothing
            was unfinished on either side.
        notes: anything to be told beside the figures.
    """

    fault: str
    rerun: str = ""
    points: int = 0
    findings: Findings = field(default_factory=Findings)
    recoveries_ms: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings.all()

    def figures(self) -> dict[str, int]:
        """Return median, 99th percentile and maximum of the recovery in milliseconds."""
        times = sorted(self.recoveries_ms)
        if not times:
            return {"median_ms": 0, "p99_ms": 0, "max_ms": 0}
        return {
            "median_ms": round(statistics.median(times)),
            "p99_ms": round(times[min(len(times) - 1, int(_P99 * len(times)))]),
            "max_ms": round(times[-1]),
        }


_HEAD = ("fault", "points", "lost", "dupl.", "crossed", "other", "median", "p99", "max ms")


def table(rows: list[Row]) -> str:
    """Return the rows as a table in Markdown."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(_HEAD))]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    found = row.findings
    counts = (len(part) for part in (found.lost, found.duplicated, found.crossed, found.other))
    return (row.fault, str(row.points), *map(str, counts), *map(str, row.figures().values()))


def violations(rows: list[Row]) -> str:
    """Return what was found and how to repeat it, a line each; empty if nothing was."""
    return "\n".join(
        f"{row.fault}: {text}\n    again: python -m tests.faults {row.rerun}"
        for row in rows
        for text in row.findings.all()
    )


def write_json(rows: list[Row], name: str) -> Path:
    """Write all figures, and return where."""
    JSON_FOLDER.mkdir(parents=True, exist_ok=True)
    path = JSON_FOLDER / f"{name}.json"
    told = [{**asdict(row), **row.figures(), "clean": row.clean} for row in rows]
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return path
