"""Makes a new city's database: the tables, and what a city starts with."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from types import MappingProxyType

import msgspec

from issuance_server.adapters.sqlite.schema import SCHEMA, SCHEMA_VERSION, WRITER_PRAGMAS
from issuance_server.certificates.order import Record
from issuance_server.core.bars import bar_of, fiscal_year_of
from issuance_server.core.register import Household
from issuance_server.core.terminal_place import TerminalClass
from protocol.errors import SetUpError
from protocol.kinds import Kind

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
    cards: Iterable[tuple[str, str]],
    at_ms: int,
) -> None:
    """Create the database in one transaction.

    Args:
        path: the file; its folder exists.
        households: the copy of the resident register.
        records: those of the other registers; the holders are residents.
        terminals: the list of terminals.
        cards: card reference and 宛名番号 of its holder.
        at_ms: the time of registration, and the register copy's watermark.

    Raises:
        SetUpError: the file exists already.
    """
    if path.exists():
        raise SetUpError(f"{path} exists already; a city is founded once")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in WRITER_PRAGMAS:
            connection.execute(pragma)
        connection.executescript("BEGIN;" + SCHEMA)
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
        connection.execute("INSERT INTO audit_frontier VALUES (1, 0, x'')")
        connection.execute("INSERT INTO register_state VALUES (1, ?)", (at_ms,))
        for version, household in enumerate(households, start=1):
            _add_household(connection, household, version)
        _add_records(connection, records)
        connection.execute("INSERT INTO judge_report VALUES (1, 0, 0)")
        for terminal in terminals:
            _add_terminal(connection, terminal, at_ms)
        connection.executemany(
            "INSERT INTO card (card_ref, resident_id, registered_at_ms) VALUES (?, ?, ?)",
            [(card_ref, resident_id, at_ms) for card_ref, resident_id in cards],
        )
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


def _add_household(connection: sqlite3.Connection, household: Household, version: int) -> None:
    """Add a household under a version that no other has: a version names its household, too."""
    connection.execute(
        "INSERT INTO household (household_id, version, record) VALUES (?, ?, ?)",
        (household.household_id, version, msgspec.msgpack.encode(household)),
    )
    connection.executemany(
        "INSERT INTO resident (resident_id, household_id, birth_on, resident_since, is_head,"
        " standing) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                member.resident_id,
                household.household_id,
                _day(member.birth.on),
                _day(member.became_resident_on.on),
                member.resident_id == household.head_id,
                member.standing.value,
            )
            for member in household.members
        ],
    )


def _add_records(connection: sqlite3.Connection, records: Records) -> None:
    """Add the records, each once: a family register has many holders, and serves two kinds."""
    known: dict[bytes, int] = {}
    for (resident_id, kind), record in records.items():
        packed = msgspec.msgpack.encode(record)
        record_id = known.get(packed)
        if record_id is None:
            record_id = known[packed] = len(known) + 1
            connection.execute(
                "INSERT INTO register_record (record_id, version, record, bar, fiscal_year)"
                " VALUES (?, ?, ?, ?, ?)",
                (record_id, record_id, packed, _bar(record), fiscal_year_of(record)),
            )
        connection.execute(
            "INSERT INTO register_record_holder (resident_id, kind, record_id) VALUES (?, ?, ?)",
            (resident_id, kind.value, record_id),
        )


def _day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def _bar(record: Record) -> str | None:
    bar = bar_of(record)
    return None if bar is None else bar.value
