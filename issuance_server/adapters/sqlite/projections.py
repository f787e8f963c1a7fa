"""From a record to the statements that keep the tables in step; run in the record's transaction."""

from issuance_server.adapters.sqlite import house_projections, notice_statements
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r
from protocol.issuance import IssuanceState
from protocol.terminal_statements import PrintOutcome

_SET_STATE = "UPDATE issuance SET state = ? WHERE issuance_id = ?"
_RELEASE = (
    "UPDATE issuance SET state = ?, fee_state = 'held', released_at_ms = ? WHERE issuance_id = ?"
)
_REPORT = (
    "UPDATE issuance SET state = ?, fee_state = ?, reported_at_ms = ?, failure_cause = ?"
    " WHERE issuance_id = ?"
)
_SET_NUMBERS = "UPDATE certificate_number SET state = ? WHERE issuance_id = ?"
_OPEN_SUBJECT = (
    "INSERT INTO open_subject (subject, until_ms) VALUES (?, ?)"
    " ON CONFLICT (subject) DO UPDATE SET until_ms = excluded.until_ms"
)
"""Ids are made by terminals, so one may come again; that must never be an error of the journal."""
_CLOSE_SUBJECT = (
    "UPDATE open_subject SET until_ms = coalesce((SELECT v.until_ms FROM issuance i"
    " JOIN open_subject v ON v.subject = i.visit_id WHERE i.issuance_id = open_subject.subject), 0)"
    " WHERE subject = ?"
)
"""An issuance that has ended is folded as long as its visit is, which counts its issuances."""


def statements_for(record: r.AnyRecord) -> list[Statement]:
    """Return what a record changes in the projections.

    The states are those that ``core.state.evolve`` reaches by the same record; a contract test
    compares the two.
    """
    match record:
        case r.VisitBegun():
            over = "DELETE FROM open_subject WHERE until_ms <= ?"
            sql = _OPEN_SUBJECT
            return [(over, (record.at_ms,)), (sql, (record.visit_id, record.deadline_ms))]
        case r.IssuanceApplied():
            return _applied(record)
        case r.IssuanceQuoted():
            sql = "UPDATE issuance SET state = ?, sheets = ? WHERE issuance_id = ?"
            return [(sql, (IssuanceState.QUOTED.value, record.sheets, record.issuance_id))]
        case r.CiphertextHeld():
            return [(_SET_STATE, (IssuanceState.SEALED.value, record.issuance_id))]
    return _after_sealing(record)


def _after_sealing(record: r.AnyRecord) -> list[Statement]:
    match record:
        case r.IssuanceReleased():
            released = IssuanceState.RELEASED.value
            return [
                (_RELEASE, (released, record.at_ms, record.issuance_id)),
                (_SET_NUMBERS, ("valid", record.issuance_id)),
            ]
        case r.PrintReported():
            return _print_reported(record)
        case r.DeletionReported():
            sql = "UPDATE issuance SET deletion_reported = 1 WHERE issuance_id = ?"
            return [(sql, (record.issuance_id,))]
        case r.KeyDestroyed():
            sql = (
                "UPDATE issuance SET key_destroyed = 1, ended_at_ms = ?, end_day = ?,"
                " state = CASE state WHEN ? THEN ? ELSE ? END WHERE issuance_id = ?"
            )
            ends = (
                IssuanceState.PRINTED.value,
                IssuanceState.COMPLETED.value,
                IssuanceState.REVERSED.value,
            )
            return [
                (sql, (record.at_ms, record.day, *ends, record.issuance_id)),
                (_CLOSE_SUBJECT, (record.issuance_id,)),
            ]
        case r.IssuanceWithdrawn():
            sql = (
                "UPDATE issuance SET state = ?, code = ?, ended_at_ms = ?, end_day = ?"
                " WHERE issuance_id = ?"
            )
            ended = (IssuanceState.WITHDRAWN.value, int(record.code), record.at_ms, record.day)
            return [
                (sql, (*ended, record.issuance_id)),
                (_SET_NUMBERS, ("void", record.issuance_id)),
                (_CLOSE_SUBJECT, (record.issuance_id,)),
            ]
        case r.IssuanceUnconfirmed():
            return [(_SET_STATE, (IssuanceState.UNCONFIRMED.value, record.issuance_id))]
        case r.IssuanceClosed():
            return _closed(record)
    return house_projections.statements_for(record)


def _applied(record: r.IssuanceApplied) -> list[Statement]:
    """Open the issuance and reserve its numbers.

    ``number_serial`` moves only forward and ``certificate_number.number`` is unique, so two
    reservations of one number cannot both commit.
    """
    issuance = (
        "INSERT INTO issuance (issuance_id, visit_id, terminal, card_ref, kind, copies, fee_yen,"
        " fee_state, state, business_day, applied_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'none', ?, ?, ?)"
    )
    values = (
        record.issuance_id,
        record.visit_id,
        record.terminal,
        record.card_ref,
        record.kind.value,
        record.copies,
        record.fee_yen,
        IssuanceState.APPLIED.value,
        record.business_day,
        record.at_ms,
    )
    serial = (
        "INSERT INTO number_serial (day, next_serial) VALUES (?, ?)"
        " ON CONFLICT (day) DO UPDATE SET next_serial = excluded.next_serial"
        " WHERE excluded.next_serial > number_serial.next_serial"
    )
    number = (
        "INSERT INTO certificate_number (number, issuance_id, copy, state)"
        " VALUES (?, ?, ?, 'reserved')"
    )
    return [
        (issuance, values),
        (serial, (record.business_day, record.last_serial + 1)),
        *(
            (number, (text, record.issuance_id, copy))
            for copy, text in enumerate(record.numbers, start=1)
        ),
        (_OPEN_SUBJECT, (record.issuance_id, None)),
    ]


def _print_reported(record: r.PrintReported) -> list[Statement]:
    """Decide over the fee: earned when everything is out, returned otherwise."""
    if record.outcome is PrintOutcome.PRINTED:
        printed = (IssuanceState.PRINTED.value, "earned", record.at_ms, None)
        return [(_REPORT, (*printed, record.issuance_id)), notice_statements.of_printing(record)]
    failed = (IssuanceState.PRINT_FAILED.value, "returned", record.at_ms, record.cause.value)
    return [
        (_REPORT, (*failed, record.issuance_id)),
        (_SET_NUMBERS, ("void", record.issuance_id)),
    ]


def _closed(record: r.IssuanceClosed) -> list[Statement]:
    """Take the word of two operators for the terminal's."""
    sql = (
        "UPDATE issuance SET state = ?, fee_state = ?, ended_at_ms = ?, end_day = ?"
        " WHERE issuance_id = ?"
    )
    ended = (IssuanceState.CLOSED.value, record.fee.value, record.at_ms, record.day)
    numbers = "valid" if record.fee is r.ClosedFee.EARNED else "void"
    return [
        (sql, (*ended, record.issuance_id)),
        (_SET_NUMBERS, (numbers, record.issuance_id)),
        (_CLOSE_SUBJECT, (record.issuance_id,)),
    ]
