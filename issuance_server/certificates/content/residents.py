"""A member's fields as certificates of the resident register print them."""

from dataclasses import dataclass

from issuance_server.certificates.content.common import MARK, or_mark
from issuance_server.core.eras import seireki
from issuance_server.core.register import ForeignStatus, Resident
from protocol.kinds import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFields:
    """The fields that only foreign residents have, as printed.

    Attributes:
        nationality: 国籍・地域.
        category: 30条の45の区分.
        status: 在留資格.
        period: 在留期間.
        until: 在留期間の満了の日, in the years of our era (標準仕様書 §1.1.9).
        card_number: 在留カード等の番号.
        alias: 通称.
        alias_kana: its reading.
    """

    nationality: str
    category: str
    status: str
    period: str
    until: str
    card_number: str
    alias: str
    alias_kana: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFields:
    """One member's fields, as printed. 住民票コード is no field: it is never printed here.

    Attributes:
        entry: which member of the household, as refusals call it, such as ``世帯員2``; not printed.
        position: the running number on the certificate, from 1.
        foreign: for foreign residents, who have no 本籍 and no 旧氏.
    """

    entry: str
    position: str
    kana: str
    name: str
    former_name_kana: str
    former_name: str
    birth: str
    sex: str
    relationship: str
    my_number: str
    became_resident_on: str
    address_since: str
    notified_on: str
    register_head: str
    domicile: str
    previous_address: str
    remarks: str
    foreign: ForeignFields | None


def member_fields(
    entry: str, position: int, member: Resident, shown: frozenset[Item]
) -> MemberFields:
    """Return a member's fields: what was not asked for is marked (標準仕様書 §5.1)."""

    def if_shown(item: Item, text: str | None) -> str:
        return or_mark(text) if item in shown else MARK

    return MemberFields(
        entry=entry,
        position=str(position),
        kana=or_mark(member.kana),
        name=member.name,
        former_name_kana=or_mark(member.former_name_kana),
        former_name=or_mark(member.former_name),
        birth=member.birth.text,
        sex=member.sex.value,
        relationship=if_shown(Item.RELATIONSHIP, member.relationship),
        my_number=if_shown(Item.MY_NUMBER, member.my_number),
        became_resident_on=member.became_resident_on.text,
        address_since=member.address_since.text,
        notified_on=member.notified_on.text,
        register_head=if_shown(Item.DOMICILE, member.register_head),
        domicile=if_shown(Item.DOMICILE, member.domicile),
        previous_address=or_mark(member.previous_address),
        remarks=or_mark(member.remarks),
        foreign=_foreign_fields(member.foreign, asked_for=Item.DOMICILE in shown)
        if member.foreign
        else None,
    )


def _foreign_fields(foreign: ForeignStatus, *, asked_for: bool) -> ForeignFields:
    """Return a foreign resident's fields.

    Nationality and status answer the question that 本籍 answers for others: they are shown when
    that is asked for. The 通称 is a name, and always shown.
    """

    def if_asked_for(text: str | None) -> str:
        return or_mark(text) if asked_for else MARK

    return ForeignFields(
        nationality=if_asked_for(foreign.nationality),
        category=if_asked_for(foreign.category.value),
        status=if_asked_for(foreign.status),
        period=if_asked_for(foreign.period),
        until=if_asked_for(seireki(foreign.until) if foreign.until else None),
        card_number=if_asked_for(foreign.card_number),
        alias=or_mark(foreign.alias),
        alias_kana=or_mark(foreign.alias_kana),
    )
