"""What a 戸籍の附票の写し says: where the people of a family register have lived."""

from dataclasses import dataclass

from issuance_server.certificates.content.common import (
    MARK,
    Attestation,
    attestation,
    demand_options,
    holder,
    or_mark,
    record_of,
    refuse_faults,
)
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.core.family_register import AddressHistory, AddressHolder
from protocol.kinds import Item, Scope

WHOLE = "全部"
PART = "一部"
SENTENCE = "この写しは、戸籍の附票の原本と相違ないことを証明する。"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAddresses:
    """One person, as printed.

    Attributes:
        entry: which person of the register, as refusals call it, such as ``名欄2``; not printed.
        name: 氏名.
        birth: 生年月日.
        sex: 性別.
        removed: 除籍.
        addresses: 住所 and 住所を定めた年月日, oldest first.
    """

    entry: str
    name: str
    birth: str
    sex: str
    removed: bool
    addresses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressCertificate:
    """What is certified, before it is divided among sheets.

    Attributes:
        coverage: 全部 or 一部.
        domicile: 本籍, or the mark.
        head: 筆頭者, or the mark.
        made_by: 編製日 or 改製日.
        made_on: the day.
        people: the 筆頭者 first.
        attestation: the certifying words.
    """

    coverage: str
    domicile: str
    head: str
    made_by: str
    made_on: str
    people: tuple[PersonAddresses, ...]
    attestation: Attestation


def certificate(order: CertificateOrder) -> AddressCertificate:
    """Return what is certified.

    Raises:
        CertificateRefused: there is no address history, the holder is not in it or no longer in
            it, or it breaks a rule.
    """
    demand_options(order, Scope.SELF, Scope.HOUSEHOLD, items=(Item.DOMICILE,))
    history = record_of(order, AddressHistory)
    himself = history.person(holder(order).resident_id)
    if himself is None:
        raise CertificateRefused("member-unknown")
    refuse_faults(history.faults())
    whole = order.options.scope is Scope.HOUSEHOLD
    shown = Item.DOMICILE in order.options.items
    return AddressCertificate(
        coverage=WHOLE if whole else PART,
        domicile=history.domicile if shown else MARK,
        head=history.head if shown else MARK,
        made_by=history.made_by,
        made_on=history.made_on.text,
        people=tuple(
            _person(f"名欄{number}", person)
            for number, person in enumerate(history.people, start=1)
            if whole or person is himself
        ),
        attestation=attestation(order, SENTENCE),
    )


def _person(entry: str, person: AddressHolder) -> PersonAddresses:
    return PersonAddresses(
        entry=entry,
        name=person.name,
        birth=or_mark(person.birth.text if person.birth else None),
        sex=or_mark(person.sex.value if person.sex else None),
        removed=person.removed,
        addresses=tuple((entry.address, entry.since.text) for entry in person.addresses),
    )
