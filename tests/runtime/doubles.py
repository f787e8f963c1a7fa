"""Doubles of the world around the runtime, and a terminal's end of a line driven by hand.

The store, the day keys, the certificates and all signatures are real; carrier and judge are not.
The card number and the PIN block are canaries: they must never be found on a disk or in a log line.
"""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from issuance_server.adapters.sqlite.founding import NewTerminal
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.certificates.gate import Gate, gate_fault
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.pin_policy import (
    AnyAttempt,
    JudgeEvent,
    PinAttempt,
    Verdict,
    VerdictOutcome,
)
from issuance_server.core.rules import CityRules
from issuance_server.observe.logging import EventLog
from issuance_server.ports import Sign
from issuance_server.runtime.intervals import INTERVALS, Intervals
from issuance_server.runtime.performer import CityHand, World
from issuance_server.runtime.runtime import Parts, Runtime
from issuance_server.sample.city import ISSUER
from keys.day_keys import DayKeys
from keys.signing import SigningKey
from keys.storage_key import StorageKey
from protocol import codec
from protocol import telegrams as t
from protocol.errors import AdapterError
from protocol.handshake_port import Peer, Role
from protocol.line import Dropped, Line, LineEvent, TelegramReceived
from protocol.secret import Secret
from protocol.terminal_statements import DeletionReport, PrintReport
from protocol.topics import line_topic
from tests.adapters.city_file import HOLDER_ID, HandClock, found
from tests.core.made import CARD_REF, CHAIN, RULES, START_REAL_MS, TERMINAL
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import CITY, server_port, terminal_port

WAIT_S = 5
CERTIFICATE_MS = 800 * 24 * 60 * 60 * 1_000
CARD_NUMBER = b"canary-card-numb"
RIGHT_BLOCK = b"canary PIN block, right".ljust(64, b".")
WRONG_BLOCK = b"canary PIN block, wrong".ljust(64, b".")
_T = TypeVar("_T")


class MemoryGateway:
    """Carries in memory what a broker would carry.

    Attributes:
        up: what terminals have sent.
        down: what the server has sent and no terminal has read.
        broken: whether ``publish`` fails.
    """

    def __init__(self) -> None:
        self.up: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self.down: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.broken = False
        self.connected = asyncio.Event()

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        while (message := await self.up.get()) is not None:
            yield message

    async def run(self) -> None:
        self.connected.set()
        await asyncio.Event().wait()

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.broken:
            raise AdapterError("the broker is gone")
        self.down.put_nowait((topic, payload))

    async def close(self) -> None:
        self.up.put_nowait(None)


@dataclass
class StandInJudge:
    """Says what the block says; remembers what it was asked."""

    reachable: bool = True
    asked: list[AnyAttempt] = field(default_factory=list)
    events: list[JudgeEvent] = field(default_factory=list)

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int) -> bytes | None:
        self._reach()
        return hashlib.sha256(visit_id + bytes([attempt])).digest()

    async def judge(self, attempt: AnyAttempt) -> Verdict:
        self._reach()
        self.asked.append(attempt)
        right = isinstance(attempt, PinAttempt) and attempt.pin_block == RIGHT_BLOCK
        return Verdict(
            terminal=attempt.terminal,
            visit_id=attempt.visit_id,
            attempt=attempt.attempt,
            request_digest=attempt.request_digest,
            outcome=VerdictOutcome.RIGHT if right else VerdictOutcome.WRONG,
            card_ref=CARD_REF,
            tries_left=3 if right else 2,
            at_ms=1,
        )

    async def collect_events(self) -> list[JudgeEvent]:
        self._reach()
        events, self.events = self.events, []
        return events

    def _reach(self) -> None:
        if not self.reachable:
            raise AdapterError("the judge is out of reach")


@cache
def _certificate_renderer() -> CertificateRenderer:
    return CertificateRenderer()


