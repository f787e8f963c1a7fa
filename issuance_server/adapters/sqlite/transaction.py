"""One transaction of the city's database: what a decision reads, and what it writes.

Law of this module: facts are read after everything that was written before them, in the same
transaction.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import aiosqlite

from issuance_server.adapters.sqlite import day_reading, register_copy
from issuance_server.adapters.sqlite.asides import keeping
from issuance_server.adapters.sqlite.cards import card_facts
from issuance_server.adapters.sqlite.domicile_reading import (
    holder_by_domicile,
    is_by_domicile,
    known_request,
)
from issuance_server.adapters.sqlite.issuing_projections import mismatches_elsewhere
from issuance_server.adapters.sqlite.number_serials import NEXT_SQL
from issuance_server.adapters.sqlite.projections import statements_for
from issuance_server.adapters.sqlite.register_changes import change_copy
from issuance_server.adapters.sqlite.register_stage import (
    take_extract,
)
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.effects import ChangeCopy, DropKey, KeepAside, KeepKey, TakeExtract
from issuance_server.core.facts import EndedIssuance, Facts
from issuance_server.core.records import AnyRecord, encode_record, subject_of
from issuance_server.core.switch import Needs
from issuance_server.core.terminal_place import TerminalClass, TerminalPlace
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.terminal_statements import PrintOutcome


class Transaction:
    """What can be read and written between BEGIN and COMMIT."""

    def __init__(self, writer: aiosqlite.Connection) -> None:
        self._writer = writer
        self._journal: list[tuple[int, bytes | None, bytes]] = []
        self._statements: list[Statement] = []
        self.leaves: list[bytes] = []

    def write(self, record: AnyRecord) -> None:
        """Append a record and what it projects; it reaches the file at the next ``flush``."""
        packed = encode_record(record)
        self._journal.append((record.at_ms, subject_of(record), packed))
        self._statements += statements_for(record)
        self.leaves.append(packed)

    def keep_key(self, kept: KeepKey) -> None:
        """Store a wrapped content key."""
        sql = "INSERT INTO issuance_key (issuance_id, key_day, wrapped_key) VALUES (?, ?, ?)"
        self._statements.append((sql, (kept.issuance_id, kept.key_day, kept.wrapped_key)))

    def drop_key(self, dropped: DropKey) -> None:
        """Delete a wrapped content key (overwritten in place: ``secure_delete``)."""
        sql = "DELETE FROM issuance_key WHERE issuance_id = ?"
        self._statements.append((sql, (dropped.issuance_id,)))

    def keep_aside(self, kept: KeepAside) -> None:
        """Keep what no record may hold."""
        self._statements.append(keeping(kept.aside))

    async def change_copy(self, effect: ChangeCopy | TakeExtract) -> None:
        """Change the register copy, or let the attached extract take its place."""
        await self.flush()
        if isinstance(effect, ChangeCopy):
            await change_copy(self._writer, effect.changes)
        else:
            await take_extract(self._writer)

    async def flush(self) -> None:
        """Hand what was written so far to the database."""
        sql = "INSERT INTO journal (at_ms, subject, record) VALUES (?, ?, ?)"
        if self._journal:
            await self._writer.executemany(sql, self._journal)
            self._journal = []
        for statement, group in _grouped(self._statements):
            await self._writer.executemany(statement, group)
        self._statements = []

    async def facts(self, needs: Needs, real_ms: int) -> Facts:
        """Read what an input needs, as of this very transaction.

        Args:
            needs: what to read.
            real_ms: the register's age is counted from this.
        """
        await self.flush()
        resident_id = needs.resident_id
        card = None
        if needs.card_ref is not None or needs.certificate_serial is not None:
            card = await card_facts(self._writer, needs.card_ref, needs.certificate_serial)
            resident_id = resident_id or (card.resident_id if card else None)
        by_domicile = card is not None and await is_by_domicile(self._writer, card.card_ref)
        read_holder = holder_by_domicile if by_domicile else register_copy.holder_facts
        holder = None
        if resident_id is not None:
            holder = await read_holder(self._writer, resident_id, real_ms)
        next_serial = 1
        if needs.serial_day is not None:
            row = await one_row(self._writer, NEXT_SQL, (needs.serial_day,))
            next_serial = row[0] if row else 1
        ended = None if needs.issuance_id is None else await self._ended(needs.issuance_id)
        place = None if needs.terminal is None else await self._place(needs.terminal)
        day = prints = None
        if needs.day is not None:
            day = await day_reading.day_facts(self._rows, needs.day)
        if needs.prints_of is not None:
            terminal = needs.prints_of
            prints = replace(
                await day_reading.print_facts(self._rows, terminal, real_ms),
                mismatches_elsewhere=await mismatches_elsewhere(self._rows, terminal, real_ms),
            )
        return Facts(
            holder=holder,
            next_serial=next_serial,
            ended=ended,
            resident_id=resident_id,
            place=place,
            card=card,
            day=day,
            prints=prints,
            domicile=await known_request(
                self._writer, needs.domicile_request, needs.domicile_serial
            ),
        )

    async def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        return [tuple(row) for row in await self._writer.execute_fetchall(sql, values)]

    async def _place(self, terminal: str) -> TerminalPlace | None:
        sql = "SELECT class, chain, in_city FROM terminal WHERE terminal = ?"
        row = await one_row(self._writer, sql, (terminal,))
        if row is None:
            return None
        return TerminalPlace(
            terminal=terminal,
            terminal_class=TerminalClass(row[0]),
            chain=row[1],
            in_city=bool(row[2]),
        )

    async def _ended(self, issuance_id: bytes) -> EndedIssuance | None:
        sql = (
            "SELECT terminal, state, code, reported_at_ms, failure_cause FROM issuance"
            " WHERE issuance_id = ?"
        )
        row = await one_row(self._writer, sql, (issuance_id,))
        if row is None:
            return None
        code = None if row[2] is None else ReplyCode(row[2])
        said = PrintOutcome.PRINTED if row[4] is None else PrintOutcome.FAILED
        reported = None if row[3] is None else said
        state = IssuanceState(row[1])
        return EndedIssuance(terminal=row[0], state=state, code=code, reported=reported)


def _grouped(statements: Iterable[Statement]) -> Iterable[tuple[str, list[tuple[object, ...]]]]:
    """Join neighbours with the same text, so that the thread is crossed less often."""
    group: list[tuple[object, ...]] = []
    text = ""
    for sql, values in statements:
        if sql != text and group:
            yield text, group
            group = []
        text = sql
        group.append(values)
    if group:
        yield text, group


async def one_row(
    connection: aiosqlite.Connection, sql: str, values: tuple[object, ...]
) -> tuple[Any, ...] | None:
    """Return the first row of an answer, or None."""
    async with connection.execute(sql, values) as cursor:
        row = await cursor.fetchone()
    return None if row is None else tuple(row)
