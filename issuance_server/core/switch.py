"""The message switch: every input goes to its desk; what comes out are effects.

``step`` is a pure function of the state, the input, the facts read for it, and the time. It names
the facts that an input needs beforehand (``needs``), so that they can be read in the transaction in
which the step's records are written.
"""

from dataclasses import dataclass
from typing import assert_never

from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.availability import expiry_code
from issuance_server.core.calendar import civil
from issuance_server.core.day_changes import CarryOver, CloseDay, SettleDifference
from issuance_server.core.domicile_desk import DomicileDesk
from issuance_server.core.effects import Effect
from issuance_server.core.facts import NO_FACTS, Facts, Now
from issuance_server.core.house_desk import HouseDesk
from issuance_server.core.issuance_desk import IssuanceDesk
from issuance_server.core.issuing_desk import IssuingDesk, is_of_issuing
from issuance_server.core.outcome import Outcome
from issuance_server.core.rules import CityRules
from issuance_server.core.settling_desk import SettlingDesk
from issuance_server.core.state import SwitchState, TerminalCounters
from issuance_server.core.visit_desk import VisitDesk
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, RegisterDomicile
from protocol.issuance import OWED_STATES, IssuanceState
from protocol.limits import TABLES_VERSION, UNFINISHED_LISTED_MAX
from protocol.terminal_statements import PrintOutcome

