"""Answers to commands that only read: one for each kind of question."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from issuance_server.adapters.sqlite.cards import registrations
from issuance_server.adapters.sqlite.domicile_reading import request_rows
from issuance_server.adapters.sqlite.outbox import notice_rows, subscription_rows
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.adapters.sqlite.register_reading import copy_sizes, copy_state, open_edits
from issuance_server.adapters.sqlite.suppressions import suppressions
from issuance_server.adapters.sqlite.tables_projections import tables_in_force
from issuance_server.control import wire
from issuance_server.control.day_answers import accounts, day_status
from issuance_server.core.calendar import civil
from issuance_server.core.facts import Now

AnswerTo: TypeAlias = Callable[[Queries, Now, Any], Awaitable[wire.Answer]]
"""Takes the city's records, the two times and the question."""


async def _issuances(queries: Queries, _now: Now, asked: wire.ListIssuances) -> wire.Answer:
    return wire.Issuances(rows=tuple(await queries.issuances(asked.limit)))


async def _life(queries: Queries, _now: Now, asked: wire.ShowIssuance) -> wire.Answer:
    return wire.Life(steps=tuple(await queries.life(asked.issuance_id)))


async def _terminals(queries: Queries, now: Now, _asked: wire.ListTerminals) -> wire.Answer:
    return wire.Terminals(rows=tuple(await queries.terminals(now.real_ms)))


async def _suppressions(queries: Queries, now: Now, _asked: wire.ListSuppressions) -> wire.Answer:
    today = civil(now.business_ms).date().isoformat()
    return wire.Suppressions(rows=tuple(await suppressions(queries.reader, today)))


async def _tables(queries: Queries, now: Now, _asked: wire.ReadTables) -> wire.Answer:
    loaded = await tables_in_force(queries.reader)
    return wire.TablesInForce(loaded=loaded, business_ms=now.business_ms)


async def _register(queries: Queries, now: Now, _asked: wire.ReadRegister) -> wire.Answer:
    state = await copy_state(queries.reader)
    expected, found = state.gap or (None, None)
    return wire.RegisterStatus(
        as_of_ms=state.watermark_ms,
        age_ms=state.age_ms(now.real_ms),
        sequence=state.sequence,
        gap_expected=expected,
        gap_found=found,
        gap_at_ms=state.gap_at_ms,
        stand_in_since_ms=state.stand_in_since_ms if state.stands_in(now.real_ms) else None,
        stand_in_until_ms=state.stand_in_until_ms if state.stands_in(now.real_ms) else None,
        sizes=await copy_sizes(queries.reader),
        edits=tuple(await open_edits(queries.reader)),
    )


async def _registrations(
    queries: Queries, _now: Now, _asked: wire.ListRegistrations
) -> wire.Answer:
    return wire.Registrations(rows=tuple(await registrations(queries.reader)))


async def _domiciles(queries: Queries, _now: Now, asked: wire.ListDomiciles) -> wire.Answer:
    rows = await request_rows(queries.reader, undecided=asked.undecided)
    return wire.Domiciles(rows=tuple(rows))


async def _notices(queries: Queries, _now: Now, asked: wire.ListNotices) -> wire.Answer:
    return wire.Notices(
        rows=tuple(await notice_rows(queries.reader, asked.limit)),
        subscriptions=tuple(await subscription_rows(queries.reader)),
    )


async def _journal(queries: Queries, _now: Now, asked: wire.ReadJournal) -> wire.Answer:
    return wire.Journal(rows=tuple(await queries.journal(asked.after)))


async def _checkpoints(queries: Queries, _now: Now, asked: wire.ReadCheckpoints) -> wire.Answer:
    rows = tuple(await queries.checkpoints(asked.after))
    return wire.Checkpoints(rows=rows, frontier=await queries.frontier())


async def _numbers(queries: Queries, _now: Now, asked: wire.ReadNumbers) -> wire.Answer:
    statuses = [await queries.number_status(number) for number in asked.numbers]
    return wire.Numbers(statuses=tuple(statuses))


ANSWERS: Mapping[type, AnswerTo] = {
    wire.ListIssuances: _issuances,
    wire.ShowIssuance: _life,
    wire.ListTerminals: _terminals,
    wire.ListSuppressions: _suppressions,
    wire.ListNotices: _notices,
    wire.ListDomiciles: _domiciles,
    wire.ListRegistrations: _registrations,
    wire.ReadTables: _tables,
    wire.ReadRegister: _register,
    wire.ReadDay: day_status,
    wire.ReadAccounts: accounts,
    wire.ReadJournal: _journal,
    wire.ReadCheckpoints: _checkpoints,
    wire.ReadNumbers: _numbers,
}
"""By the question's type. Questions about cards and acts are not here: the judge is asked, too."""
