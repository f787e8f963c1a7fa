"""The server's end of all lines: who may open one, and what a flood may cost.

The list of terminals is asked at every handshake before it touches any key, at every telegram and
at every sending (TP-027); when it changes, ``close_refused`` ends what it allows no more.

Handshake flights cost a token before TLS is stepped, per line and in all, and half-open handshakes
are bounded in number; what is over the bound is dropped, counted and logged by the shell. Counting
takes the same time however long the flood and however many lines there are: two rings of times and
a set of line ids, no scan. Lines exist for registered terminals only.
"""

import contextlib
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.envelope import EnvelopeKind, parse
from protocol.errors import KeyManagementError, TelegramError
from protocol.handshake_port import HandshakePort, Peer, Role
from protocol.line import Dropped, Line, LineEvent
from protocol.topics import line_of_topic

HALF_OPEN_MAX = 256
"""Handshakes that wait for their last flight, over all lines; each takes about 70 kB, for at most
ten seconds, so 18 MB in all."""
FLIGHTS_PER_LINE_MAX = 20
"""Of one line in the window: ten handshakes; an honest terminal starts one a second at most."""
FLIGHTS_IN_ALL_MAX = 2_000
"""Of all lines in the window: 200 a second, or 100 handshakes. A flight takes 0.5 to 0.6 ms at this
end, so this is an eighth of one core."""
FLIGHT_WINDOW_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTerminal:
    """One entry of the list: a terminal that is not revoked.

    Attributes:
        terminal: the terminal's id.
        line_id: its line to this city, 8 bytes.
        fingerprints: SHA-256 of each key certificate that is accepted now; two or more while it
            changes its key, none when the last one's time is over.
        report_keys: Ed25519 public keys that check its reports, 32 bytes each: of all certificates
            that were not revoked, also of those whose time is over, for a report may come late.
    """

    terminal: str
    line_id: bytes
    fingerprints: frozenset[bytes]
    report_keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLine:
    """A line that the list allows no more.

    Attributes:
        terminal: whose it was.
        line_id: which it was.
        revoked: the terminal is off the list; otherwise the time of one certificate is over.
        messages: the last words to the terminal, sealed before the keys were forgotten.
    """

    terminal: str
    line_id: bytes
    revoked: bool
    messages: tuple[bytes, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Entry:
    """One line with what is counted of it. ``wakes_ms`` is its deadline as the heap has it."""

    terminal: str
    line: Line
    flights: deque[int] = field(default_factory=lambda: deque(maxlen=FLIGHTS_PER_LINE_MAX))
    wakes_ms: int | None = None


class LineTable:
    """The lines of all registered terminals that have spoken since the start.

    A line with two generations of keys takes about 5 kB, so a thousand terminals take 5 MB.
    """

    def __init__(
        self,
        *,
        city: str,
        handshakes: HandshakePort,
        find: Callable[[bytes], RegisteredTerminal | None],
        make_line: Callable[..., Line] = Line,
    ) -> None:
        """Start without lines.

        Args:
            city: municipality code, 6 digits.
            handshakes: makes handshake sessions.
            find: the list, by line id; asked at every envelope.
            make_line: makes a line of the settings of ``Line``.
        """
        self._city = city
        self._handshakes = handshakes
        self._find = find
        self._make_line = make_line
        self._entries: dict[bytes, _Entry] = {}
        self._all_flights: deque[int] = deque(maxlen=FLIGHTS_IN_ALL_MAX)
        self._half_open: set[bytes] = set()
        self._wakes: list[tuple[int, bytes]] = []

    def receive(
        self, topic: str, message: bytes, now_ms: int
    ) -> tuple[RegisteredTerminal | None, list[LineEvent]]:
        """Take a message of the carrier; return whose it is and what came of it."""
        try:
            registered = self._find(line_of_topic(topic))
            if registered is None:
                return None, [Dropped(reason="line-unknown")]
            flight = parse(message).kind is EnvelopeKind.KEY_EXCHANGE
        except TelegramError:
            return None, [Dropped(reason="envelope")]
        line_id = registered.line_id
        entry = self._entries.get(line_id)
        if entry is None:
            entry = self._entries[line_id] = self._new_entry(registered)
        if flight:
            over = self._over_budget(line_id, entry, now_ms)
            if over is not None:
                return registered, [Dropped(reason=over)]
        events = entry.line.receive(message, now_ms)
        self._note(line_id, entry)
        return registered, events

    def line_of(self, line_id: bytes) -> Line | None:
        """Return the line if it has keys to send under, and their peer is still allowed."""
        entry = self._entries.get(line_id)
        if entry is None:
            return None
        entry.line.forget_refused()
        return entry.line if entry.line.ready else None

    def messages_to_send(self, line_id: bytes) -> list[bytes]:
        """Return what one line wants to send now."""
        entry = self._entries.get(line_id)
        return entry.line.messages_to_send() if entry is not None else []

    def close_refused(self, last_words: bytes) -> list[ClosedLine]:
        """Forget at once all keys that the list allows no more; to be called when it has changed.

        A line whose terminal is off the list goes as a whole, with a handshake that is under way.
        This looks at every line, which a change of the list is worth: a millisecond per thousand.

        Args:
            last_words: plaintext of a telegram to a terminal that is off the list, sealed under the
                keys that it still has; what it makes of it decides nothing.

        Returns:
            The lines that had keys and have them no more.
        """
        closed: list[ClosedLine] = []
        for line_id, entry in list(self._entries.items()):
            revoked = self._find(line_id) is None
            messages: tuple[bytes, ...] = ()
            had_keys = entry.line.ready
            if revoked and had_keys:
                messages = _farewell(entry.line, last_words)
            if revoked:
                self._remove(line_id)
            elif entry.line.forget_refused():
                self._note(line_id, entry)
            if had_keys and (revoked or not entry.line.ready):
                closed.append(
                    ClosedLine(
                        terminal=entry.terminal,
                        line_id=line_id,
                        revoked=revoked,
                        messages=messages,
                    )
                )
        return closed

    def next_deadline_ms(self) -> int | None:
        """Return when ``wake`` wants to be called, or None."""
        while self._wakes and self._outdated(self._wakes[0]):
            heapq.heappop(self._wakes)
        return self._wakes[0][0] if self._wakes else None

    def wake(self, now_ms: int) -> list[tuple[bytes, LineEvent]]:
        """Let the lines that are due retire keys and give up handshakes; return what came of it.

        Nothing is to be sent after it: only terminals repeat flights by themselves.
        """
        due: dict[bytes, None] = {}
        while self._wakes and self._wakes[0][0] <= now_ms:
            wake = heapq.heappop(self._wakes)
            if not self._outdated(wake):
                due[wake[1]] = None
        events: list[tuple[bytes, LineEvent]] = []
        for line_id in due:
            entry = self._entries[line_id]
            entry.wakes_ms = None
            events += [(line_id, event) for event in entry.line.wake(now_ms)]
            self._note(line_id, entry)
        return events

    def _new_entry(self, registered: RegisteredTerminal) -> _Entry:
        line_id = registered.line_id

        def accepts(peer: Peer) -> bool:
            listed = self._find(line_id)
            return listed is not None and peer.fingerprint in listed.fingerprints

        line = self._make_line(
            role=Role.SERVER,
            city=self._city,
            terminal=registered.terminal,
            line_id=line_id,
            handshakes=self._handshakes,
            accepts=accepts,
        )
        return _Entry(terminal=registered.terminal, line=line)

    def _remove(self, line_id: bytes) -> None:
        self._entries.pop(line_id).line.forget_keys()
        self._half_open.discard(line_id)

    def _note(self, line_id: bytes, entry: _Entry) -> None:
        """Keep the set and the heap in step with a line that was just touched.

        The heap may hold times that are outdated. Each is there because a flight moved a deadline,
        lies at most 70 s ahead (TP-022), and goes when its time comes; so a flood of flights makes
        14,000 of them at most.
        """
        if entry.line.handshaking:
            self._half_open.add(line_id)
        else:
            self._half_open.discard(line_id)
        wakes_ms = entry.line.next_deadline_ms()
        if wakes_ms != entry.wakes_ms:
            entry.wakes_ms = wakes_ms
            if wakes_ms is not None:
                heapq.heappush(self._wakes, (wakes_ms, line_id))

    def _outdated(self, wake: tuple[int, bytes]) -> bool:
        at_ms, line_id = wake
        entry = self._entries.get(line_id)
        return entry is None or entry.wakes_ms != at_ms

    def _over_budget(self, line_id: bytes, entry: _Entry, now_ms: int) -> str | None:
        """Count a flight; name the bound that it would break, if any."""
        if _full(entry.flights, now_ms):
            return "handshake-rate"
        if _full(self._all_flights, now_ms):
            return "handshake-rate-in-all"
        if line_id not in self._half_open and len(self._half_open) >= HALF_OPEN_MAX:
            return "half-open-bound"
        entry.flights.append(now_ms)
        self._all_flights.append(now_ms)
        return None


def _farewell(line: Line, last_words: bytes) -> tuple[bytes, ...]:
    with contextlib.suppress(KeyManagementError):  # the keys are used up: then without a word
        line.send(last_words)
    return tuple(line.messages_to_send())


def _full(flights: deque[int], now_ms: int) -> bool:
    """Tell whether all places are taken by flights of the window; a ring drops its oldest itself.

    A time that lies ahead (the clock was set back) counts for nothing, so that it blocks nobody.
    """
    return len(flights) == flights.maxlen and now_ms - FLIGHT_WINDOW_MS < flights[0] <= now_ms
