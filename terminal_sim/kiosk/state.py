"""What the panel knows: where the person stands, and what was chosen, typed and put in."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from protocol.kinds import Item, Kind, Scope
from protocol.secret import Secret
from protocol.telegrams import Member, MenuItem, Refused, Unavailable
from terminal_sim.kiosk.inputs import Fault

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
INSERTED_YEN_MAX = 20_000
WARNING_MS = 20_000
"""How long before the end of a visit it is warned of."""
ALARM_MS = 15_000
"""How long a card or paper may be forgotten before the machine calls its owner back."""
ALARM_AGAIN_MS = 60_000
VISIT_MARGIN_MS = 3_000
"""The panel ends a visit so long before the terminal would."""


class Stage(Enum):
    """Where the person stands; the value is the name of the screen."""

    OFF = "off"
    BOOT = "boot"
    CLOSED = "closed"
    START = "start"
    NOTICE = "notice"
    PREPARED = "prepared"
    CARD = "card"
    CONNECTING = "connecting"
    PIN = "pin"
    CHECKING = "checking"
    TAKE_CARD = "take-card"
    KINDS = "kinds"
    OPTIONS = "options"
    MEMBERS = "members"
    COPIES = "copies"
    CONFIRM = "confirm"
    PREPARING = "preparing"
    MONEY = "money"
    RELEASING = "releasing"
    PRINTING = "printing"
    PAPER = "paper"
    MORE = "more"
    STOPPED = "stopped"
    GOODBYE = "goodbye"


LEAVES_MS = {
    Stage.NOTICE: 60_000,
    Stage.PREPARED: 90_000,
    Stage.CARD: 60_000,
    Stage.PIN: 50_000,  # a challenge of the city is good for 60 s
    Stage.TAKE_CARD: ALARM_MS,
    Stage.KINDS: 60_000,
    Stage.OPTIONS: 60_000,
    Stage.MEMBERS: 60_000,
    Stage.COPIES: 60_000,
    Stage.CONFIRM: 60_000,
    Stage.MONEY: 120_000,
    Stage.PAPER: ALARM_MS,
    Stage.MORE: 45_000,
    Stage.STOPPED: 45_000,
    Stage.GOODBYE: 6_000,
}
"""How long nothing may be touched; what is not here waits for the machine."""

CHOOSING = frozenset({Stage.KINDS, Stage.OPTIONS, Stage.MEMBERS, Stage.COPIES, Stage.CONFIRM})
WAITING = frozenset({Stage.CONNECTING, Stage.CHECKING, Stage.PREPARING, Stage.RELEASING})


class Asking(Enum):
    """What the terminal waits for."""

    NOTHING = "nothing"
    PIN = "pin"
    CHOICE = "choice"
    MONEY = "money"


class Reason(Enum):
    """Why it went no further; the value names the sentence."""

    REFUSED = "refused"
    TIME = "time"
    CANCELLED = "cancelled"
    LINE = "line"
    PRINTER = "printer"
    MISMATCH = "mismatch"
    NO_RELEASE = "no-release"
    POWER = "power"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCard:
    """A card of the sample tray.

    Attributes:
        name: of its file.
        holder: made up.
        form: ``basic`` (住民基本台帳カード) or ``mynumber`` (個人番号カード).
        pin: on the note beside it; empty if there is none.
    """

    name: str
    holder: str
    form: str = "basic"
    pin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """How something ended without a certificate.

    Attributes:
        reason: why.
        refusal: what the city or the card said.
        returned_yen: what came back.
        sheets_out: sheets that came out before it stopped; they are void.
    """

    reason: Reason
    refusal: Refused | None = None
    returned_yen: int = 0
    sheets_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is being chosen."""

    kind: Kind
    scope: Scope = Scope.SELF
    members: frozenset[int] = frozenset()
    items: frozenset[Item] = frozenset()
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """One row of the receipt."""

    kind: Kind
    copies: int
    sheets: int
    yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is forgotten when the person goes.

    Attributes:
        card: name of the card.
        card_in: whether it is in the slot.
        until_ms: when the terminal ends the visit.
        digits: what stands on the positions of the pad.
        typed: the digits typed so far.
        refusal: what was wrong with the last PIN.
        items: what is to be had.
        unavailable: what is not, and why.
        members: of the household.
        wish: what is being chosen.
        code: of what was prepared at home, as far as it is typed.
        code_fault: key of the sentence why it was not taken.
        prepared: what it says.
        issuance_id: of the certificate that is being made.
        cancelled: whether 取消 was pressed while it was made.
        fee_yen: what it costs.
        inserted_yen: what lies in the slot.
        change_yen: what came back of it.
        by_e_money: whether the fee was taken from a card of electronic money.
        sheets: how many there will be.
        sheets_out: how many are out.
        paid: what the receipt says.
        stop: how it ended, if it did.
    """

    card: str = ""
    card_in: bool = False
    until_ms: int | None = None
    digits: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 0)
    typed: tuple[Secret, ...] = ()
    refusal: Refused | None = None
    items: tuple[MenuItem, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
    members: tuple[Member, ...] = ()
    wish: Wish | None = None
    code: str = ""
    code_fault: str = ""
    prepared: Wish | None = None
    issuance_id: bytes = b""
    cancelled: bool = False
    fee_yen: int = 0
    inserted_yen: int = 0
    change_yen: int = 0
    by_e_money: bool = False
    sheets: int = 0
    sheets_out: int = 0
    paid: tuple[Paid, ...] = ()
    stop: Stop | None = None

    def offer(self, kind: Kind) -> MenuItem | None:
        """Return what the menu says of a kind."""
        return next((item for item in self.items if item.kind is kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """All that the panel knows.

    Attributes:
        stage: where the person stands.
        cards: of the sample tray.
        asking: what the terminal waits for.
        leaves_at_ms: when the stage ends by itself.
        alarm: whether the machine calls a person back.
        veiled: whether personal things are hidden.
        faults: what the operator let happen.
        call_centre: number and hours, once the city told them.
        phone: code on the phone of somebody who prepared a certificate.
        papers: how many papers were begun since the start of the process.
        closed_by: with which code the city did not open.
        owed: how what a power cut left behind ended.
        visit: what is forgotten when the person goes.
    """

    stage: Stage = Stage.BOOT
    cards: tuple[SampleCard, ...] = ()
    asking: Asking = Asking.NOTHING
    leaves_at_ms: int | None = None
    alarm: bool = False
    veiled: bool = False
    faults: frozenset[Fault] = frozenset()
    call_centre: str = ""
    phone: str = ""
    papers: int = 0
    closed_by: Refused | None = None
    owed: Stop | None = None
    visit: Visit = Visit()

    @property
    def printer_fails(self) -> bool:
        """Whether no paper comes out."""
        return bool(self.faults & {Fault.JAM, Fault.TONER})

    def enter(self, stage: Stage, now_ms: int, **changes: Any) -> "Panel":
        """Go to a stage; ``changes`` are of the visit."""
        visit = replace(self.visit, **changes)
        entered = replace(self, stage=stage, visit=visit, alarm=False)
        return entered.renewed(now_ms)

    def renewed(self, now_ms: int) -> "Panel":
        """Give the person the whole time of the stage again, as far as the visit has it."""
        wait_ms = LEAVES_MS.get(self.stage)
        if wait_ms is None:
            return replace(self, leaves_at_ms=None)
        leaves_at_ms = now_ms + wait_ms
        until_ms = self.visit.until_ms
        if until_ms is not None and self.asking is not Asking.NOTHING:
            leaves_at_ms = min(leaves_at_ms, max(now_ms, until_ms - VISIT_MARGIN_MS))
        return replace(self, leaves_at_ms=leaves_at_ms)

    def cleared(self, now_ms: int) -> "Panel":
        """Forget the person, and wait for the next one."""
        return replace(self, visit=Visit(), veiled=False, asking=Asking.NOTHING, owed=None).enter(
            Stage.START, now_ms
        )
