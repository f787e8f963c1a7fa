"""Acts of operators and the PIN judge's word: what is recorded, and what a revocation ends."""

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState as S
from tests.core.desk import Desk
from tests.core.made import (
    CARD_REF,
    ISSUANCE,
    OTHER_TERMINAL,
    START_REAL_MS,
    TERMINAL,
    VISIT,
    print_report,
    signed,
)

NEW = i.NewCertificate(
    terminal="FM-0009",
    line_id=b"line-nin",
    fingerprint=b"f" * 32,
    report_public_key=b"k" * 32,
    until_ms=START_REAL_MS + 1_000_000,
)
NONCE = b"n" * 16


def act(name: str, change: i.Change | None = None, subject: str = TERMINAL) -> i.ActAccepted:
    """Return an act that was checked."""
    return i.ActAccepted(
        operator="mado-1", act=name, subject=subject, reason="stolen", nonce=NONCE, change=change
    )


REVOKE = act("terminal.revoke", i.Revocation(terminal=TERMINAL))


def event(number: int, name: JudgeEventName, at_ms: int = START_REAL_MS) -> JudgeEvent:
    """Return something that the judge has to report."""
    return JudgeEvent(
        number=number, name=name, at_ms=at_ms, card_ref=CARD_REF, terminal=TERMINAL, tries_left=1
    )


def test_act_for_the_judge_is_recorded_before_and_after() -> None:
    """First that it is wanted, by whom and why; then what came of it."""
    desk = Desk()
    assert [e.Write] == [type(effect) for effect in desk.give(act("card.unlock", subject=CARD_REF))]
    refused = i.ActEnded(nonce=NONCE, outcome=r.ActOutcome.REFUSED, reason="it is being checked")
    desk.give(refused)
    wanted, ended = desk.records

    assert isinstance(wanted, r.OperatorActed)
    assert ("mado-1", "card.unlock", CARD_REF, "stolen") == (
        wanted.operator,
        wanted.act,
        wanted.subject,
        wanted.reason,
    )
    assert (
        r.OperatorActEnded(
            at_ms=START_REAL_MS,
            nonce=NONCE,
            outcome=r.ActOutcome.REFUSED,
            reason="it is being checked",
        )
        == ended
    )


def test_registration_is_done_with_its_record() -> None:
    """Who did it and why, what came onto the list, and that it is done: in one step."""
    desk = Desk()
    change = i.Registration(certificate=NEW, chain="ファミマ", store="豊中駅前", in_city=True)
    desk.give(act("terminal.register", change, "FM-0009"))
    acted, registered, ended = desk.records

    assert isinstance(acted, r.OperatorActed)
    assert (
        r.TerminalRegistered(
            at_ms=START_REAL_MS,
            terminal="FM-0009",
            line_id=NEW.line_id,
            fingerprint=NEW.fingerprint,
            report_public_key=NEW.report_public_key,
            until_ms=NEW.until_ms,
            chain="ファミマ",
            store="豊中駅前",
            in_city=True,
        )
        == registered
    )
    assert isinstance(ended, r.OperatorActEnded)
    assert r.ActOutcome.DONE is ended.outcome
    (line,) = desk.logged("terminal.registered")
    assert ("FM-0009", "mado-1", "stolen") == (line["terminal"], line["operator"], line["reason"])


