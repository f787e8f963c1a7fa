"""A line that also tells a trace what is said on it.

The line itself knows nothing of traces: what goes through it is seen here, at its verbs. Without a
trace it is not in the way, and costs nothing.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from protocol import codec
from protocol.errors import MalformedTelegram
from protocol.handshake_port import Role
from protocol.line import Dropped, Line, LineEvent, LineReady, MalformedReceived, TelegramReceived
from protocol.telegrams import AnyTelegram
from protocol.trace.entries import LineWord, Way


class Tap(Protocol):
    """Takes what a trace is to hold of lines. Neither verb may raise."""

    def said(self, copy: "Copy", telegram: AnyTelegram) -> None:
        """A telegram was sealed for sending, or came through the seal."""
        ...

    def happened(self, whose: "Whose", word: LineWord, generation: int | None, reason: str) -> None:
        """Something else happened to a line."""
        ...


@dataclass(frozen=True, slots=True)
class Whose:
    """A line and the terminal whose it is."""

    line_id: bytes
    terminal: str


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a telegram on a line.

    Attributes:
        whose: the line.
        way: up or down.
        name: generation of the keys, and counter of the envelope.
        digest: SHA-256 of the plaintext.
        envelope_bytes: length of the envelope.
    """

    whose: Whose
    way: Way
    name: tuple[int, int]
    digest: bytes
    envelope_bytes: int


class TracedLine(Line):
    """Both roles' end of one line, with a tap."""

    _tap: Tap
    _whose: Whose
    _ways: tuple[Way, Way]

    @classmethod
    def tapped_by(cls, tap: Tap, **settings: Any) -> "TracedLine":
        """Make a line without keys that tells a tap; ``settings`` are those of ``Line``."""
        line = cls(**settings)
        server = settings["role"] is Role.SERVER
        line._tap = tap
        line._whose = Whose(settings["line_id"], settings["terminal"])
        line._ways = (Way.DOWN, Way.UP) if server else (Way.UP, Way.DOWN)
        return line

    def receive(self, message: bytes, now_ms: int) -> list[LineEvent]:
        """Take one message of the carrier and tell what came of it."""
        events = super().receive(message, now_ms)
        for event in events:
            if isinstance(event, TelegramReceived):
                ref = event.ref
                name = (ref.generation, ref.counter)
                copy = Copy(self._whose, self._ways[1], name, ref.digest, len(message))
                self._tap.said(copy, event.telegram)
            else:
                self._tell(event)
        return events

    def send(self, plaintext: bytes) -> tuple[int, int]:
        """Seal a telegram's plaintext, queue it, and tell of it."""
        name = super().send(plaintext)
        length = len(self._outbox[-1])
        copy = Copy(self._whose, self._ways[0], name, codec.digest(plaintext), length)
        try:
            self._tap.said(copy, codec.decode(plaintext))
        except MalformedTelegram as error:  # whoever sends it on purpose is not kept from it
            self._tap.happened(self._whose, LineWord.MALFORMED, name[0], error.field)
        return name

    def wake(self, now_ms: int) -> list[LineEvent]:
        """Let time pass, and tell what was given up."""
        events = super().wake(now_ms)
        for event in events:
            self._tell(event)
        return events

    def forget_keys(self) -> None:
        """Drop all keys at once, and tell if there were any."""
        if self.ready:
            self._tap.happened(self._whose, LineWord.CLOSED, self.generation, "")
        super().forget_keys()

    def _tell(self, event: LineEvent) -> None:
        match event:
            case LineReady():
                self._tap.happened(self._whose, LineWord.READY, event.generation, "")
            case Dropped():
                self._tap.happened(self._whose, LineWord.DROPPED, None, event.reason)
            case MalformedReceived():
                generation = event.ref.generation
                self._tap.happened(self._whose, LineWord.MALFORMED, generation, event.field)
            case _:
                self._tap.happened(self._whose, LineWord.DROPPED, None, "keys-unknown")
