"""One step under way: what it records, what it asks, what else it wants done."""

from protocol.errors import Misuse
from terminal_sim.core.effects import Ask, Effect, Forget, Leaving, Record
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.requests import Question, Request
from terminal_sim.core.state import Issuance, TerminalState, evolve


class Turn:
    """Collects the effects of one step, so that the records come first whatever the order."""

    def __init__(self, state: TerminalState, now_ms: int) -> None:
        self.state = state
        self.now_ms = now_ms
        self._records: list[Effect] = []
        self._leaving: list[Effect] = []

    def record(self, record: AnyRecord) -> None:
        """Let a record take effect."""
        evolve(self.state, record)
        self._records.append(Record(record=record))

    def do(self, effect: Leaving) -> None:
        """Want something done after the records are written."""
        self._leaving.append(effect)

    def ask(self, request: Request, question: Question, *, give_up_ms: int | None) -> None:
        """Send a request."""
        if request in self.state.asked:
            raise Misuse(f"{request.step.value} is being asked already")
        self.state.again.pop(request, None)
        self.state.asked.add(request)
        self.do(Ask(request=request, question=question, give_up_ms=give_up_ms))

    def ask_again_later(self, request: Request, wait_ms: int) -> None:
        """Remember to ask a request again."""
        self.state.again[request] = self.now_ms + wait_ms

    def forget(self, subject: bytes) -> None:
        """End all requests about a visit or an issuance."""
        for request in sorted(self.state.asked, key=order):
            if request.subject == subject:
                self.state.asked.discard(request)
                self.do(Forget(request=request))
        for request in list(self.state.again):
            if request.subject == subject:
                del self.state.again[request]

    def issuance(self, issuance_id: bytes) -> Issuance:
        """Return an issuance that is known.

        Raises:
            Misuse: it is not; its id came from ourselves, so this is our own bug.
        """
        issuance = self.state.issuances.get(issuance_id)
        if issuance is None:
            raise Misuse("no issuance has this id")
        return issuance

    def effects(self) -> list[Effect]:
        """Return the records, then the rest, each in order."""
        return self._records + self._leaving


def order(request: Request) -> tuple[str, bytes, int]:
    """Sort requests, so that what is done with several of them is the same at every run."""
    return request.step.value, request.subject, request.number
