"""Households in which something is out of the ordinary, one family for each case.

Every person is fictitious. Characters: 𠮷 lies outside the basic plane, 髙 and 﨑 are forms that
old code pages lack, 葛󠄀 is 葛 with an Adobe-Japan1 variation selector.
"""

from dataclasses import replace
from datetime import date

from issuance_server.core.register import HEAD, RegisterDate, Sex
from issuance_server.sample.drafts import Family, Person

_MALE, _FEMALE = Sex.MALE, Sex.FEMALE
_CITY = "大阪府豊中市"
_KYOTO = "京都府京都市左京区架空町17番地の3　みほん荘201号"
_SON, _FATHER = "例示　誠", "例示　清"
_SAPPORO = "北海道札幌市中央区見本1条2丁目3番地"


def _person(
    name: str,
    kana: str,
    birth: date | RegisterDate | tuple[int, int, int],
    sex: Sex,
    relationship: str,
    from_elsewhere: str | None = None,
) -> Person:
    return Person(
        name=name,
        kana=kana,
        birth=date(*birth) if isinstance(birth, tuple) else birth,
        sex=sex,
        relationship=relationship,
        from_elsewhere=from_elsewhere,
    )


def _of(register_head: str, person: Person) -> Person:
    """Return a person of another family register than the household's head."""
    return replace(person, register_head=register_head)


def _words(text: str) -> RegisterDate:
    """Return a date of birth that is words only."""
    return RegisterDate(text=text)


FIVE = Family(
    address=f"{_CITY}中桜塚3丁目901番1号　架空ハイツ豊中501号",
    since=date(2015, 10, 12),
    people=(
        _person("見本　健", "みほん　たけし", (1984, 5, 20), _MALE, HEAD, _KYOTO),
        Person(
            name="見本　優子",
            kana="みほん　ゆうこ",
            birth=date(1986, 9, 3),
            sex=_FEMALE,
            relationship="妻",
            former_name=("架空", "かくう"),
            from_elsewhere=_KYOTO,
        ),
        _person("見本　一葉", "みほん　かずは", (2009, 3, 14), _FEMALE, "子", _KYOTO),
        _person("見本　二郎", "みほん　じろう", (2012, 2, 29), _MALE, "子", _KYOTO),
        _person("見本　三春", "みほん　みはる", (2019, 5, 1), _FEMALE, "子"),
    ),
)
"""Father, mother and three children: two sheets."""

ONE = Family(
    address=f"{_CITY}本町1丁目902番3号　架空コーポ203号",
    since=date(2021, 4, 1),
    people=(_person("架空　花", "かくう　はな", (1995, 7, 7), _FEMALE, HEAD, _SAPPORO),),
)
"""A household of one."""

NINE = Family(
    address=f"{_CITY}刀根山4丁目903番5号",
    since=date(1985, 3, 21),
    people=(
        _person("例示　茂", "れいじ　しげる", (1955, 11, 3), _MALE, HEAD),
        _person("例示　節子", "れいじ　せつこ", (1957, 1, 15), _FEMALE, "妻"),
        _of(_SON, _person("例示　誠", "れいじ　まこと", (1982, 6, 1), _MALE, "子")),
        Person(
            name="例示　恵",
            kana="れいじ　めぐみ",
            birth=date(1985, 8, 19),
            sex=_FEMALE,
            relationship="子の妻",
            from_elsewhere=_KYOTO,
            moved_in=date(2010, 6, 20),
            register_head=_SON,
        ),
        _of(_SON, _person("例示　蓮", "れいじ　れん", (2011, 4, 4), _MALE, "子の子")),
        _of(_SON, _person("例示　凛", "れいじ　りん", (2014, 12, 24), _FEMALE, "子の子")),
        _of(_FATHER, _person("例示　清", "れいじ　きよし", (1931, 2, 11), _MALE, "父")),
        _of(_FATHER, _person("例示　千代", "れいじ　ちよ", (1934, 9, 15), _FEMALE, "母")),
        _of(_FATHER, _person("例示　進", "れいじ　すすむ", (1960, 10, 10), _MALE, "弟")),
    ),
)
"""Four generations: three sheets."""

