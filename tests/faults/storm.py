"""Random ``kill -9`` and ``SIGSTOP`` of server, PIN judge, broker and terminals under load."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.ledger import CARDS, Findings
from tests.faults.report import Row
from tests.faults.stage import TERMINALS, Foundation, Stage, staged

LOAD = dict(zip(TERMINALS, CARDS, strict=True))
"""Each terminal serves one card over and over; all cards are of different households."""
CHILDREN = {"judge": "pin_judge", "broker": "embedded_broker"}
CALM_S = (0.05, 1.2)
STOPPED_S = (0.05, 3.0)
FAULTS_PER_EXAMINATION = 25
_MS_PER_S = 1_000


@dataclass(slots=True)
class Load:
    """Several terminals that issue, one visit after the other, until they are told to end.

    Attributes:
        running: the terminals' processes now, by terminal.
        visits: how many visits have ended.
    """

    stage: Stage
    running: dict[str, int] = field(default_factory=dict)
    visits: int = 0
    _threads: list[threading.Thread] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Let all terminals issue."""
        self._ending.clear()
        for terminal, card in LOAD.items():
            thread = threading.Thread(target=self._issue, args=(terminal, card))
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Let the visits that are under way end, and begin no more."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _issue(self, terminal: str, card: str) -> None:
        while not self._ending.is_set():
            begun = self.stage.visit(terminal, card)
            self.running[terminal] = begun.process.pid
            self.stage.end_of(begun)
            self.visits += 1
            self.running.pop(terminal, None)
            self.stage.town.terminals.remove(begun)


def storm(foundation: Foundation, *, faults: int, seed: int, planted: str = "") -> Row:
    """Hit random processes at random times, ``faults`` times in all."""
    row = Row(fault="storm", rerun=f"--only storm --seed {seed} --kills {faults}")
    chance = random.Random(seed)
    counts: dict[str, int] = {}
    with staged(foundation, "storm", planted=planted) as stage:
        stage.start()
        load = Load(stage)
        while row.points < faults and row.clean:
            load.begin()
            for _ in range(min(FAULTS_PER_EXAMINATION, faults - row.points)):
                time.sleep(chance.uniform(*CALM_S))
                what = hit(stage, load, chance)
                row.points += what is not None
                if what is not None:
                    counts[what] = counts.get(what, 0) + 1
            began = time.monotonic()
            load.end()
            row.findings.add(settled_and_examined(stage, row, began))
            sys.stderr.write(f"storm: {row.points} faults, {load.visits} visits\n")
        told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        row.notes.append(f"{load.visits} visits, {len(stage.witness.sheets())} papers; {told}")
    return row


def settled_and_examined(stage: Stage, row: Row, began: float) -> Findings:
    """Settle, note how long that took since ``began``, and return what does not hold."""
    settled = stage.settle()
    row.recoveries_ms.append((time.monotonic() - began) * _MS_PER_S)
    found = stage.examine()
    if not settled and not found.all():
        found.lost.append("never settled")
    return found


def hit(stage: Stage, load: Load, chance: random.Random) -> str | None:
    """Kill one process, or stop it for a while; return what was done."""
    who = chance.choice(("server", "judge", "broker", "terminal"))
    find: Callable[[], int] = {
        "server": lambda: _server(stage),
        "terminal": lambda: chance.choice(sorted(load.running.values())),
    }.get(who, lambda: stage.town.child_process(CHILDREN[who]))
    try:
        process = find()
        if chance.random() < 0.6:
            os.kill(process, signal.SIGKILL)
            done = f"{who} killed"
        else:
            os.kill(process, signal.SIGSTOP)
            time.sleep(chance.uniform(*STOPPED_S))
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
            done = f"{who} stopped"
    except (ProcessLookupError, IndexError, AssertionError, FileNotFoundError):
        return None  # it is just being started
    if who == "server" and done.endswith("killed"):
        stage.wait_for_death(5)
        stage.rise()
    return done


def _server(stage: Stage) -> int:
    assert stage.town.server is not None
    return stage.town.server.process.pid
