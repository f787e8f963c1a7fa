"""The register copy as acts: signed, looked at closely, and on record; a broken rule stops all."""

from datetime import timedelta
from typing import Any

import pytest

from issuance_server.adapters.sqlite.register_stage import new_stage, stage_digest, stage_path
from issuance_server.control import wire
from issuance_server.control.register_acts import import_subject, stand_in_subject
from issuance_server.core import records as r
from issuance_server.core import register_feed as f
from issuance_server.core.register_extract import Counts
from keys.operators import Operator, OperatorRing
from keys.signing import SigningKey
from protocol.errors import KeyManagementError, KofuError
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS
from tests.commands.scene import OPERATOR, Scene, signed
from tests.core.changes import AS_OF, beats, change, edit, moved_in, remarked
from tests.core.made import START_REAL_MS

A, B, _ = HOUSEHOLDS
HOUR_MS = 3_600_000
_nonces = iter(range(1_000))


def act(name: str, subject: str, brought: wire.Brought | None, **more: Any) -> wire.Act:
    """Return a signed act with what comes with it."""
    one = signed(act=name, subject=subject, nonce=next(_nonces).to_bytes(16), **more)
    return wire.Act(signed=one.signed, brought=brought)


def feeding(*changes: f.AnyChange) -> wire.Act:
    """Return a signed batch."""
    return act(wire.ACT_REGISTER_FEED, f.batch_subject(changes), wire.FeedBatch(changes=changes))


async def status(scene: Scene) -> wire.RegisterStatus:
    """Return how the copy stands."""
    answer = await scene.ask(wire.ReadRegister())
    assert isinstance(answer, wire.RegisterStatus)
    return answer


async def refused(scene: Scene, asked: wire.Act, text: str) -> None:
    """The act is refused in these words, and the copy stays as it was."""
    tables = ("household", "resident", "register_record", "register_state", "register_edit")
    before = [scene.city.rows(f"SELECT * FROM {table}") for table in tables]
    with pytest.raises(KofuError, match=text) as told:
        await scene.ask(asked)

    assert before == [scene.city.rows(f"SELECT * FROM {table}") for table in tables]
    assert "control.act_refused" == scene.logged[-1][0]
    assert A.head.name not in str(told.value)


async def test_changes_are_taken_in_order_and_once(scene: Scene) -> None:
    """A batch that comes again, or overlaps, is taken as far as it is new."""
    await scene.ask(feeding(*beats(1, 2)))
    await scene.ask(feeding(*beats(1, 2), edit(f.EditBegun, 3, HOLDER_ID)))
    await scene.ask(feeding(*beats(1, 2)))
    found = await status(scene)

    assert (3, None, 1) == (found.sequence, found.gap_expected, found.sizes.edits)
    assert [("person", HOLDER_ID)] == [(one.subject_kind, one.subject_id) for one in found.edits]
    fed = [one for one in scene.city.records() if isinstance(one, r.RegisterFed)]
    assert [(1, 2), (3, 3)] == [(one.first, one.sequence) for one in fed]


async def test_gap_stops_the_feed_until_it_is_filled(scene: Scene) -> None:
    """It is on record and shown; the error names the number that is missing."""
    await scene.ask(feeding(*beats(1)))
    with pytest.raises(KofuError, match="number 2 is expected, 4 came"):
        await scene.ask(feeding(*beats(4, 5)))
    found = await status(scene)
    assert (1, 2, 4) == (found.sequence, found.gap_expected, found.gap_found)
    acted, gap, ended = scene.city.records()[-3:]
    assert isinstance(acted, r.OperatorActed)
    assert r.RegisterGapFound(at_ms=START_REAL_MS, expected=2, found=4) == gap
    assert isinstance(ended, r.OperatorActEnded)
    assert r.ActOutcome.REFUSED is ended.outcome
    await scene.ask(feeding(*beats(2, 3, 4, 5)))
    found = await status(scene)

    assert (5, None, None) == (found.sequence, found.gap_expected, found.gap_at_ms)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            (
                *beats(1),
                change(f.HouseholdsChanged, 2, put=(remarked(A),)),
                change(f.HouseholdsChanged, 3, put=(moved_in(B, A.members[1].resident_id, A),)),
            ),
            "change 3 cannot be taken, and nothing of its batch was: 世帯員.* another household",
        ),
        (
            (change(f.HouseholdsChanged, 1, removed=("50000990",)),),
            "change 1 .* not in the copy",
        ),
        ((edit(f.EditBegun, 1, "12345678"),), "change 1 .* record-inconsistent: 宛名番号"),
        (
            (change(f.Heartbeat, 1, as_of=AS_OF + timedelta(seconds=61)),),
            "change 1 .* from the future; compare the clocks",
        ),
    ],
)
async def test_batch_with_a_change_that_breaks_a_rule_is_not_taken(
    scene: Scene, changes: tuple[f.AnyChange, ...], text: str
) -> None:
    """Not even what came before it in the batch; the error says which, and why."""
    await refused(scene, feeding(*changes), text)


async def test_act_and_what_comes_with_it_belong_together(scene: Scene) -> None:
    """Another batch than the signed one, or none."""
    subject = f.batch_subject(beats(1))
    other = act(wire.ACT_REGISTER_FEED, subject, wire.FeedBatch(changes=beats(1, 2)))
    await refused(scene, other, "something else than what comes with it")
    for name in (wire.ACT_REGISTER_FEED, wire.ACT_REGISTER_IMPORT):
        await refused(scene, act(name, subject, None), "without what belongs to it")


