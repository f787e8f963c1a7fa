"""The sample city: the same people every time, every odd case among them, nobody real."""

from collections import Counter
from datetime import date

import pytest

from issuance_server.core.register import Household, age_on, household_order, is_numbered_rightly
from issuance_server.sample.drafts import my_number_check_digit
from issuance_server.sample.residents import HOUSEHOLDS, sample_households
from protocol.kinds import MEMBERS_MAX

START = date(2026, 11, 30)
"""A Monday, on which the sample's business clock starts."""


@pytest.fixture(scope="module")
def households() -> tuple[Household, ...]:
    """The sample city."""
    return sample_households()


def test_about_two_hundred_people_in_ninety_households(households: tuple[Household, ...]) -> None:
    """The size that the documentation promises."""
    assert HOUSEHOLDS == len(households)
    assert 190 <= sum(len(household.members) for household in households) <= 210
    assert max(len(household.members) for household in households) <= MEMBERS_MAX


def test_the_sample_is_the_same_every_time(households: tuple[Household, ...]) -> None:
    """No chance is involved."""
    assert households == sample_households()


def test_all_numbers_are_different_and_right(households: tuple[Household, ...]) -> None:
    """宛名番号 and 世帯番号 end with their check digit and belong to one each."""
    numbers = Counter(
        number
        for household in households
        for number in (household.household_id, *(one.resident_id for one in household.members))
    )
    assert 1 == max(numbers.values())
    assert all(is_numbered_rightly(number) for number in numbers)


def test_no_my_number_can_be_anybodys(households: tuple[Household, ...]) -> None:
    """Twelve digits, all different, and each with a wrong check digit."""
    numbers = [one.my_number or "" for household in households for one in household.members]
    assert len(numbers) == len(set(numbers))
    for number in numbers:
        assert 12 == len(number)
        assert my_number_check_digit(number[:-1]) != int(number[-1])


def test_the_check_digit_that_is_avoided_is_the_right_one() -> None:
    """An example computed by hand: 12345678901 ends with 8."""
    assert 8 == my_number_check_digit("12345678901")


def test_households_are_consistent(households: tuple[Household, ...]) -> None:
    """Each is in order, its members say so, and nobody settled before birth or after the start."""
    for household in households:
        assert household.members == household_order(household.members)
        assert household.address.startswith("大阪府豊中市")
        for member in household.members:
            assert household.household_id == member.household_id
            days = (member.became_resident_on.on, member.address_since.on, member.notified_on.on)
            assert None not in days
            first, since, notified = (day or date.max for day in days)
            assert (member.birth.on or date.min) <= first <= since <= notified <= START


def test_every_odd_case_is_there(households: tuple[Household, ...]) -> None:
    """Sizes, rare characters, ages, eras, dates that are words, relationships in chains."""
    members = [member for household in households for member in household.members]
    sizes = [len(household.members) for household in households]
    assert [5, 1, 9] == sizes[:3]
    names = "".join(member.name + (member.former_name or "") for member in members)
    for rare in ("𠮷", "髙", "﨑", "葛\U000e0100", "辻\U000e0100", "\u4db6"):
        assert rare in names
    ages = {age_on(member.birth.on, START) for member in members if member.birth.on}
    assert {14, 15} <= ages
    births = {member.birth.text for member in members}
    boundaries = {"昭和64年1月7日", "平成元年1月8日", "平成31年4月30日", "令和元年5月1日"}
    assert boundaries | {"大正15年12月25日", "昭和元年12月25日", "昭和20年月日不詳"} <= births
    assert {"子の妻", "子の子", "妻の父", "弟の妻", "夫(未届)", "縁故者", "同居人"} <= {
        member.relationship for member in members
    }


def test_a_family_register_holds_a_couple_and_its_children(
    households: tuple[Household, ...],
) -> None:
    """Nobody stands in a register with a parent, a sibling or a grandchild (戸籍法 6 条)."""
    for household in households:
        relationships = {one.name: one.relationship for one in household.members}
        for member in household.members:
            head = relationships.get(member.register_head or "", "")
            before = "" if head == "世帯主" else f"{head}の"
            family = {head, *(f"{before}{word}" for word in ("夫", "妻", "子"))}
            in_fathers = head == "父" and member.relationship in ("母", "弟", "兄", "妹", "姉")
            assert member.foreign or member.relationship in family or in_fathers
            surnames = {(member.register_head or "").partition("　")[0]}
            assert member.foreign or {member.name.partition("　")[0]} == surnames


def test_somebody_turns_fifteen_on_the_first_day(households: tuple[Household, ...]) -> None:
    """Born on 1 December 2011: 14 on the Sunday before the start, 15 on the Monday."""
    birth = date(2011, 12, 1)
    assert birth in {one.birth.on for household in households for one in household.members}
    assert (14, 15) == (age_on(birth, date(2026, 11, 29)), age_on(birth, START))
