"""The outbox of notices (本人通知): filled with the record of a printing, emptied by the deliverer.

What becomes of a notice is not on record in the journal; the table is all there is, and it is
written outside of it.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.statement import TablesBeside
from issuance_server.core import notices
from issuance_server.core.calendar import JST
from issuance_server.core.notices import Letter, NoticeState
from protocol.kinds import Kind

DUE_AT_ONCE_MAX = 32


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One notice, for operators: neither the address nor whose it is.

    Attributes:
        notice: its key.
        kind: of the certificate.
        state: ``pending``, ``sent`` or ``failed``.
        tries: how often it was tried.
        queued_at_ms: when the paper was out.
        next_try_at_ms: when it is tried next.
        sent_at_ms: when it was sent.
    """

    notice: str
    kind: str
    state: str
    tries: int
    queued_at_ms: int
    next_try_at_ms: int | None
    sent_at_ms: int | None


class SubscriptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants notices, without the address."""

    resident_id: str
    subscribed_at_ms: int


class Outbox:
    """What the deliverer does with the table, by the store's own writer."""

    def __init__(self, tables: TablesBeside) -> None:
        self._tables = tables

    async def due(self, now_ms: int) -> list[Letter]:
        """Return notices whose time has come, the longest waiting first."""
        sql = (
            "SELECT n.notice_key, s.address, n.issued_business_ms, n.kind, n.store, n.tries"
            " FROM notice n JOIN notice_subscription s USING (resident_id)"
            " WHERE n.state = 'pending' AND n.next_try_at_ms <= ?"
            " ORDER BY n.next_try_at_ms LIMIT ?"
        )
        rows = await self._tables.read(sql, (now_ms, DUE_AT_ONCE_MAX))
        return [_letter(row) for row in rows]

    async def sent(self, key: str, now_ms: int) -> None:
        """Mark a notice that has gone out."""
        sql = (
            "UPDATE notice SET state = ?, tries = tries + 1, next_try_at_ms = NULL, sent_at_ms = ?"
            " WHERE notice_key = ?"
        )
        await self._tables.write_aside(sql, (NoticeState.SENT.value, now_ms, key))

    async def not_sent(self, letter: Letter, now_ms: int) -> NoticeState:
        """Mark a try that failed, and return how the notice stands now."""
        tries = letter.tries + 1
        over = tries >= notices.TRIES_MAX
        state = NoticeState.FAILED if over else NoticeState.PENDING
        next_ms = None if over else now_ms + notices.wait_ms(tries)
        sql = "UPDATE notice SET state = ?, tries = ?, next_try_at_ms = ? WHERE notice_key = ?"
        await self._tables.write_aside(sql, (state.value, tries, next_ms, letter.key))
        return state

    async def forget_old(self, now_ms: int) -> None:
        """Erase what was sent, or given up, long ago."""
        sql = "DELETE FROM notice WHERE state <> 'pending' AND queued_at_ms < ?"
        await self._tables.write_aside(sql, (now_ms - notices.KEPT_MS,))


async def notice_rows(reader: Reader, limit: int) -> list[NoticeRow]:
    """Return the latest notices, oldest first."""
    sql = (
        "SELECT * FROM (SELECT notice_key AS notice, kind, state, tries, queued_at_ms,"
        " next_try_at_ms, sent_at_ms FROM notice ORDER BY queued_at_ms DESC LIMIT ?)"
        " ORDER BY queued_at_ms, notice"
    )
    return [msgspec.convert(dict(row), NoticeRow) for row in await reader.all(sql, (limit,))]


async def subscription_rows(reader: Reader) -> list[SubscriptionRow]:
    """Return who wants notices."""
    sql = "SELECT resident_id, subscribed_at_ms FROM notice_subscription ORDER BY resident_id"
    return [msgspec.convert(dict(row), SubscriptionRow) for row in await reader.all(sql)]


def _letter(row: tuple[Any, ...]) -> Letter:
    issued = datetime.fromtimestamp(row[2] / 1_000, UTC).astimezone(JST)
    return Letter(
        key=row[0], address=row[1], issued_at=issued, kind=Kind(row[3]), store=row[4], tries=row[5]
    )
