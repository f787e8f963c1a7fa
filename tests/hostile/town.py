"""A whole city and whole machines in one virtual hour, with the broker between them.

Real: key certificates and TLS, the runtime on its file, the PIN judge on its own, the machines with
their devices, cards, PIN blocks, signatures. Doubles: clock, carrier, and a renderer that makes the
same sheet for everybody.
"""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from issuance_server.adapters.pin_judge.judge import PinJudge, Surroundings
from issuance_server.adapters.pin_judge.registration import open_store
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core.facts import Now
from issuance_server.core.pin_policy import AnyAttempt, JudgeEvent, Verdict
from issuance_server.runtime import recording
from issuance_server.runtime.performer import CityHand, World
from issuance_server.runtime.runtime import Parts, Runtime
from issuance_server.sample.city import ISSUER
from keys.day_keys import DayKeys
from keys.pin_sealing import PinSealer
from protocol.errors import SetUpError
from protocol.handshake_port import HandshakePort, Role
from protocol.kinds import Kind, Options
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.topics import line_topic
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Profile, TerminalState, fold
from terminal_sim.customer import Choice
from terminal_sim.desk_work import DeskWork
from terminal_sim.devices import CardReader, CoinBox, Printer
from terminal_sim.link import Link
from terminal_sim.machine import Machine
from terminal_sim.machine import Surroundings as MachineSurroundings
from terminal_sim.person import Keypad, Person
from terminal_sim.spool import Spool
from tests.core.made import MONDAY_MS, RULES, START_REAL_MS
from tests.hostile.broker import Carrier, HostileBroker
from tests.hostile.founding import CITY, DAY_STORAGE, LINE_IDS, TERMINALS, Keys
from tests.hostile.recorder import Recorder
from tests.hostile.virtual_time import VirtualLoop
from tests.runtime.doubles import CountedEntropy, KeptLog
from tests.terminal_sim.paper_city import document

MACHINE_MS_MAX = 400_000
"""A machine that has not ended by itself is stopped after this."""


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """Both clocks of the city, by the loop's time."""

    loop: VirtualLoop

    def now(self) -> Now:
        """Return real and business time."""
        passed_ms = self.loop.now_ms
        return Now(real_ms=START_REAL_MS + passed_ms, business_ms=MONDAY_MS + passed_ms)


@dataclass(slots=True)
class JudgeHere:
    """The real judge, without a process of its own."""

    _judge: PinJudge
    _collected_up_to: int = 0

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int) -> bytes | None:
        """Give a challenge."""
        given = await self._judge.challenge(terminal, visit_id, attempt)
        return given if isinstance(given, bytes) else None

    async def judge(self, attempt: AnyAttempt) -> Verdict:
        """Judge."""
        return (await self._judge.judge(attempt)).verdict

    async def collect_events(self) -> list[JudgeEvent]:
        """Collect."""
        events = await self._judge.events(self._collected_up_to)
        if events:
            self._collected_up_to = events[-1].number
        return events


@cache
def one_sheet() -> tuple[bytes, tuple[bytes, ...]]:
    """Return a document of one page, and its page digest."""
    pdf = document(1)
    return pdf, page_digests(pdf)


class SameSheet:
    """Renders the same for everybody."""

    async def render(self, order: CertificateOrder) -> Rendered:
        """Return the sheet."""
        pdf, digests = one_sheet()
        return Rendered(pdf=pdf, sheets=1, sheets_per_copy=1, sheet_digests=digests)


@dataclass
class Opening:
    """How one opening of a machine ended.

    Attributes:
        machine: the machine.
        person: who had a visit.
        error: the text of the set-up error that ended it.
        began_ms: virtual time of the beginning.
        ended_ms: and of the end.
        counts: what the terminal's line dropped, by reason.
    """

    machine: Machine
    person: Person | None
    error: str | None
    began_ms: int
    ended_ms: int
    counts: dict[str, int]

    @property
    def outcome(self) -> str:
        """In a word."""
        if self.error is not None:
            return "city-silent"
        if self.machine.refused is not None:
            return "refused"
        if self.machine.closed is None:
            return "stopped"
        agree = self.machine.closed.theirs in (None, self.machine.closed.ours)
        return "closed" if agree else "differs"


