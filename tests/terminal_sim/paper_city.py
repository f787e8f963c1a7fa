"""A scripted city behind a real line: real handshakes, real seals, real documents, in memory."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator

import pikepdf

from keys.city_keys import JudgeKeys, ServerKeys
from protocol import codec, sealed_certificate
from protocol.errors import AdapterError
from protocol.limits import PIECE_BYTES
from protocol.line import Line, TelegramReceived
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.statements import card_proof, pin_block_info, signature_holds
from protocol.telegrams import (
    AnyTelegram,
    Apply,
    Authenticate,
    Deleted,
    Fetch,
    Held,
    Member,
    Menu,
    Notice,
    NoticeKind,
    Open,
    PieceGiven,
    Quotation,
    Release,
    Released,
    Report,
    RequestRef,
)
from terminal_sim.core.requests import (
    Answer,
    Authentication,
    KeyGiven,
    MenuGiven,
    PieceKept,
    Question,
    Request,
    Step,
)
from tests.terminal_sim.city import City

BODY_CANARY = "CANARY-BODY"
TERMINAL = "7-0001"
PIN = "739105248617"
"""Long enough to be found nowhere by chance."""
NAME_CANARY = "カナリア　名前"
CONTENT_KEY = Secret(b"CANARY-KEY-CANARY-KEY-CANARY-KEY")

_STEPS: dict[type[AnyTelegram], Step] = {
    Open: Step.OPEN,
    Authenticate: Step.AUTHENTICATE,
    Apply: Step.APPLY,
    Fetch: Step.FETCH,
    Held: Step.HELD,
    Release: Step.RELEASE,
    Report: Step.REPORT,
    Deleted: Step.DELETED,
}


def document(sheets: int) -> bytes:
    """Return a certificate of so many pages."""
    with pikepdf.new() as pdf:
        for sheet in range(sheets):
            page = pdf.add_blank_page()
            page.obj.Contents = pdf.make_stream(f"% {BODY_CANARY} {sheet}".encode())
        made = io.BytesIO()
        pdf.save(made, static_id=True, compress_streams=False)
        return made.getvalue()


class PaperCity:
    """Answers on a line what ``City`` decides, and looks as closely as the real one.

    Attributes:
        city: decides.
        line: the server's end.
        pdf: what every certificate is, and what the city signs.
        inside: what lies in the seal instead, if it is not that.
        key: what is handed out.
        lost: how many of the next messages are lost.
        pins: what the PIN judge opened so far.
    """

    def __init__(
        self, *, server: ServerKeys, judge: JudgeKeys, card_key: bytes, line: Line
    ) -> None:
        self.city = City(right_pin=PIN)
        self.line = line
        self.pdf = document(self.city.sheets)
        self.inside: bytes | None = None
        self.key = CONTENT_KEY
        self.lost = 0
        self.pins: list[str] = []
        self.report_key = b""
        self._now_ms = 0
        self._server = server
        self._judge = judge
        self._card_key = card_key

    def receive(self, message: bytes) -> list[bytes]:
        """Take a message and return the messages that answer it."""
        self._now_ms += 1
        if self.lost:
            self.lost -= 1
            return []
        for event in self.line.receive(message, self._now_ms):
            if isinstance(event, TelegramReceived):
                reply = self._reply(event.telegram, event.ref)
                if reply is not None:
                    self.line.send(codec.encode(reply))
        return self.line.messages_to_send()

    def say(self, notice: NoticeKind) -> list[bytes]:
        """Return the messages of a notice."""
        self.line.send(codec.encode(Notice(notice=notice)))
        return self.line.messages_to_send()

    def _reply(self, telegram: AnyTelegram, ref: RequestRef) -> AnyTelegram | None:
        question, pin = self._question(telegram)
        subject = getattr(question, "issuance_id", getattr(question, "visit_id", b""))
        step = _STEPS.get(type(telegram), Step(type(telegram).__struct_config__.tag))
        answer = self.city.answer(Request(step, subject), question, pin)
        return None if answer is None else self._telegram(answer, ref)

    def _question(self, telegram: AnyTelegram) -> tuple[Question, str | None]:
        if isinstance(telegram, Authenticate):
            return self._opened(telegram)
        if isinstance(telegram, Report | Deleted):
            statement = telegram.report.statement(TERMINAL)
            assert signature_holds(self.report_key, telegram.signature, statement)
            return telegram.report, None
        return telegram, None  # type: ignore[return-value]  # a terminal sends nothing else

    def _opened(self, telegram: Authenticate) -> tuple[Authentication, str]:
        """Check the card's signature and open the PIN block, as the PIN judge does."""
        challenge = hashlib.sha256(telegram.visit_id).digest()
        bound = {
            "challenge": challenge,
            "visit_id": telegram.visit_id,
            "attempt": telegram.attempt,
            "terminal": TERMINAL,
            "city": self._server.city,
            "card": telegram.card,
        }
        assert signature_holds(self._card_key, telegram.card_signature, card_proof(**bound))
        pin = self._judge.pin_opener.open(telegram.pin_block, pin_block_info(**bound))
        self.pins.append(pin.reveal().decode())
        attempt = Authentication(
            visit_id=telegram.visit_id, attempt=telegram.attempt, challenge=challenge
        )
        return attempt, self.pins[-1]

    def _telegram(self, answer: Answer, ref: RequestRef) -> AnyTelegram:
        match answer:
            case MenuGiven():
                members = (Member(number=1, name=NAME_CANARY),)
                return Menu(
                    in_reply_to=ref,
                    visit_id=answer.visit_id,
                    items=answer.items,
                    members=members,
                )
            case Quotation():
                sealed = self._sealed(answer.issuance_id)
                fields = {name: getattr(answer, name) for name in answer.__struct_fields__}
                fields |= {"sealed_digest": hashlib.sha256(sealed).digest(), "in_reply_to": ref}
                return Quotation(**fields)
            case PieceKept():
                begin = answer.piece * PIECE_BYTES
                content = self._sealed(answer.issuance_id)[begin : begin + PIECE_BYTES]
                return PieceGiven(
                    in_reply_to=ref,
                    issuance_id=answer.issuance_id,
                    piece=answer.piece,
                    content=content,
                )
            case KeyGiven():
                return self._released(answer, ref)
            case _:
                fields = {name: getattr(answer, name) for name in answer.__struct_fields__}
                return type(answer)(**{**fields, "in_reply_to": ref})

    def _released(self, answer: KeyGiven, ref: RequestRef) -> Released:
        fields = {name: getattr(answer.binding, name) for name in answer.binding.__struct_fields__}
        fields |= {
            "file_digest": hashlib.sha256(self.pdf).digest(),
            "pages": page_digests(self.pdf),
        }
        binding = type(answer.binding)(**fields)
        return Released(
            in_reply_to=ref,
            issuance_id=answer.issuance_id,
            content_key=self.key,
            binding=binding,
            binding_signature=self._server.binding.sign(binding.statement()),
        )

    def _sealed(self, issuance_id: bytes) -> bytes:
        inside = self.pdf if self.inside is None else self.inside
        return sealed_certificate.seal(
            inside, sheets=self.city.sheets, key=CONTENT_KEY, issuance_id=issuance_id
        )


class Wire:
    """A carrier in memory: what the terminal publishes reaches the city at once."""

    def __init__(self, city: PaperCity) -> None:
        self.city = city
        self.connected = asyncio.Event()
        self.connected.set()
        self.published: list[bytes] = []
        self.broken = False
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self) -> None:
        """Stay connected."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Carry a message to the city, and its answers back."""
        assert topic.endswith("/up")
        self.published.append(payload)
        if self.broken:
            raise AdapterError("the broker is gone")
        for message in self.city.receive(payload):
            self._arrived.put_nowait(message)

    def deliver(self, messages: list[bytes]) -> None:
        """Carry what the city says unasked."""
        for message in messages:
            self._arrived.put_nowait(message)

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give what arrives."""
        while True:
            yield "down", await self._arrived.get()

    async def close(self) -> None:
        """Disconnect."""
