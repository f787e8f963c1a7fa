"""One machine that stays: its panel, and an opening of the line for whoever places a card.

All runs in one event loop. Whatever happens goes through ``feed``: the panel is stepped, who
watches is told, and what the panel orders is done.
"""

import asyncio
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import KofuError
from terminal_sim.carrier import Carrier
from terminal_sim.config import TerminalConfig
from terminal_sim.core.records import AnyRecord, Applied
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk.cabinet import CutWire, FaultyPrinter, Tray, Wiring, picture_of
from terminal_sim.kiosk.customer import KioskCustomer
from terminal_sim.kiosk.inputs import Fault
from terminal_sim.kiosk.panel import next_deadline_ms, step
from terminal_sim.kiosk.screens import Screen
from terminal_sim.kiosk.showing import screen_of
from terminal_sim.kiosk.state import Panel, Stage
from terminal_sim.machine import Machine
from terminal_sim.opening import Ended, Settings, Visitor, run_opening

OPENING_MS_MAX = 20 * 60 * 1_000
TRY_AGAIN_MS = 5_000
"""How long a closed machine waits until it looks whether the city is there again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a kiosk stands in.

    Attributes:
        clock: the time in milliseconds, never going back.
        carrier: makes what carries messages for one opening.
        sheet_ms: how long the printer takes for a sheet.
    """

    clock: Callable[[], int]
    carrier: Callable[[], Carrier]
    sheet_ms: int


