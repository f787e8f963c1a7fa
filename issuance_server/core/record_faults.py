"""What is wrong with a record: which rule of the standard it breaks, and in which item.

A certificate is made of records without a fault only. A fault names items, never what they say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from issuance_server.core.eras import is_possible_date, is_possible_western_date

FaultReason = Literal[
    "record-incomplete", "relationship-impossible", "date-impossible", "record-inconsistent"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One broken rule.

    Attributes:
        reason: which kind of rule.
        item: where, such as ``世帯員2 生年月日``; for operators, without anything personal.
    """

    reason: FaultReason
    item: str


def missing(item: str, *values: object) -> Iterator[Fault]:
    """Yield a fault if one of the values is empty (標準仕様書 §1.1.6)."""
    if not all(values):
        yield Fault(reason="record-incomplete", item=item)


def date_faults(item: str, text: str, on: date | None, *, western: bool = False) -> Iterator[Fault]:
    """Yield a fault if a date is empty, of no allowed form, or at odds with its calendar day.

    Args:
        item: where the date stands.
        text: its words.
        on: its day of the calendar.
        western: whether the words must be in the years of our era.
    """
    if not text:
        yield Fault(reason="record-incomplete", item=item)
    elif not (is_possible_western_date if western else is_possible_date)(text, on):
        yield Fault(reason="date-impossible", item=item)


def inconsistent(item: str, *, unless: bool) -> Iterator[Fault]:
    """Yield a fault unless what must agree agrees."""
    if not unless:
        yield Fault(reason="record-inconsistent", item=item)
