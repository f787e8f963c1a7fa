"""Which kinds a holder can have, as far as the registers say."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from issuance_server.core.bars import Bar
from issuance_server.core.kind_eligibility import kind_refusal, refused_kinds
from issuance_server.core.refusals import Refusal
from issuance_server.core.standing import Standing
from protocol.codes import ReplyCode
from protocol.kinds import Kind
from tests.core.made import HOLDER, RULES

TODAY = date(2026, 11, 30)
RECORDED = replace(HOLDER, record_versions=dict.fromkeys(list(Kind)[2:], 1), tax_year=2026)
OF_RESIDENCE = {Kind.JUMINHYO, Kind.KISAIJIKO}
OF_FAMILY = {Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO}


def without(*kinds: Kind) -> dict[str, Any]:
    """Return the change that takes records away."""
    left = {kind: 1 for kind in RECORDED.record_versions if kind not in kinds}
    return {"record_versions": left} | ({"tax_year": None} if Kind.KAZEI in kinds else {})


def barred(bar: Bar, *kinds: Kind) -> dict[str, Any]:
    """Return the change that bars records."""
    return {"bars": dict.fromkeys(kinds, bar)}


CASES: dict[str, tuple[dict[str, Any], Refusal, set[Kind]]] = {
    "no seal": (without(Kind.INKAN), Refusal.SEAL_NOT_REGISTERED, {Kind.INKAN}),
    "seal abolished": (
        barred(Bar.SEAL_ABOLISHED, Kind.INKAN),
        Refusal.SEAL_ABOLISHED,
        {Kind.INKAN},
    ),
    "tax not filed": (barred(Bar.TAX_NOT_FILED, Kind.KAZEI), Refusal.TAX_NOT_FILED, {Kind.KAZEI}),
    "never taxed": (
        without(Kind.KAZEI) | {"resident_since": date(2020, 1, 1)},
        Refusal.TAX_RECORD_MISSING,
        {Kind.KAZEI},
    ),
    "moved in after 1 January": (
        without(Kind.KAZEI) | {"resident_since": date(2026, 1, 2)},
        Refusal.NOT_RESIDENT_ON_1_JANUARY,
        {Kind.KAZEI},
    ),
    "moved in on 1 January": (
        without(Kind.KAZEI) | {"resident_since": date(2026, 1, 1)},
        Refusal.TAX_RECORD_MISSING,
        {Kind.KAZEI},
    ),
    "an older year": ({"tax_year": 2025}, Refusal.TAX_YEAR_NOT_LATEST, {Kind.KAZEI}),
    "register elsewhere": (without(*OF_FAMILY), Refusal.NO_FAMILY_REGISTER, OF_FAMILY),
    "filing in progress": (
        barred(Bar.FILING_IN_PROGRESS, Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN),
        Refusal.FILING_IN_PROGRESS,
        OF_FAMILY,
    ),
    "register closed": (
        barred(Bar.REGISTER_CLOSED, Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN),
        Refusal.REGISTER_CLOSED,
        OF_FAMILY,
    ),
    "another member suppressed": (
        {"member_suppressed": True},
        Refusal.MEMBER_SUPPRESSED,
        OF_RESIDENCE,
    ),
    "somebody in the register suppressed": (
        {"shows_suppressed": frozenset(OF_FAMILY)},
        Refusal.REGISTER_MEMBER_SUPPRESSED,
        OF_FAMILY,
    ),
    "another member moves out": (
        {"others": frozenset({Standing.MOVE_OUT_FILED, Standing.CURRENT})},
        Refusal.MEMBER_MOVE_OUT_FILED,
        OF_RESIDENCE,
    ),
    "another member's name is being made": (
        {"others": frozenset({Standing.CHARACTERS_PENDING})},
        Refusal.MEMBER_CHARACTERS_PENDING,
        OF_RESIDENCE,
    ),
    "head removed": (
        {"others": frozenset({Standing.DIED}), "head_removed": True},
        Refusal.HEAD_REMOVED,
        OF_RESIDENCE,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_refuses_its_kinds_and_no_other(case: str) -> None:
    """With its own word, and on the menu as well as at the application."""
    change, refusal, kinds = CASES[case]
    holder = replace(RECORDED, **change)

    assert dict.fromkeys(kinds, refusal) == refused_kinds(RULES, Kind, holder, TODAY)


def test_who_has_everything_is_refused_nothing() -> None:
    """Also beside a member who has died: the dead are not shown, and stop nothing."""
    beside = replace(RECORDED, others=frozenset({Standing.DIED, Standing.MOVED, Standing.REMOVED}))

    assert {} == refused_kinds(RULES, Kind, RECORDED, TODAY)
    assert {} == refused_kinds(RULES, Kind, beside, TODAY)


@pytest.mark.parametrize(
    ("day", "new_year_days", "latest"),
    [
        (date(2026, 5, 31), (), 2025),
        (date(2026, 6, 1), (), 2026),
        (date(2026, 6, 2), (date(2026, 6, 3),), 2025),
        (date(2026, 6, 3), (date(2026, 6, 3),), 2026),
        (date(2026, 6, 1), (date(2025, 6, 3),), 2026),
        (date(2027, 1, 4), (), 2026),
    ],
)
def test_year_offered_is_the_latest_on_the_day(
    day: date, new_year_days: tuple[date, ...], latest: int
) -> None:
    """The switch in June is the city's; in April and May the year before is the latest."""
    rules = replace(RULES, tax_year_days=new_year_days)

    def refusal(year: int) -> Refusal | None:
        return kind_refusal(rules, Kind.KAZEI, replace(RECORDED, tax_year=year), day)

    assert refusal(latest) is None
    for year in (latest - 1, latest + 1):
        assert refusal(year) is Refusal.TAX_YEAR_NOT_LATEST


def test_what_lies_on_others_is_told_to_nobody() -> None:
    """The holder's own reasons have sentences of their own; those of others have one for all."""
    of_others = {
        Refusal.MEMBER_SUPPRESSED,
        Refusal.MEMBER_MOVE_OUT_FILED,
        Refusal.MEMBER_CHARACTERS_PENDING,
        Refusal.HEAD_REMOVED,
    }
    hidden = {
        Refusal.RESIDENT_UNKNOWN,
        Refusal.RESIDENT_ELSEWHERE,
        Refusal.SUPPORTED,
        Refusal.PROVISIONALLY_SUPPORTED,
        Refusal.SUPPRESSED,
        Refusal.HOUSEHOLD_SUPPRESSED,
        Refusal.DIED,
        Refusal.REMOVED,
    }

    assert of_others | hidden == {
        refusal for refusal in Refusal if refusal.code is ReplyCode.NOT_ISSUED_HERE
    }


def test_suppressed_relative_looks_like_an_ordinary_reason() -> None:
    """For each pattern of kinds and answers there is one that has nothing to do with anybody."""

    def told(**change: Any) -> dict[Kind, ReplyCode]:
        refused = refused_kinds(RULES, Kind, replace(RECORDED, **change), TODAY)
        return {kind: refusal.code for kind, refusal in refused.items()}

    filing = barred(Bar.FILING_IN_PROGRESS, *OF_FAMILY)
    moving = {"others": frozenset({Standing.MOVE_OUT_FILED})}
    in_register = {"shows_suppressed": frozenset(OF_FAMILY)}
    at_home = {"member_suppressed": True}

    assert told(**in_register) == told(**filing)
    assert told(**at_home) == told(**moving)
    assert told(**in_register, **at_home) == told(**filing, **moving)
