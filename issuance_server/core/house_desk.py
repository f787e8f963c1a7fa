"""Records what people and the PIN judge do, and takes a terminal off business that is revoked."""

import hashlib
from collections.abc import Callable

from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.card_desk import change_card
from issuance_server.core.card_registration import BegunRegistration, CardChange
from issuance_server.core.copy_changes import NewExtract, StandIn, StandInOver
from issuance_server.core.day_changes import (
    CarryOver,
    CloseDay,
    CloseIssuance,
    ReopenLine,
    SettleDifference,
)
from issuance_server.core.day_desk import DayDesk
from issuance_server.core.day_facts import DayFacts
from issuance_server.core.domicile_changes import Approval, Match, Rejection
from issuance_server.core.domicile_desk import change_request
from issuance_server.core.facts import Facts, Now
from issuance_server.core.issuing_changes import DeclareManifest, ReopenIssuing, StopIssuing
from issuance_server.core.issuing_desk import IssuingDesk
from issuance_server.core.notice_changes import Subscribing, Unsubscribing
from issuance_server.core.notices import change_subscription
from issuance_server.core.outcome import Outcome
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName
from issuance_server.core.register_desk import change_copy
from issuance_server.core.register_feed import Gap, Placed
from issuance_server.core.settlement_desk import settle
from issuance_server.core.state import SwitchState
from issuance_server.core.suppression import LiftedSuppression, NewSuppression
from issuance_server.core.suppression_desk import lift_suppression, set_suppression
from protocol.issuance import OWED_STATES


class HouseDesk:
    """The part of the switch for what no terminal asks for: acts of operators, the judge's word."""

    def __init__(
        self,
        state: SwitchState,
        issuing: IssuingDesk,
        withdraw_all: Callable[[str, Now, Outcome], int],
    ) -> None:
        """Take the shared state.

        Args:
            state: of the switch.
            issuing: stops issuing in the whole city, and reopens it.
            withdraw_all: ends the visits of a terminal and withdraws its issuances before release;
                returns how many these were.
        """
        self._state = state
        self._issuing = issuing
        self._withdraw_all = withdraw_all
        self._days = DayDesk(state)

    def accepted(self, act: i.ActAccepted, facts: Facts, now: Now, out: Outcome) -> None:
        """Record an act; what it changes here is done, or refused, in the same transaction."""
        out.write(
            r.OperatorActed(
                at_ms=now.real_ms,
                operator=act.operator,
                second=act.second,
                act=act.act,
                subject=act.subject,
                reason=act.reason,
                nonce=act.nonce,
            )
        )
        if act.change is None:
            return
        refusal = self._change(act, act.change, facts, now, out)
        outcome = r.ActOutcome.DONE if refusal is None else r.ActOutcome.REFUSED
        self.ended(i.ActEnded(nonce=act.nonce, outcome=outcome, reason=refusal), now, out)

    def _change(
        self, act: i.ActAccepted, change: i.Change, facts: Facts, now: Now, out: Outcome
    ) -> str | None:
        """Do what an act wants; return why it is refused, if it is."""
        match change:
            case i.Registration():
                self._register(act, change, now, out)
            case i.RenewedCertificate():
                self._renew(act, change, now, out)
            case i.Revocation(terminal=terminal):
                self._revoke(act, terminal, now, out)
            case NewSuppression():
                set_suppression(change, act.operator, now, out)
            case LiftedSuppression():
                lift_suppression(change, act.operator, now, out)
            case i.NewTables(content=content):
                _load_tables(act, content, now, out)
            case BegunRegistration() | CardChange():
                change_card(change, now, out)
            case Match() | Approval() | Rejection():
                change_request(change, act.operator, now, out)
            case Subscribing() | Unsubscribing():
                change_subscription(change, act.operator, now, out)
            case NewExtract() | Placed() | Gap() | StandIn() | StandInOver():
                change_copy(change, act.operator, now, out)
                return "changes are missing" if isinstance(change, Gap) else None
            case CloseDay() | CarryOver() | SettleDifference():
                day = facts.day or DayFacts(day=change.day)
                return self._days.decide(change, _operators(act), day, now, out)
            case StopIssuing() | ReopenIssuing() | DeclareManifest():
                return self._issuing.decide(change, _operators(act), act.reason, now, out)
            case CloseIssuance() | ReopenLine():
                return settle(self._state, change, _operators(act), act.reason, now, out)
        return None

    def ended(self, ended: i.ActEnded, now: Now, out: Outcome) -> None:
        """Record what came of an act."""
        out.write(
            r.OperatorActEnded(
                at_ms=now.real_ms, nonce=ended.nonce, outcome=ended.outcome, reason=ended.reason
            )
        )
        if ended.change is not None:
            change_card(ended.change, now, out)

    def judge_said(self, said: i.JudgeSaid, now: Now, out: Outcome) -> None:
        """Record each of the judge's events once, and log what people must hear of.

        An event is known if neither its number nor its time lies after the last one's. A judge with
        a new store counts from one again, but not from the same time.
        """
        for event in said.events:
            number, at_ms = self._state.judge_report
            if event.number > number or event.at_ms > at_ms:
                _record(event, now, out)

    def _register(self, act: i.ActAccepted, asked: i.Registration, now: Now, out: Outcome) -> None:
        new = asked.certificate
        out.write(
            r.TerminalRegistered(
                at_ms=now.real_ms,
                terminal=new.terminal,
                line_id=new.line_id,
                fingerprint=new.fingerprint,
                report_public_key=new.report_public_key,
                until_ms=new.until_ms,
                chain=asked.chain,
                store=asked.store,
                in_city=asked.in_city,
                terminal_class=asked.terminal_class,
            )
        )
        out.log("terminal.registered", **_names(act, new))

    def _renew(
        self, act: i.ActAccepted, asked: i.RenewedCertificate, now: Now, out: Outcome
    ) -> None:
        new = asked.certificate
        out.write(
            r.TerminalRenewed(
                at_ms=now.real_ms,
                terminal=new.terminal,
                fingerprint=new.fingerprint,
                report_public_key=new.report_public_key,
                until_ms=new.until_ms,
                others_until_ms=now.real_ms + asked.overlap_ms,
            )
        )
        out.log("terminal.renewed", **_names(act, new), overlap_ms=asked.overlap_ms)

    def _revoke(self, act: i.ActAccepted, terminal: str, now: Now, out: Outcome) -> None:
        """Take a terminal off the list; nothing of it that was not released ever will be.

        What was released stays owed: its report can no longer come, so the deadline finds it
        unconfirmed.
        """
        out.write(r.TerminalRevoked(at_ms=now.real_ms, terminal=terminal))
        withdrawn = self._withdraw_all(terminal, now, out)
        owed = sum(1 for one in self._state.of_terminal(terminal) if one.state in OWED_STATES)
        out.log(
            "terminal.revoked",
            terminal=terminal,
            operator=act.operator,
            reason=act.reason,
            withdrawn=withdrawn,
            owed=owed,
        )


