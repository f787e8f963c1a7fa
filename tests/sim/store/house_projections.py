"""What records of lines, days, people and the register copy change in the tables in memory."""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from issuance_server.core import asides as a
from issuance_server.core import records as r
from issuance_server.core.card_registration import CardStep
from issuance_server.core.cards import CardKind
from issuance_server.core.day_facts import OpeningEnd
from issuance_server.core.domicile_changes import RequestState
from issuance_server.core.notices import NoticeState
from issuance_server.core.suppression import Suppression
from issuance_server.core.tables.loaded import LoadedTables
from protocol.errors import JournalFailed
from tests.sim.store.register_tables import change_state, lift_suppression, set_suppression
from tests.sim.store.tables import (
    Card,
    CardRegistration,
    Certificate,
    Opening,
    Request,
    Tables,
    Terminal,
)

_with = msgspec.structs.replace


def keep_aside(tables: Tables, aside: a.Aside) -> None:
    """Keep what no record may hold."""
    match aside:
        case a.NoticeAddress():
            known = tables.notice_subscription.get(aside.resident_id)
            since_ms = aside.at_ms if known is None else known[1]
            tables.notice_subscription.put(aside.resident_id, (aside.address, since_ms))
        case a.Applicant():
            tables.domicile_applicant.insert(aside.request_id, aside.certificate_serial)
        case a.CounterWords():
            _change_request(tables, aside.request_id, words=aside.words)
        case a.CardSerial():
            begun = tables.card_registration.get(aside.card_ref)
            if begun is not None:
                changed = _with(begun, certificate_serial=aside.certificate_serial)
                tables.card_registration.put(aside.card_ref, changed)


def add_card(tables: Tables, card_ref: str, card: Card) -> None:
    """Register a card; the serial of its certificate is nobody else's."""
    if (card.kind is CardKind.MYNUMBER) != (card.certificate_serial is not None):
        raise JournalFailed("the journal cannot be written: a card's kind and serial do not agree")
    tables.card.insert(card_ref, card)
    if card.certificate_serial is not None:
        tables.card_of_serial.insert(card.certificate_serial, card_ref)


def add_terminal(tables: Tables, name: str, terminal: Terminal) -> None:
    """Put a terminal on the list; its line is nobody else's."""
    if any(one.line_id == terminal.line_id for _, one in tables.terminal.items()):
        raise JournalFailed("the journal cannot be written: a line has a terminal already")
    tables.terminal.insert(name, terminal)


def _end_opening(tables: Tables, terminal: str, at_ms: int, day: str | None, **how: Any) -> None:
    number = tables.open_line.get(terminal)
    opening = None if number is None else tables.line_opening.get(number)
    if number is None or opening is None:
        return
    ended_day = opening.opened_day if day is None else day
    tables.line_opening.put(number, _with(opening, ended_at_ms=at_ms, ended_day=ended_day, **how))
    tables.open_line.drop(terminal)


def _begin_opening(tables: Tables, terminal: str, at_ms: int, day: str) -> None:
    opened = tables.line_opening
    number = max(next(reversed(opened.kept), 0), *opened.new, 0) + 1
    opening = Opening(terminal=terminal, opened_at_ms=at_ms, opened_day=day)
    tables.line_opening.put(number, opening)
    tables.open_line.put(terminal, number)


def _line_opened(tables: Tables, record: r.LineOpened) -> None:
    broken = OpeningEnd.BROKEN_OFF
    _end_opening(tables, record.terminal, record.at_ms, record.day, end=broken)
    _begin_opening(tables, record.terminal, record.at_ms, record.day)


def _line_closed(tables: Tables, record: r.LineClosed) -> None:
    terminal, at_ms, day = record.terminal, record.at_ms, record.day
    if tables.open_line.get(terminal) is None:
        _begin_opening(tables, terminal, at_ms, day)
    counted = {"ours": record.ours, "theirs": record.theirs}
    _end_opening(tables, terminal, at_ms, day, end=OpeningEnd.CLOSED, **counted)


