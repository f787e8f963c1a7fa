"""Fuzz with coverage: ``make fuzz``, or ``python -m tests.fuzz``.

::

    make fuzz                                two minutes, shared by all targets
    make fuzz TARGET=decoder                 two minutes of one
    make fuzz TARGET=decoder RUNS=50000000   so many inputs
    python -m tests.fuzz --keep TARGET FILE "WHY"     an input becomes a crash that tests replay

Everything lies in ``var/fuzz/TARGET/``: the corpus, which a later run takes up, and the inputs that
crashed. A line of ``var/fuzz/runs.jsonl`` tells of every process. A crash ends the target with
status 1. What was found by hand or by machine and mended is kept in ``tests/fuzz/crashes.json``.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz import crashes
from tests.fuzz.targets import TARGETS

FOLDER = Path("var/fuzz")
SECONDS_DEFAULT = 120
RUNS_PER_PROCESS_MAX = 2_000_000
"""A fresh process now and then keeps a slow leak of a library from ending a long search."""
INPUT_S_MAX = 20
MEMORY_MIB_MAX = 2_048

_EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--keep", nargs=3, metavar=("TARGET", "FILE", "WHY"))
    keep = parser.parse_args().keep
    if keep is not None:
        crashes.keep(target=keep[0], content=Path(keep[1]).read_bytes(), why=keep[2])
        return 0
    wanted, runs = os.environ.get("TARGET", ""), os.environ.get("RUNS", "")
    if wanted and wanted not in TARGETS:
        print(f"TARGET is one of: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    if runs and not runs.isdecimal():
        print("RUNS is a number of inputs", file=sys.stderr)
        return 2
    names = [wanted] if wanted else list(TARGETS)
    crashed = [name for name in names if not fuzz(name, int(runs or 0), len(names))]
    for name in crashed:
        print(f"{name} crashed; the input is in {FOLDER / name}/", file=sys.stderr)
    return 1 if crashed else 0


def fuzz(name: str, runs: int, sharing: int) -> bool:
    """Fuzz one target and tell whether it held.

    Args:
        name: of the target.
        runs: how many inputs; 0 for a share of ``SECONDS_DEFAULT``.
        sharing: how many targets share that time.
    """
    corpus = FOLDER / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in TARGETS[name].seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:40]).write_bytes(seed)
    if not runs:
        return _process(name, f"-max_total_time={SECONDS_DEFAULT // sharing}")
    left = runs
    while left:
        now = min(left, RUNS_PER_PROCESS_MAX)
        if not _process(name, f"-runs={now}"):
            return False
        left -= now
    return True


def _process(name: str, bound: str) -> bool:
    """Run one process of the engine, show what it says, and record it."""
    folder = FOLDER / name
    command = [
        *(sys.executable, "-m", "tests.fuzz.engine", name, bound),
        f"-max_len={TARGETS[name].input_bytes_max}",
        f"-timeout={INPUT_S_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(folder / "corpus"),
    ]
    started_s, cpu_s = time.monotonic(), os.times().children_user
    executed = 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as engine:
        assert engine.stderr is not None
        for line in engine.stderr:
            print(line, end="", file=sys.stderr)
            if found := _EXECUTED.match(line):
                executed = int(found[1])
    record = {
        "target": name,
        "runs": executed,
        "held": engine.returncode == 0,
        "seconds": round(time.monotonic() - started_s),
        "cpu_seconds": round(os.times().children_user - cpu_s),
        "commit": _commit(),
        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    with (FOLDER / "runs.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(record) + "\n")
    return engine.returncode == 0


def _commit() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
