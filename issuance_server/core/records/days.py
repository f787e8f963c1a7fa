"""Records of the close of days (日次締め): sums, and what people decided over lines of a day."""

import msgspec

from issuance_server.core.records.base import HouseRecord, Record
from protocol.kinds import Kind
from protocol.terminal_statements import PrintOutcome


class DayTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one kind at one chain's terminals on a day.

    Attributes:
        chain: who runs the stores.
        kind: of certificate.
        completed: issuances that were printed.
        reversed: that failed after the release.
        withdrawn: that ended before any release.
        closed: that two operators closed.
        copies: certificates that were issued, by the fees that were earned.
        collected_yen: held at releases.
        returned_yen: given back.
        earned_yen: kept.
        commission_yen: due to the chain.
    """

    chain: str
    kind: Kind
    completed: int
    reversed: int
    withdrawn: int
    closed: int
    copies: int
    collected_yen: int
    returned_yen: int
    earned_yen: int
    commission_yen: int


class DayClosed(Record, frozen=True, kw_only=True, tag="day-closed"):
    """A day never changes any more; what ends from now on counts in a later one.

    Attributes:
        day: ``YYYY-MM-DD``; the days before it are closed with it.
        operator: who closed it.
        totals: by chain and kind.
    """

    day: str
    operator: str
    totals: tuple[DayTotal, ...]


class LineCarriedOver(HouseRecord, frozen=True, kw_only=True, tag="line-carried-over"):
    """A terminal cannot be reached: the day closes without it, and it stays open for the next."""

    terminal: str
    day: str
    operators: tuple[str, str]


class DifferenceSettled(HouseRecord, frozen=True, kw_only=True, tag="difference-settled"):
    """Two operators found out why the counters of a terminal differed on a day."""

    terminal: str
    day: str
    operators: tuple[str, str]


class ReportedLate(HouseRecord, frozen=True, kw_only=True, tag="reported-late"):
    """A terminal spoke about an issuance that two operators had closed; it changes nothing.

    Whether the operators were right is for the accounts of the day in which the word came.

    Attributes:
        issuance_id: the issuance.
        terminal: whose it is.
        day: in which the word came.
        outcome: printed or failed.
        sheets_out: sheets that left the printer.
        reported_at_ms: the terminal's clock.
        signature: of the report.
    """

    issuance_id: bytes
    terminal: str
    day: str
    outcome: PrintOutcome
    sheets_out: int
    reported_at_ms: int
    signature: bytes
