"""A whole world for the terminal's core: a scripted city, devices that last, and a person.

Nothing here is random or takes time. The world can die before any transaction or effect; what is
physical (paper, coins, spool, journal, the city) outlives the process.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.issuance import ISSUANCE_TABLE, IssuanceState
from protocol.kinds import Kind, Options, Scope
from protocol.terminal_statements import FailureCause, PrintOutcome
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.requests import Question, Request
from terminal_sim.core.state import Profile, TerminalState, fold
from terminal_sim.core.terminal import next_deadline_ms, step
from tests.terminal_sim.city import CITY, CITY_KEY, FEE_YEN, City

REPEAT_MS = 1_500
ROUNDS_MAX = 400
S = IssuanceState

PROFILE = Profile(
    terminal="7-0001",
    city=CITY,
    software="test",
    binding_keys=(CITY_KEY.public_key().public_bytes_raw(),),
)


class Died(Exception):
    """The process is gone."""


def number(value: int) -> bytes:
    """Return an id of 16 bytes."""
    return value.to_bytes(16, "big")


@dataclass
class Hopper:
    """Coins of one issuance: where each yen went."""

    inserted_yen: int = 0
    change_yen: int = 0
    earned_yen: int = 0
    returned_yen: int = 0

    @property
    def inside_yen(self) -> int:
        """What lies in the hopper."""
        return self.inserted_yen - self.change_yen - self.earned_yen - self.returned_yen


@dataclass
class Person:
    """What the person does.

    Attributes:
        pins: typed one after the other; then the card is taken.
        insert_yen: how much is put in; None never.
        leaves_on: an effect at which the person cancels.
    """

    pins: tuple[str, ...] = ("1234",)
    insert_yen: int | None = FEE_YEN
    copies: int = 1
    options: Options = field(default_factory=lambda: Options(scope=Scope.HOUSEHOLD))
    leaves_on: type[object] | None = None


class World:
    """Runs one process after the other against what lasts."""

    def __init__(self, city: City | None = None, person: Person | None = None) -> None:
        self.city = city or City()
        self.person = person or Person()
        self.journal: list[AnyRecord] = []
        self.paper: dict[bytes, list[int]] = {}
        self.hoppers: dict[bytes, Hopper] = {}
        self.spool: dict[bytes, bytes] = {}
        self.stored_digest: Callable[[bytes], bytes | None] = lambda expected: expected
        self.printer_fails: set[int] = set()
        self.printer_unready = False
        self.now_ms = 1_000
        self.events = 0
        self.die_before: int | None = None
        self.visits = 0
        self.boot()

    def boot(self) -> None:
        """Begin a process."""
        self.state: TerminalState = fold(PROFILE, self.journal)
        self.queue: deque[into.Input] = deque([into.Started(), into.LineReady()])
        self.asking: dict[Request, tuple[Question, int | None, str | None]] = {}
        self.pins = list(self.person.pins)
        self.pin: str | None = None
        self.shown: list[out.Effect] = []
        self.closed: out.LineClosed | None = None
        self.wants_visit = False

    def visit(self) -> "World":
        """Let the person have one visit, to its end."""
        self.wants_visit = True
        return self.run()

    def begin(self) -> "World":
        """Let the person have a visit, up to where the world waits for somebody."""
        self.wants_visit = True
        while self.queue:
            self.give(self.queue.popleft())
        return self

    def pay(self, amount_yen: int) -> None:
        """Put money in for the issuance of the visit."""
        issuance_id = number(100 + self.visits)
        self.hoppers.setdefault(issuance_id, Hopper()).inserted_yen += amount_yen
        self.queue.append(into.MoneyInserted(issuance_id=issuance_id, amount_yen=amount_yen))

    def run(self) -> "World":
        """Go on until the line is closed.

        Raises:
            Died: ``die_before`` was reached.
        """
        for _ in range(ROUNDS_MAX):
            while self.queue:
                self.give(self.queue.popleft())
            if self.closed is not None:
                return self
            self._wait()
        raise AssertionError(f"the world never came to rest: {self.state}")

    def give(self, input_: into.Input) -> None:
        """Take one step and do what it wants."""
        self.now_ms += 1
        effects = step(self.state, input_, self.now_ms)
        records = [effect.record for effect in effects if isinstance(effect, out.Record)]
        assert effects[: len(records)] == [out.Record(record=record) for record in records]
        if records:
            self._event()
            self.journal += records
        for effect in effects[len(records) :]:
            self._event()
            self.shown.append(effect)
            self._do(effect)
            if self.person.leaves_on is type(effect):
                self.queue.append(into.CancelAsked())

    def _event(self) -> None:
        self.events += 1
        if self.events == self.die_before:
            raise Died

    def _wait(self) -> None:
        """Let time pass until something repeats, is given up, or is due."""
        times = [self.now_ms + REPEAT_MS] if self.asking else []
        times += [until for _, until, _ in self.asking.values() if until is not None]
        due_ms = next_deadline_ms(self.state)
        times += [] if due_ms is None else [due_ms]
        assert times, f"nobody will ever act again: {self.state}"
        self.now_ms = max(self.now_ms, min(times))
        for request, (question, until_ms, pin) in list(self.asking.items()):
            if until_ms is not None and self.now_ms >= until_ms:
                del self.asking[request]
                self.queue.append(into.Unanswered(request=request))
            else:
                self._carry(request, question, pin)
        if due_ms is not None and self.now_ms >= due_ms:
            self.queue.append(into.TimePassed())

    def _carry(self, request: Request, question: Question, pin: str | None) -> None:
        answer = self.city.answer(request, question, pin)
        if answer is not None:
            del self.asking[request]
            self.queue.append(into.Answered(request=request, answer=answer))

    def _do(self, effect: out.Effect) -> None:
        match effect:
            case out.Ask():
                give_up_ms = effect.give_up_ms
                until_ms = None if give_up_ms is None else self.now_ms + give_up_ms
                self.asking[effect.request] = (effect.question, until_ms, self.pin)
                self._carry(effect.request, effect.question, self.pin)
            case out.Forget():
                self.asking.pop(effect.request, None)
            case out.LineClosed():
                self.closed = effect
            case out.LineOpened():
                if self.wants_visit:
                    self.wants_visit = False
                    self.visits += 1
                    self.queue.append(into.CardInserted(visit_id=number(self.visits)))
                elif self.state.open_visit is None:
                    self.queue.append(into.CloseAsked())
            case out.AskForPin():
                self.pin = self.pins.pop(0) if self.pins else None
                if self.pin is None:
                    self.queue.append(into.CardTaken(visit_id=effect.visit_id))
                else:
                    self.queue.append(into.PinEntered(visit_id=effect.visit_id))
            case out.ShowMenu():
                self.queue.append(
                    into.CertificateChosen(
                        visit_id=effect.visit_id,
                        issuance_id=number(100 + self.visits),
                        kind=Kind.JUMINHYO,
                        options=self.person.options,
                        copies=self.person.copies,
                    )
                )
            case out.OfferDomicile():
                self.queue.append(into.CardTaken(visit_id=effect.visit_id))
            case out.ReturnCard():
                self.queue.append(into.CloseAsked())
            case out.IssuanceOver():
                self.queue.append(into.CardTaken(visit_id=number(self.visits)))
            case _:
                self._drive(effect)

    def _drive(self, effect: out.Effect) -> None:
        match effect:
            case out.StoreCiphertext():
                digest = self.stored_digest(effect.sealed_digest)
                if digest == effect.sealed_digest:
                    self.spool[effect.issuance_id] = digest
                self.queue.append(
                    into.CiphertextStored(issuance_id=effect.issuance_id, sealed_digest=digest)
                )
            case out.AskForMoney() if self.person.insert_yen is not None:
                self.pay(self.person.insert_yen)
            case out.HoldMoney():
                self.hoppers[effect.issuance_id].change_yen = effect.change_yen
                assert effect.amount_yen == self.hoppers[effect.issuance_id].inside_yen
            case out.EarnMoney():
                hopper = self.hoppers[effect.issuance_id]
                assert hopper.returned_yen == 0
                hopper.earned_yen += hopper.inside_yen
            case out.ReturnMoney():
                hopper = self.hoppers.setdefault(effect.issuance_id, Hopper())
                assert hopper.earned_yen == 0
                hopper.returned_yen += hopper.inside_yen
            case out.MakeReady():
                ready = into.PrinterReady(issuance_id=effect.issuance_id)
                failed = into.PrinterFailed(issuance_id=effect.issuance_id)
                self.queue.append(failed if self.printer_unready else ready)
            case out.LaySheet():
                self._lay(effect)
            case out.EraseSpool():
                self.spool.pop(effect.issuance_id, None)
                self.queue.append(into.Erased(issuance_id=effect.issuance_id))

    def _lay(self, effect: out.LaySheet) -> None:
        if effect.sheet in self.printer_fails:
            self.queue.append(into.PrinterFailed(issuance_id=effect.issuance_id))
            return
        self.paper.setdefault(effect.issuance_id, []).append(effect.sheet)
        self.queue.append(into.SheetOut(issuance_id=effect.issuance_id, sheet=effect.sheet))

    def return_unheld(self) -> None:
        """Give back coins that no record speaks of, as the coin box does at the start."""
        for issuance_id, hopper in self.hoppers.items():
            issuance = self.state.issuances.get(issuance_id)
            if hopper.inside_yen and (issuance is None or issuance.ended):
                hopper.returned_yen += hopper.inside_yen

    def check(self) -> None:
        """Assert everything that must hold once all is settled."""
        self.return_unheld()
        for issuance_id, issuance in self.state.issuances.items():
            there = self.city.states.get(issuance_id)
            laid = self.paper.get(issuance_id, [])
            hopper = self.hoppers.get(issuance_id, Hopper())
            assert issuance.ended
            assert there is None or there in ISSUANCE_TABLE.ends or there is S.WITHDRAWN
            assert laid == list(range(1, len(laid) + 1)), "a sheet was laid twice or skipped"
            assert hopper.inside_yen == 0, "money must go one way or the other"
            assert issuance_id not in self.spool
            assert issuance.erased_at_ms is not None
            if there is S.COMPLETED:
                assert len(laid) == self.city.sheets
                assert hopper.earned_yen == FEE_YEN
            else:
                assert hopper.earned_yen == 0
            if laid:
                self._check_paper(issuance_id, laid)
        assert self.city.fees_yen == sum(hopper.earned_yen for hopper in self.hoppers.values())
        assert self.closed is not None
        assert self.closed.theirs == self.closed.ours == self.city.terminal_counters
        assert set(self.city.deletions) >= {
            issuance_id
            for issuance_id, state in self.city.states.items()
            if state in (S.COMPLETED, S.REVERSED)
        }

    def _check_paper(self, issuance_id: bytes, laid: list[int]) -> None:
        report = self.city.reports[issuance_id]
        if report.outcome is PrintOutcome.PRINTED:
            assert report.sheets_out == len(laid) == self.city.sheets
        else:
            assert report.sheets_out <= len(laid) <= report.sheets_out + report.sheets_unknown
            assert report.cause is not FailureCause.NONE


def die_and_settle(world: World, die_before: int) -> bool:
    """Run a visit that dies before an event, and then settle; False if it never came so far."""
    world.die_before = die_before
    try:
        world.visit()
    except Died:
        world.boot()
        return True
    return False
