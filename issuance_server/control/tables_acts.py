"""The act that puts other tables of hours, fees and chains into force."""

import hashlib
from collections.abc import Mapping

from issuance_server.adapters.sqlite.tables_projections import tables_in_force
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.inputs import NewTables
from issuance_server.core.tables import CityTables
from issuance_server.core.tables.loaded import read_loaded
from issuance_server.core.tables.reading import read_tables
from issuance_server.core.terminal_place import TerminalClass
from protocol.errors import KeyManagementError


def loading_subject(content: bytes) -> str:
    """Return what an operator signs to load tables: the digest of the file."""
    return f"tables {hashlib.sha256(content).hexdigest()}"


async def _loading(asked: Asked) -> NewTables:
    brought = asked.brought
    if not isinstance(brought, wire.NewTablesFile):
        raise incomplete()
    check_subject(asked.act, loading_subject(brought.content))
    tables = read_tables(brought.content)
    loaded = await tables_in_force(asked.queries.reader)
    if loaded is not None and loaded.content == brought.content:
        raise KeyManagementError(
            "these tables are in force already; change the file, and check it: tables check FILE"
        )
    for row in await asked.queries.terminals(asked.now.real_ms):
        known = tables.class_of(row.chain)
        if row.revoked_at_ms is None and (known is None or known.value != row.terminal_class):
            what = "no chain" if known is None else f"machines of class {known.value} for"
            raise KeyManagementError(
                f"terminal {row.terminal} is registered as a {row.terminal_class} machine of"
                f" {row.chain}, but the tables have {what} {row.chain}; a chain that ends gets an"
                " `until` and stays in the file"
            )
    return NewTables(content=brought.content)


async def check_chain(asked: Asked, chain: str, terminal_class: TerminalClass) -> None:
    """Check that the tables in force know the chain of a new terminal, and as what.

    Raises:
        KeyManagementError: they do not; the text names the way out.
    """
    tables: CityTables = read_loaded(await tables_in_force(asked.queries.reader))
    known = tables.class_of(chain)
    if known is None:
        chains = ", ".join(sorted({line.chain for line in tables.chains})) or "none yet"
        raise KeyManagementError(
            f"the city's tables know no chain {chain} (the chains are: {chains}); write it into"
            " the tables with what it issues, and load them: tables load"
        )
    if known is not terminal_class:
        raise KeyManagementError(
            f"by the city's tables {chain} has machines of class {known.value}; register it with"
            f" --class {known.value}"
        )


TABLES_ACTS: Mapping[str, ActKind] = {wire.ACT_TABLES_LOAD: ActKind(check=_loading, of_two=True)}
