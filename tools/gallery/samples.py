"""What the gallery shows: finished certificates of the sample city's fictitious people."""

import hashlib
from dataclasses import dataclass
from functools import cache

from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.sample.city import ISSUER_WITH_BACKS, SAMPLE_DAY
from issuance_server.sample.records import sample_record
from issuance_server.sample.residents import sample_households
from keys.signing import SigningKey
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret

MUNICIPALITY_CODE = "272035"
GALLERY_SEED = hashlib.sha256(b"specimen codes of the gallery").digest()
"""Of a key that everybody can make: no city trusts it."""
GALLERY_SECRET = Secret(hashlib.sha256(b"specimen backs of the gallery").digest())
"""Of backs; everybody can read those of the gallery."""
_PLAIN = Options()
_ALL_ITEMS = (Item.RELATIONSHIP, Item.DOMICILE)
_WITH_MY_NUMBER = (*_ALL_ITEMS, Item.MY_NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One certificate of the gallery.

    Attributes:
        name: of its pictures, without the sheet's number.
        kind: of certificate.
        shows: what is notable, in Japanese.
        holder: the holder's name in the sample city.
        options: what was chosen.
        sheets: those that are shown, from 1; empty for all.
        with_back: whether the back of the first sheet is shown too.
    """

    name: str
    kind: Kind
    shows: str
    holder: str
    options: Options = _PLAIN
    sheets: tuple[int, ...] = ()
    with_back: bool = False

    def order(self) -> CertificateOrder:
        """Return the order of this certificate."""
        household, holder = next(
            (household, member)
            for household in sample_households()
            for member in household.members
            if member.name == self.holder
        )
        return CertificateOrder(
            issuance_id=hashlib.sha256(self.name.encode()).digest()[:16],
            kind=self.kind,
            options=self.options,
            holder_id=holder.resident_id,
            household=household,
            numbers=("20261130 豊中市 7E001 001 000012",),
            issued_on=SAMPLE_DAY,
            issuer=ISSUER_WITH_BACKS,
            record=sample_record(holder.resident_id, self.kind),
        )


@cache
def gallery_renderer() -> CertificateRenderer:
    """Return the renderer of all samples; it signs the codes of their sheets."""
    return CertificateRenderer(code=gallery_codes(), back_secret=lambda: GALLERY_SECRET)


@cache
def gallery_codes() -> SheetCodes:
    """Return what signs the sheets of the gallery."""
    key = SigningKey.from_seed(Secret(GALLERY_SEED))
    return SheetCodes(MUNICIPALITY_CODE, lambda: key)


def _household(*items: Item) -> Options:
    return Options(scope=Scope.HOUSEHOLD, items=items)


SAMPLES = (
    Sample(
        name="juminhyo",
        kind=Kind.JUMINHYO,
        shows="世帯全員（5人）、続柄と本籍入り。旧氏の併記と、最後のページの認証文・公印。",
        holder="見本　健",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-nine",
        kind=Kind.JUMINHYO,
        shows="9人世帯、3枚。続柄は世帯主から順にたどる（子の妻、子の子、父、弟）。",
        holder="例示　茂",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-self",
        kind=Kind.JUMINHYO,
        shows="本人のみ、個人番号入り。余白は斜線で消す。裏面はスクランブル画像。",
        holder="架空　花",
        options=Options(items=_WITH_MY_NUMBER),
        with_back=True,
    ),
    Sample(
        name="juminhyo-foreign",
        kind=Kind.JUMINHYO,
        shows="日本人と外国人の世帯。国籍、在留資格、在留カードの番号、通称。生年月日は西暦。",
        holder="架空　直子",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-permanent",
        kind=Kind.JUMINHYO,
        shows="特別永住者と永住者。長いローマ字の氏名、日の分からない生年月日。",
        holder="架英",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-rare-characters",
        kind=Kind.JUMINHYO,
        shows="基本多言語面の外にある「𠮷」と、旧氏の「髙」。",
        holder="𠮷田　見本男",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-variants",
        kind=Kind.JUMINHYO,
        shows="異体字セレクタを伴う「葛󠄀」「辻󠄀」。",
        holder="葛\U000e0100城　試次",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-eras",
        kind=Kind.JUMINHYO,
        shows="大正と昭和の境（大正15年12月25日と昭和元年12月25日は同じ日）。",
        holder="標本　大正",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-unknown-days",
        kind=Kind.JUMINHYO,
        shows="日の分からない生年月日と、暦にない日（昭和46年2月29日）。記録のとおりに書く。",
        holder="想定　勇",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="juminhyo-long-address",
        kind=Kind.JUMINHYO,
        shows="長い氏名と住所。枠に収まるまで文字を小さくし、収まらなければ発行しない。",
        holder="見本　クリストファー例太郎左衛門",
    ),
    Sample(
        name="kisaijiko",
        kind=Kind.KISAIJIKO,
        shows="世帯全員、続柄入り。",
        holder="見本　健",
        options=_household(*_ALL_ITEMS),
    ),
    Sample(
        name="inkan",
        kind=Kind.INKAN,
        shows="登録された印影。",
        holder="見本　健",
    ),
    Sample(
        name="kazei",
        kind=Kind.KAZEI,
        shows="所得、控除、税額。",
        holder="見本　健",
    ),
    Sample(
        name="koseki-zenbu",
        kind=Kind.KOSEKI_ZENBU,
        shows="14枚にわたる戸籍。初め、途中、終わりの3枚。",
        holder="例示　清",
        sheets=(1, 7, 14),
    ),
    Sample(
        name="koseki-zenbu-short",
        kind=Kind.KOSEKI_ZENBU,
        shows="夫婦と子の戸籍。",
        holder="見本　健",
    ),
    Sample(
        name="koseki-kojin",
        kind=Kind.KOSEKI_KOJIN,
        shows="戸籍のうち1人。",
        holder="見本　一葉",
    ),
    Sample(
        name="fuhyo",
        kind=Kind.FUHYO,
        shows="戸籍の附票、全員。住所の履歴。",
        holder="見本　健",
        options=Options(scope=Scope.HOUSEHOLD),
    ),
    Sample(
        name="fuhyo-self",
        kind=Kind.FUHYO,
        shows="戸籍の附票、1人。",
        holder="架空　花",
    ),
)
"""By kind, the plainest first; the first of a kind has the kind's name."""