def _line_stopped(tables: Tables, record: r.LineStopped) -> None:
    _change_terminal(tables, record.terminal, stopped_at_ms=record.at_ms)


def _line_reopened(tables: Tables, record: r.LineReopened) -> None:
    inspected = {"inspected_at_ms": record.at_ms}
    _change_terminal(tables, record.terminal, stopped_at_ms=None, **inspected)


def _change_terminal(tables: Tables, name: str, **changes: Any) -> None:
    terminal = tables.terminal.get(name)
    if terminal is not None:
        tables.terminal.put(name, _with(terminal, **changes))


def _certify(
    tables: Tables, record: r.TerminalRegistered | r.TerminalRenewed, terminal: str
) -> None:
    certificate = Certificate(
        terminal=terminal,
        report_key=record.report_public_key,
        since_ms=record.at_ms,
        until_ms=record.until_ms,
    )
    if tables.terminal.get(terminal) is None:
        raise JournalFailed("the journal cannot be written: the terminal is not on the list")
    tables.terminal_certificate.insert(record.fingerprint, certificate)


def _terminal_registered(tables: Tables, record: r.TerminalRegistered) -> None:
    terminal = Terminal(
        line_id=record.line_id,
        chain=record.chain,
        store=record.store,
        in_city=record.in_city,
        terminal_class=record.terminal_class,
        registered_at_ms=record.at_ms,
    )
    add_terminal(tables, record.terminal, terminal)
    _certify(tables, record, record.terminal)


def _change_certificates(
    tables: Tables, terminal: str, change: Callable[[Certificate], Certificate]
) -> None:
    for fingerprint, one in list(tables.terminal_certificate.items()):
        if one.terminal == terminal and one.revoked_at_ms is None:
            tables.terminal_certificate.put(fingerprint, change(one))


def _terminal_renewed(tables: Tables, record: r.TerminalRenewed) -> None:
    def end(one: Certificate) -> Certificate:
        return _with(one, until_ms=min(one.until_ms, record.others_until_ms))

    _change_certificates(tables, record.terminal, end)
    _certify(tables, record, record.terminal)


def _terminal_revoked(tables: Tables, record: r.TerminalRevoked) -> None:
    terminal, at_ms = record.terminal, record.at_ms
    known = tables.terminal.get(terminal)
    if known is not None and known.revoked_at_ms is None:
        _change_terminal(tables, terminal, revoked_at_ms=at_ms)
    _change_certificates(tables, terminal, lambda one: _with(one, revoked_at_ms=at_ms))
    _end_opening(tables, terminal, at_ms, None, end=OpeningEnd.REVOKED)


def _day_closed(tables: Tables, record: r.DayClosed) -> None:
    tables.closed_day.insert(record.day, (record.at_ms, record.operator))


def _carried_over(tables: Tables, record: r.LineCarriedOver) -> None:
    key = (record.day, record.terminal)
    if tables.line_carried_over.get(key) is None:
        tables.line_carried_over.put(key, record.at_ms)


def _difference_settled(tables: Tables, record: r.DifferenceSettled) -> None:
    for number, one in list(tables.line_opening.items()):
        mine = one.terminal == record.terminal and one.opened_day <= record.day
        if mine and one.differs and one.settled_at_ms is None:
            tables.line_opening.put(number, _with(one, settled_at_ms=record.at_ms))


def _acted(tables: Tables, record: r.OperatorActed) -> None:
    tables.operator_nonce.insert(record.nonce, (record.operator, None))


def _act_ended(tables: Tables, record: r.OperatorActEnded) -> None:
    acted = tables.operator_nonce.get(record.nonce)
    if record.outcome is r.ActOutcome.REFUSED and acted is not None:
        tables.operator_nonce.put(record.nonce, (acted[0], record.reason))


