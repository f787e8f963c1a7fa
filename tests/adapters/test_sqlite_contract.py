"""What the tables say is what the core's state says, over whole lives and random walks."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.state import Issuance, SwitchState, evolve
from protocol import telegrams as t
from protocol.issuance import ISSUANCE_TABLE, IssuanceState
from protocol.kinds import Kind
from protocol.limits import VISIT_MS_MAX
from protocol.terminal_statements import FailureCause
from tests.adapters.city_file import HOLDER_ID, CityFile
from tests.core.made import (
    ISSUANCE,
    SEALED_DIGEST,
    VISIT,
    applying,
    authenticating,
    deletion,
    failed_report,
    print_report,
    rendered,
    signed,
    verdict,
)

S = IssuanceState
SECOND = b"issuance-two----"
SUPPRESS = (
    "INSERT INTO suppression (suppression_id, resident_id, reason, since_ms)"
    f" VALUES ('s-1', '{HOLDER_ID}', 'support', 0)"
)
FEES = {
    **dict.fromkeys((S.APPLIED, S.QUOTED, S.SEALED, S.WITHDRAWN), "none"),
    **dict.fromkeys((S.RELEASED, S.UNCONFIRMED), "held"),
    **dict.fromkeys((S.PRINTED, S.COMPLETED), "earned"),
    **dict.fromkeys((S.PRINT_FAILED, S.REVERSED), "returned"),
}
NUMBERS = {
    **dict.fromkeys((S.APPLIED, S.QUOTED, S.SEALED), "reserved"),
    **dict.fromkeys((S.RELEASED, S.UNCONFIRMED, S.PRINTED, S.COMPLETED), "valid"),
    **dict.fromkeys((S.WITHDRAWN, S.PRINT_FAILED, S.REVERSED), "void"),
}


@dataclass(frozen=True)
class Truth:
    """What the journal says of one issuance."""

    issuance: Issuance
    code: int | None


def truths(records: list[r.AnyRecord]) -> dict[bytes, Truth]:
    """Fold the journal, and keep the ended issuances too."""
    state, found = SwitchState(), {}
    for record in records:
        touched = evolve(state, record)
        if isinstance(touched, Issuance):
            code = int(record.code) if isinstance(record, r.IssuanceWithdrawn) else None
            found[touched.issuance_id] = Truth(touched, code)
    return found


def check_projections(city: CityFile) -> None:
    """Compare every row of the projections with the fold of the journal."""
    expected = truths(city.records())
    sql = (
        "SELECT issuance_id, terminal, state, fee_state, fee_yen, sheets, code, deletion_reported,"
        " key_destroyed, copies, applied_at_ms FROM issuance"
    )
    assert {
        issuance_id: (
            truth.issuance.terminal,
            truth.issuance.state.value,
            FEES[truth.issuance.state],
            truth.issuance.applied.fee_yen,
            truth.issuance.quoted.sheets if truth.issuance.quoted else None,
            truth.code,
            int(truth.issuance.deletion is not None),
            int(truth.issuance.state in (S.COMPLETED, S.REVERSED)),
            truth.issuance.applied.copies,
            truth.issuance.applied.at_ms,
        )
        for issuance_id, truth in expected.items()
    } == {row[0]: tuple(row[1:]) for row in city.rows(sql)}
    assert {
        (number, issuance_id, NUMBERS[truth.issuance.state])
        for issuance_id, truth in expected.items()
        for number in truth.issuance.applied.numbers
    } == set(city.rows("SELECT number, issuance_id, state FROM certificate_number"))
    stopped = {record.terminal for record in city.records() if isinstance(record, r.LineStopped)}
    assert stopped == {
        row[0] for row in city.rows("SELECT terminal FROM terminal WHERE stopped_at_ms NOT NULL")
    }
    keys = {row[0] for row in city.rows("SELECT issuance_id FROM issuance_key")}
    assert {
        issuance_id
        for issuance_id, truth in expected.items()
        if truth.issuance.quoted is not None
        and truth.issuance.deletion is None
        and truth.issuance.state not in ISSUANCE_TABLE.ends
    } == keys


async def check_fold(city: CityFile) -> None:
    """A server that started now would have the state of the one that runs."""
    folded = await city.folded()
    alive = {k: v for k, v in city.state.visits.items() if v.deadline_ms > city.clock.real_ms}
    assert folded.visits == alive
    assert folded.issuances == city.state.issuances


async def check(city: CityFile) -> None:
    """Both."""
    check_projections(city)
    await check_fold(city)


async def authenticated(city: CityFile) -> None:
    """Open the usual visit, and let the PIN be right."""
    await city.ask(t.Begin(visit_id=VISIT, attempt=1))
    await city.give(i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=bytes(32)))
    await city.ask(authenticating())
    right = verdict(VerdictOutcome.RIGHT)
    await city.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=right))


def course(issuance_id: bytes, *, failed: bool = False) -> list[Any]:
    """Return the steps from an application to the destroyed key."""
    report = failed_report(issuance_id) if failed else print_report(issuance_id)
    return [
        applying(issuance_id),
        rendered(issuance_id, register_version=1),
        t.Held(issuance_id=issuance_id, sealed_digest=SEALED_DIGEST),
        t.Release(issuance_id=issuance_id, amount_yen=200),
        signed(report),
        deletion(issuance_id),
        i.KeysDestroyed(issuance_ids=(issuance_id,)),
    ]


async def do(city: CityFile, step: Any) -> None:
    """Do one step, whichever kind it is."""
    if isinstance(step, t.Telegram):
        await city.ask(step)  # type: ignore[arg-type]  # any of them
    else:
        await city.give(step)


@pytest.mark.parametrize("failed", [False, True])
async def test_tables_follow_a_whole_life(city: CityFile, *, failed: bool) -> None:
    """After each step, from the application to the end."""
    await authenticated(city)
    for step in course(ISSUANCE, failed=failed):
        await do(city, step)
        await check(city)

    end = S.REVERSED if failed else S.COMPLETED
    assert [(end.value,)] == city.rows("SELECT state FROM issuance")
    assert {end} == {truth.issuance.state for truth in truths(city.records()).values()}


@pytest.mark.parametrize("steps", range(1, 7))
async def test_tables_follow_a_restart_after_each_step(city: CityFile, steps: int) -> None:
    """What the restart withdraws or destroys again is in the tables too."""
    await authenticated(city)
    for step in course(ISSUANCE)[:steps]:
        await do(city, step)
    await city.restart()
    await check(city)


async def test_tables_follow_silence(city: CityFile) -> None:
    """UNCONFIRMED, alarms, and the late report."""
    await authenticated(city)
    for step in course(ISSUANCE)[:4]:
        await do(city, step)
    for _ in range(2):
        city.clock.pass_ms(20 * 60_000)
        await city.give(i.Woken())
        await check(city)
    for step in course(ISSUANCE)[4:]:
        await do(city, step)
        await check(city)


async def test_fold_is_that_of_the_visit_with_all_that_belongs_to_it(city: CityFile) -> None:
    """A refused application and ended issuances count in their visit, before and after."""
    await authenticated(city)
    await city.ask(applying(SECOND, kind=Kind.INKAN))
    for step in course(ISSUANCE):
        await do(city, step)
    await check_fold(city)
    await city.restart()

    assert (ISSUANCE,) == city.state.visits[VISIT].issuance_ids
    assert [SECOND] == list(city.state.visits[VISIT].refusals)
    answer = await city.ask(applying(SECOND, kind=Kind.INKAN))
    assert isinstance(answer, t.Refused)
    assert 1 == sum(isinstance(record, r.ApplicationRefused) for record in city.records())


async def test_nothing_that_is_over_is_folded_for_ever(city: CityFile) -> None:
    """When the visit's time is over it and its ended issuances leave the table of open ones."""
    await authenticated(city)
    for step in course(ISSUANCE):
        await do(city, step)
    city.clock.pass_ms(VISIT_MS_MAX)
    await city.give(i.Woken())
    assert [] == await city.store.records_of_open_subjects(city.clock.real_ms)
    other = b"visit-two-------"
    await city.ask(t.Begin(visit_id=other, attempt=1))

    assert [(other,)] == city.rows("SELECT subject FROM open_subject")


