"""The sweep: death in front of every sync, write and send of a whole issuance, one after another.

An issuance without faults is counted first. Then the process of a role dies at its first counted
call of an issuance, at the second one in the next issuance, and so on. After each death everything
is started again, the visit ends as it may, and the records of all are held against each other.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.panel import Action, Calls, Role
from tests.faults.report import Row
from tests.faults.stage import Foundation, Stage, staged

ALL_CALLS = Calls.SYNC | Calls.WRITE | Calls.SEND
PROMISES = Calls.SYNC | Calls.SEND
"""Where a power cut shows most: before what is promised to others, and before what keeps it."""
TERMINAL, CARD = "LW-0001", "h000-m1"
POINTS_PER_CITY = 60
DEATH_WAIT_S = 5
_MS_PER_S = 1_000
_SEEN_EVERY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One sweep.

    Attributes:
        role: whose process dies.
        calls: at which of its calls.
        action: how.
        planted: a bug that it should find.
        warm: whether a city has had a visit already, so that calls have the same numbers each time.
    """

    role: Role
    calls: Calls = ALL_CALLS
    action: Action = Action.KILL
    planted: str = ""
    warm: bool = False

    @property
    def name(self) -> str:
        """Its name on the command line."""
        kind = "sweep" if self.action is Action.KILL else "power"
        return f"{kind}-{self.role.name.lower()}"


SWEEPS = (
    Plan(role=Role.SERVER),
    Plan(role=Role.JUDGE),
    Plan(role=Role.TERMINAL),
    Plan(role=Role.SERVER, calls=PROMISES, action=Action.POWER),
    Plan(role=Role.JUDGE, calls=PROMISES, action=Action.POWER),
    Plan(role=Role.TERMINAL, calls=PROMISES, action=Action.POWER),
)


def counted(foundation: Foundation, plan: Plan) -> int:
    """Return how many calls of the plan an issuance makes; the more of a first and a second."""
    with staged(foundation, "counted") as stage:
        stage.start()
        counts = []
        for _ in range(2):
            stage.panel.count(plan.role, plan.calls)
            stage.end_of(stage.visit(TERMINAL, CARD))
            counts.append(stage.panel.counted(plan.role))
    return max(counts)


def sweep(
    foundation: Foundation,
    plan: Plan,
    points: Sequence[int] | None = None,
    *,
    until_found: bool = False,
) -> Row:
    """Go through points of a plan.

    Args:
        foundation: of the cities.
        plan: what.
        points: which calls, from 1; None for all that an issuance makes.
        until_found: stop at the first finding.
    """
    row = Row(fault=plan.name, rerun=f"--only {plan.name}")
    left = list(range(1, counted(foundation, plan) + 1) if points is None else points)
    hits: dict[str, int] = {}
    while left and not (until_found and not row.clean):
        power = plan.action is Action.POWER
        with staged(foundation, plan.name, unsynced=power, planted=plan.planted) as stage:
            stage.start()
            if plan.warm:
                stage.end_of(stage.visit(TERMINAL, CARD))
            for at in left[:POINTS_PER_CITY]:
                found = len(row.findings.all())
                hit = _one(stage, plan, at, row)
                if hit:
                    hits[hit.split()[0]] = hits.get(hit.split()[0], 0) + 1
                left.remove(at)
                if len(row.findings.all()) > found:
                    break  # what comes after it in this city would only repeat it
    row.notes.append(", ".join(f"{count} at {call}" for call, count in sorted(hits.items())))
    return row


def _one(stage: Stage, plan: Plan, at: int, row: Row) -> str:
    """Let one process die at one call; return which, or nothing if it was not reached."""
    stage.panel.hit(plan.role, plan.calls, at, plan.action)
    visit = stage.visit(TERMINAL, CARD)
    began = time.monotonic()
    if plan.role is Role.SERVER:
        while not stage.panel.fired(Role.SERVER) and visit.process.poll() is None:
            time.sleep(0.002)
        if stage.panel.fired(Role.SERVER):
            stage.wait_for_death(DEATH_WAIT_S)
            began = time.monotonic()
            stage.rise()
    stage.end_of(visit)
    hit = stage.panel.fired(plan.role)
    stage.panel.rest(plan.role)
    if plan.role is Role.TERMINAL:
        began = time.monotonic()
    settled = stage.settle((TERMINAL,))
    if hit:
        row.points += 1
        row.recoveries_ms.append((time.monotonic() - began) * _MS_PER_S)
    found = stage.examine()
    if not settled and not found.all():
        found.lost.append("never settled")
    if found.all():
        row.rerun = f"--only {plan.name} --at {at}"
        for part in (found.lost, found.duplicated, found.crossed, found.other):
            part[:] = [f"at call {at} ({hit}): {text}" for text in part]
        row.findings.add(found)
        sys.stderr.write("".join(f"{plan.name}: {text}\n" for text in found.all()))
    if at % _SEEN_EVERY == 0:
        sys.stderr.write(f"{plan.name}: {at} ({hit or 'not reached'})\n")
    return hit
