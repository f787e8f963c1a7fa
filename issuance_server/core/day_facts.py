"""What a decision over a day needs to know of the store."""

from dataclasses import dataclass
from enum import Enum

from issuance_server.core.day_counts import CountedIssuance
from protocol.telegrams import Counters
from protocol.terminal_statements import FailureCause

MACHINE_FAULTS = frozenset(
    {FailureCause.PRINTER, FailureCause.POWER_LOSS, FailureCause.BINDING_MISMATCH}
)
"""Causes of failed prints that are the machine's. A line that broke is no fault of it."""


class OpeningEnd(Enum):
    """How an opening of a line ended."""

    CLOSED = "closed"  # 閉局: both sides compared their counters
    BROKEN_OFF = "broken-off"  # the terminal opened anew: both sides compared what had not ended
    REVOKED = "revoked"  # the terminal is off the list


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningOfDay:
    """One opening of a line that touches a day.

    Attributes:
        terminal: whose line.
        opened_at_ms: since when, real time.
        ended_at_ms: until when; None: it is open.
        end: how it ended.
        ours: what the server counted, where it was closed.
        theirs: what the terminal said that it counted.
        settled: two operators found out why they differ.
        issuance_ids: what the server counted for it, where they differ and nobody found out.
    """

    terminal: str
    opened_at_ms: int
    ended_at_ms: int | None = None
    end: OpeningEnd | None = None
    ours: Counters | None = None
    theirs: Counters | None = None
    settled: bool = False
    issuance_ids: tuple[bytes, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the sides counted differently, and nobody found out why."""
        return self.ours != self.theirs and not self.settled


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """A day, as it is on record.

    Attributes:
        day: ``YYYY-MM-DD``.
        earlier_day: the first day before it that is not closed and has business; None: there is no
            such day.
        ended: the issuances that count in the day.
        unfinished: those of the day or of days before that are not at an end.
        openings: of lines that touch the day, oldest first.
        carried_over: the terminals that two operators carried over.
    """

    day: str
    earlier_day: str | None = None
    ended: tuple[CountedIssuance, ...] = ()
    unfinished: tuple[CountedIssuance, ...] = ()
    openings: tuple[OpeningOfDay, ...] = ()
    carried_over: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintFacts:
    """How a terminal has printed, since it was last inspected.

    Attributes:
        failed_in_day: prints that failed in the last 24 hours by a fault of the machine.
        failed: prints that failed so.
        reported: all prints that were reported.
        mismatches_elsewhere: the other terminals that reported in the last ten minutes that a page
            is not the page that was signed.
    """

    failed_in_day: int = 0
    failed: int = 0
    reported: int = 0
    mismatches_elsewhere: tuple[str, ...] = ()
