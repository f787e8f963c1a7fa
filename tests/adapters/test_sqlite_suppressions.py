"""Suppressions, standings and bars in the file: what a decision reads of them, and when."""

from dataclasses import replace
from datetime import date

import pytest

from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.suppressions import lifting, setting, suppressions
from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core.bars import Bar
from issuance_server.core.facts import HolderFacts
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.standing import Standing
from issuance_server.core.suppression import (
    Ground,
    LiftedSuppression,
    NewSuppression,
    SubjectKind,
    Suppression,
    SuppressionLevel,
    SuppressionReason,
)
from issuance_server.core.switch import Needs
from protocol import telegrams as t
from protocol.kinds import Kind
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS, CityFile
from tests.core.made import (
    ISSUANCE,
    SEALED_DIGEST,
    START_REAL_MS,
    VISIT,
    applying,
    authenticating,
    rendered,
    verdict,
)

FAMILY = HOUSEHOLDS[0]
SPOUSE_ID = FAMILY.members[1].resident_id
SHOWN_TOGETHER = frozenset({Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO})
MOVES_OUT = "UPDATE resident SET standing = 'move-out-filed' WHERE resident_id = ?"
SUPPRESS = (
    "INSERT INTO suppression (suppression_id, resident_id, reason, since_ms)"
    " VALUES ('s-1', ?, 'support', 0)"
)
OF_HOLDER = Suppression(
    suppression_id="0123456789abcdef",
    subject_kind=SubjectKind.PERSON,
    subject_id=HOLDER_ID,
    reason=SuppressionReason.SUPPORT,
    since_ms=START_REAL_MS,
    until=date(2026, 11, 29),
)


async def facts_of(city: CityFile, resident_id: str = HOLDER_ID) -> HolderFacts:
    """Read a holder's facts in a transaction."""
    async with city.store.transaction() as transaction:
        facts = await transaction.facts(Needs(resident_id=resident_id), START_REAL_MS)
    assert facts.holder is not None
    return facts.holder


async def do(city: CityFile, change: i.Change) -> None:
    """Have an act done."""
    await city.give(acting(city, change))


def acting(city: CityFile, change: i.Change) -> i.ActAccepted:
    """Return an act that makes a change."""
    return i.ActAccepted(
        operator="mado-1",
        act="suppression.change",
        subject="0123456789abcdef",
        reason="asked for at the counter",
        nonce=bytes([len(city.records())]) * 16,
        change=change,
    )


async def quoted(city: CityFile) -> None:
    """Bring an issuance into the terminal's hand."""
    await city.ask(t.Begin(visit_id=VISIT, attempt=1))
    await city.give(i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=bytes(32)))
    await city.ask(authenticating())
    said = verdict(VerdictOutcome.RIGHT)
    await city.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=said))
    await city.ask(applying())
    await city.give(rendered(register_version=(await facts_of(city)).register_version))
    await city.ask(t.Held(issuance_id=ISSUANCE, sealed_digest=SEALED_DIGEST))


def release() -> t.Release:
    return t.Release(issuance_id=ISSUANCE, amount_yen=200)


async def test_set_suppression_is_in_force_and_listed(city: CityFile) -> None:
    """Also when the day that was named is over; the list says so."""
    await do(city, NewSuppression(suppression=OF_HOLDER))

    ground = Ground(SubjectKind.PERSON, SuppressionReason.SUPPORT)
    assert (ground,) == (await facts_of(city)).suppressions
    (row,) = await suppressions(Reader(city.path), "2026-11-30")
    assert (OF_HOLDER.suppression_id, "person", HOLDER_ID, "support", True, "operator") == (
        row.suppression,
        row.subject_kind,
        row.subject_id,
        row.why,
        row.past,
        row.origin,
    )
    assert not (await suppressions(Reader(city.path), "2026-11-29"))[0].past


async def test_several_lie_on_one_subject_until_each_is_lifted(city: CityFile) -> None:
    """An alert refuses as an error does; the household's counts for every member."""
    alert = replace(
        OF_HOLDER,
        suppression_id="1111111111111111",
        reason=SuppressionReason.OTHER,
        level=SuppressionLevel.ALERT,
    )
    of_household = replace(
        alert,
        suppression_id="2222222222222222",
        subject_kind=SubjectKind.HOUSEHOLD,
        subject_id=FAMILY.household_id,
    )
    for one in (OF_HOLDER, alert, of_household):
        await do(city, NewSuppression(suppression=one))

    assert 3 == len((await facts_of(city)).suppressions)
    assert 1 == len((await facts_of(city, SPOUSE_ID)).suppressions)
    for number, one in enumerate((OF_HOLDER, of_household, alert), start=1):
        await do(city, LiftedSuppression(suppression_id=one.suppression_id))
        assert 3 - number == len((await facts_of(city)).suppressions)
    assert not (await facts_of(city)).suppressed


