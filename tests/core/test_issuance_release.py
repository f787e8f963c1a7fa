"""From the sealed certificate to the key: fetching, holding, the last check, cancelling."""

from dataclasses import replace
from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import records as r
from issuance_server.core.facts import HolderFacts
from issuance_server.core.tables.reading import read_tables
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from protocol.limits import QUOTATION_MS_MAX
from protocol.terminal_statements import FailureCause
from tests.core.desk import Desk
from tests.core.made import (
    HOLDER,
    ISSUANCE,
    MINUTE_MS,
    SEALED_DIGEST,
    SUPPRESSED,
    TERMINAL,
    applying,
    business_ms,
    rendered,
    tables_toml,
)

S = IssuanceState
HELD = t.Held(issuance_id=ISSUANCE, sealed_digest=SEALED_DIGEST)
RELEASE = t.Release(issuance_id=ISSUANCE, amount_yen=200)
CANCEL = t.Cancel(issuance_id=ISSUANCE, cause=FailureCause.CANCELLED)
FETCH = t.Fetch(issuance_id=ISSUANCE, piece=0)


@pytest.fixture
def desk() -> Desk:
    """A desk with the usual visit authenticated."""
    made = Desk()
    made.authenticated()
    return made


def test_pieces_are_given_until_the_whole_is_held(desk: Desk) -> None:
    """Any piece, any number of times, in the one state in which the server has the body."""
    desk.ask(applying())
    assert ReplyCode.OUT_OF_ORDER is desk.code(FETCH)
    assert ReplyCode.OUT_OF_ORDER is desk.code(HELD)
    desk.give(rendered())
    for piece in (0, 8, 0):
        answer = desk.ask(t.Fetch(issuance_id=ISSUANCE, piece=piece))
        assert isinstance(answer, e.ReplyPiece)
        assert (ISSUANCE, piece) == (answer.issuance_id, answer.piece)
    desk.ask(HELD)

    assert ReplyCode.OUT_OF_ORDER is desk.code(FETCH)


def test_held_erases_the_body_once(desk: Desk) -> None:
    """The digest must be that of what was sealed; repeats in later states are acknowledged."""
    desk.ask(applying())
    desk.give(rendered())
    wrong = t.Held(issuance_id=ISSUANCE, sealed_digest=bytes(32))
    assert ReplyCode.KEY_REUSED is desk.code(wrong)
    assert t.Acknowledged(state="sealed") == desk.ask(HELD)
    assert [e.EraseBody(issuance_id=ISSUANCE)] == desk.asked_for(e.EraseBody)
    assert t.Acknowledged(state="sealed") == desk.ask(HELD)
    assert [] == desk.asked_for(e.EraseBody)
    desk.ask(RELEASE)

    assert t.Acknowledged(state="released") == desk.ask(HELD)
    assert 1 == len(desk.written(r.CiphertextHeld))


def test_release_is_answered_alike_while_it_is_printed(desk: Desk) -> None:
    """Key and binding are rebuilt for every repeat; another amount is another content."""
    desk.reach(S.SEALED)
    first = desk.ask(RELEASE)
    assert isinstance(first, e.ReplyReleased)
    assert (TERMINAL, ISSUANCE) == (first.terminal, first.issuance_id)
    assert [200] == [fields["fee_yen"] for fields in desk.logged("issuance.released")]
    assert isinstance(desk.ask(RELEASE), e.ReplyReleased)
    other = t.Release(issuance_id=ISSUANCE, amount_yen=300)
    assert ReplyCode.KEY_REUSED is desk.code(other)

    assert 1 == len(desk.written(r.IssuanceReleased))


@pytest.mark.parametrize("state", [S.PRINTED, S.PRINT_FAILED, S.UNCONFIRMED])
def test_release_is_not_answered_again_after_the_printing(desk: Desk, state: S) -> None:
    """Nobody gets the key a second time once the paper is out, or nobody knows.

    Nor is anybody told that it has ended: a terminal that still waits owes a report.
    """
    if state is S.UNCONFIRMED:
        desk.reach(S.RELEASED)
        desk.pass_time(5 * MINUTE_MS)
    else:
        desk.reach(state)
    assert state is desk.issuance_state()

    assert ReplyCode.OUT_OF_ORDER is desk.code(RELEASE)


def test_wrong_amount_changes_nothing(desk: Desk) -> None:
    """Too little or too much: refused, and the right amount still releases."""
    desk.reach(S.SEALED)
    for amount_yen in (0, 199, 201):
        wrong = t.Release(issuance_id=ISSUANCE, amount_yen=amount_yen)
        assert ReplyCode.AMOUNT_WRONG is desk.code(wrong)
        assert [] == desk.asked_for(e.Write)

    assert isinstance(desk.ask(RELEASE), e.ReplyReleased)


def test_release_before_the_ciphertext_is_held_is_out_of_order(desk: Desk) -> None:
    """No key leaves before the terminal has said that it holds the whole."""
    desk.ask(applying())
    assert ReplyCode.OUT_OF_ORDER is desk.code(RELEASE)
    desk.give(rendered())

    assert ReplyCode.OUT_OF_ORDER is desk.code(RELEASE)


