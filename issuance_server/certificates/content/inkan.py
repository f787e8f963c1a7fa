"""What a 印鑑登録証明書 says: the impression, and whose it is. The sex is not printed."""

from dataclasses import dataclass

from issuance_server.certificates.content.common import (
    Attestation,
    attestation,
    demand_options,
    holder,
    or_mark,
    record_of,
    refuse_faults,
)
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.core.record_faults import missing
from issuance_server.core.register import ForeignStatus
from issuance_server.core.register_rules import resident_faults
from issuance_server.core.seal_register import SealImpression, SealRegistration
from protocol.kinds import Scope

SENTENCE = "この写しは、登録された印影と相違ないことを証明します。"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCertificate:
    """The one sheet, as printed.

    Attributes:
        impression: 印影, in real size.
        kana: 氏名の振り仮名.
        name: 氏名.
        former_name: 旧氏.
        alias: 通称, of foreign residents.
        katakana_name: 氏名のカタカナ表記, likewise.
        birth: 生年月日.
        address: 住所.
        remarks: 備考.
        attestation: the certifying words.
    """

    impression: SealImpression
    kana: str
    name: str
    former_name: str
    alias: str
    katakana_name: str
    birth: str
    address: str
    remarks: str
    attestation: Attestation


def certificate(order: CertificateOrder) -> SealCertificate:
    """Return what is certified.

    Raises:
        CertificateRefused: no seal of the holder is registered, its registration has ended, or a
            record breaks a rule.
    """
    demand_options(order, Scope.SELF)
    owner = holder(order)
    registration = record_of(order, SealRegistration)
    if registration.resident_id != owner.resident_id:
        raise CertificateRefused("record-missing")
    if registration.abolished:
        raise CertificateRefused("seal-abolished")
    refuse_faults(resident_faults(owner, "名義人"))
    refuse_faults(missing("住所", order.household.address))
    refuse_faults(registration.faults())
    foreign: ForeignStatus | None = owner.foreign
    return SealCertificate(
        impression=registration.impression,
        kana=or_mark(owner.kana),
        name=owner.name,
        former_name=or_mark(owner.former_name),
        alias=or_mark(foreign.alias if foreign else None),
        katakana_name=or_mark(registration.katakana_name),
        birth=owner.birth.text,
        address=order.household.address,
        remarks=or_mark(registration.remarks),
        attestation=attestation(order, SENTENCE),
    )
