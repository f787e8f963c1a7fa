"""What is explored: who comes with what, and how often what may go wrong.

Loss, delay, order and repetition of telegrams have no bound anywhere (see ``world``), so none is
named here. All else that a configuration does not allow does not happen in it.
"""

from dataclasses import dataclass
from enum import Enum

from issuance_server.core.calendar import MINUTE_MS
from issuance_server.core.tables import CityTables
from issuance_server.core.tables.reading import read_tables
from protocol.kinds import Kind
from tests.core.made import MONDAY_MS, TABLES, business_ms, tables_toml


class Trouble(Enum):
    """What can go wrong so and so often; the value stands in counterexamples."""

    SERVER_CRASH = "the server dies"
    TERMINAL_CRASH = "a terminal loses power and starts again"
    TERMINAL_GONE = "a terminal loses power for ever"
    JUDGE_CRASH = "the PIN judge dies between count and answer"
    RENDERER = "a certificate cannot be made"
    DEVICE = "a printer, or a terminal's disk, refuses"
    SERVER_TIME = "a deadline of the server comes"
    TERMINAL_TIME = "a deadline of a terminal comes"
    GIVE_UP = "a terminal gives up a request"
    CANCEL = "somebody wants to stop"
    SUPPRESSION = "a resident is suppressed"
    EDIT = "a household is changed"
    NEW_KEYS = "a line gets new keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPlan:
    """One card in front of one terminal.

    Attributes:
        resident: whose card it is, from 0.
        pins: whether the PIN typed at each attempt is the right one; then the card is taken.
        wishes: how many certificates are asked for, side by side.
    """

    resident: int = 0
    pins: tuple[bool, ...] = (True,)
    wishes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One world to be explored to its ends.

    Attributes:
        name: of the configuration.
        about: what it is there for.
        visits: of each terminal, one after the other.
        troubles: how often what may go wrong; what is not named never does.
        sheets: of every certificate.
        closing: whether the line is closed when the last visit is over.
        slow_destruction: keys leave the disk only when nothing else can happen.
        start_ms: the business time of the beginning.
        tables: of the city.
    """

    name: str
    about: str
    visits: tuple[tuple[VisitPlan, ...], ...] = ((VisitPlan(),),)
    troubles: dict[Trouble, int]
    sheets: int = 1
    closing: bool = False
    slow_destruction: bool = False
    start_ms: int = MONDAY_MS
    tables: CityTables = TABLES


ONE = ((VisitPlan(),),)
TWO_PEOPLE = ((VisitPlan(),), (VisitPlan(resident=1),))
WRONG = VisitPlan(pins=(False, False, False, False))
ALL_DAY = read_tables(tables_toml({Kind.JUMINHYO: 200}, hours='daily = "00:00-24:00"'))
BEFORE_CLOSING_MS = business_ms(2026, 11, 30, 22, 58)
BEFORE_MIDNIGHT_MS = business_ms(2026, 11, 30, 23, 58)
assert BEFORE_MIDNIGHT_MS - BEFORE_CLOSING_MS == 60 * MINUTE_MS

T = Trouble

SHORT: tuple[Configuration, ...] = ()
