"""What must hold when everything has come to its end (liveness): 8, 10, 11, 12 and 22."""

from collections.abc import Iterable, Iterator

from protocol.issuance import IssuanceState
from terminal_sim.core.state import Money as Fee
from tests.sim.checks.issuances import Issuances
from tests.sim.checks.keys import Keys
from tests.sim.checks.money import Money
from tests.sim.checks.paper import Paper
from tests.sim.terminal_node import TerminalNode

S = IssuanceState
_ENDS = frozenset({S.COMPLETED, S.REVERSED, S.WITHDRAWN, S.CLOSED})
_OWED = frozenset({S.RELEASED, S.PRINTED, S.PRINT_FAILED, S.UNCONFIRMED})


class Ends:
    """Compares both sides, the paper and the coins."""

    def __init__(self, *, paper: Paper, money: Money, issuances: Issuances, keys: Keys) -> None:
        self._paper = paper
        self._money = money
        self._issuances = issuances
        self._keys = keys

    def unfinished(self, terminals: Iterable[TerminalNode]) -> Iterator[tuple[int, str]]:
        """Yield what is not at its end yet.

        Args:
            terminals: the honest ones.
        """
        gone = {one.identity.name for one in terminals if one.gone} | self._issuances.revoked
        honest = {one.identity.name for one in terminals}
        for issuance_id, state in self._issuances.state.items():
            whose, name = self._issuances.terminal[issuance_id], issuance_id.hex()[:8]
            owed = whose in gone or whose not in honest
            if state not in _ENDS and not (owed and state in _OWED):
                yield 8, f"{name} is still {state.value}, and nobody owes a word"
            if state in _ENDS and issuance_id in self._keys.kept:
                yield 22, f"{name} has ended, and its key is left"
        for terminal in terminals:
            if terminal.identity.name not in gone:
                yield from self._of_terminal(terminal)

    def _of_terminal(self, terminal: TerminalNode) -> Iterator[tuple[int, str]]:
        if terminal.owes:
            yield 8, f"{terminal.identity.name} has something to settle"
        if terminal.spool.files:
            yield 22, f"{terminal.identity.name} has something in its spool"
        for issuance_id in terminal.coin_box.held():
            yield 10, f"coins of {issuance_id.hex()[:8]} are neither earned nor returned"
        for issuance_id, issuance in terminal.state().issuances.items():
            state, name = self._issuances.state.get(issuance_id), issuance_id.hex()[:8]
            earned = self._money.end.get(issuance_id) == "earn"
            if (state is S.COMPLETED) != earned or (issuance.money is Fee.EARNED) != earned:
                yield 10, f"{name}: the fee was earned on one side only"
            unknown = issuance.failure is not None and issuance.failure.sheets_unknown
            if self._paper.all_out(issuance_id) and not earned and not unknown:
                yield 10, f"{name} is out, and nobody counts it"
