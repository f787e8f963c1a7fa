"""Business of days on a real file: lives of issuances, openings of lines, acts of people."""

import secrets
from dataclasses import dataclass, field, replace

import msgspec

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.day_changes import CarryOver, CloseDay, CloseIssuance, SettleDifference
from issuance_server.core.pin_policy import VerdictOutcome
from protocol import telegrams as t
from protocol.limits import TABLES_VERSION
from protocol.terminal_statements import FailureCause
from tests.adapters.city_file import CityFile
from tests.core.made import (
    SEALED_DIGEST,
    TERMINAL,
    applying,
    authenticating,
    deletion,
    failed_report,
    print_report,
    rendered,
    signed,
    verdict,
)

OPERATORS = ("mado-1", "kanri-1")


@dataclass
class Business:
    """One terminal with a customer after the other, and the operators of its city.

    Attributes:
        city: where it happens.
        counted: what the terminal counts since its opening.
        number: of the latest issuance and visit.
        generation: of the line's keys: each opening has its own.
    """

    city: CityFile
    counted: dict[str, int] = field(
        default_factory=lambda: {"completed": 0, "reversed": 0, "fees_earned_yen": 0}
    )
    number: int = 0
    generation: int = 0

    async def open(self) -> None:
        """開局."""
        opening = t.Open(
            terminal=TERMINAL, software="sim 1", tables_version=TABLES_VERSION, unfinished=()
        )
        self.generation += 1
        asked = self.city.input(opening)
        ref = msgspec.structs.replace(asked.ref, generation=self.generation)
        fresh = replace(asked, ref=ref)
        effects = await self.city.give(fresh)
        assert any(isinstance(getattr(one, "telegram", None), t.Opened) for one in effects)
        self.counted = dict.fromkeys(self.counted, 0)

    async def close(self, **wrong: int) -> t.Counters:
        """閉局; return the server's counters."""
        counters = t.Counters(**(self.counted | wrong))
        answer = await self.city.ask(t.Close(counters=counters))
        assert isinstance(answer, t.Closed)
        return answer.counters

    async def released(self, copies: int = 1) -> bytes:
        """Let a customer come, pay, and get the key; return the issuance."""
        self.number += 1
        visit_id, issuance_id = b"visit-%010d" % self.number, b"issue-%010d" % self.number
        await self.city.store.set_watermark(self.city.clock.real_ms)
        await self.city.ask(t.Begin(visit_id=visit_id, attempt=1))
        await self.city.give(i.ChallengeDrawn(visit_id=visit_id, attempt=1, challenge=bytes(32)))
        await self.city.ask(authenticating(visit_id=visit_id))
        right = verdict(VerdictOutcome.RIGHT)
        await self.city.give(i.VerdictGiven(visit_id=visit_id, attempt=1, verdict=right))
        await self.city.ask(applying(issuance_id, visit_id=visit_id, copies=copies))
        await self.city.give(rendered(issuance_id, register_version=1))
        await self.city.ask(t.Held(issuance_id=issuance_id, sealed_digest=SEALED_DIGEST))
        answer = await self.city.ask(t.Release(issuance_id=issuance_id, amount_yen=200 * copies))
        assert issuance_id == answer.issuance_id, answer
        return issuance_id

    async def withdrawn(self) -> None:
        """Let a customer go away after the quotation."""
        self.number += 1
        visit_id, issuance_id = b"visit-%010d" % self.number, b"issue-%010d" % self.number
        await self.city.store.set_watermark(self.city.clock.real_ms)
        await self.city.ask(t.Begin(visit_id=visit_id, attempt=1))
        await self.city.give(i.ChallengeDrawn(visit_id=visit_id, attempt=1, challenge=bytes(32)))
        await self.city.ask(authenticating(visit_id=visit_id))
        right = verdict(VerdictOutcome.RIGHT)
        await self.city.give(i.VerdictGiven(visit_id=visit_id, attempt=1, verdict=right))
        await self.city.ask(applying(issuance_id, visit_id=visit_id))
        await self.city.give(rendered(issuance_id, register_version=1))
        cancel = t.Cancel(issuance_id=issuance_id, cause=FailureCause.CANCELLED)
        await self.city.ask(cancel)

    async def finish(self, issuance_id: bytes, *, copies: int = 1, failed: bool = False) -> None:
        """Report paper or failure, and the deletion on both sides."""
        report = failed_report(issuance_id) if failed else print_report(issuance_id)
        await self.city.ask(signed(report))
        await self.city.ask(deletion(issuance_id))
        await self.city.give(i.KeysDestroyed(issuance_ids=(issuance_id,)))
        self.counted["reversed" if failed else "completed"] += 1
        self.counted["fees_earned_yen"] += 0 if failed else 200 * copies

    async def wait(self, passing_ms: int) -> None:
        """Let both clocks run, with deadlines."""
        self.city.clock.pass_ms(passing_ms)
        await self.city.give(i.Woken())

    async def wait_until(self, business_ms: int) -> None:
        """Let both clocks run to a time."""
        await self.wait(business_ms - self.city.clock.business_ms)

    async def decide(self, change: i.Change) -> str | None:
        """Let two operators want something; return why it was refused, if it was."""
        nonce = secrets.token_bytes(16)
        act = i.ActAccepted(
            operator=OPERATORS[0],
            second=OPERATORS[1],
            act="test",
            subject="test",
            reason="the day is over",
            nonce=nonce,
            change=change,
        )
        await self.city.give(act)
        ended = [one for one in self.city.records() if isinstance(one, r.OperatorActEnded)][-1]
        assert nonce == ended.nonce
        refused = ended.outcome is r.ActOutcome.REFUSED
        assert refused == (ended.reason is not None)
        return ended.reason

    async def close_day(self, day: str) -> str | None:
        """Want a day closed."""
        return await self.decide(CloseDay(day=day))

    async def carry_over(self, day: str) -> str | None:
        """Want the terminal carried over."""
        return await self.decide(CarryOver(terminal=TERMINAL, day=day))

    async def settle(self, day: str) -> str | None:
        """Want a difference settled."""
        return await self.decide(SettleDifference(terminal=TERMINAL, day=day))

    async def close_issuance(self, issuance_id: bytes, fee: r.ClosedFee) -> str | None:
        """Want an issuance closed."""
        return await self.decide(CloseIssuance(issuance_id=issuance_id, fee=fee))

    def days_closed(self) -> list[r.DayClosed]:
        """Return the records of closed days."""
        return [one for one in self.city.records() if isinstance(one, r.DayClosed)]

    def logged(self, event: str) -> list[dict[str, object]]:
        """Return the fields of one kind of log event so far."""
        logs = [one for one in self.city.left if isinstance(one, e.Log)]
        return [one.fields for one in logs if one.event == event]
