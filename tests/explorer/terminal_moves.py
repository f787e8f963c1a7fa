"""Every step that a terminal can take, each computed once for each state of the terminal.

A step has twins in which the power fails: before anything is recorded although something physical
has happened already (a sheet is out, coins are in), and after the records with nothing else done.
In both the terminal starts again, or never.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from protocol.visit import VisitState
from terminal_sim.core import inputs as into
from terminal_sim.core.state import BEFORE_RELEASE
from tests.explorer.configuration import Trouble
from tests.explorer.devices import fault_of_paper, may_begin, refuse, say
from tests.explorer.interning import Numbers
from tests.explorer.terminal_side import Stepped, Terminal, TerminalSide

CLOCK_MS_MAX = 40 * 60 * 1_000
"""Time does not pass by itself any further: whoever still asks then, asks for ever."""


class TerminalStep(NamedTuple):
    """One thing that a terminal does.

    Attributes:
        label: for people.
        after: the number of its state afterwards.
        fault: what must not happen, if it did.
        costs: the troubles that it takes.
        waits: whether it happens only when nothing else can.
        keys_lost: whether it lost its line keys.
        new_keys: whether it made new ones with the server.
    """

    label: str
    after: int
    fault: str | None = None
    costs: tuple[Trouble, ...] = ()
    waits: bool = False
    keys_lost: bool = False
    new_keys: bool = False


class TerminalMoves:
    """All steps of one terminal, remembered."""

    def __init__(self, terminal: Terminal, *, allowed: frozenset[Trouble]) -> None:
        """Take a terminal that can be stepped from any state, and the troubles that may come."""
        self.terminal = terminal
        self._allowed = allowed
        self.states: Numbers[TerminalSide] = Numbers()
        self._own: dict[int, tuple[TerminalStep, ...]] = {}
        self._answered: dict[tuple[int, object], tuple[TerminalStep, ...]] = {}
        self._down: dict[int, int] = {}
        self.begin = self._number(terminal.restart(terminal.begin()).after)

    def own(self, number: int) -> tuple[TerminalStep, ...]:
        """Return what the terminal, its devices and its people can do without the server."""
        found = self._own.get(number)
        if found is None:
            found = self._own[number] = tuple(self._own_steps(number))
        return found

    def answered(
        self, number: int, name: object, request: object, answer: object, label: str
    ) -> tuple[TerminalStep, ...]:
        """Return what becomes of an answer. ``name`` is unique for it."""
        found = self._answered.get((number, name))
        if found is None:
            side = self.states[number]
            stepped = self.terminal.answered(side, request, answer)  # type: ignore[arg-type]
            found = tuple(self._twins(stepped, label))
            self._answered[number, name] = found
        return found

    def without_line(self, number: int) -> int:
        """Return the terminal when the other end has lost the keys."""
        found = self._down.get(number)
        if found is None:
            found = self._down[number] = self._number(replace(self.states[number], up=False))
        return found

    def _number(self, side: TerminalSide) -> int:
        return self.states.of(side.key(), side)

    def _step(self, label: str, stepped: Stepped, costs: tuple[Trouble, ...] = ()) -> TerminalStep:
        fault = stepped.fault or fault_of_paper(self.terminal, stepped.after)
        return TerminalStep(label, self._number(stepped.after), fault, costs)

    def _twins(
        self, stepped: Stepped, label: str, costs: tuple[Trouble, ...] = ()
    ) -> Iterator[TerminalStep]:
        yield self._step(label, stepped, costs)
        if stepped.records:
            yield from self._dark(stepped.lost, f"{label}; after the record", costs)

    def _dark(
        self, side: TerminalSide, label: str, costs: tuple[Trouble, ...] = ()
    ) -> Iterator[TerminalStep]:
        """Let the power fail in a state: for a moment, for two, or for ever."""
        label = f"{label} the power fails" if label else "the power fails"
        if Trouble.TERMINAL_CRASH in self._allowed:
            yield from self._back(side, label, costs)
        if Trouble.TERMINAL_GONE not in self._allowed:
            return
        gone = replace(
            side,
            asked=(),
            words=frozenset(),
            pieces=frozenset(),
            opened=frozenset(),
            up=False,
            on=False,
        )
        fault = fault_of_paper(self.terminal, gone)
        cost = (*costs, Trouble.TERMINAL_GONE)
        number = self._number(gone)
        yield TerminalStep(f"{label} for ever", number, fault, cost, keys_lost=True)

    def _back(
        self, side: TerminalSide, label: str, costs: tuple[Trouble, ...]
    ) -> Iterator[TerminalStep]:
        once = self.terminal.restart(side)
        cost = (*costs, Trouble.TERMINAL_CRASH)
        yield self._step(f"{label} and comes back", once, cost)._replace(keys_lost=True)
        if once.records:
            twice = self.terminal.restart(once.lost)
            cost = (*cost, Trouble.TERMINAL_CRASH)
            step = self._step(f"{label} twice in a row", twice, cost)
            yield step._replace(keys_lost=True)

    def _own_steps(self, number: int) -> Iterator[TerminalStep]:
        side = self.states[number]
        if not side.on:
            return
        take = self.terminal.take
        yield from self._dark(side, "")
        for word in sorted(side.words):
            subject = word.subject.decode().rstrip("-")
            said, input_ = say(self.terminal, side, word)
            label = f"{word.kind} {subject} {word.number}"
            yield from self._twins(take(said, input_), label)
            if (said.coins, said.paper, said.spool) != (side.coins, side.paper, side.spool):
                yield from self._dark(said, f"{label}; before the record")
            refused = refuse(side, word)
            if refused is not None and Trouble.DEVICE in self._allowed:
                costs = (Trouble.DEVICE,)
                yield from self._twins(take(*refused), f"{label} fails", costs)
            if (
                word.kind == "lay" and Trouble.DEVICE in self._allowed
            ):  # the sheet is out, and the printer does not know it
                unseen = into.PrinterFailed(issuance_id=word.subject)
                costs = (Trouble.DEVICE,)
                yield from self._twins(take(said, unseen), f"{label} fails unseen", costs)
        yield from self._line(side)
        yield from self._people(side)
        yield from self._time(side)

    def _line(self, side: TerminalSide) -> Iterator[TerminalStep]:
        if not side.up or Trouble.NEW_KEYS in self._allowed:
            yield from self._new_keys(side)
        for request, (_, may_be_given_up) in side.asked:
            if may_be_given_up and Trouble.GIVE_UP in self._allowed:
                asked = tuple(one for one in side.asked if one[0] != request)
                given_up = into.Unanswered(request=request)
                stepped = self.terminal.take(replace(side, asked=asked), given_up)
                subject = request.subject.decode().rstrip("-")
                label = f"{request.step.value} {subject} is given up"
                yield from self._twins(stepped, label, (Trouble.GIVE_UP,))

    def _new_keys(self, side: TerminalSide) -> Iterator[TerminalStep]:
        ready = replace(side, generation=side.generation + 1, up=True)
        costs = (Trouble.NEW_KEYS,) if side.up else ()
        stepped = self.terminal.take(ready, into.LineReady())
        label = f"the line has keys {ready.generation}"
        yield self._step(label, stepped, costs)._replace(new_keys=True)

    def _people(self, side: TerminalSide) -> Iterator[TerminalStep]:
        if may_begin(self.terminal, side):
            visit_id = self.terminal.visit_id(side.visits)
            begun = replace(side, visits=side.visits + 1)
            stepped = self.terminal.take(begun, into.CardInserted(visit_id=visit_id))
            # A person who sees the power fail takes the card and goes.
            yield from self._twins(stepped, f"card for {visit_id.decode().rstrip('-')}")
        if Trouble.CANCEL not in self._allowed:
            return
        visit = side.core.visit
        if visit is not None and visit.state is not VisitState.ENDED:
            taken = into.CardTaken(visit_id=visit.visit_id)
            stepped = self.terminal.take(side, taken)
            yield from self._twins(stepped, "the card is taken early", (Trouble.CANCEL,))
        for issuance in side.core.issuances.values():
            if issuance.state in BEFORE_RELEASE:
                pressed = into.CancelPressed(issuance_id=issuance.issuance_id)
                label = f"cancel {issuance.issuance_id.decode().rstrip('-')}"
                yield from self._twins(self.terminal.take(side, pressed), label, (Trouble.CANCEL,))

    def _time(self, side: TerminalSide) -> Iterator[TerminalStep]:
        due_ms = self.terminal.next_deadline_ms(side)
        if due_ms is None:
            return
        later = replace(side, clock_ms=max(due_ms, side.clock_ms))
        stepped = self.terminal.take(later, into.TimePassed())
        label = f"the terminal's clock comes to {later.clock_ms / 1_000:.1f} s"
        if Trouble.TERMINAL_TIME in self._allowed:
            yield from self._twins(stepped, label, (Trouble.TERMINAL_TIME,))
        if later.clock_ms <= CLOCK_MS_MAX:
            step = self._step(f"nothing else happens, and {label}", stepped)
            yield step._replace(waits=True)
