"""New keys in the middle of business: by age and by count, over a carrier with every fault."""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import pytest

from protocol import codec
from protocol.envelope import EnvelopeKind, parse
from protocol.handshake_port import Role
from protocol.limits import GENERATION_AGE_MS_MAX
from protocol.line import RENEWAL, Line, LineReady, Renewal, TelegramReceived
from protocol.telegrams import Acknowledged, EndVisit
from terminal_sim.core.requests import Request, Step
from terminal_sim.link import GaveUp, KeysFresh, Link, Replied
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL, server_port, terminal_port
from tests.terminal_sim.world import number

HOUR_MS = 3_600_000


@dataclass(order=True)
class Arrival:
    """A message on its way; the number keeps those of one moment in order."""

    at_ms: int
    sequence: int
    to: Role = field(compare=False)
    message: bytes = field(compare=False)


@dataclass
class Faults:
    """What the carrier does to each message."""

    loss: float = 0.0
    doubling: float = 0.0
    delay_ms_max: int = 0


class Street:
    """A real link and a real line with virtual time between them, and a city that answers."""

    def __init__(self, renewal: Renewal, faults: Faults, *, seed: int, resend: bool) -> None:
        names = {"city": CITY, "terminal": TERMINAL, "line_id": LINE_ID}
        self.dice = random.Random(seed)
        self.faults = faults
        self.resend = resend
        terminal = Line(role=Role.TERMINAL, handshakes=terminal_port(), **names)
        self.link = Link(terminal, self.dice.randbytes, renewal)
        self.city = Line(role=Role.SERVER, handshakes=server_port(), **names)
        self.now_ms = 0
        self.asked: dict[Request, EndVisit] = {}
        self.replies: Counter[Request] = Counter()
        self.gave_up: list[Request] = []
        self.taken: Counter[bytes] = Counter()
        self.sealed: Counter[tuple[int, int, int]] = Counter()
        self.generations: list[int] = []
        self._way: list[Arrival] = []
        self._sequence = count()

    def ask(self) -> None:
        """Ask something that was never asked before."""
        name = number(len(self.asked) + 1)
        request, telegram = Request(Step.END_VISIT, name), EndVisit(visit_id=name)
        self.asked[request] = telegram
        self.link.ask(request, telegram, self.now_ms, give_up_ms=None)

    def run(self, until_ms: int) -> None:
        """Let time pass, from one event to the next."""
        while True:
            self._work()
            times = [arrival.at_ms for arrival in self._way[:1]]
            times += [
                at_ms
                for at_ms in (self.link.next_deadline_ms(), self.city.next_deadline_ms())
                if at_ms is not None
            ]
            later_ms = min(times, default=until_ms)
            if later_ms > until_ms:
                self.now_ms = until_ms
                return
            assert later_ms > self.now_ms, "a deadline has passed and nobody moved it"
            self.now_ms = later_ms

    def settle(self) -> None:
        """Run until everything that was asked is answered, at most an hour."""
        end_ms = self.now_ms + HOUR_MS
        while self.replies.keys() != self.asked.keys() and self.now_ms < end_ms:
            self.run(self.now_ms + 1_000)

    def _work(self) -> None:
        """Do everything that is due now."""
        self._heard(self.link.wake(self.now_ms))
        self.city.wake(self.now_ms)
        self._carry()
        while self._way and self._way[0].at_ms <= self.now_ms:
            arrival = heapq.heappop(self._way)
            if arrival.to is Role.SERVER:
                self._city_takes(arrival.message)
            else:
                self._heard(self.link.receive(arrival.message, self.now_ms))
            self._carry()

    def _city_takes(self, message: bytes) -> None:
        for event in self.city.receive(message, self.now_ms):
            match event:
                case LineReady(generation=generation):
                    self.generations.append(generation)
                case TelegramReceived(ref=ref):
                    self.taken[ref.digest] += 1
                    answer = Acknowledged(state="ended", in_reply_to=ref)
                    self.city.send(codec.encode(answer))

    def _heard(self, events: list[object]) -> None:
        for event in events:
            match event:
                case Replied(request=request):
                    self.replies[request] += 1
                case GaveUp(request=request):
                    self.gave_up.append(request)
                case KeysFresh() if self.resend:
                    self.link.resend_all(self.now_ms)

    def _carry(self) -> None:
        for to, messages in (
            (Role.SERVER, self.link.messages_to_send()),
            (Role.TERMINAL, self.city.messages_to_send()),
        ):
            for message in messages:
                self._post(to, message)

    def _post(self, to: Role, message: bytes) -> None:
        envelope = parse(message)
        if envelope.kind is EnvelopeKind.TELEGRAM:
            self.sealed[to is Role.SERVER, envelope.generation, envelope.counter] += 1
        for _ in range(2 if self.dice.random() < self.faults.doubling else 1):
            if self.dice.random() >= self.faults.loss:
                at_ms = self.now_ms + self.dice.randint(0, self.faults.delay_ms_max)
                heapq.heappush(self._way, Arrival(at_ms, next(self._sequence), to, message))


