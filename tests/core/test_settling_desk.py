"""Issuances after the release: paper, fee, deletion, alarms, and who must be stopped."""

from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.limits import ALARM_REPEAT_MS, DELETION_MS_MAX, REPORT_MS_MAX
from protocol.terminal_statements import FailureCause
from tests.core.desk import Desk
from tests.core.made import (
    BAD_SIGNATURE,
    CARD_REF,
    ISSUANCE,
    OTHER_TERMINAL,
    START_REAL_MS,
    TERMINAL,
    applying,
    deletion,
    failed_report,
    print_report,
    rendered,
    signed,
)

S = IssuanceState
PRINTED = signed(print_report())
FAILED = signed(failed_report())
DELETED = deletion()
DESTROYED = i.KeysDestroyed(issuance_ids=(ISSUANCE,))
SECOND = b"issuance-two----"


def at(state: S) -> Desk:
    """Return a desk with the usual issuance in a state."""
    desk = Desk()
    desk.reach(state)
    return desk


def test_whole_life_is_told_in_one_line() -> None:
    """From card to confirmed deletion; the canonical line has every step's time."""
    desk = at(S.RELEASED)
    desk.real_ms += 30_000
    assert t.Acknowledged(state="printed") == desk.ask(PRINTED)
    assert [2] == [fields["sheets"] for fields in desk.logged("issuance.printed")]
    desk.real_ms += 500
    ref = desk.ask_ref(DELETED)
    assert desk.answer(ref) is None
    assert [e.DropKey(issuance_id=ISSUANCE)] == desk.asked_for(e.DropKey)
    desk.real_ms += 20
    desk.give(DESTROYED)

    assert t.Acknowledged(state="completed") == desk.answer(ref)
    (line,) = desk.logged("issuance.completed")
    assert {
        "issuance": ISSUANCE.hex(),
        "terminal": TERMINAL,
        "card_ref": CARD_REF,
        "kind": "juminhyo",
        "sheets": 2,
        "fee_yen": 200,
        "state": "completed",
        "durations_ms": {
            "applied": 0,
            "quoted": 0,
            "sealed": 0,
            "released": 0,
            "printed": 30_000,
            "ended": 30_520,
        },
    } == line
    assert S.COMPLETED is desk.issuance_state()
    counters = desk.state.counters[TERMINAL]
    assert (1, 0, 200) == (counters.completed, counters.reversed, counters.fees_earned_yen)


def test_failed_print_is_reversed_without_a_fee() -> None:
    """The sheets that came out are told, the fee is nothing, and it counts as reversed."""
    desk = at(S.RELEASED)
    assert t.Acknowledged(state="print-failed") == desk.ask(FAILED)
    assert [{"sheets": 1, "cause": "printer"}] == [
        {"sheets": f["sheets"], "cause": f["cause"]} for f in desk.logged("issuance.print_failed")
    ]
    ref = desk.ask_ref(DELETED)
    desk.give(DESTROYED)

    assert t.Acknowledged(state="reversed") == desk.answer(ref)
    assert [0] == [fields["fee_yen"] for fields in desk.logged("issuance.reversed")]
    counters = desk.state.counters[TERMINAL]
    assert (0, 1, 0) == (counters.completed, counters.reversed, counters.fees_earned_yen)


@pytest.mark.parametrize("report", [PRINTED, FAILED], ids=["printed", "failed"])
def test_repeated_report_is_acknowledged_and_another_one_refused(report: t.Report) -> None:
    """The fee is decided once; who reports otherwise afterwards is refused."""
    desk = at(S.RELEASED)
    answer = desk.ask(report)
    other = FAILED if report is PRINTED else PRINTED

    assert answer == desk.ask(report)
    assert ReplyCode.KEY_REUSED is desk.code(other)
    assert 1 == len(desk.written(r.PrintReported))
    desk.ask(DELETED)
    assert answer == desk.ask(report)


def test_repeated_deletion_destroys_once() -> None:
    """The latest copy is answered when the key is off the disk; then every repeat at once."""
    desk = at(S.PRINTED)
    desk.ask(DELETED)
    second = desk.ask_ref(DELETED)
    assert [] == desk.effects
    assert ReplyCode.KEY_REUSED is desk.code(deletion(at_ms=START_REAL_MS + 1))
    desk.give(DESTROYED)

    assert t.Acknowledged(state="completed") == desk.answer(second)
    assert t.Acknowledged(state="completed") == desk.ask(DELETED)
    assert t.Acknowledged(state="completed") == desk.ask(PRINTED)
    assert 1 == len(desk.written(r.DeletionReported)) == len(desk.written(r.KeyDestroyed))
    assert [] == desk.give(DESTROYED)


