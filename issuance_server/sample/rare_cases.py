"""More households out of the ordinary: foreign residents, long chains, the oldest, the longest.

Every person is fictitious. Numbers of residence cards are of a form that is never given out.
"""

from datetime import date

from issuance_server.core.register import (
    HEAD,
    ForeignCategory,
    ForeignStatus,
    RegisterDate,
    Sex,
)
from issuance_server.sample.drafts import Family, Person

_MALE, _FEMALE = Sex.MALE, Sex.FEMALE
_CITY = "大阪府豊中市"
_KOBE = "兵庫県神戸市中央区架空通4丁目905番6号"

RARE_FAMILIES = (
    Family(  # a Japanese mother and child, and a foreign father with a 通称
        address=f"{_CITY}北桜塚2丁目916番8号　架空レジデンス302号",
        since=date(2019, 8, 1),
        people=(
            Person(
                name="架空　直子",
                kana="かくう　なおこ",
                birth=date(1990, 2, 3),
                sex=_FEMALE,
                relationship=HEAD,
            ),
            Person(
                name="SPECIMEN JOHN ALEXANDER",
                kana="すぺしめん　じょん　あれくさんだー",
                birth=date(1988, 10, 9),
                sex=_MALE,
                relationship="夫",
                from_elsewhere=_KOBE,
                foreign=ForeignStatus(
                    nationality="英国",
                    category=ForeignCategory.MID_TO_LONG_TERM,
                    status="日本人の配偶者等",
                    period="5年",
                    until=date(2029, 7, 31),
                    card_number="ZZ00000001ZZ",
                    alias="架空　丈",
                    alias_kana="かくう　じょう",
                ),
            ),
            Person(
                name="架空　杏",
                kana="かくう　あん",
                birth=date(2021, 6, 6),
                sex=_FEMALE,
                relationship="子",
            ),
        ),
    ),
    Family(  # a special permanent resident, and a permanent one with a long name
        address=f"{_CITY}東豊中町5丁目917番1号",
        since=date(2006, 3, 4),
        people=(
            Person(
                name="架英",
                kana="かえい",
                birth=date(1974, 4, 30),
                sex=_FEMALE,
                relationship=HEAD,
                foreign=ForeignStatus(
                    nationality="韓国",
                    category=ForeignCategory.SPECIAL_PERMANENT,
                    card_number="ZZ00000002ZZ",
                    alias="見本　英子",
                    alias_kana="みほん　えいこ",
                ),
            ),
            Person(
                name="FICTICIA MARIA EXEMPLO DE AMOSTRA",
                kana="ふぃくてぃしあ　まりあ",
                birth=RegisterDate(text="1969年月日不詳"),
                sex=_FEMALE,
                relationship="同居人",
                from_elsewhere=_KOBE,
                foreign=ForeignStatus(
                    nationality="ブラジル",
                    category=ForeignCategory.MID_TO_LONG_TERM,
                    status="永住者",
                    period="無期限",
                    card_number="ZZ00000003ZZ",
                ),
            ),
        ),
    ),
    Family(  # an address too long for any type that can be read: such a certificate is refused
        address=(
            f"{_CITY}少路1丁目918番地の2　架空コンフォートグランドレジデンス北大阪急行緑地公園"
            "駅前セントラルパークサイドテラス参番館ウエストウイング弐拾参階2345号室"
            "　見本・例示方"
        ),
        since=date(2024, 4, 1),
        people=(
            Person(
                name="標本　長",
                kana="ひょうほん　はる",
                birth=date(1992, 3, 31),
                sex=_FEMALE,
                relationship=HEAD,
            ),
        ),
    ),
    Family(  # chains of 続柄, up to four generations
        address=f"{_CITY}玉井町4丁目919番7号",
        since=date(1970, 11, 23),
        people=(
            Person(
                name="試作　巌",
                kana="しさく　いわお",
                birth=date(1940, 1, 20),
                sex=_MALE,
                relationship=HEAD,
            ),
            Person(
                name="試作　文子",
                kana="しさく　ふみこ",
                birth=date(1963, 5, 9),
                sex=_FEMALE,
                relationship="子",
                register_head="試作　文子",
            ),
            Person(
                name="試作　拓",
                kana="しさく　たく",
                birth=date(1988, 12, 1),
                sex=_MALE,
                relationship="子の子",
            ),
            Person(
                name="試作　結",
                kana="しさく　ゆい",
                birth=date(2015, 9, 19),
                sex=_FEMALE,
                relationship="子の子の子",
                register_head="試作　拓",
            ),
            Person(
                name="模擬　縁",
                kana="もぎ　ゆかり",
                birth=date(1971, 7, 7),
                sex=_FEMALE,
                relationship="妻の父の弟の子",
                from_elsewhere=_KOBE,
                moved_in=date(2018, 3, 12),
            ),
        ),
    ),
    Family(  # on both sides of the first day of 大正, and the day that has two names
        address=f"{_CITY}立花町1丁目920番2号",
        since=date(1958, 4, 1),
        people=(
            Person(
                name="標本　明",
                kana="ひょうほん　あきら",
                birth=date(1912, 7, 29),
                sex=_MALE,
                relationship=HEAD,
            ),
            Person(
                name="標本　正",
                kana="ひょうほん　まさ",
                birth=date(1912, 7, 30),
                sex=_FEMALE,
                relationship="妻",
            ),
            Person(
                name="想定　治",
                kana="そうてい　おさむ",
                birth=RegisterDate(text="明治45年7月30日", on=date(1912, 7, 30)),
                sex=_MALE,
                relationship="同居人",
            ),
        ),
    ),
)
"""One family for each case."""
