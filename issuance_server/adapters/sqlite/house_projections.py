"""From a record of the house (operators, judge, list of terminals) to what it changes in tables."""

from issuance_server.adapters.sqlite import (
    cards,
    day_projections,
    domicile_statements,
    issuing_projections,
    notice_statements,
    register_projections,
    suppressions,
    tables_projections,
)
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r


def statements_for(record: r.AnyRecord) -> list[Statement]:
    """Return what a record changes; nothing if it stands in the journal alone."""
    match record:
        case r.OperatorActed():
            sql = "INSERT INTO operator_nonce (nonce, operator) VALUES (?, ?)"
            return [(sql, (record.nonce, record.operator))]
        case r.OperatorActEnded(outcome=r.ActOutcome.REFUSED):
            sql = "UPDATE operator_nonce SET refused = ? WHERE nonce = ?"
            return [(sql, (record.reason, record.nonce))]
        case r.JudgeReported():
            sql = "UPDATE judge_report SET number = ?, at_ms = ? WHERE id = 1"
            return [(sql, (record.number, record.reported_at_ms))]
        case r.IssuingStopped() | r.IssuingReopened() | r.ManifestDeclared() | r.TablesLoaded():
            return _of_city(record)
        case (
            r.SuppressionSet()
            | r.SuppressionLifted()
            | r.NoticeSubscribed()
            | r.NoticeUnsubscribed()
            | r.CardRegistrationBegun()
            | r.CardChanged()
            | r.DomicileRequested()
            | r.DomicileMatched()
            | r.DomicileApproved()
            | r.DomicileRejected()
        ):
            return _of_people(record)
        case (
            r.RegisterImported()
            | r.RegisterFed()
            | r.RegisterGapFound()
            | r.StandInBegun()
            | r.StandInEnded()
        ):
            return register_projections.statements_for(record)
        case r.TerminalRegistered() | r.TerminalRenewed() | r.TerminalRevoked():
            return _of_terminal(record)
    return day_projections.statements_for(record)


def _of_city(
    record: r.IssuingStopped | r.IssuingReopened | r.ManifestDeclared | r.TablesLoaded,
) -> list[Statement]:
    if isinstance(record, r.TablesLoaded):
        return tables_projections.statements_for(record)
    return issuing_projections.statements_for(record)


def _of_people(
    record: r.SuppressionSet
    | r.SuppressionLifted
    | r.NoticeSubscribed
    | r.NoticeUnsubscribed
    | r.DomicileRequested
    | r.DomicileMatched
    | r.DomicileApproved
    | r.DomicileRejected
    | r.CardRegistrationBegun
    | r.CardChanged,
) -> list[Statement]:
    if isinstance(record, r.CardRegistrationBegun | r.CardChanged):
        return cards.statements_for(record)
    if isinstance(record, r.NoticeSubscribed | r.NoticeUnsubscribed):
        return notice_statements.of_subscription(record)
    if not isinstance(record, r.SuppressionSet | r.SuppressionLifted):
        return domicile_statements.statements_for(record)
    return suppressions.statements_for(record)


def _of_terminal(
    record: r.TerminalRegistered | r.TerminalRenewed | r.TerminalRevoked,
) -> list[Statement]:
    if isinstance(record, r.TerminalRevoked):
        tables = ("terminal", "terminal_certificate")
        sql = "UPDATE {} SET revoked_at_ms = ? WHERE terminal = ? AND revoked_at_ms IS NULL"
        off = [(sql.format(table), (record.at_ms, record.terminal)) for table in tables]
        return [*off, *day_projections.statements_for(record)]
    certificate = (
        "INSERT INTO terminal_certificate (fingerprint, terminal, report_key, since_ms, until_ms)"
        " VALUES (?, ?, ?, ?, ?)"
    )
    values = (
        record.fingerprint,
        record.terminal,
        record.report_public_key,
        record.at_ms,
        record.until_ms,
    )
    if isinstance(record, r.TerminalRenewed):
        overlap = (
            "UPDATE terminal_certificate SET until_ms = min(until_ms, ?) WHERE terminal = ?"
            " AND revoked_at_ms IS NULL"
        )
        return [(overlap, (record.others_until_ms, record.terminal)), (certificate, values)]
    terminal = (
        "INSERT INTO terminal (terminal, line_id, chain, store, in_city, class, registered_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    place = (record.chain, record.store, record.in_city, record.terminal_class.value)
    entry = (record.terminal, record.line_id, *place, record.at_ms)
    return [(terminal, entry), (certificate, values)]
