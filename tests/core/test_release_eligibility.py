"""What changes between quotation and release withdraws the issuance, for every reason there is."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import records as r
from issuance_server.core.bars import Bar
from issuance_server.core.facts import HolderFacts
from issuance_server.core.refusals import Refusal
from issuance_server.core.standing import Standing
from issuance_server.core.suppression import Ground, SubjectKind, SuppressionReason
from issuance_server.core.tables.reading import read_tables
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from tests.core.desk import Desk
from tests.core.made import (
    HOLDER,
    ISSUANCE,
    SEALED_DIGEST,
    applying,
    rendered,
    tables_toml,
)

TABLES = read_tables(tables_toml(dict.fromkeys(Kind, 200)))
EVERYTHING = replace(
    HOLDER,
    record_versions=dict.fromkeys(list(Kind)[2:], 1),
    tax_year=2026,
    resident_since=date(2026, 1, 2),
)
SUPPORT = Ground(SubjectKind.PERSON, SuppressionReason.SUPPORT)
PROVISIONAL = Ground(SubjectKind.PERSON, SuppressionReason.PROVISIONAL_SUPPORT)
REQUEST = Ground(SubjectKind.PERSON, SuppressionReason.OWN_REQUEST)
INQUIRY = Ground(SubjectKind.HOUSEHOLD, SuppressionReason.RESIDENCE_INQUIRY)


def standing(of: Standing) -> dict[str, Any]:
    return {"standing": of}


def others(of: Standing) -> dict[str, Any]:
    return {"others": frozenset({of})}


def without(kind: Kind) -> dict[str, Any]:
    left = {one: 1 for one in EVERYTHING.record_versions if one is not kind}
    return {"record_versions": left}


ROWS: list[tuple[Kind, dict[str, Any] | None, Refusal]] = [
    (Kind.JUMINHYO, None, Refusal.RESIDENT_UNKNOWN),
    (Kind.JUMINHYO, {"suppressions": (SUPPORT,)}, Refusal.SUPPORTED),
    (Kind.KAZEI, {"suppressions": (PROVISIONAL,)}, Refusal.PROVISIONALLY_SUPPORTED),
    (Kind.INKAN, {"suppressions": (REQUEST,)}, Refusal.SUPPRESSED),
    (Kind.FUHYO, {"suppressions": (INQUIRY,)}, Refusal.HOUSEHOLD_SUPPRESSED),
    (Kind.JUMINHYO, {"birth_on": date(2011, 12, 2)}, Refusal.UNDER_AGE),
    (Kind.KAZEI, standing(Standing.MOVE_OUT_FILED), Refusal.MOVE_OUT_FILED),
    (Kind.INKAN, standing(Standing.CHARACTERS_PENDING), Refusal.CHARACTERS_PENDING),
    (Kind.INKAN, standing(Standing.MOVED), Refusal.MOVED),
    (Kind.JUMINHYO, standing(Standing.DIED), Refusal.DIED),
    (Kind.KOSEKI_KOJIN, standing(Standing.REMOVED), Refusal.REMOVED),
    (Kind.JUMINHYO, {"member_suppressed": True}, Refusal.MEMBER_SUPPRESSED),
    (
        Kind.FUHYO,
        {"shows_suppressed": frozenset({Kind.FUHYO})},
        Refusal.REGISTER_MEMBER_SUPPRESSED,
    ),
    (Kind.KISAIJIKO, others(Standing.MOVE_OUT_FILED), Refusal.MEMBER_MOVE_OUT_FILED),
    (Kind.JUMINHYO, others(Standing.CHARACTERS_PENDING), Refusal.MEMBER_CHARACTERS_PENDING),
    (Kind.JUMINHYO, {"head_removed": True}, Refusal.HEAD_REMOVED),
    (Kind.INKAN, without(Kind.INKAN), Refusal.SEAL_NOT_REGISTERED),
    (Kind.INKAN, {"bars": {Kind.INKAN: Bar.SEAL_ABOLISHED}}, Refusal.SEAL_ABOLISHED),
    (Kind.KAZEI, {"bars": {Kind.KAZEI: Bar.TAX_NOT_FILED}}, Refusal.TAX_NOT_FILED),
    (Kind.KAZEI, {"tax_year": None}, Refusal.NOT_RESIDENT_ON_1_JANUARY),
    (Kind.KAZEI, {"tax_year": None, "resident_since": None}, Refusal.TAX_RECORD_MISSING),
    (Kind.KAZEI, {"tax_year": 2025, "resident_since": None}, Refusal.TAX_YEAR_NOT_LATEST),
    (Kind.KOSEKI_ZENBU, without(Kind.KOSEKI_ZENBU), Refusal.NO_FAMILY_REGISTER),
    (Kind.FUHYO, {"bars": {Kind.KOSEKI_ZENBU: Bar.FILING_IN_PROGRESS}}, Refusal.FILING_IN_PROGRESS),
    (
        Kind.KOSEKI_KOJIN,
        {"bars": {Kind.KOSEKI_KOJIN: Bar.REGISTER_CLOSED}},
        Refusal.REGISTER_CLOSED,
    ),
]
"""Kind, what changes, why it is not released. None: the holder has left the register."""
NOT_AT_RELEASE = {
    Refusal.CARD_NOT_YET_USABLE,
    Refusal.MY_NUMBER_NOT_OFFERED,
    Refusal.RESIDENT_ELSEWHERE,  # of a card for life; see test_domicile_desk
}
"""The card's first day is over once the visit is open; what is asked for does not change."""