def _judge_reported(tables: Tables, record: r.JudgeReported) -> None:
    tables.judge_report.put(None, (record.number, record.reported_at_ms))


def _issuing_stopped(tables: Tables, record: r.IssuingStopped) -> None:
    tables.issuing_stopped.put(None, record)


def _issuing_reopened(tables: Tables, _record: r.IssuingReopened) -> None:
    tables.issuing_stopped.drop(None)


def _manifest_declared(tables: Tables, record: r.ManifestDeclared) -> None:
    tables.manifest.put(None, record.items)


def _restored(tables: Tables, record: r.Restored) -> None:
    tables.first_serial.put(None, record.first_serial)


def _tables_loaded(tables: Tables, record: r.TablesLoaded) -> None:
    load_tables(tables, record.content, record.at_ms, record.operator)


def load_tables(tables: Tables, content: bytes, at_ms: int, operator: str | None = None) -> None:
    """Keep a version of the city's tables beside the others; it is in force."""
    loaded = LoadedTables(
        loaded_at_ms=at_ms,
        digest=hashlib.sha256(content).digest(),
        content=content,
        operator=operator,
    )
    tables.city_tables.put(sum(1 for _ in tables.city_tables.items()) + 1, loaded)


def _suppression_set(tables: Tables, record: r.SuppressionSet) -> None:
    until = record.until_day
    suppression = Suppression(
        suppression_id=record.suppression_id,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        reason=record.reason,
        level=record.level,
        since_ms=record.at_ms,
        until=None if until is None else date.fromisoformat(until),
        origin=record.origin,
    )
    set_suppression(tables, suppression)


def _suppression_lifted(tables: Tables, record: r.SuppressionLifted) -> None:
    lift_suppression(tables, record.suppression_id)


def _unsubscribed(tables: Tables, record: r.NoticeUnsubscribed) -> None:
    tables.notice_subscription.drop(record.resident_id)
    for key, notice in list(tables.notice.items()):
        if notice.resident_id == record.resident_id and notice.state is NoticeState.PENDING:
            tables.notice.drop(key)


def _registration_begun(tables: Tables, record: r.CardRegistrationBegun) -> None:
    begun = CardRegistration(kind=record.kind, resident_id=record.resident_id)
    tables.card_registration.insert(record.card_ref, begun)


def _card_changed(tables: Tables, record: r.CardChanged) -> None:
    card_ref, at_ms = record.card_ref, record.at_ms
    card, begun = tables.card.get(card_ref), tables.card_registration.get(card_ref)
    match record.step:
        case CardStep.REGISTERED if begun is not None:
            registered = Card(
                kind=begun.kind,
                resident_id=begun.resident_id,
                certificate_serial=begun.certificate_serial,
                registered_at_ms=at_ms,
                usable_from=record.usable_from,
            )
            add_card(tables, card_ref, registered)
            tables.card_registration.drop(card_ref)
        case CardStep.CANCELLED:
            tables.card_registration.drop(card_ref)
        case CardStep.WITHDRAWN if card is not None:
            tables.card.put(card_ref, _with(card, withdrawn_at_ms=at_ms))
            if card.certificate_serial is not None:
                tables.card_of_serial.drop(card.certificate_serial)
        case CardStep.PIN_RESET if card is not None:
            tables.card.put(card_ref, _with(card, usable_from=record.usable_from))


def _change_request(tables: Tables, request_id: bytes, **changes: Any) -> Request | None:
    request = tables.domicile_request.get(request_id)
    if request is None:
        return None
    changed = _with(request, **changes)
    tables.domicile_request.put(request_id, changed)
    if changed.state is RequestState.APPROVED:
        tables.approved_request.put(changed.card_ref, request_id)
    elif tables.approved_request.get(changed.card_ref) == request_id:
        tables.approved_request.drop(changed.card_ref)
    return changed


