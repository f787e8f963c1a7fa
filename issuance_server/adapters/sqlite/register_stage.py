"""A full extract on its way into the copy: written into a file beside the city's, then swapped in.

The file has the city's own tables, so that the same statements fill it and the same constraints
find who is in it twice. Whoever writes the city attaches it and takes over what is different, in
one transaction: a household that is the same keeps its version.
"""

import contextlib
import hashlib
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import aiosqlite

from issuance_server.adapters.sqlite.register_changes import edit_column
from issuance_server.adapters.sqlite.register_writing import (
    LAST_VERSION_SQL,
    SET_LAST_VERSION_SQL,
    put_household,
    put_record,
)
from issuance_server.adapters.sqlite.schema import SCHEMA
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.adapters.sqlite.suppressions import setting
from issuance_server.core.record_faults import Fault
from issuance_server.core.record_holders import record_key
from issuance_server.core.register_desk import of_register
from issuance_server.core.register_extract import (
    Content,
    EditLine,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from protocol.errors import JournalFailed, SetUpError

ATTACHED_AS = "extract"
STAGE_NAME_BYTES = 8
_TAKEN = ".taken"
_DIGEST_BLOCK_BYTES = 1 << 20
_TWICE = {
    "resident.resident_id": "宛名番号",
    "register_record_holder.resident_id": "宛名番号",
    "register_edit.resident_id": "宛名番号",
    "register_edit.household_id": "世帯番号",
}
"""What each constraint is about, in the words of the register."""

_TAKE = (
    "DELETE FROM main.resident",
    "DELETE FROM main.register_record_holder",
    (
        "INSERT INTO main.household (household_id, version, record)"
        " SELECT household_id, version + ?1, record FROM extract.household WHERE true"
        " ON CONFLICT (household_id) DO UPDATE SET version = excluded.version,"
        " record = excluded.record WHERE household.record IS NOT excluded.record"
    ),
    (
        "DELETE FROM main.household"
        " WHERE household_id NOT IN (SELECT household_id FROM extract.household)"
    ),
    "INSERT INTO main.resident SELECT * FROM extract.resident",
    (
        "INSERT INTO main.register_record (record_key, version, record, bar, fiscal_year)"
        " SELECT record_key, version + ?1, record, bar, fiscal_year FROM extract.register_record"
        " WHERE true ON CONFLICT (record_key) DO UPDATE SET version = excluded.version,"
        " record = excluded.record, bar = excluded.bar, fiscal_year = excluded.fiscal_year"
        " WHERE register_record.record IS NOT excluded.record"
    ),
    (
        "DELETE FROM main.register_record"
        " WHERE record_key NOT IN (SELECT record_key FROM extract.register_record)"
    ),
    (
        "INSERT INTO main.register_record_holder (resident_id, kind, record_id)"
        " SELECT h.resident_id, h.kind, m.record_id FROM extract.register_record_holder h"
        " JOIN extract.register_record e ON e.record_id = h.record_id"
        " JOIN main.register_record m ON m.record_key = e.record_key"
    ),
    "DELETE FROM main.suppression WHERE origin = 'register'",
    "INSERT INTO main.suppression SELECT * FROM extract.suppression",
    "DELETE FROM main.register_edit",
    "INSERT INTO main.register_edit SELECT * FROM extract.register_edit",
)
"""``?1``: the highest version so far. What operators suppress themselves is not the extract's."""


def stage_path(database: Path, name: str) -> Path:
    """Return where an extract on its way lies."""
    return database.with_name(f"{database.name}.extract-{name}")


class Stage:
    """Takes the lines of an extract, one after the other."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._versions = itertools.count(1)

    def add(self, line: Content, as_of_ms: int) -> Fault | None:
        """Add a line; return a fault if what it says is there already."""
        try:
            if not self._is_new(line):
                return Fault(reason="record-inconsistent", item="twice in the extract")
            for sql, values in _statements(line, next(self._versions), as_of_ms):
                self._connection.execute(sql, values)
        except sqlite3.IntegrityError as error:
            where = str(error).rpartition(": ")[2].partition(",")[0]
            item = _TWICE.get(where, "")
            return Fault(reason="record-inconsistent", item=f"{item} twice in the extract".strip())
        return None

    def _is_new(self, line: Content) -> bool:
        """Tell whether a line's household, record or suppression has not come yet."""
        match line:
            case HouseholdLine(household=household):
                sql, key = "SELECT 1 FROM household WHERE household_id = ?", household.household_id
            case RecordLine(record=record):
                sql, key = "SELECT 1 FROM register_record WHERE record_key = ?", record_key(record)
            case SuppressionLine(suppression=noted):
                sql = "SELECT 1 FROM suppression WHERE suppression_id = ?"
                key = of_register(noted, 0).suppression_id
            case EditLine():
                return True
        return self._connection.execute(sql, (key,)).fetchone() is None


@contextmanager
def new_stage(path: Path) -> Iterator[Stage]:
    """Make the file of a stage; it is complete when the block is left, and gone after an error.

    Raises:
        SetUpError: it cannot be written.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # it is whole, or it is removed
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.executescript("BEGIN;" + SCHEMA)
            yield Stage(connection)
            connection.execute("COMMIT")
    except (sqlite3.OperationalError, OSError) as error:
        path.unlink(missing_ok=True)
        raise SetUpError(f"the extract cannot be staged at {path}: {error}") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@asynccontextmanager
async def attached_extract(writer: aiosqlite.Connection, path: str | None) -> AsyncIterator[None]:
    """Attach a stage to a connection that is in no transaction, and remove its file afterwards.

    Raises:
        JournalFailed: it cannot be attached.
    """
    if path is None:
        yield
        return
    try:
        await writer.execute(f"ATTACH ? AS {ATTACHED_AS}", (path,))
    except sqlite3.Error as error:
        raise JournalFailed(f"the extract cannot be attached: {error}") from error
    try:
        yield
    finally:
        with contextlib.suppress(sqlite3.Error, ValueError):  # the connection may be closed
            await writer.execute(f"DETACH {ATTACHED_AS}")
        _remove(Path(path))


def taken(path: Path) -> Path:
    """Take a stage from the command that made it, so that its end cannot harm; return its place.

    Raises:
        OSError: it is not there.
    """
    return path.rename(path.with_name(path.name + _TAKEN))


def remove_left(database: Path) -> None:
    """Remove what a process left that died while it took an extract over."""
    for left in database.parent.glob(f"{database.name}.extract-*{_TAKEN}"):
        left.unlink(missing_ok=True)


def remove_stages(database: Path) -> None:
    """Remove every stage that nobody has taken: one's own, and what was left before."""
    for left in database.parent.glob(f"{database.name}.extract-*"):
        if not left.name.endswith(_TAKEN):
            left.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def stage_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_DIGEST_BLOCK_BYTES):
            digest.update(block)
    return digest.digest()


