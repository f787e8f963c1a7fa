"""本籍地利用登録: who may ask, what is kept, what is told, and which certificates follow."""

from dataclasses import replace
from datetime import date

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.asides import Applicant, CounterWords
from issuance_server.core.domicile_changes import (
    Approval,
    KnownRequest,
    Match,
    Rejection,
    RequestState,
)
from issuance_server.core.domicile_desk import usable_day
from issuance_server.core.facts import NO_HOUSEHOLD_VERSION, HolderFacts
from issuance_server.core.kind_eligibility import kind_refusal
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.refusals import Refusal
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold, RegisterDomicile
from protocol.kinds import Kind
from tests.core.desk import Desk
from tests.core.made import (
    CANARIES,
    HOLDER,
    OTHER_TERMINAL,
    RULES,
    TERMINAL,
    VISIT,
    applying,
    authenticating,
)

REQUEST = b"domicile-one----"
SERIAL = "0a1b"
TYPED = RegisterDomicile(
    visit_id=VISIT,
    request_id=REQUEST,
    domicile="大阪府豊中市見本一丁目",
    register_head=CANARIES[0],
    name=CANARIES[0],
    birth="平成2年3月4日",
    phone="06-0000-0000",
)
KNOWN = KnownRequest(request_id=REQUEST, request_digest=bytes(32), state=RequestState.ACCEPTED)


def stranger(*, registered: bool = False, usable_from: date | None = None) -> Desk:
    """A desk whose visit proved to hold a certificate."""
    desk = Desk(registered=registered, usable_from=usable_from)
    desk.begun()
    desk.ask(authenticating())
    desk.judged(VerdictOutcome.RIGHT, card_ref=None, certificate_serial=SERIAL, tries_left=None)
    return desk


def test_a_good_certificate_of_a_stranger_may_ask() -> None:
    """What was typed goes beside the record, and neither into it nor into the log."""
    desk = stranger()

    told = desk.ask(TYPED)
    assert DomicileTold(request_id=REQUEST, state=DomicileState.ACCEPTED) == told
    (record,) = desk.written(r.DomicileRequested)
    assert (REQUEST, TERMINAL) == (record.request_id, record.terminal)
    (kept,) = desk.asked_for(e.KeepAside)
    assert (
        Applicant(
            request_id=REQUEST,
            certificate_serial=SERIAL,
            domicile=TYPED.domicile,
            register_head=TYPED.register_head,
            name=TYPED.name,
            birth=TYPED.birth,
            phone=TYPED.phone,
        )
        == kept.aside
    )
    assert SERIAL.encode() not in r.encode_record(record)
    assert [{"request": REQUEST.hex(), "terminal": TERMINAL}] == desk.logged("domicile.requested")
    assert all(canary not in repr((TYPED, kept, told)) for canary in CANARIES)


def test_a_repeat_gets_the_same_answer_and_other_content_none() -> None:
    """Also after a restart would the store know the request by its id."""
    desk = stranger()
    ref = desk.ref(TYPED)
    desk.domicile = replace(KNOWN, request_digest=ref.digest)

    desk.give(i.Asked(terminal=TERMINAL, ref=ref, telegram=TYPED))
    assert DomicileTold(request_id=REQUEST, state=DomicileState.ACCEPTED) == desk.answer(ref)
    assert [] == desk.written(r.DomicileRequested)
    desk.domicile = KNOWN
    assert ReplyCode.KEY_REUSED is desk.code(TYPED)


def test_a_card_has_one_request_under_way() -> None:
    """A second one is told how the first stands; after a rejection there may be another."""
    desk = stranger()
    desk.domicile = replace(KNOWN, request_id=b"domicile-before-", state=RequestState.MATCHED)
    told = desk.ask(TYPED)
    assert isinstance(told, DomicileTold)
    assert (b"domicile-before-", DomicileState.CHECKING) == (told.request_id, told.state)
    assert [] == desk.written(r.DomicileRequested)

    desk.domicile = replace(desk.domicile, state=RequestState.REJECTED)
    again = desk.ask(TYPED)
    assert isinstance(again, DomicileTold)
    assert (REQUEST, DomicileState.ACCEPTED) == (again.request_id, again.state)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (KNOWN, DomicileTold(request_id=REQUEST, state=DomicileState.ACCEPTED)),
        (
            replace(KNOWN, state=RequestState.MATCHED),
            DomicileTold(request_id=REQUEST, state=DomicileState.CHECKING),
        ),
        (
            replace(KNOWN, state=RequestState.REJECTED, words="窓口にお越しください"),
            DomicileTold(
                request_id=REQUEST, state=DomicileState.REJECTED, words="窓口にお越しください"
            ),
        ),
    ],
)
def test_the_applicant_is_told_how_it_stands(known: KnownRequest, told: DomicileTold) -> None:
    """Each state has its word; the counter's own words come with a rejection."""
    desk = stranger()
    desk.domicile = known

    assert told == desk.ask(AskDomicile(visit_id=VISIT))


