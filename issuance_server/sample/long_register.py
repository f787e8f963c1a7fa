"""A family register of fourteen sheets: 例示 清 and 千代, with many children and events.

Their second son 茂 had left it before it was copied in 2003, and so he does not appear.

Fictitious, as everybody here; no family is likely to have so much written about it.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from issuance_server.certificates.dates import registered
from issuance_server.core.family_register import FamilyRegister, RegisteredPerson, RegisterEvent
from issuance_server.core.register import Household, Resident, Sex
from issuance_server.sample import register_events as events

HEAD = "例示　清"
_WIFE, _WIFE_AT_BIRTH, _SON_AT_HOME = "例示　千代", "仮名　千代", "例示　進"
_ELSEWHERE = "京都府京都市左京区架空町{}番地"
_MARRIED_ON = date(1953, 5, 5)

# given name, kana, sex, order, born
_CHILDREN = (
    ("幸一", "こういち", Sex.MALE, "長男", date(1954, 2, 14)),
    ("薫", "かおる", Sex.MALE, "三男", date(1956, 8, 9)),
    ("幸子", "さちこ", Sex.FEMALE, "長女", date(1957, 4, 18)),
    ("昭夫", "あきお", Sex.MALE, "四男", date(1958, 12, 30)),
    ("進", "すすむ", Sex.MALE, "五男", date(1960, 10, 10)),
    ("和枝", "かずえ", Sex.FEMALE, "二女", date(1962, 3, 3)),
    ("博", "ひろし", Sex.MALE, "六男", date(1963, 8, 21)),
    ("洋子", "ようこ", Sex.FEMALE, "三女", date(1964, 10, 11)),
    ("明美", "あけみ", Sex.FEMALE, "四女", date(1966, 1, 7)),
    ("浩", "ゆたか", Sex.MALE, "七男", date(1967, 6, 25)),
    ("直樹", "なおき", Sex.MALE, "八男", date(1969, 2, 28)),
    ("由美", "ゆみ", Sex.FEMALE, "五女", date(1970, 9, 15)),
    ("健二", "けんじ", Sex.MALE, "九男", date(1973, 11, 23)),
    ("実", "みのる", Sex.MALE, "十男", date(1976, 12, 12)),
)
_ADOPTED = "実"
_DIED = "幸一"
_CORRECTED = "進"
_NUMERALS = "一二三四五六七八九"
_BIRTH_NOTE = (
    "平成6年法務省令第51号附則第2条第1項による改製に際し、従前の記録を移記するに当たり"
    "出生の届出人の資格の記録に「父」とあるを「母」とした誤りがあることを発見したため、"
    "管轄法務局長の許可を得て職権により訂正（見本としての記載）"
)
_DIVORCE_NOTE = (
    "離婚の届出の受理者の記録に「京都府京都市左京区長」とあるを「京都市長」とした誤りがあることを"
    "発見したため、管轄法務局長の許可を得て職権により訂正（見本としての記載）"
)


def long_register(household: Household) -> FamilyRegister:
    """Return the register; the parents and one son live in this household."""
    residents = {member.name: member for member in household.members}
    return FamilyRegister(
        register_id="1953-0903",
        domicile=residents[HEAD].domicile or "",
        head=HEAD,
        family_name_kana="れいじ",
        events=(
            *events.made(_MARRIED_ON),
            events.event(
                "転籍",
                ("転籍日", date(2010, 4, 1)),
                ("従前本籍", "大阪府豊中市架空町1丁目930番地"),
            ),
        ),
        people=(
            _parent(residents[HEAD], _WIFE_AT_BIRTH, ("例示　仁平", "例示　トメ", 21), "長男"),
            _parent(residents[_WIFE], HEAD, ("仮名　又三郎", "仮名　ハル", 38), "三女"),
            *(
                _child(residents.get(_SON_AT_HOME), place, child)
                for place, child in enumerate(_CHILDREN)
            ),
        ),
    )


def _parent(
    resident: Resident, spouse: str, parents: tuple[str, str, int], order: str
) -> RegisteredPerson:
    """Return the husband or the wife; parents come with the lot of their register."""
    father, mother, lot = parents
    return RegisteredPerson(
        resident_id=resident.resident_id,
        name=resident.name.partition("　")[2],
        name_kana=resident.kana.partition("　")[2],
        birth=resident.birth,
        sex=resident.sex,
        father=father,
        mother=mother,
        order=order,
        spouse="夫" if resident.sex is Sex.MALE else "妻",
        events=(
            events.birth(resident.birth, "父", "京都府京都市左京区"),
            events.marriage(_MARRIED_ON, spouse, f"{_ELSEWHERE.format(lot)}　{father}"),
        ),
    )


def _child(
    son: Resident | None, place: int, child: tuple[str, str, Sex, str, date]
) -> RegisteredPerson:
    """Return a child; only the one son who stayed is still in the register."""
    name, kana, sex, order, born = child
    stayed = son is not None and son.name.endswith("　" + name)
    notified_by = "父" if name == _CORRECTED or place % 3 == 0 else "母"
    return RegisteredPerson(
        resident_id=son.resident_id if son is not None and stayed else None,
        name=name,
        name_kana=kana if stayed else None,
        birth=registered(born),
        sex=sex,
        father=HEAD,
        mother="例示　千代",
        order=order,
        removed=not stayed,
        events=(
            events.birth(registered(born), notified_by),
            *_life(place, name),
        ),
    )


def _life(place: int, name: str) -> Iterator[RegisterEvent]:
    """Yield what happened to a child after birth."""
    if name == _CORRECTED:
        yield events.correction(date(2004, 7, 12), "出生の届出人", ("届出人", "母"), _BIRTH_NOTE)
        return
    if name == _DIED:
        yield events.death(date(2009, 1, 30), "親族　例示清")
        return
    if name == _ADOPTED:
        new_register = f"{_ELSEWHERE.format(45)}　架空要"
        yield events.adoption(date(2006, 3, 31), "架空　要", "架空　澄江", new_register)
        return
    first = f"見本　伴{_NUMERALS[place % len(_NUMERALS)]}"
    married = date(2003 + place % 5, 6, 1 + place)
    home = f"{_ELSEWHERE.format(100 + place)}　見本"
    yield events.marriage_away(married, first, home, "例示" if place % 2 else "見本")
    divorced = date(2010 + place % 4, 2, 1 + place)
    yield events.divorce_and_return(divorced, first, home)
    yield events.event(
        "入籍",
        ("届出日", divorced + timedelta(days=30)),
        ("入籍事由", "離婚の際に称していた氏を称する届出をした後、父母の氏を称する入籍"),
        ("従前戸籍", f"{_ELSEWHERE.format(200 + place)}　見本"),
    )
    if place % 2:
        before = ("受理者", "京都市長")
        yield events.correction(
            divorced + timedelta(days=200), "離婚の受理者", before, _DIVORCE_NOTE
        )
    second = f"想定　連{_NUMERALS[place % len(_NUMERALS)]}"
    again = date(2017 + place % 7, 10, 1 + place)
    yield events.marriage_away(again, second, f"{_ELSEWHERE.format(300 + place)}　想定", "想定")
