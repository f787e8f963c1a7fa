"""25 and 28: the register of numbers calls no paper valid that was not issued."""

import sqlite3
from pathlib import Path
from typing import Any

from issuance_server.core import records as r
from protocol.terminal_statements import PrintOutcome
from tests.sim.checks.witness import Witness


class Numbers(Witness):
    """Reads the database file after every commit that ends an issuance without its paper.

    In a world whose store is the double in memory there is nothing of the product to be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None

    def on_founded(self, store: Any) -> None:
        """Remember where the file lies."""
        self._path = getattr(store, "path", None)

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """Look at the numbers of what is not issued."""
        failed = [
            record.issuance_id
            for record in records
            if isinstance(record, r.IssuanceWithdrawn)
            or (isinstance(record, r.PrintReported) and record.outcome is PrintOutcome.FAILED)
        ]
        if self._path is None or not failed:
            return
        sql = "SELECT number FROM certificate_number WHERE issuance_id = ? AND state <> 'void'"
        connection = sqlite3.connect(self._path)
        try:
            for issuance_id in failed:
                for (number,) in connection.execute(sql, (issuance_id,)):
                    name = issuance_id.hex()[:8]
                    self.broken(28, f"{name} was not issued, and its number stands: {number}")
        finally:
            connection.close()
