"""Answers about business days: how one stands, and its issuances for the accounts."""

from collections.abc import Iterable
from dataclasses import replace

from issuance_server.adapters.sqlite.day_accounts import (
    ClosedDay,
    account_rows,
    closed_day,
    late_reports,
    places,
    tables_of_day,
)
from issuance_server.adapters.sqlite.day_reading import day_facts, first_open_day
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control import wire
from issuance_server.core.day_blockers import (
    Blocker,
    blockers,
    by_terminal,
    is_over,
    line_state,
    with_commissions,
)
from issuance_server.core.day_counts import (
    NOTHING,
    CountedIssuance,
    by_chain,
    by_chain_and_kind,
    by_line,
    total,
    totals_by,
)
from issuance_server.core.day_facts import DayFacts, OpeningOfDay
from issuance_server.core.facts import Now
from protocol.telegrams import Counters


async def day_status(queries: Queries, now: Now, asked: wire.ReadDay) -> wire.Answer:
    """Tell how a day stands, and what keeps it open."""
    reader = queries.reader
    day = asked.day or await first_open_day(reader.all)
    if day is None:
        return wire.DayStatus(day=None)
    facts = await day_facts(reader.all, day)
    closed = await closed_day(reader, day)
    tables = await tables_of_day(reader, day)
    over = is_over(day, tables, now.business_ms)
    unfinished = () if closed else facts.unfinished  # what it left open counts in a later day
    counted = with_commissions((*facts.ended, *unfinished), tables, day)
    chains = totals_by(by_chain, counted)
    kinds = totals_by(by_chain_and_kind, counted)
    found = [] if closed else blockers(facts, over=over)
    return wire.DayStatus(
        day=day,
        over=over,
        closed_at_ms=closed.at_ms if closed else None,
        closed_by=closed.operator if closed else None,
        city=total(counted),
        chains=tuple(wire.CountsRow(chain=chain, counts=chains[chain]) for chain in sorted(chains)),
        kinds=tuple(
            wire.CountsRow(chain=chain, kind=kind.value, counts=counts)
            for (chain, kind), counts in sorted(
                kinds.items(), key=lambda item: (item[0][0], item[0][1].value)
            )
        ),
        lines=_lines(facts, counted, await places(reader), over=over, closed=closed),
        blockers=tuple(map(_blocker, found)),
        late_reports=await late_reports(reader, day),
    )


async def accounts(queries: Queries, _now: Now, asked: wire.ReadAccounts) -> wire.Answer:
    """Return a page of the issuances that count in a day."""
    return wire.Accounts(rows=await account_rows(queries.reader, asked.day, asked.after))


def _lines(
    facts: DayFacts,
    counted: Iterable[CountedIssuance],
    placed: dict[str, tuple[str, str]],
    *,
    over: bool,
    closed: ClosedDay | None,
) -> tuple[wire.LineRow, ...]:
    sums = totals_by(by_line, counted)
    known = facts.openings
    if closed is not None:
        known = tuple(_as_of(one, closed.at_ms) for one in known)
    openings = by_terminal(known)
    rows = []
    for terminal in sorted({*sums, *openings, *facts.carried_over}):
        of_line = openings.get(terminal, [])
        carried = terminal in facts.carried_over
        stands = line_state(of_line, over=over, carried_over=carried)
        ours, theirs = _last_counters(of_line)
        chain, store = placed.get(terminal, ("", ""))
        rows.append(
            wire.LineRow(
                terminal=terminal,
                chain=chain,
                store=store,
                line=stands.value,
                ours=ours,
                theirs=theirs,
                counts=sums.get(terminal, NOTHING),
            )
        )
    return tuple(rows)


def _as_of(opening: OpeningOfDay, closed_at_ms: int) -> OpeningOfDay:
    """Return an opening as it stood when its day was closed."""
    if opening.ended_at_ms is None or opening.ended_at_ms <= closed_at_ms:
        return opening
    return replace(opening, ended_at_ms=None, end=None, ours=None, theirs=None)


def _last_counters(openings: list[OpeningOfDay]) -> tuple[Counters | None, Counters | None]:
    """Return both sides' counters: of an opening that differs, or else of the last closing."""
    told = [one for one in openings if one.ours is not None]
    told.sort(key=lambda one: one.differs)
    return (told[-1].ours, told[-1].theirs) if told else (None, None)


def _blocker(found: Blocker) -> wire.BlockerRow:
    return wire.BlockerRow(
        reason=found.reason.value,
        terminal=found.terminal,
        issuances=tuple(one.hex() for one in found.issuance_ids),
        text=found.text(),
    )
