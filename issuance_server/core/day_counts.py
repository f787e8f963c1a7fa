"""Sums of a business day: by line, by chain, by kind, and of the city (design §2, invariant 10).

An issuance counts in one day only, in which it ends: so it does when midnight, or a week without a
line, lies between its release and its end. A fee is collected when the key goes out and stays
*held* until paper or failure are reported; from then on it is earned or returned. Over a day that
can be closed nothing is held, and what was collected and not returned is what was issued.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import Enum
from typing import Self, TypeVar

from issuance_server.core.calendar import civil
from protocol.issuance import IssuanceState
from protocol.kinds import Kind

S = IssuanceState
Key = TypeVar("Key")


class FeeState(Enum):
    """Where the fee of an issuance is."""

    NONE = "none"
    HELD = "held"
    EARNED = "earned"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedIssuance:
    """One issuance, as far as it counts.

    Attributes:
        issuance_id: its id.
        terminal: whose it is.
        chain: who runs the terminal.
        kind: of certificate.
        copies: how many were applied for.
        fee_yen: for all copies.
        fee: where the fee is.
        state: where it stands.
        commission_yen: due to the chain for all copies, if they are issued.
    """

    issuance_id: bytes
    terminal: str
    chain: str
    kind: Kind
    copies: int
    fee_yen: int
    fee: FeeState
    state: IssuanceState
    commission_yen: int = 0

    @property
    def issued(self) -> bool:
        """Whether the certificate is out: its fee is earned, and only then."""
        return self.fee is FeeState.EARNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was counted; amounts in yen, everything else in issuances but for the copies.

    Attributes:
        completed: printed, and deleted on both sides.
        reversed: failed after the release, and deleted on both sides.
        withdrawn: ended before any release.
        closed: closed by two operators.
        unconfirmed: released, and no word came in time.
        under_way: everything else that is not at an end.
        copies: certificates that were issued.
        collected_yen: held at releases, whatever came of it.
        returned_yen: given back.
        earned_yen: kept, for what was issued.
        commission_yen: due to the chain for what was issued.
    """

    completed: int = 0
    reversed: int = 0
    withdrawn: int = 0
    closed: int = 0
    unconfirmed: int = 0
    under_way: int = 0
    copies: int = 0
    collected_yen: int = 0
    returned_yen: int = 0
    earned_yen: int = 0
    commission_yen: int = 0

    def __add__(self, other: Self) -> "Counts":
        names = [field.name for field in fields(Counts)]
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def held_yen(self) -> int:
        """Neither earned nor returned so far."""
        return self.collected_yen - self.returned_yen - self.earned_yen


_COLUMN = {
    S.COMPLETED: "completed",
    S.REVERSED: "reversed",
    S.WITHDRAWN: "withdrawn",
    S.CLOSED: "closed",
    S.UNCONFIRMED: "unconfirmed",
}
NOTHING = Counts()


def counts_of(one: CountedIssuance) -> Counts:
    """Return what a single issuance counts."""
    taken = one.fee is not FeeState.NONE
    return Counts(
        **{_COLUMN.get(one.state, "under_way"): 1},
        copies=one.copies if one.issued else 0,
        collected_yen=one.fee_yen if taken else 0,
        returned_yen=one.fee_yen if one.fee is FeeState.RETURNED else 0,
        earned_yen=one.fee_yen if one.issued else 0,
        commission_yen=one.commission_yen if one.issued else 0,
    )


def total(issuances: Iterable[CountedIssuance]) -> Counts:
    """Return the sum over issuances."""
    return sum((counts_of(one) for one in issuances), NOTHING)


def totals_by(
    key: Callable[[CountedIssuance], Key], issuances: Iterable[CountedIssuance]
) -> dict[Key, Counts]:
    """Return a sum for each value of a key, in the order in which they first come."""
    sums: dict[Key, Counts] = {}
    for one in issuances:
        sums[key(one)] = sums.get(key(one), NOTHING) + counts_of(one)
    return sums


def by_line(one: CountedIssuance) -> str:
    """Key: the terminal."""
    return one.terminal


def by_chain(one: CountedIssuance) -> str:
    """Key: who runs the terminal."""
    return one.chain


def by_kind(one: CountedIssuance) -> Kind:
    """Key: the kind of certificate."""
    return one.kind


def by_chain_and_kind(one: CountedIssuance) -> tuple[str, Kind]:
    """Key: what commissions are settled by."""
    return one.chain, one.kind


def balanced(issuances: Iterable[CountedIssuance]) -> bool:
    """Tell whether the day's money fits its paper, for each chain and each kind.

    What was collected and not returned is the sum of the fees of what was issued.
    """
    ended = list(issuances)
    issued: dict[tuple[str, Kind], int] = {}
    for one in ended:
        fee_yen = one.fee_yen if one.issued else 0
        issued[by_chain_and_kind(one)] = issued.get(by_chain_and_kind(one), 0) + fee_yen
    sums = totals_by(by_chain_and_kind, ended)
    return issued == {key: one.collected_yen - one.returned_yen for key, one in sums.items()}


def counting_day(closed_through: str, business_ms: int) -> str:
    """Return the day in which counts what ends now: today, unless today is closed already.

    Args:
        closed_through: the last day that is closed, ``YYYY-MM-DD``; empty: none is.
        business_ms: now.
    """
    today = civil(business_ms).date().isoformat()
    return today if today > closed_through else day_after(closed_through)


def day_after(day: str) -> str:
    """Return the day after a day, both ``YYYY-MM-DD``."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
