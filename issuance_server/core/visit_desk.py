"""Conducts visits: challenge, attempt, verdict, menu."""

from issuance_server.core import records as r
from issuance_server.core.availability import closed_kinds, offered_at, service_refusal
from issuance_server.core.calendar import civil
from issuance_server.core.cards import card_refusal
from issuance_server.core.domicile_desk import DomicileDesk
from issuance_server.core.effects import DrawChallenge, JudgeAttempt, ReplyMenu
from issuance_server.core.eligibility import (
    holder_refusal,
    items_of,
    kinds_for,
    scopes_of,
)
from issuance_server.core.facts import Facts, Now
from issuance_server.core.inputs import Authenticated, ChallengeDrawn, VerdictGiven
from issuance_server.core.issuing_desk import acceptance_refusal
from issuance_server.core.kind_eligibility import refused_kinds
from issuance_server.core.outcome import Outcome
from issuance_server.core.pin_policy import Verdict, VerdictOutcome
from issuance_server.core.refusals import AnyRefusal, code_of, of_registers, word_of
from issuance_server.core.rules import (
    VISITS_PER_TERMINAL_MAX,
    VISITS_UNDER_WAY_MAX,
    CityRules,
)
from issuance_server.core.state import Attempt, SwitchState, Visit
from issuance_server.core.terminal_place import TerminalPlace
from protocol.codes import ReplyCode
from protocol.kinds import Kind
from protocol.limits import ATTEMPTS_PER_VISIT_MAX, CHALLENGE_MS_MAX, VISIT_MS_MAX
from protocol.telegrams import Begin, ChallengeGiven, EndVisit, MenuItem, RequestRef, Unavailable
from protocol.visit import VisitState


