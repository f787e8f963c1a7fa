"""What a terminal issues now by the city's tables, and until when it may be released."""

from collections.abc import Collection

from issuance_server.core.calendar import civil
from issuance_server.core.facts import Now
from issuance_server.core.records import IssuanceApplied
from issuance_server.core.tables import CityTables, Closed, Open
from issuance_server.core.terminal_place import TerminalPlace
from protocol.codes import ReplyCode
from protocol.kinds import Kind
from protocol.telegrams import Unavailable

CLOSING_GRACE_MS = 10 * 60 * 1_000
"""What was applied for before closing may still be released for so long."""


def offered_at(tables: CityTables, place: TerminalPlace | None, now: Now) -> tuple[Kind, ...]:
    """Return what a terminal issues as of today, open just now or not."""
    return () if place is None else tables.offered(place, civil(now.business_ms).date())


def service_refusal(tables: CityTables, place: TerminalPlace | None, now: Now) -> ReplyCode | None:
    """Return why nothing may start at a terminal now, or None."""
    offered = offered_at(tables, place, now)
    if place is None or not offered:
        return ReplyCode.KIND_NOT_OFFERED
    openings = (tables.opening_at(kind, place, now.business_ms) for kind in offered)
    return None if any(isinstance(one, Open) for one in openings) else ReplyCode.OUT_OF_HOURS


def opening_refusal(
    tables: CityTables, place: TerminalPlace | None, kind: Kind, now: Now
) -> ReplyCode | None:
    """Return why a kind may not be applied for at a terminal now, or None."""
    if place is None or kind not in offered_at(tables, place, now):
        return ReplyCode.KIND_NOT_OFFERED
    opening = tables.opening_at(kind, place, now.business_ms)
    return opening.code if isinstance(opening, Closed) else None


def closed_kinds(
    tables: CityTables, place: TerminalPlace | None, kinds: Collection[Kind], now: Now
) -> tuple[Unavailable, ...]:
    """Return those of some offered kinds that are closed now, and when each opens again."""
    if place is None:
        return ()
    openings = ((kind, tables.opening_at(kind, place, now.business_ms)) for kind in kinds)
    return tuple(
        Unavailable(kind=kind, code=opening.code, opens_at_ms=opening.opens_at_ms)
        for kind, opening in openings
        if isinstance(opening, Closed)
    )


def release_until_ms(tables: CityTables, place: TerminalPlace, kind: Kind, now: Now) -> int | None:
    """Return the real time of closing and its grace, for what is applied for now.

    None: it does not close within a week. Real and business time run alike.
    """
    opening = tables.opening_at(kind, place, now.business_ms)
    if isinstance(opening, Closed) or opening.closes_at_ms is None:
        return None
    return now.real_ms + opening.closes_at_ms - now.business_ms + CLOSING_GRACE_MS


def expiry_code(applied: IssuanceApplied, now: Now) -> ReplyCode:
    """Return what a terminal is told of a quotation whose time is over."""
    until_ms = applied.release_until_ms
    closed = until_ms is not None and now.real_ms >= until_ms
    return ReplyCode.OUT_OF_HOURS if closed else ReplyCode.QUOTATION_EXPIRED
