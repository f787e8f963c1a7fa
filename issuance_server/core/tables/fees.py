"""Lines of the money: fees, campaigns, and what the chains get for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from issuance_server.core.tables.periods import Period
from issuance_server.core.terminal_place import TerminalClass
from protocol.kinds import Kind


class Channel(Enum):
    """Where a fee is paid; the first two are the classes of terminals."""

    STORE = TerminalClass.STORE.value
    CITY_HALL = TerminalClass.CITY_HALL.value
    COUNTER = "counter"  # 窓口; for information, no terminal takes it


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeLine:
    """What one copy costs.

    Attributes:
        channel: where.
        period: as long as it holds.
        yen: for each kind.
    """

    channel: Channel
    period: Period
    yen: Mapping[Kind, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A fee for a time, in place of the usual one.

    Attributes:
        channel: where.
        period: from its first to its last day.
        yen: for each kind that it is about.
        chains: whose terminals; empty: all.
    """

    channel: Channel
    period: Period
    yen: Mapping[Kind, int]
    chains: frozenset[str] = frozenset()

    def at(self, chain: str) -> bool:
        """Tell whether it is about a chain's terminals."""
        return not self.chains or chain in self.chains


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionLine:
    """What a chain gets of the city for one issued certificate (交付委託手数料; domain §1.5).

    Attributes:
        chain: who.
        kinds: for which.
        period: as long as it holds.
        yen: for each certificate.
    """

    chain: str
    kinds: frozenset[Kind]
    period: Period
    yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLine:
    """What a chain's terminals issue.

    Attributes:
        chain: who runs them.
        terminal_class: what machines they are.
        kinds: which they issue.
        period: as long as it holds.
        in_city_only: only those that stand in the city.
    """

    chain: str
    terminal_class: TerminalClass
    kinds: frozenset[Kind]
    period: Period
    in_city_only: bool = False

    def offers(self, kind: Kind, day: date, *, in_city: bool) -> bool:
        """Tell whether a terminal in or out of the city issues a kind on a day."""
        return kind in self.kinds and day in self.period and (in_city or not self.in_city_only)
