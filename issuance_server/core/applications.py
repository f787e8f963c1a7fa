"""Decides over applications: whether one can be taken, and what is on record when it is."""

from issuance_server.core import records as r
from issuance_server.core.availability import opening_refusal, release_until_ms
from issuance_server.core.calendar import civil
from issuance_server.core.eligibility import application_refusal, holder_refusal
from issuance_server.core.facts import Facts, HolderFacts, Now
from issuance_server.core.issuing_desk import acceptance_refusal
from issuance_server.core.refusals import AnyRefusal, Refusal
from issuance_server.core.rules import (
    ISSUANCES_PER_TERMINAL_MAX,
    ISSUANCES_UNDER_WAY_MAX,
    CityRules,
    certificate_number,
)
from issuance_server.core.state import SwitchState, Visit
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.limits import ISSUANCES_PER_VISIT_MAX, RENDER_MS_MAX
from protocol.telegrams import Apply, RequestRef
from protocol.visit import VisitState

BEFORE_RELEASE = frozenset({IssuanceState.APPLIED, IssuanceState.QUOTED, IssuanceState.SEALED})


class Applications:
    """What comes of an application (申請) within a visit that is under way."""

    def __init__(self, state: SwitchState, rules: CityRules) -> None:
        self._state = state
        self._rules = rules

    def decide(
        self, ref: RequestRef, asked: Apply, visit: Visit, facts: Facts, now: Now
    ) -> r.IssuanceApplied | AnyRefusal:
        """Return the record of an application that is taken, or why it is not."""
        refusal = self._refusal(asked, visit, facts, now)
        if refusal is not None:
            return refusal
        if facts.holder is None:
            return Refusal.RESIDENT_UNKNOWN
        return self._applied(ref, asked, visit, facts, facts.holder, now)

    def _refusal(self, asked: Apply, visit: Visit, facts: Facts, now: Now) -> AnyRefusal | None:
        holder, closed = facts.holder, opening_refusal
        refusal: AnyRefusal | None = closed(self._state.tables, facts.place, asked.kind, now)
        if refusal is None and facts.card is None:
            return ReplyCode.CARD_NOT_ACCEPTED  # withdrawn since
        refusal = refusal or holder_refusal(self._rules, holder, now)
        if refusal is None and holder and holder.register_version != visit.register_version:
            return ReplyCode.DATA_CHANGED  # the numbers of the members may have moved
        if refusal is None and holder is not None:
            refusal = application_refusal(self._rules, asked.kind, asked.options, holder, now)
        return refusal

    def _applied(
        self,
        ref: RequestRef,
        asked: Apply,
        visit: Visit,
        facts: Facts,
        holder: HolderFacts,
        now: Now,
    ) -> r.IssuanceApplied | ReplyCode:
        """Take it: the fee and the closing of this moment count until its quotation ends."""
        tables, place, today = self._state.tables, facts.place, civil(now.business_ms).date()
        if place is None:
            return ReplyCode.KIND_NOT_OFFERED
        fee_yen = tables.fee_yen(asked.kind, place.terminal_class, place.chain, today)
        if fee_yen is None:
            return ReplyCode.KIND_NOT_OFFERED
        day = today.isoformat()
        serials = range(facts.next_serial, facts.next_serial + asked.copies)
        numbers = tuple(
            certificate_number(
                day=day, city_name=self._rules.city_name, terminal=visit.terminal, serial=serial
            )
            for serial in serials
        )
        return r.IssuanceApplied(
            at_ms=now.real_ms,
            issuance_id=asked.issuance_id,
            visit_id=asked.visit_id,
            terminal=visit.terminal,
            card_ref=visit.card_ref or "",
            resident_id=visit.resident_id or "",
            kind=asked.kind,
            options=asked.options,
            copies=asked.copies,
            fee_yen=fee_yen * asked.copies,
            request_digest=ref.digest,
            business_day=day,
            numbers=numbers,
            last_serial=serials[-1],
            register_version=holder.register_version,
            record_version=holder.record_versions.get(asked.kind),
            business_ms=now.business_ms,
            deadline_ms=now.real_ms + RENDER_MS_MAX,
            release_until_ms=release_until_ms(tables, place, asked.kind, now),
        )


def visit_refusal(
    state: SwitchState, terminal: str, asked: Apply, visit: Visit | None
) -> ReplyCode | None:
    """Return why a visit takes no application, or not this one, or None."""
    shut = acceptance_refusal(state)
    if shut is not None:
        return shut
    if visit is None:
        return ReplyCode.ENDED
    if visit.terminal != terminal:
        return ReplyCode.UNKNOWN
    if asked.issuance_id in visit.refusals:
        return visit.refusals[asked.issuance_id]
    if visit.state is VisitState.ENDED:
        return ReplyCode.ENDED
    if visit.state is not VisitState.AUTHENTICATED:
        return ReplyCode.OUT_OF_ORDER
    return _room_refusal(state, terminal, asked, visit)


def _room_refusal(
    state: SwitchState, terminal: str, asked: Apply, visit: Visit
) -> ReplyCode | None:
    if asked.issuance_id in state.visits:
        return ReplyCode.KEY_REUSED
    open_at = [one.terminal for one in state.issuances.values() if one.state in BEFORE_RELEASE]
    own = open_at.count(terminal)
    if len(open_at) >= ISSUANCES_UNDER_WAY_MAX or own >= ISSUANCES_PER_TERMINAL_MAX:
        return ReplyCode.BUSY
    full = len(visit.issuance_ids) + len(visit.refusals) >= ISSUANCES_PER_VISIT_MAX
    return ReplyCode.LIMIT_REACHED if full else None
