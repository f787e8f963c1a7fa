"""Where a terminal stands: what it is, who runs it, and whether that is in the city."""

from dataclasses import dataclass
from enum import Enum


class TerminalClass(Enum):
    """What kind of machine a terminal is; the value is its name in files and on command lines."""

    STORE = "store"  # multicopy machine (多機能端末) of a convenience store
    CITY_HALL = "city-hall"  # the city's own machine (自動交付機)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPlace:
    """A terminal's place, as it was registered.

    Attributes:
        terminal: its id.
        terminal_class: what kind of machine it is.
        chain: who runs it.
        in_city: whether it stands in the city.
    """

    terminal: str
    terminal_class: TerminalClass
    chain: str
    in_city: bool
