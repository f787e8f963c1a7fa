"""The server's end of all lines: the list, revocation, and what a flood may cost."""

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
from protocol.telegrams import LineTest, LineTested, Notice, NoticeKind
from protocol.topics import line_topic
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import CITY, StandInPort, server_port, terminal_port


def registered(number: int) -> RegisteredTerminal:
    """Return the so-many-th entry of the list."""
    return RegisteredTerminal(
        terminal=f"T-{number:04d}",
        line_id=b"%08d" % number,
        fingerprints=frozenset({number.to_bytes(32)}),
        report_keys=(bytes(32),),
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
            fingerprint=fingerprint or next(iter(entry.fingerprints)),
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
    """The table with its list and its handshake port."""

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


STRANGE = b"\xee" * 32
LAST_WORDS = codec.encode(Notice(notice=NoticeKind.STOPPED))


@pytest.fixture
def table() -> Table:
    return Table()


def opened_line(table: Table, far: Far) -> Line:
    """Return the server's end, which must have keys."""
    line = table.lines.line_of(far.entry.line_id)
    assert line is not None
    return line


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


def test_another_fingerprint_than_the_listed_one_is_refused(table: Table) -> None:
    """The authority signed it, but the list names another certificate: the good keys stay."""
    far = table.admit(1)
    table.open(far)
    before = opened_line(table, far).generation
    stranger = Far.of(far.entry, fingerprint=STRANGE)
    stranger.handshakes = 7

    assert ["peer-refused"] == dropped(table.open(stranger))[:1]
    assert before == opened_line(table, far).generation
    far.line.send(codec.encode(LineTest(nonce=1)))
    assert [TelegramReceived] == [type(event) for event in table.carry(far)]


def test_revocation_acts_on_the_next_telegram(table: Table) -> None:
    """Off the list, or with another certificate on it: nothing is taken and nothing is sent."""
    far = table.admit(1)
    table.open(far)
    far.line.send(codec.encode(LineTest(nonce=1)))
    (message,) = far.line.messages_to_send()
    del table.allowed[far.entry.line_id]
    assert ["line-unknown"] == dropped(table.take(far, message))

    table.allowed[far.entry.line_id] = replace(far.entry, fingerprints=frozenset({STRANGE}))
    assert ["keys-refused"] == dropped(table.take(far, message))
    assert table.lines.line_of(far.entry.line_id) is None
    table.allowed[far.entry.line_id] = far.entry
    assert ["keys-unknown"] == dropped(table.take(far, message))


def test_nothing_is_sent_to_one_who_is_off_the_list(table: Table) -> None:
    """Asked for sending before anything else came."""
    far = table.admit(1)
    table.open(far)
    table.allowed[far.entry.line_id] = replace(far.entry, fingerprints=frozenset())

    assert table.lines.line_of(far.entry.line_id) is None


def test_change_of_the_list_closes_what_it_allows_no_more(table: Table) -> None:
    """At once and with a last word; the other line, and a line without keys, are let be."""
    revoked, stays, half_open = table.admit(1), table.admit(2), table.admit(3)
    for far in (revoked, stays):
        table.open(far)
    table.take(half_open, half_open.first_flight())
    assert [] == table.lines.close_refused(LAST_WORDS)
    for far in (revoked, half_open):
        del table.allowed[far.entry.line_id]
    (closed,) = table.lines.close_refused(LAST_WORDS)

    assert (revoked.entry.terminal, True) == (closed.terminal, closed.revoked)
    (message,) = closed.messages
    (heard,) = revoked.line.receive(message, 0)
    assert isinstance(heard, TelegramReceived)
    assert Notice(notice=NoticeKind.STOPPED) == heard.telegram
    assert [] == table.lines.close_refused(LAST_WORDS)
    assert table.lines.line_of(stays.entry.line_id) is not None
    table.allowed[revoked.entry.line_id] = revoked.entry
    revoked.line.send(codec.encode(LineTest(nonce=1)))
    assert ["keys-unknown"] == dropped(table.carry(revoked))


def test_certificate_whose_time_is_over_ends_its_keys_without_a_word(table: Table) -> None:
    """The terminal is still on the list: a rejection will lead it to its new certificate."""
    far = table.admit(1)
    table.allowed[far.entry.line_id] = replace(
        far.entry, fingerprints=far.entry.fingerprints | {STRANGE}
    )
    table.open(far)
    table.allowed[far.entry.line_id] = replace(far.entry, fingerprints=frozenset({STRANGE}))
    (closed,) = table.lines.close_refused(LAST_WORDS)
    assert (far.entry.terminal, False, ()) == (closed.terminal, closed.revoked, closed.messages)

    new = Far.of(far.entry, fingerprint=STRANGE)
    new.handshakes = 7
    assert [LineReady] == [type(event) for event in table.open(new)]


def test_keys_of_before_may_end_while_the_line_stays_open(table: Table) -> None:
    """Opened with the old certificate, then with the new one: the line is not closed."""
    old = table.admit(1)
    both = replace(old.entry, fingerprints=old.entry.fingerprints | {STRANGE})
    table.allowed[old.entry.line_id] = both
    new = Far.of(old.entry, fingerprint=STRANGE)
    new.handshakes = 7
    table.open(old)
    table.open(new)
    table.allowed[old.entry.line_id] = replace(old.entry, fingerprints=frozenset({STRANGE}))

    assert [] == table.lines.close_refused(LAST_WORDS)
    new.line.send(codec.encode(LineTest(nonce=1)))
    assert [TelegramReceived] == [type(event) for event in table.carry(new)]


def test_used_up_keys_end_without_a_word(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be sealed any more; the line closes all the same."""
    far = table.admit(1)
    table.open(far)
    monkeypatch.setattr("protocol.sealing.TELEGRAMS_PER_GENERATION_HARD_MAX", 0)
    del table.allowed[far.entry.line_id]
    (closed,) = table.lines.close_refused(LAST_WORDS)

    assert () == closed.messages


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


def test_bounds_hold_when_the_clock_is_set_back(table: Table) -> None:
    """Flights of a time that has not come yet block nobody, and the bound is kept anew."""
    far = table.admit(1)
    hour_ms = 3_600_000
    for _ in range(FLIGHTS_PER_LINE_MAX):
        assert [] == dropped(table.take(far, far.first_flight(hour_ms), hour_ms))
    for _ in range(FLIGHTS_PER_LINE_MAX):
        assert [] == dropped(table.take(far, far.first_flight(0), 0))

    assert ["handshake-rate"] == dropped(table.take(far, far.first_flight(0), 0))


def test_flood_leaves_nothing_that_grows(table: Table) -> None:
    """Ten times more than is let through: rings, set and heap stay within their bounds."""
    lines = [table.admit(number) for number in range(150)]
    flights = {far.entry.line_id: far.first_flight() for far in lines}
    for _ in range(10 * FLIGHTS_PER_LINE_MAX):
        for far in lines:
            table.take(far, flights[far.entry.line_id])

    inside = table.lines
    assert len(inside._all_flights) == FLIGHTS_IN_ALL_MAX
    assert all(len(e.flights) <= FLIGHTS_PER_LINE_MAX for e in inside._entries.values())
    assert len(inside._half_open) <= line_table.HALF_OPEN_MAX
    assert len(inside._wakes) <= 7 * FLIGHTS_IN_ALL_MAX


def test_lines_of_removed_terminals_are_forgotten(table: Table) -> None:
    """Thousands that come and go leave no line, no half-open handshake and no deadline."""
    for number in range(500):
        far = table.admit(number)
        now_ms = number * FLIGHT_WINDOW_MS
        table.open(far, now_ms) if number % 2 else table.take(far, far.first_flight(now_ms), now_ms)
        del table.allowed[far.entry.line_id]
        table.lines.close_refused(LAST_WORDS)

    assert {} == table.lines._entries
    assert set() == table.lines._half_open
    assert table.lines.next_deadline_ms() is None


def test_each_line_is_woken_at_its_own_time(table: Table) -> None:
    """The nearest deadline is named, whichever lines came in between, and only it is woken."""
    first, second = table.admit(1), table.admit(2)
    table.take(first, first.first_flight(0), 0)
    table.take(second, second.first_flight(4_000), 4_000)
    assert HANDSHAKE_MS_MAX == table.lines.next_deadline_ms()
    assert [] == table.lines.wake(HANDSHAKE_MS_MAX - 1)
    assert [first.entry.line_id] == [line_id for line_id, _ in table.lines.wake(HANDSHAKE_MS_MAX)]
    assert HANDSHAKE_MS_MAX + 4_000 == table.lines.next_deadline_ms()
    (left,) = table.lines.wake(HANDSHAKE_MS_MAX + 4_000)

    assert (second.entry.line_id, Dropped(reason="handshake-timed-out")) == left
    assert table.lines.next_deadline_ms() is None
