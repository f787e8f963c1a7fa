"""Every step that the server can take, each computed once for each state of the server.

A step that commits has a twin in which the server dies right after the commit: its records are
there, nothing has left, and what memory held is gone. Dying right before a commit is the same as
dying at any other moment: the input is lost with the process.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from issuance_server.core import inputs as i
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from tests.core.made import START_REAL_MS
from tests.explorer.configuration import Trouble
from tests.explorer.interning import Numbers, ValueKeys
from tests.explorer.server_side import Entry, Job, Server, ServerState, Taken, Told

CHALLENGE = bytes(32)


class ServerStep(NamedTuple):
    """One thing that the server does.

    Attributes:
        label: for people.
        after: the number of its state afterwards.
        told: what leaves.
        fault: what must not happen, if it did.
        costs: the troubles that it takes.
        dies: whether the process dies with it.
        waits: whether it happens only when nothing else can.
    """

    label: str
    after: int
    told: tuple[Told, ...] = ()
    fault: str | None = None
    costs: tuple[Trouble, ...] = ()
    dies: bool = False
    waits: bool = False


class ServerMoves:
    """All steps of the server, remembered."""

    def __init__(
        self, server: Server, *, allowed: frozenset[Trouble], slow_destruction: bool
    ) -> None:
        """Take a server that can be stepped from any state, and the troubles that may come."""
        self.server = server
        self._allowed = allowed
        self.states: Numbers[ServerState] = Numbers()
        self._values = ValueKeys()
        self._slow_destruction = slow_destruction
        self._own: dict[int, tuple[ServerStep, ...]] = {}
        self._on_input: dict[tuple[int, object], tuple[ServerStep, ...]] = {}
        self._restarts: dict[int, ServerStep] = {}
        self.begin = self._number(server.begin())

    def own(self, number: int) -> tuple[ServerStep, ...]:
        """Return what the server can do without a word from outside."""
        found = self._own.get(number)
        if found is None:
            found = self._own[number] = tuple(self._own_steps(number))
        return found

    def on_input(
        self, number: int, name: object, input_: i.Input, label: str, done: Job | None = None
    ) -> tuple[ServerStep, ...]:
        """Return what becomes of an input: taken, or taken and dead. ``name`` is unique for it."""
        found = self._on_input.get((number, name))
        if found is None:
            state = self.states[number]
            if done is not None:
                state = replace(state, jobs=state.jobs - {done})
            found = tuple(self._twins(number, self.server.take(state, input_), label))
            self._on_input[number, name] = found
        return found

    def restarted(self, number: int) -> ServerStep:
        """Return the server after a crash and a start."""
        found = self._restarts.get(number)
        if found is None:
            taken = self.server.restart(self.states[number])
            after = self._number(taken.after)
            costs = (Trouble.SERVER_CRASH,)
            label = "the server dies and starts again"
            found = ServerStep(label, after, taken.told, taken.fault, costs, dies=True)
            self._restarts[number] = found
        return found

    def _number(self, state: ServerState) -> int:
        return self.states.of(state.key(self._values), state)

    def _twins(
        self, before: int, taken: Taken, label: str, costs: tuple[Trouble, ...] = ()
    ) -> Iterator[ServerStep]:
        after = self._number(taken.after)
        yield ServerStep(label, after, taken.told, taken.fault, costs)
        if not taken.records or Trouble.SERVER_CRASH not in self._allowed:
            return
        again = self.restarted(after)
        if again.after != self.restarted(before).after:
            costs = (*costs, Trouble.SERVER_CRASH)
            died = f"{label}; the server dies after the commit and starts again"
            yield ServerStep(died, again.after, (), again.fault, costs, dies=True)

    def _own_steps(self, number: int) -> Iterator[ServerStep]:
        state = self.states[number]
        if Trouble.SERVER_CRASH in self._allowed:
            yield self.restarted(number)
        for job in sorted(state.jobs, key=str):
            yield from self._work(number, state, job)
        yield from self._time(number, state)
        yield from self._staff(state)

    def _staff(self, state: ServerState) -> Iterator[ServerStep]:
        """Let somebody at the counter change the register."""
        for resident, entry in enumerate(state.register):
            if not entry.suppressed and Trouble.SUPPRESSION in self._allowed:
                after = self._with_entry(state, resident, entry._replace(suppressed=True))
                label = f"resident {resident} is suppressed"
                yield ServerStep(label, self._number(after), costs=(Trouble.SUPPRESSION,))
            if Trouble.EDIT not in self._allowed:
                continue
            after = self._with_entry(state, resident, entry._replace(version=entry.version + 1))
            label = f"the household of resident {resident} is changed"
            yield ServerStep(label, self._number(after), costs=(Trouble.EDIT,))

    def _work(self, number: int, state: ServerState, job: Job) -> Iterator[ServerStep]:
        """Let the performer come to an end with something."""
        done = replace(state, jobs=state.jobs - {job})
        subject, take = job.subject.decode().rstrip("-"), self.server.take
        match job.kind:
            case "draw":
                drawn = i.ChallengeDrawn(
                    visit_id=job.subject, attempt=job.number, challenge=CHALLENGE
                )
                yield from self._twins(number, take(done, drawn), f"challenge for {subject}")
            case "render":
                made = self.server.made(state, job.subject)
                if made is None:  # withdrawn meanwhile: whatever comes is thrown away
                    yield ServerStep(f"rendering of {subject} is void", self._number(done))
                    return
                bodies = done.bodies | {(job.subject, made.wrapped_key)}
                with_body = replace(done, bodies=bodies)
                yield from self._twins(number, take(with_body, made), f"{subject} is rendered")
                if Trouble.RENDERER not in self._allowed:
                    return
                failed = i.RenderingFailed(
                    issuance_id=job.subject, code=ReplyCode.RENDERING_FAILED, reason="explored"
                )
                label, costs = f"{subject} cannot be rendered", (Trouble.RENDERER,)
                yield from self._twins(number, take(done, failed), label, costs)
            case "key":
                told = self.server.answer_of(state, job)
                yield ServerStep(f"the key of {subject} leaves", self._number(done), (told,))
            case "destroy":
                clean = replace(done, residue=frozenset())
                gone = i.KeysDestroyed(issuance_ids=(job.subject,))
                label = f"the key of {subject} is off the disk"
                for step in self._twins(number, take(clean, gone), label):
                    yield step._replace(waits=self._slow_destruction)

    def _time(self, number: int, state: ServerState) -> Iterator[ServerStep]:
        """Time jumps to the next deadline; that the switch is woken for it is a step of its own."""
        due_ms = self.server.next_deadline_ms(state)
        if due_ms is None:
            return
        if due_ms <= state.clock_ms:
            yield from self._twins(
                number, self.server.take(state, i.Woken()), "the server is woken"
            )
            return
        if Trouble.SERVER_TIME in self._allowed:
            label = f"the server's clock comes to {due_ms / 1_000:.0f} s"
            after = replace(state, clock_ms=due_ms)
            yield ServerStep(label, self._number(after), costs=(Trouble.SERVER_TIME,))
        decisive_ms = self._decisive_ms(state)
        if decisive_ms is not None:
            label = f"nothing else happens, and the server's clock comes to {decisive_ms / 1e3} s"
            after = replace(state, clock_ms=decisive_ms)
            yield ServerStep(label, self._number(after), waits=True)

    def _decisive_ms(self, state: ServerState) -> int | None:
        """Return the next deadline that ends something or raises an alarm for the first time."""
        again = (IssuanceState.UNCONFIRMED, IssuanceState.PRINTED, IssuanceState.PRINT_FAILED)
        times = [visit.deadline_ms for visit in state.visits]
        times += [one.deadline_ms for one in state.issuances if one.state not in again]
        return min(times) - START_REAL_MS if times else None

    @staticmethod
    def _with_entry(state: ServerState, resident: int, entry: Entry) -> ServerState:
        register = (*state.register[:resident], entry, *state.register[resident + 1 :])
        return replace(state, register=register)
