"""10: coins are kept for paper that is out, and for nothing else; each moves once."""

from collections import defaultdict

from terminal_sim.core import records as here
from tests.sim.checks.paper import Paper
from tests.sim.checks.witness import Witness


class Money(Witness):
    """Watches every coin box."""

    def __init__(self, paper: Paper) -> None:
        super().__init__()
        self.earned_yen: defaultdict[str, int] = defaultdict(int)
        self.inside: dict[bytes, int] = {}
        self.end: dict[bytes, str] = {}
        self._paper = paper
        self._fee_yen: dict[bytes, int] = {}

    def on_terminal_records(self, _terminal: str, records: list[here.AnyRecord]) -> None:
        """Remember fees."""
        for record in records:
            if isinstance(record, here.Quoted):
                self._fee_yen[record.issuance_id] = record.fee_yen

    def on_coins(self, terminal: str, issuance_id: bytes, move: str, amount_yen: int) -> None:
        """Follow the coins of an issuance."""
        name = issuance_id.hex()[:8]
        if move == "insert":
            if issuance_id in self.inside or issuance_id in self.end:
                self.broken(10, f"{name}: coins were taken twice")
            self.inside[issuance_id] = amount_yen
        elif move == "change":
            self.inside[issuance_id] -= amount_yen
        else:
            held_yen = self.inside.pop(issuance_id, 0)
            if held_yen != amount_yen or issuance_id in self.end:
                self.broken(10, f"{name}: {amount_yen} yen moved of {held_yen}")
            self.end[issuance_id] = move
            if move == "earn":
                self._earned(terminal, issuance_id, amount_yen, name)

    def _earned(self, terminal: str, issuance_id: bytes, amount_yen: int, name: str) -> None:
        self.earned_yen[terminal] += amount_yen
        if not self._paper.all_out(issuance_id):
            self.broken(10, f"{name}: the fee was earned before the last sheet was out")
        if amount_yen != self._fee_yen.get(issuance_id):
            self.broken(10, f"{name}: {amount_yen} yen were earned, and the fee is another")
