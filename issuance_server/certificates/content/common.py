"""Parts that every certificate says in the same words, whatever it looks like."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from issuance_server.certificates.dates import wareki
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.core.record_faults import Fault
from issuance_server.core.register import Resident
from issuance_server.core.register_rules import household_faults
from protocol.kinds import Item, Options, Scope

MARK = "＊＊＊"
"""Stands in a field that was not asked for or has no content, so that nothing can be written in."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """The certifying words (認証文), on the last sheet of each copy only (標準仕様書 §5.1).

    Attributes:
        sentence: what is certified.
        issued_on: the day in the Japanese era.
        authority: the certifying person with prefecture and title, and the name.
    """

    sentence: str
    issued_on: str
    authority: str


def attestation(order: CertificateOrder, sentence: str) -> Attestation:
    """Return the certifying words of an order."""
    issuer = order.issuer
    return Attestation(
        sentence=sentence,
        issued_on=wareki(order.issued_on),
        authority=f"{issuer.prefecture}{issuer.title}　{issuer.name}",
    )


def number_line(number: str, sheet: int, sheets: int) -> str:
    """Return the 発行番号 of one sheet (標準仕様書 §5.5): the copy's, then page and pages."""
    return f"{number} {sheet}/{sheets}"


def or_mark(text: str | None) -> str:
    """Return a field's text, or the mark where there is none."""
    return text or MARK


def refuse_faults(faults: Iterable[Fault]) -> None:
    """Refuse the certificate for the first fault of its record, if there is one.

    Raises:
        CertificateRefused: there is a fault; the refusal names its rule and its item.
    """
    for fault in faults:
        raise CertificateRefused(fault.reason, fault.item)


def record_of(order: CertificateOrder, kind: type[R]) -> R:
    """Return the order's record if it is of this kind.

    Raises:
        CertificateRefused: there is none.
    """
    if not isinstance(order.record, kind):
        raise CertificateRefused("record-missing")
    return order.record


def holder(order: CertificateOrder) -> Resident:
    """Return the holder's entry.

    Raises:
        CertificateRefused: the holder is not of the household.
    """
    found = order.household.member(order.holder_id)
    if found is None:
        raise CertificateRefused("member-unknown")
    return found


def members_chosen(order: CertificateOrder) -> tuple[Resident, ...]:
    """Return the members whom the options name, in the household's order.

    Raises:
        CertificateRefused: somebody is not of the household, the household has a fault, or an
            item that was asked for is missing.
    """
    options, members = order.options, order.household.members
    himself = holder(order)
    refuse_faults(household_faults(order.household))
    if options.scope is Scope.SELF:
        chosen: tuple[Resident, ...] = (himself,)
    else:
        chosen = members if options.scope is Scope.HOUSEHOLD else _named(members, options)
    if Item.MY_NUMBER in options.items and not all(member.my_number for member in chosen):
        raise CertificateRefused("record-incomplete", "個人番号")
    return chosen


def demand_options(order: CertificateOrder, *scopes: Scope, items: tuple[Item, ...] = ()) -> None:
    """Refuse options that this kind does not have: what is asked for is printed, or nothing is.

    Args:
        order: the order.
        scopes: those that there are.
        items: those that can be asked for.

    Raises:
        CertificateRefused: another scope or item was chosen.
    """
    options = order.options
    if options.scope not in scopes or not set(options.items) <= set(items):
        raise CertificateRefused("options-not-offered")


def _named(members: tuple[Resident, ...], options: Options) -> tuple[Resident, ...]:
    numbers = frozenset(options.members)
    if not numbers or not numbers <= frozenset(range(1, len(members) + 1)):
        raise CertificateRefused("member-unknown")
    return tuple(member for number, member in enumerate(members, 1) if number in numbers)
