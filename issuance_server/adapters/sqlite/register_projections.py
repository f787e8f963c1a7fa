"""From a record of the register copy to how the copy stands."""

from typing import TypeAlias

from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r

OfRegisters: TypeAlias = (
    r.RegisterImported | r.RegisterFed | r.RegisterGapFound | r.StandInBegun | r.StandInEnded
)


def statements_for(record: OfRegisters) -> list[Statement]:
    """Return what a record changes."""
    match record:
        case r.RegisterImported() | r.RegisterFed():
            sql = (
                "UPDATE register_state SET sequence = ?, watermark_ms = ?,"
                " gap_expected = NULL, gap_found = NULL, gap_at_ms = NULL"
            )
            return [(sql, (record.sequence, record.watermark_ms))]
        case r.RegisterGapFound():
            sql = "UPDATE register_state SET gap_expected = ?, gap_found = ?, gap_at_ms = ?"
            return [(sql, (record.expected, record.found, record.at_ms))]
        case r.StandInBegun():
            sql = "UPDATE register_state SET stand_in_since_ms = ?, stand_in_until_ms = ?"
            return [(sql, (record.at_ms, record.until_ms))]
        case r.StandInEnded():
            sql = "UPDATE register_state SET stand_in_since_ms = NULL, stand_in_until_ms = NULL"
            return [(sql, ())]
