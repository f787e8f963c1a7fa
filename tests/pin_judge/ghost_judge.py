"""The PIN judge's process as it ships, with the ghost at its side; for tests only.

``--ghost FILE`` (or the variable ``PIN_GHOST``) switches it on. ``--dies-at N`` kills the process
at exactly the Nth point of its life: points lie before and after each statement that changes the
store or ends a transaction, and before and after each comparison. ``--dies-comparing N`` kills it
after its Nth comparison. ``--planted given-back`` gives
back the tries that a predecessor left pending, and ``--planted uncounted`` takes none off: bugs
that the ghost must see.
"""

import argparse
import hmac
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from issuance_server.adapters.pin_judge import counter, process, tries
from issuance_server.adapters.pin_judge.judge import Surroundings
from issuance_server.adapters.pin_judge.store_file import Transaction
from tests.pin_judge.ghost import GHOST_VARIABLE, Ghost

WRITING = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")
GIVE_BACK = "UPDATE card SET tries_left = min(3, tries_left + 1), locked_at_ms = NULL"


class Points:
    """Counts the points of a life, and ends it at one of them."""

    def __init__(self, dies_at: int) -> None:
        self._left = dies_at
        self._turn = threading.Lock()

    def passed(self) -> None:
        """Pass a point, or die there."""
        with self._turn:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def die_at_statements(points: Points) -> None:
    """Have every connection to SQLite pass a point before and after what changes something."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if not sql.startswith(WRITING):
                return super().execute(sql, *values)
            points.passed()
            cursor = super().execute(sql, *values)
            points.passed()
            return cursor

    opened = sqlite3.connect

    def connect(path: Any, **options: Any) -> sqlite3.Connection:
        return opened(path, factory=Connection, **options)

    sqlite3.connect = connect  # type: ignore[assignment]


def watch_resets(ghost: Ghost) -> None:
    """Have the ghost told of each unlocking and each new PIN, inside its transaction."""
    reported = counter._report_unlocked

    async def report(asked: counter._Asked) -> None:
        row = await asked.t.first("SELECT verifier FROM card WHERE card_ref = ?", asked.card_ref)
        assert row is not None, "an unlocked card is there"
        assert isinstance(row[0], bytes)
        ghost.resets(row[0], asked.signed.act.nonce)
        await reported(asked)

    counter._report_unlocked = report


def plant(fault: str) -> None:
    """Break the judge."""
    if fault == "given-back":
        pending = tries.pending_tries

        async def pending_tries(t: Transaction) -> list[tries.PendingTry]:
            found = await pending(t)
            for one in found:
                await t.change(f"{GIVE_BACK} WHERE card_ref = ?", one.card_ref)
            return found

        tries.pending_tries = pending_tries
    elif fault == "uncounted":
        count = tries.count_try

        async def count_try(t: Transaction, **asked: Any) -> tries.CountedTry:
            counted = await count(t, **asked)
            await t.change(f"{GIVE_BACK} WHERE card_ref = ?", counted.pending.card_ref)
            return counted

        tries.count_try = count_try


def main(argv: Sequence[str]) -> int:
    """Run the judge; the other options are its own."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--ghost", type=Path, default=os.environ.get(GHOST_VARIABLE))
    parser.add_argument("--dies-at", type=int, default=0)
    parser.add_argument("--dies-comparing", type=int, default=0)
    parser.add_argument("--planted", default="")
    arguments, own = parser.parse_known_args(argv)
    ghost, points = Ghost(Path(arguments.ghost)), Points(arguments.dies_at)
    comparisons = Points(arguments.dies_comparing)

    def compare(shown: bytes, stored: bytes) -> bool:
        points.passed()
        ghost.compared(shown, stored)
        comparisons.passed()
        points.passed()
        return hmac.compare_digest(shown, stored)

    die_at_statements(points)
    watch_resets(ghost)
    plant(arguments.planted)
    return process.main(own, Surroundings(compare=compare))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