OTHERS = (
    Family(  # a character outside the basic plane, and a form that old code pages lack
        address=f"{_CITY}庄内東町2丁目904番7号",
        since=date(2003, 6, 16),
        people=(
            _person("𠮷田　見本男", "よしだ　みほお", (1970, 1, 1), _MALE, HEAD),
            Person(
                name="𠮷田　仮乃",
                kana="よしだ　かりの",
                birth=date(1972, 2, 2),
                sex=_FEMALE,
                relationship="妻",
                former_name=("髙橋", "たかはし"),
                from_elsewhere=_SAPPORO,
            ),
        ),
    ),
    Family(
        address=f"{_CITY}服部本町5丁目905番2号",
        since=date(1999, 9, 9),
        people=(
            _person("山﨑　例太郎", "やまさき　れいたろう", (1966, 3, 3), _MALE, HEAD),
            _person("山﨑　架奈", "やまさき　かな", (1998, 8, 8), _FEMALE, "子"),
        ),
    ),
    Family(  # variation sequences: 葛 + U+E0100, 辻 + U+E0100
        address=f"{_CITY}曽根東町3丁目906番11号",
        since=date(2018, 2, 5),
        people=(
            _person("葛\U000e0100城　試次", "かつらぎ　ためじ", (1979, 12, 12), _MALE, HEAD),
            _person("葛\U000e0100城　試乃", "かつらぎ　しの", (1981, 1, 1), _FEMALE, "妻"),
            _person("辻\U000e0100　例造", "つじ　れいぞう", (1950, 5, 5), _MALE, "妻の父"),
        ),
    ),
    Family(  # reaches 15 on 30 November 2026; 15 a day later; 14 still
        address=f"{_CITY}緑丘1丁目907番4号",
        since=date(2012, 1, 10),
        people=(
            _person("仮名　直美", "かりな　なおみ", (1988, 4, 29), _FEMALE, HEAD),
            _person("仮名　葵", "かりな　あおい", (2011, 12, 1), _FEMALE, "子"),
            _person("仮名　湊", "かりな　みなと", (2011, 12, 2), _MALE, "子"),
            _person("仮名　咲良", "かりな　さくら", (2012, 11, 30), _FEMALE, "子"),
        ),
    ),
    Family(  # on both sides of three eras' beginnings, and the words of a day that has two names
        address=f"{_CITY}蛍池中町2丁目908番8号",
        since=date(1990, 5, 5),
        people=(
            _person("標本　大正", "ひょうほん　ひろまさ", (1926, 12, 24), _MALE, HEAD),
            _person("標本　昭子", "ひょうほん　あきこ", (1926, 12, 25), _FEMALE, "妻"),
            Person(
                name="標本　正子",
                kana="ひょうほん　まさこ",
                birth=RegisterDate(text="大正15年12月25日", on=date(1926, 12, 25)),
                sex=_FEMALE,
                relationship="妹",
            ),
        ),
    ),
    Family(
        address=f"{_CITY}新千里東町1丁目909番6号　架空タワー千里1203号",
        since=date(2016, 11, 1),
        people=(
            _person("標本　昭和", "ひょうほん　あきかず", (1989, 1, 7), _MALE, HEAD, _SAPPORO),
            _person("標本　平", "ひょうほん　たいら", (1989, 1, 8), _FEMALE, "妻", _SAPPORO),
            _person("標本　成実", "ひょうほん　なるみ", (2019, 4, 30), _FEMALE, "子"),
            _person("標本　令", "ひょうほん　れい", (2019, 5, 1), _MALE, "子"),
        ),
    ),
    Family(  # birth dates that are no days
        address=f"{_CITY}上新田4丁目910番1号",
        since=date(1975, 7, 1),
        people=(
            _person("想定　勇", "そうてい　いさむ", _words("昭和20年月日不詳"), _MALE, HEAD),
            _person("想定　和子", "そうてい　かずこ", _words("推定昭和25年頃"), _FEMALE, "妻"),
            _person("想定　実", "そうてい　みのる", _words("昭和46年2月29日"), _MALE, "子"),
        ),
    ),
    Family(  # relationships
        address=f"{_CITY}岡町北1丁目911番9号",
        since=date(2020, 10, 1),
        people=(
            _person("雛形　遥", "ひながた　はるか", (1990, 3, 3), _FEMALE, HEAD),
            _person("試作　翔", "しさく　しょう", (1991, 4, 4), _MALE, "夫(未届)", _KYOTO),
            _person("雛形　幸子", "ひながた　さちこ", (1962, 5, 5), _FEMALE, "母"),
            _person("雛形　大輔", "ひながた　だいすけ", (1993, 6, 6), _MALE, "弟"),
            _of(
                "雛形　大輔",
                _person("雛形　久美", "ひながた　くみ", (1994, 7, 7), _FEMALE, "弟の妻"),
            ),
            _person("模擬　保", "もぎ　たもつ", (1958, 8, 8), _MALE, "縁故者"),
            _person("仮説　学", "かせつ　まなぶ", (2001, 9, 9), _MALE, "同居人", _SAPPORO),
        ),
    ),
    Family(  # long, and still fits in smaller type
        address=(
            f"{_CITY}小曽根3丁目912番地の34　"
            "架空グランドレジデンス豊中小曽根パークサイドテラス弐番館2304号室"
        ),
        since=date(2022, 2, 22),
        people=(
            _person(
                "見本　クリストファー例太郎左衛門",
                "みほん　くりすとふぁーれいたろうざえもん",
                (1985, 2, 28),
                _MALE,
                HEAD,
                _KYOTO,
            ),
        ),
    ),
    Family(  # too long for any type that can be read: such a certificate is refused
        address=f"{_CITY}稲津町1丁目913番5号",
        since=date(2023, 3, 3),
        people=(
            _person(
                "架空　寿限無寿限無五劫の擦り切れ海砂利水魚の水行末雲来末風来末",
                "かくう　じゅげむじゅげむごこうのすりきれ",
                (1999, 12, 31),
                _MALE,
                HEAD,
            ),
        ),
    ),
    Family(  # a character that the fonts of the packages lack: refused as well
        address=f"{_CITY}桜の町6丁目914番2号",
        since=date(2009, 9, 9),
        people=(_person("模擬　\u4db6", "もぎ　さと", (1977, 7, 17), _MALE, HEAD),),
    ),
    Family(  # 本籍 unknown, and a remark
        address=f"{_CITY}熊野町2丁目915番3号",
        since=date(2011, 6, 1),
        people=(
            Person(
                name="例文　陽子",
                kana="れいぶん　ようこ",
                birth=date(1968, 10, 10),
                sex=_FEMALE,
                relationship=HEAD,
                domicile="不明",
                remarks="見本としての記載",
            ),
        ),
    ),
)

ODD_FAMILIES = (FIVE, ONE, NINE, *OTHERS)
"""Every case, the three most used first."""
