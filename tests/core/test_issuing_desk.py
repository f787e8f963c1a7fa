"""What stops issuing in the whole city, who lets it go on, and evidence that is not kept."""

from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.day_facts import PrintFacts
from issuance_server.core.facts import Facts
from issuance_server.core.issuing_changes import ReopenIssuing, StopIssuing
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.terminal_statements import FailureCause
from tests.core.desk import Desk
from tests.core.made import (
    ISSUANCE,
    OTHER_TERMINAL,
    TERMINAL,
    applying,
    as_input,
    deletion,
    failed_report,
    rendered,
    signed,
)

SECOND = b"issuance-two----"
BEGIN = t.Begin(visit_id=b"visit-two-------", attempt=1)
S = IssuanceState


def act(change: i.Change, *, second: str | None = "mado-2") -> i.ActAccepted:
    """Return an act of operators."""
    return i.ActAccepted(
        operator="mado-1",
        second=second,
        act="issuance.reopen",
        subject="272035",
        reason="found",
        nonce=b"n" * 16,
        change=change,
    )


def refused(desk: Desk) -> str | None:
    """Return why the latest act was refused."""
    reason: str | None = desk.written(r.OperatorActEnded)[-1].reason
    return reason


def gate_failed(issuance_id: bytes = ISSUANCE) -> i.GateFailed:
    """Return what comes of a document that is not the one that was ordered."""
    return i.GateFailed(issuance_id=issuance_id, terminal=TERMINAL, fault="number-missing")


def test_a_failure_of_the_own_gate_stops_the_city() -> None:
    """No terminal begins, applies, fetches or is released any more; that issuance is withdrawn."""
    desk = Desk()
    desk.reach(S.APPLIED)
    desk.give(gate_failed())

    assert S.WITHDRAWN is desk.issuance_state()
    assert ["server-gate"] == [one.reason.value for one in desk.written(r.IssuingStopped)]
    assert ["number-missing"] == [fields["fault"] for fields in desk.logged("issuing.stopped")]
    assert ["number-missing"] == [fields["reason"] for fields in desk.logged("integrity.alarm")]
    for terminal in (TERMINAL, OTHER_TERMINAL):
        assert ReplyCode.ISSUING_STOPPED is desk.code(BEGIN, terminal=terminal)
    assert ReplyCode.ISSUING_STOPPED is desk.code(applying(SECOND))


def test_a_stopped_city_releases_nothing_and_settles_what_is_released() -> None:
    """Whoever holds a sealed certificate gets no key; a report and a deletion still go through."""
    desk = Desk()
    desk.reach(S.SEALED)
    desk.ask(applying(SECOND))
    desk.give(gate_failed(SECOND))
    release = t.Release(issuance_id=ISSUANCE, amount_yen=200)
    assert ReplyCode.ISSUING_STOPPED is desk.code(release)
    assert S.SEALED is desk.issuance_state()

    report = signed(failed_report(sheets_out=0, cause=FailureCause.NO_RELEASE_ANSWER))
    assert t.Acknowledged(state="withdrawn") == desk.ask(report)
    assert isinstance(desk.ask(t.LineTest(nonce=1)), t.LineTested)


