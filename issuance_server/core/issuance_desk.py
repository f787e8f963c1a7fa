"""Conducts issuances up to the release: application, quotation, fetching, the last check."""

from issuance_server.core import records as r
from issuance_server.core.applications import BEFORE_RELEASE, Applications, visit_refusal
from issuance_server.core.availability import expiry_code
from issuance_server.core.effects import (
    DropKey,
    EraseBody,
    KeepKey,
    Render,
    ReplyPiece,
    ReplyReleased,
)
from issuance_server.core.eligibility import release_refusal
from issuance_server.core.facts import EndedIssuance, Facts, Now
from issuance_server.core.inputs import GateFailed, Rendered, RenderingFailed
from issuance_server.core.outcome import Outcome
from issuance_server.core.refusals import AnyRefusal, code_of, of_registers, word_of
from issuance_server.core.rules import CityRules
from issuance_server.core.state import Issuance, SwitchState
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.limits import QUOTATION_MS_MAX, REPORT_MS_MAX
from protocol.sealed_certificate import pieces_of
from protocol.telegrams import Apply, Cancel, Fetch, Held, Quotation, Release, RequestRef

S = IssuanceState


class IssuanceDesk:
    """The part of the switch that conducts issuances (発行) before anything is handed out."""

    def __init__(self, state: SwitchState, rules: CityRules) -> None:
        self._state = state
        self._rules = rules
        self._applications = Applications(state, rules)
        # Whom to answer when the rendering is done; gone after a restart, and so is the rendering.
        self._waiting: dict[bytes, RequestRef] = {}

    def apply(
        self, terminal: str, ref: RequestRef, asked: Apply, facts: Facts, now: Now, out: Outcome
    ) -> None:
        """申請: open an issuance, reserve its numbers and have it rendered."""
        known = self._state.issuances.get(asked.issuance_id)
        if known is not None or facts.ended is not None:
            self._apply_again(terminal, ref, known, facts.ended, now, out)
            return
        visit = self._state.visits.get(asked.visit_id)
        refusal = visit_refusal(self._state, terminal, asked, visit)
        if visit is None or refusal is not None:
            out.refuse(terminal, ref, refusal or ReplyCode.ENDED)
            return
        applied = self._applications.decide(ref, asked, visit, facts, now)
        if not isinstance(applied, r.IssuanceApplied):
            out.write(
                r.ApplicationRefused(
                    at_ms=now.real_ms,
                    issuance_id=asked.issuance_id,
                    visit_id=asked.visit_id,
                    kind=asked.kind,
                    code=code_of(applied),
                    refusal=of_registers(applied),
                )
            )
            self._log_refusal(terminal, asked, applied, out)
            out.refuse(terminal, ref, code_of(applied))
            return
        out.write(applied)
        out.log(
            "issuance.applied",
            issuance=asked.issuance_id.hex(),
            visit=asked.visit_id.hex(),
            terminal=terminal,
            card_ref=applied.card_ref,
            kind=asked.kind.value,
            copies=asked.copies,
        )
        self._waiting[asked.issuance_id] = ref
        out.add(Render(issuance_id=asked.issuance_id))

    def rendered(self, made: Rendered, now: Now, out: Outcome) -> None:
        """The certificate is made and sealed: quote it, unless the register moved meanwhile."""
        issuance = self._state.issuances.get(made.issuance_id)
        if issuance is None or issuance.state is not S.APPLIED:
            out.add(EraseBody(issuance_id=made.issuance_id))
            return
        ref = self._waiting.pop(made.issuance_id, None)
        applied = issuance.applied
        read = (made.register_version, made.record_version)
        if read != (applied.register_version, applied.record_version):
            self.withdraw(issuance, ReplyCode.DATA_CHANGED, now, out, ref=ref)
            return
        out.add(
            KeepKey(
                issuance_id=made.issuance_id,
                key_day=made.key_day,
                wrapped_key=made.wrapped_key,
            )
        )
        quoted = r.IssuanceQuoted(
            at_ms=now.real_ms,
            issuance_id=made.issuance_id,
            sheets=made.sheets,
            file_digest=made.file_digest,
            pages=made.pages,
            sealed_bytes=made.sealed_bytes,
            sealed_digest=made.sealed_digest,
            deadline_ms=_quotation_until_ms(issuance.applied, now),
        )
        out.write(quoted)
        out.log(
            "issuance.quoted",
            issuance=made.issuance_id.hex(),
            terminal=issuance.terminal,
            sheets=made.sheets,
            fee_yen=issuance.applied.fee_yen,
        )
        out.reply(issuance.terminal, ref, _quotation(issuance.applied, quoted, now))

    def rendering_failed(self, failed: RenderingFailed, now: Now, out: Outcome) -> None:
        """No certificate could be made: withdraw, and say whether it lies in the record."""
        issuance = self._state.issuances.get(failed.issuance_id)
        if issuance is None or issuance.state is not S.APPLIED:
            return
        ref = self._waiting.pop(failed.issuance_id, None)
        self.withdraw(issuance, failed.code, now, out, ref=ref, reason=failed.reason)

    def gate_failed(self, failed: GateFailed, now: Now, out: Outcome) -> None:
        """Another document than was ordered came back: this issuance ends, as all issuing does."""
        issuance = self._state.issuances.get(failed.issuance_id)
        if issuance is not None and issuance.state is S.APPLIED:
            code = ReplyCode.ISSUING_STOPPED
            self.withdraw(issuance, code, now, out, reason=failed.fault)

    def fetch(
        self, terminal: str, ref: RequestRef, asked: Fetch, facts: Facts, out: Outcome
    ) -> None:
        """取得: a piece of the sealed certificate."""
        issuance = self.find(terminal, ref, asked.issuance_id, facts, out)
        if issuance is None:
            return
        if issuance.state is not S.QUOTED:
            out.refuse(terminal, ref, ReplyCode.OUT_OF_ORDER)
            return
        out.add(
            ReplyPiece(terminal=terminal, ref=ref, issuance_id=asked.issuance_id, piece=asked.piece)
        )

    def held(
        self, terminal: str, ref: RequestRef, asked: Held, facts: Facts, now: Now, out: Outcome
    ) -> None:
        """受領: the terminal holds the whole; the body leaves the server's memory."""
        issuance = self.find(terminal, ref, asked.issuance_id, facts, out)
        if issuance is None or issuance.quoted is None:
            if issuance is not None:
                out.refuse(terminal, ref, ReplyCode.OUT_OF_ORDER)
            return
        if asked.sealed_digest != issuance.quoted.sealed_digest:
            out.refuse(terminal, ref, ReplyCode.KEY_REUSED)
            return
        if issuance.state is S.QUOTED:
            out.write(r.CiphertextHeld(at_ms=now.real_ms, issuance_id=asked.issuance_id))
            out.add(EraseBody(issuance_id=asked.issuance_id))
            issuance = self._state.issuances[asked.issuance_id]
        out.acknowledge(terminal, ref, issuance.state.value)

    def release(
        self, terminal: str, ref: RequestRef, asked: Release, facts: Facts, now: Now, out: Outcome
    ) -> None:
        """印刷許可: the last check, in the transaction that makes the numbers valid."""
        issuance = self.find(terminal, ref, asked.issuance_id, facts, out)
        if issuance is None:
            return
        if issuance.released is not None:
            self._release_again(issuance, ref, asked, out)
        elif issuance.state is not S.SEALED:
            out.refuse(terminal, ref, ReplyCode.OUT_OF_ORDER)
        elif asked.amount_yen != issuance.applied.fee_yen:
            out.refuse(terminal, ref, ReplyCode.AMOUNT_WRONG)
        else:
            refusal = self._release_refusal(issuance, facts, now)
            if refusal is not None:
                self.withdraw(issuance, refusal, now, out, ref=ref)
                return
            out.write(
                r.IssuanceReleased(
                    at_ms=now.real_ms,
                    issuance_id=asked.issuance_id,
                    amount_yen=asked.amount_yen,
                    deadline_ms=now.real_ms + REPORT_MS_MAX,
                    stand_in=facts.holder is not None and facts.holder.stand_in,
                )
            )
            out.log(
                "issuance.released",
                issuance=asked.issuance_id.hex(),
                terminal=terminal,
                fee_yen=asked.amount_yen,
            )
            out.add(ReplyReleased(terminal=terminal, ref=ref, issuance_id=asked.issuance_id))

    def cancel(
        self, terminal: str, ref: RequestRef, asked: Cancel, facts: Facts, now: Now, out: Outcome
    ) -> None:
        """取消: withdraw before the release; what has ended stays as it is."""
        if facts.ended is not None and facts.ended.terminal == terminal:
            out.acknowledge(terminal, ref, facts.ended.state.value)
            return
        issuance = self.find(terminal, ref, asked.issuance_id, facts, out)
        if issuance is None:
            return
        if issuance.state not in BEFORE_RELEASE:
            out.refuse(terminal, ref, ReplyCode.OUT_OF_ORDER)
            return
        self.withdraw(issuance, ReplyCode.ENDED, now, out, reason=asked.cause.value)
        out.acknowledge(terminal, ref, S.WITHDRAWN.value)

    def withdraw(
        self,
        issuance: Issuance,
        refusal: AnyRefusal,
        now: Now,
        out: Outcome,
        *,
        ref: RequestRef | None = None,
        reason: str | None = None,
    ) -> None:
        """End an issuance of which nothing was released: body and key go, numbers stay void."""
        issuance_id = issuance.issuance_id
        waiting = self._waiting.pop(issuance_id, None)
        code = code_of(refusal)
        out.write(
            r.IssuanceWithdrawn(
                at_ms=now.real_ms,
                issuance_id=issuance_id,
                day=self._state.counting_day(now.business_ms),
                code=code,
                refusal=of_registers(refusal),
            )
        )
        out.add(EraseBody(issuance_id=issuance_id))
        if issuance.quoted is not None:
            out.add(DropKey(issuance_id=issuance_id))
        out.log(
            "issuance.withdrawn",
            issuance=issuance_id.hex(),
            terminal=issuance.terminal,
            reason=reason or word_of(refusal),
        )
        out.refuse(issuance.terminal, ref or waiting, code)

    def find(
        self,
        terminal: str,
        ref: RequestRef,
        issuance_id: bytes,
        facts: Facts,
        out: Outcome,
    ) -> Issuance | None:
        """Return the terminal's issuance, or refuse: another terminal's id is unknown to it."""
        issuance = self._state.issuances.get(issuance_id)
        if issuance is not None and issuance.terminal == terminal:
            return issuance
        ended = facts.ended
        mine = issuance is None and ended is not None and ended.terminal == terminal
        code = (ended.code or ReplyCode.ENDED) if mine and ended else ReplyCode.UNKNOWN
        out.refuse(terminal, ref, code)
        return None

    def _apply_again(
        self,
        terminal: str,
        ref: RequestRef,
        known: Issuance | None,
        ended: EndedIssuance | None,
        now: Now,
        out: Outcome,
    ) -> None:
        owner = known.terminal if known else ended.terminal if ended else ""
        if owner != terminal:
            out.refuse(terminal, ref, ReplyCode.UNKNOWN)
        elif known is None:
            out.refuse(terminal, ref, (ended and ended.code) or ReplyCode.ENDED)
        elif known.applied.request_digest != ref.digest:
            out.refuse(terminal, ref, ReplyCode.KEY_REUSED)
        elif known.state is S.APPLIED:
            self._waiting[known.issuance_id] = ref
        elif known.state is S.QUOTED and known.quoted is not None:
            out.reply(terminal, ref, _quotation(known.applied, known.quoted, now))
        else:
            out.refuse(terminal, ref, ReplyCode.OUT_OF_ORDER)

    def _release_refusal(self, issuance: Issuance, facts: Facts, now: Now) -> AnyRefusal | None:
        if now.real_ms >= issuance.deadline_ms:
            return expiry_code(issuance.applied, now)
        if facts.card is None:
            return ReplyCode.CARD_NOT_ACCEPTED  # withdrawn since
        applied, holder = issuance.applied, facts.holder
        refusal = release_refusal(self._rules, applied.kind, holder, now)
        if refusal is not None or holder is None:
            return refusal
        as_of_now = (holder.register_version, holder.record_versions.get(applied.kind))
        changed = as_of_now != (applied.register_version, applied.record_version)
        return ReplyCode.DATA_CHANGED if changed else None

    def _release_again(
        self, issuance: Issuance, ref: RequestRef, asked: Release, out: Outcome
    ) -> None:
        """Rebuild the same answer while printing is still under way.

        Afterwards it is out of order (TP-047), and not *ended*: a terminal that hears so would take
        it for a decision that nothing was released (TP-112), and would owe no report.
        """
        terminal = issuance.terminal
        if issuance.state is not S.RELEASED or issuance.released is None:
            out.refuse(terminal, ref, ReplyCode.OUT_OF_ORDER)
        elif asked.amount_yen != issuance.released.amount_yen:
            out.refuse(terminal, ref, ReplyCode.KEY_REUSED)
        else:
            out.add(ReplyReleased(terminal=terminal, ref=ref, issuance_id=asked.issuance_id))

    def _log_refusal(self, terminal: str, asked: Apply, refusal: AnyRefusal, out: Outcome) -> None:
        out.log(
            "issuance.refused",
            issuance=asked.issuance_id.hex(),
            terminal=terminal,
            kind=asked.kind.value,
            reason=word_of(refusal),
        )


def _quotation_until_ms(applied: r.IssuanceApplied, now: Now) -> int:
    """A quotation holds for ten minutes, but not past closing and its grace."""
    until_ms = now.real_ms + QUOTATION_MS_MAX
    closing_ms = applied.release_until_ms
    return until_ms if closing_ms is None else min(until_ms, closing_ms)


def _quotation(applied: r.IssuanceApplied, quoted: r.IssuanceQuoted, now: Now) -> Quotation:
    return Quotation(
        issuance_id=applied.issuance_id,
        fee_yen=applied.fee_yen,
        sheets=quoted.sheets,
        sealed_bytes=quoted.sealed_bytes,
        sealed_digest=quoted.sealed_digest,
        pieces=pieces_of(quoted.sealed_bytes),
        valid_ms=max(0, quoted.deadline_ms - now.real_ms),
    )
