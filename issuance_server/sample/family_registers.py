"""Sample family registers: one for each family that lives together, and their address histories.

Families with a domicile elsewhere, with unknown birth dates or without Japanese nationality have
no register in this city; one waits for a notification to be entered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from issuance_server.certificates.dates import registered
from issuance_server.core.family_register import (
    AddressEntry,
    AddressHistory,
    AddressHolder,
    FamilyRegister,
    RegisteredPerson,
    RegisterEvent,
)
from issuance_server.core.register import HEAD, Household, Resident, Sex
from issuance_server.sample import long_register
from issuance_server.sample import register_events as events
from protocol.errors import Misuse

FILING_IN_PROGRESS = "雛形　遥"
"""The 筆頭者 of a register that waits for an entry."""
_ORDINALS = "長二三四五六七八九"
_MARRIED_AT_YEARS = 23
_OF_AGE_YEARS = 20
_EARLIER = (
    "京都府京都市左京区架空町17番地の3　みほん荘201号",
    "兵庫県神戸市中央区架空通4丁目905番6号",
    "愛知県名古屋市中区見本2丁目918番",
    "大阪府豊中市架空町1丁目930番2号",
    "東京都千代田区架空1丁目999番1号　架空マンション架空館1105号室",
)
_LONG_PLACES = 7
_PLACES_BEFORE_LEAVING = 2
_LOTS = 90
_LEFT_FOR_GOOD = ("死亡", "養子縁組")
"""Addresses of everybody who left the long register, so that the history takes several sheets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Who of a household stands in one register.

    Attributes:
        head: 筆頭者.
        spouse: if married and Japanese.
        children: by birth.
    """

    head: Resident
    spouse: Resident | None
    children: tuple[Resident, ...]

    @property
    def begun(self) -> date:
        """When the register was made: at the marriage, or when its head left the parents'."""
        grown = [self.head, self.spouse] if self.spouse else [self.head]
        youngest = max(_born(one).year for one in grown)
        year = youngest + (_MARRIED_AT_YEARS if self.spouse else _OF_AGE_YEARS)
        births = [_born(child).year - 1 for child in self.children]
        return date(min([year, *births]), 6, 10)


def registers_of(household: Household) -> tuple[FamilyRegister, ...]:
    """Return the registers of a household's members, one for each 筆頭者."""
    heads = dict.fromkeys(
        member.register_head
        for member in household.members
        if member.foreign is None and member.domicile != "不明"
    )
    made = (_register(household, head) for head in heads if head)
    return tuple(register for register in made if register is not None)


def history_of(household: Household, register: FamilyRegister) -> AddressHistory:
    """Return the address history of a register."""
    is_long = register.head == long_register.HEAD
    family = register.head.partition("　")[0]
    (how, made_on) = _made(register)
    return AddressHistory(
        register_id=register.register_id,
        domicile=register.domicile,
        head=register.head,
        made_on=registered(made_on),
        made_by=how,
        people=tuple(
            AddressHolder(
                resident_id=person.resident_id,
                name=f"{family}　{person.name}",
                birth=None if person.removed else person.birth,
                sex=None if person.removed else person.sex,
                removed=person.removed,
                addresses=_addresses(household, person, made_on, is_long=is_long),
            )
            for person in register.people
        ),
    )


def _made(register: FamilyRegister) -> tuple[str, date]:
    """Return 編製日 or 改製日, and the day."""
    item = register.events[0].items[0]
    if isinstance(item.value, str) or item.value.on is None:
        raise Misuse("a sample register begins with the day on which it was made")
    return item.heading, item.value.on


def _register(household: Household, head_name: str) -> FamilyRegister | None:
    """Return a register, if its family can be told from the household."""
    if head_name == long_register.HEAD:
        return long_register.long_register(household)
    family = _family(household, head_name)
    if family is None:
        return None
    head, begun = family.head, family.begun
    people = [_parent(head, family.spouse, begun)]
    if family.spouse:
        people.append(_parent(family.spouse, head, begun))
    people += _children(family)
    return FamilyRegister(
        register_id=f"{begun.year}-{head.resident_id[:-1]}",
        domicile=head.domicile or "",
        head=head.name,
        family_name_kana=head.kana.partition("　")[0],
        events=events.made(begun),
        people=tuple(people),
        filing_in_progress=head.name == FILING_IN_PROGRESS,
    )


