"""What a record of the journal changes in the tables, as the statements of the real store do."""

import heapq
from collections.abc import Callable
from typing import Any

import msgspec

from issuance_server.core import records as r
from issuance_server.core.day_counts import FeeState
from issuance_server.core.notices import notice_key
from protocol.issuance import IssuanceState
from protocol.terminal_statements import PrintOutcome
from tests.sim.store.house_projections import HOUSE_CHANGES
from tests.sim.store.tables import FOREVER_MS, Issuance, Number, Tables, WaitingNotice

_with = msgspec.structs.replace


def project(tables: Tables, record: r.AnyRecord) -> None:
    """Change the tables by a record.

    Raises:
        JournalFailed: a constraint of the real tables would not hold.
    """
    change = _CHANGES.get(type(record))
    if change is not None:
        change(tables, record)


def _open_subject(tables: Tables, subject: bytes, until_ms: int) -> None:
    tables.open_subject.put(subject, until_ms)
    if tables.ends is not None and until_ms != FOREVER_MS:
        heapq.heappush(tables.ends, (until_ms, subject))


def _visit_begun(tables: Tables, record: r.VisitBegun) -> None:
    """Open a subject, and forget those that were over before."""
    if tables.ends is None:
        tables.ends = [(until_ms, subject) for subject, until_ms in tables.open_subject.items()]
        heapq.heapify(tables.ends)
    while tables.ends and tables.ends[0][0] <= record.at_ms:
        until_ms, subject = heapq.heappop(tables.ends)
        if tables.open_subject.get(subject) == until_ms:
            tables.open_subject.drop(subject)
    _open_subject(tables, record.visit_id, record.deadline_ms)


def _close_subject(tables: Tables, issuance_id: bytes) -> None:
    """An issuance that has ended is folded as long as its visit is."""
    if tables.open_subject.get(issuance_id) is None:
        return
    issuance = tables.issuance.get(issuance_id)
    until_ms = None if issuance is None else tables.open_subject.get(issuance.visit_id)
    over = until_ms is None or until_ms == FOREVER_MS
    _open_subject(tables, issuance_id, 0 if over or until_ms is None else until_ms)


def _applied(tables: Tables, record: r.IssuanceApplied) -> None:
    issuance_id = record.issuance_id
    tables.issuance.insert(
        issuance_id,
        Issuance(
            visit_id=record.visit_id,
            terminal=record.terminal,
            card_ref=record.card_ref,
            kind=record.kind,
            copies=record.copies,
            numbers=record.numbers,
            fee_yen=record.fee_yen,
            business_day=record.business_day,
            applied_at_ms=record.at_ms,
        ),
    )
    following = max(record.last_serial + 1, tables.number_serial.get(record.business_day) or 0)
    tables.number_serial.put(record.business_day, following)
    for copy, number in enumerate(record.numbers, start=1):
        tables.certificate_number.insert(number, Number(issuance_id, copy, "reserved"))
    _open_subject(tables, issuance_id, FOREVER_MS)


def _change(tables: Tables, issuance_id: bytes, **changes: Any) -> Issuance | None:
    before = tables.issuance.get(issuance_id)
    if before is not None:
        tables.issuance.put(issuance_id, _with(before, **changes))
    return before


def _set_numbers(tables: Tables, issuance: Issuance | None, state: str) -> None:
    for number in () if issuance is None else issuance.numbers:
        known = tables.certificate_number.get(number)
        if known is not None:
            tables.certificate_number.put(number, _with(known, state=state))


def _quoted(tables: Tables, record: r.IssuanceQuoted) -> None:
    _change(tables, record.issuance_id, state=IssuanceState.QUOTED, sheets=record.sheets)


def _held(tables: Tables, record: r.CiphertextHeld) -> None:
    _change(tables, record.issuance_id, state=IssuanceState.SEALED)


