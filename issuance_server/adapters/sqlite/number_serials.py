"""Where the serials of certificate numbers go on, day by day, and the block of the last restore."""

from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.records import Restored

NEXT_SQL = (
    "SELECT max(coalesce((SELECT next_serial FROM number_serial WHERE day = ?), 1),"
    " coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'first-serial'), 1))"
)
USED_SQL = (
    "SELECT next_serial FROM number_serial UNION ALL"
    " SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'first-serial'"
)


def statements_for(record: Restored) -> list[Statement]:
    """Return what opens the block of a restore."""
    sql = (
        "INSERT INTO meta (key, value) VALUES ('first-serial', ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    )
    return [(sql, (str(record.first_serial),))]