@dataclass
class InProcessRenderer:
    """Makes real certificates in this process, or fails as it is told to.

    Attributes:
        fails: raised instead of an answer.
        spoil: changes the answer.
        orders: what was ordered.
        made: what was made.
    """

    fails: Exception | None = None
    spoil: dict[str, Any] = field(default_factory=dict)
    orders: list[CertificateOrder] = field(default_factory=list)
    made: list[Rendered] = field(default_factory=list)

    async def render(self, order: CertificateOrder) -> Rendered:
        self.orders.append(order)
        if self.fails is not None:
            raise self.fails
        rendered = _certificate_renderer().render(order)
        self.made.append(rendered)
        return msgspec.structs.replace(rendered, **self.spoil)


class CountedEntropy:
    """Bytes that differ at every draw and in no run."""

    def __init__(self) -> None:
        self._draws = 0

    def draw(self, count: int) -> Secret:
        self._draws += 1
        return Secret(hashlib.sha512(b"draw %d" % self._draws).digest()[:count])


class KeptLog:
    """The real log, written into memory; refuses what the catalogue does not know."""

    def __init__(self) -> None:
        self.stream = io.BytesIO()
        self._log = EventLog()
        self._log.configure(log_format="json", stream=self.stream)

    def __call__(self, event_name: str, /, **fields: object) -> None:
        self._log(event_name, **fields)

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of one event."""
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


@dataclass
class FarEnd:
    """A terminal: its line, its report key, and what it has received.

    Attributes:
        terminal: its id.
        number: gives its line id.
        report_key: signs its reports.
        certificate: gives the fingerprint of its key certificate; the number if not given.
        handshakes: how many it started.
        dropped: reasons of what it dropped.
        notices: what the city told unasked.
    """

    terminal: str
    number: int
    report_key: SigningKey
    certificate: int | None = None
    handshakes: int = 0
    dropped: list[str] = field(default_factory=list)
    notices: list[t.Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line_id = bytes([self.number]) * 8
        self.fingerprint = bytes([self.certificate or self.number]) * 32
        self.fresh()

    def fresh(self) -> None:
        """Start without keys, as after a restart of the terminal."""
        peer = Peer(name=self.terminal, line_id=self.line_id, fingerprint=self.fingerprint)
        self.line = Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=self.terminal,
            line_id=self.line_id,
            handshakes=terminal_port(shows=peer),
        )

    @property
    def entry(self) -> NewTerminal:
        return NewTerminal(
            terminal=self.terminal,
            line_id=self.line_id,
            fingerprint=self.fingerprint,
            report_key=self.report_key.public_key,
            until_ms=START_REAL_MS + CERTIFICATE_MS,
            chain=CHAIN,
            store="見本店",
            in_city=True,
        )

    def report(self, report: PrintReport) -> t.Report:
        """Sign a print report."""
        return t.Report(
            report=report, signature=self.report_key.sign(report.statement(self.terminal))
        )

    def deletion(self, report: DeletionReport) -> t.Deleted:
        """Sign a deletion report."""
        return t.Deleted(
            report=report, signature=self.report_key.sign(report.statement(self.terminal))
        )


@dataclass
class Bench:
    """One runtime on a real file, with everything around it in the hand of a test."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    judge: StandInJudge = field(default_factory=StandInJudge)
    renderer: InProcessRenderer = field(default_factory=InProcessRenderer)
    log: KeptLog = field(default_factory=KeptLog)
    city_key: SigningKey = field(default_factory=SigningKey.generate)
    heartbeat: bool = False
    rules: CityRules = RULES
    gate: Gate = gate_fault
    intervals: Intervals = INTERVALS
    sign_checkpoint: Sign | None = None
    log_is_written: Callable[[], bool] = lambda: True

    def __post_init__(self) -> None:
        self.path = self.folder / "city.db"
        self.day_keys = DayKeys(self.folder / "day-keys", StorageKey(Secret(bytes(32))))
        self.far = FarEnd(TERMINAL, 1, SigningKey.generate())
        found(self.path, cards=[(CARD_REF, HOLDER_ID)], terminals=[self.far.entry])

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Bench"]:
        """Run the server while the block runs, and end it as a kill would: without a drain."""
        self.gateway = MemoryGateway()
        self.store = await SqliteStore.open(self.path)
        self.runtime = Runtime(self._parts())
        try:
            await self.runtime.prepare()
            self.task = asyncio.create_task(self.runtime.run())
            yield self
        finally:
            await self._end()

    async def _end(self) -> None:
        task: asyncio.Task[None] | None = getattr(self, "task", None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # a test looks at it while it runs
        await self.store.close()

    def _parts(self) -> Parts:
        return Parts(
            rules=self.rules,
            store=self.store,
            gateway=self.gateway,
            handshakes=server_port(),
            hand=CityHand(
                city=CITY,
                issuer=ISSUER,
                sign_binding=self.city_key.sign,
                day_keys=self.day_keys,
            ),
            sign_checkpoint=self.sign_checkpoint or self.city_key.sign,
            world=World(
                judge=self.judge,
                renderer=self.renderer,
                clock=self.clock,
                entropy=CountedEntropy(),
                log=self.log,
                gate=self.gate,
            ),
            heartbeat=self.heartbeat,
            intervals=self.intervals,
            log_is_written=self.log_is_written,
        )

    async def open_line(self, far: FarEnd | None = None) -> None:
        """Carry a handshake through."""
        far = far or self.far
        far.handshakes += 1
        far.line.start_handshake(handshake_id(far.handshakes), self.clock.real_ms)
        self._send(far)
        while not far.line.ready or far.line.handshaking:
            await self._receive(far)
            self._send(far)
        await self._receive(far)  # the server's word that it has the keys too

    async def ask(self, telegram: t.AnyTelegram, kind: type[_T], far: FarEnd | None = None) -> _T:
        """Ask, wait for the reply to this very copy, and expect its kind."""
        far = far or self.far
        generation, counter = self.tell(telegram, far)
        while True:
            for event in await self._receive(far):
                if not isinstance(event, TelegramReceived):
                    continue
                named = event.telegram.in_reply_to
                if named is None:
                    assert isinstance(event.telegram, t.Notice)
                    far.notices.append(event.telegram)
                elif (named.generation, named.counter) == (generation, counter):
                    assert codec.digest(codec.encode(telegram)) == named.digest
                    assert isinstance(event.telegram, kind), event.telegram
                    return event.telegram

    async def refused(self, telegram: t.AnyTelegram) -> str:
        """Ask, and return the name of the code of the refusal that must come."""
        return (await self.ask(telegram, t.Refused)).code.name

    def tell(self, telegram: t.AnyTelegram, far: FarEnd | None = None) -> tuple[int, int]:
        """Send a telegram without waiting; return generation and counter of the copy."""
        far = far or self.far
        named = far.line.send(codec.encode(telegram))
        self._send(far)
        return named

    def send_bytes(self, message: bytes, far: FarEnd | None = None) -> None:
        """Hand the carrier any bytes on the terminal's topic."""
        self.gateway.up.put_nowait((line_topic(CITY, (far or self.far).line_id, "up"), message))

    async def until(self, holds: Callable[[], object]) -> None:
        """Let the loops run until something holds."""
        async with asyncio.timeout(WAIT_S):
            while not holds():  # noqa: ASYNC110  # the loops tell nobody
                await asyncio.sleep(0.001)

    async def drops(self, count: int = 1) -> None:
        """Wait until so many messages were dropped, and have them logged."""
        await self.until(lambda: sum(self.runtime.lines._drops.values()) >= count)
        await self.runtime.lines.report_drops()

    def _send(self, far: FarEnd) -> None:
        for message in far.line.messages_to_send():
            self.send_bytes(message, far)

    async def _receive(self, far: FarEnd) -> list[LineEvent]:
        async with asyncio.timeout(WAIT_S):
            topic, message = await self.gateway.down.get()
        assert line_topic(CITY, far.line_id, "down") == topic
        events = far.line.receive(message, self.clock.real_ms)
        far.dropped += [event.reason for event in events if isinstance(event, Dropped)]
        return events