@pytest.mark.parametrize("state", [S.SEALED, S.RELEASED, S.UNCONFIRMED])
def test_deletion_before_the_report_is_out_of_order(state: S) -> None:
    """Nothing is completed of which nobody knows what became of the paper."""
    desk = at(S.RELEASED if state is S.UNCONFIRMED else state)
    if state is S.UNCONFIRMED:
        desk.pass_time(REPORT_MS_MAX)

    assert ReplyCode.OUT_OF_ORDER is desk.code(DELETED)


def test_key_of_an_issuance_without_the_terminals_word_is_no_end() -> None:
    """A withdrawal destroys keys as well; what is still owed stays owed."""
    desk = at(S.PRINTED)

    assert [] == desk.give(DESTROYED)
    assert [] == desk.give(i.KeysDestroyed(issuance_ids=(b"long ended------",)))


@pytest.mark.parametrize("telegram", [PRINTED, FAILED, DELETED], ids=["out", "failed", "deleted"])
def test_report_needs_the_registered_terminals_signature(telegram: Any) -> None:
    """A bad signature changes nothing, whatever it is under."""
    desk = at(S.PRINTED if telegram is DELETED else S.RELEASED)
    forged = type(telegram)(report=telegram.report, signature=BAD_SIGNATURE)

    assert ReplyCode.MALFORMED is desk.code(forged)
    assert [] == desk.asked_for(e.Write)


@pytest.mark.parametrize("telegram", [PRINTED, DELETED], ids=["report", "deletion"])
def test_another_terminals_report_is_unknown(telegram: Any) -> None:
    """Alive, ended or never heard of."""
    desk = at(S.PRINTED)
    assert ReplyCode.UNKNOWN is desk.code(telegram, terminal=OTHER_TERMINAL)
    desk.ask(DELETED)
    desk.give(DESTROYED)
    assert ReplyCode.UNKNOWN is desk.code(telegram, terminal=OTHER_TERMINAL)
    assert ReplyCode.UNKNOWN is desk.code(signed(print_report(b"never heard of--")))


@pytest.mark.parametrize("change", [{"sheets_out": 1}, {"sheets_unknown": True}])
def test_printed_means_all_sheets(change: dict[str, Any]) -> None:
    """A report that all is out, and not all is, fits nothing."""
    desk = at(S.RELEASED)

    assert ReplyCode.MALFORMED is desk.code(signed(print_report(**change)))
    assert S.RELEASED is desk.issuance_state()


def test_silence_after_the_release_alarms_again_and_again() -> None:
    """UNCONFIRMED after five minutes, then every quarter of an hour, for as long as it takes."""
    desk = at(S.RELEASED)
    desk.pass_time(REPORT_MS_MAX - 1)
    assert S.RELEASED is desk.issuance_state()
    desk.pass_time(1)
    waits = [desk.logged("issuance.unconfirmed")[0]["waited_ms"]]
    for _ in range(3):
        desk.pass_time(ALARM_REPEAT_MS)
        waits.append(desk.logged("issuance.unconfirmed")[0]["waited_ms"])

    assert [REPORT_MS_MAX + n * ALARM_REPEAT_MS for n in range(4)] == waits
    assert S.UNCONFIRMED is desk.issuance_state()


@pytest.mark.parametrize(("report", "end"), [(PRINTED, S.COMPLETED), (FAILED, S.REVERSED)])
def test_late_report_settles_an_unconfirmed_issuance(report: t.Report, end: S) -> None:
    """Days later the terminal is back: paper, fee and deletion are settled as ever."""
    desk = at(S.RELEASED)
    desk.pass_time(REPORT_MS_MAX)
    desk.pass_time(3 * 24 * 60 * 60 * 1_000)
    desk.ask(report)
    desk.ask(DELETED)
    desk.give(DESTROYED)

    assert end is desk.issuance_state()
    assert {} == desk.state.issuances


