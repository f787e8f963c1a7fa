"""Sheets: each is recorded before and after it leaves, and none is ever laid twice."""

from protocol.issuance import IssuanceState
from protocol.terminal_statements import FailureCause
from terminal_sim.core.effects import LaySheet, MakeReady
from terminal_sim.core.endings import complete, fail
from terminal_sim.core.records import SheetLaid, SheetStarted
from terminal_sim.core.state import Issuance
from terminal_sim.core.turn import Turn

S = IssuanceState


def printer_ready(turn: Turn, issuance_id: bytes) -> None:
    """Record the next sheet and let it leave."""
    issuance = turn.issuance(issuance_id)
    if not _printing(issuance) or issuance.sheets_started > issuance.sheets_laid:
        return
    sheet = issuance.sheets_laid + 1
    turn.record(SheetStarted(issuance_id=issuance_id, sheet=sheet, at_ms=turn.now_ms))
    turn.do(LaySheet(issuance_id=issuance_id, sheet=sheet, sheets=_sheets(issuance)))


def sheet_out(turn: Turn, issuance_id: bytes, sheet: int) -> None:
    """Record that the sheet is out; after the last one the fee is earned."""
    issuance = turn.issuance(issuance_id)
    started = issuance.sheets_started > issuance.sheets_laid
    if not _printing(issuance) or not started or sheet != issuance.sheets_started:
        return
    turn.record(SheetLaid(issuance_id=issuance_id, sheet=sheet, at_ms=turn.now_ms))
    if sheet < _sheets(issuance):
        turn.do(MakeReady(issuance_id=issuance_id))
    else:
        complete(turn, issuance_id)


def printer_failed(turn: Turn, issuance_id: bytes) -> None:
    """Stop: what was started may be out, and is never started again."""
    if _printing(turn.issuance(issuance_id)):
        fail(turn, issuance_id, cause=FailureCause.PRINTER, started_may_be_out=True)


def _printing(issuance: Issuance) -> bool:
    return issuance.state is S.RELEASED


def _sheets(issuance: Issuance) -> int:
    return 0 if issuance.quoted is None else issuance.quoted.sheets
