"""A terminal's end of a line in the hand of a test: over the broker, to the whole city."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, TypeVar

from keys.cards import CardFile
from keys.pin_sealing import PinSealer
from protocol import codec
from protocol import telegrams as t
from protocol.handshake_port import HandshakePort, Role
from protocol.kinds import Kind, Options
from protocol.line import Dropped, LineEvent, TelegramReceived
from protocol.secret import Secret
from protocol.statements import pin_block_info
from protocol.terminal_statements import DeletionReport, FailureCause, PrintOutcome, PrintReport
from protocol.topics import line_topic
from tests.core.made import START_REAL_MS, opening
from tests.hostile.broker import Carrier, Passing
from tests.hostile.founding import CITY, LINE_IDS, PIN
from tests.hostile.town import Town

WAIT_MS = 3_000
"""How long nothing may be said before the answer is silence."""
_T = TypeVar("_T")


class Silence(AssertionError):
    """There was no answer."""


@dataclass
class Hand:
    """One terminal.

    Attributes:
        town: where it stands.
        name: which terminal it is.
        handshakes: its end of handshakes, if it is not its usual one.
        events: what its line gave so far.
    """

    town: Town
    name: str
    handshakes: HandshakePort | None = None
    events: list[LineEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line_id = LINE_IDS[self.name]
        self.up = line_topic(CITY, self.line_id, "up")
        self.down = line_topic(CITY, self.line_id, "down")
        self._own = self.town.keys.terminals[self.name]
        self._carrier = Carrier(self.town.broker, self.down)
        self._reading = asyncio.create_task(self._read())
        self._heard = asyncio.Event()
        self.line = self.town.recorder.line_class()(
            role=Role.TERMINAL,
            city=CITY,
            terminal=self.name,
            line_id=self.line_id,
            handshakes=self.handshakes or self.town.keys.terminal_port(self.name),
        )

    async def shake_hands(self) -> bool:
        """Carry a handshake through; tell whether the line has keys at this end."""
        self.line.start_handshake(self.town.dice.randbytes(16), self.town.loop.now_ms)
        self._send()
        await self.quiet()
        return self.line.ready

    async def open(self) -> "Hand":
        """Open the line, as a terminal that owes nothing."""
        assert await self.shake_hands()
        await self.ask(opening(terminal=self.name), t.Opened)
        return self

    def tell(self, telegram: t.AnyTelegram) -> t.RequestRef:
        """Send a copy of a request and return its name."""
        plaintext = codec.encode(telegram)
        generation, counter = self.line.send(plaintext)
        self._send()
        return t.RequestRef(generation, counter, codec.digest(plaintext))

    def sealed(self, telegram: t.AnyTelegram) -> bytes:
        """Return the sealed message of a telegram instead of sending it."""
        self.line.send(codec.encode(telegram))
        (message,) = self.line.messages_to_send()
        return message

    def put(self, message: bytes) -> None:
        """Let the broker put a message on this line's topic, whatever it is."""
        self.town.broker.put_in(Passing(topic=self.up, message=message))

    async def ask(self, telegram: t.AnyTelegram, kind: type[_T]) -> _T:
        """Send a request, and return the answer to this very copy, which must be of this kind."""
        named = self.tell(telegram)
        while True:
            for event in self.events:
                if isinstance(event, TelegramReceived) and event.telegram.in_reply_to == named:
                    assert isinstance(event.telegram, kind), event.telegram
                    return event.telegram
            await self._hear()

    async def refused(self, telegram: t.AnyTelegram) -> str:
        """Ask, and return the name of the code of the refusal that must come."""
        return (await self.ask(telegram, t.Refused)).code.name

    async def begin(self, visit_id: bytes, attempt: int = 1) -> bytes:
        """Begin an attempt and return its challenge."""
        asked = t.Begin(visit_id=visit_id, attempt=attempt)
        return (await self.ask(asked, t.ChallengeGiven)).challenge

    def attempt(self, visit_id: bytes, challenge: bytes, **changes: Any) -> t.Authenticate:
        """Return what card and keypad make of a challenge.

        Args:
            visit_id: the visit.
            challenge: its challenge.
            changes: ``card`` (another), ``number`` (of the card, as it is told), ``pin``,
                ``attempt``.
        """
        card: CardFile = changes.get("card", self.town.keys.card)
        bound: dict[str, Any] = {
            "challenge": challenge,
            "visit_id": visit_id,
            "attempt": changes.get("attempt", 1),
            "terminal": self.name,
            "city": CITY,
        }
        number: bytes = changes.get("number", card.number)
        block = PinSealer(self._own.trust.pin_sealing_key).seal(
            Secret(changes.get("pin", PIN)), pin_block_info(**bound, card=number)
        )
        return t.Authenticate(
            visit_id=visit_id,
            attempt=bound["attempt"],
            card=number,
            card_signature=card.sign(**bound),
            pin_block=block,
        )

    async def authenticate(self, visit_id: bytes) -> t.Menu:
        """Come to the menu."""
        return await self.ask(self.attempt(visit_id, await self.begin(visit_id)), t.Menu)

    async def quotation(self, visit_id: bytes, issuance_id: bytes) -> t.Quotation:
        """Apply, and have a quotation."""
        return await self.ask(applying(visit_id, issuance_id), t.Quotation)

    async def sealed_certificate(self, visit_id: bytes, issuance_id: bytes) -> t.Quotation:
        """Come to where the city waits for the money."""
        await self.authenticate(visit_id)
        quoted = await self.quotation(visit_id, issuance_id)
        held = t.Held(issuance_id=issuance_id, sealed_digest=quoted.sealed_digest)
        assert "sealed" == (await self.ask(held, t.Acknowledged)).state
        return quoted

    def report(self, issuance_id: bytes) -> t.Report:
        """Return this terminal's signed word that one sheet is out."""
        report = PrintReport(
            issuance_id=issuance_id,
            outcome=PrintOutcome.PRINTED,
            sheets_out=1,
            sheets_unknown=False,
            cause=FailureCause.NONE,
            at_ms=START_REAL_MS,
        )
        signature = self._own.report_key.sign(report.statement(self.name))
        return t.Report(report=report, signature=signature)

    def deletion(self, issuance_id: bytes) -> t.Deleted:
        """Return this terminal's signed word that all is erased."""
        report = DeletionReport(issuance_id=issuance_id, at_ms=START_REAL_MS)
        signature = self._own.report_key.sign(report.statement(self.name))
        return t.Deleted(report=report, signature=signature)

    async def quiet(self) -> None:
        """Wait until nothing has come for a while."""
        try:
            while True:
                await self._hear()
        except Silence:
            pass

    @property
    def dropped(self) -> list[str]:
        """Why this end dropped what."""
        return [event.reason for event in self.events if isinstance(event, Dropped)]

    def _send(self) -> None:
        for message in self.line.messages_to_send():
            self.town.broker.publish(self.up, message)

    async def _hear(self) -> None:
        self._heard.clear()
        try:
            async with asyncio.timeout(WAIT_MS / 1_000):
                await self._heard.wait()
        except TimeoutError:
            raise Silence from None

    async def _read(self) -> None:
        async for _, message in self._carrier.incoming:
            self.events += self.line.receive(message, self.town.loop.now_ms)
            self._send()
            self._heard.set()


def applying(visit_id: bytes, issuance_id: bytes, *, copies: int = 1) -> t.Apply:
    """Return an application for the holder alone."""
    return t.Apply(
        visit_id=visit_id,
        issuance_id=issuance_id,
        kind=Kind.JUMINHYO,
        options=Options(),
        copies=copies,
    )
