"""What records of 本人通知 and of printings change in the tables of notices."""

from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r
from issuance_server.core.notices import notice_key


def of_subscription(record: r.NoticeSubscribed | r.NoticeUnsubscribed) -> list[Statement]:
    """Return what a record changes; the address itself comes beside it."""
    if isinstance(record, r.NoticeSubscribed):
        return []
    resident = (record.resident_id,)
    return [
        ("DELETE FROM notice_subscription WHERE resident_id = ?", resident),
        ("DELETE FROM notice WHERE resident_id = ? AND state = 'pending'", resident),
    ]


def of_printing(record: r.PrintReported) -> Statement:
    """Return what puts the notice of a printed certificate into the outbox, if one is wanted."""
    sql = (
        "INSERT OR IGNORE INTO notice (notice_key, resident_id, kind, store, issued_business_ms,"
        " queued_at_ms, next_try_at_ms)"
        " SELECT ?, s.resident_id, i.kind, t.chain || ' ' || t.store, ?, ?, ?"
        " FROM issuance i JOIN card c USING (card_ref)"
        " JOIN notice_subscription s ON s.resident_id = c.resident_id"
        " JOIN terminal t ON t.terminal = i.terminal WHERE i.issuance_id = ?"
    )
    business_ms = record.at_ms if record.business_ms is None else record.business_ms
    key = notice_key(record.issuance_id)
    return sql, (key, business_ms, record.at_ms, record.at_ms, record.issuance_id)
