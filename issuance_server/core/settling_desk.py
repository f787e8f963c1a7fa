"""Sees issuances through after the release: paper, fee, deletion, and what is overdue."""

from issuance_server.core import records as r
from issuance_server.core.day_facts import MACHINE_FAULTS, PrintFacts
from issuance_server.core.effects import DropKey
from issuance_server.core.facts import Facts, Now
from issuance_server.core.inputs import Deleted, KeysDestroyed, Reported
from issuance_server.core.issuing_desk import IssuingDesk
from issuance_server.core.outcome import Outcome
from issuance_server.core.state import Issuance, SwitchState
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.limits import ALARM_REPEAT_MS, DELETION_MS_MAX
from protocol.telegrams import RequestRef
from protocol.terminal_statements import FailureCause, PrintOutcome

S = IssuanceState
_RELEASED = frozenset({S.RELEASED, S.UNCONFIRMED})
_REPORTED = frozenset({S.PRINTED, S.PRINT_FAILED})
_NEVER_RELEASED = "never-released"
_FAILED_PRINTS = "failed-prints"
FAILED_PRINTS_IN_DAY_MAX = 3
FAILED_PRINTS_PERCENT_MAX = 2
FAILED_PRINTS_OF_MIN = 50
"""More failed prints than these in 24 hours, or of a terminal's prints (of at least so many) since
it was last inspected, stop it for inspection (design §2).
"""


