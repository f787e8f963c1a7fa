"""The terminals of a watched city: real machines, one opening of the line for every visit."""

import asyncio
import secrets as entropy

from keys.cards import CardFile
from keys.pin_sealing import PinSealer
from protocol.errors import KofuError
from protocol.handshake_port import Peer, Role
from protocol.kinds import Kind, Options
from protocol.line import Line
from protocol.secret import Secret
from protocol.topics import line_topic
from terminal_sim.core import effects as out
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Profile, TerminalState, fold
from terminal_sim.crash_points import point_of
from terminal_sim.customer import Choice
from terminal_sim.desk_work import DeskWork
from terminal_sim.devices import CardReader, CoinBox, Printer
from terminal_sim.link import Link
from terminal_sim.machine import Machine, Surroundings
from terminal_sim.person import Keypad, Person
from terminal_sim.spool import Spool
from tests.leaks.people import Visit
from tests.leaks.watched_broker import TerminalCarrier
from tests.leaks.watched_city import WatchedCity, real_ms
from tests.protocol.stand_in import CITY, terminal_port
from tests.runtime.doubles import FarEnd

TIMEOUT_MS = 120_000
SETTLINGS_MAX = 3
_MS_PER_S = 1_000


class PowerCut(Exception):
    """The machine is without power from here on."""


class SlowPerson(Person):
    """Takes a while for every answer, and may go at the menu."""

    thinks_ms = 0
    leaves = False

    async def type_pin(self, asked: out.AskForPin) -> Secret | None:
        await asyncio.sleep(self.thinks_ms / _MS_PER_S)
        return await super().type_pin(asked)

    async def choose(self, menu: out.ShowMenu) -> Choice | None:
        await asyncio.sleep(self.thinks_ms / _MS_PER_S)
        return None if self.leaves else await super().choose(menu)


class JammingPrinter(Printer):
    """A printer that stops before one sheet."""

    jams_at: int | None = None

    def lay(self, issuance_id: bytes, pdf: bytes, *, sheet: int, sheets: int) -> None:
        if sheet == self.jams_at:
            raise OSError
        super().lay(issuance_id, pdf, sheet=sheet, sheets=sheets)


class WatchedTerminal:
    """One machine and its journal.

    Attributes:
        told: what its screen and its operator were told, with the time.
    """

    def __init__(self, city: WatchedCity, far: FarEnd) -> None:
        self.told: list[str] = []
        self._city = city
        self._far = far
        self._folder = city.folder / far.terminal
        self._folder.mkdir()
        self._records: list[AnyRecord] = []

    async def work(self, visits: tuple[Visit, ...]) -> None:
        """Have all visits, then open until nothing is owed."""
        for visit in visits:
            await asyncio.sleep(visit.after_ms / _MS_PER_S)
            await self._open(visit)
        for _ in range(SETTLINGS_MAX):
            if self._state().unfinished():
                await self._open(None)

    async def _open(self, visit: Visit | None) -> None:
        """Let a machine run one opening, to whatever end."""
        coin_box = CoinBox(self._folder)
        person = None if visit is None else self._person(visit)
        machine = Machine(
            state=self._state(),
            link=Link(self._line(), entropy.token_bytes),
            work=self._work(coin_box, visit),
            surroundings=self._surroundings(visit),
            customer=person,
        )
        try:
            await machine.run(TIMEOUT_MS)
        except (PowerCut, KofuError) as error:
            self._say(f"{type(error).__name__} {error}")
        finally:
            coin_box.close()
        marks = [] if person is None else person.marks
        self._say(f"{machine.refused} {machine.closed} {marks}")

    def _say(self, line: str) -> None:
        self.told.append(f"{real_ms()} {self._far.terminal} {line}")

    def _state(self) -> TerminalState:
        profile = Profile(
            terminal=self._far.terminal,
            city=CITY,
            software="sim",
            binding_keys=(self._city.city_key.public_key,),
            checkpoint_keys=(self._city.city_key.public_key,),
        )
        return fold(profile, self._records)

    def _line(self) -> Line:
        far = self._far
        shows = Peer(name=far.terminal, line_id=far.line_id, fingerprint=far.fingerprint)
        return Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=far.terminal,
            line_id=far.line_id,
            handshakes=terminal_port(shows=shows),
        )

    def _surroundings(self, visit: Visit | None) -> Surroundings:
        dies_at = None if visit is None else visit.dies_at

        def on_record(record: AnyRecord) -> None:
            if dies_at is not None and point_of(record) == dies_at:
                raise PowerCut

        line_id = self._far.line_id
        return Surroundings(
            carrier=TerminalCarrier(self._city.broker, line_topic(CITY, line_id, "down")),
            topic_up=line_topic(CITY, line_id, "up"),
            clock=real_ms,
            append=self._records.extend,
            on_record=on_record,
        )

    def _person(self, visit: Visit) -> SlowPerson:
        card = self._city.secrets.cards[-1 if visit.holder is None else visit.holder]
        pins = [card.pin if right else card.wrong_pin for right in visit.pins]
        options = visit.options or Options()
        person = SlowPerson(
            keypad=Keypad(pins=[Secret(pin.encode()) for pin in pins]),
            choices=[Choice(kind=Kind.JUMINHYO, options=options, copies=visit.copies)],
            insert_yen=None,
            say=self._say,
            clock=real_ms,
        )
        person.thinks_ms = visit.thinks_ms
        person.leaves = visit.options is None
        return person

    def _work(self, coin_box: CoinBox, visit: Visit | None) -> DeskWork:
        reader = printer = None
        if visit is not None:
            reader = self._card_reader(visit)
            printer = JammingPrinter(self._folder / "tray")
            printer.jams_at = visit.jams_at
        return DeskWork(
            terminal=self._far.terminal,
            report_key=self._far.report_key,
            spool=Spool(self._folder),
            coin_box=coin_box,
            card_reader=reader,
            printer=printer,
        )

    def _card_reader(self, visit: Visit) -> CardReader:
        index = -1 if visit.holder is None else visit.holder
        card = CardFile(
            number=self._city.secrets.cards[index].number,
            holder="",
            signing_key=self._city.cards[index],
        )
        sealer = PinSealer(self._city.judge_keys.pin_opener.public_key)
        return CardReader(card=card, sealer=sealer, terminal=self._far.terminal, city=CITY)
