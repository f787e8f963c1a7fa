"""The standard's rules for entries of the resident register (住民記録システム標準仕様書 §1.1)."""

from collections.abc import Iterator

from issuance_server.core.record_faults import Fault, date_faults, inconsistent, missing
from issuance_server.core.register import (
    HEAD,
    ForeignCategory,
    ForeignStatus,
    Household,
    Resident,
    is_numbered_rightly,
)
from issuance_server.core.relationships import CHILDREN, is_possible

_PARENTS = frozenset({"父", "母"})
_CARD_HOLDERS = frozenset({ForeignCategory.MID_TO_LONG_TERM, ForeignCategory.SPECIAL_PERMANENT})
_LIMITED = frozenset(
    {
        ForeignCategory.MID_TO_LONG_TERM,
        ForeignCategory.TEMPORARY_REFUGE,
        ForeignCategory.PROVISIONAL_STAY,
    }
)
UNLIMITED = "無期限"


def household_faults(household: Household) -> tuple[Fault, ...]:
    """Return every broken rule of a household and its members; none in a sound record."""
    return tuple(_household_faults(household))


def resident_faults(resident: Resident, place: str) -> Iterator[Fault]:
    """Yield the broken rules of one entry by itself.

    Args:
        resident: the entry.
        place: how to name it, such as ``世帯員2``.
    """
    western = resident.foreign is not None
    yield from missing(f"{place} 氏名", resident.name.strip("　 "))
    yield from inconsistent(f"{place} 宛名番号", unless=is_numbered_rightly(resident.resident_id))
    birth = resident.birth
    yield from date_faults(f"{place} 生年月日", birth.text, birth.on, western=western)
    for item, on in (
        ("住民となった年月日", resident.became_resident_on),
        ("住所を定めた年月日", resident.address_since),
        ("届出日", resident.notified_on),
    ):
        yield from date_faults(f"{place} {item}", on.text, on.on)
    yield from missing(f"{place} 続柄", resident.relationship)
    if resident.relationship and not is_possible(resident.relationship, resident.sex):
        yield Fault(reason="relationship-impossible", item=f"{place} 続柄")
    if resident.foreign is None:
        yield from missing(f"{place} 本籍・筆頭者", resident.domicile, resident.register_head)
    else:
        yield from inconsistent(f"{place} 本籍", unless=resident.domicile is None)
        yield from _foreign_faults(resident.foreign, place)


def _household_faults(household: Household) -> Iterator[Fault]:
    yield from missing("住所", household.address)
    yield from inconsistent("世帯番号", unless=is_numbered_rightly(household.household_id))
    head = household.head
    for number, member in enumerate(household.members, start=1):
        place = f"世帯員{number}"
        yield from resident_faults(member, place)
        of_this = member.household_id == household.household_id
        yield from inconsistent(f"{place} 世帯番号", unless=of_this)
        if (member.relationship == HEAD) != (member is head) or _is_of_wrong_age(member, head):
            yield Fault(reason="relationship-impossible", item=f"{place} 続柄")


def _is_of_wrong_age(member: Resident, head: Resident) -> bool:
    """Tell whether a child is older than the head, or a parent younger; adoption asks the same."""
    born, head_born = member.birth.on, head.birth.on
    if born is None or head_born is None:
        return False
    if member.relationship in CHILDREN:
        return born <= head_born
    return member.relationship in _PARENTS and head_born <= born


def _foreign_faults(foreign: ForeignStatus, place: str) -> Iterator[Fault]:
    yield from missing(f"{place} 国籍・地域", foreign.nationality)
    if foreign.category in _CARD_HOLDERS:
        yield from missing(f"{place} 在留カード等の番号", foreign.card_number)
    if foreign.category is ForeignCategory.MID_TO_LONG_TERM:
        yield from missing(f"{place} 在留資格", foreign.status)
    if foreign.category in _LIMITED:
        yield from missing(f"{place} 在留期間", foreign.period)
        unlimited = foreign.period == UNLIMITED
        yield from inconsistent(
            f"{place} 在留期間の満了の日", unless=unlimited == (foreign.until is None)
        )