class WholeTerminal:
    """One machine: its files last, its processes come and go."""

    def __init__(self, name: str, keys: Keys, folder: Path, town: "Town") -> None:
        self.name = name
        self.line_id = LINE_IDS[name]
        self.keys = keys
        self.records: list[AnyRecord] = []
        self.storage = folder / name
        self.storage.mkdir()
        self.tray = folder / f"{name}-tray"
        self.topic_down = line_topic(CITY, self.line_id, "down")
        self.topic_up = line_topic(CITY, self.line_id, "up")
        self._town = town
        self._own = keys.terminals[name]

    @property
    def state(self) -> TerminalState:
        """What the journal says."""
        return fold(self._profile(), self.records)

    async def open(self, *pins: bytes, timeout_ms: int = MACHINE_MS_MAX) -> Opening:
        """Run one opening; with PINs, somebody with the card is in front of the machine."""
        town, loop = self._town, self._town.loop
        person = None if not pins else self._person(pins)
        coin_box = CoinBox(self.storage)
        line = town.recorder.line_class()(
            role=Role.TERMINAL,
            city=CITY,
            terminal=self.name,
            line_id=self.line_id,
            handshakes=self.keys.terminal_port(self.name),
        )
        link = Link(line, town.dice.randbytes)
        machine = Machine(
            state=self.state,
            link=link,
            work=self._work(coin_box),
            surroundings=MachineSurroundings(
                carrier=Carrier(town.broker, self.topic_down),
                topic_up=self.topic_up,
                clock=lambda: START_REAL_MS + loop.now_ms,
                append=self.records.extend,
                on_record=lambda _: None,
            ),
            customer=person,
        )
        began_ms, error = loop.now_ms, None
        try:
            await machine.run(timeout_ms)
        except SetUpError as problem:
            error = str(problem)
        finally:
            self.inside_yen, self.earned_yen, self.returned_yen = coin_box.totals_yen()
            coin_box.close()
        return Opening(machine, person, error, began_ms, loop.now_ms, dict(link.counts))

    def papers(self) -> list[Path]:
        """Return what lies in the tray."""
        return sorted(self.tray.glob("*.pdf"))

    def _profile(self) -> Profile:
        return Profile(
            terminal=self.name,
            city=CITY,
            software="test",
            binding_keys=self._own.trust.binding_keys,
            checkpoint_keys=self._own.trust.checkpoint_keys,
        )

    def _person(self, pins: Sequence[bytes]) -> Person:
        return Person(
            keypad=Keypad(pins=[Secret(pin) for pin in pins]),
            choices=[Choice(kind=Kind.JUMINHYO, options=Options(), copies=1)],
            insert_yen=None,
            say=lambda _: None,
            clock=lambda: self._town.loop.now_ms,
        )

    def _work(self, coin_box: CoinBox) -> DeskWork:
        return DeskWork(
            terminal=self.name,
            report_key=self._own.report_key,
            spool=Spool(self.storage),
            coin_box=coin_box,
            card_reader=CardReader(
                card=self.keys.card,
                sealer=PinSealer(self._own.trust.pin_sealing_key),
                terminal=self.name,
                city=CITY,
            ),
            printer=Printer(self.tray),
        )


@dataclass
class Town:
    """Everything, in one loop.

    Attributes:
        loop: the virtual loop.
        keys: who is who.
        folder: for files of this town alone.
        dice: of ids and acts.
        handshakes: the server's end, if it is not the usual one.
    """

    loop: VirtualLoop
    keys: Keys
    folder: Path
    dice: random.Random
    handshakes: HandshakePort | None = None
    recorder: Recorder = field(default_factory=Recorder)
    log: KeptLog = field(default_factory=KeptLog)

    def __post_init__(self) -> None:
        self.broker = HostileBroker(self.loop, CITY)
        self.recorder.honest = {
            self.keys.server.line.names.fingerprint,
            *(keys.line.names.fingerprint for keys in self.keys.terminals.values()),
        }
        self.terminals = [WholeTerminal(name, self.keys, self.folder, self) for name in TERMINALS]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Town"]:
        """Run the city while the block runs."""
        for name in ("city.db", "judge.db"):
            shutil.copyfile(self.keys.folder / name, self.folder / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recording, "Line", self.recorder.line_class())
            patch.setattr("secrets.token_bytes", self.dice.randbytes)
            self.judge_store = await open_store(self.folder / "judge.db", self.keys.judge)
            self.store = await SqliteStore.open(self.folder / "city.db")
            try:
                self.judge = await self._judge()
                self.runtime = Runtime(self._parts())
                await self.runtime.prepare()
                self.task = asyncio.create_task(self.runtime.run())
                yield self
                assert not self.task.done(), "the server has stopped"
            finally:
                await self._end()

    async def tries_left(self) -> int:
        """Return how many tries the card has."""
        (state,) = await self.judge.card_states(self.keys.card_ref)
        return state.tries_left

    async def _end(self) -> None:
        task: asyncio.Task[None] | None = getattr(self, "task", None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await self.store.close()
        await self.judge_store.close()

    async def _judge(self) -> PinJudge:
        return await PinJudge.start(
            store=self.judge_store,
            keys=self.keys.judge,
            operators_folder=self.keys.folder / "city" / "operators",
            surroundings=Surroundings(
                now_ms=lambda: START_REAL_MS + self.loop.now_ms,
                monotonic_ms=lambda: self.loop.now_ms,
                random_bytes=self.dice.randbytes,
            ),
        )

    def _parts(self) -> Parts:
        return Parts(
            rules=RULES,
            store=self.store,
            gateway=Carrier(self.broker, "up"),
            handshakes=self.handshakes or self.keys.server_port(),
            hand=CityHand(
                city=CITY,
                issuer=ISSUER,
                sign_binding=self.keys.server.binding.sign,
                day_keys=DayKeys(self.folder / "day-keys", DAY_STORAGE),
            ),
            sign_checkpoint=self.keys.server.checkpoint.sign,
            world=World(
                judge=JudgeHere(self.judge),
                renderer=SameSheet(),
                clock=VirtualClock(self.loop),
                entropy=CountedEntropy(),
                log=self.log,
                gate=lambda _order, _rendered, *, deep: None,
            ),
            heartbeat=True,
        )
