"""Lets effects leave: replies, the judge, the renderer, the log. Handles become content here.

Sealed certificates live here, in memory only, from rendering until the terminal holds them. Content
keys are made here, wrapped at once, and unwrapped again only while a release is being answered.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date

from issuance_server.certificates.gate import DEEP_LOOK_BYTES, Gate, gate_fault, looks_deep
from issuance_server.certificates.order import (
    SALT_BYTES,
    CertificateOrder,
    CertificateRefused,
    Issuer,
    RefusalReason,
)
from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core.calendar import civil
from issuance_server.core.facts import NO_HOUSEHOLD_VERSION
from issuance_server.core.register import Resident
from issuance_server.core.state import Issuance, SwitchState
from issuance_server.core.tax_register import latest_fiscal_year
from issuance_server.ports import Clock, Entropy, PinJudge, Renderer, Sign, Store
from issuance_server.runtime.attempts import attempt_of
from issuance_server.runtime.audit_signer import Say
from issuance_server.runtime.line_shell import LineShell
from keys.day_keys import DayKeys
from protocol import sealed_certificate
from protocol.binding import Binding
from protocol.codes import ReplyCode
from protocol.errors import AdapterError, KeyManagementError, Misuse
from protocol.issuance import IssuanceState
from protocol.kinds import MEMBERS_MAX, Scope
from protocol.limits import RENDER_MS_MAX
from protocol.telegrams import Member, Menu, PieceGiven, Refused, Released

CONTENT_KEY_BYTES = 32
RENDERINGS_AT_ONCE_MAX = 8
JUDGEMENTS_AT_ONCE_MAX = 64

_TOLD: dict[RefusalReason, ReplyCode] = {
    "kind-not-offered": ReplyCode.KIND_NOT_OFFERED,
    "options-not-offered": ReplyCode.OPTIONS_INVALID,
    "member-unknown": ReplyCode.NOT_ISSUED_HERE,
    "record-missing": ReplyCode.NOT_ISSUED_HERE,
    "record-closed": ReplyCode.REGISTER_CLOSED,
    "filing-in-progress": ReplyCode.FAMILY_REGISTER_HELD,
    "seal-abolished": ReplyCode.SEAL_ABOLISHED,
    "tax-not-filed": ReplyCode.TAX_NOT_FILED,
    "tax-year-not-offered": ReplyCode.TAX_RECORD_MISSING,
}
"""What the resident is told; all else is *cannot be printed*.

