"""The city's tables: hours, fees and chains, each as of any day."""

from dataclasses import dataclass, field
from datetime import date

from issuance_server.core.calendar import civil
from issuance_server.core.tables.calendar import Closed, Open, ServiceCalendar
from issuance_server.core.tables.fees import (
    Campaign,
    ChainLine,
    Channel,
    CommissionLine,
    FeeLine,
)
from issuance_server.core.terminal_place import TerminalClass, TerminalPlace
from protocol.kinds import Kind

OFFERS_KEPT_MAX = 4_096
"""So many terminals' offers of a day are kept at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityTables:
    """Answers every question about hours, fees and chains, without a clock of its own.

    Attributes:
        calendar: hours, closed days and maintenance.
        fees: what one copy costs.
        campaigns: other fees for a time.
        chains: what the chains' terminals issue.
        commissions: what the chains get.
    """

    calendar: ServiceCalendar = field(default_factory=ServiceCalendar)
    fees: tuple[FeeLine, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    chains: tuple[ChainLine, ...] = ()
    commissions: tuple[CommissionLine, ...] = ()
    _offers: dict[tuple[TerminalPlace, date], tuple[Kind, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # each visit asks for the same several times

    def opening(self, kind: Kind, terminal_class: TerminalClass, at_ms: int) -> Open | Closed:
        """Tell whether a kind is open at a class of terminals at a moment of business time."""
        return self.calendar.opening(kind, terminal_class, at_ms)

    def opening_at(self, kind: Kind, place: TerminalPlace, at_ms: int) -> Open | Closed:
        """Tell whether a kind is open at a terminal that offers it.

        An opening at which the terminal offers it no more is none.
        """
        found = self.opening(kind, place.terminal_class, at_ms)
        if isinstance(found, Closed) and found.opens_at_ms is not None:
            day = civil(found.opens_at_ms).date()
            if kind not in self.offered(place, day):
                return Closed(code=found.code, opens_at_ms=None, cause=found.cause)
        return found

    def offered(self, place: TerminalPlace, day: date) -> tuple[Kind, ...]:
        """Return what a terminal issues as of a day, open just then or not, in order of ``Kind``.

        It takes a chain that issues it there, hours and a fee.
        """
        found = self._offers.get((place, day))
        if found is None:
            if len(self._offers) >= OFFERS_KEPT_MAX:
                self._offers.clear()
            found = self._offers[place, day] = self._offered(place, day)
        return found

    def _offered(self, place: TerminalPlace, day: date) -> tuple[Kind, ...]:
        lines = [
            line
            for line in self.chains
            if line.chain == place.chain and line.terminal_class is place.terminal_class
        ]
        return tuple(
            kind
            for kind in Kind
            if any(line.offers(kind, day, in_city=place.in_city) for line in lines)
            and self.calendar.has_hours(kind, place.terminal_class, day)
            and self.fee_yen(kind, place.terminal_class, place.chain, day) is not None
        )

    def fee_yen(
        self, kind: Kind, terminal_class: TerminalClass, chain: str, day: date
    ) -> int | None:
        """Return the fee of one copy at a chain's terminals on a day; None: there is none."""
        return self.channel_fee_yen(kind, Channel(terminal_class.value), chain, day)

    def channel_fee_yen(self, kind: Kind, channel: Channel, chain: str, day: date) -> int | None:
        """Return the fee of one copy, also at the counter (whose chain is empty)."""
        for campaign in self.campaigns:
            concerned = campaign.channel is channel and campaign.at(chain)
            if concerned and day in campaign.period and kind in campaign.yen:
                return campaign.yen[kind]
        for line in self.fees:
            if line.channel is channel and day in line.period and kind in line.yen:
                return line.yen[kind]
        return None

    def commission_yen(self, chain: str, kind: Kind, day: date) -> int | None:
        """Return what a chain gets for one certificate of a day; None: there is no line for it."""
        for line in self.commissions:
            if line.chain == chain and kind in line.kinds and day in line.period:
                return line.yen
        return None

    def class_of(self, chain: str) -> TerminalClass | None:
        """Return what machines a chain has; None: the tables do not know the chain."""
        return next((line.terminal_class for line in self.chains if line.chain == chain), None)


NO_TABLES = CityTables()
"""Nothing is offered anywhere: what a city has before its tables are read."""