def sealed(kind: Kind) -> Desk:
    """Return a desk where the certificate is in the terminal's hand."""
    desk = Desk(tables=TABLES, holder=EVERYTHING)
    desk.authenticated()
    desk.ask(applying(kind=kind))
    desk.give(rendered(record_version=EVERYTHING.record_versions.get(kind)))
    desk.ask(t.Held(issuance_id=ISSUANCE, sealed_digest=SEALED_DIGEST))
    return desk


@pytest.mark.parametrize(("kind", "change", "refusal"), ROWS)
def test_change_before_the_release_withdraws(
    kind: Kind, change: dict[str, Any] | None, refusal: Refusal
) -> None:
    """No key leaves; the terminal gets the code, journal and log the word."""
    desk = sealed(kind)
    desk.holder = None if change is None else replace(EVERYTHING, **change)
    code = desk.code(t.Release(issuance_id=ISSUANCE, amount_yen=200))

    assert refusal.code is code
    assert IssuanceState.WITHDRAWN is desk.issuance_state()
    assert [e.DropKey(issuance_id=ISSUANCE)] == desk.asked_for(e.DropKey)
    assert [(code, refusal)] == [
        (record.code, record.refusal) for record in desk.written(r.IssuanceWithdrawn)
    ]
    assert [refusal.value] == [line["reason"] for line in desk.logged("issuance.withdrawn")]


@pytest.mark.parametrize(("kind", "change", "refusal"), ROWS)
def test_same_reasons_refuse_the_application(
    kind: Kind, change: dict[str, Any] | None, refusal: Refusal
) -> None:
    """After the menu and before the application it is found as well."""
    desk = Desk(tables=TABLES, holder=EVERYTHING)
    desk.authenticated()
    desk.holder = None if change is None else replace(EVERYTHING, **change)

    assert refusal.code is desk.code(applying(kind=kind))
    assert [refusal.value] == [line["reason"] for line in desk.logged("issuance.refused")]
    assert [refusal] == [record.refusal for record in desk.written(r.ApplicationRefused)]


@pytest.mark.parametrize(("kind", "change", "refusal"), ROWS)
def test_menu_says_it_before(kind: Kind, change: dict[str, Any] | None, refusal: Refusal) -> None:
    """Who may have nothing gets no menu; who lacks a kind finds it among what is not to be had."""
    holder: HolderFacts | None = None if change is None else replace(EVERYTHING, **change)
    desk = Desk(tables=TABLES, holder=holder)
    desk.authenticated()
    judged = desk.written(r.AttemptJudged)[-1]
    menus = desk.asked_for(e.ReplyMenu)

    if judged.code is not ReplyCode.DONE:
        assert ([], refusal, refusal.code) == (menus, judged.refusal, judged.code)
        return
    (menu,) = menus
    told = {one.kind: one.code for one in menu.unavailable}
    assert refusal.code is told[kind]
    assert set(Kind) == told.keys() | {item.kind for item in menu.items}
    assert {refusal} == {one.refusal for one in judged.withheld}


def test_every_reason_is_tried() -> None:
    """A new reason needs a row here."""
    assert set(Refusal) - NOT_AT_RELEASE == {refusal for _, _, refusal in ROWS}


def test_nothing_changed_is_released() -> None:
    """The rows above refuse for what they change."""
    for kind in Kind:
        answer = sealed(kind).ask(t.Release(issuance_id=ISSUANCE, amount_yen=200))
        assert isinstance(answer, e.ReplyReleased), kind
