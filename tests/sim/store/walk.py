"""Seeded walks: what terminals, the judge, the counter and the register do, in any order."""

import random
from dataclasses import dataclass, field
from typing import Any

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.calendar import civil
from issuance_server.core.day_changes import (
    CarryOver,
    CloseDay,
    CloseIssuance,
    SettleDifference,
)
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName, VerdictOutcome
from issuance_server.core.state import TerminalCounters, Visit
from issuance_server.core.switch import Needs
from protocol import codec
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, RegisterDomicile
from protocol.errors import JournalFailed
from protocol.issuance import IssuanceState
from protocol.terminal_statements import FailureCause
from protocol.visit import VisitState
from tests.core.made import (
    CARD_REF,
    OTHER_TERMINAL,
    SEALED_DIGEST,
    TERMINAL,
    applying,
    as_input,
    authenticating,
    deletion,
    failed_report,
    opening,
    print_report,
    rendered,
    signed,
    verdict,
)
from tests.sim.store.acts import DAY_MS, PEOPLE, Acts
from tests.sim.store.pair import Pair

SERIALS = ("5e71a1", "5e71a2", "5e71a3")
WAITS_MS = (1, 1_000, 20_000, 61_000, 301_000, 601_000, 3_600_000, DAY_MS)
ACT_SHARE, JUMP_SHARE = 0.2, 0.06
USUAL_SHARE, STRANGER_SHARE, FRESH_SHARE, ENDED_SHARE = 0.85, 0.2, 0.7, 0.06
JUMPS = ("time", "time", "time", "restart", "sign", "outbox", "outbox", "forget", "night")


