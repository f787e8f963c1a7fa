"""The person in front of the machine, as the machine sees them: a port with a few questions."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from protocol.kinds import Kind, Options
from protocol.secret import Secret
from terminal_sim.core.effects import AskForMoney, AskForPin, Leaving, OfferDomicile, ShowMenu
from terminal_sim.core.records import AnyRecord


class CancelPoint(Enum):
    """Where the person presses 取消; after the money is taken there is no way back."""

    MENU = "menu"  # takes the card instead of choosing
    APPLICATION = "application"  # applied, no quotation yet
    QUOTATION = "quotation"  # the fee is shown
    FETCHING = "fetching"  # the pieces are here and are being stored
    HELD = "held"  # the ciphertext is on the disk; the money is asked for
    MONEY = "money"  # the money is in


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person chose from the menu, and where it is cancelled, if it is."""

    kind: Kind
    options: Options
    copies: int
    cancel_at: CancelPoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomicileTyped:
    """What is typed to be registered by 本籍. Its ``repr`` shows nothing of it."""

    domicile: str
    register_head: str
    name: str
    birth: str
    phone: str = ""

    def __repr__(self) -> str:
        return "DomicileTyped(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomicileWish:
    """A form to send; or None in it: to hear how the latest one stands."""

    typed: DomicileTyped | None


class Customer(Protocol):
    """Answers the machine's questions and watches what it does."""

    async def type_pin(self, asked: AskForPin) -> Secret | None:
        """Return the PIN of this attempt, or None to take the card and go."""
        ...

    async def choose(self, menu: ShowMenu) -> Choice | None:
        """Return the choice, or None to take the card and go; asked again after each issuance."""
        ...

    async def ask_domicile(self, asked: OfferDomicile) -> DomicileWish | None:
        """Return what is wanted of a city that does not know the card, or None to go."""
        ...

    async def pay(self, asked: AskForMoney) -> int:
        """Return how much was put in, in yen."""
        ...

    def watch(self, happened: AnyRecord | Leaving) -> None:
        """See a record that is on the disk, or something that is about to be done."""
        ...

    def cancels(self, happened: AnyRecord | Leaving) -> bytes | None:
        """Return the issuance for which 取消 is pressed on seeing this, or None."""
        ...
