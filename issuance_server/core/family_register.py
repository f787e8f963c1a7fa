"""The family register (戸籍) and its address history (戸籍の附票), in the computerised form.

A register's text is a list of items, each a heading in 【】 and what it says; nothing of it is
computed here. Dates among them are dates, so that a wrong era is found before it is printed.
"""

import re
from collections.abc import Iterator

import msgspec

from issuance_server.core.record_faults import Fault, date_faults, inconsistent, missing
from issuance_server.core.register import RegisterDate, Sex

_ORDINAL = r"(?:[長二三四五六七八九]|十[一二三四五]?)?"
_ORDERS = {
    Sex.MALE: re.compile(rf"{_ORDINAL}男|養子"),
    Sex.FEMALE: re.compile(rf"{_ORDINAL}女|養女"),
}
"""父母との続柄: 長男, 二女, 男, 養子, ...; 次男 is no word of the register."""


class RegisterItem(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One item, such as 【出生日】. Its ``repr`` shows nothing personal.

    Attributes:
        heading: without the brackets.
        value: words, or a date that is checked as one; empty where items stand under the heading.
        items: those under it, such as what 【従前の記録】 held before.
    """

    heading: str
    value: RegisterDate | str = ""
    items: tuple["RegisterItem", ...] = ()

    def __repr__(self) -> str:
        return "RegisterItem(...)"

    @property
    def text(self) -> str:
        """What it says."""
        return self.value if isinstance(self.value, str) else self.value.text


class RegisterEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event, such as 出生 or 戸籍改製, with its items."""

    title: str
    items: tuple[RegisterItem, ...]

    def __repr__(self) -> str:
        return "RegisterEvent(...)"


class RegisteredPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person of a family register (戸籍に記録されている者). Its ``repr`` hides the person.

    Attributes:
        resident_id: 宛名番号 if the person is a resident of the city.
        name: 名, without the family name.
        name_kana: 名の振り仮名, recorded since 26 May 2025.
        birth: 生年月日.
        sex: known to the register by the 続柄.
        father: 父, ``None`` where there is none in law.
        mother: 母.
        order: 父母との続柄, such as 長男.
        adoptive_father: 養父.
        adoptive_mother: 養母.
        adoptive_order: 養子 or 養女, for adopted people.
        spouse: 配偶者区分, 夫 or 妻, for the married.
        removed: 除籍.
        events: 身分事項, oldest first.
    """

    resident_id: str | None = None
    name: str
    name_kana: str | None = None
    birth: RegisterDate
    sex: Sex
    father: str | None = None
    mother: str | None = None
    order: str
    adoptive_father: str | None = None
    adoptive_mother: str | None = None
    adoptive_order: str | None = None
    spouse: str | None = None
    removed: bool = False
    events: tuple[RegisterEvent, ...]

    def __repr__(self) -> str:
        return "RegisteredPerson(...)"


class FamilyRegister(
    msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True
):
    """One family register. Its ``repr`` shows nothing personal.

    Attributes:
        register_id: the office's number of it; not printed.
        domicile: 本籍.
        head: 氏名 of the 筆頭者: family name, full-width space, name.
        family_name_kana: 氏の振り仮名.
        events: 戸籍事項, oldest first.
        people: the 筆頭者 first.
        filing_in_progress: a notification waits to be entered; nothing is certified until then.
        closed: every person is removed and the register is 除籍; it has other certificates.
    """

    register_id: str
    domicile: str
    head: str
    family_name_kana: str | None = None
    events: tuple[RegisterEvent, ...]
    people: tuple[RegisteredPerson, ...]
    filing_in_progress: bool = False
    closed: bool = False

    def __repr__(self) -> str:
        return "FamilyRegister(...)"

    def person(self, resident_id: str) -> RegisteredPerson | None:
        """Return the person with a 宛名番号 who is not removed, or ``None``."""
        found = (one for one in self.people if one.resident_id == resident_id and not one.removed)
        return next(found, None)

    def faults(self) -> tuple[Fault, ...]:
        """Return every broken rule; none in a sound record."""
        return tuple(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from missing("本籍", self.domicile)
        yield from missing("筆頭者氏名", self.head.strip("　 "))
        yield from missing("戸籍事項", self.events)
        yield from missing("戸籍に記録されている者", self.people)
        yield from _event_faults("戸籍事項", self.events)
        if self.people:
            named = self.head.rpartition("　")[2] == self.people[0].name
            yield from inconsistent("筆頭者氏名", unless=named)
        couple = [one.spouse for one in self.people if one.spouse and not one.removed]
        yield from inconsistent("配偶者区分", unless=len(couple) == len(set(couple)))
        for number, person in enumerate(self.people, start=1):
            yield from _person_faults(f"名欄{number}", person)


class AddressEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One address and since when (住所・住所を定めた年月日)."""

    address: str
    since: RegisterDate

    def __repr__(self) -> str:
        return "AddressEntry(...)"


class AddressHolder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person of an address history. Its ``repr`` hides the person.

    Attributes:
        resident_id: 宛名番号 if the person is a resident of the city.
        name: 氏名.
        birth: 生年月日, recorded since 11 January 2022; not for those removed before.
        sex: 性別, likewise.
        removed: 除籍.
        addresses: oldest first, from the making of this history on.
    """

    resident_id: str | None = None
    name: str
    birth: RegisterDate | None = None
    sex: Sex | None = None
    removed: bool = False
    addresses: tuple[AddressEntry, ...]

    def __repr__(self) -> str:
        return "AddressHolder(...)"


class AddressHistory(
    msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True
):
    """The 附票 of one family register. Its ``repr`` shows nothing personal.

    Attributes:
        register_id: the office's number of the family register; not printed.
        domicile: 本籍, printed when asked for.
        head: 筆頭者の氏名, likewise.
        made_on: 編製日 or 改製日.
        made_by: which of the two words.
        people: the 筆頭者 first.
    """

    register_id: str
    domicile: str
    head: str
    made_on: RegisterDate
    made_by: str
    people: tuple[AddressHolder, ...]

    def __repr__(self) -> str:
        return "AddressHistory(...)"

    def person(self, resident_id: str) -> AddressHolder | None:
        """Return the person with a 宛名番号 who is not removed, or ``None``."""
        found = (one for one in self.people if one.resident_id == resident_id and not one.removed)
        return next(found, None)

    def faults(self) -> tuple[Fault, ...]:
        """Return every broken rule; none in a sound record."""
        return tuple(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from missing("本籍", self.domicile)
        yield from missing("筆頭者氏名", self.head.strip("　 "))
        yield from date_faults(self.made_by, self.made_on.text, self.made_on.on)
        yield from missing("附票に記録されている者", self.people)
        for number, person in enumerate(self.people, start=1):
            yield from missing(f"名欄{number} 氏名", person.name.strip("　 "))
            yield from missing(f"名欄{number} 住所", person.addresses)
            if not person.removed:
                yield from missing(f"名欄{number} 生年月日・性別", person.birth, person.sex)
            if person.birth is not None:
                birth = person.birth
                yield from date_faults(f"名欄{number} 生年月日", birth.text, birth.on)
            for entry in person.addresses:
                yield from missing(f"名欄{number} 住所", entry.address)
                since = entry.since
                yield from date_faults(f"名欄{number} 住所を定めた年月日", since.text, since.on)


def _person_faults(place: str, person: RegisteredPerson) -> Iterator[Fault]:
    yield from missing(f"{place} 名", person.name)
    yield from missing(f"{place} 身分事項", person.events)
    yield from date_faults(f"{place} 生年月日", person.birth.text, person.birth.on)
    for order in (person.order, person.adoptive_order):
        if order is not None and not _ORDERS[person.sex].fullmatch(order):
            yield Fault(reason="relationship-impossible", item=f"{place} 続柄")
    spouse = "夫" if person.sex is Sex.MALE else "妻"
    if person.spouse not in (None, spouse):
        yield Fault(reason="relationship-impossible", item=f"{place} 配偶者区分")
    yield from _event_faults(f"{place} 身分事項", person.events)


def _event_faults(place: str, events: tuple[RegisterEvent, ...]) -> Iterator[Fault]:
    for event in events:
        yield from missing(f"{place} 見出し", event.title)
        yield from missing(f"{place} {event.title}", event.items)
        for item in event.items:
            yield from _item_faults(f"{place} {event.title}", item)


def _item_faults(place: str, item: RegisterItem) -> Iterator[Fault]:
    where = f"{place} {item.heading}"
    yield from missing(where, item.heading, item.text or item.items)
    if isinstance(item.value, RegisterDate):
        yield from date_faults(where, item.value.text, item.value.on)
    for one in item.items:
        yield from _item_faults(where, one)
