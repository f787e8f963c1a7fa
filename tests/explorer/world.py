"""The explored world: both shipped cores, the judge, and everything that is said between them.

The network is the worst there can be: every copy of every request that was ever sent may arrive at
any time, in any order, any number of times, or never; and so may every answer as long as its
request is under way. Nothing is counted, so loss, repetition and reordering have no bound.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

from issuance_server.core import inputs as i
from protocol import codec
from protocol import telegrams as t
from protocol.terminal_statements import DeletionReport, PrintReport
from terminal_sim.core.requests import Authentication, Question, Request, Step
from tests.explorer import judge_side
from tests.explorer.configuration import Configuration, Trouble
from tests.explorer.interning import Numbers
from tests.explorer.judge_side import JudgeState
from tests.explorer.server_moves import ServerMoves, ServerStep
from tests.explorer.server_side import Job, Server, Told
from tests.explorer.terminal_moves import TerminalMoves, TerminalStep
from tests.explorer.terminal_side import Terminal, TerminalSide

TERMINALS = ("A", "B", "C")
TROUBLES = tuple(Trouble)
_PLACE_OF = {trouble: place for place, trouble in enumerate(TROUBLES)}
_OF_ONE_GENERATION = frozenset({Step.OPEN, Step.CLOSE})


class State(NamedTuple):
    """The whole world as numbers.

    Attributes:
        server: the number of the server's state.
        judge: that of the judge's.
        sent: requests that may arrive at the server, one bit for each.
        answers: answers that may arrive, by number, in order.
        left: how much of each trouble is left.
        terminals: the numbers of their states.
    """

    server: int
    judge: int
    sent: int
    answers: tuple[int, ...]
    left: tuple[int, ...]
    terminals: tuple[int, ...]


class Message(NamedTuple):
    """One request of one terminal, whichever copy of it."""

    terminal: int
    request: Request
    generation: int
    input: i.Input
    label: str


class Move(NamedTuple):
    """One step of the world."""

    label: str
    after: State
    fault: str | None
    waits: bool
    troubled: bool


Asked: TypeAlias = tuple[tuple[Request, int], ...]


class World:
    """Knows what can happen in every state."""

    def __init__(self, configuration: Configuration) -> None:
        """Set up the world of a configuration."""
        self.configuration = configuration
        people = {plan.resident for plans in configuration.visits for plan in plans}
        self._people = [f"resident-{n}" for n in range(max(people) + 1)]
        residents = {name: n for n, name in enumerate(self._people)}
        self.server = ServerMoves(
            Server(configuration, residents),
            allowed=frozenset(configuration.troubles),
            slow_destruction=configuration.slow_destruction,
        )
        self.terminals = [
            TerminalMoves(
                Terminal(TERMINALS[n], plans, closing=configuration.closing),
                allowed=frozenset(configuration.troubles),
            )
            for n, plans in enumerate(configuration.visits)
        ]
        self.judges: Numbers[JudgeState] = Numbers()
        self.messages: Numbers[Message] = Numbers()
        self.answers: Numbers[tuple[int, Any]] = Numbers()
        self._asked: dict[tuple[int, int], Asked] = {}
        self._sendable: dict[tuple[int, int], tuple[bool, int, frozenset[int]]] = {}
        self._of_old_keys: dict[int, int] = {}
        self._bits_of: dict[int, int] = {}
        self._judge_jobs: dict[int, tuple[Job, ...]] = {}
        self._told_numbers: dict[int, tuple[object, tuple[tuple[int, int, int], ...]]] = {}
        judge = judge_side.begin(len(self._people))
        self.begin = State(
            server=self.server.begin,
            judge=self.judges.of(judge, judge),
            sent=0,
            answers=(),
            left=tuple(configuration.troubles.get(trouble, 0) for trouble in TROUBLES),
            terminals=tuple(moves.begin for moves in self.terminals),
        )

    def moves(self, state: State) -> Iterator[Move]:
        """Return everything that can happen in a state."""
        for number in _bits(state.sent):
            message = self.messages[number]
            label = message.label
            for step in self.server.on_input(state.server, number, message.input, label):
                if step.after != state.server or step.fault or self._tells(state, step.told):
                    yield from self._by_server(state, step)
        for step in self.server.own(state.server):
            yield from self._by_server(state, step)
        yield from self._by_judge(state)
        for number in state.answers:
            of, answer = self.answers[number]
            message = self.messages[of]
            moves = self.terminals[message.terminal]
            side = state.terminals[message.terminal]
            label = f"{message.label} is answered: {_short(answer)}"
            for answered in moves.answered(side, number, message.request, answer, label):
                yield from self._by_terminal(state, message.terminal, answered)
        for n, moves in enumerate(self.terminals):
            for own in moves.own(state.terminals[n]):
                yield from self._by_terminal(state, n, own)
            yield from self._by_fetching(state, n)
            left_over = state.sent & self._bits_of.get(n, 0)
            if left_over and not moves.states[state.terminals[n]].on:
                after = state._replace(sent=state.sent & ~left_over)
                label = f"the last copies of {TERMINALS[n]} are lost"
                yield Move(label, after, None, waits=False, troubled=False)

    def _by_server(
        self, state: State, step: ServerStep, judge: int | None = None
    ) -> Iterator[Move]:
        left = _pay(state.left, step.costs)
        if left is None:
            return
        sent, terminals = state.sent, state.terminals
        fault = step.fault
        if step.dies:
            sent = 0
            pairs = zip(self.terminals, terminals, strict=True)
            terminals = tuple(moves.without_line(number) for moves, number in pairs)
        if step.waits:
            sent &= self._all_under_way(terminals)
        answers, wrong = self._told(state, step.told) if step.told else (state.answers, None)
        after = State(
            step.after, state.judge if judge is None else judge, sent, answers, left, terminals
        )
        yield Move(step.label, after, fault or wrong, step.waits, bool(step.costs))

    def _told(self, state: State, told: tuple[Told, ...]) -> tuple[tuple[int, ...], str | None]:
        """Put answers on their way, as far as anybody still waits for them."""
        answers = state.answers
        for n, of, number in self._numbered(told):
            if number < 0:
                return state.answers, "2: an answer went to a terminal that did not ask"
            up, _, under_way = self._under_way(n, state.terminals[n])
            if up and of in under_way and number not in answers:
                answers = tuple(sorted((*answers, number)))
        return answers, None

    def _tells(self, state: State, told: tuple[Told, ...]) -> bool:
        """Tell whether answers change anything; most are repeats that nobody waits for."""
        return bool(told) and self._told(state, told) != (state.answers, None)

    def _numbered(self, told: tuple[Told, ...]) -> tuple[tuple[int, int, int], ...]:
        """Return answers as terminal, request and number; steps are kept, so each is met often."""
        known = self._told_numbers.get(id(told))
        if known is None:
            found = []
            for one in told:
                of, n = one.ref.counter, self.messages[one.ref.counter].terminal
                right = one.terminal == TERMINALS[n]
                number = self.answers.of((of, one.answer), (of, one.answer)) if right else -1
                found.append((n, of, number))
            known = self._told_numbers[id(told)] = told, tuple(found)
        return known[1]

    def _by_terminal(self, state: State, n: int, step: TerminalStep) -> Iterator[Move]:
        left = _pay(state.left, step.costs)
        if left is None:
            return
        sent = state.sent
        if step.new_keys:
            sent &= ~self._of_old_keys.get(n, 0)
        _, bits, under_way = self._under_way(n, step.after)
        sent |= bits
        answers = state.answers
        if answers:
            answers = tuple(
                number
                for number in answers
                if self.messages[self.answers[number][0]].terminal != n
                or (not step.keys_lost and self.answers[number][0] in under_way)
            )
        before = state.terminals
        terminals = (*before[:n], step.after, *before[n + 1 :])
        after = State(state.server, state.judge, sent, answers, left, terminals)
        label = f"{TERMINALS[n]}: {step.label}"
        yield Move(label, after, step.fault, step.waits, bool(step.costs))

    def _by_judge(self, state: State) -> Iterator[Move]:
        jobs = self._judge_jobs.get(state.server)
        if jobs is None:
            found = [one for one in self.server.states[state.server].jobs if one.kind == "judge"]
            jobs = self._judge_jobs[state.server] = tuple(sorted(found, key=str))
        judge = self.judges[state.judge]
        for job in jobs:
            n = TERMINALS.index(job.terminal)
            plan = self.terminals[n].terminal.plan_of(job.subject)
            right = plan.pins[job.number - 1]
            subject = job.subject.decode().rstrip("-")
            if (job.subject, job.number) not in judge.at_work:
                counted = judge_side.count(judge, job, plan.resident, right=right)
                after = state._replace(judge=self.judges.of(counted, counted))
                label = f"the judge counts attempt {job.number} of {subject}"
                yield Move(label, after, counted.fault, waits=False, troubled=False)
                continue
            answered, outcome = judge_side.answer(judge, job, plan.resident, right=right)
            card_ref = f"card-{self._people[plan.resident]}"
            verdict = judge_side.verdict(answered, job, outcome, card_ref, plan.resident)
            given = i.VerdictGiven(visit_id=job.subject, attempt=job.number, verdict=verdict)
            label = f"the judge answers {outcome.value} for {subject}"
            number = self.judges.of(answered, answered)
            fault = answered.fault
            for step in self.server.on_input(
                state.server, ("verdict", job, verdict), given, label, job
            ):
                for move in self._by_server(state, step, number):
                    yield move._replace(fault=move.fault or fault)
            yield from self._by_dying_judge(state, judge, job)

    def _by_dying_judge(self, state: State, judge: JudgeState, job: Job) -> Iterator[Move]:
        left = _pay(state.left, (Trouble.JUDGE_CRASH,))
        if left is None:
            return
        dead = judge_side.crash(judge)
        number = self.judges.of(dead, dead)
        none = i.VerdictGiven(visit_id=job.subject, attempt=job.number, verdict=None)
        label = "the judge dies between count and answer"
        for step in self.server.on_input(state.server, ("none", job), none, label, job):
            for move in self._by_server(state._replace(left=left), step, number):
                yield move._replace(troubled=True)

    def _by_fetching(self, state: State, n: int) -> Iterator[Move]:
        """Fetch all pieces in one step: fetching changes nothing at the server."""
        moves, number = self.terminals[n], state.terminals[n]
        if not moves.states[number].up:
            return
        found = [one for one in self._requests(n, number) if one[0].step is Step.FETCH]
        if not found:
            return
        seen: TerminalStep | None = None
        subject = found[0][0].subject
        while found:
            message = self.messages[found[0][1]]
            taken = self.server.on_input(state.server, found[0][1], message.input, "fetch")[0]
            assert taken.after == state.server, "fetching has changed the server"
            if not taken.told:
                return
            of, answer = found[0][1], taken.told[0].answer
            name = self.answers.of((of, answer), (of, answer))
            label = f"pieces of {subject.decode().rstrip('-')} are fetched"
            for step in moves.answered(number, name, message.request, answer, label):
                if step.costs:
                    yield from self._by_terminal(state, n, step)
                else:
                    seen = step
            assert seen is not None
            number = seen.after
            found = [
                one
                for one in self._requests(n, number)
                if one[0].step is Step.FETCH and one[0].subject == subject
            ]
        assert seen is not None
        yield from self._by_terminal(state, n, seen)

    def _under_way(self, n: int, number: int) -> tuple[bool, int, frozenset[int]]:
        """Return whether a terminal has keys, what it keeps sending, as bits, and all it asks."""
        found = self._sendable.get((n, number))
        if found is None:
            side = self.terminals[n].states[number]
            requests = self._requests(n, number)
            bits = 0
            for request, message in requests:
                if side.up and request.step is not Step.FETCH:
                    bits |= 1 << message
            found = side.up, bits, frozenset(message for _, message in requests)
            self._sendable[n, number] = found
        return found

    def _all_under_way(self, terminals: tuple[int, ...]) -> int:
        """Return what is kept sending, as bits: older copies do not outlive a lull."""
        bits = 0
        for n, number in enumerate(terminals):
            bits |= self._under_way(n, number)[1]
        return bits

    def _requests(self, n: int, number: int) -> Asked:
        found = self._asked.get((n, number))
        if found is None:
            side = self.terminals[n].states[number]
            found = tuple(
                (request, self._message(n, side, request, question))
                for request, (question, _) in side.asked
            )
            self._asked[n, number] = found
        return found

    def _message(self, n: int, side: TerminalSide, request: Request, question: Question) -> int:
        generation = side.generation if request.step in _OF_ONE_GENERATION else 0
        key = (n, request, generation, question)
        known = len(self.messages)
        digest = _digest(question)
        ref = t.RequestRef(generation=generation, counter=known, digest=digest)
        subject = request.subject.decode().rstrip("-")
        label = f"{TERMINALS[n]}: {request.step.value} {subject}"
        input_ = _input_of(TERMINALS[n], ref, question)
        number = self.messages.of(key, Message(n, request, generation, input_, label))
        self._bits_of[n] = self._bits_of.get(n, 0) | 1 << number
        if number == known and generation:
            self._of_old_keys[n] = self._of_old_keys.get(n, 0) | 1 << number
        return number


def _digest(question: Question) -> bytes:
    """Return the digest of a request; the binding of a release has to name that of ``apply``."""
    if isinstance(question, t.Telegram):
        return codec.digest(codec.encode(question))
    return sha256(repr(question).encode()).digest()


def _input_of(terminal: str, ref: t.RequestRef, question: Question) -> i.Input:
    """Return what a question is to the switch when it has come over the line."""
    match question:
        case Authentication():
            return i.Authenticated(
                terminal=terminal, ref=ref, visit_id=question.visit_id, attempt=question.attempt
            )
        case PrintReport() | DeletionReport():
            signature = sha256(question.statement(terminal)).digest() * 2
            kind = i.Reported if isinstance(question, PrintReport) else i.Deleted
            return kind(
                terminal=terminal,
                ref=ref,
                report=question,  # type: ignore[arg-type]
                signature=signature,
                signature_good=True,
            )
    return i.Asked(terminal=terminal, ref=ref, telegram=question)  # type: ignore[arg-type]


def _pay(left: tuple[int, ...], costs: tuple[Trouble, ...]) -> tuple[int, ...] | None:
    """Take troubles off what is left; None if there is not enough."""
    if not costs:
        return left
    rest = list(left)
    for trouble in costs:
        place = _PLACE_OF[trouble]
        if not rest[place]:
            return None
        rest[place] -= 1
    return tuple(rest)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _short(answer: object) -> str:
    if isinstance(answer, t.Refused):
        return f"refused, {answer.code.name.lower()}"
    if isinstance(answer, t.Acknowledged):
        return f"taken, {answer.state}"
    return type(answer).__name__.lower().removesuffix("token")
