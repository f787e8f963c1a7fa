"""The person in front of the machine, as the machine sees them: a port with three questions."""

from dataclasses import dataclass
from typing import Protocol

from protocol.kinds import Kind, Options
from protocol.secret import Secret
from terminal_sim.core.effects import AskForMoney, AskForPin, Leaving, ShowMenu
from terminal_sim.core.records import AnyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person chose from the menu."""

    kind: Kind
    options: Options
    copies: int


class Customer(Protocol):
    """Answers the machine's questions and watches what it does."""

    async def type_pin(self, asked: AskForPin) -> Secret | None:
        """Return the PIN of this attempt, or None to take the card and go."""
        ...

    async def choose(self, menu: ShowMenu) -> Choice | None:
        """Return the choice, or None to take the card and go."""
        ...

    async def pay(self, asked: AskForMoney) -> int:
        """Return how much was put in, in yen."""
        ...

    def watch(self, happened: AnyRecord | Leaving) -> None:
        """See a record that is on the disk, or something that is about to be done."""
        ...