def staged(scene: Scene, name: str = wire.ACT_REGISTER_IMPORT, **changes: Any) -> wire.Act:
    """Return a signed import of an empty extract that lies ready."""
    path = stage_path(scene.city.path, "0" * 16)
    with new_stage(path):
        pass
    usual: dict[str, Any] = {
        "stage": "0" * 16,
        "stage_digest": stage_digest(path),
        "file_digest": b"d" * 32,
        "counts": Counts(),
        "sequence": 5,
        "as_of_ms": START_REAL_MS,
    }
    brought = wire.StagedExtract(**(usual | changes))
    return act(name, import_subject(brought), brought)


async def test_extract_takes_the_place_of_the_copy(scene: Scene) -> None:
    """One without anybody empties it; the feed goes on behind its number."""
    await scene.ask(staged(scene))
    await scene.ask(feeding(*beats(5, 6)))
    found = await status(scene)

    assert (6, 0, 0) == (found.sequence, found.sizes.households, found.sizes.records)
    assert ["city.db", "city.db-shm", "city.db-wal"] == sorted(
        file.name for file in scene.city.path.parent.iterdir()
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"as_of_ms": START_REAL_MS + 60_001}, "from the future"),
        ({"stage": "1" * 16}, "not where the command put it"),
        ({"stage_digest": bytes(32)}, "not the one that was signed"),
    ],
)
async def test_extract_that_is_not_the_signed_one_is_refused(
    scene: Scene, changes: dict[str, Any], text: str
) -> None:
    """It stays outside, and the copy as it was."""
    await refused(scene, staged(scene, **changes), text)


SECOND = Operator("mado-2", SigningKey.generate())


@pytest.fixture
def pair(scene: Scene) -> Scene:
    """The desk knows two operators."""
    ring = OperatorRing({"mado-1": OPERATOR.public_key, "mado-2": SECOND.public_key})
    scene.desk._check._believed = scene.desk._check._believed.__class__(
        operators=lambda: ring, authority_certificate=b""
    )
    return scene


def by_two(name: str, subject: str, brought: wire.Brought | None) -> wire.Act:
    """Return an act that two operators signed."""
    nonce = next(_nonces).to_bytes(16)
    one, other = (
        signed(who, act=name, subject=subject, nonce=nonce).signed for who in (OPERATOR, SECOND)
    )
    return wire.Act(signed=one, second=other, brought=brought)


def beginning(until_ms: int) -> wire.Act:
    """Return the declaration of stand-in operation."""
    brought = wire.StandInTime(until_ms=until_ms)
    return by_two(wire.ACT_STAND_IN_BEGIN, stand_in_subject(until_ms), brought)


async def test_extract_older_than_the_copy_takes_two(pair: Scene) -> None:
    """Only if the registers themselves were set back, and nobody decides that alone."""
    await pair.ask(feeding(*beats(1, 2, 3, 4, 5, 6)))
    await refused(pair, staged(pair), "up to 5, the copy those up to 6 already; .* --set-back")
    stage = stage_path(pair.city.path, "0" * 16)
    stage.unlink()
    await refused(pair, staged(pair, set_back=True), "without what belongs to it")
    stage.unlink()
    alone = staged(pair, wire.ACT_REGISTER_SET_BACK, set_back=True)
    with pytest.raises(KeyManagementError, match="takes two operators"):
        await pair.ask(alone)
    await pair.ask(by_two(wire.ACT_REGISTER_SET_BACK, alone.signed.act.subject, alone.brought))

    assert 5 == (await status(pair)).sequence
    acted = [one for one in pair.city.records() if isinstance(one, r.OperatorActed)][-1]
    assert ("register.set-back", "mado-1", "mado-2") == (acted.act, acted.operator, acted.second)


async def test_stand_in_is_declared_and_ended_by_two(pair: Scene) -> None:
    """It is shown while it lasts, and on record with both."""
    until_ms = START_REAL_MS + 24 * HOUR_MS
    await pair.ask(beginning(until_ms))
    assert until_ms == (await status(pair)).stand_in_until_ms
    acted = pair.city.records()[0]
    assert isinstance(acted, r.OperatorActed)
    assert ("mado-1", "mado-2") == (acted.operator, acted.second)
    await pair.ask(by_two(wire.ACT_STAND_IN_END, "stand-in", None))
    assert (await status(pair)).stand_in_until_ms is None
    await refused(pair, by_two(wire.ACT_STAND_IN_END, "stand-in", None), "not declared")


async def test_stand_in_ends_by_itself(pair: Scene) -> None:
    """Nobody has to think of it."""
    await pair.ask(beginning(START_REAL_MS + HOUR_MS))
    pair.clock.pass_ms(HOUR_MS)

    assert (await status(pair)).stand_in_until_ms is None


@pytest.mark.parametrize("ahead_ms", [-1, 0, 24 * HOUR_MS + 1])
async def test_stand_in_has_an_end_within_a_day(pair: Scene, ahead_ms: int) -> None:
    """Who needs it longer declares it again."""
    await refused(pair, beginning(START_REAL_MS + ahead_ms), "at most 24 hours")


async def test_one_operator_cannot_declare_stand_in(scene: Scene) -> None:
    """Issuing from an old copy is nobody's decision alone."""
    until_ms = START_REAL_MS + HOUR_MS
    brought = wire.StandInTime(until_ms=until_ms)
    alone = act(wire.ACT_STAND_IN_BEGIN, stand_in_subject(until_ms), brought)
    with pytest.raises(KeyManagementError, match="takes two operators"):
        await scene.ask(alone)