class Kiosk:
    """The machine."""

    def __init__(
        self, config: TerminalConfig, *, tray: Tray, paper: Path, surroundings: Surroundings
    ) -> None:
        """Prepare; nothing happens before ``run``.

        Args:
            config: the terminal.
            tray: of sample cards.
            paper: the folder in which paper comes out.
            surroundings: clock, carrier and printer.
        """
        self._config = config
        self._tray = tray
        self._around = surroundings
        self._wiring = Wiring()
        self._printer = FaultyPrinter(paper, surroundings.sheet_ms)
        self._panel = Panel(cards=tray.cards)
        self._customer = KioskCustomer(self.feed)
        self._opening: asyncio.Task[None] | None = None
        self._openings = 0
        self._machine: Machine | None = None
        self._issuance_id = b""
        self._changed = asyncio.Event()

    @property
    def screen(self) -> Screen:
        """What is shown now."""
        return screen_of(self._panel)

    @property
    def faults(self) -> frozenset[Fault]:
        """What the operator let happen."""
        return self._panel.faults

    @property
    def now_ms(self) -> int:
        """The time by which the screens reckon."""
        return self._around.clock()

    @property
    def change(self) -> asyncio.Event:
        """Set as soon as there is another screen than now."""
        return self._changed

    async def run(self) -> None:
        """Settle what was left, and serve people until cancelled."""
        self._open()
        try:
            while True:
                await self._wait_for_the_clock()
                self.feed(into.TimePassed())
                if self._panel.stage is Stage.CLOSED and not self._running and not self._wiring.cut:
                    self._open()
        finally:
            await self._close()

    def feed(self, input_: into.Input) -> None:
        """Let something happen to the panel."""
        before = self.screen
        if isinstance(input_, into.Happened) and isinstance(input_.happened, Applied):
            self._issuance_id = input_.happened.issuance_id
        self._panel, orders = step(self._panel, input_, self.now_ms)
        if self.screen != before or isinstance(input_, into.FaultTurned):
            self._changed.set()
            self._changed = asyncio.Event()
        for order in orders:
            self._obey(order)

    def turn(self, fault: Fault, *, on: bool) -> None:
        """Let a fault begin or end, as the operator wants."""
        match fault:
            case Fault.JAM:
                self._printer.jam(on=on)
            case Fault.TONER:
                self._printer.no_toner = on
            case Fault.LINE:
                self._wiring.turn(cut=on)
            case Fault.PLUG:
                if on and self._opening is not None:
                    self._opening.cancel()
        self.feed(into.FaultTurned(fault=fault, on=on))
        if fault is Fault.PLUG and not on:
            self._open()

    async def picture(self, paper: int, sheet: int) -> bytes | None:
        """Return a sheet that lies in the tray as a PNG; None if there is none to be seen."""
        sheets = self.screen.sheets
        if sheets is None or sheets.veiled or paper != sheets.paper or not 1 <= sheet <= sheets.out:
            return None
        path, sheets_out = self._printer.paper(self._issuance_id), sheets.out
        with suppress(OSError):
            return await asyncio.to_thread(picture_of, path, sheet=sheet, sheets_out=sheets_out)
        return None

    def _obey(self, order: into.Order) -> None:
        match order:
            case into.InsertCard():
                self._open(order.card)
            case into.Give():
                self._customer.give(order.answer)
            case into.CancelIssuance():
                self._customer.cancel()
            case into.DrawPad():
                digits = list(range(10))
                secrets.SystemRandom().shuffle(digits)
                self.feed(into.PadDrawn(digits=tuple(digits)))

    def _open(self, card: str | None = None) -> None:
        """Open the line when the opening before it has ended; without a card only settle."""
        self._openings += 1
        self._opening = asyncio.create_task(self._conduct(self._opening, card, self._openings))

    def _hear(self, opening: int, input_: into.Input) -> None:
        """Tell the panel what comes of an opening, unless another person stands there by now."""
        if opening == self._openings:
            self.feed(input_)

    @property
    def _running(self) -> bool:
        return self._opening is not None and not self._opening.done()

    async def _conduct(
        self, before: "asyncio.Task[None] | None", card: str | None, opening: int
    ) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        try:
            visitor = None if card is None else self._visitor(card, opening)
            ended = await run_opening(self._config, visitor, self._settings(visitor, opening))
        except (KofuError, OSError) as error:
            sys.stderr.write(f"kiosk: {error}\n")
            self._hear(opening, into.OpeningEnded(opened=False))
            return
        self._hear(opening, _how(ended))

    def _visitor(self, card: str, opening: int) -> Visitor:
        self._customer = KioskCustomer(lambda input_: self._hear(opening, input_))
        return Visitor(
            customer=self._customer,
            card=self._tray.card(card),
            tray=self._printer.paper(b"").parent,
            printer=self._printer,
            on_members=lambda members: self._hear(opening, into.MembersTold(members=members)),
        )

    def _settings(self, visitor: Visitor | None, opening: int) -> Settings:
        def settled(record: AnyRecord) -> None:
            if visitor is None:  # otherwise the customer sees it
                self._hear(opening, into.Happened(happened=record))

        return Settings(
            timeout_ms=OPENING_MS_MAX,
            clock=self._around.clock,
            on_record=settled,
            say=lambda _: None,
            carrier=CutWire(self._around.carrier(), self._wiring),
            conduct=self._run_machine,
        )

    async def _run_machine(self, machine: Machine, timeout_ms: int) -> None:
        self._machine = machine
        await machine.run(timeout_ms)

    async def _wait_for_the_clock(self) -> None:
        """Wait until the panel's deadline, or until it has another one."""
        due_ms = next_deadline_ms(self._panel)
        wait_ms = TRY_AGAIN_MS if due_ms is None else max(0, due_ms - self.now_ms)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_ms / 1_000):
                await self._changed.wait()

    async def _close(self) -> None:
        """Withdraw what is under way, as a machine that is switched off in order."""
        if self._machine is not None and self._running:
            self._machine.stop()
        if self._opening is not None:
            await asyncio.wait({self._opening}, timeout=10)
            self._opening.cancel()
            await asyncio.wait({self._opening})


def _how(ended: Ended) -> into.OpeningEnded:
    refused, doubted = ended.machine.refused, ended.state.doubt is not None
    return into.OpeningEnded(opened=refused is None and not doubted, refused=refused)
