"""A judge that dies between counting and answering: the try is burned, and reported."""

import contextlib

import pytest

from issuance_server.core.pin_policy import VerdictOutcome
from protocol.codes import ReplyCode
from protocol.statements import signature_holds
from tests.pin_judge.judge_bench import (
    RIGHT_PIN,
    WRONG_PIN,
    Card,
    JudgeBench,
    SimulatedCrash,
)


async def _crash(bench: JudgeBench, card: Card, *, terminal: str = "t1") -> None:
    """Die after the try was counted, with the right PIN at that, and come back."""
    asked = await bench.attempt(card, RIGHT_PIN, terminal=terminal)
    bench.crash = True
    with pytest.raises(SimulatedCrash):
        await bench.judge.judge(asked)
    bench.crash = False
    await bench.restart()


async def test_try_is_burned_and_reported(bench: JudgeBench) -> None:
    """After the restart the try is gone, the same request is told so, and an event says it."""
    card = await bench.card()
    asked = await bench.attempt(card, RIGHT_PIN)
    bench.crash = True
    with pytest.raises(SimulatedCrash):
        await bench.judge.judge(asked)
    bench.crash = False
    await bench.restart()

    signed = await bench.judge.judge(asked)

    verdict = signed.verdict
    assert (VerdictOutcome.BURNED, 2) == (verdict.outcome, verdict.tries_left)
    assert ReplyCode.TRY_BURNED is verdict.reply_code
    assert signature_holds(bench.keys.verdict.public_key, signed.signature, verdict.statement())
    (event,) = await bench.judge.events(0)
    assert ("card.try_burned", card.card_ref, "t1", 2) == (
        event.name.value,
        event.card_ref,
        event.terminal,
        event.tries_left,
    )


async def test_card_is_not_busy_after_the_restart(bench: JudgeBench) -> None:
    """The next attempt with the card is judged as any other."""
    card = await bench.card()
    await _crash(bench, card)

    assert VerdictOutcome.RIGHT is await bench.outcome(card, RIGHT_PIN)
    assert 3 == await bench.tries_left(card)


async def test_last_try_burned_locks(bench: JudgeBench) -> None:
    """Three crashes in a row lock the card, for a burned try is a failed one."""
    card = await bench.card()
    for number in range(3):
        await _crash(bench, card, terminal=f"t{number}")

    verdict = (await bench.try_pin(card, RIGHT_PIN)).verdict

    assert VerdictOutcome.LOCKED is verdict.outcome
    names = [event.name.value for event in await bench.judge.events(0)]
    assert ["card.try_burned"] * 3 + ["card.locked"] == names
    (state,) = await bench.judge.card_states(card.card_ref)
    assert (True, bench.now_ms) == (state.locked, state.locked_at_ms)


async def test_burned_tries_freeze_the_terminal(bench: JudgeBench) -> None:
    """Burned tries count as failures of the terminal too."""
    for _ in range(4):
        await bench.try_pin(await bench.card(), WRONG_PIN)
    await _crash(bench, await bench.card())

    assert VerdictOutcome.FROZEN is await bench.outcome(await bench.card(), RIGHT_PIN)


async def test_no_free_comparison_by_crashing(bench: JudgeBench) -> None:
    """Dying after every comparison gives three of them, as answering does."""
    card = await bench.card()
    outcomes = []
    for number in range(6):
        asked = await bench.attempt(card, WRONG_PIN, terminal=f"t{number}")
        bench.crash = True
        with contextlib.suppress(SimulatedCrash):  # there is none once nothing is compared
            await bench.judge.judge(asked)
        bench.crash = False
        await bench.restart()
        outcomes.append((await bench.judge.judge(asked)).verdict.outcome)

    assert [VerdictOutcome.BURNED] * 3 + [VerdictOutcome.LOCKED] * 3 == outcomes
    assert 3 == bench.comparisons


async def test_events_stay_until_collected(bench: JudgeBench) -> None:
    """An event is given again until its number is said to be safe, and never after."""
    card = await bench.card()
    await _crash(bench, card)

    first = await bench.judge.events(0)
    await bench.restart()
    second = await bench.judge.events(0)
    third = await bench.judge.events(second[-1].number)
    await _crash(bench, card)
    (later,) = await bench.judge.events(0)

    assert first == second
    assert [] == third
    assert later.number > first[-1].number
