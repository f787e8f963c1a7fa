"""Reads a business day: for the decision to close it, for its status, and for its accounts."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from issuance_server.core.day_counts import CountedIssuance, FeeState
from issuance_server.core.day_facts import (
    MACHINE_FAULTS,
    DayFacts,
    OpeningEnd,
    OpeningOfDay,
    PrintFacts,
)
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from protocol.telegrams import Counters

FetchRows: TypeAlias = Callable[[str, tuple[object, ...]], Awaitable[list[Any]]]
"""Returns all rows of an answer: of the deciding transaction, or of a reader beside it."""

_DAY_MS = 24 * 60 * 60 * 1_000

CLOSED_THROUGH_SQL = "SELECT max(day) FROM closed_day"
_COUNTED = (
    "SELECT i.issuance_id, i.terminal, t.chain, i.kind, i.copies, i.fee_yen, i.fee_state, i.state"
    " FROM issuance i JOIN terminal t USING (terminal)"
)
_ENDED_SQL = f"{_COUNTED} WHERE i.end_day = ? ORDER BY i.ended_at_ms, i.rowid"
_UNFINISHED_SQL = (
    f"{_COUNTED} WHERE i.end_day IS NULL AND i.business_day <= ? ORDER BY i.applied_at_ms, i.rowid"
)
_OPENINGS_SQL = (
    "SELECT terminal, opened_at_ms, ended_at_ms, ended_how, our_completed, our_reversed,"
    " our_fees_earned_yen, their_completed, their_reversed, their_fees_earned_yen,"
    " differs AND settled_at_ms IS NULL, settled_at_ms IS NOT NULL"
    " FROM line_opening WHERE opened_day <= ? AND opening IN"
    " (SELECT opening FROM line_opening WHERE ended_how IS NULL"
    " UNION SELECT opening FROM line_opening WHERE ended_day >= ?"
    " UNION SELECT opening FROM line_opening WHERE differs AND settled_at_ms IS NULL)"
    " ORDER BY opening"
)
_UNDER_OPENING_SQL = (
    "SELECT issuance_id FROM issuance WHERE terminal = ? AND ended_at_ms BETWEEN ? AND ?"
    " AND state IN ('completed', 'reversed') ORDER BY ended_at_ms, rowid"
)
_EARLIER_SQL = (
    "SELECT min(day) FROM (SELECT min(end_day) AS day FROM issuance WHERE end_day > ? AND"
    " end_day < ? UNION ALL SELECT min(opened_day) FROM line_opening WHERE opened_day > ? AND"
    " opened_day < ?)"
)
_FIRST_OPEN_SQL = (
    "SELECT min(day) FROM (SELECT min(end_day) AS day FROM issuance WHERE end_day > ?1"
    " UNION ALL SELECT min(opened_day) FROM line_opening WHERE opened_day > ?1"
    " UNION ALL SELECT min(business_day) FROM issuance WHERE end_day IS NULL"
    " AND business_day > ?1"
    " UNION ALL SELECT date(?1, '+1 day') WHERE EXISTS (SELECT 1 FROM issuance"
    " WHERE end_day IS NULL AND business_day <= ?1) OR EXISTS (SELECT 1 FROM line_opening"
    " WHERE ended_how IS NULL AND opened_day <= ?1))"
)
_FAULTS = json.dumps(sorted(cause.value for cause in MACHINE_FAULTS))
_PRINTS_SQL = (
    "SELECT count(*), coalesce(sum(fault), 0),"
    " coalesce(sum(fault AND reported_at_ms > ?), 0) FROM (SELECT reported_at_ms,"
    " coalesce(failure_cause IN (SELECT value FROM json_each(?)), 0) AS fault"
    " FROM issuance WHERE terminal = ? AND reported_at_ms > coalesce("
    "(SELECT inspected_at_ms FROM terminal WHERE terminal = ?), -1))"
)


async def closed_through(fetch: FetchRows) -> str:
    """Return the last day that is closed, ``YYYY-MM-DD``; empty: none is."""
    ((day,),) = await fetch(CLOSED_THROUGH_SQL, ())
    return day or ""


async def first_open_day(fetch: FetchRows) -> str | None:
    """Return the first day that is not closed and has business; None: there is none.

    What was carried over and is still open is business of the day after the last closed one.
    """
    ((day,),) = await fetch(_FIRST_OPEN_SQL, (await closed_through(fetch),))
    found: str | None = day
    return found


async def day_facts(fetch: FetchRows, day: str) -> DayFacts:
    """Return what is on record for a day, ``YYYY-MM-DD``."""
    through = await closed_through(fetch)
    ((earlier,),) = await fetch(_EARLIER_SQL, (through, day, through, day))
    carried = await fetch("SELECT terminal FROM line_carried_over WHERE day = ?", (day,))
    return DayFacts(
        day=day,
        earlier_day=earlier,
        ended=await ended_on(fetch, day),
        unfinished=tuple(_counted(row) for row in await fetch(_UNFINISHED_SQL, (day,))),
        openings=tuple(
            [await _opening(fetch, tuple(row)) for row in await fetch(_OPENINGS_SQL, (day, day))]
        ),
        carried_over=frozenset(row[0] for row in carried),
    )


async def ended_on(fetch: FetchRows, day: str) -> tuple[CountedIssuance, ...]:
    """Return the issuances that count in a day, in the order in which they ended."""
    return tuple(_counted(row) for row in await fetch(_ENDED_SQL, (day,)))


async def print_facts(fetch: FetchRows, terminal: str, real_ms: int) -> PrintFacts:
    """Return how a terminal has printed since it was last inspected."""
    values = (real_ms - _DAY_MS, _FAULTS, terminal, terminal)
    ((reported, failed, failed_in_day),) = await fetch(_PRINTS_SQL, values)
    return PrintFacts(failed_in_day=failed_in_day, failed=failed, reported=reported)


async def _opening(fetch: FetchRows, row: tuple[Any, ...]) -> OpeningOfDay:
    terminal, opened_at_ms, ended_at_ms, ended_how = row[:4]
    unsettled, settled = row[10:]
    ids: list[Any] = []
    if unsettled:
        ids = await fetch(_UNDER_OPENING_SQL, (terminal, opened_at_ms, ended_at_ms))
    return OpeningOfDay(
        terminal=terminal,
        opened_at_ms=opened_at_ms,
        ended_at_ms=ended_at_ms,
        end=None if ended_how is None else OpeningEnd(ended_how),
        ours=_counters(row[4:7]),
        theirs=_counters(row[7:10]),
        settled=bool(settled),
        issuance_ids=tuple(one[0] for one in ids),
    )


def _counters(row: tuple[Any, ...]) -> Counters | None:
    completed, reversed_, fees_earned_yen = row
    if completed is None:
        return None
    return Counters(completed=completed, reversed=reversed_, fees_earned_yen=fees_earned_yen)


def _counted(row: Any) -> CountedIssuance:
    issuance_id, terminal, chain, kind, copies, fee_yen, fee, state = row
    return CountedIssuance(
        issuance_id=issuance_id,
        terminal=terminal,
        chain=chain,
        kind=Kind(kind),
        copies=copies,
        fee_yen=fee_yen,
        fee=FeeState(fee),
        state=IssuanceState(state),
    )
