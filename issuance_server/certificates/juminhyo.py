"""What a 住民票の写し (世帯連記式) says; how it looks is in ``layout``."""

from dataclasses import dataclass

from issuance_server.certificates.content import MARK, Attestation, attestation, or_mark
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.core.register import Resident
from protocol.kinds import Item, Options, Scope

ENTRIES_PER_SHEET = 4

WHOLE_HOUSEHOLD = "この写しは、世帯全員の住民票の原本と相違ないことを証明する。"
PART_OF_HOUSEHOLD = "この写しは、世帯の一部の住民票の原本と相違ないことを証明する。"
HOLDER_ALONE = "この写しは、住民票の原本と相違ないことを証明する。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member's fields, as printed. 住民票コード is no field: it is never printed here.

    Attributes:
        position: the running number on the certificate, from 1.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet without its number.

    Attributes:
        address: 住所.
        head: the head's name, or the mark.
        entries: one to four members.
        attestation: on the last sheet.
    """

    address: str
    head: str
    entries: tuple[Entry, ...]
    attestation: Attestation | None


def sheets(order: CertificateOrder) -> tuple[Sheet, ...]:
    """Return the sheets of one copy.

    Raises:
        CertificateRefused: somebody who was asked for is not of the household.
    """
    chosen = _chosen(order)
    shown = frozenset(order.options.items)
    entries = [_entry(place, member, shown) for place, member in enumerate(chosen, start=1)]
    starts = range(0, len(entries), ENTRIES_PER_SHEET)
    return tuple(
        Sheet(
            address=order.household.address,
            head=order.household.head.name if Item.RELATIONSHIP in shown else MARK,
            entries=tuple(entries[start : start + ENTRIES_PER_SHEET]),
            attestation=attestation(order, _sentence(order, chosen))
            if start == starts[-1]
            else None,
        )
        for start in starts
    )


def _chosen(order: CertificateOrder) -> tuple[Resident, ...]:
    """Return the members that the certificate covers, in the household's order."""
    members, options = order.household.members, order.options
    holder = order.household.member(order.holder_id)
    if holder is None:
        raise CertificateRefused("member-unknown")
    if options.scope is Scope.SELF:
        return (holder,)
    if options.scope is Scope.HOUSEHOLD:
        return members
    return _named(members, options)


def _named(members: tuple[Resident, ...], options: Options) -> tuple[Resident, ...]:
    numbers = frozenset(options.members)
    if not numbers or not numbers <= frozenset(range(1, len(members) + 1)):
        raise CertificateRefused("member-unknown")
    return tuple(member for number, member in enumerate(members, 1) if number in numbers)


def _sentence(order: CertificateOrder, chosen: tuple[Resident, ...]) -> str:
    """Return the certifying sentence; a choice of everybody is the whole household."""
    if order.options.scope is Scope.SELF:
        return HOLDER_ALONE
    whole = len(chosen) == len(order.household.members)
    return WHOLE_HOUSEHOLD if whole else PART_OF_HOUSEHOLD


def _entry(position: int, member: Resident, shown: frozenset[Item]) -> Entry:
    """Return a member's fields: what was not asked for is marked (標準仕様書 §5.1)."""

    def if_shown(item: Item, text: str | None) -> str:
        return or_mark(text) if item in shown else MARK

    return Entry(
        position=str(position),
        kana=member.kana,
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
    )
