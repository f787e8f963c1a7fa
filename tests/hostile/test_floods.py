"""Floods cost a bounded amount, whoever sends them, and an honest terminal gets through.

The work that matters is counted at the handshake port: sessions started, flights given to TLS, and
sessions that are alive at once.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from issuance_server.core.line_table import (
    FLIGHT_WINDOW_MS,
    FLIGHTS_IN_ALL_MAX,
    FLIGHTS_PER_LINE_MAX,
    HALF_OPEN_MAX,
    LineTable,
    RegisteredTerminal,
)
from issuance_server.runtime.intervals import INTERVALS
from protocol.envelope import Direction, flight
from protocol.handshake_port import Peer, Role
from protocol.limits import (
    ENVELOPE_BYTES_MAX,
    FLIGHT_BYTES_MAX,
    GENERATION_OVERLAP_MS,
    HANDSHAKE_MS_MAX,
    REJECT_INTERVAL_MS,
)
from protocol.line import Dropped, Line
from protocol.topics import line_topic
from tests.hostile.broker import LATENCY_MS, Passing
from tests.hostile.counting import CountingPort
from tests.hostile.founding import CITY, LINE_IDS, PIN, TERMINALS, Keys
from tests.hostile.town import Opening, Town
from tests.hostile.virtual_time import VirtualLoop, run
from tests.protocol.stand_in import server_port, terminal_port

FLOOD = 10_000
ONE, TWO, _ = TERMINALS


def windows(lasting_ms: int) -> int:
    """Return into how many windows of the bounds a time reaches."""
    return lasting_ms // FLIGHT_WINDOW_MS + 1


def first_flights(line_id: bytes, tls: bytes, dice: random.Random) -> Iterator[bytes]:
    """Give first flights of handshakes of ever new ids."""
    while True:
        yield flight(
            direction=Direction.UP,
            line_id=line_id,
            handshake_id=dice.randbytes(16),
            number=0,
            tls=tls,
        ).pack()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """What a flood came to.

    Attributes:
        town: afterwards.
        port: what was counted.
        honest: the opening of a machine on another line meanwhile.
        flooded_ms: how long the flood lasted.
        lines_logged: of drops.
    """

    town: Town
    port: CountingPort
    honest: Opening
    flooded_ms: int

    @property
    def lines_logged(self) -> list[dict[str, object]]:
        """The log lines about drops."""
        log = self.town.log
        return [*log.of("line.handshake_refused"), *log.of("envelope.dropped")]


def flooded(keys: Keys, folder: Path, messages: Iterator[tuple[str, bytes]]) -> Flooded:
    """Put 10,000 messages on the carrier in ten seconds while a machine has a visit."""

    async def work(loop: VirtualLoop) -> Flooded:
        port = CountingPort(keys.server_port())
        town = Town(loop, keys, folder, random.Random(1), handshakes=port)
        async with town.running():
            for number, (topic, message) in zip(range(FLOOD), messages, strict=False):
                town.broker.put_in(Passing(topic=topic, message=message, delay_ms=number))
            await asyncio.sleep(1)
            honest = await town.terminals[1].open(PIN)
            await asyncio.sleep((FLOOD + LATENCY_MS) / 1_000)
            await town.runtime.lines.report_drops()
            await asyncio.sleep(HANDSHAKE_MS_MAX / 1_000)
        return Flooded(town=town, port=port, honest=honest, flooded_ms=FLOOD)

    return run(work)


def counted(seen: Flooded) -> int:
    """Return how many drops were told in the log."""
    return sum(line["count"] for line in seen.lines_logged if isinstance(line["count"], int))


@pytest.fixture
def hello(keys: Keys) -> bytes:
    """A genuine ClientHello, as the terminal of the flooded line makes it."""
    return keys.terminal_port(ONE).start().step(b"")


@pytest.mark.slow
def test_flood_of_first_flights_on_one_line(keys: Keys, folder: Path, hello: bytes) -> None:
    """10,000 genuine hellos: 40 sessions at most; a visit on the next line passes."""
    topic, dice = line_topic(CITY, LINE_IDS[ONE], "up"), random.Random(1)
    each = first_flights(LINE_IDS[ONE], hello, dice)
    seen = flooded(keys, folder, ((topic, message) for message in each))
    bound = windows(seen.flooded_ms) * FLIGHTS_PER_LINE_MAX

    assert "closed" == seen.honest.outcome
    assert seen.honest.ended_ms - seen.honest.began_ms < 1_000
    assert seen.port.starts <= bound + 1
    assert seen.port.steps <= bound + 2
    assert seen.port.alive_max <= 3
    assert FLOOD - bound <= counted(seen) <= FLOOD + 1
    assert len(seen.lines_logged) <= 2 * (FLOOD // INTERVALS.drops_ms + 2)
    assert 0 == len(seen.port.alive), "half-open handshakes are given up"


@pytest.mark.slow
def test_flood_on_lines_that_nobody_registered(keys: Keys, folder: Path, hello: bytes) -> None:
    """10,000 lines: no session is started, and the log does not name them one by one."""
    dice = random.Random(1)

    def messages() -> Iterator[tuple[str, bytes]]:
        while True:
            line_id = dice.randbytes(8)
            yield line_topic(CITY, line_id, "up"), next(first_flights(line_id, hello, dice))

    seen = flooded(keys, folder, messages())

    assert "closed" == seen.honest.outcome
    assert (1, 2) == (seen.port.starts, seen.port.steps)
    assert FLOOD == counted(seen)
    assert len(seen.lines_logged) <= FLOOD // INTERVALS.drops_ms + 2


@pytest.mark.slow
def test_flood_of_messages_that_are_too_long_or_nothing(
    keys: Keys, folder: Path, hello: bytes
) -> None:
    """Oversized flights and envelopes, empty ones, noise: TLS sees none of them."""
    topic, dice = line_topic(CITY, LINE_IDS[ONE], "up"), random.Random(1)
    long = next(first_flights(LINE_IDS[ONE], hello.ljust(FLIGHT_BYTES_MAX + 1), dice))
    kinds = [long, bytes(ENVELOPE_BYTES_MAX + 1), b"", dice.randbytes(400), long[:30]]
    seen = flooded(keys, folder, ((topic, dice.choice(kinds)) for _ in range(FLOOD)))

    assert "closed" == seen.honest.outcome
    assert (1, 2) == (seen.port.starts, seen.port.steps)
    assert FLOOD == counted(seen)
    assert len(seen.lines_logged) <= 3 * (FLOOD // INTERVALS.drops_ms + 2)


@pytest.mark.slow
def test_flood_of_telegrams_under_unknown_keys(keys: Keys, folder: Path) -> None:
    """Each costs a look-up; rejections leave twice a second and no more."""
    topic, dice = line_topic(CITY, LINE_IDS[ONE], "up"), random.Random(1)
    header = bytes((1, 2, 0, 0))
    messages = (
        (topic, header + dice.randbytes(4) + LINE_IDS[ONE] + dice.randbytes(8 + 528))
        for _ in range(FLOOD)
    )
    seen = flooded(keys, folder, messages)
    rejections = [
        p for p in seen.town.broker.history if p.topic.endswith(f"{LINE_IDS[ONE].hex()}/down")
    ]

    assert "closed" == seen.honest.outcome
    assert (1, 2) == (seen.port.starts, seen.port.steps)
    assert len(rejections) <= FLOOD // REJECT_INTERVAL_MS + 1
    assert FLOOD == counted(seen)


def test_flood_of_stray_flights_is_never_stepped(keys: Keys, folder: Path, hello: bytes) -> None:
    """Flights 1, 2, 3 and of other numbers, of handshakes that nobody began."""
    topic, dice = line_topic(CITY, LINE_IDS[ONE], "up"), random.Random(1)

    def messages() -> Iterator[tuple[str, bytes]]:
        while True:
            made = flight(
                direction=Direction.UP,
                line_id=LINE_IDS[ONE],
                handshake_id=dice.randbytes(16),
                number=dice.choice((1, 2, 3, 4, 2**40)),
                tls=hello,
            )
            yield topic, made.pack()

    seen = flooded(keys, folder, messages())

    assert "closed" == seen.honest.outcome
    assert (1, 2) == (seen.port.starts, seen.port.steps)


@dataclass
class ManyLines:
    """A table of many lines with the stand-in handshake, and honest ends by number.

    Attributes:
        allowed: the list.
        port: counts.
    """

    allowed: dict[bytes, RegisteredTerminal] = field(default_factory=dict)
    port: CountingPort = field(default_factory=lambda: CountingPort(server_port()))

    def __post_init__(self) -> None:
        self.table = LineTable(city=CITY, handshakes=self.port, find=self.allowed.get)
        self.reasons: dict[str, int] = {}

    def admit(self, number: int) -> Line:
        """Put a terminal on the list and return its end."""
        line_id, name = number.to_bytes(8), f"T-{number:05d}"
        fingerprint = number.to_bytes(32)
        self.allowed[line_id] = RegisteredTerminal(
            terminal=name,
            line_id=line_id,
            fingerprints=frozenset((fingerprint,)),
            report_keys=(bytes(32),),
        )
        peer = Peer(name=name, line_id=line_id, fingerprint=fingerprint)
        return Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=name,
            line_id=line_id,
            handshakes=terminal_port(shows=peer),
        )

    def put(self, number: int, message: bytes, now_ms: int) -> None:
        """Let a message arrive on a line, and count why it was dropped."""
        topic = line_topic(CITY, number.to_bytes(8), "up")
        for event in self.table.receive(topic, message, now_ms)[1]:
            if isinstance(event, Dropped):
                self.reasons[event.reason] = self.reasons.get(event.reason, 0) + 1

    def wake(self, now_ms: int) -> None:
        """Let the table give up what is due."""
        deadline_ms = self.table.next_deadline_ms()
        if deadline_ms is not None and deadline_ms <= now_ms:
            self.table.wake(now_ms)

    def carry(self, number: int, line: Line, now_ms: int) -> bool:
        """Carry an honest end's messages to and fro; tell whether it has keys."""
        while messages := line.messages_to_send():
            for message in messages:
                self.put(number, message, now_ms)
            for answer in self.table.messages_to_send(number.to_bytes(8)):
                line.receive(answer, now_ms)
        return line.ready


