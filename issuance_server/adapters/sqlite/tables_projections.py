"""The city's tables in the database: every version that was ever in force, the last one is now."""

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.records import TablesLoaded
from issuance_server.core.tables.loaded import LoadedTables

LATEST_SQL = (
    "SELECT loaded_at_ms, digest, content, operator FROM city_tables ORDER BY load DESC LIMIT 1"
)


def statements_for(record: TablesLoaded) -> list[Statement]:
    """Return what keeps a version beside the others.

    Loading tables declares them: the manifest names the latest.
    """
    sql = "INSERT INTO city_tables (loaded_at_ms, digest, content, operator) VALUES (?, ?, ?, ?)"
    declared = (
        "UPDATE meta SET value = json_set(value, '$.\"tables-city\"', ?) WHERE key = 'manifest'"
    )
    return [
        (sql, (record.at_ms, record.digest, record.content, record.operator)),
        (declared, (record.digest.hex(),)),
    ]


def loaded_tables(row: tuple[int, bytes, bytes, str | None]) -> LoadedTables:
    """Read a row of ``LATEST_SQL``."""
    loaded_at_ms, digest, content, operator = row
    return LoadedTables(
        loaded_at_ms=loaded_at_ms, digest=digest, content=content, operator=operator
    )


async def tables_in_force(reader: Reader) -> LoadedTables | None:
    """Return the tables in force; None: none were ever loaded."""
    rows = await reader.all(LATEST_SQL)
    return loaded_tables(tuple(rows[0])) if rows else None
