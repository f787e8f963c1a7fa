"""The server's end of all lines: who may open one, and what a flood may cost.

The allow-list is asked at the handshake and at every telegram, so a revocation acts at once.
Handshake flights cost a token before TLS is stepped, per line and in all, and half-open handshakes
are bounded in number; what is over the bound is dropped, counted and logged by the shell.
"""

from collections.abc import Callable
from dataclasses import dataclass

from protocol.envelope import EnvelopeKind, parse
from protocol.errors import TelegramError
from protocol.handshake_port import HandshakePort, Role
from protocol.line import Dropped, Line, LineEvent
from protocol.topics import line_of_topic

HALF_OPEN_MAX = 256
FLIGHTS_PER_LINE_MAX = 20
FLIGHTS_IN_ALL_MAX = 2_000
FLIGHT_WINDOW_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTerminal:
    """One entry of the allow-list.

    Attributes:
        terminal: the terminal's id.
        line_id: its line to this city, 8 bytes.
        fingerprint: SHA-256 of its key certificate; another certificate is refused.
        report_key: Ed25519 public key that checks its reports, 32 bytes.
    """

    terminal: str
    line_id: bytes
    fingerprint: bytes
    report_key: bytes


class LineTable:
    """The lines of all registered terminals that have spoken since the start."""

    def __init__(
        self,
        *,
        city: str,
        handshakes: HandshakePort,
        find: Callable[[bytes], RegisteredTerminal | None],
    ) -> None:
        """Start without lines.

        Args:
            city: municipality code, 6 digits.
            handshakes: makes handshake sessions.
            find: the allow-list, by line id; asked at every envelope.
        """
        self._city = city
        self._handshakes = handshakes
        self._find = find
        self._lines: dict[bytes, Line] = {}
        self._flights: dict[bytes, list[int]] = {}
        self._all_flights: list[int] = []

    def receive(
        self, topic: str, message: bytes, now_ms: int
    ) -> tuple[RegisteredTerminal | None, list[LineEvent]]:
        """Take a message of the carrier; return whose it is and what came of it."""
        try:
            registered = self._find(line_of_topic(topic))
            if registered is None:
                return None, [Dropped(reason="line-unknown")]
            if parse(message).kind is EnvelopeKind.KEY_EXCHANGE:
                over = self._over_budget(registered.line_id, now_ms)
                if over is not None:
                    return registered, [Dropped(reason=over)]
        except TelegramError:
            return None, [Dropped(reason="envelope")]
        line = self._lines.get(registered.line_id)
        if line is None:
            line = self._lines[registered.line_id] = Line(
                role=Role.SERVER,
                city=self._city,
                terminal=registered.terminal,
                line_id=registered.line_id,
                handshakes=self._handshakes,
            )
        events = line.receive(message, now_ms)
        if line.fingerprint is not None and line.fingerprint != registered.fingerprint:
            line.forget_keys()
            return registered, [Dropped(reason="revoked")]
        return registered, events

    def line_of(self, line_id: bytes) -> Line | None:
        """Return the line if it has keys to send under, and its terminal is still allowed."""
        line, registered = self._lines.get(line_id), self._find(line_id)
        if line is None or registered is None or line.fingerprint != registered.fingerprint:
            return None
        return line

    def messages_to_send(self, line_id: bytes) -> list[bytes]:
        """Return what one line wants to send now."""
        line = self._lines.get(line_id)
        return line.messages_to_send() if line is not None else []

    def open_line_ids(self) -> list[bytes]:
        """Return the lines that have keys."""
        return [line_id for line_id, line in self._lines.items() if line.ready]

    def next_deadline_ms(self) -> int | None:
        """Return when ``wake`` wants to be called, or None."""
        times = [line.next_deadline_ms() for line in self._lines.values()]
        return min((at_ms for at_ms in times if at_ms is not None), default=None)

    def wake(self, now_ms: int) -> list[tuple[bytes, LineEvent]]:
        """Let every line repeat, retire and give up what is due."""
        return [
            (line_id, event) for line_id, line in self._lines.items() for event in line.wake(now_ms)
        ]

    def _over_budget(self, line_id: bytes, now_ms: int) -> str | None:
        """Count a flight; name the bound that it would break, if any."""
        since_ms = now_ms - FLIGHT_WINDOW_MS
        own = [at_ms for at_ms in self._flights.get(line_id, []) if at_ms > since_ms]
        self._flights[line_id] = own
        if len(own) >= FLIGHTS_PER_LINE_MAX:
            return "handshake-rate"
        self._all_flights = [at_ms for at_ms in self._all_flights if at_ms > since_ms]
        if len(self._all_flights) >= FLIGHTS_IN_ALL_MAX:
            return "handshake-rate-in-all"
        line = self._lines.get(line_id)
        under_way = line is not None and line.handshaking
        if not under_way and self._half_open() >= HALF_OPEN_MAX:
            return "half-open-bound"
        own.append(now_ms)
        self._all_flights.append(now_ms)
        return None

    def _half_open(self) -> int:
        return sum(1 for line in self._lines.values() if line.handshaking)