The registers' own reasons are found before anything is rendered; these are a second line.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityHand:
    """What the city signs and certifies with.

    Attributes:
        city: municipality code, 6 digits.
        issuer: who stands on the certificates.
        sign_binding: signs releases.
        tax_year_days: the days from which a year's tax records are the latest, if not 1 June.
        day_keys: wrap content keys.
    """

    city: str
    issuer: Issuer
    sign_binding: Sign
    day_keys: DayKeys
    tax_year_days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the performer reaches outside: the ports that it calls."""

    judge: PinJudge
    renderer: Renderer
    clock: Clock
    entropy: Entropy
    log: Callable[..., None]
    gate: Gate = gate_fault


class _GateFailure(AdapterError):
    """A worker returned another document than was ordered; ``fault`` says in which way."""

    def __init__(self, terminal: str, fault: str) -> None:
        super().__init__(fault)
        self.terminal = terminal
        self.fault = fault


class Performer:
    """Carries out what a step asked for, after its commit."""

    def __init__(
        self,
        *,
        state: SwitchState,
        store: Store,
        hand: CityHand,
        world: World,
        witnessed: Callable[[e.Reply, Say], Coroutine[None, None, None]],
    ) -> None:
        self._witnessed = witnessed
        self._state = state
        self._store = store
        self._hand = hand
        self._judge = world.judge
        self._renderer = world.renderer
        self._clock = world.clock
        self._entropy = world.entropy
        self._log = world.log
        self._gate = world.gate
        self._lines: LineShell | None = None
        self._submit: Callable[[i.Input], Coroutine[None, None, None]] | None = None
        self._destroy: Callable[[bytes], None] = lambda _issuance_id: None
        self._bodies: dict[bytes, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._renderings = asyncio.Semaphore(RENDERINGS_AT_ONCE_MAX)
        self._judgements = asyncio.Semaphore(JUDGEMENTS_AT_ONCE_MAX)

    def connect(
        self,
        *,
        lines: LineShell,
        submit: Callable[[i.Input], Coroutine[None, None, None]],
        destroy: Callable[[bytes], None],
    ) -> None:
        """Join the parts that need each other."""
        self._lines, self._submit, self._destroy = lines, submit, destroy

    def perform(self, effect: e.Effect) -> None:
        """Start an effect; what takes time goes on by itself and comes back as an input."""
        lines = self._shell
        match effect:
            case e.Reply(witnessed=None):
                lines.reply(effect.terminal, effect.ref, effect.telegram)
            case e.Reply():
                self._start(self._witnessed(effect, lines.reply))
            case e.ReplyMenu():
                self._start(self._reply_menu(effect))
            case e.ReplyPiece():
                self._reply_piece(effect)
            case e.ReplyReleased():
                self._start(self._reply_released(effect))
            case e.DrawChallenge():
                self._start(self._draw_challenge(effect))
            case e.JudgeAttempt():
                self._start(self._judge_attempt(effect))
            case e.Render():
                self._start(self._render(effect.issuance_id))
            case e.EraseBody(issuance_id=issuance_id):
                self._bodies.pop(issuance_id, None)
            case e.DropKey(issuance_id=issuance_id):
                self._destroy(issuance_id)
            case e.Log(event=event, fields=fields):
                self._log(event, **fields)
            case e.Write() | e.KeepKey():
                raise Misuse("this belongs into the transaction")

    async def stop(self) -> None:
        """Give up what is under way; the journal knows of it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _shell(self) -> LineShell:
        if self._lines is None:
            raise Misuse("the performer is not connected")
        return self._lines

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Let go of a task; one that failed in a way nobody foresaw ends the server."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.broken.done():
            self.broken.set_exception(error)

    async def _give(self, input_: i.Input) -> None:
        if self._submit is None:
            raise Misuse("the performer is not connected")
        await self._submit(input_)

    async def _draw_challenge(self, effect: e.DrawChallenge) -> None:
        try:
            challenge = await self._judge.challenge(
                effect.terminal, effect.visit_id, effect.attempt
            )
        except AdapterError:
            challenge = None
        await self._give(
            i.ChallengeDrawn(visit_id=effect.visit_id, attempt=effect.attempt, challenge=challenge)
        )

    async def _judge_attempt(self, effect: e.JudgeAttempt) -> None:
        asked = self._shell.take_attempt(effect.ref)
        verdict = None
        if asked is not None:
            attempt = attempt_of(effect, asked, self._hand.city)
            try:
                async with self._judgements:
                    verdict = await self._judge.judge(attempt)
            except AdapterError:
                verdict = None
        await self._give(
            i.VerdictGiven(visit_id=effect.visit_id, attempt=effect.attempt, verdict=verdict)
        )

    async def _reply_menu(self, effect: e.ReplyMenu) -> None:
        """Fill in the members' names, which no journal and no effect holds.

        Only where some of them can be chosen: otherwise nobody at the machine needs them.
        """
        if effect.register_version == NO_HOUSEHOLD_VERSION:
            self._shell.reply(effect.terminal, effect.ref, _menu(effect, ()))
            return
        found = await self._store.household_of(effect.resident_id)
        if found is None or found[1] != effect.register_version:
            self._shell.reply(effect.terminal, effect.ref, Refused(code=ReplyCode.DATA_CHANGED))
            return
        of_some = any(Scope.SOME in item.scopes for item in effect.items)
        here = [one for one in found[0].members if of_some and not one.standing.is_removed]
        members = here[:MEMBERS_MAX]
        self._shell.reply(effect.terminal, effect.ref, _menu(effect, members))

    def _reply_piece(self, effect: e.ReplyPiece) -> None:
        sealed = self._bodies.get(effect.issuance_id, b"")
        content = sealed_certificate.piece(sealed, effect.piece)
        if content:
            answer = PieceGiven(issuance_id=effect.issuance_id, piece=effect.piece, content=content)
            self._shell.reply(effect.terminal, effect.ref, answer)
        else:
            self._shell.reply(effect.terminal, effect.ref, Refused(code=ReplyCode.OUT_OF_ORDER))

    async def _reply_released(self, effect: e.ReplyReleased) -> None:
        """Rebuild key and binding, unless the issuance has moved on meanwhile, or has ended."""
        kept = await self._store.wrapped_key(effect.issuance_id)
        issuance = self._state.issuances.get(effect.issuance_id)
        if issuance is None or issuance.state is not IssuanceState.RELEASED or kept is None:
            code = ReplyCode.ENDED if issuance is None else ReplyCode.OUT_OF_ORDER
            self._shell.reply(effect.terminal, effect.ref, Refused(code=code))
            return
        binding = _binding(issuance)
        try:
            content_key = self._hand.day_keys.unwrap(*kept)
        except KeyManagementError:
            self._log(
                "integrity.alarm",
                terminal=issuance.terminal,
                issuance=effect.issuance_id.hex(),
                reason="day-key-missing",
            )
            self._shell.reply(effect.terminal, effect.ref, Refused(code=ReplyCode.SERVER_FAULT))
            return
        answer = Released(
            issuance_id=effect.issuance_id,
            content_key=content_key,
            binding=binding,
            binding_signature=self._hand.sign_binding(binding.statement()),
        )
        self._shell.reply(effect.terminal, effect.ref, answer)

    async def _render(self, issuance_id: bytes) -> None:
        try:
            async with self._renderings, asyncio.timeout(RENDER_MS_MAX / 1_000):
                issuance = self._state.issuances.get(issuance_id)
                if issuance is None or issuance.state is not IssuanceState.APPLIED:
                    return  # withdrawn while it waited for its turn
                made = await self._make(issuance)
        except CertificateRefused as refused:
            self._log_refusal(issuance_id, refused)
            code = _TOLD.get(refused.reason, ReplyCode.CANNOT_BE_PRINTED)
            await self._fail(issuance_id, refused.reason, code)
        except _GateFailure as failure:
            await self._give(
                i.GateFailed(
                    issuance_id=issuance_id, terminal=failure.terminal, fault=failure.fault
                )
            )
        except (AdapterError, KeyManagementError, TimeoutError):
            await self._fail(issuance_id, "renderer-out-of-reach")
        else:
            if made is None:
                await self._fail(issuance_id, "holder-unknown")
            else:
                await self._give(made)

    async def _fail(
        self, issuance_id: bytes, reason: str, code: ReplyCode = ReplyCode.RENDERING_FAILED
    ) -> None:
        await self._give(i.RenderingFailed(issuance_id=issuance_id, code=code, reason=reason))

    def _log_refusal(self, issuance_id: bytes, refused: CertificateRefused) -> None:
        issuance = self._state.issuances.get(issuance_id)
        if issuance is not None:  # otherwise it was withdrawn meanwhile
            self._log(
                "certificate.refused",
                issuance=issuance_id.hex(),
                terminal=issuance.terminal,
                kind=issuance.applied.kind.value,
                reason=refused.reason,
                item=refused.item,
            )

    async def _make(self, issuance: Issuance) -> i.Rendered | None:
        """Render from one consistent read of the registers, and seal once under a new key."""
        applied = issuance.applied
        elsewhere = applied.register_version == NO_HOUSEHOLD_VERSION
        read = self._store.source_by_domicile if elsewhere else self._store.source_of
        source = await read(applied.resident_id, applied.kind)
        if source is None:
            return None
        issued_on = civil(applied.business_ms).date()
        order = CertificateOrder(
            issuance_id=applied.issuance_id,
            kind=applied.kind,
            options=applied.options,
            holder_id=applied.resident_id,
            household=source.household,
            numbers=applied.numbers,
            issued_on=issued_on,
            issuer=self._hand.issuer,
            record=source.record,
            tax_year=latest_fiscal_year(issued_on, self._hand.tax_year_days),
            salt=self._entropy.draw(SALT_BYTES).reveal(),
        )
        rendered = await self._renderer.render(order)
        deep = looks_deep(self._entropy.draw(DEEP_LOOK_BYTES).reveal())  # the worker is done
        fault = await asyncio.to_thread(self._gate, order, rendered, deep=deep)
        if fault is not None:
            raise _GateFailure(applied.terminal, fault)
        if not sealed_certificate.fits(rendered.pdf, rendered.sheets):
            raise CertificateRefused("too-many-sheets")
        content_key = self._entropy.draw(CONTENT_KEY_BYTES)
        sealed = sealed_certificate.seal(
            rendered.pdf,
            sheets=rendered.sheets,
            key=content_key,
            issuance_id=applied.issuance_id,
        )
        key_day = civil(self._clock.now().real_ms).date().isoformat()
        wrapped_key = self._hand.day_keys.wrap(key_day, content_key)
        self._bodies[applied.issuance_id] = sealed
        return i.Rendered(
            issuance_id=applied.issuance_id,
            register_version=source.register_version,
            record_version=source.record_version,
            sheets=rendered.sheets,
            file_digest=hashlib.sha256(rendered.pdf).digest(),
            pages=rendered.sheet_digests,
            sealed_bytes=len(sealed),
            sealed_digest=hashlib.sha256(sealed).digest(),
            key_day=key_day,
            wrapped_key=wrapped_key,
        )


def _menu(effect: e.ReplyMenu, members: Sequence[Resident]) -> Menu:
    told = (Member(number=number, name=one.name) for number, one in enumerate(members, start=1))
    return Menu(
        visit_id=effect.visit_id,
        items=effect.items,
        unavailable=effect.unavailable,
        members=tuple(told),
    )


def _binding(issuance: Issuance) -> Binding:
    applied, quoted = issuance.applied, issuance.quoted
    if quoted is None:
        raise Misuse("nothing is bound before the quotation")
    return Binding(
        issuance_id=applied.issuance_id,
        request_digest=applied.request_digest,
        holder=applied.card_ref,
        kind=applied.kind,
        options=applied.options,
        numbers=applied.numbers,
        file_digest=quoted.file_digest,
        pages=quoted.pages,
    )
