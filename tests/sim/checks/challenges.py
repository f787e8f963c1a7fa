"""20: a challenge is good for one attempt, and an attempt is compared once."""

from collections import Counter
from typing import Any

from issuance_server.core import records as r
from tests.sim.checks.witness import Witness


class Challenges(Witness):
    """Counts challenges and attempts in the city's records, and comparisons in the judge."""

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[bytes, tuple[bytes, int]] = {}
        self._attempts = 0
        self._comparisons = 0
        self._made: Counter[tuple[bytes, int]] = Counter()

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """See that no two attempts have one challenge."""
        for record in records:
            if isinstance(record, r.ChallengeIssued):
                attempt = (record.visit_id, record.attempt)
                before = self._given.setdefault(record.challenge, attempt)
                if before != attempt:
                    texts = [
                        f"{visit_id.hex()[:8]} {number}" for visit_id, number in (before, attempt)
                    ]
                    self.broken(20, f"one challenge was given for attempts {' and '.join(texts)}")
            elif isinstance(record, r.AttemptMade):
                attempt = (record.visit_id, record.attempt)
                self._made[attempt] += 1
                self._attempts += 1
                if self._made[attempt] > 1:
                    name = f"{record.visit_id.hex()[:8]} {record.attempt}"
                    self.broken(20, f"attempt {name} was made twice")

    def on_compared(self, _card_ref: str, _right: bool, _unlocks: int) -> None:
        """No comparison without an attempt of its own, which is on record before."""
        self._comparisons += 1
        if self._comparisons > self._attempts:
            self.broken(20, f"{self._comparisons} comparisons, and {self._attempts} attempts")
