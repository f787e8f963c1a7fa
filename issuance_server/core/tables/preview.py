"""What the tables come to: what is open at a moment, what costs how much, and what changes when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from issuance_server.core.calendar import civil
from issuance_server.core.tables.calendar import Closed, ClosedCause
from issuance_server.core.tables.city_tables import CityTables
from issuance_server.core.tables.fees import Channel
from issuance_server.core.tables.hours import YearlyClosure
from issuance_server.core.tables.periods import Period
from issuance_server.core.terminal_place import TerminalClass, TerminalPlace
from protocol.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOpening:
    """How a kind stands at a class of terminals at a moment.

    Attributes:
        terminal_class: where.
        kind: which.
        chains: those that issue it there as of that day.
        until_ms: of an open kind, when it closes; of a closed one, when it opens again; None: not
            foreseen.
        cause: why it is closed; None: it is open.
    """

    terminal_class: TerminalClass
    kind: Kind
    chains: tuple[str, ...]
    until_ms: int | None
    cause: ClosedCause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeOnDay:
    """What a copy costs.

    Attributes:
        channel: where.
        chain: of whose terminals it is the fee; None: of all others.
        kind: of what.
        yen: how much.
        campaign_until: the last day of the campaign that makes it so; None: it is the usual fee.
    """

    channel: Channel
    chain: str | None
    kind: Kind
    yen: int
    campaign_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """Something that begins or ends on a day.

    Attributes:
        day: the first day of what begins, the last day of what ends.
        what: in words.
    """

    day: date
    what: str


def openings(
    tables: CityTables, terminal_class: TerminalClass, at_ms: int
) -> tuple[KindOpening, ...]:
    """Return how every kind stands that some chain issues at a class of terminals that day."""
    day = civil(at_ms).date()
    issuing = {chain: _offer(tables, terminal_class, chain, day) for chain in _chains(tables)}
    found = []
    for kind in Kind:
        chains = tuple(chain for chain, kinds in issuing.items() if kind in kinds)
        if not chains:
            continue
        opening = tables.opening(kind, terminal_class, at_ms)
        if isinstance(opening, Closed):
            until_ms, cause = opening.opens_at_ms, opening.cause
        else:
            until_ms, cause = opening.closes_at_ms, None
        found.append(
            KindOpening(
                terminal_class=terminal_class,
                kind=kind,
                chains=chains,
                until_ms=until_ms,
                cause=cause,
            )
        )
    return tuple(found)


def fees_on(tables: CityTables, day: date) -> tuple[FeeOnDay, ...]:
    """Return all fees of a day; a chain's own campaign has a line of its own."""
    return tuple(
        FeeOnDay(
            channel=channel,
            chain=chain or None,
            kind=kind,
            yen=yen,
            campaign_until=_campaign_until(tables, channel, chain, kind, day),
        )
        for channel in Channel
        for kind in Kind
        for chain in ("", *_with_own_campaign(tables, channel, kind, day))
        if (yen := tables.channel_fee_yen(kind, channel, chain, day)) is not None
    )


def changes(tables: CityTables, first: date, last: date) -> tuple[TableChange, ...]:
    """Return what begins and ends from one day to another, both included, in order of days."""
    span = Period(first=first, last=last)
    found = [one for one in _all_changes(tables, span) if one.day in span]
    return tuple(sorted(found, key=lambda one: (one.day, one.what)))


def _chains(tables: CityTables) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.chain for line in tables.chains))


def _offer(
    tables: CityTables, terminal_class: TerminalClass, chain: str, day: date
) -> tuple[Kind, ...]:
    place = TerminalPlace(terminal="", terminal_class=terminal_class, chain=chain, in_city=True)
    return tables.offered(place, day)


def _with_own_campaign(
    tables: CityTables, channel: Channel, kind: Kind, day: date
) -> tuple[str, ...]:
    return tuple(
        chain
        for campaign in tables.campaigns
        if campaign.channel is channel and day in campaign.period and kind in campaign.yen
        for chain in sorted(campaign.chains)
    )


def _campaign_until(
    tables: CityTables, channel: Channel, chain: str, kind: Kind, day: date
) -> date | None:
    for campaign in tables.campaigns:
        concerned = campaign.channel is channel and campaign.at(chain) and kind in campaign.yen
        if concerned and day in campaign.period:
            return campaign.period.last
    return None


def _all_changes(tables: CityTables, span: Period) -> Iterator[TableChange]:
    for line in tables.calendar.hours:
        yield from _ends(line.period, f"hours at {line.terminal_class.value}: {_kinds(line.kinds)}")
    for closure in tables.calendar.yearly_closures:
        yield from _closures(closure, span)
    for inspection in tables.calendar.inspection_days:
        where = (
            "" if inspection.terminal_class is None else f" at {inspection.terminal_class.value}"
        )
        yield TableChange(day=inspection.day, what=f"inspection day{where}: closed")
    for window in tables.calendar.maintenance:
        begins, ends = civil(window.span.from_ms), civil(window.span.until_ms)
        yield TableChange(
            day=begins.date(),
            what=f"maintenance {begins:%m-%d %H:%M} to {ends:%m-%d %H:%M}: {_kinds(window.kinds)}",
        )
    for fee in tables.fees:
        yield from _ends(fee.period, f"fees at {fee.channel.value}: {_yen(fee.yen)}")
    for campaign in tables.campaigns:
        of = f" of {', '.join(sorted(campaign.chains))}" if campaign.chains else ""
        yield from _ends(
            campaign.period, f"campaign at {campaign.channel.value}{of}: {_yen(campaign.yen)}"
        )
    for chain in tables.chains:
        yield from _ends(chain.period, f"{chain.chain} issues {_kinds(chain.kinds)}")
    for commission in tables.commissions:
        what = f"commission of {commission.chain} {commission.yen} yen: {_kinds(commission.kinds)}"
        yield from _ends(commission.period, what)


def _ends(period: Period, what: str) -> Iterator[TableChange]:
    yield TableChange(day=period.first, what=f"first day: {what}")
    if period.last is not None:
        yield TableChange(day=period.last, what=f"last day: {what}")


def _closures(closure: YearlyClosure, span: Period) -> Iterator[TableChange]:
    where = "" if closure.terminal_class is None else f" at {closure.terminal_class.value}"
    until = f"{closure.last[0]:02d}-{closure.last[1]:02d}"
    last = span.last or span.first
    for year in range(span.first.year, last.year + 1):
        try:
            day = date(year, *closure.first)
        except ValueError:  # 29 February in a year without one
            continue
        if day in closure.period:
            yield TableChange(day=day, what=f"closed until {until}{where}")


def _kinds(kinds: frozenset[Kind]) -> str:
    return ", ".join(kind.value for kind in Kind if kind in kinds)


def _yen(yen: Mapping[Kind, int]) -> str:
    return ", ".join(f"{kind.value} {yen[kind]} yen" for kind in Kind if kind in yen)
