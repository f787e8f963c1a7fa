"""Puts a PIN judge's store back so that nobody gains a try by it.

What was counted after the backup is lost. So every card has one try, a right PIN gives it back no
more than that one, and only the counter (窓口) gives a card its three again.
"""

import secrets
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from protocol.errors import SetUpError

_INDEX_BYTES = 32


@dataclass(slots=True)
class JudgeChanges:
    """What the journal tells of cards and terminals after the backup.

    All that takes something away is kept; nothing that gave back tries is.

    Attributes:
        locked: when a card was locked, or its PIN set anew, which is to be done once more.
        gone: cards that were withdrawn.
        registered: cards whose registration came to its end.
        frozen: when a terminal was frozen that still is.
        thawed: terminals that an operator let go on.
    """

    locked: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    registered: set[str] = field(default_factory=set)
    frozen: dict[str, int] = field(default_factory=dict)
    thawed: set[str] = field(default_factory=set)


def check_peppers(path: Path, key_ids: Collection[str]) -> None:
    """Check that the judge's keys are those that the store was made with.

    Raises:
        SetUpError: cards are under a pepper that is not among them; every PIN would be wrong.
    """
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT DISTINCT pepper FROM card WHERE stage <> 'gone'"
        named = {row[0] for row in connection.execute(sql)}
    if not named <= set(key_ids):
        raise SetUpError(
            "the cards of the backup are under another pepper than the city's keys have; put the"
            " keys in place that the city had then"
        )


def put_back(path: Path, changes: JudgeChanges) -> int:
    """Leave every card one try at most, and carry out what came after the backup.

    Returns:
        How many cards wait for the counter.
    """
    with _changing(path) as judge:
        one_try = "UPDATE card SET tries_max = 1, tries_left = min(tries_left, 1)"
        cards: int = judge.execute(one_try + " WHERE stage <> 'gone'").rowcount
        valid = (
            "UPDATE card SET stage = 'valid' WHERE card_ref = ? AND stage IN ('begun', 'approved')"
        )
        judge.executemany(valid, [(card_ref,) for card_ref in sorted(changes.registered)])
        lock = "UPDATE card SET tries_left = 0, locked_at_ms = coalesce(locked_at_ms, ?)"
        locked = [(at_ms, card_ref) for card_ref, at_ms in changes.locked.items()]
        judge.executemany(lock + " WHERE card_ref = ? AND stage <> 'gone'", locked)
        forget = (
            "UPDATE card SET stage = 'gone', card_index = ?, public_key = x'', salt = x'',"
            " verifier = x'', pepper = '', tries_left = 0, locked_at_ms = NULL WHERE card_ref = ?"
        )
        gone = [(secrets.token_bytes(_INDEX_BYTES), card_ref) for card_ref in changes.gone]
        judge.executemany(forget, gone)
        thaw = "DELETE FROM frozen_terminal WHERE terminal = ?"
        judge.executemany(thaw, [(terminal,) for terminal in sorted(changes.thawed)])
        freeze = "INSERT INTO frozen_terminal VALUES (?, ?) ON CONFLICT DO NOTHING"
        judge.executemany(freeze, list(changes.frozen.items()))
    return cards


@contextmanager
def _changing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("secure_delete = ON", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
