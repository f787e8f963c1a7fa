"""Changes on a file: what they write, what they leave as it was, and what a release sees."""

from typing import Any

import pytest

from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core import register_feed as f
from issuance_server.core.facts import HolderFacts
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.record_holders import record_key
from issuance_server.core.suppression import SubjectKind
from issuance_server.core.switch import Needs
from protocol import telegrams as t
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS, RECORDS, CityFile
from tests.core.changes import change, edit, moved_in, remarked, suppression, without
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

A, B, C = HOUSEHOLDS
SPOUSE_ID = A.members[1].resident_id
SEAL = RECORDS[HOLDER_ID, Kind.INKAN]


async def feed(city: CityFile, *changes: f.AnyChange) -> None:
    """Take changes, as an operator's act that was checked."""
    city.counter += 1
    act = i.ActAccepted(
        operator="mado-1",
        act="register.feed",
        subject="1-1",
        reason="regular",
        nonce=city.counter.to_bytes(16),
        change=f.Placed(changes=changes, skipped=0),
    )
    await city.give(act)


async def facts(city: CityFile, resident_id: str = HOLDER_ID) -> HolderFacts | None:
    """Return what a decision would read."""
    async with city.store.transaction() as transaction:
        read = await transaction.facts(Needs(resident_id=resident_id), city.clock.real_ms)
    return read.holder


async def version(city: CityFile, resident_id: str = HOLDER_ID) -> int:
    """Return the version of a resident's household."""
    holder = await facts(city, resident_id)
    assert holder is not None
    return holder.register_version


def households(sequence: int, *put: Any, removed: tuple[str, ...] = ()) -> f.HouseholdsChanged:
    """Return a change of households."""
    return change(f.HouseholdsChanged, sequence, put=put, removed=removed)


async def test_changed_household_gets_a_version_that_was_never_used(city: CityFile) -> None:
    """Also when it changes back; what is put unchanged keeps its version."""
    seen = [await version(city)]
    await feed(city, households(1, A))
    assert seen == [await version(city)]
    for sequence, household in enumerate((remarked(A), A, remarked(A)), start=2):
        await feed(city, households(sequence, household))
        seen.append(await version(city))
    await feed(city, households(5, removed=(A.household_id,)))
    assert await facts(city) is None
    await feed(city, households(6, A))
    seen.append(await version(city))

    assert len(set(seen)) == len(seen)
    used = city.rows("SELECT version FROM household UNION SELECT version FROM register_record")
    assert city.rows("SELECT last_version FROM register_state")[0] >= max(used)


async def test_move_between_households_is_one_change(city: CityFile) -> None:
    """Nobody is in both or in none; the records of other registers stay whose they are."""
    await feed(city, households(1, moved_in(B, SPOUSE_ID, A), without(A, 1)))
    holder = await facts(city, SPOUSE_ID)

    assert holder is not None
    assert B.household_id == holder.household_id
    assert Kind.INKAN in holder.record_versions
    source = await city.store.source_of(SPOUSE_ID, Kind.INKAN)
    assert source is not None
    assert RECORDS[SPOUSE_ID, Kind.INKAN] == source.record


async def test_record_changes_for_all_its_holders(city: CityFile) -> None:
    """And is gone for all of them; the household has not changed."""
    before = await version(city)
    await feed(city, change(f.RecordRemoved, 1, key=record_key(SEAL)))
    holder = await facts(city)
    assert holder is not None
    assert Kind.INKAN not in holder.record_versions
    await feed(city, change(f.RecordPut, 2, record=SEAL))
    holder = await facts(city)
    assert holder is not None
    assert Kind.INKAN in holder.record_versions
    assert before == holder.register_version


async def test_copy_is_as_of_its_last_change(city: CityFile) -> None:
    """A heartbeat makes it young again and nothing else."""
    city.clock.pass_ms(90_000)
    later = f.Heartbeat(sequence=1, as_of=city.clock.now_utc())
    await feed(city, later)
    holder = await facts(city)

    assert holder is not None
    assert 0 == holder.register_age_ms
    fed = city.records()[-2]
    assert (
        r.RegisterFed(
            at_ms=city.clock.real_ms, first=1, sequence=1, watermark_ms=city.clock.real_ms
        )
        == fed
    )
    state = await city.store.copy_state()
    assert (1, city.clock.real_ms) == (state.sequence, state.watermark_ms)


OF_HOLDER = edit(f.EditBegun, 1, HOLDER_ID)
OF_SPOUSE = edit(f.EditBegun, 1, SPOUSE_ID)
OF_HOUSEHOLD = change(f.EditBegun, 1, subject_kind=SubjectKind.HOUSEHOLD, subject_id=A.household_id)


