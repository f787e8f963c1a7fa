"""The soak: steady load for long, random faults of all kinds, and what it leaves behind."""

import errno
import os
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.ledger import Findings
from tests.faults.network import TROUBLES, Roads, roads
from tests.faults.panel import NEVER, Calls, Role
from tests.faults.report import Row
from tests.faults.stage import Foundation, Stage, staged
from tests.faults.storm import Load, hit, settled_and_examined

CALM_S = (0.5, 4.0)
EXAMINED_EVERY_S = 120
RESIDENT_GROWTH_KIB_MAX = 64 * 1_024
DESCRIPTORS_GROWTH_MAX = 64
DISK_FAULT_S_MAX = 8
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Of the server's process, when nothing is under way.

    Attributes:
        resident_kib: memory.
        descriptors: open files and sockets.
    """

    resident_kib: int
    descriptors: int

    @classmethod
    def of(cls, process: int) -> "Size":
        """Look at a process."""
        place = Path(f"/proc/{process}")
        pages = int((place / "statm").read_text().split()[1])
        return cls(resident_kib=pages * _PAGE_KIB, descriptors=len(list((place / "fd").iterdir())))


def soak(foundation: Foundation, *, length_s: float, seed: int, planted: str = "") -> Row:
    """Let terminals issue for a while under faults; the server dies only of them."""
    row = Row(fault="soak", rerun=f"--only soak --seed {seed} --soak-minutes {length_s / 60:g}")
    chance = random.Random(seed)
    until = time.monotonic() + length_s
    counts: dict[str, int] = {}
    sizes: list[tuple[int, Size]] = []
    with staged(foundation, "soak", planted=planted) as stage, roads(stage, seed) as ways:
        stage.start()
        load = Load(stage)
        while time.monotonic() < until and row.clean:
            load.begin()
            examined_at = min(until, time.monotonic() + EXAMINED_EVERY_S)
            while time.monotonic() < examined_at:
                time.sleep(chance.uniform(*CALM_S))
                what = _fault(stage, load, ways, chance)
                if what:
                    row.points += 1
                    counts[what] = counts.get(what, 0) + 1
            began = time.monotonic()
            load.end()
            if not stage.serves():
                stage.rise()
            row.findings.add(settled_and_examined(stage, row, began))
            sizes.append(_size(stage))
            sys.stderr.write(f"soak: {row.points} faults, {load.visits} visits, {sizes[-1]}\n")
        told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        row.notes.append(f"{load.visits} visits, {len(stage.witness.sheets())} papers; {told}")
        _compare(sizes, row)
    return row


def _fault(stage: Stage, load: Load, ways: Roads, chance: random.Random) -> str | None:
    """Let one random thing happen, over when this returns; return what."""
    kind = chance.choice(("process", "network", "disk"))
    if kind == "process":
        return hit(stage, load, chance)
    if kind == "network":
        trouble = chance.choice(TROUBLES)
        ways.trouble(trouble, chance)
        return trouble.name
    role = chance.choice((Role.SERVER, Role.JUDGE, Role.TERMINAL))
    full = chance.random() < 0.5
    if full:
        stage.panel.refuse(role, Calls.WRITE, errno.ENOSPC, at=chance.randint(1, 50), span=NEVER)
    else:
        stage.panel.refuse(role, Calls.SYNC, errno.EIO, at=chance.randint(1, 10))
    limit = time.monotonic() + chance.uniform(1, DISK_FAULT_S_MAX)
    while time.monotonic() < limit and stage.serves():
        time.sleep(0.05)
    fired = stage.panel.fired(role)
    stage.panel.rest(role)
    if not stage.serves():
        stage.rise()
    return f"{role.name.lower()}'s disk {'full' if full else 'failing'}" if fired else None


def _size(stage: Stage) -> tuple[int, Size]:
    assert stage.town.server is not None
    process = stage.town.server.process.pid
    return process, Size.of(process)


def _compare(sizes: list[tuple[int, Size]], row: Row) -> None:
    """Hold the last size against the first; a server that was started anew began anew."""
    if not sizes:
        return
    (began, first), (ended, last) = sizes[0], sizes[-1]
    again = "the same process" if began == ended else "another process by then"
    row.notes.append(f"the server at first {first}, at last {last}, {again}")
    if last.resident_kib - first.resident_kib > RESIDENT_GROWTH_KIB_MAX:
        row.findings.add(Findings(other=[f"memory grew from {first} to {last}"]))
    if last.descriptors - first.descriptors > DESCRIPTORS_GROWTH_MAX:
        row.findings.add(Findings(other=[f"descriptors grew from {first} to {last}"]))
