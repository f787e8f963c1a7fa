"""The ghost: a count of what the PIN judge compared, which nothing in the judge knows of.

``tests.pin_judge.ghost_judge`` is the judge as it ships with the ghost at its side. Each comparison
adds a line to a file before its outcome is known to anybody, and so does each reset before it is
committed. The lines stay when the judge is killed; after that the store tells which resets were
committed. A verifier stands for its card, as a digest.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from issuance_server.core.pin_policy import TRIES_MAX

GHOST_VARIABLE = "PIN_GHOST"
"""Names the ghost's file where the judge is started by a server, see ``ghost_server``."""

_FILE_MODE = 0o600
_DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostLine:
    """One thing that the ghost saw.

    Attributes:
        seen: ``right`` or ``wrong`` for a comparison, ``reset`` for what operators signed.
        card: digest of the verifier.
        nonce: of the operators' act, in hexadecimal; empty for a comparison.
    """

    seen: str
    card: str
    nonce: str = ""


class Ghost:
    """Writes the ghost's lines, each in one write to the end of the file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _FILE_MODE)

    def compared(self, shown: bytes, stored: bytes) -> None:
        """Write of a comparison."""
        self._write("right" if shown == stored else "wrong", stored)

    def resets(self, verifier: bytes, nonce: bytes) -> None:
        """Write of a reset that is about to be committed."""
        self._write("reset", verifier, nonce.hex())

    def _write(self, seen: str, verifier: bytes, *more: str) -> None:
        card = sha256(verifier).hexdigest()[:_DIGEST_DIGITS]
        os.write(self._file, (" ".join([seen, card, *more]) + "\n").encode())


def read_ghost(path: Path) -> list[GhostLine]:
    """Return the ghost's lines, oldest first; none if nothing was compared yet."""
    if not path.exists():
        return []
    return [
        GhostLine(seen=seen, card=card, nonce="".join(nonce))
        for seen, card, *nonce in map(str.split, path.read_text().splitlines())
    ]


def wrong_in_a_row_max(lines: Iterable[GhostLine], resets: frozenset[str]) -> int:
    """Return the most wrong comparisons of a card between two right ones or resets.

    Args:
        lines: the ghost's.
        resets: nonces of the resets that were committed, in hexadecimal.
    """
    in_a_row: Counter[str] = Counter()
    highest = 0
    for line in lines:
        if line.seen == "wrong":
            in_a_row[line.card] += 1
            highest = max(highest, in_a_row[line.card])
        elif line.seen == "right" or line.nonce in resets:
            in_a_row[line.card] = 0
    return highest


def resets_committed(store: Path) -> frozenset[str]:
    """Return the nonces of all acts of operators in a judge's store, in hexadecimal."""
    with closing(_reading(store)) as file:
        return frozenset(nonce.hex() for (nonce,) in file.execute("SELECT nonce FROM operator_act"))


def ghost_faults(ghost: Path, store: Path) -> list[str]:
    """Return what the ghost saw that must not be; to be called while the judge is down or idle.

    More than three wrong comparisons in a row; a comparison for which no try was counted; a verdict
    without its comparison. The store must have been compared with under this ghost only, and
    within a day.

    Args:
        ghost: its file.
        store: the judge's database.
    """
    lines = read_ghost(ghost)
    seen = Counter(line.seen for line in lines)
    with closing(_reading(store)) as file:
        counted = Counter(dict(file.execute("SELECT outcome, count(*) FROM attempt GROUP BY 1")))
    faults = []
    highest = wrong_in_a_row_max(lines, resets_committed(store))
    if highest > TRIES_MAX:
        faults.append(f"{highest} wrong PINs were compared in a row")
    open_or_burned = counted["pending"] + counted["burned"]
    if seen["right"] + seen["wrong"] > counted["right"] + counted["wrong"] + open_or_burned:
        faults.append("a PIN was compared and no try was counted")
    faults += [
        f"{counted[outcome]} verdicts {outcome!r}, {seen[outcome]} comparisons"
        for outcome in ("right", "wrong")
        if not counted[outcome] <= seen[outcome] <= counted[outcome] + open_or_burned
    ]
    return faults


def tries_missing(store: Path) -> list[str]:
    """Return the cards whose tries and settled failures do not add up, in a store at rest.

    Every failure since the last success is on the card. Where operators unlocked a card, only that
    it has not fewer tries than its failures leave is asked.
    """
    with closing(_reading(store)) as file:
        unlocked = {
            pair[0]["act"]["subject"].split(" ")[0]
            for (kept,) in file.execute("SELECT signed_act FROM operator_act")
            for pair in [msgspec.msgpack.decode(kept)]
        }
        tries = dict(file.execute("SELECT card_ref, tries_left FROM card WHERE tries_max = 3"))
        failures: Counter[str] = Counter()
        for card_ref, outcome in file.execute(
            "SELECT card_ref, outcome FROM attempt WHERE card_ref IS NOT NULL ORDER BY id"
        ):
            if outcome == "right":
                failures[card_ref] = 0
            elif outcome in {"wrong", "burned", "pending"}:
                failures[card_ref] += 1
    return [
        f"{card_ref}: {left} tries left after {failures[card_ref]} failures"
        for card_ref, left in tries.items()
        if left + failures[card_ref] < TRIES_MAX
        or (left + failures[card_ref] > TRIES_MAX and card_ref not in unlocked)
    ]


def _reading(store: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{store}?mode=ro", uri=True)