def _family(household: Household, head_name: str) -> _Family | None:
    """Find a register's people by their 続柄; parents and siblings of its head are not in it."""
    same = [member for member in household.members if member.register_head == head_name]
    head = next((member for member in same if member.name == head_name), None)
    if head is None:
        return None
    prefix = "" if head.relationship == HEAD else f"{head.relationship}の"
    spouses = [one for one in same if one.relationship in (f"{prefix}夫", f"{prefix}妻")]
    children = [one for one in same if one.relationship == f"{prefix}子"]
    if any(member.birth.on is None for member in (head, *spouses, *children)):
        return None
    return _Family(
        head=head,
        spouse=spouses[0] if spouses else None,
        children=tuple(sorted(children, key=_born)),
    )


def _parent(resident: Resident, spouse: Resident | None, begun: date) -> RegisteredPerson:
    """Return the 筆頭者 or the spouse, with how each came into the register."""
    family = _family_name_at_birth(resident)
    father = f"{family}　例一"
    lot = (begun.year + int(resident.resident_id[:-1])) % _LOTS + 1
    came_from = f"京都府京都市左京区架空町{lot}番地　{father}"
    entry = (
        events.marriage(begun, _name_at_birth(spouse), came_from)
        if spouse
        else events.own_register(begun, came_from)
    )
    return _person(
        resident,
        father=father,
        mother=f"{family}　例子",
        order=_order(resident.sex, 0),
        spouse=_MARRIED[resident.sex] if spouse else None,
        more=(entry,),
    )


def _family_name_at_birth(resident: Resident) -> str:
    return (resident.former_name or resident.name).partition("　")[0]


def _name_at_birth(resident: Resident) -> str:
    """Return the name before marriage, by which the register calls a spouse."""
    return f"{_family_name_at_birth(resident)}　{resident.name.partition('　')[2]}"


def _children(family: _Family) -> Iterator[RegisteredPerson]:
    counts = dict.fromkeys(Sex, 0)
    couple = [family.head, family.spouse] if family.spouse else [family.head]
    names = {parent.sex: parent.name for parent in couple}
    for child in family.children:
        yield _person(
            child,
            father=names.get(Sex.MALE),
            mother=names.get(Sex.FEMALE),
            order=_order(child.sex, counts[child.sex]),
        )
        counts[child.sex] += 1


def _person(
    resident: Resident,
    *,
    father: str | None,
    mother: str | None,
    order: str,
    spouse: str | None = None,
    more: tuple[RegisterEvent, ...] = (),
) -> RegisteredPerson:
    return RegisteredPerson(
        resident_id=resident.resident_id,
        name=resident.name.partition("　")[2],
        name_kana=resident.kana.partition("　")[2],
        birth=resident.birth,
        sex=resident.sex,
        father=father,
        mother=mother,
        order=order,
        spouse=spouse,
        events=(events.birth(resident.birth, "母" if mother else "父"), *more),
    )


_MARRIED = {Sex.MALE: "夫", Sex.FEMALE: "妻"}


def _order(sex: Sex, place: int) -> str:
    return f"{_ORDINALS[place]}{sex.value}"


def _born(resident: Resident) -> date:
    return resident.birth.on or date.min


def _addresses(
    household: Household, person: RegisteredPerson, made_on: date, *, is_long: bool
) -> tuple[AddressEntry, ...]:
    """Return where a person has lived since the history was made."""
    resident = household.member(person.resident_id) if person.resident_id else None
    born = person.birth.on or made_on
    left = any(one.title in _LEFT_FOR_GOOD for one in person.events)
    entries = []
    if is_long and resident is None:
        entries = [
            AddressEntry(
                address=_EARLIER[(place + born.year) % len(_EARLIER)],
                since=registered(date(2004 + 2 * place, 1 + place, 1 + born.day % 27)),
            )
            for place in range(_PLACES_BEFORE_LEAVING if left else _LONG_PLACES)
        ]
    elif resident is not None and resident.previous_address:
        since = registered(max(born, made_on))
        entries = [AddressEntry(address=resident.previous_address, since=since)]
    if resident is not None:
        entries.append(AddressEntry(address=household.address, since=resident.address_since))
    return tuple(entries)
