"""The kinds of certificate and what can be chosen for each, as both sides name them."""

from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta


class Kind(Enum):
    """A kind of certificate; the value is its name on the wire and on the command line."""

    JUMINHYO = "juminhyo"
    KISAIJIKO = "kisaijiko"
    INKAN = "inkan"
    KAZEI = "kazei"
    KOSEKI_ZENBU = "koseki-zenbu"
    KOSEKI_KOJIN = "koseki-kojin"
    FUHYO = "fuhyo"

    @property
    def title(self) -> str:
        """The Japanese name, as on the menu and the paper."""
        return _TITLES[self]


_TITLES = {
    Kind.JUMINHYO: "住民票の写し",
    Kind.KISAIJIKO: "住民票記載事項証明書",
    Kind.INKAN: "印鑑登録証明書",
    Kind.KAZEI: "市・府民税課税証明書",
    Kind.KOSEKI_ZENBU: "戸籍全部事項証明書",
    Kind.KOSEKI_KOJIN: "戸籍個人事項証明書",
    Kind.FUHYO: "戸籍の附票の写し",
}


class Scope(Enum):
    """Whom the certificate covers."""

    SELF = "self"  # 本人のみ
    HOUSEHOLD = "household"  # 世帯全員
    SOME = "some"  # 世帯の一部, the members named in the options


class Item(Enum):
    """What is omitted unless asked for in this application (住民記録システム標準仕様書 §5.1)."""

    RELATIONSHIP = "relationship"  # 世帯主・続柄
    DOMICILE = "domicile"  # 本籍・筆頭者
    MY_NUMBER = "my-number"  # 個人番号


MEMBERS_MAX = 32
"""Members of one household that one certificate can name."""

MemberNumber = Annotated[int, Meta(ge=1, le=MEMBERS_MAX)]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the applicant chose.

    Attributes:
        scope: whom the certificate covers.
        members: for ``Scope.SOME``, the chosen members' numbers on the menu (1 and up).
        items: what to print beside what is always printed.
    """

    scope: Scope = Scope.SELF
    members: Annotated[tuple[MemberNumber, ...], Meta(max_length=MEMBERS_MAX)] = ()
    items: Annotated[tuple[Item, ...], Meta(max_length=3)] = ()
