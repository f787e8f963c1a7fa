"""Takes requests of cards that the city does not know (本籍地利用登録申請), and the counter's word.

Whose card it is, the certificate says; what is typed only helps the counter to find the register.
Which certificate a visit showed is in memory only, for no record may hold a serial of a stranger.
"""

import hashlib
from datetime import date

from issuance_server.core import records as r
from issuance_server.core.asides import Applicant, CounterWords
from issuance_server.core.domicile_changes import (
    Approval,
    DomicileChange,
    KnownRequest,
    Match,
    Rejection,
    RequestState,
)
from issuance_server.core.effects import KeepAside
from issuance_server.core.facts import Facts, Now
from issuance_server.core.outcome import Outcome
from issuance_server.core.state import SwitchState, Visit
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold, RegisterDomicile
from protocol.telegrams import RequestRef
from protocol.visit import VisitState

BUSINESS_DAYS_TO_USE = 5
"""Between the decision and the first day of use, about what cities tell applicants (帯広)."""
APPLICANT_KEPT_MS = 30 * 24 * 60 * 60 * 1_000
"""How long after the decision what was typed is kept, for questions at the counter."""
_SATURDAY = 5
_MAY_ASK = frozenset({ReplyCode.CARD_NOT_REGISTERED_HERE, ReplyCode.CARD_NOT_YET_USABLE})
_TOLD = {
    RequestState.ACCEPTED: DomicileState.ACCEPTED,
    RequestState.MATCHED: DomicileState.CHECKING,
    RequestState.APPROVED: DomicileState.USABLE,
    RequestState.REJECTED: DomicileState.REJECTED,
}


def usable_day(today: date) -> date:
    """Return the first day on which a card that is approved today is taken."""
    ordinal, left = today.toordinal(), BUSINESS_DAYS_TO_USE
    while left:
        ordinal += 1
        left -= date.fromordinal(ordinal).weekday() < _SATURDAY
    return date.fromordinal(ordinal)


class DomicileDesk:
    """The part of the switch for cards that are to be registered by 本籍."""

    def __init__(self, state: SwitchState) -> None:
        self._state = state
        self._serials: dict[bytes, str] = {}

    def certificate_shown(self, visit_id: bytes, serial: str) -> None:
        """Remember the certificate that a visit proved to hold, as long as the visit is known."""
        for ended in self._serials.keys() - self._state.visits.keys():
            del self._serials[ended]
        self._serials[visit_id] = serial

    def serial_of(self, visit_id: bytes) -> str | None:
        """Return the serial of the visit's certificate, in hexadecimal."""
        return self._serials.get(visit_id)

    def request(
        self,
        terminal: str,
        ref: RequestRef,
        asked: RegisterDomicile,
        facts: Facts,
        now: Now,
        out: Outcome,
    ) -> None:
        """申請: keep it for the counter; a card has one request under way."""
        visit = self._state.visits.get(asked.visit_id)
        known = facts.domicile
        refusal = self._refusal(terminal, visit, known, asked, ref)
        serial = self._serials.get(asked.visit_id)
        if refusal is not None or serial is None:
            out.refuse(terminal, ref, refusal or ReplyCode.OUT_OF_ORDER)
            return
        over = known is not None and (
            known.state is RequestState.REJECTED or _is_withdrawn(known, facts)
        )
        if known is None or (over and known.request_id != asked.request_id):
            known = self._open(terminal, ref, asked, serial, now, out)
        out.reply(terminal, ref, _told(known))

    def ask(
        self, terminal: str, ref: RequestRef, asked: AskDomicile, facts: Facts, out: Outcome
    ) -> None:
        """Tell how the card's latest request stands."""
        visit = self._state.visits.get(asked.visit_id)
        refusal = self._visit_refusal(terminal, visit, _MAY_ASK)
        known = facts.domicile
        if refusal is not None or known is None or _is_withdrawn(known, facts):
            out.refuse(terminal, ref, refusal or ReplyCode.CARD_NOT_REGISTERED_HERE)
        else:
            out.reply(terminal, ref, _told(known))

    def _refusal(
        self,
        terminal: str,
        visit: Visit | None,
        known: KnownRequest | None,
        asked: RegisterDomicile,
        ref: RequestRef,
    ) -> ReplyCode | None:
        only = frozenset({ReplyCode.CARD_NOT_REGISTERED_HERE})
        refusal = self._visit_refusal(terminal, visit, only)
        if refusal is None and known is not None and known.request_id == asked.request_id:
            same = known.request_digest == ref.digest
            return None if same else ReplyCode.KEY_REUSED
        if refusal is None and self._state.draining:
            return ReplyCode.DRAINING
        return refusal

    def _visit_refusal(
        self, terminal: str, visit: Visit | None, codes: frozenset[ReplyCode]
    ) -> ReplyCode | None:
        if visit is None:
            return ReplyCode.ENDED
        if visit.terminal != terminal:
            return ReplyCode.UNKNOWN
        if visit.state is VisitState.ENDED:
            return ReplyCode.ENDED
        latest = visit.attempts[max(visit.attempts)].code if visit.attempts else None
        known = visit.visit_id in self._serials and latest in codes
        return None if known else ReplyCode.OUT_OF_ORDER

    def _open(
        self,
        terminal: str,
        ref: RequestRef,
        asked: RegisterDomicile,
        serial: str,
        now: Now,
        out: Outcome,
    ) -> KnownRequest:
        card_ref = f"card-{hashlib.sha256(b'by domicile' + asked.request_id).hexdigest()[:16]}"
        out.write(
            r.DomicileRequested(
                at_ms=now.real_ms,
                request_id=asked.request_id,
                terminal=terminal,
                card_ref=card_ref,
                request_digest=ref.digest,
            )
        )
        out.add(
            KeepAside(
                Applicant(
                    request_id=asked.request_id,
                    certificate_serial=serial,
                    domicile=asked.domicile,
                    register_head=asked.register_head,
                    name=asked.name,
                    birth=asked.birth,
                    phone=asked.phone,
                )
            )
        )
        out.log("domicile.requested", request=asked.request_id.hex(), terminal=terminal)
        return KnownRequest(
            request_id=asked.request_id, request_digest=ref.digest, state=RequestState.ACCEPTED
        )


def change_request(change: DomicileChange, operator: str, now: Now, out: Outcome) -> None:
    """Record what the counter found."""
    at_ms, request_id = now.real_ms, change.request_id
    match change:
        case Match(resident_id=resident_id):
            out.write(
                r.DomicileMatched(
                    at_ms=at_ms, request_id=request_id, resident_id=resident_id, operator=operator
                )
            )
            event = "domicile.matched"
        case Approval(usable_from=usable_from):
            day = usable_from.isoformat()
            out.write(r.DomicileApproved(at_ms=at_ms, request_id=request_id, day=day))
            event = "domicile.approved"
        case Rejection(words=words):
            out.write(r.DomicileRejected(at_ms=at_ms, request_id=request_id))
            out.add(KeepAside(CounterWords(request_id=request_id, words=words)))
            event = "domicile.rejected"
    out.log(event, request=request_id.hex(), operator=operator)


def _is_withdrawn(known: KnownRequest, facts: Facts) -> bool:
    """Tell whether a card that was registered is not known any more."""
    return known.state is RequestState.APPROVED and facts.card is None


def _told(known: KnownRequest) -> DomicileTold:
    day = known.usable_from
    return DomicileTold(
        request_id=known.request_id,
        state=_TOLD[known.state],
        usable_from=None if day is None else day.isoformat(),
        words=known.words,
    )
