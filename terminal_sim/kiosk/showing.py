"""Which screen a panel shows."""

from collections.abc import Callable

from msgspec.structs import replace

from terminal_sim.kiosk import choosing_screens as choosing
from terminal_sim.kiosk import ending_screens as ending
from terminal_sim.kiosk.inputs import Fault
from terminal_sim.kiosk.prepared import ALPHABET, CHARACTERS
from terminal_sim.kiosk.screens import Choice, Letters, Line, Pad, Screen, Thing
from terminal_sim.kiosk.state import (
    PIN_DIGITS_MAX,
    PIN_DIGITS_MIN,
    WARNING_MS,
    Panel,
    Stage,
)

LAST_TRY = 1
_CANCEL = Choice("cancel", "cancel", look="quiet")
_HOME = Choice("home", "home", look="quiet")
_BACK = Choice("back", "back", look="quiet")
_WITHOUT_WARNING = frozenset({Stage.TAKE_CARD, Stage.PAPER, Stage.GOODBYE})
_WITHOUT_LINE = frozenset({Stage.OFF, Stage.BOOT, Stage.START, Stage.CLOSED, Stage.GOODBYE})


def screen_of(panel: Panel) -> Screen:
    """Return what is shown now."""
    stage = panel.stage
    if stage is Stage.START and panel.faults & {Fault.JAM, Fault.TONER, Fault.LINE}:
        stage = Stage.CLOSED
    screen = _SCREENS[stage](panel)
    if Fault.LINE in panel.faults and stage not in _WITHOUT_LINE:
        screen = replace(screen, lines=(Line("line-lost", tone="warning"), *screen.lines))
    alarm = ""
    if panel.alarm:
        alarm = "paper" if stage is Stage.PAPER else "card"
    forgotten = stage is Stage.STOPPED and panel.visit.card_in
    leaves = stage is not Stage.CLOSED and stage not in _WITHOUT_WARNING and not forgotten
    leaves_at_ms = panel.leaves_at_ms if leaves else None
    return replace(
        screen,
        title=screen.title or f"title-{screen.name}",
        alarm=alarm,
        veiled=panel.veiled,
        leaves_at_ms=leaves_at_ms,
        warns_at_ms=None if leaves_at_ms is None else leaves_at_ms - WARNING_MS,
    )


def _off(_panel: Panel) -> Screen:
    return Screen(name="off", lines=(Line("off-hint", tone="soft"),))


def _boot(_panel: Panel) -> Screen:
    return Screen(name="boot", busy=True)


def _closed(panel: Panel) -> Screen:
    if panel.printer_fails:
        why = Line("closed-jam" if Fault.JAM in panel.faults else "closed-toner", tone="strong")
    elif panel.closed_by is not None:
        why = Line(f"code-{panel.closed_by.code.value}", tone="strong")
    else:
        why = Line("closed-line", tone="strong")
    return Screen(name="closed", lines=(why, *ending.contact(panel)))


def _start(_panel: Panel) -> Screen:
    others = ("copy", "print", "photo", "scan")
    return Screen(
        name="start",
        choices=(
            Choice("start", "service", note=Line("service-note"), look="large"),
            Choice("prepare", "prepared", note=Line("prepared-note"), look="wide"),
            *(Choice(other, f"menu-{other}", can=False) for other in others),
        ),
    )


def _prepared(panel: Panel) -> Screen:
    code, fault, phone = panel.visit.code, panel.visit.code_fault, panel.phone
    full = len(code) >= CHARACTERS
    return Screen(
        name="prepared",
        lines=(Line("prepared-hint"), *((Line(fault, tone="warning"),) if fault else ())),
        letters=Letters(ALPHABET, code, full),
        choices=(Choice("prepared", "pin-done", look="primary", can=full), _HOME),
        things=(Thing("phone", f"prepared:{phone}", label=phone),) if phone else (),
    )


def _notice(panel: Panel) -> Screen:
    wish = panel.visit.prepared
    lines = tuple(Line(f"notice-{number}", tone="point") for number in range(1, 6))
    if wish is not None:
        lines = (Line("prepared-read", {"kind_key": f"kind-{wish.kind.value}"}, "strong"), *lines)
    return Screen(
        name="notice",
        lines=lines,
        choices=(Choice("agree", "agree", look="primary"), _HOME),
    )


def _card(panel: Panel) -> Screen:
    return Screen(
        name="card",
        lines=(Line("card-hint"), Line("card-tray", tone="soft")),
        choices=(_BACK, _HOME),
        things=tuple(
            Thing("card", f"card:{card.name}", label=card.holder, form=card.form, pin=card.pin)
            for card in panel.cards
        ),
    )


def _busy(name: str) -> Callable[[Panel], Screen]:
    return lambda _panel: Screen(name=name, lines=(Line(f"{name}-hint"),), busy=True)


def _pin(panel: Panel) -> Screen:
    visit, refusal = panel.visit, panel.visit.refusal
    lines = [Line("pin-hint")]
    if refusal is not None:
        lines.append(Line(f"code-{refusal.code.value}", tone="warning"))
        if refusal.tries_left is not None:
            key = "last-try" if refusal.tries_left == LAST_TRY else "tries-left"
            lines.append(Line(key, {"tries": refusal.tries_left}, tone="warning"))
    enough = len(visit.typed) >= PIN_DIGITS_MIN
    return Screen(
        name="pin",
        lines=tuple(lines),
        pad=Pad(visit.digits, len(visit.typed), len(visit.typed) >= PIN_DIGITS_MAX),
        choices=(Choice("pin-typed", "pin-done", look="primary", can=enough), _CANCEL),
    )


def _take_card(panel: Panel) -> Screen:
    return Screen(
        name="take-card",
        lines=(Line("take-card-hint"),),
        things=(ending.card_in_slot(panel),),
    )


def _preparing(panel: Panel) -> Screen:
    if panel.visit.cancelled:
        return Screen(name="preparing", lines=(Line("cancelling"),), busy=True)
    return Screen(name="preparing", lines=(Line("preparing-hint"),), choices=(_CANCEL,), busy=True)


_SCREENS: dict[Stage, Callable[[Panel], Screen]] = {
    Stage.OFF: _off,
    Stage.BOOT: _boot,
    Stage.CLOSED: _closed,
    Stage.START: _start,
    Stage.PREPARED: _prepared,
    Stage.NOTICE: _notice,
    Stage.CARD: _card,
    Stage.CONNECTING: _busy("connecting"),
    Stage.PIN: _pin,
    Stage.CHECKING: _busy("checking"),
    Stage.TAKE_CARD: _take_card,
    Stage.KINDS: choosing.kinds,
    Stage.OPTIONS: choosing.options,
    Stage.MEMBERS: choosing.members,
    Stage.COPIES: choosing.copies,
    Stage.CONFIRM: choosing.confirm,
    Stage.PREPARING: _preparing,
    Stage.MONEY: ending.money,
    Stage.RELEASING: _busy("releasing"),
    Stage.PRINTING: ending.printing,
    Stage.PAPER: ending.paper,
    Stage.MORE: ending.more,
    Stage.STOPPED: ending.stopped,
    Stage.GOODBYE: ending.goodbye,
}
