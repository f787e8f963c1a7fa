"""Family registers and address histories: what breaks a rule is named with its item."""

from datetime import date
from typing import Any

import pytest

from issuance_server.core.family_register import (
    AddressEntry,
    AddressHistory,
    AddressHolder,
    FamilyRegister,
    RegisteredPerson,
    RegisterEvent,
    RegisterItem,
)
from issuance_server.core.register import RegisterDate, Sex

BORN = RegisterDate(text="昭和59年5月20日", on=date(1984, 5, 20))
WRONG_ERA = RegisterDate(text="平成31年5月7日", on=date(2019, 5, 7))


def event(title: str, heading: str, value: RegisterDate | str) -> RegisterEvent:
    """Return an event of one item."""
    return RegisterEvent(title=title, items=(RegisterItem(heading=heading, value=value),))


def corrected(before: RegisterItem) -> RegisterEvent:
    """Return a correction that replaced an item."""
    earlier = RegisterItem(heading="従前の記録", items=(before,))
    return RegisterEvent(title="訂正", items=(earlier,))


MADE = event("戸籍編製", "編製日", RegisterDate(text="平成27年10月12日", on=date(2015, 10, 12)))


def person(**changes: Any) -> RegisteredPerson:
    """Return the 筆頭者, or somebody else of the register."""
    usual = {
        "resident_id": "10000017",
        "name": "健",
        "birth": BORN,
        "sex": Sex.MALE,
        "father": "見本　一",
        "order": "長男",
        "events": (event("出生", "出生日", BORN),),
    }
    return RegisteredPerson(**(usual | changes))


def register(*people: RegisteredPerson, **changes: Any) -> FamilyRegister:
    """Return a register of these people, by default of one."""
    usual: dict[str, Any] = {
        "register_id": "1",
        "domicile": "大阪府豊中市中桜塚3丁目901番地",
        "head": "見本　健",
        "events": (MADE,),
        "people": people or (person(),),
    }
    return FamilyRegister(**(usual | changes))


def faults(record: FamilyRegister | AddressHistory) -> list[tuple[str, str]]:
    """Return the faults as pairs of reason and item."""
    return [(fault.reason, fault.item) for fault in record.faults()]


def test_a_sound_register() -> None:
    """A couple and an adopted daughter; the dead are removed and stand there still."""
    wife = person(resident_id=None, name="優子", sex=Sex.FEMALE, order="二女", spouse="妻")
    daughter = person(
        name="一葉", sex=Sex.FEMALE, order="女", adoptive_father="見本　健", adoptive_order="養女"
    )
    assert [] == faults(register(person(spouse="夫"), wife, daughter))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"domicile": ""}, ("record-incomplete", "本籍")),
        ({"events": ()}, ("record-incomplete", "戸籍事項")),
        ({"head": "見本　優子"}, ("record-inconsistent", "筆頭者氏名")),
        (
            {"events": (corrected(RegisterItem(heading="編製日", value=WRONG_ERA)),)},
            ("date-impossible", "戸籍事項 訂正 従前の記録 編製日"),
        ),
        (
            {"events": (corrected(RegisterItem(heading="編製日")),)},
            ("record-incomplete", "戸籍事項 訂正 従前の記録 編製日"),
        ),
        (
            {"events": (event("戸籍編製", "編製日", WRONG_ERA),)},
            ("date-impossible", "戸籍事項 戸籍編製 編製日"),
        ),
        (
            {"events": (event("転籍", "従前本籍", ""),)},
            ("record-incomplete", "戸籍事項 転籍 従前本籍"),
        ),
    ],
)
def test_a_registers_own_items(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    """本籍, 筆頭者, and events whose dates are checked as dates."""
    assert [fault] == faults(register(**changes))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"order": "次男"}, ("relationship-impossible", "名欄1 続柄")),
        ({"order": "長女"}, ("relationship-impossible", "名欄1 続柄")),
        ({"adoptive_order": "養女"}, ("relationship-impossible", "名欄1 続柄")),
        ({"spouse": "妻"}, ("relationship-impossible", "名欄1 配偶者区分")),
        ({"events": ()}, ("record-incomplete", "名欄1 身分事項")),
        ({"birth": RegisterDate(text="")}, ("record-incomplete", "名欄1 生年月日")),
        (
            {"events": (event("出生", "出生日", WRONG_ERA),)},
            ("date-impossible", "名欄1 身分事項 出生 出生日"),
        ),
    ],
)
def test_a_persons_items(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    """続柄 to the parents, 配偶者区分, and what cannot be empty."""
    assert [fault] == faults(register(person(**changes)))


def test_one_couple_in_a_register() -> None:
    """A second husband is no couple, unless the first is removed."""
    one, other = person(spouse="夫"), person(name="健", spouse="夫")
    assert [("record-inconsistent", "配偶者区分")] == faults(register(one, other))
    assert [] == faults(register(person(spouse="夫", removed=True), other))


def test_who_is_removed_is_found_no_more() -> None:
    """A holder who has left the register gets no certificate of it."""
    assert register().person("10000017") is not None
    assert register(person(removed=True)).person("10000017") is None


def history(**changes: Any) -> AddressHistory:
    """Return an address history of one person, with changes to that person."""
    entry = AddressEntry(address="大阪府豊中市中桜塚3丁目901番1号", since=MADE.items[0].value)  # type: ignore[arg-type]
    usual = {
        "resident_id": "10000017",
        "name": "見本　健",
        "birth": BORN,
        "sex": Sex.MALE,
        "addresses": (entry,),
    }
    return AddressHistory(
        register_id="1",
        domicile="大阪府豊中市中桜塚3丁目901番地",
        head="見本　健",
        made_on=RegisterDate(text="平成27年10月12日", on=date(2015, 10, 12)),
        made_by="編製日",
        people=(AddressHolder(**(usual | changes)),),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"birth": None, "sex": None, "removed": True}, []),  # removed before 2022
        ({"birth": None}, [("record-incomplete", "名欄1 生年月日・性別")]),
        ({"addresses": ()}, [("record-incomplete", "名欄1 住所")]),
        (
            {"addresses": (AddressEntry(address="豊中市", since=WRONG_ERA),)},
            [("date-impossible", "名欄1 住所を定めた年月日")],
        ),
    ],
)
def test_address_histories(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Everybody has an address with a possible date; birth and sex, unless removed."""
    assert expected == faults(history(**changes))


def test_nothing_personal_is_shown_by_accident() -> None:
    """The repr of every part names nobody."""
    one = register()
    parts = (one, one.people[0], one.events[0], one.events[0].items[0], history())
    for shown in map(repr, (*parts, history().people[0], history().people[0].addresses[0])):
        assert "見本" not in shown
        assert "豊中" not in shown
        assert "昭和" not in shown