def _released(tables: Tables, record: r.IssuanceReleased) -> None:
    released = {"state": IssuanceState.RELEASED, "fee": FeeState.HELD}
    issuance = _change(tables, record.issuance_id, released_at_ms=record.at_ms, **released)
    _set_numbers(tables, issuance, "valid")


def _print_reported(tables: Tables, record: r.PrintReported) -> None:
    printed = record.outcome is PrintOutcome.PRINTED
    issuance = _change(
        tables,
        record.issuance_id,
        state=IssuanceState.PRINTED if printed else IssuanceState.PRINT_FAILED,
        fee=FeeState.EARNED if printed else FeeState.RETURNED,
        reported_at_ms=record.at_ms,
        failure_cause=None if printed else record.cause,
    )
    if not printed:
        _set_numbers(tables, issuance, "void")
    elif issuance is not None and tables.notice_subscription.any():
        _queue_notice(tables, issuance, record)


def _queue_notice(tables: Tables, issuance: Issuance, record: r.PrintReported) -> None:
    """Put the notice of a printed certificate into the outbox, if one is wanted."""
    card, terminal = tables.card.get(issuance.card_ref), tables.terminal.get(issuance.terminal)
    key = notice_key(record.issuance_id)
    if card is None or terminal is None or tables.notice.get(key) is not None:
        return
    if tables.notice_subscription.get(card.resident_id) is None:
        return
    notice = WaitingNotice(
        resident_id=card.resident_id,
        kind=issuance.kind,
        store=f"{terminal.chain} {terminal.store}",
        issued_business_ms=record.at_ms if record.business_ms is None else record.business_ms,
        queued_at_ms=record.at_ms,
        next_try_at_ms=record.at_ms,
    )
    tables.notice.put(key, notice)


def _deletion_reported(tables: Tables, record: r.DeletionReported) -> None:
    _change(tables, record.issuance_id, deletion_reported=True)


def _key_destroyed(tables: Tables, record: r.KeyDestroyed) -> None:
    before = tables.issuance.get(record.issuance_id)
    printed = before is not None and before.state is IssuanceState.PRINTED
    _change(
        tables,
        record.issuance_id,
        key_destroyed=True,
        ended_at_ms=record.at_ms,
        end_day=record.day,
        state=IssuanceState.COMPLETED if printed else IssuanceState.REVERSED,
    )
    _close_subject(tables, record.issuance_id)


def _withdrawn(tables: Tables, record: r.IssuanceWithdrawn) -> None:
    issuance = _change(
        tables,
        record.issuance_id,
        state=IssuanceState.WITHDRAWN,
        code=int(record.code),
        ended_at_ms=record.at_ms,
        end_day=record.day,
    )
    _set_numbers(tables, issuance, "void")
    _close_subject(tables, record.issuance_id)


def _unconfirmed(tables: Tables, record: r.IssuanceUnconfirmed) -> None:
    _change(tables, record.issuance_id, state=IssuanceState.UNCONFIRMED)


def _closed(tables: Tables, record: r.IssuanceClosed) -> None:
    issuance = _change(
        tables,
        record.issuance_id,
        state=IssuanceState.CLOSED,
        fee=FeeState(record.fee.value),
        ended_at_ms=record.at_ms,
        end_day=record.day,
    )
    earned = record.fee is r.ClosedFee.EARNED
    _set_numbers(tables, issuance, "valid" if earned else "void")
    _close_subject(tables, record.issuance_id)


_CHANGES: dict[type[Any], Callable[[Tables, Any], None]] = HOUSE_CHANGES | {
    r.VisitBegun: _visit_begun,
    r.IssuanceApplied: _applied,
    r.IssuanceQuoted: _quoted,
    r.CiphertextHeld: _held,
    r.IssuanceReleased: _released,
    r.PrintReported: _print_reported,
    r.DeletionReported: _deletion_reported,
    r.KeyDestroyed: _key_destroyed,
    r.IssuanceWithdrawn: _withdrawn,
    r.IssuanceUnconfirmed: _unconfirmed,
    r.IssuanceClosed: _closed,
}
