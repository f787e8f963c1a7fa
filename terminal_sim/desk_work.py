"""What the shell does for the core: completes questions, understands replies, drives devices.

Here, and only here, live the things that the core must not know: the card, the PIN, pieces of
ciphertext, the key on its way into the seal, and the document between seal and printer.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from keys.signing import SigningKey
from protocol import sealed_certificate
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import DomicileTold, RegisterDomicile
from protocol.errors import MalformedTelegram, Misuse, SealError
from protocol.limits import ID_BYTES
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.sheet_digest import digests_of_sheets
from protocol.telegrams import (
    Acknowledged,
    AnyTelegram,
    ChallengeGiven,
    Closed,
    Deleted,
    Member,
    Menu,
    Opened,
    PieceGiven,
    Quotation,
    Refused,
    Released,
    Report,
)
from protocol.terminal_statements import DeletionReport, PrintReport
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.requests import (
    Answer,
    Authentication,
    Document,
    DocumentFault,
    DomicileForm,
    KeyGiven,
    MenuGiven,
    PieceKept,
    Question,
    Request,
    Strange,
)
from terminal_sim.core.state import Money, TerminalState
from terminal_sim.customer import Customer, DomicileTyped
from terminal_sim.devices import CardReader, CoinBox, Printer
from terminal_sim.spool import Spool

_PASSED_ON = (DomicileTold, Opened, ChallengeGiven, Quotation, Acknowledged, Refused, Closed)


class DeskWork:
    """The devices and the memory of one machine.

    Attributes:
        on_members: takes the names of the holder's household; None where nobody chooses from them.
    """

    def __init__(
        self,
        *,
        terminal: str,
        report_key: SigningKey,
        spool: Spool,
        coin_box: CoinBox,
        card_reader: CardReader | None = None,
        printer: Printer | None = None,
    ) -> None:
        """Put the devices together.

        Args:
            terminal: the terminal's id.
            report_key: signs reports and deletion reports.
            spool: the ciphertexts.
            coin_box: the coins.
            card_reader: with a card in it; None where nothing but settling is done.
            printer: with a tray; None where nothing but settling is done.
        """
        self._terminal = terminal
        self._report_key = report_key
        self._spool = spool
        self._coin_box = coin_box
        self._card_reader = card_reader
        self._printer = printer
        self.on_members: Callable[[tuple[Member, ...]], None] | None = None
        self._pin: Secret | None = None
        self._typed: DomicileTyped | None = None
        self._quoted_sheets: dict[bytes, int] = {}
        self._pieces: dict[bytes, dict[int, bytes]] = {}
        self._documents: dict[bytes, bytes] = {}
        self._spooling = asyncio.Lock()  # in order: what is cancelled while it is stored goes

    def complete(self, question: Question) -> AnyTelegram:
        """Return the telegram of a question: signed, or with card and PIN, where it needs that."""
        match question:
            case PrintReport():
                signature = self._report_key.sign(question.statement(self._terminal))
                return Report(report=question, signature=signature)
            case DeletionReport():
                signature = self._report_key.sign(question.statement(self._terminal))
                return Deleted(report=question, signature=signature)
            case Authentication():
                pin, self._pin = self._pin, None
                if self._card_reader is None:
                    raise Misuse("no card to authenticate with")
                return self._card_reader.authenticate(question, pin)
            case DomicileForm():
                typed, self._typed = self._typed, None
                if typed is None:
                    raise Misuse("no form was filled in")
                return RegisterDomicile(
                    visit_id=question.visit_id,
                    request_id=question.request_id,
                    domicile=typed.domicile,
                    register_head=typed.register_head,
                    name=typed.name,
                    birth=typed.birth,
                    phone=typed.phone,
                )
            case _:
                return question

    async def understand(self, request: Request, reply: AnyTelegram) -> into.Input:
        """Return what a reply means to the core; key, names and bodies stay here."""
        answer: Answer
        match reply:
            case Menu():
                if self.on_members is not None:
                    self.on_members(reply.members)
                answer = MenuGiven(
                    visit_id=reply.visit_id, items=reply.items, unavailable=reply.unavailable
                )
            case PieceGiven():
                answer = self._keep_piece(request, reply)
            case Released():
                answer = await self._open(request, reply)
            case _ if isinstance(reply, _PASSED_ON):
                if isinstance(reply, Quotation):
                    self._quoted_sheets[request.subject] = reply.sheets
                # Which copy it answers was the line's business, and is the same for no two runs.
                answer = structs.replace(reply, in_reply_to=None)
            case _:
                answer = Strange()
        return into.Answered(request=request, answer=answer)

    async def attend(
        self,
        asked: out.AskForPin | out.ShowMenu | out.OfferDomicile | out.AskForMoney,
        customer: Customer,
    ) -> into.Input:
        """Let the person answer."""
        match asked:
            case out.AskForPin():
                return await self._take_pin(asked, customer)
            case out.ShowMenu():
                choice = await customer.choose(asked)
                if choice is None:
                    return into.CardTaken(visit_id=asked.visit_id)
                return into.CertificateChosen(
                    visit_id=asked.visit_id,
                    issuance_id=secrets.token_bytes(ID_BYTES),
                    kind=choice.kind,
                    options=choice.options,
                    copies=choice.copies,
                )
            case out.OfferDomicile():
                wish = await customer.ask_domicile(asked)
                if wish is None:
                    return into.CardTaken(visit_id=asked.visit_id)
                self._typed = wish.typed
                request_id = None if wish.typed is None else secrets.token_bytes(ID_BYTES)
                return into.DomicileWanted(visit_id=asked.visit_id, request_id=request_id)
            case out.AskForMoney():
                amount_yen = await customer.pay(asked)
                self._coin_box.insert(asked.issuance_id, amount_yen)
                return into.MoneyInserted(issuance_id=asked.issuance_id, amount_yen=amount_yen)

    async def _take_pin(self, asked: out.AskForPin, customer: Customer) -> into.Input:
        """Let the person type until there is a PIN to send, or the card has taken one as right.

        A card that judges its PIN says no by itself; the city hears nothing of that (TP-054).
        """
        while (pin := await customer.type_pin(asked)) is not None:
            reader = self._card_reader
            if reader is None or not reader.card_judges:
                self._pin = pin
                return into.PinEntered(visit_id=asked.visit_id)
            refusal = await asyncio.to_thread(reader.show_pin, pin)
            if refusal is None:
                return into.PinEntered(visit_id=asked.visit_id)
            if refusal.code is ReplyCode.CARD_LOCKED:
                return into.CardTaken(visit_id=asked.visit_id, refusal=refusal)
            asked = replace(asked, refusal=refusal)
        return into.CardTaken(visit_id=asked.visit_id, refusal=asked.refusal)

    async def do(self, effect: out.Leaving) -> into.Input | None:
        """Let a device act."""
        match effect:
            case out.HoldMoney():
                self._coin_box.hold(effect.issuance_id, effect.amount_yen)
            case out.EarnMoney():
                self._coin_box.earn(effect.issuance_id)
            case out.ReturnMoney():
                self._coin_box.give_back(effect.issuance_id)
            case out.StoreCiphertext():
                async with self._spooling:
                    return await asyncio.to_thread(self._store, effect)
            case out.MakeReady():
                return await asyncio.to_thread(self._make_ready, effect.issuance_id)
            case out.LaySheet():
                return await asyncio.to_thread(self._lay, effect)
            case out.EraseSpool():
                self._forget(effect.issuance_id)
                async with self._spooling:
                    await asyncio.to_thread(self._spool.erase, effect.issuance_id)
                return into.Erased(issuance_id=effect.issuance_id)
        return None

    async def clear(self, state: TerminalState) -> None:
        """Erase strays of the spool, and give back coins that no record speaks of.

        Called when the process before this one is decided over: no fee is held any more.
        """
        known = state.issuances.values()
        earned = frozenset(i.issuance_id for i in known if i.money is Money.EARNED)
        self._coin_box.give_back_others(earned)
        spooled = frozenset(i.issuance_id for i in known if i.erased_at_ms is None)
        await asyncio.to_thread(self._spool.erase_others, spooled)

    def let_go(self, state: TerminalState) -> None:
        """Forget documents whose issuance is over: a key that came too late opened one."""
        for issuance_id in list(self._documents):
            issuance = state.issuances.get(issuance_id)
            if issuance is None or issuance.over:
                self._forget(issuance_id)

    def _forget(self, issuance_id: bytes) -> None:
        self._pieces.pop(issuance_id, None)
        self._documents.pop(issuance_id, None)
        self._quoted_sheets.pop(issuance_id, None)

    def _keep_piece(self, request: Request, reply: PieceGiven) -> PieceKept:
        self._pieces.setdefault(request.subject, {})[reply.piece] = reply.content
        return PieceKept(
            issuance_id=reply.issuance_id, piece=reply.piece, piece_bytes=len(reply.content)
        )

    def _store(self, effect: out.StoreCiphertext) -> into.Input:
        issuance_id = effect.issuance_id
        pieces = self._pieces.pop(issuance_id, {})
        sealed = b"".join(pieces[number] for number in sorted(pieces))
        digest: bytes | None = hashlib.sha256(sealed).digest()
        if digest == effect.sealed_digest:
            try:
                self._spool.write(issuance_id, sealed)
            except OSError:
                digest = None
        return into.CiphertextStored(issuance_id=issuance_id, sealed_digest=digest)

    async def _open(self, request: Request, reply: Released) -> KeyGiven:
        found = await asyncio.to_thread(self._open_spooled, request.subject, reply.content_key)
        return KeyGiven(
            issuance_id=reply.issuance_id,
            binding=reply.binding,
            binding_signature=reply.binding_signature,
            document=found,
        )

    def _open_spooled(self, issuance_id: bytes, key: Secret) -> Document | DocumentFault:
        """Open the ciphertext; the key is used once and kept nowhere, the document in memory."""
        sheets = self._quoted_sheets.get(issuance_id, 0)
        try:
            sealed = self._spool.read(issuance_id)
            pdf = sealed_certificate.open_sealed(
                sealed, sheets=sheets, key=key, issuance_id=issuance_id
            )
            pages = page_digests(pdf)
        except OSError:
            return DocumentFault.SPOOL_LOST
        except SealError:
            return DocumentFault.SEAL
        except MalformedTelegram:
            return DocumentFault.NOT_A_DOCUMENT
        try:
            digests = digests_of_sheets(pages, sheets)
        except MalformedTelegram:
            return DocumentFault.OTHER_SHEETS
        self._documents[issuance_id] = pdf
        return Document(file_digest=hashlib.sha256(pdf).digest(), pages=digests)

    def _make_ready(self, issuance_id: bytes) -> into.Input:
        try:
            if self._printer is not None:
                self._printer.make_ready()
                return into.PrinterReady(issuance_id=issuance_id)
        except OSError:
            pass
        return into.PrinterFailed(issuance_id=issuance_id)

    def _lay(self, effect: out.LaySheet) -> into.Input:
        issuance_id, sheet = effect.issuance_id, effect.sheet
        pdf = self._documents.get(issuance_id)
        if self._printer is not None and pdf is not None:
            with contextlib.suppress(OSError):
                self._printer.lay(issuance_id, pdf, sheet=sheet, sheets=effect.sheets)
                return into.SheetOut(issuance_id=issuance_id, sheet=sheet)
        return into.PrinterFailed(issuance_id=issuance_id)
