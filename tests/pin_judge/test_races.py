"""Many attempts at once: the guards hold whatever the order."""

import asyncio
import sqlite3
from collections import Counter
from random import Random

import pytest

from issuance_server.core.pin_policy import VerdictOutcome
from tests.pin_judge.judge_bench import RIGHT_PIN, WRONG_PIN, Card, JudgeBench

TERMINALS = 40


async def _round(bench: JudgeBench, card: Card, pins: list[bytes], name: str) -> list[str]:
    asked = [
        await bench.attempt(card, pin, terminal=f"{name}-{number}")
        for number, pin in enumerate(pins)
    ]
    signed = await asyncio.gather(*(bench.judge.judge(one) for one in asked))
    return [one.verdict.outcome.value for one in signed]


async def test_forty_terminals_at_once(bench: JudgeBench) -> None:
    """40 wrong attempts at once on one card are compared three times at most."""
    card = await bench.card()

    outcomes = Counter(await _round(bench, card, [WRONG_PIN] * TERMINALS, "round"))

    assert outcomes["wrong"] == bench.comparisons
    assert 1 <= bench.comparisons <= 3
    assert TERMINALS == outcomes["wrong"] + outcomes["busy"] + outcomes["locked"]
    assert 3 - bench.comparisons == await bench.tries_left(card)


async def test_forty_terminals_over_several_rounds(bench: JudgeBench) -> None:
    """However often they come back, it stays at three; the right PIN comes too late."""
    card = await bench.card()

    outcomes: Counter[str] = Counter()
    for number in range(4):
        outcomes += Counter(await _round(bench, card, [WRONG_PIN] * TERMINALS, f"round-{number}"))

    assert 3 == bench.comparisons == outcomes["wrong"]
    assert VerdictOutcome.LOCKED is await bench.outcome(card, RIGHT_PIN)


@pytest.mark.parametrize("seed", range(5))
async def test_right_and_wrong_at_once(bench: JudgeBench, seed: int) -> None:
    """Mixed attempts and restarts in any order: never more than three failures in a row."""
    random = Random(seed)
    cards = [await bench.card() for _ in range(3)]

    for number in range(8):
        for card in cards:
            pins = random.choices([RIGHT_PIN, WRONG_PIN], [1, 2], k=random.randint(1, 6))
            await _round(bench, card, pins, f"{card.card_ref}-{number}")
        if random.random() < 0.3:
            await bench.restart()

    assert bench.failed_in_a_row_max <= 3


async def test_repeats_at_once(bench: JudgeBench) -> None:
    """The same request ten times at once is one try with one verdict."""
    card = await bench.card()
    asked = await bench.attempt(card, WRONG_PIN)

    signed = await asyncio.gather(*(bench.judge.judge(asked) for _ in range(10)))

    assert all(one == signed[0] for one in signed)
    assert (1, 2) == (bench.comparisons, await bench.tries_left(card))


async def test_one_terminal_with_many_cards_at_once(bench: JudgeBench) -> None:
    """What one terminal has pending counts too: five wrong PINs are compared, not eight."""
    cards = [await bench.card() for _ in range(8)]
    asked = [await bench.attempt(card, WRONG_PIN) for card in cards]

    await asyncio.gather(*(bench.judge.judge(one) for one in asked))

    assert 5 == bench.comparisons
    assert VerdictOutcome.FROZEN is await bench.outcome(cards[0], RIGHT_PIN)


async def test_two_pending_attempts_of_one_card_cannot_be_written(bench: JudgeBench) -> None:
    """The database itself refuses a second pending attempt, whoever writes it."""
    card = await bench.card()
    await bench.close()
    insert = (
        "INSERT INTO attempt"
        " (terminal, visit_id, attempt, request_digest, card_ref, outcome, at_ms)"
        " VALUES ('t', ?, 1, x'00', ?, 'pending', 0)"
    )

    with sqlite3.connect(bench.path) as file:
        file.execute(insert, (b"one", card.card_ref))
        with pytest.raises(sqlite3.IntegrityError):
            file.execute(insert, (b"two", card.card_ref))
    file.close()
