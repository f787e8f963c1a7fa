"""A business day for people: who closed it, its places, its issuances one by one for the accounts.

No row names a person: an issuance stands there by its numbers.
"""

from dataclasses import dataclass

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.tables_projections import (
    loaded_tables,
    tables_in_force,
)
from issuance_server.core.tables import CityTables
from issuance_server.core.tables.loaded import read_loaded

ACCOUNT_PAGE_ROWS = 1_000


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """One issuance that counts in a day; times are real times in milliseconds since 1970 UTC.

    Attributes:
        row: pages go on after it.
        issuance: its id.
        numbers: 発行番号 of the copies.
        kind: of certificate.
        copies: how many were applied for.
        chain: who runs the store.
        store: the store's name.
        terminal: the terminal's id.
        terminal_class: what kind of machine it is.
        fee_yen: for all copies.
        fee: ``none``, ``earned`` or ``returned``.
        state: how it ended.
        applied_day: the business day of its numbers.
        applied_at_ms: when it was applied for.
        released_at_ms: when the fee was collected.
        reported_at_ms: when paper or failure were reported.
        ended_at_ms: when it ended.
    """

    row: int
    issuance: str
    numbers: tuple[str, ...]
    kind: str
    copies: int
    chain: str
    store: str
    terminal: str
    terminal_class: str
    fee_yen: int
    fee: str
    state: str
    applied_day: str
    applied_at_ms: int
    released_at_ms: int | None
    reported_at_ms: int | None
    ended_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """That a day is closed: since when, real time, and by whom."""

    at_ms: int
    operator: str


class LateReport(msgspec.Struct, frozen=True, kw_only=True):
    """The word of a terminal about an issuance that two operators had closed.

    Attributes:
        issuance: its id.
        terminal: whose it is.
        outcome: ``printed`` or ``failed``.
        sheets_out: sheets that left the printer.
        fee: what the operators decided, ``earned`` or ``returned``.
        fee_yen: how much.
        at_ms: when the word came, real time.
    """

    issuance: str
    terminal: str
    outcome: str
    sheets_out: int
    fee: str
    fee_yen: int
    at_ms: int


async def late_reports(reader: Reader, day: str) -> tuple[LateReport, ...]:
    """Return the late words that came on a day."""
    sql = (
        "SELECT l.*, i.fee_state, i.fee_yen FROM late_report l JOIN issuance i USING (issuance_id)"
        " WHERE l.day = ? ORDER BY l.rowid"
    )
    return tuple(
        LateReport(
            issuance=row["issuance_id"].hex(),
            terminal=row["terminal"],
            outcome=row["outcome"],
            sheets_out=row["sheets_out"],
            fee=row["fee_state"],
            fee_yen=row["fee_yen"],
            at_ms=row["at_ms"],
        )
        for row in await reader.all(sql, (day,))
    )


async def closed_day(reader: Reader, day: str) -> ClosedDay | None:
    """Return how a day was closed, by itself or with a later one; None: it is open."""
    sql = "SELECT closed_at_ms, operator FROM closed_day WHERE day >= ? ORDER BY day LIMIT 1"
    rows = await reader.all(sql, (day,))
    return ClosedDay(at_ms=rows[0][0], operator=rows[0][1]) if rows else None


async def tables_of_day(reader: Reader, day: str) -> CityTables:
    """Return the tables that a day is settled by: those in force when it was closed, or now."""
    sql = (
        "SELECT loaded_at_ms, digest, content, city_tables.operator FROM city_tables"
        " JOIN closed_day ON tables_load = load WHERE day >= ? ORDER BY day LIMIT 1"
    )
    rows = await reader.all(sql, (day,))
    return read_loaded(loaded_tables(tuple(rows[0])) if rows else await tables_in_force(reader))


async def places(reader: Reader) -> dict[str, tuple[str, str]]:
    """Return chain and store of every terminal that was ever registered."""
    rows = await reader.all("SELECT terminal, chain, store FROM terminal")
    return {row[0]: (row[1], row[2]) for row in rows}


async def account_rows(reader: Reader, day: str, after: int) -> tuple[AccountRow, ...]:
    """Return the next page of the issuances that count in a day."""
    sql = (
        "SELECT i.rowid AS row, i.*, t.chain, t.store, t.class,"
        " (SELECT group_concat(number, '|') FROM (SELECT number FROM certificate_number n"
        " WHERE n.issuance_id = i.issuance_id ORDER BY copy)) AS numbers"
        " FROM issuance i JOIN terminal t USING (terminal)"
        " WHERE i.end_day = ? AND i.rowid > ? ORDER BY i.rowid LIMIT ?"
    )
    return tuple(
        AccountRow(
            row=row["row"],
            issuance=row["issuance_id"].hex(),
            numbers=tuple((row["numbers"] or "").split("|")),
            kind=row["kind"],
            copies=row["copies"],
            chain=row["chain"],
            store=row["store"],
            terminal=row["terminal"],
            terminal_class=row["class"],
            fee_yen=row["fee_yen"],
            fee=row["fee_state"],
            state=row["state"],
            applied_day=row["business_day"],
            applied_at_ms=row["applied_at_ms"],
            released_at_ms=row["released_at_ms"],
            reported_at_ms=row["reported_at_ms"],
            ended_at_ms=row["ended_at_ms"],
        )
        for row in await reader.all(sql, (day, after, ACCOUNT_PAGE_ROWS))
    )
