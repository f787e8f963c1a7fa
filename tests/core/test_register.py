"""The register's values: check digits, ages, and the order of a household."""

from datetime import date

import msgspec
import pytest

from issuance_server.core.register import (
    Household,
    RegisterDate,
    Resident,
    Sex,
    age_on,
    check_digit,
    household_order,
    is_numbered_rightly,
)


def resident(
    number: str, relationship: str, birth: date | None = None, name: str = "見本　健"
) -> Resident:
    """Return a resident of whom only the place in the household matters."""
    day = RegisterDate(text="", on=birth)
    return Resident(
        resident_id=number,
        household_id="1",
        name=name,
        kana="",
        birth=day,
        sex=Sex.FEMALE,
        relationship=relationship,
        became_resident_on=day,
        address_since=day,
        notified_on=day,
    )


@pytest.mark.parametrize(
    ("serial", "digit"),
    [
        ("1", 9),  # 2: 11 - 2
        ("123456", 0),  # 77, which 11 divides
        ("1234567", 4),  # weights 2 to 7 and 2 again: 106, remainder 7
        ("6", None),  # 12: remainder 1
    ],
)
def test_check_digits_by_modulus_11(serial: str, digit: int | None) -> None:
    """Remainder 0 gives 0; remainder 1 has no digit."""
    assert digit == check_digit(serial)


def test_a_mistyped_number_is_noticed() -> None:
    """Every changed digit and every swapped pair of neighbours fails the check."""
    number = "12345674"
    assert is_numbered_rightly(number)
    for place, digit in enumerate(number):
        for other in "0123456789":
            if other != digit:
                assert not is_numbered_rightly(number[:place] + other + number[place + 1 :])
    for place in range(len(number) - 1):
        first, second = number[place], number[place + 1]
        assert not is_numbered_rightly(number[:place] + second + first + number[place + 2 :])


@pytest.mark.parametrize("number", ["", "0", "12345 ", "１２３４５６７４", "abc"])
def test_what_is_no_number_is_not_numbered_rightly(number: str) -> None:
    """Only ASCII digits count."""
    assert not is_numbered_rightly(number)


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2011, 11, 30), date(2026, 11, 28), 14),
        (date(2011, 11, 30), date(2026, 11, 29), 15),  # the eve of the birthday
        (date(2011, 11, 30), date(2026, 11, 30), 15),
        (date(2011, 4, 1), date(2026, 3, 30), 14),
        (date(2011, 4, 1), date(2026, 3, 31), 15),
        (date(2012, 1, 1), date(2026, 12, 31), 15),  # the eve lies in the old year
        (date(2012, 2, 29), date(2027, 2, 27), 14),
        (date(2012, 2, 29), date(2027, 2, 28), 15),
        (date(2012, 2, 29), date(2028, 2, 28), 16),
        (date(2012, 3, 1), date(2027, 2, 28), 15),
        (date(2026, 11, 30), date(2026, 11, 30), 0),
    ],
)
def test_an_age_is_reached_on_the_eve_of_the_birthday(birth: date, day: date, age: int) -> None:
    """年齢計算ニ関スル法律: an age is full at the end of the day before the birthday."""
    assert age == age_on(birth, day)


def test_the_order_of_a_household() -> None:
    """Head, spouse, children by birth, their families, parents and siblings, the others."""
    in_order = (
        resident("10", "世帯主", date(1980, 1, 1)),
        resident("09", "妻(未届)", date(1981, 1, 1)),
        resident("08", "子", date(2001, 1, 1)),
        resident("06", "子", date(2003, 1, 1)),
        resident("07", "子", date(2003, 1, 1)),
        resident("05", "子", None),
        resident("04", "子の妻", date(2002, 1, 1)),
        resident("03", "子の子", date(2024, 1, 1)),
        resident("02", "妻の父", date(1950, 1, 1)),
        resident("01", "弟", date(1985, 1, 1)),
        resident("12", "弟の妻", date(1984, 1, 1)),
        resident("11", "同居人", date(1990, 1, 1)),
    )
    assert in_order == household_order(tuple(sorted(in_order, key=lambda one: one.resident_id)))


def test_a_household_has_its_head_and_nobody_twice() -> None:
    """Other households cannot be built, nor decoded."""
    one, other = resident("1", "世帯主"), resident("2", "妻")
    good = Household(household_id="1", address="", head_id="1", members=(one, other))
    assert one == good.head
    assert other == good.member("2")
    assert good.member("3") is None
    for head_id, members in (("3", (one, other)), ("1", (one, one))):
        with pytest.raises(ValueError, match="household"):
            Household(household_id="1", address="", head_id=head_id, members=members)
    broken = msgspec.msgpack.encode({**msgspec.to_builtins(good), "head_id": "3"})
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(broken, type=Household)


def test_nothing_personal_is_shown_by_accident() -> None:
    """The repr of a resident and a household, which may end in a log, names nobody."""
    one = resident("1", "世帯主", date(1980, 1, 1))
    household = Household(household_id="1", address="豊中市", head_id="1", members=(one,))
    for shown in (repr(one), repr(household), f"{one} {household}"):
        assert "見本" not in shown
        assert "豊中" not in shown