@pytest.mark.parametrize("begun", [OF_HOLDER, OF_SPOUSE, OF_HOUSEHOLD])
async def test_open_entry_of_a_household_holds_all_of_it(
    city: CityFile, begun: f.EditBegun
) -> None:
    """A certificate shows the others as well; another household is not concerned."""
    await feed(city, begun)
    holder, other = await facts(city), await facts(city, B.head_id)

    assert holder is not None
    assert other is not None
    assert (True, False) == (holder.under_edit, other.under_edit)


@pytest.mark.parametrize(
    ("begun", "ending", "under_edit"),
    [
        (OF_HOLDER, edit(f.EditEnded, 2, HOLDER_ID), False),
        (OF_HOLDER, edit(f.EditEnded, 2, SPOUSE_ID), True),
        (OF_HOLDER, households(2, remarked(A, 0)), False),
        (OF_SPOUSE, households(2, remarked(A, 0)), True),
        (OF_SPOUSE, households(2, without(A, 1), moved_in(B, SPOUSE_ID, A)), False),
        (OF_HOUSEHOLD, households(2, remarked(A, 0)), False),
        (OF_HOLDER, households(2, A), True),
        (OF_HOLDER, households(2, remarked(B, 0)), True),
        (OF_HOLDER, change(f.Heartbeat, 2), True),
    ],
)
async def test_edit_ends_with_its_change_or_by_its_end(
    city: CityFile, begun: f.EditBegun, ending: f.AnyChange, under_edit: bool
) -> None:
    """A change of somebody else's entry leaves it open."""
    await feed(city, begun, begun)
    await feed(city, ending)
    holder = await facts(city)

    assert holder is not None
    assert under_edit is holder.under_edit


async def test_suppression_of_the_register_comes_and_goes(city: CityFile) -> None:
    """A lift for one errand changes nothing here; journal and table say where it came from."""
    await feed(city, change(f.SuppressionNoted, 1, suppression=suppression("7", HOLDER_ID)))
    await feed(city, change(f.SuppressionEnded, 2, suppression_id="7", for_a_time=True))
    holder = await facts(city)
    assert holder is not None
    assert holder.suppressed
    assert [("register/7", "register")] == city.rows(
        "SELECT suppression_id, origin FROM suppression"
    )
    await feed(city, change(f.SuppressionEnded, 3, suppression_id="7"))
    holder = await facts(city)
    assert holder is not None
    assert not holder.suppressed


@pytest.mark.parametrize(
    ("coming", "code"),
    [
        (households(1, remarked(A, 1)), "DATA_CHANGED"),
        (households(1, removed=(A.household_id,)), "NOT_ISSUED_HERE"),
        (OF_SPOUSE, "RECORD_UNDER_EDIT"),
        (change(f.SuppressionNoted, 1, suppression=suppression("7", HOLDER_ID)), "NOT_ISSUED_HERE"),
        (households(1, remarked(B)), None),
        (households(1, A), None),
    ],
)
async def test_release_sees_what_was_fed_before_it(
    city: CityFile, coming: f.AnyChange, code: str | None
) -> None:
    """In one group with the release, and ahead of it; what is not about it does not hold it."""
    await to_sealed(city)
    asked = city.input(t.Release(issuance_id=ISSUANCE, amount_yen=200))
    act = i.ActAccepted(
        operator="mado-1",
        act="register.feed",
        subject="1-1",
        reason="regular",
        nonce=b"n" * 16,
        change=f.Placed(changes=(coming,), skipped=0),
    )
    left = await city.give(act, asked)
    answers = [effect for effect in left if getattr(effect, "ref", None) == asked.ref]
    told = getattr(answers[0], "telegram", None)

    assert code == (told.code.name if isinstance(told, t.Refused) else None)
    assert (code is None) is (
        city.state.issuances.get(ISSUANCE) is not None
        and city.state.issuances[ISSUANCE].state is IssuanceState.RELEASED
    )


@pytest.mark.parametrize("stand_in", [True, False])
async def test_release_in_stand_in_operation_bears_its_mark(city: CityFile, stand_in: bool) -> None:
    """Whoever looks through the journal afterwards finds what was issued from an old copy."""
    await to_sealed(city)
    if stand_in:
        city.change(
            "UPDATE register_state SET stand_in_since_ms = 0, stand_in_until_ms = ?,"
            " watermark_ms = 0",
            START_REAL_MS + 1,
        )
    await city.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200))
    (released,) = [one for one in city.records() if isinstance(one, r.IssuanceReleased)]

    assert stand_in is released.stand_in


async def to_sealed(city: CityFile) -> None:
    """Bring the usual issuance to where only its release is missing."""
    await city.ask(t.Begin(visit_id=VISIT, attempt=1))
    await city.give(i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=bytes(32)))
    await city.ask(authenticating())
    right = verdict(VerdictOutcome.RIGHT)
    await city.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=right))
    await city.ask(applying())
    await city.give(rendered(register_version=1))
    await city.ask(t.Held(issuance_id=ISSUANCE, sealed_digest=SEALED_DIGEST))
