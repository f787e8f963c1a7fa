"""The resident register's values: residents and the households that they live in.

Only what certificates and eligibility need; the register itself lies behind a port. Terms and rules
follow the standard specification of resident record systems (住民記録システム標準仕様書).
"""

from datetime import date, timedelta
from enum import Enum

import msgspec
from msgspec.structs import replace

from issuance_server.core.standing import Standing

SERIAL_WEIGHTS = (2, 3, 4, 5, 6, 7)
"""Weights of the check digit, from the last digit of the serial on, then from the start again."""
SERIAL_MODULUS = 11
HEAD = "世帯主"


class Sex(Enum):
    """As registered; the value is the word on the certificate."""

    MALE = "男"
    FEMALE = "女"


class RegisterDate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A date as the register holds it (標準仕様書 §1.1.8): the words count, the day may be unknown.

    Attributes:
        text: what is printed, such as ``昭和64年1月7日`` or ``昭和20年月日不詳``.
        on: the day of the calendar, where the words name one.
    """

    text: str
    on: date | None = None


class ForeignCategory(Enum):
    """住民基本台帳法第30条の45に規定する区分; the value is printed."""

    MID_TO_LONG_TERM = "中長期在留者"
    SPECIAL_PERMANENT = "特別永住者"
    TEMPORARY_REFUGE = "一時庇護許可者"
    PROVISIONAL_STAY = "仮滞在許可者"
    TRANSITIONAL = "経過滞在者"


class ForeignStatus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the register holds of foreign residents beside what it holds of everybody.

    Its ``repr`` shows nothing personal.

    Attributes:
        nationality: 国籍・地域.
        category: 30条の45の区分.
        status: 在留資格; mid-to-long-term residents have one.
        period: 在留期間 in words, such as ``5年``; 永住者 have ``無期限``, and no last day.
        until: 在留期間の満了の日, printed in the years of our era only (標準仕様書 §1.1.9).
        card_number: 在留カード等の番号.
        alias: 通称, if registered.
        alias_kana: its reading.
    """

    nationality: str
    category: ForeignCategory
    status: str | None = None
    period: str | None = None
    until: date | None = None
    card_number: str | None = None
    alias: str | None = None
    alias_kana: str | None = None

    def __repr__(self) -> str:
        return "ForeignStatus(...)"


class Resident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's current entry (住民票の最新の履歴). Its ``repr`` shows nothing personal.

    Attributes:
        resident_id: 宛名番号, digits that end with their check digit.
        household_id: 世帯番号, likewise.
        name: 氏名.
        kana: 氏名の振り仮名.
        former_name: 旧氏, if registered.
        former_name_kana: 旧氏の振り仮名.
        birth: 生年月日; of foreign residents in the years of our era.
        sex: 性別.
        relationship: 続柄 to the head, such as ``子の妻``.
        domicile: 本籍, or ``なし`` or ``不明`` (§1.1.12); ``None`` for foreign residents.
        register_head: 筆頭者 of the family register; ``None`` likewise.
        became_resident_on: 住民となった年月日, or 外国人住民となった年月日.
        address_since: 住所を定めた年月日.
        notified_on: 届出日.
        previous_address: 転入前住所, if the person moved in.
        my_number: 個人番号, 12 digits.
        remarks: 備考.
        foreign: for foreign residents.
        standing: how the person stands in the register.
    """

    resident_id: str
    household_id: str
    name: str
    kana: str
    former_name: str | None = None
    former_name_kana: str | None = None
    birth: RegisterDate
    sex: Sex
    relationship: str
    domicile: str | None = None
    register_head: str | None = None
    became_resident_on: RegisterDate
    address_since: RegisterDate
    notified_on: RegisterDate
    previous_address: str | None = None
    my_number: str | None = None
    remarks: str | None = None
    foreign: ForeignStatus | None = None
    standing: Standing = Standing.CURRENT

    def __repr__(self) -> str:
        return "Resident(...)"


class Household(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The people of one household, in the order of :func:`household_order` or a manual one.

    Its ``repr`` shows nothing personal.

    Attributes:
        household_id: 世帯番号.
        address: 住所 with 方書, in full from the prefecture on.
        head_id: the head's ``resident_id``.
        members: everybody, the head included; position 1 is number 1 on the terminal's menu.
    """

    household_id: str
    address: str
    head_id: str
    members: tuple[Resident, ...]

    def __post_init__(self) -> None:
        known = {member.resident_id for member in self.members}
        if len(known) != len(self.members) or self.head_id not in known:
            raise ValueError("a household has each member once, and its head among them")

    def __repr__(self) -> str:
        return "Household(...)"

    @property
    def head(self) -> Resident:
        """The head of the household."""
        return next(member for member in self.members if member.resident_id == self.head_id)

    def without_removed(self) -> "Household":
        """Return the household as certificates show it (消除者 are not shown).

        A head who is removed stays until the register names another one: nothing can be certified
        of the household meanwhile.
        """
        left = tuple(
            member
            for member in self.members
            if member.resident_id == self.head_id or not member.standing.is_removed
        )
        return self if len(left) == len(self.members) else replace(self, members=left)

    def member(self, resident_id: str) -> Resident | None:
        """Return the member with a 宛名番号, or ``None``."""
        return next((one for one in self.members if one.resident_id == resident_id), None)


