"""12, 30 and 32: what is over is over: quotations, terminals off the list, a server that drains."""

from typing import Any

from issuance_server.core import records as r
from tests.sim.checks.witness import Witness
from tests.sim.stand_ins import StandInRing


class Acceptance(Witness):
    """Looks for what was taken and should not have been."""

    def __init__(self) -> None:
        super().__init__()
        self._valid_until_ms: dict[bytes, int] = {}
        self._terminal: dict[bytes, str] = {}
        self._revoked: set[str] = set()
        self._draining = False

    def on_restarted(self, node: str) -> None:
        """A new process takes business."""
        if node == "server":
            self._draining = False

    def on_log(self, event: str, _fields: dict[str, Any]) -> None:
        """From here on nothing new begins."""
        if event == "server.draining":
            self._draining = True

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """Look at every record that takes something."""
        for record in records:
            match record:
                case r.TerminalRevoked():
                    self._revoked.add(record.terminal)
                case r.VisitBegun() | r.IssuanceApplied():
                    self._begun(record)
                case r.IssuanceQuoted():
                    self._valid_until_ms[record.issuance_id] = record.deadline_ms
                case r.IssuanceReleased():
                    self._released(record)
                case r.IssuanceClosed() if not _by_two(record.operators):
                    name = record.issuance_id.hex()[:8]
                    self.broken(12, f"{name} was closed, and not by two people")

    def _begun(self, record: r.VisitBegun | r.IssuanceApplied) -> None:
        what = "a visit" if isinstance(record, r.VisitBegun) else "an issuance"
        if isinstance(record, r.IssuanceApplied):
            self._terminal[record.issuance_id] = record.terminal
        if record.terminal in self._revoked:
            self.broken(30, f"{what} began at {record.terminal}, which is off the list")
        if self._draining:
            self.broken(0, f"{what} began at {record.terminal} while the server was draining")

    def _released(self, record: r.IssuanceReleased) -> None:
        name = record.issuance_id.hex()[:8]
        if record.at_ms >= self._valid_until_ms.get(record.issuance_id, record.at_ms + 1):
            self.broken(32, f"{name} was released after its quotation had expired")
        if self._terminal.get(record.issuance_id) in self._revoked:
            self.broken(30, f"{name} was released to a terminal that is off the list")


def _by_two(operators: tuple[str, str]) -> bool:
    return len(set(operators) & set(StandInRing.operators)) == len(operators)
