"""The kiosk with a real terminal and a real line, whose other end is a city in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from protocol.errors import SetUpError
from terminal_sim.carrier import Carrier
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk.cabinet import Tray
from terminal_sim.kiosk.inputs import Fault
from terminal_sim.kiosk.kiosk import Kiosk, Surroundings
from terminal_sim.opening import Clock
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import PIN, Wire
from tests.terminal_sim.visits import hoppers

WAIT_S = 20
CARD = "sample"


@dataclass
class Stand:
    """A kiosk, and what its printer and its city can be made to do."""

    kiosk: Kiosk
    town: Town
    wires: list[Wire] = field(default_factory=list)

    def touch(self, *touches: str) -> "Stand":
        for one in touches:
            screen = self.kiosk.screen
            assert one in screen.touches(), (one, screen.name, screen.title)
            self.kiosk.feed(into.Touched(screen=screen.name, touch=one))
        return self

    async def sees(self, name: str) -> "Stand":
        async with asyncio.timeout(WAIT_S):
            while self.kiosk.screen.name != name:
                await self.kiosk.change.wait()
        return self

    async def offers(self, touch: str) -> "Stand":
        async with asyncio.timeout(WAIT_S):
            while touch not in self.kiosk.screen.touches():
                await self.kiosk.change.wait()
        return self

    async def type_pin(self, pin: str) -> "Stand":
        await self.sees("pin")
        pad = self.kiosk.screen.pad
        assert pad is not None
        return self.touch(*(f"pad:{pad.digits.index(int(one))}" for one in pin), "pin-typed")

    async def at_money(self) -> "Stand":
        await (await self.sees("start")).touch("start", "agree", f"card:{CARD}").type_pin(PIN)
        (await self.sees("take-card")).touch("card-taken", "kind:juminhyo", "next", "confirm")
        return await self.sees("money")

    @property
    def told(self) -> list[str]:
        return [line.key for line in self.kiosk.screen.lines]


@asynccontextmanager
async def standing(town: Town, sheet_ms: int = 0) -> AsyncIterator[Stand]:
    cards = town.folder / "cards"
    cards.mkdir()
    (cards / f"{CARD}.card.json").symlink_to(town.card)
    wires: list[Wire] = []

    def carrier() -> Carrier:
        wires.append(town.wire())
        return wires[-1]

    kiosk = Kiosk(
        town.config,
        tray=Tray.lay_out(cards, names=(), notes=None),
        paper=town.tray,
        surroundings=Surroundings(clock=Clock(), carrier=carrier, sheet_ms=sheet_ms),
    )
    running = asyncio.create_task(kiosk.run())
    yield Stand(kiosk, town, wires)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


async def test_two_people_one_right_after_the_other(town: Town) -> None:
    """The line of the first is still being closed when the second places a card: nobody notices."""
    async with standing(town) as stand:
        for _ in range(2):
            await stand.at_money()
            stand.touch("yen:500", "pay")
            await stand.sees("paper")
            sheets = stand.kiosk.screen.sheets
            assert sheets is not None
            assert await stand.kiosk.picture(sheets.paper, sheets.out) is not None
            stand.touch("paper-taken")
            (await stand.offers("finish")).touch("finish", "home")

    assert 2 == len(list(town.tray.glob("*.pdf")))
    assert [(0, 300, 0)] * 2 == hoppers(town)


async def test_what_is_not_out_is_not_shown(town: Town) -> None:
    """No sheet of another paper, none that is not out, and none while things are hidden."""
    async with standing(town) as stand:
        await stand.at_money()
        stand.touch("tap")
        await stand.sees("paper")
        sheets = stand.kiosk.screen.sheets
        assert sheets is not None
        for paper, sheet in ((sheets.paper + 1, 1), (sheets.paper, 0), (sheets.paper, 3)):
            assert await stand.kiosk.picture(paper, sheet) is None
        stand.touch("veil")
        assert await stand.kiosk.picture(sheets.paper, 1) is None
        stand.touch("veil", "paper-taken")
        assert await stand.kiosk.picture(sheets.paper, 1) is None


async def test_the_paper_jams_in_the_middle(town: Town) -> None:
    """The first sheet is out and void, the money comes back, and the visit goes on."""
    async with standing(town, sheet_ms=200) as stand:
        await stand.at_money()
        stand.touch("yen:500", "pay")
        await stand.sees("printing")
        async with asyncio.timeout(WAIT_S):
            while (sheets := stand.kiosk.screen.sheets) is None or sheets.out < 1:
                await stand.kiosk.change.wait()
        stand.kiosk.turn(Fault.JAM, on=True)
        await stand.sees("stopped")

        assert {"stopped-printer", "returned", "void-sheets", "ask-staff"} <= set(stand.told)
        stand.kiosk.turn(Fault.JAM, on=False)
        (await stand.offers("another")).touch("another")
        await stand.sees("kinds")
    assert [(0, 0, 300)] == hoppers(town)


async def test_the_plug_is_pulled_between_two_sheets(town: Town) -> None:
    """After the power is back the machine has given the money back, and says what is void."""
    async with standing(town, sheet_ms=200) as stand:
        await stand.at_money()
        stand.touch("yen:500", "pay")
        async with asyncio.timeout(WAIT_S):
            while (sheets := stand.kiosk.screen.sheets) is None or sheets.out < 1:
                await stand.kiosk.change.wait()
        stand.kiosk.turn(Fault.PLUG, on=True)
        assert "off" == stand.kiosk.screen.name
        stand.kiosk.turn(Fault.PLUG, on=False)
        await stand.sees("stopped")

        assert {"stopped-power", "returned", "void-sheets"} <= set(stand.told)
    assert [(0, 0, 300)] == hoppers(town)


async def test_three_wrong_pins_lock_the_card(town: Town) -> None:
    """Two tries are left, then one, with a warning; then the card is locked and comes back."""
    async with standing(town) as stand:
        (await stand.sees("start")).touch("start", "agree", f"card:{CARD}")
        for warning in ("tries-left", "last-try"):
            await stand.type_pin("1111")
            await stand.sees("checking")
            await stand.sees("pin")
            assert warning == stand.told[-1]
        await stand.type_pin("1111")
        await stand.sees("stopped")

        assert "title-locked" == stand.kiosk.screen.title
        stand.touch("card-taken", "home")


async def test_cancelled_while_it_is_made(town: Town) -> None:
    """The certificate is withdrawn, nothing is paid, and another one can be chosen."""
    async with standing(town) as stand:
        await (await stand.sees("start")).touch("start", "agree", f"card:{CARD}").type_pin(PIN)
        (await stand.sees("take-card")).touch("card-taken", "kind:juminhyo", "next", "confirm")
        stand.touch("cancel")
        await stand.sees("stopped")

        assert "title-stopped-cancelled" == stand.kiosk.screen.title
        assert [] == [row for row in hoppers(town) if row != (0, 0, 0)]


async def test_the_wire_is_cut_and_mended(town: Town) -> None:
    """While it is cut nothing arrives; when it is mended the visit goes on where it was."""
    async with standing(town) as stand:
        await (await stand.sees("start")).touch("start", "agree", f"card:{CARD}").sees("pin")
        stand.kiosk.turn(Fault.LINE, on=True)
        await stand.type_pin(PIN)
        assert ("checking", "line-lost") == (stand.kiosk.screen.name, stand.told[0])
        stand.kiosk.turn(Fault.LINE, on=False)
        await stand.sees("take-card")


def test_a_tray_without_cards(tmp_path: Path) -> None:
    """The message names the way out."""
    with pytest.raises(SetUpError, match="give --cards the folder"):
        Tray.lay_out(tmp_path, names=(), notes=None)
    with pytest.raises(SetUpError, match="holds no card h999-m1"):
        Tray.lay_out(tmp_path, names=("h999-m1",), notes=None)
