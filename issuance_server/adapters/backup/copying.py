"""Copies the city's database and the PIN judge's store as of one moment, while both are written.

The copy is made into memory, in steps, under read snapshots that are let go after two seconds at
most: a reader keeps deleted keys in the write-ahead log. Content keys are taken out of the copy
before a byte of it reaches a disk, so a deleted issuance stays deleted.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from issuance_server.adapters.pin_judge import store_file
from issuance_server.adapters.sqlite.schema import READER_PRAGMAS, SCHEMA_VERSION
from protocol.errors import SetUpError

SNAPSHOT_MS_MAX = 2_000
"""How long a reader may keep the write-ahead log from being emptied."""
SNAPSHOT_MS_LIMIT = 9_000
"""As much as an operator can allow; after ten seconds the server raises an alarm."""
COPY_TRIES_MAX = 3
COPY_AGAIN_MS = 250
_STEP_PAGES = 2_048
_FILE_MODE = 0o600

Tell = Callable[[int, int], None]
"""Gets pages done, and pages in all."""

_CITY_CARDS_SQL = "SELECT card_ref FROM card WHERE kind = 'juki' AND withdrawn_at_ms IS NULL"
_JUDGE_CARDS_SQL = "SELECT card_ref FROM card WHERE stage = 'valid'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Both copies, in memory, without content keys.

    Attributes:
        city: the city's database.
        judge: the PIN judge's store.
        snapshot_ms: how long the snapshots were held.
        cards_apart: cards that one of them takes and the other does not.
    """

    city: sqlite3.Connection
    judge: sqlite3.Connection
    snapshot_ms: int
    cards_apart: int


@contextmanager
def copied(
    city: Path, judge: Path, *, snapshot_ms_max: int = SNAPSHOT_MS_MAX, tell: Tell
) -> Iterator[Copies]:
    """Give copies of both as of one moment.

    The two files have no common transaction. Their snapshots begin one right after the other, and
    the copies are good if they agree about which cards are taken; an act of the counter that falls
    between lets everything begin anew. If they still do not agree, they never did: a registration
    that the counter has to finish.

    Args:
        city: the city's database.
        judge: the PIN judge's store.
        snapshot_ms_max: how long a snapshot may be held.
        tell: hears how far it is.

    Raises:
        SetUpError: a file cannot be read, or not within that time.
    """
    for tries_left in reversed(range(COPY_TRIES_MAX)):
        with ExitStack() as stack:
            copies = _copies(stack, (city, judge), snapshot_ms_max, tell)
            if copies is not None and (not copies.cards_apart or not tries_left):
                yield copies
                return
        time.sleep(COPY_AGAIN_MS / 1_000)
    raise SetUpError(
        f"the databases could not be copied within {snapshot_ms_max} ms, the time for which"
        " deletions may wait; try again at a quieter hour, or allow more with --snapshot-ms"
    )


def write_copy(copy: sqlite3.Connection, path: Path) -> None:
    """Write a copy to a new file, durably.

    Raises:
        SetUpError: the disk refuses.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        try:
            copy.execute("VACUUM INTO ?", (str(path),))
            os.fsync(handle)
        finally:
            os.close(handle)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SetUpError(f"{path} cannot be written: {reason}") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a small file to a new one for the owner alone, durably.

    Raises:
        SetUpError: the disk refuses.
    """
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(source.read_bytes())
            file.flush()
            os.fsync(handle)
    except OSError as error:
        raise SetUpError(f"{source} cannot be copied: {error.strerror}") from error


class _TooLong(Exception):
    """The time for the snapshots is over."""


def _copies(
    stack: ExitStack, paths: tuple[Path, Path], snapshot_ms_max: int, tell: Tell
) -> Copies | None:
    """Copy both; None: it took too long."""
    with ExitStack() as snapshots:
        sources = [snapshots.enter_context(_snapshot(path)) for path in paths]
        begun_s = time.monotonic()
        until_s = begun_s + snapshot_ms_max / 1_000
        try:
            city, judge = (
                stack.enter_context(closing(_in_memory(source, until_s, tell)))
                for source in sources
            )
        except _TooLong:
            return None
        except sqlite3.Error as error:
            raise SetUpError(f"the databases cannot be copied: {error}") from error
    held_ms = int((time.monotonic() - begun_s) * 1_000)
    _check_form(city, judge)
    city.execute("DELETE FROM issuance_key")
    cards = [
        {row[0] for row in copy.execute(sql)}
        for copy, sql in ((city, _CITY_CARDS_SQL), (judge, _JUDGE_CARDS_SQL))
    ]
    return Copies(city=city, judge=judge, snapshot_ms=held_ms, cards_apart=len(cards[0] ^ cards[1]))


def _check_form(city: sqlite3.Connection, judge: sqlite3.Connection) -> None:
    try:
        schema = city.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        judge_schema = judge.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error:
        schema = judge_schema = None
    if (schema, judge_schema) != ((str(SCHEMA_VERSION),), (store_file.SCHEMA_VERSION,)):
        raise SetUpError(
            "the databases are of another version of this program; back up with that one"
        )


@contextmanager
def _snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold a state of a database; the connection can write nothing, and checkpoints nothing."""
    if not path.exists():
        raise SetUpError(f"there is no database at {path}; name the city with --config FILE")
    try:
        reader = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise SetUpError(f"{path} cannot be read: {error}") from error
    with closing(reader):
        try:
            reader.isolation_level = None
            for pragma in READER_PRAGMAS:
                reader.execute(pragma)
            reader.execute("BEGIN")
            reader.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            raise SetUpError(f"{path} cannot be read: {error}") from error
        yield reader


def _in_memory(source: sqlite3.Connection, until_s: float, tell: Tell) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)

    def step(_status: int, left: int, whole: int) -> None:
        tell(whole - left, whole)
        if left and time.monotonic() > until_s:
            raise _TooLong

    try:
        source.backup(copy, pages=_STEP_PAGES, progress=step)
    except BaseException:
        copy.close()
        raise
    return copy