@dataclass
class Walk:
    """One walk over a pair of cities.

    Attributes:
        pair: where it goes.
        dice: of its seed.
        failures: how often both could not write.
        steps: how many inputs were given.
    """

    pair: Pair
    dice: random.Random
    failures: int = 0
    steps: int = 0
    _counter: int = 0
    _dropped: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._acts = Acts(self.pair, self.dice)

    async def go(self, groups: int) -> None:
        """Give so many groups of inputs."""
        for _ in range(groups):
            group = [self._input() for _ in range(self.dice.choice((1, 1, 2, 5)))]
            self.steps += len(group)
            try:
                left = await self.pair.give(*group)
                self._dropped += [one.issuance_id for one in left if isinstance(one, e.DropKey)]
                if self.dice.random() < JUMP_SHARE:
                    await self._jump()
            except JournalFailed:  # a number of an act came twice
                self.failures += 1
                await self.pair.restart()

    async def look(self) -> None:
        """Compare facts for needs of all kinds."""
        dice, tables = self.dice, self.pair.disk.tables
        some = [None, *tables.issuance.kept]
        requests = [None, *tables.domicile_request.kept]
        for _ in range(12):
            needs = Needs(
                card_ref=dice.choice((None, *tables.card.kept)),
                certificate_serial=dice.choice((None, None, *SERIALS)),
                resident_id=dice.choice((None, *PEOPLE)),
                issuance_id=dice.choice(some),
                serial_day=dice.choice((None, "2026-11-30", "2026-12-01")),
                terminal=dice.choice((None, *tables.terminal.kept)),
                day=dice.choice((None, self._acts.day())),
                prints_of=dice.choice((None, TERMINAL, OTHER_TERMINAL)),
                domicile_request=dice.choice(requests),
                domicile_serial=dice.choice((None, *SERIALS)),
            )
            await self.pair.facts(needs)

    async def _jump(self) -> None:
        """Let something happen beside the switch: time, a restart, a signature, a notice."""
        pair, dice = self.pair, self.dice
        sides = (pair.real.store, pair.memory.store)
        match dice.choice(JUMPS):
            case "time":
                pair.clock.pass_ms(dice.choice(WAITS_MS))
                if dice.random() < FRESH_SHARE:
                    for store in sides:
                        await store.set_watermark(pair.clock.real_ms)
                await pair.give(i.Woken())
            case "restart":
                await pair.restart()
            case "sign":
                for store in sides:
                    now_ms = pair.clock.real_ms
                    await store.sign_tree(city="272035", at_ms=now_ms, sign=lambda _: bytes(64))
            case "outbox":
                good = dice.random() < 0.5
                for store in sides:
                    for letter in await store.outbox.due(pair.clock.real_ms):
                        if good:
                            await store.outbox.sent(letter.key, pair.clock.real_ms)
                        else:
                            await store.outbox.not_sent(letter, pair.clock.real_ms)
                    await store.outbox.forget_old(pair.clock.real_ms)
            case "night":
                await self._night()
            case "forget":
                real, memory = [
                    await store.forget_applicants(pair.clock.real_ms + 1) for store in sides
                ]
                assert real == memory
        if self._dropped:
            gone, self._dropped = tuple(self._dropped), []
            await pair.give(i.KeysDestroyed(issuance_ids=gone))

    def _input(self) -> i.Input:
        if self.dice.random() < ACT_SHARE:
            return self._decided(self._acts.draw())
        visits = list(self.pair.state.visits.values())[-3:]
        issuances = list(self.pair.state.issuances)[-4:]
        roll = self.dice.random()
        ended = [one for one in self.pair.disk.tables.issuance.kept if one not in issuances]
        if ended and roll < ENDED_SHARE:
            return self._about_ended(self.dice.choice(ended))
        if issuances and roll < 0.6:
            return self._about(self.dice.choice(issuances))
        if visits and roll < 0.9:
            return self._in_visit(self.dice.choice(visits))
        return self._from_terminal()

    def _about(self, issuance_id: bytes) -> i.Input:
        dice = self.dice
        issuance = self.pair.state.issuances[issuance_id]
        applied = issuance.applied
        causes = (FailureCause.PRINTER, FailureCause.POWER_LOSS, FailureCause.BINDING_MISMATCH)
        made = rendered(
            issuance_id,
            register_version=applied.register_version,
            record_version=applied.record_version,
            key_day=dice.choice(("2026-11-30", "2026-12-01")),
        )
        held = t.Held(issuance_id=issuance_id, sealed_digest=SEALED_DIGEST)
        release = t.Release(issuance_id=issuance_id, amount_yen=applied.fee_yen)
        printed = signed(print_report(issuance_id))
        failed = signed(failed_report(issuance_id, cause=dice.choice(causes)))
        usual: dict[IssuanceState, tuple[Any, ...]] = {
            IssuanceState.APPLIED: (made,),
            IssuanceState.QUOTED: (held, t.Fetch(issuance_id=issuance_id, piece=0)),
            IssuanceState.SEALED: (release,),
            IssuanceState.RELEASED: (printed, printed, failed),
        }
        seldom = (
            rendered(issuance_id, register_version=99),
            i.RenderingFailed(
                issuance_id=issuance_id, code=ReplyCode.RENDERING_FAILED, reason="missing-glyph"
            ),
            *(made, held, release, printed, failed),
            deletion(issuance_id),
            t.Cancel(issuance_id=issuance_id, cause=FailureCause.CANCELLED),
        )
        follows = usual.get(issuance.state, (deletion(issuance_id),))
        asked = dice.choice(follows if dice.random() < USUAL_SHARE else seldom)
        return self._asked(asked, issuance.terminal)

    def _about_ended(self, issuance_id: bytes) -> i.Input:
        choices: tuple[Any, ...] = (
            signed(print_report(issuance_id)),
            signed(failed_report(issuance_id)),
            deletion(issuance_id),
            t.Release(issuance_id=issuance_id, amount_yen=200),
            t.Cancel(issuance_id=issuance_id, cause=FailureCause.CANCELLED),
        )
        terminal = self.pair.disk.tables.issuance.kept[issuance_id].terminal
        return self._asked(self.dice.choice(choices), terminal)

    async def _night(self) -> None:
        """Let what is under way become overdue, close it and the lines, and then the day."""
        pair, dice = self.pair, self.dice
        for share_ms in (DAY_MS // 12, DAY_MS // 4, DAY_MS // 4):
            pair.clock.pass_ms(share_ms)
            await pair.give(i.Woken())
        for side in (pair.real, pair.memory):
            await side.store.set_watermark(pair.clock.real_ms)
        day = civil(pair.clock.business_ms - DAY_MS // 3).date().isoformat()
        for issuance_id in list(pair.state.issuances):
            fee = dice.choice(list(r.ClosedFee))
            await pair.give(self._decided(CloseIssuance(issuance_id=issuance_id, fee=fee)))
        for terminal, number in list(pair.disk.tables.open_line.kept.items()):
            if dice.random() < 0.5:
                counted = pair.state.counters.get(terminal, TerminalCounters())
                counters = t.Counters(
                    completed=counted.completed + (dice.random() < 0.2),
                    reversed=counted.reversed,
                    fees_earned_yen=counted.fees_earned_yen,
                )
                await pair.give(self._asked(t.Close(counters=counters), terminal))
            elif number:
                await pair.give(self._decided(CarryOver(terminal=terminal, day=day)))
        for opened in pair.disk.tables.line_opening.kept.values():
            settled = SettleDifference(terminal=opened.terminal, day=day)
            if opened.differs and opened.settled_at_ms is None:
                await pair.give(self._decided(settled))
        await pair.give(self._decided(CloseDay(day=day)))

    def _in_visit(self, visit: Visit) -> i.Input:
        dice, visit_id, terminal = self.dice, visit.visit_id, visit.terminal
        attempt = max(visit.attempts, default=1)
        if visit.state is VisitState.BEGUN and not visit.attempts:
            challenge = dice.randbytes(32)
            return i.ChallengeDrawn(visit_id=visit_id, attempt=attempt, challenge=challenge)
        asking = RegisterDomicile(
            visit_id=visit_id,
            request_id=dice.randbytes(16),
            domicile="大阪府豊中市",
            register_head="見本　太郎",
            name="見本　次郎",
            birth="1990-01-01",
        )
        usual: dict[VisitState, tuple[Any, ...]] = {
            VisitState.CHALLENGED: (authenticating(attempt, visit_id=visit_id),),
            VisitState.JUDGING: (self._verdict(visit, attempt),),
            VisitState.AUTHENTICATED: (self._application(visit_id),),
        }
        seldom = (
            t.Begin(visit_id=visit_id, attempt=attempt + 1),
            authenticating(attempt, visit_id=visit_id),
            self._verdict(visit, attempt),
            self._application(visit_id),
            asking,
            asking,
            AskDomicile(visit_id=visit_id),
            t.EndVisit(visit_id=visit_id),
        )
        follows = usual.get(visit.state, (asking, asking, AskDomicile(visit_id=visit_id)))
        return self._asked(
            dice.choice(follows if dice.random() < USUAL_SHARE else seldom), terminal
        )

    def _application(self, visit_id: bytes) -> t.Apply:
        return applying(self.dice.randbytes(16), visit_id=visit_id, copies=self.dice.choice((1, 2)))

    def _verdict(self, visit: Visit, attempt: int) -> i.VerdictGiven:
        dice = self.dice
        said = dice.choice((*(VerdictOutcome.RIGHT,) * 12, *VerdictOutcome))
        shown: dict[str, Any] = {"card_ref": CARD_REF}
        if dice.random() < STRANGER_SHARE:
            shown = {"card_ref": None, "certificate_serial": dice.choice(SERIALS)}
        judged = verdict(
            said, attempt=attempt, visit_id=visit.visit_id, terminal=visit.terminal, **shown
        )
        return i.VerdictGiven(visit_id=visit.visit_id, attempt=attempt, verdict=judged)

    def _from_terminal(self) -> i.Input:
        dice = self.dice
        terminal = dice.choice((TERMINAL, TERMINAL, OTHER_TERMINAL))
        counters = t.Counters(completed=dice.choice((0, 1)), reversed=0, fees_earned_yen=0)
        choices: tuple[Any, ...] = (
            t.Begin(visit_id=dice.randbytes(16), attempt=1),
            opening(*list(self.pair.state.issuances)[:2], terminal=terminal),
            t.Close(counters=counters),
            self._judge_said(),
        )
        return self._asked(dice.choices(choices, (8, 2, 2, 1))[0], terminal)

    def _judge_said(self) -> i.JudgeSaid:
        number = self.pair.state.judge_report[0] + self.dice.choice((0, 1, 2))
        event = JudgeEvent(
            number=max(1, number),
            name=JudgeEventName.CARD_LOCKED,
            at_ms=self.pair.clock.real_ms,
            card_ref=CARD_REF,
            tries_left=0,
        )
        return i.JudgeSaid(events=(event,))

    def _asked(self, asked: Any, terminal: str) -> i.Input:
        if not isinstance(asked, t.Telegram):
            return asked  # type: ignore[no-any-return]  # an input already
        self._counter += 1
        digest = codec.digest(codec.encode(asked))  # type: ignore[arg-type]  # any of them
        ref = t.RequestRef(generation=1, counter=self._counter, digest=digest)
        return as_input(asked, ref, terminal)

    def _decided(self, change: Any) -> i.ActAccepted:
        return i.ActAccepted(
            operator="mado-1",
            second="kanri-1",
            act="test",
            subject="test",
            reason="a walk",
            nonce=self.dice.randbytes(16) if self.dice.random() > 0.01 else bytes(16),
            change=change,
        )
