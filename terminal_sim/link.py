"""The terminal's end of its line: handshakes when they are due, requests by name, replies matched.

Without I/O: messages and the time come in, messages and events go out. It knows what a request is
called (``core.requests.Request``), not what it is for.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from protocol import codec
from protocol.exchange import Exchange, ExchangeEvent, LateReply, ReplyReceived, Unanswered
from protocol.limits import HANDSHAKE_ID_BYTES
from protocol.line import (
    RENEWAL,
    Dropped,
    KeysUnknown,
    Line,
    LineEvent,
    LineReady,
    Renewal,
    TelegramReceived,
)
from protocol.telegrams import AnyTelegram, LineTest, LineTested, Notice, NoticeKind, RequestRef
from terminal_sim.core.requests import Request

HANDSHAKE_INTERVAL_MS = 1_000
"""A forged hint that keys are unknown costs no more than one handshake in this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysFresh:
    """A handshake gave new keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """A request was answered.

    Attributes:
        request: which.
        reply: the answer.
        turn: which time of asking it was.
    """

    request: Request
    reply: AnyTelegram
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """A request had no answer in its time."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """The city says something unasked."""

    notice: NoticeKind


LinkEvent: TypeAlias = KeysFresh | Replied | GaveUp | Noticed


class Link:
    """One terminal's line to one city.

    Attributes:
        counts: what was dropped or came late, by reason; for ``--verbose``.
    """

    def __init__(
        self, line: Line, draw: Callable[[int], bytes], renewal: Renewal = RENEWAL
    ) -> None:
        """Prepare a line without keys.

        Args:
            line: in the role of the terminal.
            draw: gives so many random bytes.
            renewal: when keys are worn out.
        """
        self.counts: Counter[str] = Counter()
        self._line = line
        self._exchange = Exchange(line)
        self._draw = draw
        self._renewal = renewal
        self._requests: dict[bytes, Request] = {}
        self._turn = 0
        self._standing: dict[Request, int] = {}  # what is asked and not answered, its latest turn
        self._handshake_wanted = True
        self._handshake_from_ms = 0

    @property
    def ready(self) -> bool:
        """Whether the line has keys."""
        return self._line.ready

    def ask(
        self, request: Request, telegram: AnyTelegram, now_ms: int, *, give_up_ms: int | None
    ) -> None:
        """Send a request and repeat it."""
        self._turn += 1
        self._standing[request] = self._turn
        digest = self._exchange.ask(telegram, now_ms, give_up_ms=give_up_ms)
        self._requests[digest] = request

    def forget(self, request: Request) -> None:
        """Stop repeating a request."""
        self._standing.pop(request, None)
        for digest, known in list(self._requests.items()):
            if known == request:
                del self._requests[digest]
                self._exchange.forget(digest)

    def take(self, replied: Replied) -> bool:
        """Take a reply as the answer, and tell whether it still is one.

        A request has one name however often it is asked. What was asked before, perhaps with other
        content under other keys, is not answered in its place.
        """
        if self._standing.get(replied.request) != replied.turn:
            return False
        del self._standing[replied.request]
        return True

    def resend_all(self, now_ms: int) -> None:
        """Send again what is outstanding: the city has fresh keys and is open."""
        self._exchange.resend_all(now_ms)

    def receive(self, message: bytes, now_ms: int) -> list[LinkEvent]:
        """Take a message of the carrier."""
        return self._on_line(self._line.receive(message, now_ms))

    def wake(self, now_ms: int) -> list[LinkEvent]:
        """Repeat, give up, and start a handshake when one is due."""
        events = self._on_line(self._line.wake(now_ms))
        for event in self._exchange.wake(now_ms):
            events += self._on_exchange(event)
        due_ms = self._handshake_due_ms()
        if due_ms is not None and now_ms >= due_ms:
            self._handshake_wanted = False
            self._handshake_from_ms = now_ms + HANDSHAKE_INTERVAL_MS
            self._line.start_handshake(self._draw(HANDSHAKE_ID_BYTES), now_ms)
        return events

    def next_deadline_ms(self) -> int | None:
        """Return when ``wake`` wants to be called, or None."""
        times_ms = (
            self._line.next_deadline_ms(),
            self._exchange.next_deadline_ms(),
            self._handshake_due_ms(),
        )
        return min((at_ms for at_ms in times_ms if at_ms is not None), default=None)

    def messages_to_send(self) -> list[bytes]:
        """Return the messages for the carrier, and forget them."""
        return self._line.messages_to_send()

    def _handshake_due_ms(self) -> int | None:
        """Return when the next handshake is to begin; None while one is under way."""
        worn_ms = self._line.keys_due_ms(self._renewal)
        if worn_ms is None:
            return None
        return max(self._handshake_from_ms, 0 if self._handshake_wanted else worn_ms)

    def _on_line(self, happened: list[LineEvent]) -> list[LinkEvent]:
        events: list[LinkEvent] = []
        for event in happened:
            match event:
                case LineReady():
                    self._handshake_wanted = False
                    events.append(KeysFresh())
                case TelegramReceived():
                    events += self._on_telegram(event.telegram, event.ref)
                case KeysUnknown():
                    self.counts["keys-unknown"] += 1
                    self._handshake_wanted = True
                case Dropped():
                    self.counts[event.reason] += 1
                case _:
                    self.counts["malformed"] += 1
        return events

    def _on_telegram(self, telegram: AnyTelegram, ref: RequestRef) -> list[LinkEvent]:
        if telegram.in_reply_to is not None:
            return self._on_exchange(self._exchange.receive(telegram))
        match telegram:
            case LineTest():
                answer = LineTested(in_reply_to=ref, nonce=telegram.nonce)
                self._line.send(codec.encode(answer))
            case Notice():
                return [Noticed(notice=telegram.notice)]
            case _:
                self.counts["unasked"] += 1
        return []

    def _on_exchange(self, event: ExchangeEvent) -> list[LinkEvent]:
        request = self._requests.pop(event.request_digest, None)
        match event:
            case ReplyReceived() if request is not None:
                turn = self._standing.get(request, 0)
                return [Replied(request=request, reply=event.reply, turn=turn)]
            case Unanswered() if request is not None:
                self._standing.pop(request, None)
                return [GaveUp(request=request)]
            case LateReply():
                if request is not None:  # another copy of it is still outstanding
                    self._requests[event.request_digest] = request
        self.counts["late"] += 1
        return []