async def test_issuance_that_is_owed_outlives_its_visit(city: CityFile) -> None:
    """It is folded until somebody has settled it, and then no more."""
    await authenticated(city)
    for step in course(ISSUANCE)[:5]:
        await do(city, step)
    city.clock.pass_ms(VISIT_MS_MAX)
    await city.give(i.Woken())
    await city.ask(t.Begin(visit_id=b"visit-two-------", attempt=1))
    await check(city)
    for step in course(ISSUANCE)[5:]:
        await do(city, step)
        await check(city)

    assert [] == [
        record
        for record in await city.store.records_of_open_subjects(city.clock.real_ms)
        if r.subject_of(record) == ISSUANCE
    ]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("UPDATE household SET version = 99 WHERE household_id = '50000028'", "DATA_CHANGED"),
        (SUPPRESS, "NOT_ISSUED_HERE"),
        ("UPDATE register_state SET watermark_ms = watermark_ms - 600001", "REGISTER_STALE"),
    ],
)
async def test_staff_edit_between_two_transactions_is_seen_at_the_release(
    city: CityFile, sql: str, code: str
) -> None:
    """Another program changes the register; the release reads it in its own transaction."""
    await authenticated(city)
    for step in course(ISSUANCE)[:3]:
        await do(city, step)
    city.change(sql)
    answer = await city.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200))

    assert isinstance(answer, t.Refused)
    assert code == answer.code.name
    await check(city)


