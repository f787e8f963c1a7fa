"""What records of 本籍地利用登録 change in the tables of requests and cards."""

from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r


def statements_for(
    record: r.DomicileRequested | r.DomicileMatched | r.DomicileApproved | r.DomicileRejected,
) -> list[Statement]:
    """Return what a record changes; an approval registers the card."""
    at_ms, request_id = record.at_ms, record.request_id
    match record:
        case r.DomicileRequested():
            sql = (
                "INSERT INTO domicile_request (request_id, terminal, card_ref, request_digest,"
                " asked_at_ms, state) VALUES (?, ?, ?, ?, ?, 'accepted')"
            )
            made = (record.terminal, record.card_ref, record.request_digest, at_ms)
            return [(sql, (request_id, *made))]
        case r.DomicileMatched():
            sql = (
                "UPDATE domicile_request SET state = 'matched', resident_id = ?, matched_by = ?"
                " WHERE request_id = ?"
            )
            return [(sql, (record.resident_id, record.operator, request_id))]
        case r.DomicileApproved():
            sql = (
                "UPDATE domicile_request SET state = 'approved', usable_from = ?,"
                " decided_at_ms = ? WHERE request_id = ?"
            )
            card = (
                "INSERT OR IGNORE INTO card (card_ref, kind, resident_id, certificate_serial,"
                " registered_at_ms, usable_from)"
                " SELECT q.card_ref, 'mynumber', q.resident_id, a.certificate_serial, ?,"
                " q.usable_from FROM domicile_request q JOIN domicile_applicant a"
                " USING (request_id) WHERE q.request_id = ?"
            )
            return [(sql, (record.day, at_ms, request_id)), (card, (at_ms, request_id))]
        case r.DomicileRejected():
            sql = (
                "UPDATE domicile_request SET state = 'rejected', decided_at_ms = ?"
                " WHERE request_id = ?"
            )
            return [(sql, (at_ms, request_id))]