def test_renewal_says_when_the_others_end() -> None:
    """Counted from the step, not from when the operator signed."""
    desk = Desk()
    change = i.RenewedCertificate(certificate=NEW, overlap_ms=3_600_000)
    desk.give(act("terminal.renew", change, "FM-0009"))
    (renewed,) = desk.written(r.TerminalRenewed)

    assert START_REAL_MS + 3_600_000 == renewed.others_until_ms
    assert [3_600_000] == [line["overlap_ms"] for line in desk.logged("terminal.renewed")]


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED, S.SEALED])
def test_revocation_withdraws_what_was_not_released(state: S) -> None:
    """At once: visit and issuance end, and a release that is asked for too late is refused."""
    desk = Desk()
    desk.reach(state)
    desk.give(REVOKE)

    assert "terminal-revoked" == desk.written(r.VisitEnded)[-1].cause
    assert [ISSUANCE] == [record.issuance_id for record in desk.written(r.IssuanceWithdrawn)]
    assert {} == desk.state.issuances
    assert [(1, 0)] == [(x["withdrawn"], x["owed"]) for x in desk.logged("terminal.revoked")]
    asked = t.Release(issuance_id=ISSUANCE, amount_yen=200)
    assert ReplyCode.LINE_STOPPED is desk.code(asked)
    assert ReplyCode.LINE_STOPPED is desk.code(t.Begin(visit_id=b"v" * 16, attempt=1))


def test_revocation_leaves_the_released_to_its_deadline() -> None:
    """The key is out: that its report cannot come is an operator's problem, and is said."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.give(REVOKE)
    assert [(0, 1)] == [(x["withdrawn"], x["owed"]) for x in desk.logged("terminal.revoked")]
    assert S.RELEASED is desk.issuance_state()
    desk.pass_time(5 * 60_000)

    assert S.UNCONFIRMED is desk.issuance_state()
    assert [ISSUANCE.hex()] == [x["issuance"] for x in desk.logged("issuance.unconfirmed")]


def test_report_that_came_in_before_the_revocation_counts() -> None:
    """It was checked when it came, and says what became of the paper."""
    desk = Desk()
    desk.reach(S.RELEASED)
    desk.give(REVOKE)

    assert t.Acknowledged(state="printed") == desk.ask(signed(print_report()))


def test_revocation_touches_no_other_terminal() -> None:
    """Its visit and its issuance go on."""
    desk = Desk()
    desk.reach(S.SEALED)
    desk.give(act("terminal.revoke", i.Revocation(terminal=OTHER_TERMINAL), OTHER_TERMINAL))

    assert [] == desk.written(r.IssuanceWithdrawn)
    assert {VISIT} == desk.state.visits.keys()
    assert {OTHER_TERMINAL} == desk.state.stopped_terminals


def test_word_of_the_judge_is_recorded_and_logged() -> None:
    """Burned tries, locks and freezes; what operators did was logged by them."""
    desk = Desk()
    names = (
        JudgeEventName.TRY_BURNED,
        JudgeEventName.CARD_LOCKED,
        JudgeEventName.TERMINAL_FROZEN,
        JudgeEventName.CARD_UNLOCKED,
    )
    desk.give(i.JudgeSaid(events=tuple(event(at, name) for at, name in enumerate(names, start=1))))

    assert list(names) == [record.event for record in desk.written(r.JudgeReported)]
    assert [{"card_ref": CARD_REF, "tries_left": 1}] == desk.logged("card.try_burned")
    assert [{"card_ref": CARD_REF, "terminal": TERMINAL}] == desk.logged("card.locked")
    assert [{"terminal": TERMINAL, "reason": "wrong-pins"}] == desk.logged("terminal.frozen")


def test_judges_event_is_recorded_once() -> None:
    """After a restart of the server the last ones come again, with the same numbers."""
    desk = Desk()
    first, second = (event(at, JudgeEventName.TRY_BURNED, START_REAL_MS + at) for at in (1, 2))
    desk.give(i.JudgeSaid(events=(first,)))
    desk.give(i.JudgeSaid(events=(first, second)))
    assert [] == desk.give(i.JudgeSaid(events=(first, second)))

    assert [1, 2] == [record.number for record in desk.written(r.JudgeReported)]


def test_judge_that_counts_from_one_again_is_heard() -> None:
    """Its store was lost; what it says is later than all before."""
    desk = Desk()
    desk.give(i.JudgeSaid(events=(event(900, JudgeEventName.CARD_LOCKED),)))
    desk.give(i.JudgeSaid(events=(event(1, JudgeEventName.CARD_LOCKED, START_REAL_MS + 1),)))

    assert [900, 1] == [record.number for record in desk.written(r.JudgeReported)]
