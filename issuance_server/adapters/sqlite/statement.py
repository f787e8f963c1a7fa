"""One change of a table, and who makes changes beside the journal."""

from typing import Any, Protocol, TypeAlias

Statement: TypeAlias = tuple[str, tuple[object, ...]]
"""SQL text and its values."""


class TablesBeside(Protocol):
    """Reads and writes what is kept beside the journal; the store is one."""

    async def read(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Return rows.

        Raises:
            JournalFailed: they could not be read.
        """
        ...

    async def write_aside(self, sql: str, values: tuple[object, ...]) -> None:
        """Change a table, in a transaction of its own.

        Raises:
            JournalFailed: it could not be written.
        """
        ...
