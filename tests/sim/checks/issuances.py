"""5, 8, 9, 11: every issuance goes its way once, at the city and at its terminal."""

from collections import Counter
from typing import Any

from issuance_server.core import records as r
from protocol.issuance import IssuanceState
from protocol.terminal_statements import PrintOutcome
from terminal_sim.core import records as here
from tests.sim.checks.money import Money
from tests.sim.checks.paper import Paper
from tests.sim.checks.witness import Witness

S = IssuanceState
_REPORTED = frozenset({S.PRINTED, S.PRINT_FAILED, S.COMPLETED, S.REVERSED, S.WITHDRAWN, S.CLOSED})


class Issuances(Witness):
    """Follows both journals.

    Attributes:
        state: where each issuance stands in the city's durable records.
        terminal: whose it is.
        counts: how many began and ended, and how.
        revoked: terminals that were taken off the list.
        same_second: applications within a second in which another one came.
    """

    def __init__(self, paper: Paper, money: Money) -> None:
        super().__init__()
        self.state: dict[bytes, IssuanceState] = {}
        self.terminal: dict[bytes, str] = {}
        self.applied: dict[bytes, r.IssuanceApplied] = {}
        self.counts: Counter[str] = Counter()
        self.revoked: set[str] = set()
        self.same_second = 0
        self.fees_yen: Counter[str] = Counter()
        self._paper = paper
        self._money = money
        self._second = 0
        self._in_second = 0
        self._here: set[bytes] = set()

    def on_terminal_records(self, _terminal: str, records: list[here.AnyRecord]) -> None:
        """See that ids differ, and that what the city acknowledged is what it has on record."""
        for record in records:
            if isinstance(record, here.Applied):
                if record.issuance_id in self._here:
                    self.broken(5, f"{record.issuance_id.hex()[:8]} was drawn twice")
                self._here.add(record.issuance_id)
            elif isinstance(record, here.ReportTaken):
                self._acknowledged(record.issuance_id, "report", _REPORTED)
            elif isinstance(record, here.DeletionTaken) and record.answer == S.COMPLETED.value:
                self._acknowledged(record.issuance_id, "deletion", frozenset({S.COMPLETED}))

    def _acknowledged(self, issuance_id: bytes, what: str, states: frozenset[S]) -> None:
        state = self.state.get(issuance_id)
        if state is not None and state not in states:
            name = issuance_id.hex()[:8]
            self.broken(11, f"{name}: the {what} was acknowledged, and it stands {state.value}")

    def on_city_records(
        self, now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """Follow every issuance through the city's records."""
        for record in records:
            issuance_id = getattr(record, "issuance_id", None)
            if isinstance(record, r.IssuanceApplied):
                self._apply(record)
            elif isinstance(record, r.TerminalRevoked):
                self.revoked.add(record.terminal)
            elif isinstance(issuance_id, bytes) and issuance_id in self.state:
                self._move(record, issuance_id, now)

    def _apply(self, record: r.IssuanceApplied) -> None:
        if record.issuance_id in self.state:
            self.broken(8, f"{record.issuance_id.hex()[:8]} was opened twice")
        self.state[record.issuance_id] = S.APPLIED
        self.terminal[record.issuance_id] = record.terminal
        self.applied[record.issuance_id] = record
        self.counts["begun"] += 1
        second = record.at_ms // 1_000
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        if self._in_second > 1:
            self.same_second += 2 if self._in_second == 2 else 1

    def _move(self, record: Any, issuance_id: bytes, _now: Any) -> None:
        before, name = self.state[issuance_id], issuance_id.hex()[:8]
        after = _after(record, before)
        if after is None or after is before:
            return
        if before in _ENDS:
            self.broken(8, f"{name} had ended as {before.value} and became {after.value}")
        if before not in _FROM.get(after, frozenset()):
            self.broken(9, f"{name} went from {before.value} to {after.value}")
        self.state[issuance_id] = after
        if after in _ENDS:
            self.counts[after.value] += 1
        if after is S.RELEASED:
            self.counts["released"] += 1
        if after in (S.PRINTED, S.COMPLETED) and issuance_id in self._here:
            self._printed(issuance_id, name)
        if after in (S.REVERSED, S.WITHDRAWN) and self._money.end.get(issuance_id) == "earn":
            self.broken(11, f"{name} is both issued and reversed")
        if after is S.COMPLETED:
            terminal = self.terminal[issuance_id]
            self.fees_yen[terminal] += self.applied[issuance_id].fee_yen

    def _printed(self, issuance_id: bytes, name: str) -> None:
        if not self._paper.all_out(issuance_id):
            self.broken(10, f"{name} counts as printed, and sheets are missing")


_ENDS = frozenset({S.COMPLETED, S.REVERSED, S.WITHDRAWN, S.CLOSED})
_BEFORE = frozenset({S.APPLIED, S.QUOTED, S.SEALED})
_FROM: dict[S, frozenset[S]] = {
    S.QUOTED: frozenset({S.APPLIED}),
    S.SEALED: frozenset({S.QUOTED}),
    S.RELEASED: frozenset({S.SEALED}),
    S.UNCONFIRMED: frozenset({S.RELEASED}),
    S.PRINTED: frozenset({S.RELEASED, S.UNCONFIRMED}),
    S.PRINT_FAILED: frozenset({S.RELEASED, S.UNCONFIRMED}),
    S.COMPLETED: frozenset({S.PRINTED}),
    S.REVERSED: frozenset({S.PRINT_FAILED}),
    S.WITHDRAWN: _BEFORE,
    S.CLOSED: frozenset({S.UNCONFIRMED}),
}
"""Written down once more, by hand: the product's own table is not asked."""


_TO: dict[type[Any], S] = {
    r.IssuanceQuoted: S.QUOTED,
    r.CiphertextHeld: S.SEALED,
    r.IssuanceReleased: S.RELEASED,
    r.IssuanceUnconfirmed: S.UNCONFIRMED,
    r.IssuanceWithdrawn: S.WITHDRAWN,
    r.IssuanceClosed: S.CLOSED,
}


def _after(record: Any, before: S) -> S | None:
    """Return where an issuance stands after a record; None: it says nothing of that."""
    if isinstance(record, r.PrintReported):
        return S.PRINTED if record.outcome is PrintOutcome.PRINTED else S.PRINT_FAILED
    if isinstance(record, r.KeyDestroyed):
        return S.COMPLETED if before is S.PRINTED else S.REVERSED
    return _TO.get(type(record))
