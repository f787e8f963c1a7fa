"""The city's tables in the database: every version that was ever in force, the last one is now."""

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.records import TablesLoaded
from issuance_server.core.tables import NO_TABLES, CityTables
from issuance_server.core.tables.reading import read_tables
from protocol.errors import SetUpError

LATEST_SQL = (
    "SELECT loaded_at_ms, digest, content, operator FROM city_tables ORDER BY load DESC LIMIT 1"
)


class LoadedTables(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the tables.

    Attributes:
        loaded_at_ms: since when it is in force, real time.
        digest: SHA-256 of the content.
        content: the file, as its operator wrote it.
        operator: who loaded it; None: the city was founded with it.
    """

    loaded_at_ms: int
    digest: bytes
    content: bytes
    operator: str | None


def statements_for(record: TablesLoaded) -> list[Statement]:
    """Return what keeps a version beside the others."""
    sql = "INSERT INTO city_tables (loaded_at_ms, digest, content, operator) VALUES (?, ?, ?, ?)"
    return [(sql, (record.at_ms, record.digest, record.content, record.operator))]


def loaded_tables(row: tuple[int, bytes, bytes, str | None]) -> LoadedTables:
    """Read a row of ``LATEST_SQL``."""
    loaded_at_ms, digest, content, operator = row
    return LoadedTables(
        loaded_at_ms=loaded_at_ms, digest=digest, content=content, operator=operator
    )


def read_loaded(loaded: LoadedTables | None) -> CityTables:
    """Return what the tables in force say; without any, nothing is offered.

    Raises:
        SetUpError: this version of the program reads them no more.
    """
    if loaded is None:
        return NO_TABLES
    try:
        return read_tables(loaded.content)
    except SetUpError as error:
        raise SetUpError(
            f"this version of the program cannot read the city's tables: {error}; load others:"
            " issuance-server tables load FILE"
        ) from None


async def tables_in_force(reader: Reader) -> LoadedTables | None:
    """Return the tables in force; None: none were ever loaded."""
    rows = await reader.all(LATEST_SQL)
    return loaded_tables(tuple(rows[0])) if rows else None
