"""What operators want of days, of issuances without a word, and of lines that were stopped."""

from dataclasses import dataclass
from typing import TypeAlias

from issuance_server.core.records import ClosedFee


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDay:
    """A day (``YYYY-MM-DD``) is to be closed for good."""

    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """A terminal that cannot be reached is not to keep a day open; of two operators."""

    terminal: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleDifference:
    """It was found out why the counters of a terminal differ; of two operators."""

    terminal: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIssuance:
    """An issuance of which no word comes is to be ended; of two operators."""

    issuance_id: bytes
    fee: ClosedFee


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenLine:
    """A terminal that was stopped may go on; of two operators."""

    terminal: str


OfDay: TypeAlias = CloseDay | CarryOver | SettleDifference
OfLines: TypeAlias = CloseIssuance | ReopenLine
DayChange: TypeAlias = OfDay | OfLines