def test_who_is_approved_and_waits_may_ask_from_when() -> None:
    """The card is known by then, and not yet taken."""
    desk = stranger(registered=True, usable_from=date(2026, 12, 7))
    desk.domicile = replace(KNOWN, state=RequestState.APPROVED, usable_from=date(2026, 12, 7))

    told = desk.ask(AskDomicile(visit_id=VISIT))
    assert isinstance(told, DomicileTold)
    assert "2026-12-07" == told.usable_from
    assert ReplyCode.OUT_OF_ORDER is desk.code(TYPED)


def test_a_card_that_was_withdrawn_may_ask_anew() -> None:
    """It was registered once, and is not known any more."""
    desk = stranger()
    desk.domicile = replace(
        KNOWN,
        request_id=b"domicile-before-",
        state=RequestState.APPROVED,
        usable_from=date(2026, 12, 7),
    )

    assert ReplyCode.CARD_NOT_REGISTERED_HERE is desk.code(AskDomicile(visit_id=VISIT))
    told = desk.ask(TYPED)
    assert isinstance(told, DomicileTold)
    assert (REQUEST, DomicileState.ACCEPTED) == (told.request_id, told.state)


def test_nobody_else_may_ask() -> None:
    """Not before a certificate, not after a PIN, not for another's visit, not after the end."""
    fresh = Desk(registered=False)
    assert ReplyCode.ENDED is fresh.code(TYPED)
    fresh.begun()
    assert ReplyCode.OUT_OF_ORDER is fresh.code(TYPED)
    usual = Desk()
    usual.authenticated()
    assert ReplyCode.OUT_OF_ORDER is usual.code(TYPED)
    assert ReplyCode.OUT_OF_ORDER is usual.code(AskDomicile(visit_id=VISIT))
    desk = stranger()
    assert ReplyCode.UNKNOWN is desk.code(TYPED, terminal=OTHER_TERMINAL)
    assert ReplyCode.CARD_NOT_REGISTERED_HERE is desk.code(AskDomicile(visit_id=VISIT))
    desk.give(i.DrainBegun())
    assert ReplyCode.DRAINING is desk.code(TYPED)
    desk.ask(t.EndVisit(visit_id=VISIT))
    assert ReplyCode.ENDED is desk.code(TYPED)


def test_after_a_restart_the_person_begins_anew() -> None:
    """Which certificate it was, only memory held."""
    desk = stranger()
    desk.restart()

    assert ReplyCode.OUT_OF_ORDER is desk.code(TYPED)


def act(change: i.Change) -> i.ActAccepted:
    return i.ActAccepted(
        operator="mado-1",
        act="domicile",
        subject=REQUEST.hex(),
        reason="looked it up",
        nonce=bytes(16),
        change=change,
    )


def test_the_counters_words_stand_beside_the_record() -> None:
    """They may be personal."""
    desk = Desk()
    desk.give(act(Rejection(request_id=REQUEST, words=CANARIES[0])))

    assert [CounterWords(request_id=REQUEST, words=CANARIES[0])] == [
        kept.aside for kept in desk.asked_for(e.KeepAside)
    ]
    assert 1 == len(desk.written(r.DomicileRejected))
    assert CANARIES[0] not in repr(desk.effects[1:])


def test_what_the_counter_finds_is_on_record() -> None:
    """Who, and from when."""
    desk = Desk()
    desk.give(act(Match(request_id=REQUEST, resident_id="10000000017")))
    desk.give(act(Approval(request_id=REQUEST, usable_from=date(2026, 12, 7))))

    (matched,), (approved,) = desk.written(r.DomicileMatched), desk.written(r.DomicileApproved)
    assert ("10000000017", "mado-1") == (matched.resident_id, matched.operator)
    assert "2026-12-07" == approved.day


@pytest.mark.parametrize(
    ("approved", "usable"),
    [
        (date(2026, 11, 30), date(2026, 12, 7)),
        (date(2026, 12, 4), date(2026, 12, 11)),
        (date(2026, 12, 5), date(2026, 12, 11)),
    ],
)
def test_a_card_is_usable_about_five_business_days_later(approved: date, usable: date) -> None:
    """A Monday, a Friday, a Saturday."""
    assert usable == usable_day(approved)


def test_who_lives_elsewhere_has_the_family_register_and_nothing_else() -> None:
    """Even if another record were there."""
    holder: HolderFacts = replace(
        HOLDER,
        register_version=NO_HOUSEHOLD_VERSION,
        by_domicile=True,
        record_versions=dict.fromkeys(Kind, 7),
        tax_year=2026,
    )
    refused = {kind: kind_refusal(RULES, kind, holder, date(2026, 11, 30)) for kind in Kind}

    allowed = {Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO}
    assert allowed == {kind for kind, refusal in refused.items() if refusal is None}
    assert {Refusal.RESIDENT_ELSEWHERE} == {refused[kind] for kind in set(Kind) - allowed}


def test_an_application_for_residence_is_refused_too() -> None:
    """The menu has nothing of it, and asking all the same does not help."""
    desk = Desk(holder=replace(HOLDER, register_version=NO_HOUSEHOLD_VERSION, by_domicile=True))
    desk.authenticated()

    assert ReplyCode.NOT_ISSUED_HERE is desk.code(applying())