class SettlingDesk:
    """The part of the switch that does not rest until the deletion is recorded on both sides."""

    def __init__(self, state: SwitchState, issuing: IssuingDesk) -> None:
        self._state = state
        self._issuing = issuing
        # Whom to answer when the key is off the disk; a repeat of the report fills it again.
        self._waiting: dict[bytes, RequestRef] = {}
        # Reports after the close by two that are on record; a repeat is not recorded again.
        self._late: set[bytes] = set()

    def reported(self, came: Reported, facts: Facts, now: Now, out: Outcome) -> bool:
        """印刷報告: the paper is out, or is not; decides over the fee in this transaction.

        Returns:
            False if the issuance was never released and is to be withdrawn by the issuance desk.
        """
        if not came.signature_good:
            out.refuse(came.terminal, came.ref, ReplyCode.MALFORMED)
            return True
        issuance = self._find(came.terminal, came.ref, came.report.issuance_id, facts, out)
        if issuance is None:
            self._hear_after_the_end(came, facts, now, out)
            return True
        if issuance.state in _RELEASED:
            self._take_report(issuance, came, facts, now, out)
        elif issuance.state in _REPORTED:
            same = issuance.report is not None and issuance.report.signature == came.signature
            if same:
                out.acknowledge(came.terminal, came.ref, issuance.state.value)
            else:
                out.refuse(came.terminal, came.ref, ReplyCode.KEY_REUSED)
        elif came.report.outcome is PrintOutcome.FAILED:
            return False
        else:  # paper that was never released: the terminal cannot be trusted
            self._stop_line(came, _NEVER_RELEASED, now, out)
            out.refuse(came.terminal, came.ref, ReplyCode.LINE_STOPPED)
        return True

    def deleted(self, came: Deleted, facts: Facts, now: Now, out: Outcome) -> None:
        """消去報告: the terminal has erased; erase the server's key, and answer when it is gone."""
        issuance_id = came.report.issuance_id
        issuance = self._find(came.terminal, came.ref, issuance_id, facts, out)
        if issuance is None:
            return
        if not came.signature_good:
            out.refuse(came.terminal, came.ref, ReplyCode.MALFORMED)
        elif issuance.state not in _REPORTED:
            out.refuse(came.terminal, came.ref, ReplyCode.OUT_OF_ORDER)
        elif issuance.deletion is not None and issuance.deletion.signature != came.signature:
            out.refuse(came.terminal, came.ref, ReplyCode.KEY_REUSED)
        else:
            self._waiting[issuance_id] = came.ref
            if issuance.deletion is None:
                out.write(
                    r.DeletionReported(
                        at_ms=now.real_ms,
                        issuance_id=issuance_id,
                        reported_at_ms=came.report.at_ms,
                        signature=came.signature,
                    )
                )
                out.add(DropKey(issuance_id=issuance_id))

    def keys_destroyed(self, gone: KeysDestroyed, now: Now, out: Outcome) -> None:
        """The wrapped keys are off the disk: with the terminal's word, the issuances end."""
        for issuance_id in gone.issuance_ids:
            issuance = self._state.issuances.get(issuance_id)
            if issuance is None or issuance.deletion is None:
                continue
            day = self._state.counting_day(now.business_ms)
            out.write(r.KeyDestroyed(at_ms=now.real_ms, issuance_id=issuance_id, day=day))
            completed = issuance.state is S.PRINTED
            ended = S.COMPLETED if completed else S.REVERSED
            _log_end(issuance, ended, now, out)
            ref = self._waiting.pop(issuance_id, None)
            out.acknowledge(issuance.terminal, ref, ended.value)

    def restarted(self, out: Outcome) -> None:
        """Destroy again the keys whose destruction the last process may not have finished."""
        for issuance in self._state.issuances.values():
            if issuance.deletion is not None:
                out.add(DropKey(issuance_id=issuance.issuance_id))

    def deadline_passed(self, issuance: Issuance, now: Now, out: Outcome) -> None:
        """Raise the alarm that belongs to the state, and again after a while."""
        issuance_id, terminal = issuance.issuance_id, issuance.terminal
        again_ms = now.real_ms + ALARM_REPEAT_MS
        if issuance.state in _RELEASED:
            released_ms = dict(issuance.times_ms)[S.RELEASED]
            out.write(
                r.IssuanceUnconfirmed(
                    at_ms=now.real_ms, issuance_id=issuance_id, deadline_ms=again_ms
                )
            )
            out.log(
                "issuance.unconfirmed",
                issuance=issuance_id.hex(),
                terminal=terminal,
                waited_ms=now.real_ms - released_ms,
            )
        else:
            out.write(
                r.DeletionOverdue(at_ms=now.real_ms, issuance_id=issuance_id, deadline_ms=again_ms)
            )
            out.log(
                "issuance.deletion_overdue",
                issuance=issuance_id.hex(),
                terminal=terminal,
                waited_ms=now.real_ms - issuance.times_ms[-1][1],
            )

    def _hear_after_the_end(self, came: Reported, facts: Facts, now: Now, out: Outcome) -> None:
        """Stop a terminal that says it printed what was withdrawn before any release.

        A word about what two operators closed without it is put on record, beside theirs.
        """
        ended = facts.ended
        if ended is None or ended.terminal != came.terminal:
            return
        if ended.state is S.WITHDRAWN and came.report.outcome is PrintOutcome.PRINTED:
            self._stop_line(came, _NEVER_RELEASED, now, out)
        elif ended.state is S.CLOSED and ended.reported is came.report.outcome:
            return  # a repeat of the word that was on record before
        elif ended.state is S.CLOSED and came.signature not in self._late:
            self._late.add(came.signature)
            self._record_late(came, now, out)

    def _record_late(self, came: Reported, now: Now, out: Outcome) -> None:
        report = came.report
        out.write(
            r.ReportedLate(
                at_ms=now.real_ms,
                issuance_id=report.issuance_id,
                terminal=came.terminal,
                day=self._state.counting_day(now.business_ms),
                outcome=report.outcome,
                sheets_out=report.sheets_out,
                reported_at_ms=report.at_ms,
                signature=came.signature,
            )
        )
        out.log(
            "issuance.reported_late",
            issuance=report.issuance_id.hex(),
            terminal=came.terminal,
            outcome=report.outcome.value,
            sheets=report.sheets_out,
        )

    def _stop_line(self, came: Reported, reason: str, now: Now, out: Outcome) -> None:
        """An integrity alarm stops the terminal's line at once; only people open it again."""
        if came.terminal in self._state.stopped_terminals:
            return
        issuance_id = came.report.issuance_id
        out.write(
            r.LineStopped(
                at_ms=now.real_ms,
                terminal=came.terminal,
                issuance_id=issuance_id,
                reason=reason,
            )
        )
        out.log(
            "integrity.alarm",
            terminal=came.terminal,
            issuance=issuance_id.hex(),
            reason=reason,
        )

    def _stop_if_failing(self, came: Reported, before: PrintFacts, now: Now, out: Outcome) -> None:
        """Stop a terminal that fails too often; two operators reopen it when it was looked at."""
        failed, reported = before.failed + 1, before.reported + 1
        often = before.failed_in_day + 1 > FAILED_PRINTS_IN_DAY_MAX
        enough = reported >= FAILED_PRINTS_OF_MIN
        many = enough and failed * 100 > FAILED_PRINTS_PERCENT_MAX * reported
        if (often or many) and came.terminal not in self._state.stopped_terminals:
            out.write(
                r.LineStopped(
                    at_ms=now.real_ms,
                    terminal=came.terminal,
                    issuance_id=came.report.issuance_id,
                    reason=_FAILED_PRINTS,
                )
            )
            out.log(
                "terminal.stopped_for_inspection",
                terminal=came.terminal,
                issuance=came.report.issuance_id.hex(),
                failed=failed,
                reported=reported,
            )

    def _take_report(
        self, issuance: Issuance, came: Reported, facts: Facts, now: Now, out: Outcome
    ) -> None:
        report = came.report
        printed = report.outcome is PrintOutcome.PRINTED
        sheets = issuance.quoted.sheets if issuance.quoted else 0
        if printed and (report.sheets_out != sheets or report.sheets_unknown):
            out.refuse(came.terminal, came.ref, ReplyCode.MALFORMED)
            return
        out.write(
            r.PrintReported(
                at_ms=now.real_ms,
                issuance_id=report.issuance_id,
                outcome=report.outcome,
                sheets_out=report.sheets_out,
                sheets_unknown=report.sheets_unknown,
                cause=report.cause,
                reported_at_ms=report.at_ms,
                signature=came.signature,
                deadline_ms=now.real_ms + DELETION_MS_MAX,
                business_ms=now.business_ms,
            )
        )
        names = {"issuance": report.issuance_id.hex(), "terminal": came.terminal}
        if printed:
            out.log("issuance.printed", **names, sheets=report.sheets_out)
        else:
            out.log(
                "issuance.print_failed",
                **names,
                sheets=report.sheets_out,
                cause=report.cause.value,
            )
            if report.cause is FailureCause.BINDING_MISMATCH:
                self._stop_line(came, report.cause.value, now, out)
                elsewhere = (facts.prints or PrintFacts()).mismatches_elsewhere
                self._issuing.mismatch_reported(
                    report.issuance_id, came.terminal, elsewhere, now, out
                )
            elif report.cause in MACHINE_FAULTS:
                self._stop_if_failing(came, facts.prints or PrintFacts(), now, out)
        after = self._state.issuances[report.issuance_id]
        out.acknowledge(came.terminal, came.ref, after.state.value)

    def _find(
        self, terminal: str, ref: RequestRef, issuance_id: bytes, facts: Facts, out: Outcome
    ) -> Issuance | None:
        """Return the issuance; of an ended one, acknowledge that there is nothing left to do."""
        issuance = self._state.issuances.get(issuance_id)
        if issuance is not None and issuance.terminal == terminal:
            return issuance
        ended = facts.ended
        if issuance is None and ended is not None and ended.terminal == terminal:
            out.acknowledge(terminal, ref, ended.state.value)
        else:
            out.refuse(terminal, ref, ReplyCode.UNKNOWN)
        return None


def _log_end(issuance: Issuance, state: IssuanceState, now: Now, out: Outcome) -> None:
    """Write the one canonical line of a finished issuance."""
    times_ms = dict(issuance.times_ms)
    started_ms = issuance.applied.at_ms
    steps_ms = {
        reached.value.replace("-", "_"): at_ms - started_ms for reached, at_ms in times_ms.items()
    }
    out.log(
        "issuance.completed" if state is S.COMPLETED else "issuance.reversed",
        issuance=issuance.issuance_id.hex(),
        terminal=issuance.terminal,
        card_ref=issuance.applied.card_ref,
        kind=issuance.applied.kind.value,
        sheets=issuance.quoted.sheets if issuance.quoted else 0,
        fee_yen=issuance.applied.fee_yen if state is S.COMPLETED else 0,
        state=state.value,
        durations_ms={**steps_ms, "ended": now.real_ms - started_ms},
    )
