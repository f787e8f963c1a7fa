"""The server's end of all lines: the allow-list, revocation, and what a flood may cost."""

from dataclasses import dataclass, field, replace

import pytest

from issuance_server.core import line_table
from issuance_server.core.line_table import (
    FLIGHT_WINDOW_MS,
    FLIGHTS_IN_ALL_MAX,
    FLIGHTS_PER_LINE_MAX,
    LineTable,
    RegisteredTerminal,
)
from protocol import codec
from protocol.handshake_port import Peer, Role
from protocol.limits import HANDSHAKE_MS_MAX
from protocol.line import Dropped, Line, LineEvent, LineReady, TelegramReceived
from protocol.telegrams import LineTest, LineTested
from protocol.topics import line_topic
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import CITY, StandInPort, server_port, terminal_port


def registered(number: int) -> RegisteredTerminal:
    """Return the so-many-th entry of the allow-list."""
    return RegisteredTerminal(
        terminal=f"T-{number:04d}",
        line_id=b"%08d" % number,
        fingerprint=number.to_bytes(32),
        report_key=bytes(32),
    )


@dataclass
class Far:
    """A terminal's end of a line, driven by hand."""

    entry: RegisteredTerminal
    line: Line
    handshakes: int = 0

    @classmethod
    def of(cls, entry: RegisteredTerminal, *, fingerprint: bytes | None = None) -> "Far":
        shows = Peer(
            name=entry.terminal,
            line_id=entry.line_id,
            fingerprint=fingerprint or entry.fingerprint,
        )
        line = Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=entry.terminal,
            line_id=entry.line_id,
            handshakes=terminal_port(shows=shows),
        )
        return cls(entry, line)

    @property
    def topic(self) -> str:
        return line_topic(CITY, self.entry.line_id, "up")

    def first_flight(self, now_ms: int = 0) -> bytes:
        """Start a handshake of its own id and return its first flight."""
        self.handshakes += 1
        self.line.start_handshake(handshake_id(self.handshakes), now_ms)
        (flight,) = self.line.messages_to_send()
        return flight


@dataclass
class Table:
    """The table with its allow-list and its handshake port."""

    allowed: dict[bytes, RegisteredTerminal] = field(default_factory=dict)
    port: StandInPort = field(default_factory=server_port)

    def __post_init__(self) -> None:
        self.lines = LineTable(city=CITY, handshakes=self.port, find=self.allowed.get)

    def admit(self, number: int) -> Far:
        entry = registered(number)
        self.allowed[entry.line_id] = entry
        return Far.of(entry)

    def take(self, far: Far, message: bytes, now_ms: int = 0) -> list[LineEvent]:
        return self.lines.receive(far.topic, message, now_ms)[1]

    def carry(self, far: Far, now_ms: int = 0) -> list[LineEvent]:
        """Carry everything to and fro until all is quiet; return the server's events."""
        events: list[LineEvent] = []
        while messages := far.line.messages_to_send():
            for message in messages:
                events += self.take(far, message, now_ms)
            for answer in self.lines.messages_to_send(far.entry.line_id):
                far.line.receive(answer, now_ms)
        return events

    def open(self, far: Far, now_ms: int = 0) -> list[LineEvent]:
        """Carry a handshake through."""
        far.handshakes += 1
        far.line.start_handshake(handshake_id(far.handshakes), now_ms)
        return self.carry(far, now_ms)


@pytest.fixture
def table() -> Table:
    return Table()


def dropped(events: list[LineEvent]) -> list[str]:
    """Return the reasons of what was dropped."""
    return [event.reason for event in events if isinstance(event, Dropped)]


def test_registered_terminal_opens_a_line(table: Table) -> None:
    """After the handshake telegrams go both ways, and the table names whose they are."""
    far = table.admit(1)
    events = table.open(far)
    assert [LineReady] == [type(event) for event in events]
    far.line.send(codec.encode(LineTest(nonce=1)))
    (message,) = far.line.messages_to_send()
    whose, received = table.lines.receive(far.topic, message, 0)

    assert far.entry == whose
    assert [LineTest(nonce=1)] == [
        event.telegram for event in received if isinstance(event, TelegramReceived)
    ]
    line = table.lines.line_of(far.entry.line_id)
    assert line is not None
    line.send(codec.encode(LineTested(nonce=1)))
    assert 1 == len(table.lines.messages_to_send(far.entry.line_id))
    assert [far.entry.line_id] == table.lines.open_line_ids()


def test_unknown_line_costs_nothing(table: Table) -> None:
    """A line that nobody registered is dropped before any handshake is stepped."""
    far = Far.of(registered(9))
    assert ["line-unknown"] == dropped(table.take(far, far.first_flight()))

    assert (0, 0) == (table.port.started, table.port.stepped)
    assert [] == table.lines.messages_to_send(far.entry.line_id)
    assert table.lines.line_of(far.entry.line_id) is None
    assert table.lines.next_deadline_ms() is None


