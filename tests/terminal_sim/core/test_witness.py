"""The terminal as a witness: what it keeps, what it doubts, and what a doubt ends (TP-122)."""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.checkpoint import Checkpoint, checkpoint_statement, node_hash
from protocol.codes import ReplyCode
from protocol.telegrams import Closed, Counters, Open, Opened
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.records import (
    AnyRecord,
    CheckpointKept,
    Doubt,
    DoubtDismissed,
    DoubtRaised,
    PrintFailed,
    Withdrawn,
)
from terminal_sim.core.requests import Request, Step
from terminal_sim.core.state import TerminalState, evolve, fold
from terminal_sim.core.terminal import step
from terminal_sim.core.witness import find_doubt
from tests.terminal_sim.city import CITY, City
from tests.terminal_sim.world import PROFILE, Person, World

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
WITNESS = replace(PROFILE, checkpoint_keys=(KEY.public_key().public_bytes_raw(),))
LEAVES = [sha256(bytes([number])).digest() for number in range(3)]
NOTHING = Counters(completed=0, reversed=0, fees_earned_yen=0)


def signed(size: int, root: bytes, key: Ed25519PrivateKey = KEY, at_ms: int = 7) -> Checkpoint:
    """Return a checkpoint."""
    statement = checkpoint_statement(city=CITY, size=size, root=root, at_ms=at_ms)
    return Checkpoint(size=size, root=root, at_ms=at_ms, signature=key.sign(statement))


FIRST = signed(1, LEAVES[0])
SECOND = signed(2, node_hash(*LEAVES[:2]), at_ms=1)
PROOF = (LEAVES[1],)
OTHER_CITYS = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)


def opened(shown: Checkpoint | None, proof: tuple[bytes, ...] = ()) -> into.Answered:
    """Return the city's answer to an opening."""
    answer = Opened(
        city=CITY, software="", tables_version=1, call_centre="", checkpoint=shown, proof=proof
    )
    return into.Answered(request=Request(Step.OPEN), answer=answer)


def opening(kept: Checkpoint | None) -> TerminalState:
    """Return a terminal that has asked to open its line."""
    records: list[AnyRecord] = []
    if kept is not None:
        records.append(CheckpointKept(checkpoint=kept, at_ms=1))
    state = fold(WITNESS, records)
    asked = [one for one in step(state, into.LineReady(), 2) if isinstance(one, out.Ask)]
    question = asked[0].question
    assert isinstance(question, Open)
    assert question.witnessed == (0 if kept is None else kept.size)
    return state


@pytest.mark.parametrize(
    ("kept", "shown", "proof", "doubt"),
    [
        (None, None, (), None),
        (None, SECOND, (), None),
        (FIRST, FIRST, (), None),
        (FIRST, SECOND, PROOF, None),
        (FIRST, None, (), Doubt.WITHHELD),
        (None, signed(1, LEAVES[0], OTHER_CITYS), (), Doubt.SIGNATURE),
        (FIRST, signed(2, SECOND.root, OTHER_CITYS), PROOF, Doubt.SIGNATURE),
        (SECOND, FIRST, (), Doubt.PUT_BACK),
        (SECOND, signed(1, LEAVES[0], at_ms=9), (), Doubt.PUT_BACK),
        (FIRST, signed(1, LEAVES[2]), (), Doubt.REWRITTEN),
        (FIRST, SECOND, (), Doubt.REWRITTEN),
        (FIRST, signed(2, node_hash(LEAVES[2], LEAVES[1])), PROOF, Doubt.REWRITTEN),
    ],
)
def test_what_is_doubted(
    kept: Checkpoint | None,
    shown: Checkpoint | None,
    proof: tuple[bytes, ...],
    doubt: Doubt | None,
) -> None:
    """A checkpoint fits if it is signed, not smaller, and contains what was kept."""
    assert doubt == find_doubt(kept, shown, proof, WITNESS)


def test_the_larger_one_is_kept_before_the_line_is_open() -> None:
    """On record in the step that opens the line; the same one again is not recorded."""
    state = opening(FIRST)
    effects = step(state, opened(SECOND, PROOF), 3)

    assert out.Record(record=CheckpointKept(checkpoint=SECOND, at_ms=3)) == effects[0]
    assert isinstance(effects[1], out.LineOpened)
    step(state, into.LineReady(), 4)
    again = step(state, opened(SECOND), 5)
    assert not any(isinstance(one, out.Record) for one in again)


def test_a_doubt_is_on_record_and_opens_nothing() -> None:
    """With both checkpoints; nothing is asked any more, not even under new keys."""
    state = opening(SECOND)
    effects = step(state, opened(FIRST), 3)
    raised = DoubtRaised(doubt=Doubt.PUT_BACK, kept=SECOND, shown=FIRST, at_ms=3)

    assert [out.Record(record=raised), out.RecordDoubted(raised=raised)] == effects
    assert [] == step(state, into.LineReady(), 4)
    assert [] == step(state, into.CloseAsked(), 5)
    assert state.doubt == fold(WITNESS, [raised]).doubt


def test_a_doubt_at_the_closing_is_raised_too() -> None:
    """The line is closed, and stays so."""
    state = opening(FIRST)
    step(state, opened(FIRST), 3)
    step(state, into.CloseAsked(), 4)
    closed = Closed(counters=NOTHING, checkpoint=None)
    effects = step(state, into.Answered(request=Request(Step.CLOSE), answer=closed), 5)

    kinds = [type(one) for one in effects]
    assert [out.Record, out.RecordDoubted, out.LineClosed] == kinds


@pytest.mark.parametrize(
    ("person", "record"),
    [(Person(insert_yen=None), Withdrawn), (Person(), PrintFailed)],
    ids=["before the money", "after it"],
)
def test_nothing_prints_that_waits_for_its_release(person: Person, record: type[object]) -> None:
    """The line opens anew in the midst of a visit, and the record does not fit any more."""
    world = World(City(deaf={Step.RELEASE}), person).begin()
    evolve(world.state, CheckpointKept(checkpoint=FIRST, at_ms=1))
    step(world.state, into.LineReady(), world.now_ms + 1)
    effects = step(world.state, opened(None), world.now_ms + 2)

    kinds = [type(one.record) for one in effects if isinstance(one, out.Record)]
    assert DoubtRaised is kinds[0]
    assert record in kinds
    returned = [one for one in effects if isinstance(one, out.ReturnCard)]
    assert [ReplyCode.LINE_STOPPED] == [one.refusal.code for one in returned if one.refusal]
    assert set() == world.state.asked


@pytest.mark.parametrize(
    ("raised", "witnessed"),
    [
        (DoubtRaised(doubt=Doubt.PUT_BACK, kept=SECOND, shown=FIRST, at_ms=3), FIRST),
        (DoubtRaised(doubt=Doubt.SIGNATURE, kept=SECOND, shown=FIRST, at_ms=3), None),
        (DoubtRaised(doubt=Doubt.WITHHELD, kept=SECOND, at_ms=3), None),
    ],
)
def test_a_dismissed_doubt_begins_anew(raised: DoubtRaised, witnessed: Checkpoint | None) -> None:
    """From what the city showed, if it had signed that."""
    kept = CheckpointKept(checkpoint=SECOND, at_ms=1)
    state = fold(WITNESS, [kept, raised, DoubtDismissed(reason="restored", at_ms=4)])

    assert (None, witnessed) == (state.doubt, state.witnessed)
