"""The table of ``docs/proofs/mutants.md``, from the results that lie in ``var/mutants/``."""

import subprocess
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.sim.mutants.patches import Mutant
from tests.sim.mutants.planting import ROOT, Result

PAGE = ROOT / "docs" / "proofs" / "mutants.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def write(results: Path, known: Iterable[Mutant]) -> None:
    """Put the table of all results into the page.

    Args:
        results: the folder with a JSON file for each bug.
        known: the bugs, in the order of the table.
    """
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(_lines(results, tuple(known)))
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")


def _lines(results: Path, known: tuple[Mutant, ...]) -> Iterator[str]:
    found = [
        (one, msgspec.json.decode(path.read_bytes(), type=Result))
        for one in known
        if (path := results / f"{one.name}.json").exists()
    ]
    caught = sum(bool(result.catch.said) for _, result in found)
    total_s = sum(result.took_s for _, result in found)
    day = datetime.now(UTC).date().isoformat()
    yield (
        f"`make mutants`, {day}, commit `{_commit()}`: {len(known)} planted, {len(found)} hunted, "
        f"**{caught} found**, {total_s:,.0f} s of one core."
    )
    yield ""
    yield "| bug | finder | effort | s | what was said |"
    yield "|---|---|---:|---:|---|"
    for mutant, result in found:
        effort = f"{result.catch.looked_at:,} {result.unit}"
        said = (result.catch.said or "**not found**").replace("|", "\\|")
        cells = (_bug(mutant), result.finder, effort, f"{result.took_s:.1f}", said)
        yield f"| {' | '.join(cells)} |"


def _bug(mutant: Mutant) -> str:
    seen = f" *({mutant.seen})*" if mutant.seen else ""
    return f"{mutant.name[:2]} {mutant.bug}{seen}"


def _commit() -> str:
    command = ("git", "rev-parse", "--short", "HEAD")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
