"""The screens on which a certificate is chosen: kind, contents, members, copies, confirmation."""

from protocol.kinds import Item, Kind, Scope
from protocol.limits import COPIES_MAX
from protocol.telegrams import Unavailable
from terminal_sim.kiosk.screens import Choice, Line, Screen, Values
from terminal_sim.kiosk.state import Panel, Wish

_BACK = Choice("back", "back", look="quiet")
_CANCEL = Choice("cancel", "cancel", look="quiet")


def kinds(panel: Panel) -> Screen:
    """Show what is to be had, and of the rest why not."""
    offered = tuple(
        Choice(
            f"kind:{item.kind.value}",
            f"kind-{item.kind.value}",
            note=Line("fee-each", {"fee": item.fee_yen}),
        )
        for item in panel.visit.items
    )
    others = tuple(
        Choice(f"kind:{one.kind.value}", f"kind-{one.kind.value}", note=_why(one), can=False)
        for one in panel.visit.unavailable
    )
    lines = [Line("kinds-hint") if offered else Line("kinds-none", tone="warning")]
    if panel.visit.prepared is not None:
        lines.insert(0, Line("prepared-missing", tone="warning"))
    return Screen(name="kinds", lines=tuple(lines), choices=(*offered, *others, _CANCEL))


def options(panel: Panel) -> Screen:
    """Show whom the certificate covers and what is printed beside."""
    wish = _wish(panel)
    offer = panel.visit.offer(wish.kind)
    scopes = offer.scopes if offer is not None and len(offer.scopes) > 1 else ()
    items = offer.items if offer is not None else ()
    return Screen(
        name="options",
        lines=(Line(f"kind-{wish.kind.value}", tone="strong"),),
        choices=(
            *(
                Choice(f"scope:{one.value}", scope_key(wish.kind, one), chosen=one is wish.scope)
                for one in scopes
            ),
            *(
                Choice(f"item:{one.value}", _item_key(one), chosen=one in wish.items)
                for one in items
            ),
            Choice("next", "next", look="primary"),
            _BACK,
            _CANCEL,
        ),
    )


def members(panel: Panel) -> Screen:
    """Show who is in the household."""
    wish, veiled = _wish(panel), panel.veiled
    return Screen(
        name="members",
        private=True,
        lines=(Line("members-hint"),),
        choices=(
            *(
                Choice(
                    f"member:{one.number}",
                    "member-veiled" if veiled else "member-name",
                    {"number": one.number} if veiled else {"name": one.name},
                    chosen=one.number in wish.members,
                )
                for one in panel.visit.members
            ),
            Choice("next", "next", look="primary", can=bool(wish.members)),
            _BACK,
            _CANCEL,
        ),
    )


def copies(panel: Panel) -> Screen:
    """Show how many."""
    wish = _wish(panel)
    return Screen(
        name="copies",
        lines=(
            Line(f"kind-{wish.kind.value}", tone="strong"),
            Line("copies-count", {"copies": wish.copies}, tone="large"),
            Line("fee-total", {"fee": fee_yen(panel)}),
        ),
        choices=(
            Choice("fewer", "fewer", can=wish.copies > 1),
            Choice("more", "more", can=wish.copies < COPIES_MAX),
            Choice("next", "next", look="primary"),
            _BACK,
            _CANCEL,
        ),
    )


def confirm(panel: Panel) -> Screen:
    """Show all that was chosen, and what it costs."""
    wish = _wish(panel)
    rows = [_row("row-kind", {"value_key": f"kind-{wish.kind.value}"})]
    offer = panel.visit.offer(wish.kind)
    if offer is not None and len(offer.scopes) > 1:
        rows.append(_row("row-scope", {"value_key": scope_key(wish.kind, wish.scope)}))
    if wish.scope is Scope.SOME:
        rows.append(_row("row-members", {"value_key": "people", "people": len(wish.members)}))
    for item in Item:
        if offer is not None and item in offer.items:
            printed = "printed" if item in wish.items else "not-printed"
            rows.append(_row(_item_key(item), {"value_key": printed}))
    rows.append(_row("row-copies", {"value_key": "copies-count", "copies": wish.copies}))
    rows.append(_row("row-fee", {"value_key": "yen", "fee": fee_yen(panel)}))
    return Screen(
        name="confirm",
        lines=(*rows, Line("no-refund", tone="warning")),
        choices=(Choice("confirm", "confirm", look="primary"), _BACK, _CANCEL),
    )


def fee_yen(panel: Panel) -> int:
    """Return what the menu says that the wish costs."""
    wish = _wish(panel)
    offer = panel.visit.offer(wish.kind)
    return 0 if offer is None else offer.fee_yen * wish.copies


def scope_key(kind: Kind, scope: Scope) -> str:
    """Return the word for whom a certificate covers: a household, or a family register."""
    register = kind in (Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO)
    return f"scope-{scope.value}-register" if register else f"scope-{scope.value}"


def _why(unavailable: Unavailable) -> Line:
    key = f"code-{unavailable.code.value}"
    if unavailable.opens_at_ms is None:
        return Line(key)
    return Line("why-opens", {"why_key": key, "opens": unavailable.opens_at_ms})


def _item_key(item: Item) -> str:
    return f"item-{item.value}"


def _row(key: str, values: Values) -> Line:
    return Line(key, values, tone="row")


def _wish(panel: Panel) -> Wish:
    return panel.visit.wish or Wish(kind=Kind.JUMINHYO)
