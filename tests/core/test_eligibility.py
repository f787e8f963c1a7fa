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
    scopes_of,
)
from issuance_server.core.facts import Now
from issuance_server.core.refusals import Refusal
from issuance_server.core.standing import MoveOutPolicy, Standing
from issuance_server.core.suppression import (
    Ground,
    SubjectKind,
    SuppressionReason,
)
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Options, Scope
from tests.core.made import HOLDER, RULES, START_REAL_MS, SUPPRESSED, business_ms

EVERYTHING = replace(RULES, items=tuple(Item))
RECORDED = replace(HOLDER, record_versions=dict.fromkeys(list(Kind)[2:], 1), tax_year=2026)
SELF, ALL = Scope.SELF, Scope.HOUSEHOLD
NOW = Now(real_ms=START_REAL_MS, business_ms=business_ms(2026, 11, 30))
PERSON, HOUSEHOLD = SubjectKind.PERSON, SubjectKind.HOUSEHOLD


def on(year: int, month: int, day: int) -> Now:
    """Return ten o'clock of a business day."""
    return Now(real_ms=START_REAL_MS, business_ms=business_ms(year, month, day))


@pytest.mark.parametrize(
    ("born", "day", "refusal"),
    [
        (date(2011, 11, 30), date(2026, 11, 28), Refusal.UNDER_AGE),
        (date(2011, 11, 30), date(2026, 11, 29), None),
        (date(2011, 11, 30), date(2026, 11, 30), None),
        (date(2012, 2, 29), date(2027, 2, 27), Refusal.UNDER_AGE),
        (date(2012, 2, 29), date(2027, 2, 28), None),
        (date(2012, 3, 1), date(2027, 2, 27), Refusal.UNDER_AGE),
        (date(2012, 3, 1), date(2027, 2, 28), None),
        (date(2012, 1, 1), date(2026, 12, 31), None),
    ],
)
def test_fifteen_is_reached_on_the_eve_of_the_birthday(
    born: date, day: date, refusal: Refusal | None
) -> None:
    """Counted by 年齢計算法, also for who is born on 29 February, 1 March or New Year's Day."""
    holder = replace(HOLDER, birth_on=born)

    assert refusal is holder_refusal(RULES, holder, on(day.year, day.month, day.day))


def test_unknown_birthday_is_no_reason_to_refuse() -> None:
    """A card is given from fifteen on; a register entry without a day is an old one."""
    assert holder_refusal(RULES, replace(HOLDER, birth_on=None), NOW) is None


@pytest.mark.parametrize(
    ("grounds", "refusal"),
    [
        ([(PERSON, SuppressionReason.SUPPORT)], Refusal.SUPPORTED),
        ([(HOUSEHOLD, SuppressionReason.SUPPORT)], Refusal.SUPPORTED),
        ([(PERSON, SuppressionReason.PROVISIONAL_SUPPORT)], Refusal.PROVISIONALLY_SUPPORTED),
        ([(PERSON, SuppressionReason.OWN_REQUEST)], Refusal.SUPPRESSED),
        ([(HOUSEHOLD, SuppressionReason.RESIDENCE_INQUIRY)], Refusal.HOUSEHOLD_SUPPRESSED),
        ([(HOUSEHOLD, SuppressionReason.FALSE_FILING), (PERSON, SuppressionReason.OTHER)], None),
    ],
)
def test_every_suppression_refuses_with_the_one_answer_that_betrays_nobody(
    grounds: list[tuple[SubjectKind, SuppressionReason]], refusal: Refusal | None
) -> None:
    """The journal has the word; the terminal gets what a person unknown to the register gets."""
    holder = replace(HOLDER, suppressions=tuple(Ground(*ground) for ground in grounds))
    found = holder_refusal(RULES, holder, NOW)

    assert isinstance(found, Refusal)
    assert (refusal or Refusal.SUPPRESSED) is found
    unknown = holder_refusal(RULES, None, NOW)
    assert unknown is Refusal.RESIDENT_UNKNOWN
    assert found.code is unknown.code is ReplyCode.NOT_ISSUED_HERE


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"suppressions": SUPPRESSED, "register_age_ms": 10**9}, Refusal.SUPPRESSED),
        ({"suppressions": SUPPRESSED, "standing": Standing.DIED}, Refusal.SUPPRESSED),
        ({"standing": Standing.DIED, "register_age_ms": 10**9}, Refusal.DIED),
        ({"register_age_ms": 600_000}, None),
        ({"register_age_ms": 600_001}, ReplyCode.REGISTER_STALE),
        ({"register_age_ms": -60_000}, None),
        ({"register_age_ms": -60_001}, ReplyCode.REGISTER_STALE),
        ({"under_edit": True}, ReplyCode.RECORD_UNDER_EDIT),
    ],
)
def test_what_must_not_be_told_comes_first(change: dict[str, Any], refusal: Any) -> None:
    """Then the state of the copy; it may be ten minutes old, and not from the future."""
    if "suppressions" in change:
        refusal = Refusal.SUPPORTED

    assert refusal is holder_refusal(RULES, replace(HOLDER, **change), NOW)