async def test_suppression_between_quotation_and_release_withdraws(city: CityFile) -> None:
    """From its commit on no page is released; the terminal is not told why."""
    await quoted(city)
    await do(city, NewSuppression(suppression=OF_HOLDER))

    assert "NOT_ISSUED_HERE" == (await city.ask(release())).code.name
    await do(city, LiftedSuppression(suppression_id=OF_HOLDER.suppression_id))
    assert "NOT_ISSUED_HERE" == (await city.ask(release())).code.name
    life = await Queries(city.path).life(ISSUANCE)
    assert "supported" == life[-1].details["refusal"], "whoever may read the journal can see why"
    assert [("withdrawn", "void")] == city.rows(
        "SELECT i.state, n.state FROM issuance i JOIN certificate_number n USING (issuance_id)"
    )


@pytest.mark.parametrize("first", ["suppression", "release"])
async def test_order_within_one_commit_decides(city: CityFile, first: str) -> None:
    """Both come in one group: what is later sees what is earlier."""
    await quoted(city)
    asked = city.input(release())
    act = acting(city, NewSuppression(suppression=OF_HOLDER))
    left = await city.give(*((act, asked) if first == "suppression" else (asked, act)))
    released = [effect for effect in left if isinstance(effect, e.ReplyReleased)]

    assert (first == "release") is bool(released)


@pytest.mark.parametrize(
    ("sql", "whose", "code"),
    [
        ("UPDATE resident SET standing = 'died' WHERE resident_id = ?", HOLDER_ID, 3003),
        ("UPDATE resident SET standing = 'moved' WHERE resident_id = ?", HOLDER_ID, 3023),
        (MOVES_OUT, HOLDER_ID, 3021),
        (MOVES_OUT, SPOUSE_ID, 3003),
        ("UPDATE resident SET birth_on = '2011-12-02' WHERE resident_id = ?", HOLDER_ID, 3005),
        (SUPPRESS, HOLDER_ID, 3003),
        (SUPPRESS, SPOUSE_ID, 3003),
    ],
)
async def test_change_of_the_register_between_quotation_and_release_withdraws(
    city: CityFile, sql: str, whose: str, code: int
) -> None:
    """The release reads the register in its own transaction, whoever changed it."""
    await quoted(city)
    city.change(sql, whose)

    assert code == (await city.ask(release())).code.value


async def test_what_lies_on_others_is_read(city: CityFile) -> None:
    """Of the household and of everybody in the family register, wherever they live."""
    before = await facts_of(city)
    assert (frozenset(), False) == (before.shows_suppressed, before.member_suppressed)
    sql, values = setting(replace(OF_HOLDER, subject_id=SPOUSE_ID))
    city.change(sql, *values)
    after = await facts_of(city)

    assert after.member_suppressed
    assert SHOWN_TOGETHER == after.shows_suppressed
    assert not after.suppressed
    city.change("DELETE FROM resident WHERE resident_id = ?", SPOUSE_ID)
    away = await facts_of(city)
    assert (False, SHOWN_TOGETHER) == (away.member_suppressed, away.shows_suppressed)
    sql, values = lifting(OF_HOLDER.suppression_id)
    city.change(sql, *values)
    assert frozenset() == (await facts_of(city)).shows_suppressed


async def test_removed_members_are_counted_by_nobody(city: CityFile) -> None:
    """A dead member is no choice on the menu; a dead head leaves the household unsettled."""
    died = "UPDATE resident SET standing = 'died' WHERE resident_id = ?"
    city.change(died, SPOUSE_ID)
    facts = await facts_of(city)

    assert len(FAMILY.members) - 1 == facts.household_members
    assert {Standing.DIED, Standing.CURRENT} == facts.others
    assert not facts.head_removed
    city.change(died, HOLDER_ID)
    assert (await facts_of(city, FAMILY.members[2].resident_id)).head_removed


async def test_bars_are_read_with_the_records(city: CityFile) -> None:
    """The seal's own; and the fiscal year of the tax record."""
    city.change(
        "UPDATE register_record SET bar = 'seal-abolished' WHERE record_id ="
        " (SELECT record_id FROM register_record_holder WHERE resident_id = ? AND kind = 'inkan')",
        HOLDER_ID,
    )
    facts = await facts_of(city)

    assert {Kind.INKAN: Bar.SEAL_ABOLISHED} == facts.bars
    assert 2026 == facts.tax_year
    assert FAMILY.members[0].became_resident_on.on == facts.resident_since
