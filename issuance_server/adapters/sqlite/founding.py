"""Makes a new city's database: the tables, and what a city starts with."""

import hashlib
import itertools
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import msgspec

from issuance_server.adapters.sqlite import issuing_projections
from issuance_server.adapters.sqlite.cards import founding
from issuance_server.adapters.sqlite.register_writing import (
    SET_LAST_VERSION_SQL,
    put_household,
    put_record,
)
from issuance_server.adapters.sqlite.schema import SCHEMA, SCHEMA_VERSION, WRITER_PRAGMAS
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.adapters.sqlite.suppressions import setting
from issuance_server.adapters.sqlite.tables_projections import statements_for
from issuance_server.certificates.order import Record
from issuance_server.core.audit_tree import AuditTree
from issuance_server.core.record_holders import record_key
from issuance_server.core.records import ManifestDeclared, TablesLoaded, encode_record
from issuance_server.core.register import Household
from issuance_server.core.suppression import Suppression
from issuance_server.core.tables.reading import read_tables
from issuance_server.core.terminal_place import TerminalClass
from protocol.errors import SetUpError
from protocol.kinds import Kind

_FILE_MODE = 0o600  # it holds the registers; its folder may be moved or opened
Records = Mapping[tuple[str, Kind], Record]
"""By 宛名番号 and kind of certificate."""


class NewTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal for the list, with its first key certificate.

    Attributes:
        terminal: its id.
        line_id: 8 bytes.
        fingerprint: SHA-256 of its key certificate.
        report_key: Ed25519 public key that checks its reports.
        until_ms: when the certificate expires, Unix time in milliseconds.
        chain: who runs the store.
        store: the store's name.
        in_city: whether it stands in the city.
        terminal_class: what kind of machine it is.
    """

    terminal: str
    line_id: bytes
    fingerprint: bytes
    report_key: bytes
    until_ms: int
    chain: str
    store: str
    in_city: bool
    terminal_class: TerminalClass = TerminalClass.STORE


def found_city(
    path: Path,
    *,
    households: Iterable[Household],
    records: Records = MappingProxyType({}),
    terminals: Iterable[NewTerminal],
    cards: Iterable[tuple[str, str] | tuple[str, str, str]],
    at_ms: int,
) -> None:
    """Create the database in one transaction.

    Args:
        path: the file; its folder exists.
        households: the copy of the resident register.
        records: those of the other registers; the holders are residents.
        terminals: the list of terminals.
        cards: card reference, 宛名番号 of its holder, and of a 個人番号カード the serial of its
            certificate, in hexadecimal.
        at_ms: the time of registration, and the register copy's watermark.

    Raises:
        SetUpError: the file exists already.
    """
    if path.exists():
        raise SetUpError(f"{path} exists already; a city is founded once")
    path.touch(mode=_FILE_MODE, exist_ok=False)  # SQLite gives its companions the same mode
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in WRITER_PRAGMAS:
            connection.execute(pragma)
        connection.executescript("BEGIN;" + SCHEMA)
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
        connection.execute("INSERT INTO audit_frontier VALUES (1, 0, x'')")
        _add_registers(connection, households, records, at_ms)
        connection.execute("INSERT INTO judge_report VALUES (1, 0, 0)")
        for terminal in terminals:
            _add_terminal(connection, terminal, at_ms)
        for card_ref, resident_id, *serial in cards:
            registered = founding(card_ref, resident_id, serial[0] if serial else None, at_ms)
            connection.execute(*registered)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def found_tables(path: Path, content: bytes, at_ms: int) -> None:
    """Give a city that was just founded its first tables; until then it offers nothing.

    They are the first leaf of the journal: whoever audits the fees needs them.

    Args:
        path: the database; its journal is empty.
        content: the tables, as ``core.tables.reading`` takes them.
        at_ms: the time of the founding.

    Raises:
        SetUpError: the tables are not right.
    """
    read_tables(content)
    digest = hashlib.sha256(content).digest()
    record = TablesLoaded(at_ms=at_ms, digest=digest, content=content)
    packed = encode_record(record)
    tree = AuditTree()
    tree.append(packed)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in WRITER_PRAGMAS:
            connection.execute(pragma)
        connection.execute("BEGIN")
        connection.execute("INSERT INTO journal (at_ms, record) VALUES (?, ?)", (at_ms, packed))
        sql = "UPDATE audit_frontier SET size = ?, frontier = ? WHERE id = 1 AND size = 0"
        connection.execute(sql, (tree.size, tree.frontier))
        for statement, values in statements_for(record):
            connection.execute(statement, values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def found_manifest(path: Path, items: Mapping[str, str], at_ms: int) -> None:
    """Declare what the node of a city that was just founded has to be.

    As with all that a city is founded with but its tables, nobody's act is on record for it.

    Args:
        path: the database.
        items: by name, as ``issuance_server.manifest`` has them.
        at_ms: the time of the founding.
    """
    declared = ManifestDeclared(at_ms=at_ms, items=dict(items))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in WRITER_PRAGMAS:
            connection.execute(pragma)
        _carry_out(connection, issuing_projections.statements_for(declared))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def found_suppressions(path: Path, set_then: Iterable[Suppression]) -> None:
    """Give a city that was just founded the suppressions that come with its register.

    Args:
        path: the database.
        set_then: with the register as their origin: they are the resident system's to lift.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in WRITER_PRAGMAS:
            connection.execute(pragma)
        connection.execute("BEGIN")
        _carry_out(connection, [setting(suppression) for suppression in set_then])
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _add_terminal(connection: sqlite3.Connection, terminal: NewTerminal, at_ms: int) -> None:
    connection.execute(
        "INSERT INTO terminal (terminal, line_id, chain, store, in_city, class, registered_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            terminal.terminal,
            terminal.line_id,
            terminal.chain,
            terminal.store,
            terminal.in_city,
            terminal.terminal_class.value,
            at_ms,
        ),
    )
    connection.execute(
        "INSERT INTO terminal_certificate (fingerprint, terminal, report_key, since_ms, until_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (terminal.fingerprint, terminal.terminal, terminal.report_key, at_ms, terminal.until_ms),
    )


def _add_registers(
    connection: sqlite3.Connection,
    households: Iterable[Household],
    records: Records,
    at_ms: int,
) -> None:
    """Add the copy of the registers; a record that has many holders is put once."""
    state = "INSERT INTO register_state (id, watermark_ms) VALUES (1, ?)"
    connection.execute(state, (at_ms,))
    versions = itertools.count(1)
    for household in households:
        _carry_out(connection, put_household(household, next(versions)))
    once = {record_key(record): record for record in records.values()}
    for record in once.values():
        _carry_out(connection, put_record(record, next(versions)))
    connection.execute(SET_LAST_VERSION_SQL, (next(versions) - 1,))


def _carry_out(connection: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    for sql, values in statements:
        connection.execute(sql, values)
