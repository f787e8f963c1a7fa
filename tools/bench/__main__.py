"""Measure what things cost and print a table.

Run from the top of the checkout::

    python -m tools.bench                     everything
    python -m tools.bench NAME...             some
    python -m tools.bench --json              for programs
    python -m tools.bench --strict            status 1 if a target is missed

Without ``--strict`` it measures and does not judge: a machine under other load misses targets that
the code meets. Figures that were taken with care stand in ``docs/figures.md``.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from tools.bench import certificate_costs, protocol_costs, trace_costs
from tools.bench.measure import USUAL, Benchmark, Effort, Result

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        *protocol_costs.BENCHMARKS,
        *certificate_costs.BENCHMARKS,
        *trace_costs.BENCHMARKS,
    )
}


def main(arguments: Sequence[str] | None = None, *, effort: Effort = USUAL) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description="Measure what things cost.",
        epilog=f"Names: {', '.join(BENCHMARKS)}.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a target is missed")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in BENCHMARKS]:
        parser.error(f"there is no {unknown[0]}; see --help")
    results = [_run(BENCHMARKS[name], effort) for name in asked.names or BENCHMARKS]
    if asked.json:
        print(json.dumps([_row(result) for result in results], ensure_ascii=False, indent=2))
    else:
        print("\n".join(_table(results)))
    missed = any(result.within is False for result in results)
    return 1 if asked.strict and missed else 0


def _run(benchmark: Benchmark, effort: Effort) -> Result:
    return Result(benchmark=benchmark, figures=benchmark.measure(effort))


def _row(result: Result) -> dict[str, object]:
    benchmark = result.benchmark
    return {
        "name": benchmark.name,
        "what": benchmark.what,
        "unit": benchmark.unit,
        "min": min(result.figures),
        "median": result.median,
        "max": max(result.figures),
        "at_most": benchmark.at_most,
        "at_least": benchmark.at_least,
        "within": result.within,
    }


def _table(results: Sequence[Result]) -> list[str]:
    """Return the lines of the table, its columns aligned."""
    rows: list[tuple[str, ...]] = [("name", "median", "min", "max", "unit", "target", "", "what")]
    rows += [
        (
            result.benchmark.name,
            *map(_shown, (result.median, min(result.figures), max(result.figures))),
            result.benchmark.unit,
            _target(result.benchmark),
            {True: "within", False: "MISSED", None: ""}[result.within],
            result.benchmark.what,
        )
        for result in results
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if 1 <= place <= _NUMBERS else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _shown(figure: float) -> str:
    return f"{figure:.0f}" if figure >= _WHOLE_FROM else f"{figure:.2f}"


def _target(benchmark: Benchmark) -> str:
    if benchmark.at_most is not None:
        return f"≤ {benchmark.at_most:g}"
    return f"≥ {benchmark.at_least:g}" if benchmark.at_least is not None else ""


_NUMBERS = 3
_WHOLE_FROM = 100

if __name__ == "__main__":
    sys.exit(main())
