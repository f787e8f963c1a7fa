"""What must hold in every state, and in every end. The numbers are those of the domain's rules."""

from protocol.issuance import OWED_STATES, IssuanceState
from protocol.visit import VisitState
from tests.explorer.devices import all_out
from tests.explorer.server_side import ServerState
from tests.explorer.terminal_side import Terminal, TerminalSide
from tests.explorer.world import State, World

S = IssuanceState
_DELETED = frozenset({S.COMPLETED, S.REVERSED})
_NOT_REPORTED = frozenset({S.APPLIED, S.QUOTED, S.SEALED, S.RELEASED, S.UNCONFIRMED})


class Checks:
    """Looks at every pair of server and terminal once."""

    def __init__(self, world: World) -> None:
        """Take the world to look at."""
        self._world = world
        self._found: dict[tuple[int, int, int], str | None] = {}

    def fault(self, state: State) -> str | None:
        """Return what must not be in a state, if it is."""
        for n, number in enumerate(state.terminals):
            key = (state.server, n, number)
            if key not in self._found:
                moves = self._world.terminals[n]
                server = self._world.server.states[state.server]
                self._found[key] = _pair_fault(server, moves.terminal, moves.states[number])
            if self._found[key] is not None:
                return self._found[key]
        return None

    def end_fault(self, state: State) -> str | None:
        """Return what is not complete in an end, if anything."""
        server = self._world.server.states[state.server]
        sides = []
        for n, number in enumerate(state.terminals):
            moves = self._world.terminals[n]
            side = moves.states[number]
            sides.append((moves.terminal, side))
            if side.on:
                fault = _unfinished(side) or _unsettled(server, moves.terminal, side)
                if fault is not None:
                    return f"{fault} (terminal {moves.terminal.name})"
        return _left_at_server(server, {one.name: side for one, side in sides})


def _pair_fault(server: ServerState, terminal: Terminal, side: TerminalSide) -> str | None:
    """Look at one terminal beside the server."""
    ended = dict(server.ended)
    current = {one.issuance_id: one for one in server.issuances}
    keys, coins = dict(server.keys), dict(side.coins)
    held = {one[0] for place in (side.spool, side.opened, side.pieces) for one in place}
    if any(sheet.issuance_id not in server.released for sheet in side.paper):
        return "9: paper came out that was never released"
    for issuance_id, here in side.core.issuances.items():
        there, end = current.get(issuance_id), ended.get(issuance_id)
        state = end.state if end else there.state if there else None
        name = issuance_id.decode().rstrip("-")
        if state in (S.PRINTED, S.COMPLETED) and not all_out(side, issuance_id):
            return f"10: {name} counts as printed, and sheets are missing"
        if state in (S.REVERSED, S.WITHDRAWN) and coins.get(issuance_id) == "earned":
            return f"11: {name} is both issued and reversed"
        deleted = (there is not None and there.deletion is not None) or state in _DELETED
        if deleted and issuance_id in held:
            return f"22: {name} is reported as erased, and is still there"
        if state in _DELETED and (issuance_id in keys or issuance_id in server.residue):
            return f"22: {name} has ended, and its key is left"
        if here.report_answer is not None and state in _NOT_REPORTED:
            return f"11: the report of {name} was acknowledged and is lost"
        if here.deletion_answer == S.COMPLETED.value and state is not S.COMPLETED:
            return f"11: the deletion of {name} was acknowledged and is lost"
    return None


def _unfinished(side: TerminalSide) -> str | None:
    """Look for what a terminal with power still has to do."""
    visit = side.core.visit
    if side.core.opening is None and not (side.core.closing or side.visits):
        return "the line was never opened"
    if side.core.open_visit is not None or (visit and visit.state is not VisitState.ENDED):
        return "a visit is still open"
    for issuance in side.core.issuances.values():
        name = issuance.issuance_id.decode().rstrip("-")
        if not issuance.ended:
            return f"8: {name} never ended at its terminal: {issuance.state.value}"
        if issuance.erased_at_ms is None:
            return f"22: the erasure of {name} was never recorded"
    if side.spool or side.opened or side.pieces:
        return "22: something of a certificate is left at the terminal"
    if any(where == "in" for _, where in side.coins):
        return "10: coins are neither earned nor returned"
    return None


def _unsettled(server: ServerState, terminal: Terminal, side: TerminalSide) -> str | None:
    """Compare the ends of both sides."""
    ended, coins = dict(server.ended), dict(side.coins)
    for issuance_id, here in side.core.issuances.items():
        name = issuance_id.decode().rstrip("-")
        end = ended.get(issuance_id)
        completed = end is not None and end.state is S.COMPLETED
        if completed != (coins.get(issuance_id) == "earned"):
            return f"10: the fee of {name} was earned on one side only"
        unknown = here.failure is not None and here.failure.sheets_unknown
        out_here = here.quoted is not None and all_out(side, issuance_id)
        if out_here and not completed and not unknown:
            return f"10: {name} is out, and nobody counts it"
    if side.core.closing:
        return "the line was never closed"
    counted = {one[0]: one[1:] for one in server.counters}.get(terminal.name, (0, 0, 0))
    here_counted = side.core.counted
    ours = (here_counted.completed, here_counted.reversed, here_counted.fees_earned_yen)
    if side.core.opening is not None and ours != counted:
        return f"10: the counters differ: {ours} here, {counted} at the server"
    return None


def _left_at_server(server: ServerState, sides: dict[str, TerminalSide]) -> str | None:
    """Look for what is open at the server and owed by nobody."""
    current = {one.issuance_id: one for one in server.issuances}
    for issuance in server.issuances:
        name = issuance.issuance_id.decode().rstrip("-")
        gone = not sides[issuance.terminal].on
        if not (gone and issuance.state in OWED_STATES):
            return f"8: {name} is open, and nobody owes a word: {issuance.state.value}"
    for visit in server.visits:
        return f"a visit was never forgotten: {visit.visit_id.decode().rstrip('-')}"
    for issuance_id, _ in server.keys:
        if issuance_id not in current:
            return f"22: the key of {issuance_id.decode().rstrip('-')} is left"
    if server.jobs:
        return "the server has work under way"
    return None