def business(street: Street, requests: int, every_ms: int) -> None:
    """Ask so many things, one after another, whatever is under way, and let all be answered."""
    for _ in range(requests):
        street.ask()
        street.run(street.now_ms + every_ms)
    street.settle()


def check(street: Street) -> None:
    """Everything was taken and answered, each answer told once, and no counter was used twice."""
    asked = {codec.digest(codec.encode(telegram)) for telegram in street.asked.values()}
    assert dict.fromkeys(street.asked, 1) == dict(street.replies)
    assert asked == set(street.taken)
    assert [] == street.gave_up
    assert {1} == set(street.sealed.values())
    assert len(set(street.generations)) == len(street.generations)


@pytest.mark.parametrize("resend", [False, True])
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "renewal",
    [Renewal(age_ms=10_000), Renewal(telegrams=12), Renewal(age_ms=15_000, telegrams=20)],
    ids=["by age", "by count", "by both"],
)
def test_nothing_is_lost_when_keys_change(renewal: Renewal, seed: int, resend: bool) -> None:
    """Losses, doubles and delays that reorder, with requests under way at every change."""
    faults = Faults(loss=0.2, doubling=0.2, delay_ms_max=1_200)
    street = Street(renewal, faults, seed=seed, resend=resend)
    business(street, requests=80, every_ms=700)

    check(street)
    assert 3 <= len(street.generations), "keys changed while there was business"


def test_faultless_carrier_repeats_nothing() -> None:
    """Each request goes out once, over five changes of keys, and nothing is dropped."""
    street = Street(Renewal(telegrams=10), Faults(), seed=1, resend=False)
    business(street, requests=50, every_ms=150)

    check(street)
    assert {1} == set(street.taken.values())
    assert 50 == sum(1 for up, _, _ in street.sealed if up)
    assert 6 == len(street.generations)
    assert {} == dict(street.link.counts)


def test_idle_link_renews_its_keys_when_they_are_a_day_old() -> None:
    """Nobody asks anything: the link itself names the time and begins."""
    street = Street(RENEWAL, Faults(), seed=1, resend=False)
    street.run(GENERATION_AGE_MS_MAX - 1)
    assert 1 == len(street.generations)
    street.run(GENERATION_AGE_MS_MAX)
    assert 2 == len(street.generations)
    street.run(7 * GENERATION_AGE_MS_MAX)

    assert 8 == len(street.generations)


@pytest.mark.parametrize("seed", range(5))
def test_renewal_that_nobody_answers_keeps_the_old_keys(seed: int) -> None:
    """Handshakes are lost for minutes: business goes on under the old keys until one comes."""
    street = Street(Renewal(age_ms=5_000), Faults(delay_ms_max=300), seed=seed, resend=False)
    street.run(1_000)
    generation = street.generations[-1]
    post = street._post
    street._post = lambda to, message: (  # type: ignore[method-assign]  # a carrier that hates flights
        None if parse(message).kind is EnvelopeKind.KEY_EXCHANGE else post(to, message)
    )
    for _ in range(60):
        street.ask()
        street.run(street.now_ms + 3_000)
    assert [generation] == street.generations
    assert 60 == len(street.replies)
    street._post = post  # type: ignore[method-assign]
    street.run(street.now_ms + 30_000)

    check(street)
    assert generation != street.generations[-1]
