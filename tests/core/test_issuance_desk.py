"""Issuances up to the release: application, quotation, fetching, holding, the last check."""

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.rules import ISSUANCES_PER_TERMINAL_MAX, ISSUANCES_UNDER_WAY_MAX
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Item, Kind, Options, Scope
from protocol.limits import QUOTATION_MS_MAX, RENDER_MS_MAX
from protocol.terminal_statements import FailureCause
from tests.core.desk import Desk
from tests.core.made import (
    CARD_REF,
    HOLDER,
    ISSUANCE,
    MINUTE_MS,
    OTHER_TERMINAL,
    RESIDENT,
    SEALED_DIGEST,
    SUPPRESSED,
    VISIT,
    applying,
    business_ms,
    rendered,
)

S = IssuanceState
SECOND = b"issuance-two----"
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


def test_application_reserves_numbers_and_renders(desk: Desk) -> None:
    """One number for each copy, the fee of all, and the register version that was read."""
    desk.next_serial = 41
    ref = desk.ask_ref(applying(copies=2))

    (applied,) = desk.written(r.IssuanceApplied)
    assert (
        "20261130 豊中市 7E-0001 001 000041",
        "20261130 豊中市 7E-0001 001 000042",
    ) == applied.numbers
    assert (400, 42, 7) == (applied.fee_yen, applied.last_serial, applied.register_version)
    assert (CARD_REF, RESIDENT) == (applied.card_ref, applied.resident_id)
    assert ref.digest == applied.request_digest
    assert [e.Render(issuance_id=ISSUANCE)] == desk.asked_for(e.Render)
    assert desk.answer(ref) is None
    assert 1 == len(desk.logged("issuance.applied"))


def test_quotation_goes_to_the_latest_copy(desk: Desk) -> None:
    """Repeats while it is rendered wait; afterwards each gets the same quotation, less the time."""
    desk.ask(applying())
    second = desk.ask_ref(applying())
    assert [] == desk.effects
    desk.give(rendered())
    quotation = t.Quotation(
        issuance_id=ISSUANCE,
        fee_yen=200,
        sheets=2,
        sealed_bytes=393_232,
        sealed_digest=SEALED_DIGEST,
        pieces=9,
        valid_ms=QUOTATION_MS_MAX,
    )

    assert quotation == desk.answer(second)
    assert [e.KeepKey(issuance_id=ISSUANCE, key_day="2026-11-30", wrapped_key=b"w" * 40)] == (
        desk.asked_for(e.KeepKey)
    )
    desk.real_ms += 1_000
    again = desk.ask(applying())
    assert isinstance(again, t.Quotation)
    assert QUOTATION_MS_MAX - 1_000 == again.valid_ms
    assert 1 == len(desk.written(r.IssuanceApplied)) == len(desk.written(r.IssuanceQuoted))


def test_other_content_under_a_used_issuance_is_refused(desk: Desk) -> None:
    """In whatever state it is, the id belongs to one application."""
    desk.ask(applying())
    assert ReplyCode.KEY_REUSED is desk.code(applying(copies=2))
    desk.give(rendered())
    assert ReplyCode.KEY_REUSED is desk.code(applying(copies=2))
    desk.ask(HELD)
    assert ReplyCode.KEY_REUSED is desk.code(applying(copies=2))
    assert ReplyCode.OUT_OF_ORDER is desk.code(applying())


def test_another_terminals_issuance_is_unknown(desk: Desk) -> None:
    """Alive or ended, its id tells another terminal nothing."""
    asked: list[Any] = [applying(), FETCH, HELD, RELEASE, CANCEL]
    desk.ask(applying())
    desk.give(rendered())
    for telegram in asked:
        assert ReplyCode.UNKNOWN is desk.code(telegram, terminal=OTHER_TERMINAL)
    desk.ask(CANCEL)
    for telegram in asked:
        assert ReplyCode.UNKNOWN is desk.code(telegram, terminal=OTHER_TERMINAL)


def test_issuance_that_never_was_is_unknown(desk: Desk) -> None:
    """Nothing but an application makes one."""
    for telegram in (FETCH, HELD, RELEASE, CANCEL):
        assert ReplyCode.UNKNOWN is desk.code(telegram)


