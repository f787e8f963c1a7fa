"""What is kept in tables beside the journal, for no record may hold it."""

from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.asides import Applicant, Aside, CardSerial, CounterWords, NoticeAddress


def keeping(aside: Aside) -> Statement:
    """Return what keeps it, in the transaction of the record that it belongs to."""
    match aside:
        case NoticeAddress():
            sql = (
                "INSERT INTO notice_subscription (resident_id, address, subscribed_at_ms)"
                " VALUES (?, ?, ?)"
                " ON CONFLICT (resident_id) DO UPDATE SET address = excluded.address"
            )
            return sql, (aside.resident_id, aside.address, aside.at_ms)
        case Applicant():
            sql = (
                "INSERT INTO domicile_applicant (request_id, certificate_serial, domicile,"
                " register_head, name, birth, phone) VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            typed = (aside.domicile, aside.register_head, aside.name, aside.birth, aside.phone)
            return sql, (aside.request_id, aside.certificate_serial, *typed)
        case CounterWords():
            sql = "UPDATE domicile_request SET words = ? WHERE request_id = ?"
            return sql, (aside.words, aside.request_id)
        case CardSerial():
            sql = "UPDATE card_registration SET certificate_serial = ? WHERE card_ref = ?"
            return sql, (aside.certificate_serial, aside.card_ref)
