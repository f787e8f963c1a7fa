"""Events of sample family registers, worded as computerised registers word them."""

from datetime import date, timedelta

from issuance_server.certificates.dates import registered
from issuance_server.core.family_register import RegisterEvent, RegisterItem
from issuance_server.core.register import RegisterDate
from issuance_server.sample.city import CITY, PREFECTURE

COMPUTERISED_ON = date(2003, 3, 1)
"""Registers made earlier were copied on this day."""
_COPIED_BECAUSE = "平成6年法務省令第51号附則第2条第1項による改製"
_NOTIFIED_AFTER = timedelta(days=9)
_FORWARDED_AFTER = timedelta(days=13)


Pair = tuple[str, RegisterDate | date | str]
"""Heading, and words or a day."""


def event(title: str, *pairs: Pair) -> RegisterEvent:
    """Return an event with an item for each pair."""
    return RegisterEvent(title=title, items=_items(*pairs))


def _items(*pairs: Pair) -> tuple[RegisterItem, ...]:
    return tuple(
        RegisterItem(heading=heading, value=registered(value) if isinstance(value, date) else value)
        for heading, value in pairs
    )


def made(on: date) -> tuple[RegisterEvent, ...]:
    """Return how a register came into being."""
    if on < COMPUTERISED_ON:
        copied = ("改製日", COMPUTERISED_ON), ("改製事由", _COPIED_BECAUSE)
        return (event("戸籍改製", *copied),)
    return (event("戸籍編製", ("編製日", on)),)


def birth(born: RegisterDate, by: str, where: str = f"{PREFECTURE}{CITY}") -> RegisterEvent:
    """Return 出生; the day of notification is known only where the day of birth is."""
    items: list[Pair] = [("出生日", born), ("出生地", where)]
    if born.on is not None:
        items.append(("届出日", born.on + _NOTIFIED_AFTER))
    return event("出生", *items, ("届出人", by))


def marriage(on: date, spouse: str, came_from: str) -> RegisterEvent:
    """Return 婚姻 in the register of the new couple."""
    return event("婚姻", ("婚姻日", on), ("配偶者氏名", spouse), ("従前戸籍", came_from))


def marriage_away(on: date, spouse: str, new_register: str, family_name: str) -> RegisterEvent:
    """Return 婚姻 in the register that is left: sent on by another office."""
    return event(
        "婚姻",
        ("婚姻日", on),
        ("配偶者氏名", spouse),
        ("送付を受けた日", on + _FORWARDED_AFTER),
        ("受理者", "京都府京都市左京区長"),
        ("新本籍", new_register),
        ("称する氏", family_name),
    )


def divorce_and_return(on: date, spouse: str, left_register: str) -> RegisterEvent:
    """Return 離婚 with the return into this register."""
    return event(
        "離婚",
        ("離婚日", on),
        ("配偶者氏名", spouse),
        ("送付を受けた日", on + _FORWARDED_AFTER),
        ("受理者", "京都府京都市左京区長"),
        ("従前戸籍", left_register),
    )


def adoption(on: date, father: str, mother: str, new_register: str) -> RegisterEvent:
    """Return 養子縁組 of a grown child who leaves the register."""
    return event(
        "養子縁組",
        ("縁組日", on),
        ("養父氏名", father),
        ("養母氏名", mother),
        ("入籍戸籍", new_register),
    )


def own_register(on: date, came_from: str) -> RegisterEvent:
    """Return 分籍."""
    return event("分籍", ("分籍日", on), ("従前戸籍", came_from))


def death(on: date, by: str) -> RegisterEvent:
    """Return 死亡."""
    return event(
        "死亡",
        ("死亡日", on),
        ("死亡時分", "推定午前4時20分"),
        ("死亡地", f"{PREFECTURE}{CITY}"),
        ("届出日", on + timedelta(days=2)),
        ("届出人", by),
    )


def correction(on: date, what: str, before: Pair, because: str) -> RegisterEvent:
    """Return 訂正 with the entry as it was."""
    corrected = _items(("訂正日", on), ("訂正事項", what), ("訂正事由", because))
    earlier = RegisterItem(heading="従前の記録", items=_items(before))
    return RegisterEvent(title="訂正", items=(*corrected, earlier))
