"""Writes what the court is told into the trace, so that a run can be read and compared."""

from typing import Any

from tests.sim.checks.witness import Witness
from tests.sim.trace import Trace


class Voice(Witness):
    """Tells the trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._event = trace.event

    def on_card_in(self, terminal: str, visit_id: bytes, resident_id: str) -> None:
        self._event(terminal, "card-in", f"{visit_id.hex()} {resident_id}")

    def on_terminal_records(self, terminal: str, records: list[Any]) -> None:
        for record in records:
            of = getattr(record, "issuance_id", b"").hex()
            self._event(terminal, type(record).__name__, of)

    def on_sheet(self, terminal: str, issuance_id: bytes, sheet: int, text: str) -> None:
        self._event(terminal, "sheet", f"{issuance_id.hex()} {sheet} {text}")

    def on_coins(self, terminal: str, issuance_id: bytes, move: str, amount_yen: int) -> None:
        self._event(terminal, move, f"{issuance_id.hex()} {amount_yen}")

    def on_spool(self, terminal: str, issuance_id: bytes, there: bool) -> None:
        self._event(terminal, "spooled" if there else "erased", issuance_id.hex())

    def on_city_records(
        self, now: Any, records: list[Any], kept: Any, dropped: Any, changes: Any
    ) -> None:
        for record in records:
            of: Any = getattr(record, "issuance_id", None) or getattr(record, "visit_id", b"")
            self._event("city", type(record).__name__, f"{now.real_ms} {of.hex()}")
        for issuance_id in dropped:
            self._event("city", "key-dropped", issuance_id.hex())

    def on_told(self, terminal: str, ref: Any, telegram: Any) -> None:
        self._event("city", "told", f"{terminal} {type(telegram).__name__} {ref.counter}")

    def on_compared(self, card_ref: str, right: bool, unlocks: int) -> None:
        self._event("judge", "compared", f"{card_ref} {right} {unlocks}")

    def on_restarted(self, node: str) -> None:
        self._event(node, "started")

    def on_log(self, event: str, fields: dict[str, Any]) -> None:
        self._event("city", "log", f"{event} {fields}")