class VisitDesk:
    """The part of the switch that conducts visits (来訪)."""

    def __init__(
        self, state: SwitchState, rules: CityRules, domiciles: DomicileDesk | None = None
    ) -> None:
        self._state = state
        self._rules = rules
        self._domiciles = domiciles or DomicileDesk(state)
        # Whom to answer when the judge has spoken; after a restart repeats fill it again. A
        # challenge that comes twice must not take the place of the verdict.
        self._await_challenge: dict[tuple[bytes, int], RequestRef] = {}
        self._await_verdict: dict[tuple[bytes, int], RequestRef] = {}

    def begin(
        self, terminal: str, ref: RequestRef, asked: Begin, facts: Facts, now: Now, out: Outcome
    ) -> None:
        """受付: open the visit if it is new, and ask the judge for a challenge."""
        visit = self._state.visits.get(asked.visit_id)
        refusal = self._begin_refusal(terminal, asked, visit, facts.place, now)
        if refusal is not None:
            out.refuse(terminal, ref, refusal)
            if visit is None:
                out.log(
                    "visit.refused",
                    visit=asked.visit_id.hex(),
                    terminal=terminal,
                    reason=refusal.name,
                )
            return
        if visit is None:
            deadline_ms = now.real_ms + VISIT_MS_MAX
            out.write(
                r.VisitBegun(
                    at_ms=now.real_ms,
                    visit_id=asked.visit_id,
                    terminal=terminal,
                    deadline_ms=deadline_ms,
                )
            )
            out.log("visit.begun", visit=asked.visit_id.hex(), terminal=terminal)
        elif asked.attempt in visit.attempts:
            challenge = visit.attempts[asked.attempt].challenge
            out.reply(terminal, ref, _given(asked.visit_id, asked.attempt, challenge))
            return
        self._await_challenge[asked.visit_id, asked.attempt] = ref
        out.add(DrawChallenge(terminal=terminal, visit_id=asked.visit_id, attempt=asked.attempt))

    def _begin_refusal(
        self,
        terminal: str,
        asked: Begin,
        visit: Visit | None,
        place: TerminalPlace | None,
        now: Now,
    ) -> ReplyCode | None:
        if visit is None:
            return self._new_visit_refusal(terminal, asked, place, now)
        if visit.terminal != terminal:
            return ReplyCode.UNKNOWN
        if asked.attempt in visit.attempts:
            return None
        if visit.state is VisitState.ENDED:
            return ReplyCode.ENDED
        waiting = visit.state in {VisitState.BEGUN, VisitState.CHALLENGED}
        if not waiting or asked.attempt != max(visit.attempts, default=0) + 1:
            return ReplyCode.OUT_OF_ORDER
        return None if asked.attempt <= ATTEMPTS_PER_VISIT_MAX else ReplyCode.LIMIT_REACHED

    def _new_visit_refusal(
        self, terminal: str, asked: Begin, place: TerminalPlace | None, now: Now
    ) -> ReplyCode | None:
        shut = acceptance_refusal(self._state)
        if shut is not None:
            return shut
        if asked.visit_id in self._state.issuances:
            return ReplyCode.KEY_REUSED
        visits = self._state.visits.values()
        own = sum(1 for visit in visits if visit.terminal == terminal)
        if len(visits) >= VISITS_UNDER_WAY_MAX or own >= VISITS_PER_TERMINAL_MAX:
            return ReplyCode.BUSY
        closed = service_refusal(self._state.tables, place, now)
        return closed or (None if asked.attempt == 1 else ReplyCode.ENDED)

    def challenge_drawn(self, drawn: ChallengeDrawn, now: Now, out: Outcome) -> None:
        """The judge answered with a challenge, or has none."""
        ref = self._await_challenge.pop((drawn.visit_id, drawn.attempt), None)
        visit = self._state.visits.get(drawn.visit_id)
        if visit is None or visit.state is VisitState.ENDED or drawn.attempt in visit.attempts:
            return
        if drawn.challenge is None:
            out.refuse(visit.terminal, ref, ReplyCode.JUDGE_UNAVAILABLE)
            return
        out.write(
            r.ChallengeIssued(
                at_ms=now.real_ms,
                visit_id=drawn.visit_id,
                attempt=drawn.attempt,
                challenge=drawn.challenge,
            )
        )
        given = _given(drawn.visit_id, drawn.attempt, drawn.challenge)
        out.reply(visit.terminal, ref, given)

    def authenticate(self, asked: Authenticated, facts: Facts, now: Now, out: Outcome) -> None:
        """本人確認: hand a new attempt to the judge; a repeat gets the same answer."""
        visit = self._state.visits.get(asked.visit_id)
        if visit is None or visit.terminal != asked.terminal:
            code = ReplyCode.ENDED if visit is None else ReplyCode.UNKNOWN
            out.refuse(asked.terminal, asked.ref, code)
            return
        attempt = visit.attempts.get(asked.attempt)
        key = (asked.visit_id, asked.attempt)
        if attempt is None:
            ended = visit.state is VisitState.ENDED
            code = ReplyCode.ENDED if ended else ReplyCode.OUT_OF_ORDER
            out.refuse(asked.terminal, asked.ref, code)
        elif attempt.digest is not None and attempt.digest != asked.ref.digest:
            out.refuse(asked.terminal, asked.ref, ReplyCode.KEY_REUSED)
        elif attempt.code is not None:
            self._answer(visit, asked.attempt, asked.ref, facts.place, now, out)
        elif visit.state is VisitState.ENDED:
            out.refuse(asked.terminal, asked.ref, ReplyCode.ENDED)
        elif attempt.digest is not None:
            if key not in self._await_verdict:  # after a restart the judge says the same again
                out.add(_judge(asked))
            self._await_verdict[key] = asked.ref
        elif visit.state is not VisitState.CHALLENGED:
            out.refuse(asked.terminal, asked.ref, ReplyCode.OUT_OF_ORDER)
        else:
            out.write(
                r.AttemptMade(
                    at_ms=now.real_ms,
                    visit_id=asked.visit_id,
                    attempt=asked.attempt,
                    digest=asked.ref.digest,
                )
            )
            self._await_verdict[key] = asked.ref
            out.add(_judge(asked))

    def verdict_given(self, given: VerdictGiven, facts: Facts, now: Now, out: Outcome) -> None:
        """The judge has spoken, or is out of reach."""
        ref = self._await_verdict.pop((given.visit_id, given.attempt), None)
        visit = self._state.visits.get(given.visit_id)
        if visit is None or visit.state is not VisitState.JUDGING:
            if visit is not None and visit.state is VisitState.ENDED:
                out.refuse(visit.terminal, ref, ReplyCode.ENDED)
            return
        verdict = given.verdict
        if verdict is None:  # the try may have been counted; a repeat asks the judge again
            out.log(
                "visit.refused",
                visit=given.visit_id.hex(),
                terminal=visit.terminal,
                reason=ReplyCode.JUDGE_UNAVAILABLE.name,
            )
            return
        code, tries_left = verdict.reply_code, verdict.tries_left
        card_ref = facts.card.card_ref if facts.card else verdict.card_ref
        refusal: AnyRefusal | None = None
        resident_id = facts.resident_id if code is ReplyCode.DONE else None
        if code is ReplyCode.DONE:
            tries_left = None  # a right PIN has none to tell of, also if nothing is issued
            today = civil(now.business_ms).date()
            refusal = holder_refusal(self._rules, facts.holder, now)
            refusal = refusal or card_refusal(facts.card, today)
            if resident_id is None:
                refusal = ReplyCode.CARD_NOT_ACCEPTED
            if verdict.certificate_serial is not None:
                self._domiciles.certificate_shown(given.visit_id, verdict.certificate_serial)
                if resident_id is None:
                    refusal = ReplyCode.CARD_NOT_REGISTERED_HERE
            code = ReplyCode.DONE if refusal is None else code_of(refusal)
        out.write(
            r.AttemptJudged(
                at_ms=now.real_ms,
                visit_id=given.visit_id,
                attempt=given.attempt,
                code=code,
                card_ref=card_ref,
                resident_id=resident_id if code is ReplyCode.DONE else None,
                register_version=facts.holder.register_version if facts.holder else None,
                kinds=self._kinds(code, facts, now),
                tries_left=tries_left,
                refusal=None if refusal is None else of_registers(refusal),
                withheld=self._withheld(code, facts, now),
            )
        )
        self._log_verdict(visit, verdict, card_ref, refusal or code, out)
        judged = self._state.visits[given.visit_id]
        self._answer(judged, given.attempt, ref, facts.place, now, out)

    def end(self, terminal: str, ref: RequestRef, asked: EndVisit, now: Now, out: Outcome) -> None:
        """来訪終了: the card has left."""
        visit = self._state.visits.get(asked.visit_id)
        if visit is not None and visit.terminal != terminal:
            out.refuse(terminal, ref, ReplyCode.UNKNOWN)
            return
        if visit is not None and visit.state is not VisitState.ENDED:
            self._write_end(visit, "card-taken", now, out)
        out.acknowledge(terminal, ref, VisitState.ENDED.value)

    def deadline_passed(self, visit: Visit, now: Now, out: Outcome) -> None:
        """End a visit whose five minutes are over, and forget it."""
        if visit.state is not VisitState.ENDED:
            self._write_end(visit, "time-over", now, out)
        del self._state.visits[visit.visit_id]

    def terminal_gone(self, visit: Visit, now: Now, out: Outcome) -> None:
        """End a visit whose terminal is revoked; it is forgotten at its deadline."""
        if visit.state is not VisitState.ENDED:
            self._write_end(visit, "terminal-revoked", now, out)

    def _write_end(self, visit: Visit, cause: str, now: Now, out: Outcome) -> None:
        out.write(r.VisitEnded(at_ms=now.real_ms, visit_id=visit.visit_id, cause=cause))

    def _answer(
        self,
        visit: Visit,
        number: int,
        ref: RequestRef | None,
        place: TerminalPlace | None,
        now: Now,
        out: Outcome,
    ) -> None:
        attempt: Attempt = visit.attempts[number]
        if ref is None or attempt.code is None:
            return
        if attempt.code is ReplyCode.DONE and visit.resident_id is not None:
            out.add(
                ReplyMenu(
                    terminal=visit.terminal,
                    ref=ref,
                    visit_id=visit.visit_id,
                    resident_id=visit.resident_id,
                    register_version=visit.register_version,
                    items=self._menu(visit, place, now),
                    unavailable=self._unavailable(visit, place, now),
                )
            )
        else:
            out.refuse(visit.terminal, ref, attempt.code, tries_left=attempt.tries_left)

    def _kinds(self, code: ReplyCode, facts: Facts, now: Now) -> tuple[Kind, ...]:
        if code is not ReplyCode.DONE or facts.holder is None:
            return ()
        offered = offered_at(self._state.tables, facts.place, now)
        return kinds_for(self._rules, offered, facts.holder, now)

    def _withheld(self, code: ReplyCode, facts: Facts, now: Now) -> tuple[r.WithheldKind, ...]:
        """Return what is issued here, but not to this holder."""
        if code is not ReplyCode.DONE or facts.holder is None:
            return ()
        offered = offered_at(self._state.tables, facts.place, now)
        today = civil(now.business_ms).date()
        refused = refused_kinds(self._rules, offered, facts.holder, today)
        return tuple(r.WithheldKind(kind=kind, refusal=why) for kind, why in refused.items())

    def _menu(self, visit: Visit, place: TerminalPlace | None, now: Now) -> tuple[MenuItem, ...]:
        if place is None:
            return ()
        tables, day = self._state.tables, civil(now.business_ms).date()
        closed = {one.kind for one in self._closed(visit, place, now)}
        fees_yen = {
            kind: tables.fee_yen(kind, place.terminal_class, place.chain, day)
            for kind in self._still_offered(visit, place, now)
            if kind not in closed
        }
        return tuple(
            MenuItem(
                kind=kind,
                fee_yen=fee_yen,
                items=items_of(self._rules, kind),
                scopes=scopes_of(kind),
            )
            for kind, fee_yen in fees_yen.items()
            if fee_yen is not None
        )

    def _unavailable(
        self, visit: Visit, place: TerminalPlace | None, now: Now
    ) -> tuple[Unavailable, ...]:
        """Return what the registers keep from the holder, and what is closed."""
        offered = offered_at(self._state.tables, place, now)
        withheld = tuple(
            Unavailable(kind=one.kind, code=one.refusal.code)
            for one in visit.withheld
            if one.kind in offered
        )
        return withheld + self._closed(visit, place, now)

    def _closed(
        self, visit: Visit, place: TerminalPlace | None, now: Now
    ) -> tuple[Unavailable, ...]:
        """Return what this holder could have here, but not now."""
        kinds = self._still_offered(visit, place, now)
        return closed_kinds(self._state.tables, place, kinds, now)

    def _still_offered(
        self, visit: Visit, place: TerminalPlace | None, now: Now
    ) -> tuple[Kind, ...]:
        """A repeat may come after new tables, or after midnight."""
        offered = offered_at(self._state.tables, place, now)
        return tuple(kind for kind in visit.kinds if kind in offered)

    def _log_verdict(
        self, visit: Visit, verdict: Verdict, card_ref: str | None, why: AnyRefusal, out: Outcome
    ) -> None:
        names = {"visit": visit.visit_id.hex(), "terminal": visit.terminal}
        if why is ReplyCode.DONE:
            out.log("pin.right", **names, card_ref=card_ref)
        elif verdict.outcome is VerdictOutcome.WRONG:
            out.log("pin.wrong", **names, card_ref=card_ref, tries_left=verdict.tries_left)
        elif verdict.outcome is VerdictOutcome.CERTIFICATE_NOT_CHECKABLE:
            out.log("card.certificate_not_checkable", **names)
        else:
            out.log("visit.refused", **names, reason=word_of(why))


def _given(visit_id: bytes, attempt: int, challenge: bytes) -> ChallengeGiven:
    return ChallengeGiven(
        visit_id=visit_id, attempt=attempt, challenge=challenge, valid_ms=CHALLENGE_MS_MAX
    )


def _judge(asked: Authenticated) -> JudgeAttempt:
    return JudgeAttempt(
        terminal=asked.terminal, visit_id=asked.visit_id, attempt=asked.attempt, ref=asked.ref
    )