_BEFORE_RELEASE = frozenset({IssuanceState.APPLIED, IssuanceState.QUOTED, IssuanceState.SEALED})
_BEFORE_SEALED = frozenset({IssuanceState.APPLIED, IssuanceState.QUOTED})
_STILL_TAKEN_WHEN_STOPPED = (t.Open, t.Close, t.LineTest, t.Cancel, t.EndVisit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The facts to read for an input.

    Attributes:
        card_ref: whose holder to look up.
        certificate_serial: in place of that, the serial of the card's certificate, in hexadecimal.
        resident_id: whose register facts to read.
        issuance_id: which ended issuance to look for.
        serial_day: of which day to read the next serial, ``YYYY-MM-DD``.
        terminal: whose place to read.
        domicile_request: which request by 本籍 to look for; or else
        domicile_serial: the latest one of this certificate.
        day: which business day to read, ``YYYY-MM-DD``.
        prints_of: of which terminal to read how it has printed.
    """

    card_ref: str | None = None
    certificate_serial: str | None = None
    resident_id: str | None = None
    issuance_id: bytes | None = None
    serial_day: str | None = None
    terminal: str | None = None
    day: str | None = None
    prints_of: str | None = None
    domicile_request: bytes | None = None
    domicile_serial: str | None = None


NO_NEEDS = Needs()


@dataclass(frozen=True, slots=True)
class _Opening:
    """One opening of a line: generation and digest of its request, and what it was told."""

    act: tuple[int, bytes]
    unfinished: tuple[t.UnfinishedIssuance, ...]


class Switch:
    """The server's core: one object per process, stepped by the runtime only."""

    def __init__(self, rules: CityRules, state: SwitchState | None = None) -> None:
        self.state = state if state is not None else SwitchState()
        self._rules = rules
        self._domiciles = DomicileDesk(self.state)
        self._visits = VisitDesk(self.state, rules, self._domiciles)
        self._issuances = IssuanceDesk(self.state, rules)
        self._issuing = IssuingDesk(self.state)
        self._settling = SettlingDesk(self.state, self._issuing)
        self._house = HouseDesk(self.state, self._issuing, self._withdraw_all)
        # The latest opening of each terminal and its closing, to know a repeat of them.
        self._openings: dict[str, _Opening] = {}
        self._closings: dict[str, tuple[int, bytes]] = {}

    def needs(self, input_: i.Input, now: Now) -> Needs:
        """Return what must be read of the store before ``step`` can decide on the input."""
        match input_:
            case i.VerdictGiven(verdict=verdict) if verdict is not None:
                return Needs(
                    card_ref=verdict.card_ref,
                    certificate_serial=verdict.certificate_serial,
                    terminal=verdict.terminal,
                )
            case (
                i.Asked(telegram=t.Begin(), terminal=terminal) | i.Authenticated(terminal=terminal)
            ):
                return Needs(terminal=terminal)
            case i.Asked(telegram=t.Apply() as asked):
                visit = self.state.visits.get(asked.visit_id)
                return Needs(
                    card_ref=visit.card_ref if visit else None,
                    resident_id=visit.resident_id if visit else None,
                    issuance_id=self._absent(asked.issuance_id),
                    serial_day=civil(now.business_ms).date().isoformat(),
                    terminal=input_.terminal,
                )
            case i.Asked(telegram=t.Release() as asked):
                issuance = self.state.issuances.get(asked.issuance_id)
                return Needs(
                    card_ref=issuance.applied.card_ref if issuance else None,
                    resident_id=issuance.applied.resident_id if issuance else None,
                    issuance_id=self._absent(asked.issuance_id),
                )
            case i.Asked(telegram=t.Fetch() | t.Held() | t.Cancel() as asked):
                return Needs(issuance_id=self._absent(asked.issuance_id))
            case i.Reported() | i.Deleted():
                return Needs(
                    issuance_id=self._absent(input_.report.issuance_id),
                    prints_of=input_.terminal if _tells_of_failure(input_) else None,
                )
            case i.ActAccepted(change=CloseDay() | CarryOver() | SettleDifference() as change):
                return Needs(day=change.day)
        return self._needs_of_domicile(input_)

    def _needs_of_domicile(self, input_: i.Input) -> Needs:
        if not isinstance(input_, i.Asked):
            return NO_NEEDS
        match input_.telegram:
            case RegisterDomicile(visit_id=visit_id, request_id=request_id):
                serial = self._domiciles.serial_of(visit_id)
                return Needs(
                    certificate_serial=serial, domicile_request=request_id, domicile_serial=serial
                )
            case AskDomicile(visit_id=visit_id):
                serial = self._domiciles.serial_of(visit_id)
                return Needs(certificate_serial=serial, domicile_serial=serial)
        return NO_NEEDS

    def step(self, input_: i.Input, now: Now, facts: Facts = NO_FACTS) -> list[Effect]:
        """Decide on an input: change the state by records, and return what is to be done."""
        out = Outcome(self.state)
        match input_:
            case i.Asked():
                self._asked(input_, facts, now, out)
            case i.Authenticated():
                stop = self._stop_of(input_.terminal)
                if stop is not None:
                    out.refuse(input_.terminal, input_.ref, stop)
                else:
                    self._visits.authenticate(input_, facts, now, out)
            case i.MalformedAsked():
                out.refuse(input_.terminal, input_.ref, ReplyCode.MALFORMED)
            case i.ChallengeDrawn():
                self._visits.challenge_drawn(input_, now, out)
            case i.VerdictGiven():
                self._visits.verdict_given(input_, facts, now, out)
            case i.Rendered():
                self._issuances.rendered(input_, now, out)
            case i.RenderingFailed():
                self._issuances.rendering_failed(input_, now, out)
            case i.Reported():
                self._reported(input_, facts, now, out)
            case i.Deleted():
                self._settling.deleted(input_, facts, now, out)
            case i.GateFailed():
                self._issuing.gate_failed(
                    input_.issuance_id, input_.terminal, input_.fault, now, out
                )
                self._issuances.gate_failed(input_, now, out)
            case i.KeysDestroyed():
                self._settling.keys_destroyed(input_, now, out)
            case _:
                self._of_the_house(input_, facts, now, out)
        return out.effects

    def next_deadline_ms(self) -> int | None:
        """Return the real time at which ``Woken`` is wanted; None while nothing waits."""
        return self.state.next_deadline_ms()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way that a drain would wait for (予備閉局)."""
        waiting = {IssuanceState.UNCONFIRMED}
        return all(issuance.state in waiting for issuance in self.state.issuances.values())

    def _asked(self, input_: i.Asked, facts: Facts, now: Now, out: Outcome) -> None:
        terminal, ref, asked = input_.terminal, input_.ref, input_.telegram
        stop = self._stop_of(terminal)
        of_line = stop is ReplyCode.LINE_STOPPED
        if stop and (_of_stopped_line(asked) if of_line else is_of_issuing(asked)):
            out.refuse(terminal, ref, stop)
            return
        match asked:
            case t.Open():
                self._open(terminal, ref, asked, now, out)
            case t.Begin():
                self._visits.begin(terminal, ref, asked, facts, now, out)
            case t.Apply():
                self._issuances.apply(terminal, ref, asked, facts, now, out)
            case t.Fetch():
                self._issuances.fetch(terminal, ref, asked, facts, out)
            case t.Held():
                self._issuances.held(terminal, ref, asked, facts, now, out)
            case t.Release():
                self._issuances.release(terminal, ref, asked, facts, now, out)
            case t.Cancel():
                self._issuances.cancel(terminal, ref, asked, facts, now, out)
            case t.EndVisit():
                self._visits.end(terminal, ref, asked, now, out)
            case t.Close():
                self._close(terminal, ref, asked, now, out)
            case RegisterDomicile():
                self._domiciles.request(terminal, ref, asked, facts, now, out)
            case AskDomicile():
                self._domiciles.ask(terminal, ref, asked, facts, out)
            case t.LineTest():
                out.reply(terminal, ref, t.LineTested(nonce=asked.nonce))
            case _:
                assert_never(asked)

    def _of_the_house(
        self,
        input_: i.OfTheHouse,
        facts: Facts,
        now: Now,
        out: Outcome,
    ) -> None:
        match input_:
            case i.Restarted():
                for issuance in list(self.state.issuances.values()):
                    if issuance.state in _BEFORE_SEALED:  # its body was in memory only
                        self._issuances.withdraw(issuance, ReplyCode.SERVER_FAULT, now, out)
                self._settling.restarted(out)
            case i.DrainBegun():
                self.state.draining = True
                out.log("server.draining", open_issuances=len(self.state.issuances), reason="asked")
            case i.EvidenceNotKept(evidence=evidence, lost_ms=lost_ms):
                self._issuing.evidence_lost(evidence, lost_ms, now, out)
            case i.EvidenceKeptAgain(evidence=evidence, lost_ms=lost_ms):
                self._issuing.evidence_kept(evidence, lost_ms, now, out)
            case i.Woken():
                self._woken(now, out)
            case i.ActAccepted():
                self._house.accepted(input_, facts, now, out)
            case i.ActEnded():
                self._house.ended(input_, now, out)
            case i.JudgeSaid():
                self._house.judge_said(input_, now, out)
            case _:
                assert_never(input_)

    def _reported(self, input_: i.Reported, facts: Facts, now: Now, out: Outcome) -> None:
        if self._settling.reported(input_, facts, now, out):
            return
        issuance = self.state.issuances[input_.report.issuance_id]
        cause = input_.report.cause.value
        self._issuances.withdraw(issuance, ReplyCode.ENDED, now, out, reason=cause)
        out.acknowledge(input_.terminal, input_.ref, IssuanceState.WITHDRAWN.value)

    def _withdraw_all(self, terminal: str, now: Now, out: Outcome) -> int:
        """End what a revoked terminal has under way, without waiting for the deadlines."""
        for visit in list(self.state.visits.values()):
            if visit.terminal == terminal:
                self._visits.terminal_gone(visit, now, out)
        before = [one for one in self.state.of_terminal(terminal) if one.state in _BEFORE_RELEASE]
        for issuance in before:
            self._issuances.withdraw(
                issuance, ReplyCode.LINE_STOPPED, now, out, reason="terminal-revoked"
            )
        return len(before)

    def _woken(self, now: Now, out: Outcome) -> None:
        for visit in list(self.state.visits.values()):
            if now.real_ms >= visit.deadline_ms:
                self._visits.deadline_passed(visit, now, out)
        for issuance in list(self.state.issuances.values()):
            if now.real_ms < issuance.deadline_ms:
                continue
            if issuance.state in OWED_STATES:
                self._settling.deadline_passed(issuance, now, out)
            elif issuance.state is IssuanceState.APPLIED:
                self._issuances.withdraw(issuance, ReplyCode.RENDERING_FAILED, now, out)
            else:
                self._issuances.withdraw(issuance, expiry_code(issuance.applied, now), now, out)

    def _open(
        self, terminal: str, ref: t.RequestRef, asked: t.Open, now: Now, out: Outcome
    ) -> None:
        """開局: what the terminal no longer knows of, and was never released, is withdrawn."""
        if asked.tables_version != TABLES_VERSION:
            out.refuse(terminal, ref, ReplyCode.VERSION_UNKNOWN)
            return
        opening = self._openings.get(terminal)
        if opening is None or opening.act != (ref.generation, ref.digest):
            self._take_opening(terminal, asked, now, out)
            opening = _Opening((ref.generation, ref.digest), self._unfinished(terminal))
            self._openings[terminal] = opening
            self._closings.pop(terminal, None)
        out.reply(
            terminal,
            ref,
            t.Opened(
                city=self._rules.city,
                software=self._rules.software,
                tables_version=TABLES_VERSION,
                call_centre=self._rules.call_centre,
                unfinished=opening.unfinished,
            ),
            witnessed=asked.witnessed,
        )

    def _unfinished(self, terminal: str) -> tuple[t.UnfinishedIssuance, ...]:
        mine = self.state.of_terminal(terminal)[:UNFINISHED_LISTED_MAX]
        return tuple(
            t.UnfinishedIssuance(issuance_id=issuance.issuance_id, state=issuance.state.value)
            for issuance in mine
        )

    def _take_opening(self, terminal: str, asked: t.Open, now: Now, out: Outcome) -> None:
        day = self.state.counting_day(now.business_ms)
        out.write(
            r.LineOpened(at_ms=now.real_ms, terminal=terminal, software=asked.software, day=day)
        )
        out.log(
            "line.opened",
            terminal=terminal,
            software=asked.software,
            unfinished=len(asked.unfinished),
        )
        listed = {unfinished.issuance_id for unfinished in asked.unfinished}
        for issuance in self.state.of_terminal(terminal):
            if issuance.issuance_id not in listed and issuance.state in _BEFORE_RELEASE:
                self._issuances.withdraw(issuance, ReplyCode.ENDED, now, out, reason="line-lost")

    def _close(
        self, terminal: str, ref: t.RequestRef, asked: t.Close, now: Now, out: Outcome
    ) -> None:
        """閉局: compare the counters of both sides (精査)."""
        own = self.state.counters.get(terminal, TerminalCounters())
        counters = t.Counters(
            completed=own.completed, reversed=own.reversed, fees_earned_yen=own.fees_earned_yen
        )
        act = (ref.generation, ref.digest)
        if self._closings.get(terminal) != act:
            self._closings[terminal] = act
            day = self.state.counting_day(now.business_ms)
            out.write(
                r.LineClosed(
                    at_ms=now.real_ms,
                    terminal=terminal,
                    day=day,
                    ours=counters,
                    theirs=asked.counters,
                )
            )
            agree = counters == asked.counters
            reason = "in-order" if agree else "counters-differ"
            out.log("line.closed", terminal=terminal, reason=reason)
        out.reply(terminal, ref, t.Closed(counters=counters), witnessed=asked.witnessed)

    def _stop_of(self, terminal: str) -> ReplyCode | None:
        """Return whether the terminal's line is stopped, or all issuing, or None."""
        if terminal in self.state.stopped_terminals:
            return ReplyCode.LINE_STOPPED
        return ReplyCode.ISSUING_STOPPED if self.state.issuing_stopped else None

    def _absent(self, issuance_id: bytes) -> bytes | None:
        """Name an issuance for the look-up of ended ones only if it is not in memory."""
        return None if issuance_id in self.state.issuances else issuance_id


def _of_stopped_line(asked: object) -> bool:
    """Tell whether a stopped line takes this no more."""
    return not isinstance(asked, _STILL_TAKEN_WHEN_STOPPED)


def _tells_of_failure(came: i.Reported | i.Deleted) -> bool:
    return isinstance(came, i.Reported) and came.report.outcome is PrintOutcome.FAILED