@pytest.mark.parametrize(
    ("standing", "refusal", "code"),
    [
        (Standing.CURRENT, None, None),
        (Standing.MOVE_OUT_FILED, Refusal.MOVE_OUT_FILED, ReplyCode.MOVE_OUT_FILED),
        (Standing.CHARACTERS_PENDING, Refusal.CHARACTERS_PENDING, ReplyCode.ENTRY_PENDING),
        (Standing.MOVED, Refusal.MOVED, ReplyCode.NO_LONGER_RESIDENT),
        (Standing.DIED, Refusal.DIED, ReplyCode.NOT_ISSUED_HERE),
        (Standing.REMOVED, Refusal.REMOVED, ReplyCode.NOT_ISSUED_HERE),
    ],
)
def test_standing_of_the_holder(
    standing: Standing, refusal: Refusal | None, code: ReplyCode | None
) -> None:
    """Each has a word of its own; of the dead and the removed the terminal is told nothing."""
    found = holder_refusal(RULES, replace(HOLDER, standing=standing), NOW)

    assert refusal is found
    assert code is (found.code if isinstance(found, Refusal) else None)


@pytest.mark.parametrize(
    ("policy", "of_holder", "of_others"),
    [
        (MoveOutPolicy.HOUSEHOLD, Refusal.MOVE_OUT_FILED, Refusal.MEMBER_MOVE_OUT_FILED),
        (MoveOutPolicy.PERSON, Refusal.MOVE_OUT_FILED, None),
        (MoveOutPolicy.NOBODY, None, None),
    ],
)
def test_city_decides_what_a_filed_move_out_stops(
    policy: MoveOutPolicy, of_holder: Refusal | None, of_others: Refusal | None
) -> None:
    """By default the person everything, and the household its certificates of residence."""
    rules = replace(EVERYTHING, move_out=policy)
    filed = replace(RECORDED, standing=Standing.MOVE_OUT_FILED)
    beside = replace(RECORDED, others=frozenset({Standing.MOVE_OUT_FILED}))

    assert of_holder is holder_refusal(rules, filed, NOW)
    assert holder_refusal(rules, beside, NOW) is None
    for kind in (Kind.JUMINHYO, Kind.KISAIJIKO):
        assert of_others is application_refusal(rules, kind, Options(), beside, NOW)
    for kind in list(Kind)[2:]:
        assert application_refusal(rules, kind, Options(), beside, NOW) is None


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        (Kind.JUMINHYO, Options(), None),
        (Kind.JUMINHYO, Options(scope=Scope.HOUSEHOLD, items=(Item.DOMICILE,)), None),
        (Kind.JUMINHYO, Options(scope=Scope.SOME, members=(2, 5)), None),
        (Kind.JUMINHYO, Options(scope=Scope.SOME), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(scope=Scope.HOUSEHOLD, members=(1,)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(scope=Scope.SOME, members=(2, 6)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(scope=Scope.SOME, members=(2, 2)), ReplyCode.OPTIONS_INVALID),
        (Kind.JUMINHYO, Options(items=(Item.DOMICILE,) * 2), ReplyCode.OPTIONS_INVALID),
    ],
)
def test_application_fits_what_is_offered(
    kind: Kind, options: Options, code: ReplyCode | None
) -> None:
    """Members are chosen with *some* and only then, each once, from the household."""
    assert code is application_refusal(RULES, kind, options, HOLDER, NOW)


