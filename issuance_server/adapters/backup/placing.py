"""The files of a city that is put back: made beside their places, moved there as the last step."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from issuance_server.adapters.sqlite.number_serials import USED_SQL
from issuance_server.adapters.sqlite.schema import WRITER_PRAGMAS
from keys import file_store
from protocol.errors import SetUpError

_BESIDE = ("", "-wal", "-shm", "-journal")
_NEW = ".restoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a city's two databases belong.

    Attributes:
        city: the city's database.
        judge: the PIN judge's store.
    """

    city: Path
    judge: Path

    def there(self) -> list[Path]:
        """Return what lies there already, with what SQLite keeps beside it."""
        return [path for place in (self.city, self.judge) for path in _with_beside(place)]


@contextmanager
def prepared(backup: Places, places: Places) -> Iterator[Places]:
    """Give copies of a backup's files beside their places; they are gone when the block ends.

    Raises:
        SetUpError: the disk refuses.
    """
    new = Places(city=_new(places.city), judge=_new(places.judge))
    with ExitStack() as stack:
        try:
            for source, copy in ((backup.city, new.city), (backup.judge, new.judge)):
                file_store.private_folder(copy.parent)
                _remove(copy)  # what a restore left that was cut off
                stack.callback(_remove, copy)
                shutil.copyfile(source, copy)
                copy.chmod(0o600)
            yield new
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SetUpError(f"the city cannot be restored there: {reason}") from error


@contextmanager
def transaction(database: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection in a transaction, which is committed when the block ends well."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in WRITER_PRAGMAS:
            connection.execute(pragma)
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def check_sound(database: Path) -> None:
    """Have SQLite look over a database.

    Raises:
        SetUpError: it is damaged.
    """
    with closing(sqlite3.connect(database)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise SetUpError(f"{database.name} of the backup is damaged: {found[0]}; take another one")


def used_serials(database: Path) -> list[int]:
    """Return the serials that a database knows of; none if it cannot be read any more."""
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as old:
            return [row[0] for row in old.execute(USED_SQL)]
    except sqlite3.Error:
        return []


def move_aside(places: Places, aside: Path) -> list[Path]:
    """Move what lies there into a folder that does not exist yet; return where it is now."""
    moved = []
    for path in places.there():
        moved.append(file_store.private_folder(aside) / path.name)
        path.rename(moved[-1])
    return moved


def place(new: Places, places: Places) -> None:
    """Put the new files into their places; durable when it returns.

    The city's database comes last: until then there is none, and no server starts.
    """
    for source, target in ((new.judge, places.judge), (new.city, places.city)):
        _flush(source)
        os.link(source, target)  # never over a file that came meanwhile
        file_store.flush_folder(target.parent)


def _with_beside(path: Path) -> list[Path]:
    named = (path.with_name(path.name + beside) for beside in _BESIDE)
    return [one for one in named if one.exists()]


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}{_NEW}")


def _remove(path: Path) -> None:
    for one in _with_beside(path):
        one.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