@pytest.mark.parametrize(
    "topic",
    ["", "kofu/1/272035/48/nothex/up", line_topic(CITY, b"%08d" % 1, "up").replace("/48/", "/47/")],
)
def test_topic_that_is_none_of_ours_is_dropped(table: Table, topic: str) -> None:
    """Whatever else the broker lets through."""
    far = table.admit(1)
    whose, events = table.lines.receive(topic, far.first_flight(), 0)

    assert whose is None
    assert ["envelope"] == dropped(events)


def test_bytes_that_are_no_envelope_are_dropped(table: Table) -> None:
    """On a good topic as well."""
    far = table.admit(1)

    assert ["envelope"] == dropped(table.take(far, b"no envelope"))


def test_another_fingerprint_than_the_registered_one_is_refused(table: Table) -> None:
    """The authority signed it, but the allow-list names another certificate: no keys stay."""
    entry = registered(1)
    table.allowed[entry.line_id] = entry
    far = Far.of(entry, fingerprint=b"\xee" * 32)

    assert ["revoked"] == dropped(table.open(far))[:1]
    assert [] == table.lines.open_line_ids()
    assert table.lines.line_of(entry.line_id) is None


def test_revocation_acts_on_the_next_telegram(table: Table) -> None:
    """Off the list, or with another certificate on it: nothing is taken and nothing is sent."""
    far = table.admit(1)
    table.open(far)
    far.line.send(codec.encode(LineTest(nonce=1)))
    (message,) = far.line.messages_to_send()
    del table.allowed[far.entry.line_id]
    assert ["line-unknown"] == dropped(table.take(far, message))
    assert table.lines.line_of(far.entry.line_id) is None

    table.allowed[far.entry.line_id] = replace(far.entry, fingerprint=b"\xee" * 32)
    assert table.lines.line_of(far.entry.line_id) is None
    assert ["revoked"] == dropped(table.take(far, message))
    table.allowed[far.entry.line_id] = far.entry
    assert ["keys-unknown"] == dropped(table.take(far, message))


def test_flights_of_one_line_are_bounded(table: Table) -> None:
    """Over the bound TLS is not stepped; the window slides, and other lines are not touched."""
    far, other = table.admit(1), table.admit(2)
    for _ in range(FLIGHTS_PER_LINE_MAX):
        assert [] == dropped(table.take(far, far.first_flight()))
    stepped = table.port.stepped
    assert ["handshake-rate"] == dropped(table.take(far, far.first_flight()))
    assert stepped == table.port.stepped
    assert [] == dropped(table.take(other, other.first_flight()))

    later_ms = FLIGHT_WINDOW_MS
    assert [] == dropped(table.take(far, far.first_flight(later_ms), later_ms))


def test_flights_of_all_lines_are_bounded(table: Table) -> None:
    """Many terminals together cannot cost more than so many flights in ten seconds."""
    lines = [table.admit(number) for number in range(FLIGHTS_IN_ALL_MAX // FLIGHTS_PER_LINE_MAX)]
    for far in lines:
        for _ in range(FLIGHTS_PER_LINE_MAX):
            assert [] == dropped(table.take(far, far.first_flight()))
    late = table.admit(1_000)
    assert ["handshake-rate-in-all"] == dropped(table.take(late, late.first_flight()))

    later_ms = FLIGHT_WINDOW_MS
    assert [] == dropped(table.take(late, late.first_flight(later_ms), later_ms))


def test_half_open_handshakes_are_bounded(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one has to wait; one under way goes on, and one that took too long makes room."""
    monkeypatch.setattr(line_table, "HALF_OPEN_MAX", 3)
    waiting = [table.admit(number) for number in range(3)]
    flights = [far.first_flight() for far in waiting]
    for far, flight in zip(waiting, flights, strict=True):
        assert [] == dropped(table.take(far, flight))
    late = table.admit(9)
    flight = late.first_flight()
    assert ["half-open-bound"] == dropped(table.take(late, flight))
    assert [] == dropped(table.take(waiting[0], flights[0]))
    for answer in table.lines.messages_to_send(waiting[0].entry.line_id):
        waiting[0].line.receive(answer, 0)
    assert [LineReady] == [type(event) for event in table.carry(waiting[0])]
    assert [] == dropped(table.take(late, flight))

    deadline_ms = table.lines.next_deadline_ms()
    assert deadline_ms is not None
    assert HANDSHAKE_MS_MAX == deadline_ms
    timed_out = table.lines.wake(deadline_ms)
    assert {(far.entry.line_id, "handshake-timed-out") for far in (*waiting[1:], late)} == {
        (line_id, event.reason) for line_id, event in timed_out if isinstance(event, Dropped)
    }


def test_telegrams_do_not_count_as_flights(table: Table) -> None:
    """A busy terminal keeps its budget for handshakes."""
    far = table.admit(1)
    table.open(far)
    for nonce in range(2 * FLIGHTS_PER_LINE_MAX):
        far.line.send(codec.encode(LineTest(nonce=nonce)))
    assert [] == dropped(table.carry(far))

    assert [LineReady] == [type(event) for event in table.open(far, 1)]
