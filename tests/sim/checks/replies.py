"""2, 3 and 4: an answer belongs to the request that it names, and goes to nobody else."""

from typing import Any

from issuance_server.core import records as r
from protocol import telegrams as t
from terminal_sim.core.requests import Request, Step
from tests.sim.checks.witness import Witness


class Replies(Witness):
    """Looks at every answer as it leaves the city, and as a terminal takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_given = 0
        self._terminal: dict[bytes, str] = {}
        self._visits: dict[bytes, str] = {}
        self._ended: set[bytes] = set()
        self._released: set[bytes] = set()

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """Remember whose each issuance and visit is."""
        for record in records:
            if isinstance(record, r.IssuanceApplied):
                self._terminal[record.issuance_id] = record.terminal
            elif isinstance(record, r.VisitBegun):
                self._visits[record.visit_id] = record.terminal
            elif isinstance(record, r.IssuanceReleased):
                self._released.add(record.issuance_id)

    def on_told(self, terminal: str, _ref: Any, telegram: t.AnyTelegram) -> None:
        """See that no answer about one terminal's business goes to another."""
        issuance_id = getattr(telegram, "issuance_id", None)
        if issuance_id is not None and self._terminal.get(issuance_id, terminal) != terminal:
            self.broken(2, f"{terminal} was told of {issuance_id.hex()[:8]}, which is another's")
        visit_id = getattr(telegram, "visit_id", None)
        if visit_id is not None and self._visits.get(visit_id, terminal) != terminal:
            self.broken(2, f"{terminal} was told of a visit that is another's")
        if isinstance(telegram, t.Released):
            self.keys_given += 1
            if telegram.issuance_id not in self._released:
                name = telegram.issuance_id.hex()[:8]
                self.broken(9, f"the key of {name} left before its release was durable")

    def on_replied(self, terminal: str, request: Request, reply: t.AnyTelegram) -> None:
        """See that what a terminal takes for an answer is one to that request."""
        subject = getattr(reply, "issuance_id", None) or getattr(reply, "visit_id", None)
        if subject is not None and request.subject and subject != request.subject:
            self.broken(
                2, f"{terminal}: an answer to {request.step.value} is about another subject"
            )
        if isinstance(reply, t.PieceGiven) and (request.step, request.number) != (
            Step.FETCH,
            reply.piece,
        ):
            self.broken(2, f"{terminal}: piece {reply.piece} came for {request.number}")
