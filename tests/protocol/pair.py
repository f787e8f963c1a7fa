"""A terminal and a server joined in memory by a carrier that can lose, repeat and reorder.

Time is whatever the test says. ``Pair.carry`` delivers what lies ready and what follows from it at
once; ``Pair.run`` lets time pass from deadline to deadline, as a shell would.
"""

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from protocol import codec
from protocol.exchange import Exchange, ExchangeEvent, ReplyReceived
from protocol.handshake_port import HandshakePort, Role
from protocol.line import KeysUnknown, Line, LineEvent, LineReady, TelegramReceived
from protocol.telegrams import AnyTelegram, LineTest, LineTested
from tests.protocol.stand_in import (
    CITY,
    LINE_ID,
    TERMINAL,
    server_port,
    terminal_port,
)

Answer: TypeAlias = Callable[[AnyTelegram], AnyTelegram | None]
Meddle: TypeAlias = Callable[[Role, bytes], Iterable[bytes]]
"""Takes a sender and its message, and gives the messages that arrive."""

ROUNDS_MAX = 1_000


def faithful(_sender: Role, message: bytes) -> Iterable[bytes]:
    """Deliver every message once."""
    return (message,)


@dataclass(slots=True)
class Noise:
    """A carrier with faults drawn from seeded dice.

    Attributes:
        dice: where the draws come from.
        loss: probability that a copy is lost.
        doubling: probability that a message is sent twice; each copy may be lost by itself.
        holding: probability that a message waits until another one has passed.
    """

    dice: random.Random
    loss: float = 0.0
    doubling: float = 0.0
    holding: float = 0.0
    held: dict[Role, list[bytes]] = field(default_factory=dict)

    def __call__(self, sender: Role, message: bytes) -> Iterable[bytes]:
        """Decide what arrives."""
        copies = [message] * (2 if self.dice.random() < self.doubling else 1)
        arriving = [copy for copy in copies if self.dice.random() >= self.loss]
        waiting = self.held.setdefault(sender, [])
        if arriving and self.dice.random() < self.holding:
            waiting.append(arriving.pop())
            return arriving
        arriving += waiting
        waiting.clear()
        return arriving


def echo(telegram: AnyTelegram) -> AnyTelegram | None:
    """Answer line tests."""
    return LineTested(nonce=telegram.nonce) if isinstance(telegram, LineTest) else None


def handshake_id(number: int) -> bytes:
    """Return the id of the so-many-th handshake of a test."""
    return hashlib.sha256(b"handshake %d" % number).digest()[:16]


class Pair:
    """One terminal's line and exchange, and the server's line."""

    def __init__(
        self,
        *,
        meddle: Meddle = faithful,
        answer: Answer = echo,
        terminal_handshakes: HandshakePort | None = None,
        server_handshakes: HandshakePort | None = None,
    ) -> None:
        self.terminal = _line(Role.TERMINAL, terminal_handshakes or terminal_port())
        self.server = _line(Role.SERVER, server_handshakes or server_port())
        self.exchange = Exchange(self.terminal)
        self.meddle = meddle
        self.answer = answer
        self.terminal_events: list[LineEvent] = []
        self.server_events: list[LineEvent] = []
        self.replies: list[ExchangeEvent] = []
        self.passed: list[tuple[Role, bytes]] = []
        self.handshakes = 0

    def open(self, now_ms: int = 0) -> None:
        """Start a handshake and carry it through."""
        self.start_handshake(now_ms)
        self.carry(now_ms)

    def start_handshake(self, now_ms: int) -> None:
        """Let the terminal start a handshake of its own number."""
        self.handshakes += 1
        self.terminal.start_handshake(handshake_id(self.handshakes), now_ms)

    def carry(self, now_ms: int) -> None:
        """Deliver everything that lies ready, and what comes of it, until all is quiet."""
        for _ in range(ROUNDS_MAX):
            sent = len(self.passed)
            up = self._pass(Role.TERMINAL, self.terminal)
            down = self._pass(Role.SERVER, self.server)
            if len(self.passed) == sent:
                return
            for message in up:
                self.server_takes(message, now_ms)
            for message in down:
                self.terminal_takes(message, now_ms)
        raise AssertionError("the carrier never falls quiet")

    def server_takes(self, message: bytes, now_ms: int) -> list[LineEvent]:
        """Hand a message to the server and answer the telegram in it."""
        events = self.server.receive(message, now_ms)
        self.server_events += events
        for event in events:
            if isinstance(event, TelegramReceived):
                reply = self.answer(event.telegram)
                if reply is not None:
                    named = msgspec.structs.replace(reply, in_reply_to=event.ref)
                    self.server.send(codec.encode(named))
        return events

    def terminal_takes(self, message: bytes, now_ms: int) -> list[LineEvent]:
        """Hand a message to the terminal, and a reply in it to its exchange."""
        events = self.terminal.receive(message, now_ms)
        self.terminal_events += events
        for event in events:
            if isinstance(event, LineReady):
                self.exchange.resend_all(now_ms)
            elif isinstance(event, KeysUnknown) and not self.terminal.handshaking:
                self.start_handshake(now_ms)
            elif isinstance(event, TelegramReceived) and event.telegram.in_reply_to is not None:
                self.replies.append(self.exchange.receive(event.telegram))
        return events

    @property
    def answered(self) -> set[bytes]:
        """The digests of the requests that were answered."""
        return {event.request_digest for event in self.replies if isinstance(event, ReplyReceived)}

    def run(self, now_ms: int, until_ms: int, *, stop: Callable[[], bool]) -> int:
        """Let time pass, from deadline to deadline, until ``stop`` or ``until_ms``.

        Returns:
            The time at which it ended.
        """
        while not stop() and now_ms < until_ms:
            if self.terminal.keys_due(now_ms):
                self.start_handshake(now_ms)
            self.carry(now_ms)
            if stop():
                break
            deadlines = [
                deadline_ms
                for deadline_ms in (
                    self.terminal.next_deadline_ms(),
                    self.server.next_deadline_ms(),
                    self.exchange.next_deadline_ms(),
                )
                if deadline_ms is not None
            ]
            later_ms = min(deadlines, default=until_ms)
            assert later_ms > now_ms, "a deadline has passed and nobody moved it"
            now_ms = later_ms
            self.wake(now_ms)
        return now_ms

    def wake(self, now_ms: int) -> None:
        """Wake both ends."""
        self.terminal_events += self.terminal.wake(now_ms)
        self.server_events += self.server.wake(now_ms)
        self.replies += self.exchange.wake(now_ms)

    def _pass(self, sender: Role, line: Line) -> list[bytes]:
        arriving: list[bytes] = []
        for message in line.messages_to_send():
            self.passed.append((sender, message))
            arriving += self.meddle(sender, message)
        return arriving


def _line(role: Role, handshakes: HandshakePort) -> Line:
    return Line(role=role, city=CITY, terminal=TERMINAL, line_id=LINE_ID, handshakes=handshakes)
