"""The city's tables: what an operator loads, and what is in force."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.core.tables.reading import TABLES_BYTES_MAX

ACT_TABLES_LOAD = "tables.load"


class NewTablesFile(msgspec.Struct, frozen=True, kw_only=True, tag="new-tables"):
    """What comes with ``tables.load``: the file, whole."""

    content: Annotated[bytes, Meta(max_length=TABLES_BYTES_MAX)]


class ReadTables(msgspec.Struct, frozen=True, kw_only=True, tag="read-tables"):
    """The tables in force."""


class TablesInForce(msgspec.Struct, frozen=True, kw_only=True, tag="tables-in-force"):
    """What is in force.

    Attributes:
        loaded: the tables; None: none were ever loaded, and nothing is offered.
        business_ms: the time of who answers, by the city's business clock.
    """

    loaded: LoadedTables | None
    business_ms: int