def test_a_released_certificate_is_settled_in_a_stopped_city() -> None:
    """The paper may be out: its report decides over the fee, and its deletion ends it."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.give(act(StopIssuing(), second=None))
    assert t.Acknowledged(state="print-failed") == desk.ask(signed(failed_report()))
    desk.ask(deletion())
    desk.give(i.KeysDestroyed(issuance_ids=(ISSUANCE,)))

    assert S.REVERSED is desk.issuance_state()


@pytest.mark.parametrize(
    ("elsewhere", "stopped"), [((), False), ((TERMINAL,), False), ((OTHER_TERMINAL,), True)]
)
def test_mismatches_of_two_terminals_stop_the_city(
    elsewhere: tuple[str, ...], *, stopped: bool
) -> None:
    """One terminal stops its own line; a second one within ten minutes is no accident."""
    desk = Desk()
    desk.reach(S.RELEASED)
    telegram = signed(failed_report(cause=FailureCause.BINDING_MISMATCH))
    input_ = as_input(telegram, desk.ref(telegram), TERMINAL)
    before = PrintFacts(mismatches_elsewhere=elsewhere)
    effects = desk.switch.step(input_, desk.now, Facts(prints=before))
    written = [one.record for one in effects if isinstance(one, e.Write)]
    stops = [one for one in written if isinstance(one, r.IssuingStopped)]

    assert stopped is bool(stops) is desk.state.issuing_stopped
    assert {TERMINAL} == desk.state.stopped_terminals
    if stopped:
        assert tuple(sorted((TERMINAL, OTHER_TERMINAL))) == stops[0].terminals


def test_two_operators_reopen_issuing() -> None:
    """Afterwards a visit begins as before; a second reopening has nothing to reopen."""
    desk = Desk()
    desk.give(act(StopIssuing(), second=None))
    assert ReplyCode.ISSUING_STOPPED is desk.code(BEGIN)
    desk.give(act(ReopenIssuing()))
    assert refused(desk) is None
    assert ("mado-1", "mado-2") == desk.written(r.IssuingReopened)[0].operators
    assert desk.ask(BEGIN) is None

    desk.give(act(ReopenIssuing()))
    assert "issuing is not stopped; see: status" == refused(desk)


def test_the_first_reason_of_a_stop_stays() -> None:
    """A second failure is an alarm of its own; what was found first is not written over."""
    desk = Desk()
    desk.give(act(StopIssuing(), second=None))
    desk.give(gate_failed())
    assert 1 == len(desk.logged("integrity.alarm"))
    desk.give(act(StopIssuing(), second=None))

    assert ["operator"] == [one.reason.value for one in desk.written(r.IssuingStopped)]
    assert "issuing is stopped already; see: status" == refused(desk)


def test_a_gate_failure_of_what_has_ended_stops_the_city_too() -> None:
    """The document is as wrong when nobody waits for it any more."""
    desk = Desk()
    desk.reach(S.APPLIED)
    desk.ask(t.Cancel(issuance_id=ISSUANCE, cause=FailureCause.CANCELLED))
    desk.give(gate_failed())

    assert desk.state.issuing_stopped
    assert 1 == len(desk.written(r.IssuanceWithdrawn))


@pytest.mark.parametrize("evidence", list(r.Evidence))
def test_nothing_new_is_taken_while_evidence_is_not_kept(evidence: r.Evidence) -> None:
    """What is under way comes to its end; when it is kept again, visits begin by themselves."""
    desk = Desk()
    desk.reach(S.SEALED)
    desk.give(i.EvidenceNotKept(evidence=evidence, lost_ms=31_000))
    assert [31_000] == [fields["lost_ms"] for fields in desk.logged("evidence.lost")]
    desk.give(i.EvidenceNotKept(evidence=evidence, lost_ms=32_000))
    assert [31_000] == [one.lost_ms for one in desk.written(r.EvidenceLost)]
    assert ReplyCode.ISSUING_STOPPED is desk.code(BEGIN, terminal=OTHER_TERMINAL)
    assert ReplyCode.ISSUING_STOPPED is desk.code(applying(SECOND))
    released: Any = desk.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200))
    assert isinstance(released, e.ReplyReleased)

    desk.give(i.EvidenceKeptAgain(evidence=evidence, lost_ms=45_000))
    assert [45_000] == [fields["lost_ms"] for fields in desk.logged("evidence.kept")]
    desk.give(i.EvidenceKeptAgain(evidence=evidence, lost_ms=46_000))
    assert [45_000] == [one.lost_ms for one in desk.written(r.EvidenceKept)]
    assert desk.ask(BEGIN, terminal=OTHER_TERMINAL) is None


def test_all_evidence_must_be_kept() -> None:
    """As long as one kind is missing, nothing new is taken."""
    desk = Desk()
    for evidence in (r.Evidence.LOG, r.Evidence.CHECKPOINTS):
        desk.give(i.EvidenceNotKept(evidence=evidence, lost_ms=1))
    desk.give(i.EvidenceKeptAgain(evidence=r.Evidence.LOG, lost_ms=2))

    assert ReplyCode.ISSUING_STOPPED is desk.code(BEGIN)


def test_a_rendering_that_comes_after_the_stop_is_quoted_to_nobody_who_can_use_it() -> None:
    """What was being rendered is quoted, and neither fetched nor held while issuing is stopped."""
    desk = Desk()
    desk.reach(S.APPLIED)
    desk.give(act(StopIssuing(), second=None))
    desk.give(rendered(ISSUANCE))

    fetch = t.Fetch(issuance_id=ISSUANCE, piece=0)
    assert ReplyCode.ISSUING_STOPPED is desk.code(fetch)
    cancel = t.Cancel(issuance_id=ISSUANCE, cause=FailureCause.CANCELLED)
    assert t.Acknowledged(state="withdrawn") == desk.ask(cancel)
