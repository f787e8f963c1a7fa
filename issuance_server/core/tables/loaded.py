"""A version of the city's tables as it is kept, and what it says."""

import hashlib
from typing import Self

import msgspec

from issuance_server.core.tables import NO_TABLES, CityTables
from issuance_server.core.tables.reading import read_tables
from protocol.errors import SetUpError


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

    @classmethod
    def founding(cls, content: bytes, at_ms: int) -> Self:
        """Return the tables with which a city is founded."""
        digest = hashlib.sha256(content).digest()
        return cls(loaded_at_ms=at_ms, digest=digest, content=content, operator=None)


def read_loaded(loaded: LoadedTables | None) -> CityTables:
    """Return what the tables in force say; without any, nothing is offered.

    Raises:
        SetUpError: this version of the program reads them no more.
    """
    return read_content(None if loaded is None else loaded.content)


def read_content(content: bytes | None) -> CityTables:
    """Return what a file with tables says; without any, nothing is offered.

    Raises:
        SetUpError: this version of the program reads them no more.
    """
    if content is None:
        return NO_TABLES
    try:
        return read_tables(content)
    except SetUpError as error:
        raise SetUpError(
            f"this version of the program cannot read the city's tables: {error}; load others:"
            " issuance-server tables load FILE"
        ) from None