async def test_released_and_ended_have_one_answer_in_one_transaction(city: CityFile) -> None:
    """A whole group in one commit: later inputs see what the earlier ones wrote."""
    await authenticated(city)
    commits = city.commits
    inputs: list[Any] = [
        city.input(step) if isinstance(step, t.Telegram) else step  # type: ignore[arg-type]  # any
        for step in course(ISSUANCE)
    ]
    again = city.input(t.Release(issuance_id=ISSUANCE, amount_yen=200))
    effects = await city.give(*inputs, again)

    assert commits + 1 == city.commits
    (answer,) = [
        effect.telegram
        for effect in effects
        if isinstance(effect, e.Reply) and effect.ref == again.ref
    ]
    assert isinstance(answer, t.Refused)
    assert "ENDED" == answer.code.name
    check_projections(city)


@pytest.mark.slow
async def test_ten_thousand_numbers_without_a_duplicate(city: CityFile) -> None:
    """Over 20 restarts and in groups of any size; the serial never stands still or jumps."""
    given = 0
    for lot in range(20):
        inputs = []
        for visit in range(10):
            visit_id, terminal = b"v%07d%08d" % (lot, visit), f"T-{10 * lot + visit:04d}"
            city.place(terminal)
            await city.give(*_authenticated_at_once(city, visit_id, terminal))
            ids = [b"i%07d%04d%04d" % (lot, visit, number) for number in range(10)]
            asked = [applying(one, visit_id=visit_id, copies=5) for one in ids]
            inputs += [city.input(one, terminal) for one in asked]
        await city.give(*inputs[:37])
        await city.give(*inputs[37:])
        given += 5 * len(inputs)
        await city.restart()

    numbers = [row[0] for row in city.rows("SELECT number FROM certificate_number")]
    assert 10_000 == given == len(numbers)
    assert list(range(1, 10_001)) == sorted(int(number.rsplit(" ", 1)[1]) for number in numbers)
    assert [("2026-11-30", 10_001)] == city.rows("SELECT * FROM number_serial")


def _authenticated_at_once(city: CityFile, visit_id: bytes, terminal: str) -> list[Any]:
    right = verdict(VerdictOutcome.RIGHT)
    return [
        city.input(t.Begin(visit_id=visit_id, attempt=1), terminal),
        i.ChallengeDrawn(visit_id=visit_id, attempt=1, challenge=bytes(32)),
        city.input(authenticating(visit_id=visit_id), terminal),
        i.VerdictGiven(visit_id=visit_id, attempt=1, verdict=right),
    ]


IDS = (ISSUANCE, SECOND)
_ids = st.sampled_from(IDS)
_cancels = st.builds(t.Cancel, issuance_id=_ids, cause=st.just(FailureCause.CANCELLED))
_steps = st.one_of(
    *(st.sampled_from([steps[at] for steps in map(course, IDS)]) for at in range(7)),
    _cancels,
    _ids.map(lambda issuance_id: signed(failed_report(issuance_id))),
    st.sampled_from((0, 40_000, 700_000)),
    st.just("restart"),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_steps, max_size=25))
def test_tables_follow_random_walks(
    founded: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    """Any order of two issuances' steps, with waits and restarts in between."""
    path = tmp_path_factory.mktemp("walk") / "city.db"
    path.write_bytes(founded.read_bytes())
    asyncio.run(_walk(CityFile(path), steps))


async def _walk(city: CityFile, steps: list[Any]) -> None:
    await city.open()
    try:
        await authenticated(city)
        for step in steps:
            if isinstance(step, int):
                city.clock.pass_ms(step)
                await city.give(i.Woken())
            elif step == "restart":
                await city.restart()
            else:
                await do(city, step)
            await check(city)
    finally:
        await city.close()
