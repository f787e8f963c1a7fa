"""Stops issuing in the whole city, lets two operators reopen it, and waits for evidence.

The design (§2, binding) asks for the stop when the server's own gate fails or when two terminals
report within ten minutes that a page is not the page that was signed.
"""

from issuance_server.core import records as r
from issuance_server.core.facts import Now
from issuance_server.core.issuing_changes import (
    DeclareManifest,
    IssuingChange,
    ReopenIssuing,
    StopIssuing,
)
from issuance_server.core.outcome import Outcome
from issuance_server.core.state import SwitchState
from protocol import telegrams as t
from protocol.codes import ReplyCode

MISMATCH_WINDOW_MS = 10 * 60 * 1_000
MISMATCH_TERMINALS_MIN = 2
"""So many terminals that report a mismatch within the window stop the city (design §2)."""

_ISSUES = (t.Begin, t.Apply, t.Fetch, t.Held, t.Release)


def is_of_issuing(telegram: object) -> bool:
    """Tell whether a request brings something nearer to paper; the others settle or end."""
    return isinstance(telegram, _ISSUES)


def acceptance_refusal(state: SwitchState) -> ReplyCode | None:
    """Return why nothing new is taken although what is under way goes on, or None."""
    if state.draining:
        return ReplyCode.DRAINING
    return ReplyCode.ISSUING_STOPPED if state.evidence_lost else None


class IssuingDesk:
    """The part of the switch for what concerns all issuing at once."""

    def __init__(self, state: SwitchState) -> None:
        self._state = state

    def gate_failed(
        self, issuance_id: bytes, terminal: str, fault: str, now: Now, out: Outcome
    ) -> None:
        """The city's own gate found another document than was ordered: a wrong paper was near."""
        issuance = issuance_id.hex()
        out.log("integrity.alarm", terminal=terminal, issuance=issuance, reason=fault)
        self._stop(
            r.IssuingStopped(
                at_ms=now.real_ms,
                reason=r.StopReason.SERVER_GATE,
                fault=fault,
                issuance_id=issuance_id,
            ),
            out,
        )

    def mismatch_reported(
        self, issuance_id: bytes, terminal: str, elsewhere: tuple[str, ...], now: Now, out: Outcome
    ) -> None:
        """A terminal reports a mismatch; the second one within the window stops the city.

        Args:
            issuance_id: the issuance that it is about.
            terminal: who reports it; its own line is stopped already.
            elsewhere: the other terminals that reported one within the window.
            now: the time.
            out: takes what is to be done.
        """
        terminals = tuple(sorted({terminal, *elsewhere}))
        if len(terminals) < MISMATCH_TERMINALS_MIN:
            return
        self._stop(
            r.IssuingStopped(
                at_ms=now.real_ms,
                reason=r.StopReason.MISMATCH_REPORTS,
                fault="binding-mismatch",
                terminals=terminals,
                issuance_id=issuance_id,
            ),
            out,
        )

    def decide(
        self,
        change: IssuingChange,
        operators: tuple[str, str],
        reason: str,
        now: Now,
        out: Outcome,
    ) -> str | None:
        """Do what operators want, or return why it is refused."""
        match change:
            case StopIssuing():
                return self._stop_by_hand(operators[0], reason, now, out)
            case ReopenIssuing():
                return self._reopen(operators, now, out)
            case DeclareManifest(items=items):
                out.write(
                    r.ManifestDeclared(at_ms=now.real_ms, items=dict(items), operators=operators)
                )
                out.log("manifest.declared", operator=operators[0], second=operators[1])
                return None

    def evidence_lost(self, evidence: r.Evidence, lost_ms: int, now: Now, out: Outcome) -> None:
        """Evidence could not be kept for longer than its bound: nothing new is taken."""
        if evidence in self._state.evidence_lost:
            return
        out.write(r.EvidenceLost(at_ms=now.real_ms, evidence=evidence, lost_ms=lost_ms))
        under_way = len(self._state.issuances)
        out.log("evidence.lost", reason=evidence.value, lost_ms=lost_ms, open_issuances=under_way)

    def evidence_kept(self, evidence: r.Evidence, lost_ms: int, now: Now, out: Outcome) -> None:
        """It can be kept again."""
        if evidence not in self._state.evidence_lost:
            return
        out.write(r.EvidenceKept(at_ms=now.real_ms, evidence=evidence, lost_ms=lost_ms))
        out.log("evidence.kept", reason=evidence.value, lost_ms=lost_ms)

    def _stop(self, stopped: r.IssuingStopped, out: Outcome) -> None:
        """Stop once; the first reason stays until two operators have looked into it."""
        if self._state.issuing_stopped:
            return
        out.write(stopped)
        out.log(
            "issuing.stopped",
            reason=stopped.reason.value,
            fault=stopped.fault,
            terminals=" ".join(stopped.terminals),
            issuance="" if stopped.issuance_id is None else stopped.issuance_id.hex(),
        )

    def _stop_by_hand(self, operator: str, reason: str, now: Now, out: Outcome) -> str | None:
        if self._state.issuing_stopped:
            return "issuing is stopped already; see: status"
        stopped = r.IssuingStopped(
            at_ms=now.real_ms, reason=r.StopReason.OPERATOR, fault=reason, operator=operator
        )
        self._stop(stopped, out)
        return None

    def _reopen(self, operators: tuple[str, str], now: Now, out: Outcome) -> str | None:
        if not self._state.issuing_stopped:
            return "issuing is not stopped; see: status"
        out.write(r.IssuingReopened(at_ms=now.real_ms, operators=operators))
        out.log("issuing.reopened", operator=operators[0], second=operators[1])
        return None
