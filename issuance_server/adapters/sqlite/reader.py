"""Reading beside the running server, a question at a time."""

from pathlib import Path
from typing import Any

import aiosqlite

from issuance_server.adapters.sqlite.schema import READER_PRAGMAS


class Reader:
    """Opens a ``query_only`` connection for each question and closes it at once."""

    def __init__(self, database: Path) -> None:
        self.database = database

    async def all(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Return all rows, which can be asked by column name. For questions with a limit."""
        async with aiosqlite.connect(self.database, isolation_level=None) as connection:
            connection.row_factory = aiosqlite.Row
            for pragma in READER_PRAGMAS:
                await connection.execute(pragma)
            return list(await connection.execute_fetchall(sql, values))
