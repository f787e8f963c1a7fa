"""What can happen to the panel, and what it wants done."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from protocol.codes import ReplyCode
from protocol.secret import Secret
from protocol.telegrams import Member
from terminal_sim.core import effects as out
from terminal_sim.core.records import AnyRecord
from terminal_sim.customer import Choice

Question: TypeAlias = out.AskForPin | out.ShowMenu | out.OfferDomicile | out.AskForMoney


class Fault(Enum):
    """What an operator can let happen to a machine."""

    JAM = "jam"
    TONER = "toner"
    LINE = "line"
    PLUG = "plug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Something that the screen ``screen`` offers was touched; what it does not offer is nothing.

    Attributes:
        screen: name of the screen on which it was touched.
        touch: what.
    """

    screen: str
    touch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PadDrawn:
    """A new order of the digits on the pad, drawn outside."""

    digits: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """A deadline may have come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneHeld:
    """Somebody prepared a certificate; the phone shows its code."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The terminal asks the person; it waits for one ``Give``."""

    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersTold:
    """Who is in the household of the holder. Personal: shown to the holder alone."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A record is on the disk, or something is about to be done."""

    happened: AnyRecord | out.Leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningEnded:
    """The line is closed, or was never opened.

    Attributes:
        opened: whether the city took up business.
        refused: with which code it did not, where it said so.
    """

    opened: bool
    refused: ReplyCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTurned:
    """The operator lets a fault begin or end."""

    fault: Fault
    on: bool


Input: TypeAlias = (
    Touched
    | PadDrawn
    | PhoneHeld
    | TimePassed
    | Asked
    | MembersTold
    | Happened
    | OpeningEnded
    | FaultTurned
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertCard:
    """Open the line for this card."""

    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Give:
    """Answer what the terminal asked; None: the person goes."""

    answer: Secret | Choice | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIssuance:
    """The person does not want the certificate that is being made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawPad:
    """Draw another order of the digits."""


Order: TypeAlias = InsertCard | Give | CancelIssuance | DrawPad
