"""Two operators end an issuance of which no word comes any more."""

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.day_changes import CloseIssuance
from issuance_server.core.facts import EndedIssuance
from protocol import telegrams as t
from protocol.issuance import IssuanceState
from protocol.limits import DELETION_MS_MAX
from protocol.terminal_statements import PrintOutcome
from tests.core.desk import Desk
from tests.core.made import ISSUANCE, TERMINAL, deletion, failed_report, print_report, signed

S = IssuanceState
EARNED, RETURNED = r.ClosedFee.EARNED, r.ClosedFee.RETURNED
WORDS = {S.PRINTED: signed(print_report()), S.PRINT_FAILED: signed(failed_report())}


def reported(state: IssuanceState) -> Desk:
    """Return a desk at which the terminal has said what became of the paper."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.ask(WORDS[state])
    return desk


def close(desk: Desk, fee: r.ClosedFee) -> str | None:
    """Have it closed by two operators; return why that is refused, if it is."""
    desk.give(
        i.ActAccepted(
            operator="mado-1",
            second="mado-2",
            act="issuance.close",
            subject=f"{ISSUANCE.hex()} {fee.value}",
            reason="the machine burnt",
            nonce=b"n" * 16,
            change=CloseIssuance(issuance_id=ISSUANCE, fee=fee),
        )
    )
    reason: str | None = desk.written(r.OperatorActEnded)[-1].reason
    return reason


@pytest.mark.parametrize(("state", "fee"), [(S.PRINTED, EARNED), (S.PRINT_FAILED, RETURNED)])
def test_an_overdue_deletion_is_closed_with_the_fee_as_decided(
    state: IssuanceState, fee: r.ClosedFee
) -> None:
    """The key is dropped here; a terminal that comes back is told that it is closed."""
    desk = reported(state)
    desk.real_ms += DELETION_MS_MAX

    assert close(desk, fee) is None
    assert S.CLOSED is desk.issuance_state()
    assert e.DropKey(issuance_id=ISSUANCE) in desk.effects
    assert t.Acknowledged(state="closed") == desk.ask(deletion())


@pytest.mark.parametrize(("state", "fee"), [(S.PRINTED, RETURNED), (S.PRINT_FAILED, EARNED)])
def test_nobody_changes_the_fee_that_the_terminals_word_decided(
    state: IssuanceState, fee: r.ClosedFee
) -> None:
    """The refusal names the fee with which it can be closed."""
    desk = reported(state)
    desk.real_ms += DELETION_MS_MAX
    decided = EARNED if fee is RETURNED else RETURNED

    assert f"close it with --fee {decided.value}" in (close(desk, fee) or "")
    assert [] == desk.written(r.IssuanceClosed)


def test_a_deletion_that_is_not_overdue_is_waited_for() -> None:
    """A terminal has its time; people do not end what is about to end."""
    desk = reported(S.PRINTED)
    desk.real_ms += DELETION_MS_MAX - 1

    assert "deletion is overdue" in (close(desk, EARNED) or "")


def test_a_reported_deletion_ends_with_its_key() -> None:
    """The terminal has said its word; what is missing is this server's own doing."""
    desk = reported(S.PRINTED)
    desk.ask(deletion())
    desk.real_ms += DELETION_MS_MAX

    assert "it ends when its key is destroyed" in (close(desk, EARNED) or "")


@pytest.mark.parametrize("state", [S.PRINTED, S.PRINT_FAILED])
def test_a_repeat_of_the_word_on_record_is_no_late_report(state: IssuanceState) -> None:
    """Another word than that on record is one."""
    desk = reported(state)
    desk.real_ms += DELETION_MS_MAX
    close(desk, EARNED if state is S.PRINTED else RETURNED)
    said = PrintOutcome.PRINTED if state is S.PRINTED else PrintOutcome.FAILED
    desk.ended[ISSUANCE] = EndedIssuance(terminal=TERMINAL, state=S.CLOSED, reported=said)
    assert t.Acknowledged(state="closed") == desk.ask(WORDS[state])
    assert [] == desk.written(r.ReportedLate)

    other = S.PRINT_FAILED if state is S.PRINTED else S.PRINTED
    assert t.Acknowledged(state="closed") == desk.ask(WORDS[other])
    assert 1 == len(desk.written(r.ReportedLate))
