"""The screens from the money to the door: money, printing, paper, receipt, and what went wrong."""

from protocol.codes import ReplyCode
from terminal_sim.kiosk.screens import Choice, Line, Screen, Sheets, Thing
from terminal_sim.kiosk.state import Asking, Panel, Reason, Stop

COINS_YEN = (10, 50, 100, 500)
NOTES_YEN = (1_000, 5_000)
_CANCEL = Choice("cancel", "cancel", look="quiet")


def money(panel: Panel) -> Screen:
    """Ask for the fee."""
    visit = panel.visit
    missing_yen = visit.fee_yen - visit.inserted_yen
    rest = (
        Line("row-missing", {"value_key": "yen", "fee": missing_yen}, tone="row")
        if missing_yen > 0
        else Line("row-change", {"value_key": "yen", "fee": -missing_yen}, tone="row")
    )
    return Screen(
        name="money",
        lines=(
            Line("money-hint"),
            Line("row-fee", {"value_key": "yen", "fee": visit.fee_yen}, tone="row"),
            Line("row-inserted", {"value_key": "yen", "fee": visit.inserted_yen}, tone="row"),
            rest,
            Line("sheets-will", {"sheets": visit.sheets}, tone="soft"),
        ),
        choices=(Choice("pay", "pay", look="primary", can=missing_yen <= 0), _CANCEL),
        things=(
            *(
                Thing("coin" if yen in COINS_YEN else "note", f"yen:{yen}", yen=yen)
                for yen in (*COINS_YEN, *NOTES_YEN)
            ),
            *((Thing("e-money", "tap"),) if visit.inserted_yen == 0 else ()),
        ),
    )


def printing(panel: Panel) -> Screen:
    """Show the sheets as they come out."""
    visit = panel.visit
    coming = min(visit.sheets_out + 1, visit.sheets)
    return Screen(
        name="printing",
        busy=True,
        private=True,
        lines=(
            Line("printing-sheet", {"sheet": coming, "sheets": visit.sheets}, tone="strong"),
            Line("do-not-leave"),
        ),
        sheets=_sheets(panel),
    )


def paper(panel: Panel) -> Screen:
    """Tell how many sheets there are and what to do with them."""
    copies = panel.visit.paid[-1].copies if panel.visit.paid else 1
    sheets = panel.visit.sheets // copies
    together = "one-sheet" if sheets == 1 else "unstapled"
    if copies > 1:
        together = f"copies-{together}"
    return Screen(
        name="paper",
        private=True,
        lines=(
            Line(together, {"copies": copies, "sheets": sheets}, tone="strong"),
            Line("envelopes"),
            Line("no-refund", tone="soft"),
        ),
        sheets=_sheets(panel),
        things=(Thing("paper", "paper-taken"),),
    )


def more(panel: Panel) -> Screen:
    """Give the receipt, and offer another certificate."""
    paid = panel.visit.paid
    rows = tuple(
        Line(
            f"kind-{row.kind.value}",
            {
                "value_key": "receipt-row",
                "copies": row.copies,
                "sheets": row.sheets,
                "fee": row.yen,
            },
            tone="row",
        )
        for row in paid
    )
    total_yen = sum(row.yen for row in paid)
    change = (
        (Line("row-change", {"value_key": "yen", "fee": panel.visit.change_yen}, tone="row"),)
        if panel.visit.change_yen
        else ()
    )
    return Screen(
        name="more",
        lines=(
            *rows,
            Line("row-total", {"value_key": "yen", "fee": total_yen}, tone="row"),
            *change,
            Line("receipt-out", tone="soft"),
        ),
        choices=_further(panel),
    )


def stopped(panel: Panel) -> Screen:
    """Say why it went no further, where the money is, and what can be done."""
    stop = panel.visit.stop or Stop(reason=Reason.LINE)
    locked = stop.refusal is not None and stop.refusal.code is ReplyCode.CARD_LOCKED
    lines = [Line(_sentence(stop), tone="strong")]
    if stop.returned_yen:
        key = "returned-e-money" if panel.visit.by_e_money else "returned"
        lines.append(Line(key, {"fee": stop.returned_yen}))
    if stop.sheets_out:
        lines.append(Line("void-sheets", {"sheets": stop.sheets_out}, tone="warning"))
    if stop.reason is Reason.PRINTER:
        lines.append(Line("ask-staff"))
    if stop.reason is Reason.TIME and panel.visit.paid == ():
        lines.append(Line("nothing-charged", tone="soft"))
    lines += contact(panel)
    title = f"title-stopped-{stop.reason.value}"
    card_in = panel.visit.card_in
    if card_in:
        lines.insert(1, Line("take-card-back", tone="warning"))
    return Screen(
        name="stopped",
        title="title-locked" if locked else title,
        lines=tuple(lines),
        choices=() if card_in else _further(panel),
        things=(card_in_slot(panel),) if card_in else (),
    )


def goodbye(_panel: Panel) -> Screen:
    """Thank the person."""
    return Screen(
        name="goodbye",
        lines=(Line("goodbye-hint"),),
        choices=(Choice("home", "home", look="quiet"),),
    )


def contact(panel: Panel) -> tuple[Line, ...]:
    """Return where a person can ask: the city's number and hours, once they are known."""
    if not panel.call_centre:
        return ()
    return (Line("contact", {"contact": panel.call_centre}, tone="contact"),)


def card_in_slot(panel: Panel) -> Thing:
    """Return the card as it lies in the slot."""
    holder = next((card.holder for card in panel.cards if card.name == panel.visit.card), "")
    return Thing("card-in-slot", "card-taken", label=holder)


def _further(panel: Panel) -> tuple[Choice, ...]:
    if panel.asking is not Asking.CHOICE:
        return (Choice("home", "finish", look="primary"),)
    another = Choice("another", "another", can=not panel.printer_fails)
    return (Choice("finish", "finish", look="primary"), another)


def _sheets(panel: Panel) -> Sheets:
    visit = panel.visit
    return Sheets(panel.papers, visit.sheets_out, visit.sheets, panel.veiled)


def _sentence(stop: Stop) -> str:
    if stop.refusal is not None:
        return f"code-{stop.refusal.code.value}"
    return f"stopped-{stop.reason.value}"