@pytest.mark.parametrize("state", [S.PRINTED, S.PRINT_FAILED])
def test_missing_deletion_alarms_again_and_again(state: S) -> None:
    """Overdue five minutes after the report, and again; the state stays what it was."""
    desk = at(state)
    desk.pass_time(DELETION_MS_MAX)
    waits = [desk.logged("issuance.deletion_overdue")[0]["waited_ms"]]
    for _ in range(2):
        desk.pass_time(ALARM_REPEAT_MS)
        waits.append(desk.logged("issuance.deletion_overdue")[0]["waited_ms"])

    assert [DELETION_MS_MAX + n * ALARM_REPEAT_MS for n in range(3)] == waits
    assert state is desk.issuance_state()
    desk.ask(DELETED)
    desk.give(DESTROYED)
    assert {} == desk.state.issuances


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED, S.SEALED])
def test_terminal_that_never_prints_withdraws(state: S) -> None:
    """A failure report about what was never released: nothing left, nothing to confirm."""
    desk = at(state)
    report = signed(failed_report(sheets_out=0, cause=FailureCause.NO_RELEASE_ANSWER))
    answer = desk.ask(report)

    assert t.Acknowledged(state="withdrawn") == answer == desk.ask(report)
    assert t.Acknowledged(state="withdrawn") == desk.ask(DELETED)
    assert [] == desk.written(r.PrintReported)


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED, S.SEALED])
def test_paper_that_was_never_released_stops_the_line(state: S) -> None:
    """Such a terminal cannot be trusted; it is stopped once, however often it says so."""
    desk = at(state)
    assert ReplyCode.LINE_STOPPED is desk.code(PRINTED)
    assert 1 == len(desk.logged("integrity.alarm"))
    assert ReplyCode.LINE_STOPPED is desk.code(PRINTED)

    assert [TERMINAL] == [record.terminal for record in desk.written(r.LineStopped)]
    assert {TERMINAL} == desk.state.stopped_terminals
    assert state is desk.issuance_state()


def test_paper_of_a_withdrawn_issuance_stops_the_line() -> None:
    """Nobody ever had its key; the report is acknowledged, and the terminal stopped once."""
    desk = at(S.SEALED)
    desk.ask(t.Cancel(issuance_id=ISSUANCE, cause=FailureCause.CANCELLED))
    assert t.Acknowledged(state="withdrawn") == desk.ask(FAILED)
    assert set() == desk.state.stopped_terminals
    for _ in range(2):
        assert t.Acknowledged(state="withdrawn") == desk.ask(PRINTED)

    assert ["never-released"] == [record.reason for record in desk.written(r.LineStopped)]


def test_binding_mismatch_stops_the_line_and_nobody_elses() -> None:
    """The report is taken and the fee goes back; from then on only settling goes through."""
    desk = at(S.RELEASED)
    desk.ask(applying(SECOND))
    desk.give(rendered(SECOND))
    mismatch = signed(failed_report(sheets_out=0, cause=FailureCause.BINDING_MISMATCH))
    assert t.Acknowledged(state="print-failed") == desk.ask(mismatch)
    assert ["binding-mismatch"] == [f["reason"] for f in desk.logged("integrity.alarm")]

    refused: list[Any] = [
        t.Begin(visit_id=b"visit-two-------", attempt=1),
        applying(b"issuance-three--"),
        t.Fetch(issuance_id=SECOND, piece=0),
        t.Held(issuance_id=SECOND, sealed_digest=bytes(32)),
        t.Release(issuance_id=SECOND, amount_yen=200),
        t.Authenticate(
            visit_id=bytes(16),
            attempt=1,
            card=bytes(16),
            card_signature=bytes(64),
            pin_block=bytes(64),
        ),
    ]
    for telegram in refused:
        assert ReplyCode.LINE_STOPPED is desk.code(telegram)
    begin = t.Begin(visit_id=b"visit-two-------", attempt=1)
    assert desk.ask(begin, terminal=OTHER_TERMINAL) is None
    assert isinstance(desk.ask(t.LineTest(nonce=1)), t.LineTested)
    cancel = t.Cancel(issuance_id=SECOND, cause=FailureCause.CANCELLED)
    assert t.Acknowledged(state="withdrawn") == desk.ask(cancel)
    assert t.Acknowledged(state="print-failed") == desk.ask(mismatch)
    desk.ask(DELETED)
    desk.give(DESTROYED)
    assert S.REVERSED is desk.issuance_state()


def test_stop_outlives_a_restart() -> None:
    """The journal knows it as long as the issuance is open; the table of terminals after that."""
    desk = at(S.RELEASED)
    desk.ask(signed(failed_report(cause=FailureCause.BINDING_MISMATCH)))
    desk.restart()

    assert ReplyCode.LINE_STOPPED is desk.code(t.Begin(visit_id=bytes(16), attempt=1))


def test_restart_destroys_again_what_may_not_be_destroyed() -> None:
    """The deletion was recorded; whether the key is off the disk nobody knows: once more."""
    desk = at(S.PRINTED)
    desk.ask(DELETED)
    desk.restart()

    assert [e.DropKey(issuance_id=ISSUANCE)] == desk.asked_for(e.DropKey)
    desk.give(DESTROYED)
    assert S.COMPLETED is desk.issuance_state()
    assert [] == desk.answers()
