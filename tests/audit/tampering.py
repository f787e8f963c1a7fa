"""Somebody with the database in his hands: what he does to the audit record, and what must be said.

Each act is drawn at random and returns the sentence by which it must be found.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from issuance_server.core.audit_tree import AuditTree
from tests.commands.desk import Commands, Ran

TABLES = ("journal", "audit_checkpoint", "audit_frontier")


@dataclass
class Tampered:
    """A city whose audit record somebody changes behind its back."""

    commands: Commands
    witness: Path

    @contextmanager
    def by(self, act: "Act", drawn: random.Random) -> Iterator[str]:
        """Let an act be done, give what must be said of it, and undo it."""
        with closing(sqlite3.connect(self.commands.database)) as connection:
            kept = {
                table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES
            }
            with connection:
                sentence = act(connection, drawn)
            try:
                yield sentence
            finally:
                with connection:
                    for table, rows in kept.items():
                        marks = ", ".join("?" * len(rows[0]))
                        connection.execute(f"DELETE FROM {table}")
                        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def verify(self, *, witnessed: bool = True) -> Ran:
        """Run the verification."""
        witness = ("--witness", str(self.witness)) if witnessed else ()
        return self.commands.run("audit", "verify", *witness)


Act: TypeAlias = Callable[[sqlite3.Connection, random.Random], str]


def remove(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Take a record out."""
    number = drawn.randint(1, _records(connection))
    connection.execute("DELETE FROM journal WHERE seq = ?", (number,))
    return f"record {number} is missing"


def remove_and_close_up(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Take a record out, and give the later ones its number and the next."""
    sentence = remove(connection, drawn)
    number = int(sentence.split()[1])
    connection.execute("UPDATE journal SET seq = -seq WHERE seq > ?", (number,))
    connection.execute("UPDATE journal SET seq = -seq - 1 WHERE seq < 0")
    return sentence


def change(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Change one bit of a record."""
    number = drawn.randint(1, _records(connection))
    sql = "SELECT record FROM journal WHERE seq = ?"
    record = _other(connection.execute(sql, (number,)).fetchone()[0], drawn)
    connection.execute("UPDATE journal SET record = ? WHERE seq = ?", (record, number))
    return f"record {number} was changed"


def swap(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Let two records stand in each other's place."""
    first, second = sorted(drawn.sample(range(1, _records(connection) + 1), 2))
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute("UPDATE journal SET seq = ? WHERE seq = ?", (new, old))
    return f"records {first} and {second} were swapped"


def add(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Put a record of one's own between others, or before all."""
    number = drawn.randint(1, _records(connection))
    connection.execute("UPDATE journal SET seq = -seq WHERE seq >= ?", (number,))
    connection.execute("UPDATE journal SET seq = -seq + 1 WHERE seq < 0")
    sql = "INSERT INTO journal (seq, at_ms, record) VALUES (?, 0, ?)"
    connection.execute(sql, (number, drawn.randbytes(40)))
    return f"a record was added before record {number}"


def cut_off(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Forget the last records, and leave the rest as it is."""
    last = _records(connection)
    first = drawn.randint(1, last)
    connection.execute("DELETE FROM journal WHERE seq >= ?", (first,))
    return _missing(first, last)


def remove_checkpoint(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Take a checkpoint out."""
    size = drawn.choice(_sizes(connection)[:-1])
    connection.execute("DELETE FROM audit_checkpoint WHERE size = ?", (size,))
    return f"the checkpoint at {size} records is missing"


def change_checkpoint(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Change one bit of a checkpoint's root, signature or hashes, or its time."""
    size = drawn.choice(_sizes(connection))
    column = drawn.choice(("root", "signature", "leaves", "at_ms"))
    sql = f"SELECT {column} FROM audit_checkpoint WHERE size = ?"
    (old,) = connection.execute(sql, (size,)).fetchone()
    new = old + drawn.choice((-1, 1, 10**15)) if column == "at_ms" else _other(old, drawn)
    connection.execute(f"UPDATE audit_checkpoint SET {column} = ? WHERE size = ?", (new, size))
    if column == "leaves":
        return f"the hashes beside the checkpoint at {size} records were changed"
    return f"the checkpoint at {size} records has a wrong signature"


def swap_checkpoints(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Let two checkpoints stand in each other's place."""
    first, second = sorted(drawn.sample(_sizes(connection), 2))
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute("UPDATE audit_checkpoint SET size = ? WHERE size = ?", (new, old))
    return f"the checkpoint at {first} records has a wrong signature"


def cut_off_checkpoints(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Forget the last checkpoints."""
    sizes = _sizes(connection)
    first = drawn.choice(sizes)
    connection.execute("DELETE FROM audit_checkpoint WHERE size >= ?", (first,))
    return f"the checkpoint at {sizes[-1]} records, which a witness has, is missing"


def cut_off_everything(connection: sqlite3.Connection, drawn: random.Random) -> str:
    """Forget the last records and checkpoints, and put the frontier where it was before them."""
    last = _records(connection)
    left = drawn.choice(_sizes(connection)[:-1])
    connection.execute("DELETE FROM journal WHERE seq > ?", (left,))
    connection.execute("DELETE FROM audit_checkpoint WHERE size > ?", (left,))
    tree = AuditTree()
    tree.extend(row[0] for row in connection.execute("SELECT record FROM journal ORDER BY seq"))
    connection.execute("UPDATE audit_frontier SET size = ?, frontier = ?", (left, tree.frontier))
    return f"a witness saw {last} records: {_missing(left + 1, last)}"


ACTS: Mapping[str, Act] = {
    "removed": remove,
    "removed and closed up": remove_and_close_up,
    "changed": change,
    "swapped": swap,
    "added": add,
    "cut off": cut_off,
    "checkpoint removed": remove_checkpoint,
    "checkpoint changed": change_checkpoint,
    "checkpoints swapped": swap_checkpoints,
    "checkpoints cut off": cut_off_checkpoints,
    "all cut off": cut_off_everything,
}


def _records(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("SELECT count(*) FROM journal").fetchone()[0]
    return count


def _sizes(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT size FROM audit_checkpoint ORDER BY size")]


def _other(content: bytes, drawn: random.Random) -> bytes:
    """Return the bytes with one bit turned over."""
    at = drawn.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << drawn.randrange(8)]) + content[at + 1 :]


def _missing(first: int, last: int) -> str:
    return (
        f"record {first} is missing" if first == last else f"records {first} to {last} are missing"
    )
