"""A terminal on the list that does whatever it likes, under keys of its own.

It knows the protocol, one card with its PIN, and every id that ever came along. It asks for pieces
that there are not, and for other terminals' issuances; repeats an id with other content; reports
paper that was never released, and under false signatures; opens twice; sends what is no telegram.
Nothing that it gets is printed anywhere; the city's own rules have to hold all the same, and no key
of anybody else may ever leave for it (``checks.replies``).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from protocol import codec
from protocol import telegrams as t
from protocol.errors import KeyManagementError
from protocol.handshake_port import Peer, Role
from protocol.kinds import Kind, Options
from protocol.limits import TABLES_VERSION
from protocol.line import Line, LineReady, TelegramReceived
from protocol.statements import card_proof, pin_block_info
from protocol.terminal_statements import DeletionReport, FailureCause, PrintOutcome, PrintReport
from protocol.topics import line_topic
from tests.sim import stand_ins
from tests.sim.city import CITY, Cardholder, City, TerminalIdentity
from tests.sim.clocks import Clock
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, SimLoop, pause_us
from tests.sim.network import Network

ACTS_PER_SESSION = 60
ACT_MS_MAX = 3_000
SESSION_GAP_MS = 4 * 60_000
HANDSHAKE_AGAIN_MS = 15_000


@dataclass(slots=True, kw_only=True)
class _Known:
    """What it has learnt, of itself and of others."""

    challenges: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    visits: list[bytes] = field(default_factory=list)
    own: list[bytes] = field(default_factory=list)
    quoted: dict[bytes, t.Quotation] = field(default_factory=dict)
    keys: int = 0


class ByzantineTerminal:
    """One such terminal."""

    def __init__(
        self,
        identity: TerminalIdentity,
        loop: SimLoop,
        *,
        city: City,
        network: Network,
        faults: Faults,
        ids_of_others: Callable[[], list[bytes]],
    ) -> None:
        self.identity = identity
        self._loop = loop
        self._city = city
        self._network = network
        self._faults = faults
        self._dice: random.Random = faults.dice
        self._others = ids_of_others
        self._clock = Clock(loop)
        self._known = _Known()
        self._holder: Cardholder = city.holders[0]
        self._topic_up = line_topic(CITY, identity.line_id, "up")
        self._line = self._new_line()
        self._open_acts = 0

    async def work(self, ends: Callable[[], bool]) -> None:
        """Come and go, until it is told that it is over."""
        topic_down = line_topic(CITY, self.identity.line_id, "down")
        self._network.subscribe(topic_down, self._take)
        while not ends():
            self._line = self._new_line()
            shaken_ms = -HANDSHAKE_AGAIN_MS
            for _ in range(ACTS_PER_SESSION):
                now_ms = self._clock.real_ms()
                if not self._line.ready and now_ms - shaken_ms > HANDSHAKE_AGAIN_MS:
                    shaken_ms = now_ms
                    self._line.start_handshake(self._dice.randbytes(16), now_ms)
                elif self._line.ready:
                    self._act()
                self._line.wake(now_ms)
                self._flush()
                await pause_us(int(self._dice.random() ** 2 * ACT_MS_MAX) * US_PER_MS)
                if ends():
                    break
            await pause_us(self._faults.gap_us(SESSION_GAP_MS))
        self._network.subscribe(topic_down, None)

    def _new_line(self) -> Line:
        identity = self.identity
        shows = Peer(name=identity.name, line_id=identity.line_id, fingerprint=identity.fingerprint)
        return Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=identity.name,
            line_id=identity.line_id,
            handshakes=stand_ins.port(
                Role.TERMINAL, shows, self._dice.randbytes, self._city.fingerprint
            ),
        )

    def _take(self, _topic: str, message: bytes) -> None:
        for event in self._line.receive(message, self._clock.real_ms()):
            if isinstance(event, LineReady):
                self._send(self._opening(), "opened")
            elif isinstance(event, TelegramReceived):
                self._learn(event.telegram)
        self._flush()

    def _learn(self, said: t.AnyTelegram) -> None:
        match said:
            case t.ChallengeGiven():
                self._known.challenges[said.visit_id, said.attempt] = said.challenge
            case t.Quotation():
                self._known.quoted[said.issuance_id] = said
            case t.Released():
                self._known.keys += 1

    def _act(self) -> None:
        acts: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("honest step", self._forward),
            ("honest step", self._forward),
            ("honest step", self._forward),
            ("opened twice", self._opening),
            ("another's piece", lambda: t.Fetch(issuance_id=self._any_id(), piece=0)),
            ("no such piece", lambda: t.Fetch(issuance_id=self._own_id(), piece=9)),
            ("another's release", lambda: t.Release(issuance_id=self._any_id(), amount_yen=200)),
            ("wrong amount", lambda: t.Release(issuance_id=self._own_id(), amount_yen=1)),
            ("wrong digest", self._wrong_held),
            ("another's cancel", self._cancel),
            ("id with other content", self._other_content),
            ("false report", self._report),
            ("false deletion", self._deletion),
            ("another's visit", self._foreign_visit),
            ("garbage", lambda: None),
        )
        name, make = self._dice.choice(acts)
        telegram = make()
        if telegram is None:
            self._garbage()
        else:
            self._send(telegram, name)

    def _send(self, telegram: t.AnyTelegram, name: str) -> None:
        if not self._line.ready:
            return
        if name not in ("honest step", "opened"):
            self._faults.note(f"byzantine: {name}")
        try:
            self._line.send(codec.encode(telegram))
        except KeyManagementError:
            self._line.forget_keys()

    def _garbage(self) -> None:
        self._faults.note("byzantine: garbage")
        if self._dice.random() < 0.5:
            self._line.send(self._dice.randbytes(512))
        else:
            self._network.carry(self._topic_up, self._dice.randbytes(100))

    def _flush(self) -> None:
        for message in self._line.messages_to_send():
            self._network.carry(self._topic_up, message)

    def _forward(self) -> t.AnyTelegram:
        """Go on with a business of its own, as an honest terminal would."""
        known, dice = self._known, self._dice
        if known.quoted and dice.random() < 0.7:
            quotation = dice.choice(list(known.quoted.values()))
            issuance_id = quotation.issuance_id
            if dice.random() < 0.5:
                return t.Held(issuance_id=issuance_id, sealed_digest=quotation.sealed_digest)
            return t.Release(issuance_id=issuance_id, amount_yen=quotation.fee_yen)
        if known.challenges and dice.random() < 0.7:
            return self._authenticate(dice.choice(list(known.challenges)))
        if known.visits and dice.random() < 0.6:
            issuance_id = dice.randbytes(16)
            known.own.append(issuance_id)
            return self._apply(known.visits[-1], issuance_id, copies=1)
        visit_id = dice.randbytes(16)
        known.visits.append(visit_id)
        return t.Begin(visit_id=visit_id, attempt=1)

    def _authenticate(self, key: tuple[bytes, int]) -> t.Authenticate:
        visit_id, attempt = key
        bound: dict[str, Any] = {
            "challenge": self._known.challenges.pop(key),
            "visit_id": visit_id,
            "attempt": attempt,
            "terminal": self.identity.name,
            "city": CITY,
            "card": self._holder.number,
        }
        sealer = stand_ins.StandInSealer(self._dice.randbytes)
        return t.Authenticate(
            visit_id=visit_id,
            attempt=attempt,
            card=self._holder.number,
            card_signature=self._holder.key.sign(card_proof(**bound)),
            pin_block=sealer.seal(self._holder.pin, pin_block_info(**bound)),
        )

    def _apply(self, visit_id: bytes, issuance_id: bytes, *, copies: int) -> t.Apply:
        return t.Apply(
            visit_id=visit_id,
            issuance_id=issuance_id,
            kind=Kind.JUMINHYO,
            options=Options(),
            copies=copies,
        )

    def _opening(self) -> t.Open:
        listed = tuple(
            t.UnfinishedIssuance(issuance_id=one, state="released")
            for one in self._dice.sample(self._others(), min(3, len(self._others())))
        )
        return t.Open(
            terminal=self.identity.name,
            software="other",
            tables_version=TABLES_VERSION,
            unfinished=listed,
        )

    def _any_id(self) -> bytes:
        ids = self._others()
        return self._dice.choice(ids) if ids else self._own_id()

    def _own_id(self) -> bytes:
        own = self._known.own
        return self._dice.choice(own) if own else self._dice.randbytes(16)

    def _wrong_held(self) -> t.Held:
        return t.Held(issuance_id=self._own_id(), sealed_digest=self._dice.randbytes(32))

    def _cancel(self) -> t.Cancel:
        return t.Cancel(issuance_id=self._any_id(), cause=FailureCause.CANCELLED)

    def _other_content(self) -> t.Apply:
        visits = self._known.visits
        visit_id = self._dice.choice(visits) if visits else self._dice.randbytes(16)
        wanted = self._own_id() if self._dice.random() < 0.5 else self._any_id()
        return self._apply(visit_id, wanted, copies=2)

    def _foreign_visit(self) -> t.Apply:
        return self._apply(self._dice.randbytes(16), self._dice.randbytes(16), copies=1)

    def _report(self) -> t.Report:
        report = PrintReport(
            issuance_id=self._any_id() if self._dice.random() < 0.5 else self._own_id(),
            outcome=self._dice.choice((PrintOutcome.PRINTED, PrintOutcome.FAILED)),
            sheets_out=self._dice.randint(0, 3),
            sheets_unknown=False,
            cause=FailureCause.NONE,
            at_ms=self._clock.real_ms(),
        )
        signed = self.identity.report_key.sign(report.statement(self.identity.name))
        good = self._dice.random() < 0.5
        return t.Report(report=report, signature=signed if good else self._dice.randbytes(64))

    def _deletion(self) -> t.Deleted:
        report = DeletionReport(
            issuance_id=self._any_id() if self._dice.random() < 0.5 else self._own_id(),
            at_ms=self._clock.real_ms(),
        )
        signed = self.identity.report_key.sign(report.statement(self.identity.name))
        good = self._dice.random() < 0.5
        return t.Deleted(report=report, signature=signed if good else self._dice.randbytes(64))
