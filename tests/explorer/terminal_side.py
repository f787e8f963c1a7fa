"""A terminal of the explored world: the shipped core between its devices and one person.

What lasts is the journal (here: the issuances that it folds to), the spool, the coins and the
paper. What does not last is the rest of the core's state, the requests under way and the words of
devices that are still to come.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import NamedTuple

from protocol.limits import PIECE_BYTES
from protocol.visit import VisitState
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core import requests as q
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Money, Profile, TerminalState, evolve
from terminal_sim.core.terminal import next_deadline_ms, step
from tests.core.made import CITY
from tests.explorer.configuration import VisitPlan
from tests.explorer.tokens import (
    CITY_KEY,
    KeyToken,
    MenuToken,
    PieceToken,
    file_digest,
    pages,
)

START_MS = 1_000


class Word(NamedTuple):
    """What a device or the person is about to say: a kind, about whom, and a number."""

    kind: str
    subject: bytes
    number: int = 0


class Sheet(NamedTuple):
    """One sheet of paper that came out."""

    issuance_id: bytes
    number: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSide:
    """A terminal at one moment; nothing in it is ever changed.

    Attributes:
        core: the core's state; copied before a step.
        asked: requests under way, with their questions, and whether they may be given up.
        words: what devices and the person are about to say.
        pieces: what came of sealed certificates and is not in the spool yet.
        opened: documents that a key opened, in memory.
        spool: sealed certificates on the disk.
        coins: for each issuance where its coins are: ``in``, ``earned`` or ``returned``.
        paper: what came out.
        visits: how many visits have begun here.
        generation: of the line's keys; 0 before the first.
        up: whether both ends have these keys.
        on: whether it has power.
        clock_ms: since the start.
    """

    core: TerminalState
    asked: tuple[tuple[q.Request, tuple[q.Question, bool]], ...] = ()
    words: frozenset[Word] = frozenset()
    pieces: frozenset[tuple[bytes, bytes]] = frozenset()
    opened: frozenset[tuple[bytes, bytes]] = frozenset()
    spool: frozenset[tuple[bytes, bytes]] = frozenset()
    coins: tuple[tuple[bytes, str], ...] = ()
    paper: tuple[Sheet, ...] = ()
    visits: int = 0
    generation: int = 0
    up: bool = False
    on: bool = True
    clock_ms: int = 0

    def key(self) -> Hashable:
        """Return something hashable that is equal for equal states."""
        return (
            self.core.key(),
            self.asked,
            self.words,
            self.pieces,
            self.opened,
            self.spool,
            self.coins,
            self.paper,
            self.visits,
            self.generation,
            self.up,
            self.on,
            self.clock_ms,
        )


@dataclass(slots=True)
class Stepped:
    """What came of one input.

    Attributes:
        after: with everything done.
        lost: with the records written and nothing else done: it died just then.
        fault: what must not happen, if it did.
        records: what was written.
    """

    after: TerminalSide
    lost: TerminalSide
    fault: str | None = None
    records: tuple[AnyRecord, ...] = ()


class Terminal:
    """Steps the shipped core of one terminal from any state."""

    def __init__(self, name: str, plans: tuple[VisitPlan, ...], *, closing: bool) -> None:
        """Stand at a place where these people come."""
        self.name = name
        self.plans = plans
        self._closing = closing
        key = CITY_KEY.public_key().public_bytes_raw()
        self.profile = Profile(terminal=name, city=CITY, software="explored", binding_keys=(key,))

    def begin(self) -> TerminalSide:
        """Return the state in which the machine was never on before."""
        return TerminalSide(core=TerminalState(profile=self.profile))

    def visit_id(self, number: int) -> bytes:
        """Return the id of the visit of that number, from 0."""
        return f"visit {self.name} {number}".encode().ljust(16, b"-")

    def issuance_id(self, visit: int, wish: int) -> bytes:
        """Return the id of an issuance."""
        return f"paper {self.name} {visit}{wish}".encode().ljust(16, b"-")

    def plan_of(self, subject: bytes) -> VisitPlan:
        """Return what the person of a visit or an issuance wants."""
        digits = subject.rstrip(b"-").rsplit(b" ", 1)[1]
        return self.plans[int(digits[:1])]

    def take(self, before: TerminalSide, input_: into.Input) -> Stepped:
        """Put one input through the core and do what it wants."""
        core = before.core.copy()
        try:
            effects = step(core, input_, START_MS + before.clock_ms)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a counterexample
            return Stepped(before, before, f"the terminal raised {error!r} on {input_}")
        records = tuple(one.record for one in effects if isinstance(one, out.Record))
        draft = _Draft(before, core, self._closing)
        for effect in effects[len(records) :]:
            draft.do(effect, self)
        lost = replace(before, core=_forgetful(self.profile, core))
        return Stepped(draft.after(), lost, draft.fault, records)

    def restart(self, side: TerminalSide) -> Stepped:
        """Let the power fail, come back, and the devices be cleared up after the first step."""
        dark = replace(
            side,
            core=_forgetful(self.profile, side.core),
            asked=(),
            words=frozenset(),
            pieces=frozenset(),
            opened=frozenset(),
            up=False,
        )
        stepped = self.take(dark, into.Started())
        stepped.after = _cleared(stepped.after)
        return stepped

    def answered(self, side: TerminalSide, request: q.Request, answer: object) -> Stepped:
        """Take an answer off the line, as the shell understands it."""
        asked = tuple(one for one in side.asked if one[0] != request)
        side = replace(side, asked=asked)
        match answer:
            case MenuToken():
                understood: q.Answer = q.MenuGiven(
                    visit_id=answer.visit_id, items=answer.items, unavailable=answer.unavailable
                )
            case PieceToken(issuance_id=issuance_id, content=content):
                side = replace(side, pieces=side.pieces | {(request.subject, content)})
                issuance = side.core.issuances[request.subject]
                sealed_bytes = issuance.quoted.sealed_bytes if issuance.quoted else 0
                rest = sealed_bytes - request.number * PIECE_BYTES
                understood = q.PieceKept(
                    issuance_id=issuance_id,
                    piece=request.number,
                    piece_bytes=min(PIECE_BYTES, rest),
                )
            case KeyToken():
                side, understood = _opened(side, request, answer)
            case _:
                understood = answer  # type: ignore[assignment]
        return self.take(side, into.Answered(request=request, answer=understood))

    def next_deadline_ms(self, side: TerminalSide) -> int | None:
        """Return the clock at which the next deadline comes."""
        due_ms = next_deadline_ms(side.core)
        return None if due_ms is None else due_ms - START_MS


class _Draft:
    """What lies around the core while the effects of a step are done."""

    def __init__(self, before: TerminalSide, core: TerminalState, closing: bool) -> None:
        self.fault: str | None = None
        self._before = before
        self._core = core
        self._closing = closing
        self._asked = dict(before.asked)
        self._words = set(before.words)
        self._coins = dict(before.coins)

    def after(self) -> TerminalSide:
        """Return the state after the step."""
        return replace(
            self._before,
            core=self._core,
            asked=tuple(sorted(self._asked.items(), key=_order)),
            words=frozenset(self._words),
            coins=tuple(sorted(self._coins.items())),
        )

    def do(self, effect: out.Effect, terminal: Terminal) -> None:
        """Do what a step wants done."""
        match effect:
            case out.Ask():
                self._asked[effect.request] = (effect.question, effect.give_up_ms is not None)
            case out.Forget():
                self._asked.pop(effect.request, None)
            case out.AskForPin(visit_id=visit_id):
                pins = terminal.plan_of(visit_id).pins
                kind = "pin" if effect.attempt <= len(pins) else "take card"
                self._words.add(Word(kind, visit_id, effect.attempt))
            case out.ShowMenu(visit_id=visit_id):
                for wish in range(terminal.plan_of(visit_id).wishes):
                    self._words.add(Word("choose", visit_id, wish))
            case out.AskForMoney():
                self._words.add(Word("pay", effect.issuance_id))
            case out.IssuanceOver():
                self._leave_if_all_over(terminal)
            case out.ReturnCard(visit_id=visit_id):
                self._words = {one for one in self._words if one.subject != visit_id}
                if self._closing and self._before.visits == len(terminal.plans):
                    self._words.add(Word("close", b""))
            case _:
                self._drive(effect)

    def _drive(self, effect: out.Effect) -> None:
        match effect:
            case out.StoreCiphertext():
                self._words.add(Word("store", effect.issuance_id))
            case out.EarnMoney():
                self._move_coins(effect.issuance_id, "earned")
            case out.ReturnMoney():
                self._move_coins(effect.issuance_id, "returned")
            case out.MakeReady():
                self._words.add(Word("ready", effect.issuance_id))
            case out.LaySheet():
                self._words.add(Word("lay", effect.issuance_id, effect.sheet))
            case out.EraseSpool(issuance_id=issuance_id):
                kept = {"erase", "lay", "pay", "ready"}  # what is on its way comes
                self._words = {
                    one for one in self._words if one.subject != issuance_id or one.kind in kept
                }
                self._words.add(Word("erase", issuance_id))

    def _leave_if_all_over(self, terminal: Terminal) -> None:
        """Let the person take the card when all that was wished for is over."""
        visit = self._core.visit
        if visit is None or visit.state is not VisitState.AUTHENTICATED:
            return
        mine = [
            one for one in self._core.issuances.values() if one.applied.visit_id == visit.visit_id
        ]
        if len(mine) == terminal.plan_of(visit.visit_id).wishes and all(one.over for one in mine):
            self._words.add(Word("take card", visit.visit_id))

    def _move_coins(self, issuance_id: bytes, where: str) -> None:
        """A coin box does nothing twice, and has nothing to move where nothing was put in."""
        now = self._coins.get(issuance_id)
        if now == "in":
            self._coins[issuance_id] = where
        elif now is not None and now != where:
            self.fault = f"10: coins that were {now} are to be {where}"


def _order(asked: tuple[q.Request, object]) -> tuple[str, bytes, int]:
    request = asked[0]
    return request.step.value, request.subject, request.number


def _forgetful(profile: Profile, core: TerminalState) -> TerminalState:
    """Return what the records of a state fold to."""
    return TerminalState(
        profile=profile, issuances=dict(core.issuances), open_visit=core.open_visit
    )


def _cleared(side: TerminalSide) -> TerminalSide:
    """Give back coins that no record speaks of, and erase strays, as a start does."""
    known = side.core.issuances
    coins = tuple(
        (issuance_id, where if where != "in" or _earned(side, issuance_id) else "returned")
        for issuance_id, where in side.coins
    )
    spool = frozenset(
        one for one in side.spool if one[0] in known and known[one[0]].erased_at_ms is None
    )
    return replace(side, coins=coins, spool=spool)


def _earned(side: TerminalSide, issuance_id: bytes) -> bool:
    issuance = side.core.issuances.get(issuance_id)
    return issuance is not None and issuance.money is Money.EARNED


def _opened(
    side: TerminalSide, request: q.Request, token: KeyToken
) -> tuple[TerminalSide, q.KeyGiven]:
    """Open the spooled ciphertext with a key; the key is used up here."""
    sealed = dict(side.spool).get(request.subject)
    document: q.Document | q.DocumentFault
    if sealed is None:
        document = q.DocumentFault.SPOOL_LOST
    elif sealed != token.content:
        document = q.DocumentFault.SEAL
    else:
        quoted = side.core.issuances[request.subject].quoted
        sheets = quoted.sheets if quoted else 0
        document = q.Document(file_digest=file_digest(sealed), pages=pages(sealed, sheets))
        side = replace(side, opened=side.opened | {(request.subject, sealed)})
    given = q.KeyGiven(
        issuance_id=token.issuance_id,
        binding=token.binding,
        binding_signature=token.signature,
        document=document,
    )
    return side, given


def follows(profile: Profile, before: TerminalSide, stepped: Stepped) -> bool:
    """Tell whether a step changed what lasts by its records alone."""
    state = _forgetful(profile, before.core)
    for record in stepped.records:
        evolve(state, record)
    after = stepped.after.core
    return (state.issuances, state.open_visit) == (after.issuances, after.open_visit)
