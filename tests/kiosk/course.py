"""Leads a panel through a visit as the terminal would, without a terminal."""

from dataclasses import dataclass, field
from typing import Any

from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Scope
from protocol.telegrams import Member, MenuItem, Refused, Unavailable
from protocol.terminal_statements import FailureCause
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk.panel import step
from terminal_sim.kiosk.screens import Screen
from terminal_sim.kiosk.showing import screen_of
from terminal_sim.kiosk.state import Panel, SampleCard

VISIT, ISSUANCE = b"v" * 16, b"i" * 16
CALL_CENTRE = "06-0000-0000 (9:00-17:15)"
FEE_YEN = 200
MENU = (
    MenuItem(
        kind=Kind.JUMINHYO,
        fee_yen=FEE_YEN,
        items=(Item.RELATIONSHIP, Item.DOMICILE),
        scopes=(Scope.SELF, Scope.HOUSEHOLD, Scope.SOME),
    ),
    MenuItem(kind=Kind.INKAN, fee_yen=FEE_YEN),
)
UNAVAILABLE = (
    Unavailable(kind=Kind.KAZEI, code=ReplyCode.TAX_NOT_FILED),
    Unavailable(kind=Kind.FUHYO, code=ReplyCode.OUT_OF_HOURS, opens_at_ms=1_764_547_200_000),
)
MEMBERS = (Member(number=1, name="見本　健"), Member(number=2, name="見本　優子"))
CARDS = (SampleCard(name="h000-m1", holder="見本　健", pin="2655"),)


@dataclass
class Course:
    """A panel, the time, and what it ordered so far."""

    panel: Panel = field(default_factory=lambda: Panel(cards=CARDS))
    now_ms: int = 1_000_000
    orders: list[into.Order] = field(default_factory=list)

    @property
    def screen(self) -> Screen:
        return screen_of(self.panel)

    @property
    def given(self) -> list[Any]:
        """Return what the terminal was answered."""
        return [order.answer for order in self.orders if isinstance(order, into.Give)]

    @property
    def told(self) -> list[str]:
        """Return the keys of the sentences on the screen."""
        return [line.key for line in self.screen.lines]

    def feed(self, *inputs: into.Input) -> "Course":
        for input_ in inputs:
            self.panel, orders = step(self.panel, input_, self.now_ms)
            self.orders += orders
        return self

    def touch(self, *touches: str) -> "Course":
        for touch in touches:
            assert touch in self.screen.touches(), (touch, self.screen.name)
            self.feed(into.Touched(screen=self.screen.name, touch=touch))
        return self

    def wait(self, ms: int) -> "Course":
        self.now_ms += ms
        return self.feed(into.TimePassed())

    def happen(self, *happened: Any) -> "Course":
        return self.feed(*(into.Happened(happened=one) for one in happened))

    def at_start(self) -> "Course":
        return self.happen(out.LineOpened(call_centre=CALL_CENTRE)).feed(
            into.OpeningEnded(opened=True)
        )

    def at_pin(self, refusal: Refused | None = None) -> "Course":
        self.at_start().touch("start", "agree", "card:h000-m1")
        self.happen(r.VisitOpened(visit_id=VISIT, at_ms=self.now_ms))
        return self.ask_pin(refusal)

    def ask_pin(self, refusal: Refused | None = None) -> "Course":
        return self.feed(
            into.Asked(question=out.AskForPin(visit_id=VISIT, attempt=1, refusal=refusal))
        )

    def type_pin(self, pin: str = "2655") -> "Course":
        digits = self.panel.visit.digits
        return self.touch(*(f"pad:{digits.index(int(digit))}" for digit in pin), "pin-typed")

    def menu(self) -> "Course":
        menu = out.ShowMenu(visit_id=VISIT, items=MENU, unavailable=UNAVAILABLE)
        return self.feed(into.MembersTold(members=MEMBERS), into.Asked(question=menu))

    def at_kinds(self) -> "Course":
        return self.at_pin().type_pin().menu().touch("card-taken")

    def at_preparing(self) -> "Course":
        return self.at_kinds().touch("kind:inkan", "next", "confirm").apply()

    def apply(self) -> "Course":
        return self.happen(
            r.Applied(
                issuance_id=ISSUANCE,
                visit_id=VISIT,
                kind=Kind.INKAN,
                copies=1,
                request_digest=bytes(32),
                at_ms=self.now_ms,
            )
        )

    def at_money(self, *, sheets: int = 2) -> "Course":
        return self.at_preparing().quote(sheets=sheets)

    def quote(self, *, sheets: int) -> "Course":
        self.happen(
            r.Quoted(
                issuance_id=ISSUANCE,
                fee_yen=FEE_YEN,
                sheets=sheets,
                sealed_bytes=1,
                sealed_digest=bytes(32),
                pieces=1,
                at_ms=self.now_ms,
            )
        )
        money = out.AskForMoney(issuance_id=ISSUANCE, fee_yen=FEE_YEN)
        return self.feed(into.Asked(question=money))

    def at_printing(self, *, sheets: int = 2) -> "Course":
        return self.at_money(sheets=sheets).touch("yen:500", "pay").release()

    def release(self) -> "Course":
        return self.happen(
            out.HoldMoney(issuance_id=ISSUANCE, amount_yen=FEE_YEN, change_yen=300),
            r.ReleaseGranted(issuance_id=ISSUANCE, at_ms=self.now_ms),
        )

    def lay(self, sheet: int) -> "Course":
        return self.happen(r.SheetLaid(issuance_id=ISSUANCE, sheet=sheet, at_ms=self.now_ms))

    def at_paper(self) -> "Course":
        return self.at_printing().lay(1).lay(2).printed()

    def printed(self) -> "Course":
        printed = r.Printed(issuance_id=ISSUANCE, earned_yen=FEE_YEN, at_ms=self.now_ms)
        return self.happen(printed)

    def print_failed(self, cause: FailureCause, *, sheets_out: int = 0) -> "Course":
        return self.happen(
            r.PrintFailed(
                issuance_id=ISSUANCE,
                sheets_out=sheets_out,
                sheets_unknown=False,
                cause=cause,
                returned_yen=FEE_YEN,
                at_ms=self.now_ms,
            )
        )