def test_withdrawn_issuance_says_why(desk: Desk) -> None:
    """Whoever asks again for something of it gets the code of the withdrawal."""
    desk.ask(applying())
    ref = desk.ask_ref(applying())
    desk.give(rendered(register_version=8))

    changed = t.Refused(code=ReplyCode.DATA_CHANGED)
    assert changed == desk.answer(ref)
    for telegram in (applying(), FETCH, HELD, RELEASE):
        assert changed == desk.ask(telegram)
    assert t.Acknowledged(state="withdrawn") == desk.ask(CANCEL)
    assert 1 == len(desk.written(r.IssuanceWithdrawn))


def test_ended_issuance_has_ended(desk: Desk) -> None:
    """After the deletion a repeated release gets *ended*, and so does anything else."""
    desk.reach(S.COMPLETED)

    for telegram in (applying(), FETCH, HELD, RELEASE):
        assert ReplyCode.ENDED is desk.code(telegram)
    assert t.Acknowledged(state="completed") == desk.ask(CANCEL)


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"suppressions": SUPPRESSED}, ReplyCode.NOT_ISSUED_HERE, "supported"),
        ({"birth_on": date(2011, 12, 2)}, ReplyCode.UNDER_AGE, "under-age"),
        (
            {"register_age_ms": 10 * MINUTE_MS + 1},
            ReplyCode.REGISTER_STALE,
            "REGISTER_STALE",
        ),
    ],
)
def test_holder_is_looked_at_again(
    desk: Desk, change: dict[str, Any], code: ReplyCode, word: str
) -> None:
    """What changed since the menu refuses the application, once and for all its repeats."""
    desk.holder = replace(HOLDER, **change)
    assert code is desk.code(applying())
    assert [word] == [fields["reason"] for fields in desk.logged("issuance.refused")]
    desk.holder = HOLDER

    assert code is desk.code(applying())
    assert 1 == len(desk.written(r.ApplicationRefused))
    assert [] == desk.written(r.IssuanceApplied)
    desk.restart()
    assert code is desk.code(applying())


def test_holder_who_left_the_register_gets_nothing(desk: Desk) -> None:
    """The same code as for a suppressed holder."""
    desk.holder = None

    assert ReplyCode.NOT_ISSUED_HERE is desk.code(applying())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": Kind.INKAN}, ReplyCode.KIND_NOT_OFFERED),
        ({"options": Options(scope=Scope.SOME)}, ReplyCode.OPTIONS_INVALID),
        ({"options": Options(members=(1,))}, ReplyCode.OPTIONS_INVALID),
        ({"options": Options(scope=Scope.SOME, members=(1, 1))}, ReplyCode.OPTIONS_INVALID),
        ({"options": Options(scope=Scope.SOME, members=(6,))}, ReplyCode.OPTIONS_INVALID),
        ({"options": Options(items=(Item.MY_NUMBER,))}, ReplyCode.MY_NUMBER_NOT_OFFERED),
        ({"options": Options(items=(Item.DOMICILE,) * 2)}, ReplyCode.OPTIONS_INVALID),
    ],
)
def test_application_must_fit(desk: Desk, change: dict[str, Any], code: ReplyCode) -> None:
    """A kind that is not offered, members or items that are not to be had."""
    assert code is desk.code(applying(**change))


def test_application_for_some_members_fits(desk: Desk) -> None:
    """The first and the last of the household, with both items."""
    options = Options(scope=Scope.SOME, members=(1, 5), items=(Item.RELATIONSHIP, Item.DOMICILE))
    desk.ask(applying(options=options))

    assert S.APPLIED is desk.issuance_state()


def test_nothing_is_applied_for_after_closing(desk: Desk) -> None:
    """The visit had begun in time, the application comes after 23:00."""
    desk.business_ms = business_ms(2026, 11, 30, 23)

    assert ReplyCode.OUT_OF_HOURS is desk.code(applying())


def test_application_needs_the_terminals_own_authenticated_visit(desk: Desk) -> None:
    """Unknown, another terminal's, not authenticated and ended visits open nothing."""
    assert ReplyCode.ENDED is desk.code(applying(visit_id=b"never begun-----"))
    assert ReplyCode.UNKNOWN is desk.code(applying(), terminal=OTHER_TERMINAL)
    other = b"visit-two-------"
    desk.ask(t.Begin(visit_id=other, attempt=1))
    assert ReplyCode.OUT_OF_ORDER is desk.code(applying(visit_id=other))
    desk.ask(t.EndVisit(visit_id=VISIT))
    assert ReplyCode.ENDED is desk.code(applying())
    assert [] == desk.written(r.ApplicationRefused)


