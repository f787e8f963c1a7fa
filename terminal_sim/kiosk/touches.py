"""What a touch means. It was offered by the screen; that is not asked again here."""

from collections.abc import Callable
from dataclasses import replace

from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret
from terminal_sim.customer import Choice
from terminal_sim.kiosk import prepared
from terminal_sim.kiosk.inputs import CancelIssuance, DrawPad, Give, InsertCard, Order
from terminal_sim.kiosk.state import (
    ALARM_AGAIN_MS,
    INSERTED_YEN_MAX,
    Asking,
    Panel,
    Reason,
    Stage,
    Stop,
    Wish,
)

Result = tuple[Panel, tuple[Order, ...]]


def touched(panel: Panel, touch: str, now_ms: int) -> Result:
    """Return the panel after a touch that its screen offers."""
    word, _, value = touch.partition(":")
    moved, orders = _MEANINGS[word](panel, value, now_ms)
    if moved.stage is panel.stage and word != "quiet":
        moved = moved.renewed(now_ms)
    return moved, orders


def give(panel: Panel, answer: Secret | Choice | int | None) -> Result:
    """Answer what the terminal asks."""
    return replace(panel, asking=Asking.NOTHING), (Give(answer=answer),)


def _go(stage: Stage) -> Callable[[Panel, str, int], Result]:
    return lambda panel, _, now_ms: (panel.enter(stage, now_ms), ())


def _home(panel: Panel, _: str, now_ms: int) -> Result:
    return panel.cleared(now_ms), ()


def _card(panel: Panel, name: str, now_ms: int) -> Result:
    inserted = panel.enter(Stage.CONNECTING, now_ms, card=name, card_in=True)
    return inserted, (InsertCard(card=name),)


def _take_card(panel: Panel, _: str, now_ms: int) -> Result:
    if panel.stage is Stage.TAKE_CARD:
        return _to_choice(panel.enter(Stage.KINDS, now_ms, card_in=False), now_ms), ()
    return panel.enter(Stage.STOPPED, now_ms, card_in=False), ()


def _to_choice(panel: Panel, now_ms: int) -> Panel:
    """Go to what was prepared at home, if it is to be had here and now, or let the person choose.

    A code is good for one certificate of a visit.
    """
    wish = panel.visit.prepared
    offer = None if wish is None else panel.visit.offer(wish.kind)
    if wish is None or offer is None:
        return panel
    scope = wish.scope if wish.scope in offer.scopes else Scope.SELF
    wish = replace(wish, scope=scope, items=wish.items & frozenset(offer.items))
    stage = Stage.MEMBERS if scope is Scope.SOME else Stage.CONFIRM
    return panel.enter(stage, now_ms, wish=wish, prepared=None)


def _letter(panel: Panel, letter: str, _now_ms: int) -> Result:
    code = panel.visit.code + letter
    return replace(panel, visit=replace(panel.visit, code=code, code_fault="")), ()


def _unletter(panel: Panel, _: str, _now_ms: int) -> Result:
    return replace(panel, visit=replace(panel.visit, code=panel.visit.code[:-1])), ()


def _prepared(panel: Panel, held: str, now_ms: int) -> Result:
    wish = prepared.wish_of(held or panel.visit.code, now_ms)
    if isinstance(wish, prepared.Unusable):
        return panel.enter(Stage.PREPARED, now_ms, code="", code_fault=wish.value), ()
    return panel.enter(Stage.NOTICE, now_ms, code="", code_fault="", prepared=wish), ()


def _pad(panel: Panel, position: str, _now_ms: int) -> Result:
    visit = panel.visit
    digit = Secret(b"%d" % visit.digits[int(position)])
    return replace(panel, visit=replace(visit, typed=(*visit.typed, digit))), ()


def _erase(panel: Panel, _: str, _now_ms: int) -> Result:
    return replace(panel, visit=replace(panel.visit, typed=panel.visit.typed[:-1])), ()


def _shuffle(panel: Panel, _: str, _now_ms: int) -> Result:
    return panel, (DrawPad(),)


def _pin_typed(panel: Panel, _: str, now_ms: int) -> Result:
    pin = Secret(b"".join(digit.reveal() for digit in panel.visit.typed))
    return give(panel.enter(Stage.CHECKING, now_ms, typed=()), pin)


def _kind(panel: Panel, name: str, now_ms: int) -> Result:
    kind = Kind(name)
    offer = panel.visit.offer(kind)
    scopes = offer.scopes if offer is not None else ()
    items = offer.items if offer is not None else ()
    scope = Scope.SELF if Scope.SELF in scopes or not scopes else scopes[0]
    stage = Stage.OPTIONS if len(scopes) > 1 or items else Stage.COPIES
    return panel.enter(stage, now_ms, wish=Wish(kind=kind, scope=scope)), ()


def _wish(panel: Panel) -> Wish:
    return panel.visit.wish or Wish(kind=Kind.JUMINHYO)


def _with_wish(panel: Panel, wish: Wish) -> Result:
    return replace(panel, visit=replace(panel.visit, wish=wish)), ()


def _scope(panel: Panel, name: str, _now_ms: int) -> Result:
    return _with_wish(panel, replace(_wish(panel), scope=Scope(name)))


def _item(panel: Panel, name: str, _now_ms: int) -> Result:
    wish = _wish(panel)
    return _with_wish(panel, replace(wish, items=wish.items ^ {Item(name)}))