def check_digit(serial: str) -> int | None:
    """Return the check digit of a 宛名番号 or 世帯番号: modulus 11, weights 2 to 7 (§1.1.13).

    Args:
        serial: the digits before the check digit.

    Returns:
        0 to 9; ``None`` where the remainder is 1, for which the standard names no digit: such a
        serial is never given to anybody.
    """
    weighted = sum(
        int(digit) * SERIAL_WEIGHTS[place % len(SERIAL_WEIGHTS)]
        for place, digit in enumerate(reversed(serial))
    )
    remainder = weighted % SERIAL_MODULUS
    if remainder == 1:
        return None
    return (SERIAL_MODULUS - remainder) % SERIAL_MODULUS


def is_numbered_rightly(number: str) -> bool:
    """Tell whether a 宛名番号 or 世帯番号 is digits that end with the right check digit."""
    return (
        len(number) > 1
        and number.isascii()
        and number.isdigit()
        and check_digit(number[:-1]) == int(number[-1])
    )


def age_on(birth: date, day: date) -> int:
    """Return a person's age in full years during a day.

    An age is reached at the end of the day before the birthday (年齢計算ニ関スル法律, 民法 143 条),
    and offices count the whole of that day: who is born on 30 November is 15 on 29 November. Who
    is born on 29 February reaches an age on 28 February, in every year.
    """
    eve_passed = day + timedelta(days=1)
    before_birthday = (eve_passed.month, eve_passed.day) < (birth.month, birth.day)
    return eve_passed.year - birth.year - before_birthday


def household_order(members: tuple[Resident, ...]) -> tuple[Resident, ...]:
    """Return the members in the order of 標準仕様書 §5.2.

    The head, the spouse, the children; then the children's families; then parents, brothers and
    sisters; then everybody else. Within each, by birth (unknown days last) and by 宛名番号.
    """
    return tuple(sorted(members, key=_place))


def _place(member: Resident) -> tuple[int, date, str]:
    return _group(member.relationship), member.birth.on or date.max, member.resident_id


def _group(relationship: str) -> int:
    """Return the rank of a relationship: the first table row whose beginning fits."""
    for rank, beginnings in enumerate(_GROUPS):
        if any(relationship == word or relationship.startswith(word + "(") for word in beginnings):
            return rank
    if relationship.startswith("子の"):
        return _CHILDRENS_FAMILIES
    if relationship.rsplit("の", maxsplit=1)[-1] in _KIN:
        return _PARENTS_AND_SIBLINGS
    return _OTHERS


_GROUPS = ((HEAD,), ("夫", "妻"), ("子",))
_CHILDRENS_FAMILIES, _PARENTS_AND_SIBLINGS, _OTHERS = range(len(_GROUPS), len(_GROUPS) + 3)
_KIN = frozenset({"父", "母", "兄", "姉", "弟", "妹"})
