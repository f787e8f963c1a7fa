"""A business day and the printing of a terminal, from the tables in memory."""

from collections.abc import Iterable

from issuance_server.core.day_counts import CountedIssuance
from issuance_server.core.day_facts import MACHINE_FAULTS, DayFacts, OpeningOfDay, PrintFacts
from issuance_server.core.issuing_desk import MISMATCH_WINDOW_MS
from protocol.issuance import IssuanceState
from protocol.terminal_statements import FailureCause
from tests.sim.store.tables import Issuance, Opening, Tables

DAY_MS = 24 * 60 * 60 * 1_000
COUNTED_STATES = frozenset({IssuanceState.COMPLETED, IssuanceState.REVERSED})


def closed_through(tables: Tables) -> str:
    """Return the last day that is closed, ``YYYY-MM-DD``; empty: none is."""
    return max((day for day, _ in tables.closed_day.items()), default="")


def day_facts(tables: Tables, day: str) -> DayFacts:
    """Return what is on record for a day, ``YYYY-MM-DD``."""
    through = closed_through(tables)
    issuances = list(tables.issuance.items())
    openings = [one for _, one in tables.line_opening.items()]
    days = [*(one.end_day for _, one in issuances), *(one.opened_day for one in openings)]
    earlier = min((one for one in days if one is not None and through < one < day), default=None)
    ended = [one for one in issuances if one[1].end_day == day]
    unfinished = [one for one in issuances if one[1].end_day is None and one[1].business_day <= day]
    return DayFacts(
        day=day,
        earlier_day=earlier,
        ended=tuple(_counted(tables, sorted(ended, key=lambda one: one[1].ended_at_ms or 0))),
        unfinished=tuple(
            _counted(tables, sorted(unfinished, key=lambda one: one[1].applied_at_ms))
        ),
        openings=tuple(_opening(issuances, one) for one in openings if _touches(one, day)),
        carried_over=frozenset(
            terminal for (of_day, terminal), _ in tables.line_carried_over.items() if of_day == day
        ),
    )


def print_facts(tables: Tables, terminal: str, real_ms: int) -> PrintFacts:
    """Return how a terminal has printed since it was last inspected."""
    place = tables.terminal.get(terminal)
    inspected_at_ms = None if place is None else place.inspected_at_ms
    since_ms = -1 if inspected_at_ms is None else inspected_at_ms
    reported = [
        (one.reported_at_ms, one.failure_cause in MACHINE_FAULTS)
        for _, one in tables.issuance.items()
        if one.terminal == terminal
        and one.reported_at_ms is not None
        and one.reported_at_ms > since_ms
    ]
    return PrintFacts(
        failed_in_day=sum(fault and at_ms > real_ms - DAY_MS for at_ms, fault in reported),
        failed=sum(fault for _, fault in reported),
        reported=len(reported),
        mismatches_elsewhere=_mismatches_elsewhere(tables, terminal, real_ms),
    )


def _mismatches_elsewhere(tables: Tables, terminal: str, real_ms: int) -> tuple[str, ...]:
    since_ms = real_ms - MISMATCH_WINDOW_MS
    found = {
        one.terminal
        for _, one in tables.issuance.items()
        if one.failure_cause is FailureCause.BINDING_MISMATCH
        and one.reported_at_ms is not None
        and one.reported_at_ms > since_ms
    }
    return tuple(sorted(found - {terminal}))


def _touches(opening: Opening, day: str) -> bool:
    if opening.opened_day > day:
        return False
    unsettled = opening.differs and opening.settled_at_ms is None
    return opening.end is None or unsettled or (opening.ended_day or "") >= day


def _opening(issuances: Iterable[tuple[bytes, Issuance]], opening: Opening) -> OpeningOfDay:
    ids: list[tuple[int, bytes]] = []
    if opening.differs and opening.settled_at_ms is None and opening.ended_at_ms is not None:
        ids = [
            (one.ended_at_ms, issuance_id)
            for issuance_id, one in issuances
            if one.terminal == opening.terminal
            and one.state in COUNTED_STATES
            and one.ended_at_ms is not None
            and opening.opened_at_ms <= one.ended_at_ms <= opening.ended_at_ms
        ]
    return OpeningOfDay(
        terminal=opening.terminal,
        opened_at_ms=opening.opened_at_ms,
        ended_at_ms=opening.ended_at_ms,
        end=opening.end,
        ours=opening.ours,
        theirs=opening.theirs,
        settled=opening.settled_at_ms is not None,
        issuance_ids=tuple(one for _, one in sorted(ids, key=lambda pair: pair[0])),
    )


def _counted(
    tables: Tables, issuances: Iterable[tuple[bytes, Issuance]]
) -> Iterable[CountedIssuance]:
    for issuance_id, one in issuances:
        terminal = tables.terminal.get(one.terminal)
        if terminal is not None:
            yield CountedIssuance(
                issuance_id=issuance_id,
                terminal=one.terminal,
                chain=terminal.chain,
                kind=one.kind,
                copies=one.copies,
                fee_yen=one.fee_yen,
                fee=one.fee,
                state=one.state,
            )