def _requested(tables: Tables, record: r.DomicileRequested) -> None:
    request = Request(
        terminal=record.terminal,
        card_ref=record.card_ref,
        request_digest=record.request_digest,
        asked_at_ms=record.at_ms,
    )
    tables.domicile_request.insert(record.request_id, request)


def _matched(tables: Tables, record: r.DomicileMatched) -> None:
    found = {"resident_id": record.resident_id, "matched_by": record.operator}
    _change_request(tables, record.request_id, state=RequestState.MATCHED, **found)


def _approved(tables: Tables, record: r.DomicileApproved) -> None:
    decided = {"usable_from": record.day, "decided_at_ms": record.at_ms}
    state = RequestState.APPROVED
    request = _change_request(tables, record.request_id, state=state, **decided)
    serial = tables.domicile_applicant.get(record.request_id)
    if request is None or serial is None or tables.card.get(request.card_ref) is not None:
        return
    if tables.card_of_serial.get(serial) is None and request.resident_id is not None:
        card = Card(
            kind=CardKind.MYNUMBER,
            resident_id=request.resident_id,
            certificate_serial=serial,
            registered_at_ms=record.at_ms,
            usable_from=request.usable_from,
        )
        add_card(tables, request.card_ref, card)


def _rejected(tables: Tables, record: r.DomicileRejected) -> None:
    decided = {"state": RequestState.REJECTED, "decided_at_ms": record.at_ms}
    _change_request(tables, record.request_id, **decided)


def _register_taken(tables: Tables, record: r.RegisterImported | r.RegisterFed) -> None:
    whole = {"gap": None, "gap_at_ms": None}
    taken = {"sequence": record.sequence, "watermark_ms": record.watermark_ms}
    change_state(tables, **taken, **whole)


def _gap_found(tables: Tables, record: r.RegisterGapFound) -> None:
    change_state(tables, gap=(record.expected, record.found), gap_at_ms=record.at_ms)


def _stand_in_begun(tables: Tables, record: r.StandInBegun) -> None:
    change_state(tables, stand_in_since_ms=record.at_ms, stand_in_until_ms=record.until_ms)


def _stand_in_ended(tables: Tables, record: r.StandInEnded) -> None:
    change_state(tables, stand_in_since_ms=None, stand_in_until_ms=None)


HOUSE_CHANGES: dict[type[Any], Callable[[Tables, Any], None]] = {
    r.LineOpened: _line_opened,
    r.LineClosed: _line_closed,
    r.LineStopped: _line_stopped,
    r.LineReopened: _line_reopened,
    r.TerminalRegistered: _terminal_registered,
    r.TerminalRenewed: _terminal_renewed,
    r.TerminalRevoked: _terminal_revoked,
    r.DayClosed: _day_closed,
    r.LineCarriedOver: _carried_over,
    r.DifferenceSettled: _difference_settled,
    r.OperatorActed: _acted,
    r.OperatorActEnded: _act_ended,
    r.JudgeReported: _judge_reported,
    r.IssuingStopped: _issuing_stopped,
    r.IssuingReopened: _issuing_reopened,
    r.ManifestDeclared: _manifest_declared,
    r.Restored: _restored,
    r.TablesLoaded: _tables_loaded,
    r.SuppressionSet: _suppression_set,
    r.SuppressionLifted: _suppression_lifted,
    r.NoticeUnsubscribed: _unsubscribed,
    r.CardRegistrationBegun: _registration_begun,
    r.CardChanged: _card_changed,
    r.DomicileRequested: _requested,
    r.DomicileMatched: _matched,
    r.DomicileApproved: _approved,
    r.DomicileRejected: _rejected,
    r.RegisterImported: _register_taken,
    r.RegisterFed: _register_taken,
    r.RegisterGapFound: _gap_found,
    r.StandInBegun: _stand_in_begun,
    r.StandInEnded: _stand_in_ended,
}
"""By the type of the record; of the others, nothing stands in a table that the runtime reads."""
