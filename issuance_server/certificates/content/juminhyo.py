"""What a 住民票の写し (世帯連記式) says."""

from dataclasses import dataclass

from issuance_server.certificates.content.common import (
    MARK,
    Attestation,
    attestation,
    members_chosen,
)
from issuance_server.certificates.content.residents import MemberFields, member_fields
from issuance_server.certificates.order import CertificateOrder
from issuance_server.core.register import Resident
from protocol.kinds import Item, Scope

ENTRIES_PER_SHEET = 4

WHOLE_HOUSEHOLD = "この写しは、世帯全員の住民票の原本と相違ないことを証明する。"
PART_OF_HOUSEHOLD = "この写しは、世帯の一部の住民票の原本と相違ないことを証明する。"
HOLDER_ALONE = "この写しは、住民票の原本と相違ないことを証明する。"


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
    entries: tuple[MemberFields, ...]
    attestation: Attestation | None


def sheets(order: CertificateOrder) -> tuple[Sheet, ...]:
    """Return the sheets of one copy.

    Raises:
        CertificateRefused: somebody who was asked for is not of the household, or the household
            breaks a rule of the standard.
    """
    chosen = members_chosen(order)
    return divided(order, chosen, _sentence(order, chosen))


def divided(
    order: CertificateOrder, chosen: tuple[Resident, ...], sentence: str
) -> tuple[Sheet, ...]:
    """Divide members among sheets; the last one certifies."""
    shown = frozenset(order.options.items)
    members = order.household.members
    entries = tuple(
        member_fields(f"世帯員{members.index(member) + 1}", position, member, shown)
        for position, member in enumerate(chosen, 1)
    )
    starts = range(0, len(entries), ENTRIES_PER_SHEET)
    return tuple(
        Sheet(
            address=order.household.address,
            head=order.household.head.name if Item.RELATIONSHIP in shown else MARK,
            entries=entries[start : start + ENTRIES_PER_SHEET],
            attestation=attestation(order, sentence) if start == starts[-1] else None,
        )
        for start in starts
    )


def _sentence(order: CertificateOrder, chosen: tuple[Resident, ...]) -> str:
    """Return the certifying sentence; a choice of everybody is the whole household."""
    if order.options.scope is Scope.SELF:
        return HOLDER_ALONE
    whole = len(chosen) == len(order.household.members)
    return WHOLE_HOUSEHOLD if whole else PART_OF_HOUSEHOLD