def _member(panel: Panel, number: str, _now_ms: int) -> Result:
    wish = _wish(panel)
    return _with_wish(panel, replace(wish, members=wish.members ^ {int(number)}))


def _copies(change: int) -> Callable[[Panel, str, int], Result]:
    def changed(panel: Panel, _: str, _now_ms: int) -> Result:
        wish = _wish(panel)
        return _with_wish(panel, replace(wish, copies=wish.copies + change))

    return changed


def _next(panel: Panel, _: str, now_ms: int) -> Result:
    some = _wish(panel).scope is Scope.SOME
    following = {
        Stage.OPTIONS: Stage.MEMBERS if some else Stage.COPIES,
        Stage.MEMBERS: Stage.COPIES,
        Stage.COPIES: Stage.CONFIRM,
    }
    return panel.enter(following[panel.stage], now_ms), ()


def _back(panel: Panel, _: str, now_ms: int) -> Result:
    wish = _wish(panel)
    offer = panel.visit.offer(wish.kind)
    chosen = offer is not None and (len(offer.scopes) > 1 or bool(offer.items))
    before_copies = Stage.OPTIONS if chosen else Stage.KINDS
    before = {
        Stage.NOTICE: Stage.START,
        Stage.CARD: Stage.NOTICE,
        Stage.OPTIONS: Stage.KINDS,
        Stage.MEMBERS: Stage.OPTIONS,
        Stage.COPIES: Stage.MEMBERS if wish.scope is Scope.SOME else before_copies,
        Stage.CONFIRM: Stage.COPIES,
    }
    return panel.enter(before[panel.stage], now_ms), ()


def _confirm(panel: Panel, _: str, now_ms: int) -> Result:
    wish = _wish(panel)
    options = Options(
        scope=wish.scope,
        members=tuple(sorted(wish.members)) if wish.scope is Scope.SOME else (),
        items=tuple(item for item in Item if item in wish.items),
    )
    fresh = {"cancelled": False, "by_e_money": False, "sheets": 0, "sheets_out": 0}
    preparing = panel.enter(Stage.PREPARING, now_ms, **fresh)
    return give(preparing, Choice(kind=wish.kind, options=options, copies=wish.copies))


def _yen(panel: Panel, amount: str, _now_ms: int) -> Result:
    inserted_yen = min(panel.visit.inserted_yen + int(amount), INSERTED_YEN_MAX)
    return replace(panel, visit=replace(panel.visit, inserted_yen=inserted_yen)), ()


def _pay(panel: Panel, _: str, now_ms: int) -> Result:
    return give(panel.enter(Stage.RELEASING, now_ms), panel.visit.inserted_yen)


def _tap(panel: Panel, _: str, now_ms: int) -> Result:
    """Take the fee from a card of electronic money: exactly, so that there is no change."""
    fee_yen = panel.visit.fee_yen
    paid = panel.enter(Stage.RELEASING, now_ms, inserted_yen=fee_yen, by_e_money=True)
    return give(paid, fee_yen)


def _cancel(panel: Panel, _: str, now_ms: int) -> Result:
    if panel.stage is Stage.PREPARING:
        return panel.enter(Stage.PREPARING, now_ms, cancelled=True), (CancelIssuance(),)
    if panel.stage is Stage.MONEY:
        stop = Stop(reason=Reason.CANCELLED, returned_yen=panel.visit.inserted_yen)
        return give(panel.enter(Stage.STOPPED, now_ms, stop=stop, inserted_yen=0), 0)
    if panel.visit.card_in:
        stop = Stop(reason=Reason.CANCELLED)
        return give(panel.enter(Stage.STOPPED, now_ms, stop=stop, typed=()), None)
    return give(panel.enter(Stage.GOODBYE, now_ms), None)


def _another(panel: Panel, _: str, now_ms: int) -> Result:
    return panel.enter(Stage.KINDS, now_ms, stop=None, wish=None, change_yen=0), ()


def _finish(panel: Panel, _: str, now_ms: int) -> Result:
    going = panel.enter(Stage.GOODBYE, now_ms)
    return give(going, None) if panel.asking is Asking.CHOICE else (going, ())


def _stay(panel: Panel, _: str, _now_ms: int) -> Result:
    return panel, ()


def _quiet(panel: Panel, _: str, now_ms: int) -> Result:
    return replace(panel, alarm=False, leaves_at_ms=now_ms + ALARM_AGAIN_MS), ()


def _veil(panel: Panel, _: str, _now_ms: int) -> Result:
    return replace(panel, veiled=not panel.veiled), ()


_MEANINGS: dict[str, Callable[[Panel, str, int], Result]] = {
    "start": _go(Stage.NOTICE),
    "agree": _go(Stage.CARD),
    "home": _home,
    "prepare": _go(Stage.PREPARED),
    "letter": _letter,
    "unletter": _unletter,
    "prepared": _prepared,
    "card": _card,
    "card-taken": _take_card,
    "pad": _pad,
    "erase": _erase,
    "shuffle": _shuffle,
    "pin-typed": _pin_typed,
    "kind": _kind,
    "scope": _scope,
    "item": _item,
    "member": _member,
    "more": _copies(1),
    "fewer": _copies(-1),
    "next": _next,
    "back": _back,
    "confirm": _confirm,
    "yen": _yen,
    "pay": _pay,
    "tap": _tap,
    "cancel": _cancel,
    "paper-taken": _go(Stage.MORE),
    "another": _another,
    "finish": _finish,
    "stay": _stay,
    "quiet": _quiet,
    "veil": _veil,
}
