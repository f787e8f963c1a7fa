"""Drafts of sample people: what is particular about each; the numbers are given when they settle.

No My Number here can belong to anybody: its check digit is wrong on purpose.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from issuance_server.certificates.dates import registered
from issuance_server.core.eras import seireki
from issuance_server.core.register import (
    HEAD,
    ForeignStatus,
    Household,
    RegisterDate,
    Resident,
    Sex,
    check_digit,
    household_order,
)

RESIDENT_SERIAL_FIRST = 1_000_001
HOUSEHOLD_SERIAL_FIRST = 5_000_001
MY_NUMBER_STEP = 7_919
"""Distance between the first eleven digits of two sample My Numbers."""
MY_NUMBER_FIRST = 90_000_000_000
_MY_NUMBER_WEIGHTS = (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)
_MY_NUMBER_MODULUS = 11
_MOVED_IN_DAY = 10
_IN_ONE_REGISTER = frozenset({HEAD, "夫", "妻", "子"})
_HOUSE = re.compile(r"(?<=番)\d+号$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A sample person before settling.

    Attributes:
        name: family name, full-width space, given name.
        kana: the same in hiragana.
        birth: a day, or the words of the register where there is none.
        sex: as registered.
        relationship: to the head.
        former_name: 旧氏 and its kana.
        from_elsewhere: 転入前住所; such people became residents later than at birth.
        moved_in: when, if not on the day on which the family settled.
        domicile: 本籍; by default the town and lot of the household's address.
        register_head: 筆頭者; by default the head for the head's own couple and its children who
            share the family name, and everybody's own self for all others.
        remarks: 備考.
        foreign: for foreign residents, who have no 本籍 and a birth date in our era.
    """

    name: str
    kana: str
    birth: date | RegisterDate
    sex: Sex
    relationship: str
    former_name: tuple[str, str] | None = None
    from_elsewhere: str | None = None
    moved_in: date | None = None
    domicile: str | None = None
    register_head: str | None = None
    remarks: str | None = None
    foreign: ForeignStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The people of one household before settling.

    Attributes:
        address: from the prefecture on.
        since: the day on which they settled there.
        people: in any order, one of them the head.
    """

    address: str
    since: date
    people: tuple[Person, ...]


def settled(families: Iterable[Family]) -> tuple[Household, ...]:
    """Give every household and resident a number, and every household its order."""
    resident_numbers = _numbers(RESIDENT_SERIAL_FIRST)
    household_numbers = _numbers(HOUSEHOLD_SERIAL_FIRST)
    households = []
    for family in families:
        household_id = next(household_numbers)
        members = tuple(
            _resident(family, person, next(resident_numbers), household_id)
            for person in family.people
        )
        head = next(member for member in members if member.relationship == HEAD)
        households.append(
            Household(
                household_id=household_id,
                address=family.address,
                head_id=head.resident_id,
                members=household_order(members),
            )
        )
    return tuple(households)


def _resident(family: Family, person: Person, resident_id: str, household_id: str) -> Resident:
    birth = _birth(person)
    came = birth.on if person.from_elsewhere is None else person.moved_in
    resident_since = came or family.since
    address_since = max(family.since, resident_since)
    former_name, former_name_kana = person.former_name or (None, None)
    return Resident(
        resident_id=resident_id,
        household_id=household_id,
        name=person.name,
        kana=person.kana,
        former_name=former_name,
        former_name_kana=former_name_kana,
        birth=birth,
        sex=person.sex,
        relationship=person.relationship,
        domicile=None if person.foreign else _domicile(family, person),
        register_head=None if person.foreign else _register_head(family, person),
        became_resident_on=registered(resident_since),
        address_since=registered(address_since),
        notified_on=registered(_notified(address_since)),
        previous_address=person.from_elsewhere,
        my_number=_impossible_my_number(resident_id),
        remarks=person.remarks,
        foreign=person.foreign,
    )


def _birth(person: Person) -> RegisterDate:
    if not isinstance(person.birth, date):
        return person.birth
    if person.foreign:
        return RegisterDate(text=seireki(person.birth), on=person.birth)
    return registered(person.birth)


def _domicile(family: Family, person: Person) -> str:
    """Return 本籍: a lot or a block (番地, 番) of the family's town; houses (号) have none."""
    return person.domicile or _HOUSE.sub("", family.address.partition("　")[0])


def _register_head(family: Family, person: Person) -> str:
    """Return the 筆頭者: a family register holds a couple and its children (戸籍法 6 条)."""
    if person.register_head:
        return person.register_head
    head = next(one for one in family.people if one.relationship == HEAD)
    same_name = head.name.partition("　")[0] == person.name.partition("　")[0]
    return head.name if same_name and person.relationship in _IN_ONE_REGISTER else person.name


def _notified(moved: date) -> date:
    """Return a day in the fortnight that the law gives for notifying a move."""
    return date.fromordinal(moved.toordinal() + moved.day % _MOVED_IN_DAY)


def _numbers(serial: int) -> Iterator[str]:
    """Yield numbers with their check digit; serials for which there is none are left out."""
    while True:
        digit = check_digit(str(serial))
        if digit is not None:
            yield f"{serial}{digit}"
        serial += 1


def _impossible_my_number(resident_id: str) -> str:
    """Return twelve digits that look like a My Number and fail its check."""
    place = int(resident_id[:-1]) - RESIDENT_SERIAL_FIRST
    digits = str(MY_NUMBER_FIRST + place * MY_NUMBER_STEP)
    return f"{digits}{(my_number_check_digit(digits) + 1) % 10}"


def my_number_check_digit(digits: str) -> int:
    """Return the right check digit for eleven digits (平成26年総務省令第85号第5条)."""
    pairs = zip(reversed(digits), _MY_NUMBER_WEIGHTS, strict=True)
    remainder = sum(int(digit) * weight for digit, weight in pairs) % _MY_NUMBER_MODULUS
    return 0 if remainder <= 1 else _MY_NUMBER_MODULUS - remainder
