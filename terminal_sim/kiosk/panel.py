"""The panel as a pure function: ``step(panel, input, now) → panel, orders``.

A touch counts only if the screen offers it. What the terminal does is never held up: its questions
are answered by exactly one ``Give`` each, and what comes late for the screen changes no screen.
"""

from dataclasses import replace

from protocol.telegrams import Refused
from terminal_sim.core import effects as out
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk import machine_side, touches
from terminal_sim.kiosk.inputs import Fault, Order
from terminal_sim.kiosk.showing import screen_of
from terminal_sim.kiosk.state import (
    ALARM_AGAIN_MS,
    CHOOSING,
    WAITING,
    Asking,
    Panel,
    Reason,
    Stage,
    Stop,
    Visit,
)

_Plain = (
    into.PadDrawn
    | into.MembersTold
    | into.PhoneHeld
    | into.Happened
    | into.OpeningEnded
    | into.FaultTurned
)
Result = tuple[Panel, tuple[Order, ...]]


def step(panel: Panel, input_: into.Input, now_ms: int) -> Result:
    """Return the panel after an input, and what is to be done.

    Args:
        panel: as it is.
        input_: what happened.
        now_ms: the terminal's clock.
    """
    match input_:
        case into.Touched():
            return _touched(panel, input_, now_ms)
        case into.TimePassed():
            due = panel.leaves_at_ms is not None and now_ms >= panel.leaves_at_ms
            return _time_is_over(panel, now_ms) if due else (panel, ())
        case into.Asked():
            return _asked(panel, input_.question, now_ms)
        case _:
            return _changed(panel, input_, now_ms), ()


def next_deadline_ms(panel: Panel) -> int | None:
    """Return when ``TimePassed`` is due."""
    return panel.leaves_at_ms


def _touched(panel: Panel, touched: into.Touched, now_ms: int) -> Result:
    screen = screen_of(panel)
    if touched.screen != screen.name or touched.touch not in screen.touches():
        return panel, ()
    return touches.touched(panel, touched.touch, now_ms)


def _changed(panel: Panel, input_: _Plain, now_ms: int) -> Panel:
    """Take what wants nothing done."""
    match input_:
        case into.PadDrawn():
            return replace(panel, visit=replace(panel.visit, digits=input_.digits, typed=()))
        case into.MembersTold():
            return replace(panel, visit=replace(panel.visit, members=input_.members))
        case into.PhoneHeld():
            return replace(panel, phone=input_.code)
        case into.Happened():
            return machine_side.happened(panel, input_.happened, now_ms)
        case into.OpeningEnded():
            return _opening_ended(panel, input_, now_ms)
        case into.FaultTurned():
            return _fault_turned(panel, input_, now_ms)


def _asked(panel: Panel, question: into.Question, now_ms: int) -> Result:
    match question:
        case out.AskForPin():
            if panel.stage not in WAITING:
                return touches.give(panel, None)
            asking = replace(panel, asking=Asking.PIN)
            return asking.enter(Stage.PIN, now_ms, typed=(), refusal=question.refusal), ()
        case out.OfferDomicile():
            stopped = _stopped(panel, now_ms, Stop(reason=Reason.REFUSED, refusal=question.refusal))
            return touches.give(stopped, None)
        case out.ShowMenu():
            return _menu(panel, question, now_ms)
        case out.AskForMoney():
            if panel.stage is not Stage.PREPARING or panel.visit.cancelled:
                return touches.give(panel, 0)
            asking = replace(panel, asking=Asking.MONEY)
            return asking.enter(Stage.MONEY, now_ms, fee_yen=question.fee_yen, inserted_yen=0), ()


def _menu(panel: Panel, menu: out.ShowMenu, now_ms: int) -> Result:
    visit = replace(panel.visit, items=menu.items, unavailable=menu.unavailable)
    asking = replace(panel, asking=Asking.CHOICE, visit=visit)
    if panel.stage is Stage.CHECKING:
        return asking.enter(Stage.TAKE_CARD if visit.card_in else Stage.KINDS, now_ms), ()
    if panel.stage in (Stage.GOODBYE, Stage.START) or _time_was_over(panel):
        return touches.give(asking, None)
    return asking, ()


def _time_was_over(panel: Panel) -> bool:
    stop = panel.visit.stop
    return panel.stage is Stage.STOPPED and stop is not None and stop.reason is Reason.TIME


def _time_is_over(panel: Panel, now_ms: int) -> Result:
    stage, visit = panel.stage, panel.visit
    if stage in (Stage.TAKE_CARD, Stage.PAPER) or (stage is Stage.STOPPED and visit.card_in):
        return replace(panel, alarm=True, leaves_at_ms=now_ms + ALARM_AGAIN_MS), ()
    if stage is Stage.MORE or (stage is Stage.STOPPED and panel.asking is Asking.CHOICE):
        return touches.give(panel.enter(Stage.GOODBYE, now_ms), None)
    if stage is Stage.PIN or stage in CHOOSING:
        return touches.give(_stopped(panel, now_ms, Stop(reason=Reason.TIME)), None)
    if stage is Stage.MONEY:
        stop = Stop(reason=Reason.TIME, returned_yen=visit.inserted_yen)
        return touches.give(_stopped(panel, now_ms, stop), 0)
    return panel.cleared(now_ms), ()


def _stopped(panel: Panel, now_ms: int, stop: Stop) -> Panel:
    return panel.enter(Stage.STOPPED, now_ms, stop=stop, typed=())


def _opening_ended(panel: Panel, ended: into.OpeningEnded, now_ms: int) -> Panel:
    panel = replace(panel, asking=Asking.NOTHING)
    refusal = None if ended.refused is None else Refused(code=ended.refused)
    if panel.stage in (Stage.BOOT, Stage.CLOSED):
        if panel.owed is not None:
            return _stopped(panel, now_ms, panel.owed)
        if ended.opened:
            return panel.cleared(now_ms)
        return replace(panel, closed_by=refusal).enter(Stage.CLOSED, now_ms)
    if panel.stage in WAITING | CHOOSING | {Stage.PIN, Stage.TAKE_CARD, Stage.MONEY}:
        reason = Reason.LINE if refusal is None else Reason.REFUSED
        returned_yen = panel.visit.inserted_yen if panel.stage is Stage.MONEY else 0
        stop = Stop(reason=reason, refusal=refusal, returned_yen=returned_yen)
        return _stopped(panel, now_ms, stop)
    return panel


def _fault_turned(panel: Panel, turned: into.FaultTurned, now_ms: int) -> Panel:
    faults = panel.faults | {turned.fault} if turned.on else panel.faults - {turned.fault}
    panel = replace(panel, faults=faults)
    if turned.fault is not Fault.PLUG or turned.on == (panel.stage is Stage.OFF):
        return panel
    stage = Stage.OFF if turned.on else Stage.BOOT
    # What the process knew is gone with the power; the journal knows the rest.
    dark = replace(panel, visit=Visit(), asking=Asking.NOTHING, owed=None, veiled=False)
    return dark.enter(stage, now_ms)
