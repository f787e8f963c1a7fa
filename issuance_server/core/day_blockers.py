"""What keeps a day from being closed: names the terminals and the issuances (精査)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from issuance_server.core.calendar import civil
from issuance_server.core.day_counts import CountedIssuance, balanced
from issuance_server.core.day_facts import DayFacts, OpeningEnd, OpeningOfDay
from issuance_server.core.tables import CityTables
from issuance_server.core.terminal_place import TerminalClass
from protocol.kinds import Kind

NAMED_MAX = 5
"""A sentence names so many terminals, and so many issuances of each; ``day status`` names all."""


class LineState(Enum):
    """How the line of a terminal stands on a day."""

    CLOSED = "closed"  # in order: both sides counted the same
    OPEN = "open"
    NOT_REACHED = "not-reached"  # still open, and the day's service is over
    DIFFERS = "differs"
    CARRIED_OVER = "carried-over"
    BROKEN_OFF = "broken-off"  # not closed, but opened again later
    REVOKED = "revoked"
    NOT_OPENED = "not-opened"


class BlockReason(Enum):
    """Why a day cannot be closed."""

    NOT_OVER = "day-not-over"
    EARLIER_DAY = "earlier-day-open"
    ISSUANCE_OPEN = "issuance-open"
    LINE_OPEN = "line-open"
    COUNTERS_DIFFER = "counters-differ"
    SUMS_DIFFER = "sums-differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """One thing that keeps a day open.

    Attributes:
        reason: what it is.
        terminal: whose line, where it is about one.
        issuance_ids: which issuances.
        day: which other day, where it is about one.
    """

    reason: BlockReason
    terminal: str | None = None
    issuance_ids: tuple[bytes, ...] = ()
    day: str | None = None

    def text(self) -> str:
        """Say it, as part of a sentence."""
        match self.reason:
            case BlockReason.NOT_OVER:
                return "its service is not over"
            case BlockReason.EARLIER_DAY:
                return f"{self.day} is not closed"
            case BlockReason.ISSUANCE_OPEN:
                return f"issuances of {self.terminal} are not at an end ({self._ids()})"
            case BlockReason.LINE_OPEN:
                return f"the line of {self.terminal} is not closed"
            case BlockReason.COUNTERS_DIFFER:
                return f"the counters of {self.terminal} differ (issuances: {self._ids()})"
            case BlockReason.SUMS_DIFFER:
                return "money and paper do not fit; look at the journal: audit verify"

    def _ids(self) -> str:
        ids = [one.hex() for one in self.issuance_ids]
        more = len(ids) - NAMED_MAX
        named = ", ".join(ids[:NAMED_MAX]) or "none here"
        return f"{named} and {more} more" if more > 0 else named


def is_over(day: str, tables: CityTables, business_ms: int) -> bool:
    """Tell whether nothing can be applied for on a day any more.

    Args:
        day: ``YYYY-MM-DD``.
        tables: the city's hours.
        business_ms: now.
    """
    today = civil(business_ms).date()
    if day != today.isoformat():
        return day < today.isoformat()
    return not any(
        business_ms < span.until_ms
        for kind in Kind
        for terminal_class in TerminalClass
        for span in tables.calendar.spans(kind, terminal_class, today)
    )


def blockers(facts: DayFacts, *, over: bool) -> list[Blocker]:
    """Return everything that keeps a day open; a day without any may be closed."""
    found = []
    if not over:
        found.append(Blocker(reason=BlockReason.NOT_OVER))
    if facts.earlier_day is not None:
        found.append(Blocker(reason=BlockReason.EARLIER_DAY, day=facts.earlier_day))
    found += blockers_of_lines(facts)
    if not balanced(facts.ended):
        found.append(Blocker(reason=BlockReason.SUMS_DIFFER))
    return found


def blockers_of_lines(facts: DayFacts) -> Iterator[Blocker]:
    """Go through the terminals in order of their ids."""
    unfinished = _ids_by_terminal(facts.unfinished)
    openings = by_terminal(facts.openings)
    for terminal in sorted({*unfinished, *openings}):
        left = unfinished.get(terminal, ())
        carried = terminal in facts.carried_over
        if left and not carried:
            yield Blocker(reason=BlockReason.ISSUANCE_OPEN, terminal=terminal, issuance_ids=left)
        if not carried and any(one.end is None for one in openings.get(terminal, ())):
            yield Blocker(reason=BlockReason.LINE_OPEN, terminal=terminal)
        differing = [one for one in openings.get(terminal, ()) if one.differs]
        if differing:
            counted = [issuance for one in differing for issuance in one.issuance_ids]
            yield Blocker(
                reason=BlockReason.COUNTERS_DIFFER,
                terminal=terminal,
                issuance_ids=tuple(dict.fromkeys((*counted, *left))),
            )


def line_state(openings: Iterable[OpeningOfDay], *, over: bool, carried_over: bool) -> LineState:
    """Return how the line of one terminal stands; the openings are those of the day."""
    of_day = list(openings)
    if any(one.differs for one in of_day):
        return LineState.DIFFERS
    if not of_day:
        return LineState.CARRIED_OVER if carried_over else LineState.NOT_OPENED
    match of_day[-1].end:
        case None if carried_over:
            return LineState.CARRIED_OVER
        case None:
            return LineState.NOT_REACHED if over else LineState.OPEN
        case OpeningEnd.CLOSED:
            return LineState.CLOSED
        case OpeningEnd.BROKEN_OFF:
            return LineState.BROKEN_OFF
        case OpeningEnd.REVOKED:
            return LineState.REVOKED


def sentence(day: str, found: list[Blocker]) -> str:
    """Say why a day cannot be closed, with the way out."""
    texts = [one.text() for one in found[:NAMED_MAX]]
    more = len(found) - NAMED_MAX
    if more > 0:
        texts.append(f"{more} more")
    return f"{day} cannot be closed: {'; '.join(texts)}; see: day status {day}"


def with_commissions(
    issuances: Iterable[CountedIssuance], tables: CityTables, day: str
) -> tuple[CountedIssuance, ...]:
    """Return issuances with what their chains get for each of the copies, as of a day."""
    on = date.fromisoformat(day)
    return tuple(
        replace(
            one,
            commission_yen=(tables.commission_yen(one.chain, one.kind, on) or 0) * one.copies,
        )
        for one in issuances
    )


def by_terminal(openings: Iterable[OpeningOfDay]) -> dict[str, list[OpeningOfDay]]:
    """Return the openings of each terminal, in the same order."""
    found: dict[str, list[OpeningOfDay]] = {}
    for one in openings:
        found.setdefault(one.terminal, []).append(one)
    return found


def _ids_by_terminal(issuances: Iterable[CountedIssuance]) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for one in issuances:
        found[one.terminal] = (*found.get(one.terminal, ()), one.issuance_id)
    return found
