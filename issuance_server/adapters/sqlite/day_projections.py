"""From records of lines and days to tables: openings with both sides' counters, days, serials."""

from issuance_server.adapters.sqlite import number_serials
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r

_END = (
    "UPDATE line_opening SET ended_at_ms = ?, ended_day = ?, ended_how = ?"
    " WHERE terminal = ? AND ended_how IS NULL"
)
_BEGIN = "INSERT INTO line_opening (terminal, opened_at_ms, opened_day) VALUES (?, ?, ?)"
_BEGIN_UNLESS_OPEN = (
    "INSERT INTO line_opening (terminal, opened_at_ms, opened_day) SELECT ?, ?, ? WHERE NOT EXISTS"
    " (SELECT 1 FROM line_opening WHERE terminal = ? AND ended_how IS NULL)"
)
_COUNTERS = (
    "UPDATE line_opening SET ended_at_ms = ?, ended_day = ?, ended_how = 'closed',"
    " our_completed = ?, our_reversed = ?, our_fees_earned_yen = ?,"
    " their_completed = ?, their_reversed = ?, their_fees_earned_yen = ?, differs = ?"
    " WHERE terminal = ? AND ended_how IS NULL"
)


def statements_for(record: r.AnyRecord) -> list[Statement]:
    """Return what a record of a line or a day changes; nothing if it is about something else."""
    match record:
        case r.LineOpened(terminal=terminal):
            return [
                (_END, (record.at_ms, record.day, "broken-off", terminal)),
                (_BEGIN, (terminal, record.at_ms, record.day)),
            ]
        case r.LineClosed():
            return _line_closed(record)
        case r.LineStopped():
            sql = "UPDATE terminal SET stopped_at_ms = ? WHERE terminal = ?"
            return [(sql, (record.at_ms, record.terminal))]
        case r.LineReopened():
            sql = "UPDATE terminal SET stopped_at_ms = NULL, inspected_at_ms = ? WHERE terminal = ?"
            return [(sql, (record.at_ms, record.terminal))]
        case r.TerminalRevoked():
            sql = (
                "UPDATE line_opening SET ended_at_ms = ?, ended_day = opened_day,"
                " ended_how = 'revoked' WHERE terminal = ? AND ended_how IS NULL"
            )
            return [(sql, (record.at_ms, record.terminal))]
    return _of_day(record)


def _of_day(record: r.AnyRecord) -> list[Statement]:
    match record:
        case r.DayClosed():
            sql = (
                "INSERT INTO closed_day (day, closed_at_ms, operator, tables_load)"
                " VALUES (?, ?, ?, (SELECT max(load) FROM city_tables))"
            )
            return [(sql, (record.day, record.at_ms, record.operator))]
        case r.LineCarriedOver():
            sql = "INSERT OR IGNORE INTO line_carried_over (day, terminal, at_ms) VALUES (?, ?, ?)"
            return [(sql, (record.day, record.terminal, record.at_ms))]
        case r.ReportedLate():
            sql = (
                "INSERT INTO late_report (issuance_id, day, terminal, outcome, sheets_out, at_ms)"
                " VALUES (?, ?, ?, ?, ?, ?)"
            )
            told = (record.outcome.value, record.sheets_out, record.at_ms)
            return [(sql, (record.issuance_id, record.day, record.terminal, *told))]
        case r.DifferenceSettled():
            sql = (
                "UPDATE line_opening SET settled_at_ms = ? WHERE terminal = ? AND opened_day <= ?"
                " AND differs AND settled_at_ms IS NULL"
            )
            return [(sql, (record.at_ms, record.terminal, record.day))]
        case r.Restored():
            return number_serials.statements_for(record)
    return []


def _line_closed(record: r.LineClosed) -> list[Statement]:
    """Keep both sides' counters.

    A terminal that says it is closed without an opening that is open here is written down as one
    that opened at that moment: what it counted must not change an opening of a closed day.
    """
    terminal, ours, theirs = record.terminal, record.ours, record.theirs
    counters = (
        *(ours.completed, ours.reversed, ours.fees_earned_yen),
        *(theirs.completed, theirs.reversed, theirs.fees_earned_yen),
    )
    return [
        (_BEGIN_UNLESS_OPEN, (terminal, record.at_ms, record.day, terminal)),
        (_COUNTERS, (record.at_ms, record.day, *counters, int(ours != theirs), terminal)),
    ]