def test_individual_number_only_where_the_city_permits_it_and_if_asked_for() -> None:
    """By default it does not; a kind that never bears it is another mistake."""
    with_number = Options(items=(Item.MY_NUMBER,))
    here = application_refusal(RULES, Kind.JUMINHYO, with_number, RECORDED, NOW)

    assert here is Refusal.MY_NUMBER_NOT_OFFERED
    assert here.code is ReplyCode.MY_NUMBER_NOT_OFFERED
    assert application_refusal(EVERYTHING, Kind.JUMINHYO, with_number, RECORDED, NOW) is None
    seal = application_refusal(RULES, Kind.INKAN, with_number, RECORDED, NOW)
    assert seal is ReplyCode.OPTIONS_INVALID


def test_nobody_can_ask_for_a_resident_code_or_a_history() -> None:
    """住民票コード and 履歴 are not among what can be asked for, in any city."""
    assert {"relationship", "domicile", "my-number"} == {item.value for item in Item}


@pytest.mark.parametrize(
    ("kind", "scopes", "items"),
    [
        (Kind.JUMINHYO, (SELF, ALL, Scope.SOME), set(Item)),
        (Kind.KISAIJIKO, (SELF, ALL, Scope.SOME), set(Item)),
        (Kind.INKAN, (SELF,), set()),
        (Kind.KAZEI, (SELF,), set()),
        (Kind.KOSEKI_ZENBU, (SELF, ALL), set()),
        (Kind.KOSEKI_KOJIN, (SELF,), set()),
        (Kind.FUHYO, (SELF, ALL), {Item.DOMICILE}),
    ],
)
def test_each_kind_has_its_own_choices(
    kind: Kind, scopes: tuple[Scope, ...], items: set[Item]
) -> None:
    """Whatever else is chosen is refused, and the menu offers nothing that is."""

    def taken(options: Options) -> bool:
        code = application_refusal(EVERYTHING, kind, options, RECORDED, NOW)
        assert code in (None, ReplyCode.OPTIONS_INVALID)
        return code is None

    def of(scope: Scope) -> Options:
        return Options(scope=scope, members=(1,) if scope is Scope.SOME else ())

    assert scopes == tuple(scope for scope in Scope if taken(of(scope)))
    assert scopes == scopes_of(kind)
    assert items == {item for item in Item if taken(Options(items=(item,)))}
    assert items == set(items_of(EVERYTHING, kind))


def test_what_the_city_does_not_print_cannot_be_asked_for() -> None:
    """A city without 本籍 on its certificates has none on a 附票 either."""
    rules = replace(EVERYTHING, items=(Item.RELATIONSHIP,))

    assert () == items_of(rules, Kind.FUHYO)
    assert (Item.RELATIONSHIP,) == items_of(rules, Kind.JUMINHYO)


def test_holder_without_a_record_has_no_certificate_of_it() -> None:
    """No seal is registered: it is not on the menu, and asking for it leads to the counter."""
    versions: dict[Kind, int] = {
        kind: 1 for kind in RECORDED.record_versions if kind is not Kind.INKAN
    }
    holder = replace(RECORDED, record_versions=versions)

    assert set(Kind) - {Kind.INKAN} == set(kinds_for(EVERYTHING, Kind, holder, NOW))
    refusal = application_refusal(EVERYTHING, Kind.INKAN, Options(), holder, NOW)
    assert Refusal.SEAL_NOT_REGISTERED is refusal
    assert tuple(Kind) == kinds_for(EVERYTHING, Kind, RECORDED, NOW)
    assert (Kind.JUMINHYO,) == kinds_for(EVERYTHING, [Kind.JUMINHYO], RECORDED, NOW)
