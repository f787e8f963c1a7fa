"""Rules for entries of the resident register: each broken rule is named with its item."""

from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.core.record_faults import Fault
from issuance_server.core.register import (
    ForeignCategory,
    ForeignStatus,
    Household,
    RegisterDate,
    Resident,
    Sex,
)
from issuance_server.core.register_rules import household_faults

DAY = RegisterDate(text="平成27年10月12日", on=date(2015, 10, 12))
FOREIGN = ForeignStatus(
    nationality="英国",
    category=ForeignCategory.MID_TO_LONG_TERM,
    status="技術・人文知識・国際業務",
    period="5年",
    until=date(2029, 7, 31),
    card_number="ZZ00000001ZZ",
)


def resident(**changes: Any) -> Resident:
    """Return the head of a household, or somebody else in it."""
    usual = {
        "resident_id": "10000017",
        "household_id": "50000028",
        "name": "見本　健",
        "kana": "みほん　たけし",
        "birth": RegisterDate(text="昭和59年5月20日", on=date(1984, 5, 20)),
        "sex": Sex.MALE,
        "relationship": "世帯主",
        "domicile": "大阪府豊中市中桜塚3丁目901番1号",
        "register_head": "見本　健",
        "became_resident_on": DAY,
        "address_since": DAY,
        "notified_on": DAY,
    }
    return Resident(**(usual | changes))


def foreigner(**changes: Any) -> Resident:
    """Return a head who is a foreign resident."""
    birth = RegisterDate(text="1988年10月9日", on=date(1988, 10, 9))
    foreign = msgspec.structs.replace(FOREIGN, **changes)
    return resident(birth=birth, domicile=None, register_head=None, foreign=foreign)


def faults(*members: Resident, **changes: Any) -> list[tuple[str, str]]:
    """Return the faults of a household as pairs of reason and item."""
    household = Household(
        household_id=changes.get("household_id", "50000028"),
        address=changes.get("address", "大阪府豊中市"),
        head_id=members[0].resident_id,
        members=members,
    )
    return [(fault.reason, fault.item) for fault in household_faults(household)]


def test_a_sound_record_has_no_fault() -> None:
    """Neither a Japanese head nor a foreign one; 本籍 may be unknown."""
    assert [] == faults(resident())
    assert [] == faults(resident(domicile="不明", register_head="なし"))
    assert [] == faults(foreigner())
    assert [] == faults(foreigner(status="永住者", period="無期限", until=None))
    special = ForeignCategory.SPECIAL_PERMANENT
    assert [] == faults(foreigner(category=special, status=None, period=None, until=None))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": ""}, ("record-incomplete", "世帯員1 氏名")),
        ({"birth": RegisterDate(text="")}, ("record-incomplete", "世帯員1 生年月日")),
        ({"domicile": None}, ("record-incomplete", "世帯員1 本籍・筆頭者")),
        ({"register_head": ""}, ("record-incomplete", "世帯員1 本籍・筆頭者")),
        ({"notified_on": RegisterDate(text="")}, ("record-incomplete", "世帯員1 届出日")),
        (
            {"address_since": RegisterDate(text="平成31年5月7日", on=date(2019, 5, 7))},
            ("date-impossible", "世帯員1 住所を定めた年月日"),
        ),
        (
            {"birth": RegisterDate(text="1984年5月20日", on=date(1984, 5, 20))},
            ("date-impossible", "世帯員1 生年月日"),
        ),
        ({"resident_id": "10000018"}, ("record-inconsistent", "世帯員1 宛名番号")),
        ({"household_id": "50000036"}, ("record-inconsistent", "世帯員1 世帯番号")),
    ],
)
def test_one_broken_rule_is_one_fault(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    """Empty items, impossible dates and wrong numbers (標準仕様書 §1.1.6, §1.1.8, §1.1.13)."""
    assert [fault] == faults(resident(**changes))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"nationality": ""}, ("record-incomplete", "世帯員1 国籍・地域")),
        ({"card_number": None}, ("record-incomplete", "世帯員1 在留カード等の番号")),
        ({"status": None}, ("record-incomplete", "世帯員1 在留資格")),
        ({"until": None}, ("record-inconsistent", "世帯員1 在留期間の満了の日")),
        ({"period": "無期限"}, ("record-inconsistent", "世帯員1 在留期間の満了の日")),
    ],
)
def test_foreign_residents_have_rules_of_their_own(
    changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    """What a 中長期在留者 must have (住民基本台帳法第30条の45)."""
    assert [fault] == faults(foreigner(**changes))


def test_a_foreign_resident_has_no_domicile() -> None:
    """本籍 belongs to Japanese family registers."""
    changed = msgspec.structs.replace(foreigner(), domicile="大阪府豊中市")
    assert [("record-inconsistent", "世帯員1 本籍")] == faults(changed)


@pytest.mark.parametrize(
    ("relationship", "sex", "year"),
    [
        ("世帯主", Sex.FEMALE, 1990),  # a second one
        ("孫", Sex.FEMALE, 2010),
        ("妻", Sex.MALE, 1985),
        ("子", Sex.FEMALE, 1980),  # older than the parent
        ("母", Sex.FEMALE, 1990),  # younger than the child
    ],
)
def test_relationships_that_cannot_be(relationship: str, sex: Sex, year: int) -> None:
    """Two heads, no word of the standard, the other sex, the wrong age."""
    birth = date(year, 3, 3)
    second = resident(
        resident_id="10000025",
        relationship=relationship,
        sex=sex,
        birth=RegisterDate(text=_words(birth), on=birth),
    )
    assert ("relationship-impossible", "世帯員2 続柄") in faults(resident(), second)


def test_household_items() -> None:
    """A household has an address and a right number."""
    assert [("record-incomplete", "住所")] == faults(resident(), address="")
    found = faults(resident(household_id="50000029"), household_id="50000029")
    assert [("record-inconsistent", "世帯番号")] == found


def test_faults_say_nothing_personal() -> None:
    """A fault names its item only."""
    (fault,) = household_faults(
        Household(
            household_id="50000028",
            address="大阪府豊中市",
            head_id="10000017",
            members=(resident(relationship="祖父"),),
        )
    )[:1]
    assert Fault(reason="relationship-impossible", item="世帯員1 続柄") == fault


def _words(day: date) -> str:
    era, first = ("平成", 1988) if day.year > 1988 else ("昭和", 1925)
    return f"{era}{day.year - first}年{day.month}月{day.day}日"
