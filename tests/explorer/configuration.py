"""What is explored: who comes with what, and how often what may go wrong.

Loss, delay, order and repetition of telegrams have no bound anywhere (see ``world``), so none is
named here. All else that a configuration does not allow does not happen in it.
"""

from dataclasses import dataclass
from enum import Enum

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


TWO_PEOPLE = ((VisitPlan(),), (VisitPlan(resident=1),))
GUESSING = VisitPlan(pins=(False, False, False, False))
ALL_DAY = read_tables(tables_toml({Kind.JUMINHYO: 200}, hours='daily = "00:00-24:00"'))
BEFORE_CLOSING_MS = business_ms(2026, 11, 30, 22, 58)
BEFORE_MIDNIGHT_MS = business_ms(2026, 11, 30, 23, 58)

T = Trouble

SHORT = (
    Configuration(
        name="crashes",
        about="both sides die once, at any point, while two sheets are printed",
        troubles={T.TERMINAL_CRASH: 1, T.SERVER_CRASH: 1},
        sheets=2,
    ),
    Configuration(
        name="server twice",
        about="the server dies twice, at any two points",
        troubles={T.SERVER_CRASH: 2},
    ),
    Configuration(
        name="power twice",
        about="the terminal loses power twice, also at every step of printing two sheets",
        troubles={T.TERMINAL_CRASH: 2},
        sheets=2,
    ),
    Configuration(
        name="power for ever",
        about="the terminal never comes back, and a deadline comes at any moment",
        troubles={T.TERMINAL_GONE: 1, T.SERVER_TIME: 1},
        sheets=2,
    ),
    Configuration(
        name="both for ever",
        about="the terminal never comes back, and the server dies as well",
        troubles={T.TERMINAL_GONE: 1, T.SERVER_CRASH: 1},
    ),
    Configuration(
        name="deadlines",
        about="a deadline of each side comes at any moment; neither clock knows of the other",
        troubles={T.SERVER_TIME: 1, T.TERMINAL_TIME: 1},
    ),
    Configuration(
        name="two wishes",
        about="two certificates of one visit side by side, and a device refuses",
        visits=((VisitPlan(wishes=2),),),
        troubles={T.DEVICE: 1},
    ),
    Configuration(
        name="two people",
        about="two residents at two terminals at the same moment",
        visits=TWO_PEOPLE,
        troubles={},
    ),
    Configuration(
        name="suppression",
        about="a suppression and a change of the household race with the release, and a crash",
        troubles={T.SUPPRESSION: 1, T.EDIT: 1, T.SERVER_CRASH: 1},
    ),
    Configuration(
        name="cancel",
        about="the person stops twice (one certificate, the visit), and the power fails",
        troubles={T.CANCEL: 2, T.TERMINAL_CRASH: 1},
    ),
    Configuration(
        name="devices",
        about="renderer, disk and printer refuse, seen and unseen, and the power fails",
        troubles={T.DEVICE: 2, T.RENDERER: 1, T.TERMINAL_CRASH: 1},
        sheets=2,
    ),
    Configuration(
        name="judge",
        about="a wrong PIN and a right one; the judge dies between count and answer, and a crash",
        visits=((VisitPlan(pins=(False, True)),),),
        troubles={T.JUDGE_CRASH: 1, T.SERVER_CRASH: 1},
    ),
    Configuration(
        name="lock-out",
        about="wrong PINs for one card at two terminals at once, and the judge dies twice",
        visits=((GUESSING,), (GUESSING,)),
        troubles={T.JUDGE_CRASH: 2},
    ),
    Configuration(
        name="blocked destruction",
        about="keys leave the disk only when nothing else can happen; both sides die",
        troubles={T.SERVER_CRASH: 1, T.TERMINAL_CRASH: 1},
        slow_destruction=True,
    ),
    Configuration(
        name="new keys",
        about="the line gets new keys in the middle, a request is given up, the line is closed",
        troubles={T.NEW_KEYS: 1, T.GIVE_UP: 1},
        closing=True,
    ),
    Configuration(
        name="closing time",
        about="a visit just before closing, and the clock comes to it, and on to the grace's end",
        troubles={T.SERVER_TIME: 2, T.TERMINAL_CRASH: 1},
        start_ms=BEFORE_CLOSING_MS,
    ),
    Configuration(
        name="midnight",
        about="an issuance lasts from one day to the next, and the line is closed",
        troubles={T.SERVER_TIME: 1, T.GIVE_UP: 1},
        closing=True,
        start_ms=BEFORE_MIDNIGHT_MS,
        tables=ALL_DAY,
    ),
)
"""Explored by every run of the tests."""
LONG = (
    Configuration(
        name="crashes twice",
        about="the terminal dies twice and the server once, while two sheets are printed",
        troubles={T.TERMINAL_CRASH: 2, T.SERVER_CRASH: 1},
        sheets=2,
    ),
    Configuration(
        name="two people, power",
        about="two residents at two terminals at the same moment, and one loses power",
        visits=TWO_PEOPLE,
        troubles={T.TERMINAL_CRASH: 1},
    ),
    Configuration(
        name="two people, one hidden",
        about="two residents at two terminals at the same moment; one of them is suppressed",
        visits=TWO_PEOPLE,
        troubles={T.SUPPRESSION: 1},
    ),
    Configuration(
        name="one after another",
        about="two residents at one terminal just before closing, and a deadline",
        visits=((VisitPlan(), VisitPlan(resident=1)),),
        troubles={T.SERVER_TIME: 1},
        start_ms=BEFORE_CLOSING_MS,
    ),
    Configuration(
        name="midnight and a crash",
        about="an issuance lasts from one day to the next, the line is closed, and a crash",
        troubles={T.SERVER_TIME: 1, T.SERVER_CRASH: 1},
        closing=True,
        start_ms=BEFORE_MIDNIGHT_MS,
        tables=ALL_DAY,
    ),
    Configuration(
        name="guesses and a crash",
        about="wrong PINs for one card at two terminals at once, judge and server die",
        visits=((GUESSING,), (GUESSING,)),
        troubles={T.JUDGE_CRASH: 1, T.SERVER_CRASH: 1},
    ),
)
"""More troubles at once; explored by hand and by the long form of the tests."""