def test_flood_over_many_lines_is_bounded_in_all() -> None:
    """12,000 handshakes begun on 600 lines and left lying: 256 at once, 2,000 flights in all.

    This takes 600 stolen keys to the broker, or the broker. Honest lines that are open go on; one
    that wants to open has to wait until the flood ends, and not longer than a window.
    """
    lines = ManyLines()
    open_before, late = lines.admit(10_001), lines.admit(10_002)
    open_before.start_handshake(bytes(16), 0)
    assert lines.carry(10_001, open_before, 0)
    victims = {number: lines.admit(number) for number in range(600)}
    hellos: dict[int, bytes] = {}
    for number, line in victims.items():
        line.start_handshake(number.to_bytes(16), 0)
        (hellos[number],) = line.messages_to_send()
    dice, now_ms = random.Random(1), 0
    for count in range(12_000):
        now_ms = count // 2
        number = count % 600
        tls = hellos[number][40:]
        message = next(first_flights(number.to_bytes(8), tls, dice))
        lines.put(number, message, now_ms)
        lines.wake(now_ms)
        if count % 600 == 0:
            open_before.send(bytes(512))
            lines.carry(10_001, open_before, now_ms)
    late.start_handshake(b"l" * 16, now_ms)
    assert not lines.carry(10_002, late, now_ms), "so it is meant: the bound holds for everybody"

    assert lines.port.starts <= HALF_OPEN_MAX * FLIGHTS_PER_LINE_MAX
    assert lines.port.steps <= FLIGHTS_IN_ALL_MAX + 2
    assert lines.port.alive_max <= HALF_OPEN_MAX + 2
    assert 12_000 - FLIGHTS_IN_ALL_MAX <= sum(lines.reasons.values())
    assert {"half-open-bound", "handshake-rate-in-all", "handshake-rate"} >= lines.reasons.keys()
    assert open_before.ready
    after_ms = now_ms + FLIGHT_WINDOW_MS
    lines.wake(after_ms)
    late.wake(after_ms - 1)
    late.start_handshake(b"m" * 16, after_ms)
    assert lines.carry(10_002, late, after_ms)


def test_answers_and_sessions_do_not_pile_up() -> None:
    """100 handshakes one after the other on one line: two generations, one stored answer."""
    lines, dice = ManyLines(), random.Random(1)
    line, now_ms = lines.admit(1), 0
    for _ in range(100):
        now_ms += FLIGHT_WINDOW_MS
        line.start_handshake(dice.randbytes(16), now_ms)
        assert lines.carry(1, line, now_ms)
        lines.wake(now_ms)

    assert (100, 200) == (lines.port.starts, lines.port.steps)
    assert lines.port.alive_max <= 2
    assert 0 == len(lines.port.alive), "a session is let go as soon as its secret is exported"
    lines.wake(now_ms + HANDSHAKE_MS_MAX + GENERATION_OVERLAP_MS)
    assert lines.table.next_deadline_ms() is None