def test_issuance_outlives_its_visit(desk: Desk) -> None:
    """The card has left; what was applied for is quoted and released all the same."""
    desk.ask(applying())
    desk.ask(t.EndVisit(visit_id=VISIT))
    desk.give(rendered())
    desk.ask(HELD)

    assert isinstance(desk.ask(RELEASE), e.ReplyReleased)


def test_ten_issuances_are_one_visits_limit(desk: Desk) -> None:
    """Refused applications count as well; another visit starts afresh."""
    for number in range(9):
        desk.ask(applying(b"%016d" % number))
    desk.ask(applying(kind=Kind.INKAN))

    assert ReplyCode.LIMIT_REACHED is desk.code(applying(b"the eleventh----"))
    assert ReplyCode.KIND_NOT_OFFERED is desk.code(applying(kind=Kind.INKAN))


def test_too_many_issuances_are_told_to_wait(desk: Desk) -> None:
    """Beyond the bound a new one is busy; those under way go on."""
    desk.ask(applying())
    applied = msgspec.structs.replace(
        desk.state.issuances[ISSUANCE].applied, terminal=OTHER_TERMINAL
    )
    issuance = msgspec.structs.replace(desk.state.issuances[ISSUANCE], applied=applied)
    for number in range(ISSUANCES_UNDER_WAY_MAX - 1):
        desk.state.issuances[b"%016d" % number] = issuance
        desk.folded.issuances[b"%016d" % number] = issuance

    assert ReplyCode.BUSY is desk.code(applying(b"one too many----"))
    desk.give(rendered())
    assert S.QUOTED is desk.issuance_state()


def test_one_terminals_issuances_are_bounded_until_their_release(desk: Desk) -> None:
    """It cannot take the places of the others; what is owed afterwards keeps nobody out."""
    desk.reach(S.RELEASED, SECOND)
    for number in range(ISSUANCES_PER_TERMINAL_MAX):
        if number % 8 == 0:
            visit_id = b"visit %010d" % number
            desk.authenticated(visit_id)
        desk.ask(applying(b"%016d" % number, visit_id=visit_id))
    assert ReplyCode.BUSY is desk.code(applying())
    desk.ask(t.Cancel(issuance_id=bytes(b"%016d" % 0), cause=FailureCause.CANCELLED))

    assert desk.ask(applying()) is None
    assert S.APPLIED is desk.issuance_state()


def test_register_that_moved_since_the_menu_is_told(desk: Desk) -> None:
    """The members' numbers may be others by now: the resident starts again."""
    desk.holder = replace(HOLDER, register_version=8)

    assert ReplyCode.DATA_CHANGED is desk.code(applying())
    assert [ReplyCode.DATA_CHANGED] == [
        record.code for record in desk.written(r.ApplicationRefused)
    ]


def test_id_of_a_visit_is_no_issuances(desk: Desk) -> None:
    """Ids are made by terminals; one that is used already opens nothing."""
    assert ReplyCode.KEY_REUSED is desk.code(applying(VISIT))


def test_draining_takes_no_new_issuance(desk: Desk) -> None:
    """Those under way go to their end."""
    desk.ask(applying())
    desk.give(i.DrainBegun())
    assert ReplyCode.DRAINING is desk.code(applying(b"another---------"))
    desk.give(rendered())
    desk.ask(HELD)

    assert isinstance(desk.ask(RELEASE), e.ReplyReleased)


@pytest.mark.parametrize("code", [ReplyCode.CANNOT_BE_PRINTED, ReplyCode.RENDERING_FAILED])
def test_failed_rendering_withdraws(desk: Desk, code: ReplyCode) -> None:
    """The resident is told whether it lies in the record; the log has the reason."""
    failed = i.RenderingFailed(issuance_id=ISSUANCE, code=code, reason="missing-glyph")
    ref = desk.ask_ref(applying())
    desk.give(failed)

    assert t.Refused(code=code) == desk.answer(ref)
    assert ["missing-glyph"] == [f["reason"] for f in desk.logged("issuance.withdrawn")]
    assert code is desk.code(applying())
    assert [] == desk.give(failed)


def test_rendering_that_takes_too_long_withdraws(desk: Desk) -> None:
    """Who waits is told that it could not be made; what is rendered later is erased."""
    ref = desk.ask_ref(applying())
    desk.pass_time(RENDER_MS_MAX)

    assert t.Refused(code=ReplyCode.RENDERING_FAILED) == desk.answer(ref)
    assert [e.EraseBody(issuance_id=ISSUANCE)] == desk.give(rendered())
