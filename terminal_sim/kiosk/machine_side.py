"""What the terminal did, as the panel takes it. Issuances of an earlier visit change no screen."""

from dataclasses import replace

from protocol.kinds import Kind
from protocol.limits import VISIT_MS_MAX
from protocol.telegrams import Refused
from protocol.terminal_statements import FailureCause
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.kiosk.state import (
    CHOOSING,
    WAITING,
    Asking,
    Paid,
    Panel,
    Reason,
    Stage,
    Stop,
    Wish,
)

_REASONS = {
    FailureCause.PRINTER: Reason.PRINTER,
    FailureCause.BINDING_MISMATCH: Reason.MISMATCH,
    FailureCause.NO_RELEASE_ANSWER: Reason.NO_RELEASE,
    FailureCause.POWER_LOSS: Reason.POWER,
}


def happened(panel: Panel, happened_: AnyRecord | out.Leaving, now_ms: int) -> Panel:
    """Return the panel after a record, or something that is about to be done."""
    match happened_:
        case out.LineOpened():
            return replace(panel, call_centre=happened_.call_centre, closed_by=None)
        case r.VisitOpened():
            until_ms = happened_.at_ms + VISIT_MS_MAX
            return replace(panel, visit=replace(panel.visit, until_ms=until_ms))
        case r.Applied() if panel.stage is Stage.PREPARING:
            visit = replace(panel.visit, issuance_id=happened_.issuance_id)
            return replace(panel, visit=visit)
        case out.ReturnCard():
            return _visit_over(panel, happened_, now_ms)
        case r.Withdrawn() | r.PrintFailed() if panel.stage in (Stage.BOOT, Stage.CLOSED):
            return _left_behind(panel, happened_)
    mine = getattr(happened_, "issuance_id", None) == panel.visit.issuance_id
    return _of_issuance(panel, happened_, now_ms) if mine else panel


def _of_issuance(panel: Panel, happened_: AnyRecord | out.Leaving, now_ms: int) -> Panel:
    visit = panel.visit
    match happened_:
        case r.Quoted():
            return replace(panel, visit=replace(visit, sheets=happened_.sheets))
        case out.HoldMoney():
            return replace(panel, visit=replace(visit, change_yen=happened_.change_yen))
        case r.ReleaseGranted() if panel.stage is Stage.RELEASING:
            printing = replace(panel, papers=panel.papers + 1)
            return printing.enter(Stage.PRINTING, now_ms, sheets_out=0)
        case r.SheetLaid():
            return replace(panel, visit=replace(visit, sheets_out=happened_.sheet))
        case r.Printed():
            wish = visit.wish or Wish(kind=Kind.JUMINHYO)
            row = Paid(
                kind=wish.kind,
                copies=wish.copies,
                sheets=visit.sheets,
                yen=happened_.earned_yen,
            )
            return panel.enter(Stage.PAPER, now_ms, paid=(*visit.paid, row))
        case r.Withdrawn() if panel.stage in WAITING | {Stage.MONEY}:
            return panel.enter(Stage.STOPPED, now_ms, stop=_stop_of(panel, happened_))
        case r.PrintFailed() if panel.stage in WAITING | {Stage.PRINTING}:
            return panel.enter(Stage.STOPPED, now_ms, stop=_stop_of(panel, happened_))
    return panel


def _stop_of(panel: Panel, ended: r.Withdrawn | r.PrintFailed) -> Stop:
    code = ended.refusal if isinstance(ended, r.Withdrawn) else None
    reason = _REASONS.get(ended.cause, Reason.LINE)
    if code is not None:
        reason = Reason.REFUSED
    elif panel.visit.cancelled:
        reason = Reason.CANCELLED
    in_slot_yen = panel.visit.inserted_yen if panel.stage is Stage.MONEY else 0
    return Stop(
        reason=reason,
        refusal=None if code is None else Refused(code=code),
        returned_yen=ended.returned_yen + in_slot_yen,
        sheets_out=ended.sheets_out if isinstance(ended, r.PrintFailed) else 0,
    )


def _left_behind(panel: Panel, ended: r.Withdrawn | r.PrintFailed) -> Panel:
    """Remember what a power cut left, for the person who may still stand there."""
    before_yen = 0 if panel.owed is None else panel.owed.returned_yen
    sheets_out = ended.sheets_out if isinstance(ended, r.PrintFailed) else 0
    stop = Stop(
        reason=Reason.POWER,
        returned_yen=before_yen + ended.returned_yen,
        sheets_out=sheets_out,
    )
    return replace(panel, owed=stop)


def _visit_over(panel: Panel, returned: out.ReturnCard, now_ms: int) -> Panel:
    visit_over = replace(panel, asking=Asking.NOTHING)
    before_release = (WAITING | CHOOSING | {Stage.PIN, Stage.TAKE_CARD, Stage.MONEY}) - {
        Stage.RELEASING  # it goes on without its visit
    }
    if panel.stage in before_release:
        reason = Reason.REFUSED
        if returned.refusal is None:
            # Without a word of the city: the visit was too long, or nothing was answered.
            reason = Reason.LINE if panel.stage in WAITING else Reason.TIME
        stop = Stop(
            reason=reason,
            refusal=returned.refusal,
            returned_yen=panel.visit.inserted_yen if panel.stage is Stage.MONEY else 0,
        )
        return visit_over.enter(Stage.STOPPED, now_ms, stop=stop, typed=())
    return visit_over
