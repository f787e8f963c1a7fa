"""Which cards still need an old pepper: the one question that the keys ask the judge's store."""

import sqlite3
from contextlib import closing
from pathlib import Path

from protocol.errors import KeyManagementError


def cards_under(pin_store: Path, pepper_id: str) -> int:
    """Return how many cards have a verifier under a pepper.

    The store is opened for reading only and may be in use.

    Args:
        pin_store: the PIN judge's database.
        pepper_id: the pepper's key id.

    Raises:
        KeyManagementError: there is no such store.
    """
    try:
        with closing(sqlite3.connect(f"{pin_store.absolute().as_uri()}?mode=ro", uri=True)) as file:
            (cards,) = file.execute(
                "SELECT count(*) FROM card WHERE pepper = ?", (pepper_id,)
            ).fetchone()
    except sqlite3.Error as error:
        raise KeyManagementError(f"{pin_store} is not a PIN judge's database: {error}") from None
    return int(cards)
