"""Who may have a certificate here and now, and what may be asked for."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from issuance_server.core.eligibility import (
    application_refusal,
    holder_refusal,
    items_of,
    kinds_for,
    service_refusal,
)
from issuance_server.core.facts import Now
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Options, Scope
from tests.core.made import HOLDER, RULES, START_REAL_MS, SUPPRESSED, business_ms

FEES_YEN = dict.fromkeys(Kind, 200)
EVERYTHING = replace(RULES, fees_yen=FEES_YEN, items=tuple(Item))
RECORDED = replace(HOLDER, record_versions=dict.fromkeys(list(Kind)[2:], 1))
SELF, ALL = Scope.SELF, Scope.HOUSEHOLD
NOW = Now(real_ms=START_REAL_MS, business_ms=business_ms(2026, 11, 30))


@pytest.mark.parametrize(
    ("day", "code"),
    [(28, ReplyCode.UNDER_AGE), (29, None), (30, None)],
    ids=["two days before", "eve", "birthday"],
)
def test_fifteen_is_reached_on_the_eve_of_the_birthday(day: int, code: ReplyCode | None) -> None:
    """Born on 30 November 2011: refused on the 28th, served on the 29th of November 2026."""
    holder = replace(HOLDER, birth_on=date(2011, 11, 30))
    now = Now(real_ms=START_REAL_MS, business_ms=business_ms(2026, 11, day))

    assert code is holder_refusal(RULES, holder, now)


def test_unknown_birthday_is_no_reason_to_refuse() -> None:
    """A card is given from fifteen on; a register entry without a day is an old one."""
    assert holder_refusal(RULES, replace(HOLDER, birth_on=None), NOW) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"suppressions": SUPPRESSED}, ReplyCode.NOT_ISSUED_HERE),
        ({"suppressions": SUPPRESSED, "register_age_ms": 10**9}, ReplyCode.NOT_ISSUED_HERE),
        ({"register_age_ms": 600_000}, None),
        ({"register_age_ms": 600_001}, ReplyCode.REGISTER_STALE),
        ({"register_age_ms": -60_000}, None),
        ({"register_age_ms": -60_001}, ReplyCode.REGISTER_STALE),
    ],
)
def test_suppression_and_staleness_refuse(change: dict[str, Any], code: ReplyCode | None) -> None:
    """The suppression first; the copy may be ten minutes old, and not from the future."""
    assert code is holder_refusal(RULES, replace(HOLDER, **change), NOW)


def test_unknown_holder_is_as_a_suppressed_one() -> None:
    """Neither answer betrays the other."""
    assert ReplyCode.NOT_ISSUED_HERE is holder_refusal(RULES, None, NOW)


def test_closed_service_refuses() -> None:
    """And an open one does not."""
    night = Now(real_ms=START_REAL_MS, business_ms=business_ms(2026, 11, 30, 3))

    assert ReplyCode.OUT_OF_HOURS is service_refusal(RULES, night)
    assert service_refusal(RULES, NOW) is None


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        (Kind.JUMINHYO, Options(), None),
        (Kind.JUMINHYO, Options(scope=Scope.HOUSEHOLD, items=(Item.DOMICILE,)), None),
        (Kind.JUMINHYO, Options(scope=Scope.SOME, members=(2, 5)), None),
        (Kind.KAZEI, Options(), ReplyCode.KIND_NOT_OFFERED),
        (Kind.JUMINHYO, Options(scope=Scope.SOME), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(scope=Scope.HOUSEHOLD, members=(1,)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(scope=Scope.SOME, members=(2, 6)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(scope=Scope.SOME, members=(2, 2)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(items=(Item.MY_NUMBER,)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(items=(Item.DOMICILE,) * 2), ReplyCode.OPTIONS_INVALID),
    ],
)
def test_application_fits_what_is_offered(
    kind: Kind, options: Options, code: ReplyCode | None
) -> None:
    """Members are chosen with *some* and only then, each once, from the household."""
    assert code is application_refusal(RULES, kind, options, HOLDER)


@pytest.mark.parametrize(
    ("kind", "scopes", "items"),
    [
        (Kind.JUMINHYO, {SELF, ALL}, set(Item)),
        (Kind.KISAIJIKO, {SELF, ALL}, set(Item)),
        (Kind.INKAN, {SELF}, set()),
        (Kind.KAZEI, {SELF}, set()),
        (Kind.KOSEKI_ZENBU, {SELF, ALL}, set()),
        (Kind.KOSEKI_KOJIN, {SELF}, set()),
        (Kind.FUHYO, {SELF, ALL}, {Item.DOMICILE}),
    ],
)
def test_each_kind_has_its_own_choices(kind: Kind, scopes: set[Scope], items: set[Item]) -> None:
    """Whatever else is chosen is refused; a part of the household only of the resident register."""

    def taken(options: Options) -> bool:
        code = application_refusal(EVERYTHING, kind, options, RECORDED)
        assert code in (None, ReplyCode.OPTIONS_INVALID)
        return code is None

    assert scopes == {scope for scope in (SELF, ALL) if taken(Options(scope=scope))}
    assert items == {item for item in Item if taken(Options(items=(item,)))}
    assert items == set(items_of(EVERYTHING, kind))
    some = kind in (Kind.JUMINHYO, Kind.KISAIJIKO)
    assert some is taken(Options(scope=Scope.SOME, members=(1,)))


def test_what_the_city_does_not_print_cannot_be_asked_for() -> None:
    """A city without 本籍 on its certificates has none on a 附票 either."""
    rules = replace(EVERYTHING, items=(Item.RELATIONSHIP,))

    assert () == items_of(rules, Kind.FUHYO)
    assert (Item.RELATIONSHIP,) == items_of(rules, Kind.JUMINHYO)


def test_holder_without_a_record_has_no_certificate_of_it() -> None:
    """No seal is registered: it is not on the menu, and asking for it leads to the counter."""
    versions = {kind: 1 for kind in RECORDED.record_versions if kind is not Kind.INKAN}
    holder = replace(HOLDER, record_versions=versions)

    assert set(Kind) - {Kind.INKAN} == set(kinds_for(EVERYTHING, holder))
    refusal = application_refusal(EVERYTHING, Kind.INKAN, Options(), holder)
    assert ReplyCode.NOT_ISSUED_HERE is refusal
    assert tuple(Kind) == kinds_for(EVERYTHING, RECORDED)
    assert (Kind.JUMINHYO,) == kinds_for(RULES, RECORDED)
    unoffered = application_refusal(RULES, Kind.INKAN, Options(), holder)
    assert ReplyCode.KIND_NOT_OFFERED is unoffered
