"""Requests and their replies on the asking side: matched by name and digest, repeated, given up.

A reply is taken only if it names a copy that was sent (key generation and counter) and carries the
request's digest. It is never taken by order or by time. A reply to a request that has ended is
*late*: reported, never delivered (domain rule: a reply cannot reach another request).
"""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from protocol import codec
from protocol.errors import Misuse
from protocol.limits import (
    COPIES_REMEMBERED_MAX,
    OUTSTANDING_REQUESTS_MAX,
    REQUEST_REPEAT_MS,
    REQUEST_REPEAT_MS_MAX,
)
from protocol.line import Line
from protocol.telegrams import AnyTelegram


class ReplyReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the request with this digest. A struct, because each request brings one."""

    request_digest: bytes
    reply: AnyTelegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """The request with this digest had no answer in its time; it has ended."""

    request_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReply:
    """A reply whose request has ended or never was; counted, never delivered."""

    request_digest: bytes


ExchangeEvent: TypeAlias = ReplyReceived | Unanswered | LateReply


class _Outstanding(msgspec.Struct, kw_only=True):
    plaintext: bytes
    repeat_at_ms: int
    repeat_ms: int
    give_up_at_ms: int | None
    copies: deque[tuple[int, int]]


class Exchange:
    """The requests that one side has under way on one line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._outstanding: dict[bytes, _Outstanding] = {}

    def ask(self, telegram: AnyTelegram, now_ms: int, *, give_up_ms: int | None = None) -> bytes:
        """Send a request and keep repeating it until it is answered or given up.

        Args:
            telegram: the request.
            now_ms: the time.
            give_up_ms: how long to try; None for ever (advices).

        Returns:
            The request's digest, under which its reply will be reported. Asking the same content
            again while it is outstanding is the same request.

        Raises:
            Misuse: more requests outstanding than ``OUTSTANDING_REQUESTS_MAX``.
        """
        plaintext = codec.encode(telegram)
        digest = codec.digest(plaintext)
        if digest in self._outstanding:
            return digest
        if len(self._outstanding) >= OUTSTANDING_REQUESTS_MAX:
            raise Misuse("too many requests outstanding on one line")
        request = _Outstanding(
            plaintext=plaintext,
            repeat_at_ms=now_ms,
            repeat_ms=REQUEST_REPEAT_MS,
            give_up_at_ms=None if give_up_ms is None else now_ms + give_up_ms,
            copies=deque(maxlen=COPIES_REMEMBERED_MAX),
        )
        self._outstanding[digest] = request
        self._send(request, now_ms)
        return digest

    def forget(self, request_digest: bytes) -> None:
        """End a request without an answer; one that still comes is late."""
        self._outstanding.pop(request_digest, None)

    def receive(self, reply: AnyTelegram) -> ExchangeEvent:
        """Match a reply (a telegram that carries ``in_reply_to``) with its request."""
        named = reply.in_reply_to
        if named is None:
            raise Misuse("not a reply")
        request = self._outstanding.get(named.digest)
        if request is None or (named.generation, named.counter) not in request.copies:
            return LateReply(request_digest=named.digest)
        del self._outstanding[named.digest]
        return ReplyReceived(request_digest=named.digest, reply=reply)

    def resend_all(self, now_ms: int) -> None:
        """Send every outstanding request again: the line has new keys."""
        for request in self._outstanding.values():
            request.repeat_ms = REQUEST_REPEAT_MS
            self._send(request, now_ms)

    def next_deadline_ms(self) -> int | None:
        """Return when ``wake`` wants to be called, or None."""
        times = []
        for request in self._outstanding.values():
            times.append(request.repeat_at_ms)
            if request.give_up_at_ms is not None:
                times.append(request.give_up_at_ms)
        return min(times, default=None)

    def wake(self, now_ms: int) -> list[ExchangeEvent]:
        """Repeat what is due and end what has waited long enough."""
        events: list[ExchangeEvent] = []
        for digest, request in list(self._outstanding.items()):
            if request.give_up_at_ms is not None and now_ms >= request.give_up_at_ms:
                del self._outstanding[digest]
                events.append(Unanswered(request_digest=digest))
            elif now_ms >= request.repeat_at_ms:
                request.repeat_ms = min(2 * request.repeat_ms, REQUEST_REPEAT_MS_MAX)
                self._send(request, now_ms)
        return events

    def _send(self, request: _Outstanding, now_ms: int) -> None:
        request.repeat_at_ms = now_ms + request.repeat_ms
        if self._line.ready:
            request.copies.append(self._line.send(request.plaintext))