def _operators(act: i.ActAccepted) -> tuple[str, str]:
    """Return who wants it; the second is empty where it takes one."""
    return act.operator, act.second or ""


def _load_tables(act: i.ActAccepted, content: bytes, now: Now, out: Outcome) -> None:
    """Put other tables into force at once; what is under way keeps its quotation."""
    digest = hashlib.sha256(content).digest()
    out.write(
        r.TablesLoaded(at_ms=now.real_ms, digest=digest, content=content, operator=act.operator)
    )
    out.log("tables.loaded", digest=digest.hex(), operator=act.operator, reason=act.reason)


def _record(event: JudgeEvent, now: Now, out: Outcome) -> None:
    out.write(
        r.JudgeReported(
            at_ms=now.real_ms,
            number=event.number,
            reported_at_ms=event.at_ms,
            event=event.name,
            card_ref=event.card_ref,
            terminal=event.terminal,
            tries_left=event.tries_left,
            operator=event.operator,
        )
    )
    match event.name:  # what operators did was logged when they did it
        case JudgeEventName.TRY_BURNED:
            out.log("card.try_burned", card_ref=event.card_ref, tries_left=event.tries_left)
        case JudgeEventName.CARD_LOCKED:
            out.log("card.locked", card_ref=event.card_ref, terminal=event.terminal)
        case JudgeEventName.TERMINAL_FROZEN:
            out.log("terminal.frozen", terminal=event.terminal, reason="wrong-pins")


def _names(act: i.ActAccepted, new: i.NewCertificate) -> dict[str, object]:
    return {
        "terminal": new.terminal,
        "line": new.line_id.hex(),
        "fingerprint": new.fingerprint.hex(),
        "operator": act.operator,
        "reason": act.reason,
    }