@pytest.mark.parametrize(
    ("holder", "code"),
    [
        (replace(HOLDER, register_version=8), ReplyCode.DATA_CHANGED),
        (replace(HOLDER, suppressions=SUPPRESSED), ReplyCode.NOT_ISSUED_HERE),
        (replace(HOLDER, register_age_ms=11 * MINUTE_MS), ReplyCode.REGISTER_STALE),
        (None, ReplyCode.NOT_ISSUED_HERE),
    ],
)
def test_last_check_withdraws(desk: Desk, holder: Any, code: ReplyCode) -> None:
    """What changed between quotation and release: no key leaves, key and numbers go."""
    desk.reach(S.SEALED)
    desk.holder = holder

    assert code is desk.code(RELEASE)
    assert S.WITHDRAWN is desk.issuance_state()
    assert [e.DropKey(issuance_id=ISSUANCE)] == desk.asked_for(e.DropKey)
    desk.holder = HOLDER
    assert code is desk.code(RELEASE)
    assert [] == desk.written(r.IssuanceReleased)


def test_expired_quotation_withdraws(desk: Desk) -> None:
    """At the very end of its ten minutes, even if the switch was not woken yet."""
    desk.reach(S.SEALED)
    desk.real_ms += QUOTATION_MS_MAX

    assert ReplyCode.QUOTATION_EXPIRED is desk.code(RELEASE)


@pytest.mark.parametrize(
    ("seconds", "released"), [(0, True), (599, True), (600, False)], ids=["closed", "late", "over"]
)
def test_release_has_ten_minutes_grace_after_closing(seconds: int, *, released: bool) -> None:
    """What was applied for at 22:59:50 may be released until 23:10, and not at 23:10.

    It is quoted after closing, so that the quotation's own ten minutes would last longer.
    """
    desk = Desk(business_ms=business_ms(2026, 11, 30, 22, 59) + 50_000)
    desk.authenticated()
    desk.ask(applying())
    desk.pass_time(20_000)
    ref = desk.ask_ref(applying())
    desk.give(rendered())
    quotation = desk.answer(ref)
    desk.ask(HELD)
    desk.real_ms += seconds * 1_000 - 10_000
    desk.business_ms += seconds * 1_000 - 10_000
    answer = desk.ask(RELEASE)

    assert isinstance(quotation, t.Quotation)
    assert 590_000 == quotation.valid_ms
    assert released is isinstance(answer, e.ReplyReleased)
    if not released:
        assert t.Refused(code=ReplyCode.OUT_OF_HOURS) == answer


def test_quotation_ends_with_its_ten_minutes_long_before_closing(desk: Desk) -> None:
    """In the middle of the day the closing does not matter."""
    desk.reach(S.SEALED)
    desk.real_ms += 10 * MINUTE_MS
    desk.business_ms += 10 * MINUTE_MS

    assert ReplyCode.QUOTATION_EXPIRED is desk.code(RELEASE)


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED, S.SEALED])
def test_cancelling_before_the_release_withdraws(desk: Desk, state: S) -> None:
    """Body and key go, the numbers stay void, the apply that waits is told."""
    desk.reach(state)
    ref = desk.ask_ref(applying()) if state is S.APPLIED else None
    assert t.Acknowledged(state="withdrawn") == desk.ask(CANCEL)

    assert ref is None or t.Refused(code=ReplyCode.ENDED) == desk.answer(ref)
    assert [e.EraseBody(issuance_id=ISSUANCE)] == desk.asked_for(e.EraseBody)
    assert (state is not S.APPLIED) is bool(desk.asked_for(e.DropKey))
    assert t.Acknowledged(state="withdrawn") == desk.ask(CANCEL)
    assert 1 == len(desk.written(r.IssuanceWithdrawn))


@pytest.mark.parametrize("state", [S.RELEASED, S.PRINTED, S.PRINT_FAILED])
def test_nothing_is_cancelled_after_the_release(desk: Desk, state: S) -> None:
    """The key is out; only a report settles it."""
    desk.reach(state)

    assert ReplyCode.OUT_OF_ORDER is desk.code(CANCEL)
    assert state is desk.issuance_state()


WITH_SEALS = read_tables(tables_toml({Kind.JUMINHYO: 200, Kind.INKAN: 200}))
WITH_SEAL = replace(HOLDER, record_versions={Kind.INKAN: 3})
NEW_SEAL = replace(HOLDER, record_versions={Kind.INKAN: 4})


def sealed_inkan() -> Desk:
    """Return a desk where a seal's certificate is in the terminal's hand."""
    desk = Desk(tables=WITH_SEALS, holder=WITH_SEAL)
    desk.authenticated()
    desk.ask(applying(kind=Kind.INKAN))
    desk.give(rendered(record_version=3))
    desk.ask(HELD)
    return desk


@pytest.mark.parametrize(
    ("holder", "code"),
    [(NEW_SEAL, ReplyCode.DATA_CHANGED), (HOLDER, ReplyCode.SEAL_NOT_REGISTERED)],
    ids=["another seal", "no seal any more"],
)
def test_record_that_changed_is_not_released(holder: HolderFacts, code: ReplyCode) -> None:
    """The household is as it was, but the seal is not: the last check sees it."""
    desk = sealed_inkan()
    desk.holder = holder

    assert code is desk.code(RELEASE)
    assert [] == desk.written(r.IssuanceReleased)


def test_record_of_another_kind_does_not_matter() -> None:
    """A new tax record is no reason to refuse a seal's certificate."""
    desk = sealed_inkan()
    desk.holder = replace(WITH_SEAL, record_versions={Kind.INKAN: 3, Kind.KAZEI: 9})

    assert isinstance(desk.ask(RELEASE), e.ReplyReleased)


def test_record_that_changed_before_the_rendering_is_not_quoted() -> None:
    """What was rendered is another version than was applied for."""
    desk = Desk(tables=WITH_SEALS, holder=WITH_SEAL)
    desk.authenticated()
    ref = desk.ask_ref(applying(kind=Kind.INKAN))
    desk.give(rendered(record_version=4))

    assert t.Refused(code=ReplyCode.DATA_CHANGED) == desk.answer(ref)
