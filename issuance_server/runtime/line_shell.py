"""Between the carrier and the lines: bytes to inputs, replies to bytes."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from issuance_server.core import inputs as i
from issuance_server.core.line_table import LineTable, RegisteredTerminal
from issuance_server.ports import Clock, Gateway
from protocol import codec
from protocol.domicile_telegrams import AskDomicile, RegisterDomicile
from protocol.errors import AdapterError, KeyManagementError
from protocol.line import Dropped, LineEvent, LineReady, MalformedReceived, TelegramReceived
from protocol.statements import signature_holds
from protocol.telegrams import (
    AnyTelegram,
    Apply,
    Authenticate,
    AuthenticateCertificate,
    Begin,
    Cancel,
    Close,
    Deleted,
    EndVisit,
    Fetch,
    Held,
    LineTest,
    Notice,
    NoticeKind,
    Open,
    Release,
    Report,
    RequestRef,
)
from protocol.topics import line_topic

MESSAGES_WAITING_MAX = 8_192
PUBLISHERS = 16
ATTEMPTS_KEPT_MAX = 1_024
DROP_KINDS_MAX = 256

_PLAIN = (
    Open,
    Begin,
    Apply,
    Fetch,
    Held,
    Release,
    Cancel,
    EndVisit,
    Close,
    LineTest,
    RegisterDomicile,
    AskDomicile,
)


class LineShell:
    """Reads the gateway, keeps the lines, and answers."""

    def __init__(
        self,
        *,
        city: str,
        lines: LineTable,
        gateway: Gateway,
        clock: Clock,
        offer: Callable[[i.Input], bool],
        log: Callable[..., None],
    ) -> None:
        self._city = city
        self._lines = lines
        self._gateway = gateway
        self._clock = clock
        self._offer = offer
        self._log = log
        self._known: dict[str, bytes] = {}  # terminals that had keys since the start, their lines
        self._attempts: dict[RequestRef, Authenticate | AuthenticateCertificate] = {}
        self._messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MESSAGES_WAITING_MAX)
        self.timer_changed = asyncio.Event()
        self.dropped_count = 0
        self._drops: dict[tuple[str, str], int] = {}

    async def read(self) -> None:
        """Take messages from the gateway until it closes."""
        async for topic, message in self._gateway.incoming:
            now_ms = self._clock.now().real_ms
            registered, events = self._lines.receive(topic, message, now_ms)
            for event in events:
                self._handle(registered, event)
            if registered is not None:
                self._flush(registered.line_id)
            self.timer_changed.set()

    async def publish(self) -> None:
        """Hand messages over; one that cannot be handed over is the terminal's to ask for again."""
        while True:
            topic, message = await self._messages.get()
            try:
                await self._gateway.publish(topic, message)
            except AdapterError:
                self.dropped_count += 1

    async def keep_time(self) -> None:
        """Let the lines repeat, retire keys and give up when it is time."""
        while True:
            self.timer_changed.clear()
            deadline_ms = self._lines.next_deadline_ms()
            now_ms = self._clock.now().real_ms
            wait_s = None if deadline_ms is None else max(0, deadline_ms - now_ms) / 1_000
            try:
                async with asyncio.timeout(wait_s):
                    await self.timer_changed.wait()
            except TimeoutError:
                for line_id, event in self._lines.wake(self._clock.now().real_ms):
                    self._log_dropped(line_id.hex(), event)

    def reply(self, terminal: str, ref: RequestRef, telegram: AnyTelegram) -> None:
        """Answer one copy of a request, under the line's present keys."""
        self._attempts.pop(ref, None)  # answered, whether or not the judge ever saw it
        answer = msgspec.structs.replace(telegram, in_reply_to=ref)
        self._send(terminal, answer)

    def notify_all(self, notice: NoticeKind) -> None:
        """Send a notice to every open line; it may be lost."""
        for terminal in list(self._known):
            self._send(terminal, Notice(notice=notice))

    def close_refused(self) -> None:
        """End at once what the list allows no more; to be called whenever it has changed.

        A terminal that is off the list is told so under its last keys: it ends what it does and
        needs not wait. A terminal whose old key certificate is over makes new keys with its new one
        when its next telegram is rejected.
        """
        stopped = codec.encode(Notice(notice=NoticeKind.STOPPED))
        for closed in self._lines.close_refused(stopped):
            self._post(closed.line_id, closed.messages)
            if closed.revoked:
                self._known.pop(closed.terminal, None)
            reason = "terminal-revoked" if closed.revoked else "certificate-over"
            line = closed.line_id.hex()
            self._log("line.closed", terminal=closed.terminal, line=line, reason=reason)
        self.timer_changed.set()

    def take_attempt(self, ref: RequestRef) -> Authenticate | AuthenticateCertificate | None:
        """Give the telegram that came with a ref to the judge's side, and forget it here."""
        return self._attempts.pop(ref, None)

    def _send(self, terminal: str, telegram: AnyTelegram) -> None:
        line_id = self._known.get(terminal, b"")
        line = self._lines.line_of(line_id)
        if line is None:
            return
        try:
            line.send(codec.encode(telegram))
        except KeyManagementError:
            line.forget_keys()  # the terminal notices and makes new ones
        self._flush(line_id)

    def _flush(self, line_id: bytes) -> None:
        self._post(line_id, self._lines.messages_to_send(line_id))

    def _post(self, line_id: bytes, messages: Iterable[bytes]) -> None:
        topic = line_topic(self._city, line_id, "down")
        for message in messages:
            try:
                self._messages.put_nowait((topic, message))
            except asyncio.QueueFull:
                self.dropped_count += 1
                self._log(
                    "gateway.queue_full",
                    queued=self._messages.qsize(),
                    dropped_since_start=self.dropped_count,
                )

    def _handle(self, registered: RegisteredTerminal | None, event: LineEvent) -> None:
        if registered is None or isinstance(event, Dropped):
            self._log_dropped(registered.line_id.hex() if registered else "", event)
            return
        match event:
            case LineReady():
                if registered.terminal in self._known:
                    line_id = registered.line_id.hex()
                    self._log("line.replaced", terminal=registered.terminal, line=line_id)
                self._known[registered.terminal] = registered.line_id
            case MalformedReceived(ref=ref, field=field):
                self._log_telegram(registered, f"malformed at {field}")
                self._give(i.MalformedAsked(terminal=registered.terminal, ref=ref))
            case TelegramReceived(telegram=telegram, ref=ref):
                self._take(registered, telegram, ref)

    def _take(self, registered: RegisteredTerminal, telegram: AnyTelegram, ref: RequestRef) -> None:
        terminal = registered.terminal
        if isinstance(telegram, Authenticate | AuthenticateCertificate):
            if len(self._attempts) >= ATTEMPTS_KEPT_MAX:
                self._attempts.pop(next(iter(self._attempts)))
            self._attempts[ref] = telegram
            self._give(
                i.Authenticated(
                    terminal=terminal,
                    ref=ref,
                    visit_id=telegram.visit_id,
                    attempt=telegram.attempt,
                )
            )
        elif isinstance(telegram, Report | Deleted):
            self._give(_signed(registered, telegram, ref))
        elif isinstance(telegram, _PLAIN):
            if isinstance(telegram, Open | Close) and not self._is_now(registered, telegram, ref):
                return
            self._give(i.Asked(terminal=terminal, ref=ref, telegram=telegram))
        else:
            self._log_telegram(registered, "not-a-request")

    def _is_now(self, registered: RegisteredTerminal, asked: Open | Close, ref: RequestRef) -> bool:
        """A late copy of an opening or closing under keys that were replaced means nothing now."""
        line = self._lines.line_of(registered.line_id)
        if isinstance(asked, Open) and asked.terminal != registered.terminal:
            self._log_telegram(registered, "another-terminal")
        elif line is None or line.generation != ref.generation:
            act = "opening" if isinstance(asked, Open) else "closing"
            self._log_telegram(registered, f"{act}-under-old-keys")
        else:
            return True
        return False

    def _give(self, input_: i.Input) -> None:
        if not self._offer(input_):
            self.dropped_count += 1
            self._log("gateway.queue_full", queued=-1, dropped_since_start=self.dropped_count)

    def _log_telegram(self, registered: RegisteredTerminal, reason: str) -> None:
        line_id = registered.line_id.hex()
        self._log("telegram.dropped", terminal=registered.terminal, line=line_id, reason=reason)

    async def report_drops(self) -> None:
        """Log what was dropped since the last call, one line for each line and reason."""
        drops, self._drops = self._drops, {}
        for (line, reason), count in drops.items():
            handshake = reason.startswith(("handshake", "half-open", "peer-refused"))
            name = "line.handshake_refused" if handshake else "envelope.dropped"
            self._log(name, line=line, reason=reason, count=count)

    def _log_dropped(self, line: str, event: LineEvent) -> None:
        """Count a drop; a flood of them costs one line of log for each kind and half second."""
        if not isinstance(event, Dropped):
            return
        kind = (line, event.reason)
        if kind not in self._drops and len(self._drops) >= DROP_KINDS_MAX:
            kind = ("", "many")
        self._drops[kind] = self._drops.get(kind, 0) + 1


def _signed(
    registered: RegisteredTerminal, telegram: Report | Deleted, ref: RequestRef
) -> i.Reported | i.Deleted:
    """Check a terminal's signature with its registered keys (never with one from the telegram).

    Any of them will do: a report of before the terminal got a new key may come after it.
    """
    statement = telegram.report.statement(registered.terminal)
    good = any(
        signature_holds(report_key, telegram.signature, statement)
        for report_key in registered.report_keys
    )
    if isinstance(telegram, Report):
        return i.Reported(
            terminal=registered.terminal,
            ref=ref,
            report=telegram.report,
            signature=telegram.signature,
            signature_good=good,
        )
    return i.Deleted(
        terminal=registered.terminal,
        ref=ref,
        report=telegram.report,
        signature=telegram.signature,
        signature_good=good,
    )