async def take_extract(writer: aiosqlite.Connection) -> None:
    """Take over what is different in the attached extract, in the writer's transaction."""
    async with writer.execute(LAST_VERSION_SQL) as cursor:
        row = await cursor.fetchone()
    last: int = row[0] if row else 0
    for sql in _TAKE:
        await writer.execute(sql, (last,) if "?1" in sql else ())
    sizes = "SELECT (SELECT coalesce(max(version), 0) FROM extract.household)"
    of_records = "(SELECT coalesce(max(version), 0) FROM extract.register_record)"
    async with writer.execute(f"{sizes}, {of_records}") as cursor:
        highest = await cursor.fetchone()
    await writer.execute(SET_LAST_VERSION_SQL, (last + max(highest or (0,)),))


def _statements(line: Content, version: int, as_of_ms: int) -> Iterable[Statement]:
    match line:
        case HouseholdLine(household=household):
            return put_household(household, version)
        case RecordLine(record=record):
            return put_record(record, version)
        case SuppressionLine(suppression=noted):
            return [setting(of_register(noted, as_of_ms))]
        case EditLine():
            column = edit_column(line.subject_kind)
            sql = f"INSERT INTO register_edit ({column}, since_ms) VALUES (?, ?)"  # noqa: S608  # one of two words
            return [(sql, (line.subject_id, as_of_ms))]
