"""About 200 fictitious residents in 90 households of Toyonaka, the same ones every time.

Nobody here exists. Family names such as 見本 (specimen) and 架空 (fictitious) are no family names;
where the family name could be one, the given name could not. House numbers from 901 on are
invented, My Numbers fail their check digit, and every certificate of the sample city is marked
見本.
"""

from datetime import date

from issuance_server.core.register import HEAD, Household, Sex
from issuance_server.sample.city import CITY, PREFECTURE
from issuance_server.sample.drafts import Family, Person, settled
from issuance_server.sample.odd_cases import ODD_FAMILIES
from issuance_server.sample.rare_cases import RARE_FAMILIES
from issuance_server.sample.standings import as_they_stand

HOUSEHOLDS = 90

Name = tuple[str, str]
"""Writing and kana."""

_SURNAMES: tuple[Name, ...] = (
    ("見本", "みほん"),
    ("架空", "かくう"),
    ("例示", "れいじ"),
    ("仮名", "かりな"),
    ("試作", "しさく"),
    ("模擬", "もぎ"),
    ("標本", "ひょうほん"),
    ("想定", "そうてい"),
    ("雛形", "ひながた"),
    ("例文", "れいぶん"),
    ("仮説", "かせつ"),
)
_PLAUSIBLE_SURNAMES: tuple[Name, ...] = (
    ("佐藤", "さとう"),
    ("田中", "たなか"),
    ("渡邉", "わたなべ"),
    ("齋藤", "さいとう"),
    ("桒原", "くわはら"),
)
_PLAUSIBLE_EVERY = 4
"""Every fourth family has a plausible name, and implausible given names."""
_GIVEN: dict[Sex, tuple[Name, ...]] = {
    Sex.MALE: (
        ("太郎", "たろう"),
        ("健一", "けんいち"),
        ("誠", "まこと"),
        ("大輔", "だいすけ"),
        ("蓮", "れん"),
        ("悠真", "ゆうま"),
        ("清", "きよし"),
    ),
    Sex.FEMALE: (
        ("花子", "はなこ"),
        ("和子", "かずこ"),
        ("恵", "めぐみ"),
        ("葵", "あおい"),
        ("結衣", "ゆい"),
        ("美穂", "みほ"),
        ("千代", "ちよ"),
        ("凛", "りん"),
        ("遥", "はるか"),
    ),
}
_IMPLAUSIBLE_GIVEN: dict[Sex, tuple[Name, ...]] = {
    Sex.MALE: (("例太郎", "れいたろう"), ("仮次郎", "かりじろう"), ("見本男", "みほお")),
    Sex.FEMALE: (("例子", "れいこ"), ("仮乃", "かりの"), ("見本子", "みほこ")),
}
_TOWNS = (
    "中桜塚2丁目",
    "本町3丁目",
    "岡上の町1丁目",
    "庄内幸町4丁目",
    "服部南町2丁目",
    "曽根西町3丁目",
    "緑丘5丁目",
    "新千里南町1丁目",
    "東泉丘3丁目",
    "蛍池西町2丁目",
    "柴原町4丁目",
    "小曽根1丁目",
    "豊南町東2丁目",
)
_PREVIOUS = (
    "京都府京都市左京区架空町17番地の3　みほん荘201号",
    "兵庫県神戸市中央区架空通4丁目905番6号",
    "愛知県名古屋市中区見本2丁目918番",
    "東京都千代田区架空1丁目999番1号",
)

_PATTERNS: tuple[tuple[tuple[str, Sex, int], ...], ...] = (
    # relationship, sex, year of birth of the first family of the pattern
    ((HEAD, Sex.MALE, 1988),),
    ((HEAD, Sex.MALE, 1979), ("妻", Sex.FEMALE, 1981), ("子", Sex.FEMALE, 2010)),
    ((HEAD, Sex.FEMALE, 1948),),
    ((HEAD, Sex.MALE, 1950), ("妻", Sex.FEMALE, 1952)),
    ((HEAD, Sex.FEMALE, 1984), ("子", Sex.MALE, 2008)),
    ((HEAD, Sex.MALE, 1994), ("妻", Sex.FEMALE, 1995)),
    ((HEAD, Sex.FEMALE, 1999),),
    (
        (HEAD, Sex.MALE, 1976),
        ("妻", Sex.FEMALE, 1977),
        ("子", Sex.MALE, 2005),
        ("子", Sex.FEMALE, 2013),
    ),
    ((HEAD, Sex.MALE, 1963), ("母", Sex.FEMALE, 1938)),
)


def sample_households() -> tuple[Household, ...]:
    """Return the sample city's households: the odd cases first, then ordinary families."""
    cases = (*ODD_FAMILIES, *RARE_FAMILIES)
    ordinary = (_ordinary(index) for index in range(HOUSEHOLDS - len(cases)))
    return as_they_stand(settled((*cases, *ordinary)))


def _ordinary(index: int) -> Family:
    """Return the ordinary family with this number, from 0."""
    rows = _PATTERNS[index % len(_PATTERNS)]
    since = date(2001 + index % 24, 1 + index * 5 % 12, 1 + index * 11 % 28)
    moved_in = index % 3 == 0
    address = f"{PREFECTURE}{CITY}{_TOWNS[index % len(_TOWNS)]}{920 + index}番{1 + index % 9}号"
    surname, surname_kana = _surname(index)
    people = []
    for place, (relationship, sex, year) in enumerate(rows):
        given, given_kana = _given(index, place, sex)
        birth = date(
            year + index % 5, 1 + (index * 7 + place * 3) % 12, 1 + (index * 13 + place * 5) % 28
        )
        people.append(
            Person(
                name=f"{surname}　{given}",
                kana=f"{surname_kana}　{given_kana}",
                birth=birth,
                sex=sex,
                relationship=relationship,
                from_elsewhere=(
                    _PREVIOUS[index % len(_PREVIOUS)] if moved_in and birth < since else None
                ),
            )
        )
    return Family(address=address, since=since, people=tuple(people))


def _is_plausible(index: int) -> bool:
    return index % _PLAUSIBLE_EVERY == _PLAUSIBLE_EVERY - 1


def _surname(index: int) -> Name:
    surnames = _PLAUSIBLE_SURNAMES if _is_plausible(index) else _SURNAMES
    return surnames[index % len(surnames)]


def _given(index: int, place: int, sex: Sex) -> Name:
    names = (_IMPLAUSIBLE_GIVEN if _is_plausible(index) else _GIVEN)[sex]
    return names[(index + place * 2) % len(names)]
