"""A PIN judge's store that was put back: nobody gains a try by it."""

import pytest

from issuance_server.adapters.pin_judge.restoring import JudgeChanges, check_peppers, put_back
from issuance_server.core.pin_policy import VerdictOutcome
from keys.operators import Operator
from protocol.errors import SetUpError
from tests.pin_judge.judge_bench import RIGHT_PIN, WRONG_PIN, Card, JudgeBench

RIGHT, WRONG, LOCKED = VerdictOutcome.RIGHT, VerdictOutcome.WRONG, VerdictOutcome.LOCKED


async def restored(bench: JudgeBench, **changes: object) -> int:
    """Put the store back as it is."""
    await bench.close()
    cards = put_back(bench.path, JudgeChanges(**changes))  # type: ignore[arg-type]
    await bench.open()
    return cards


async def unlock(bench: JudgeBench, card: Card, operators: tuple[Operator, Operator]) -> None:
    """Let two operators clear a card at the counter."""
    nonce, expires_at_ms = bench.random.randbytes(16), bench.now_ms + 60_000
    first, second = (
        one.sign(
            act="card.unlock",
            subject=card.card_ref,
            reason="came to the counter",
            nonce=nonce,
            expires_at_ms=expires_at_ms,
        )
        for one in operators
    )
    await bench.judge.counter.act(first, second)


async def test_card_has_one_try_however_often_its_pin_was_right(bench: JudgeBench) -> None:
    """A right PIN gives the one try back and no more; the first wrong one locks."""
    card = await bench.card()
    assert 1 == await restored(bench)

    assert (RIGHT, 1) == (await bench.outcome(card, RIGHT_PIN), await bench.tries_left(card))
    assert RIGHT is await bench.outcome(card, RIGHT_PIN)
    assert WRONG is await bench.outcome(card, WRONG_PIN)
    assert LOCKED is await bench.outcome(card, RIGHT_PIN)


async def test_the_counter_clears_a_card(
    bench: JudgeBench, operators: tuple[Operator, Operator]
) -> None:
    """After that it has three tries, and three again after a success."""
    card = await bench.card()
    await restored(bench)
    await unlock(bench, card, operators)

    assert 3 == await bench.tries_left(card)
    assert [WRONG, RIGHT] == [await bench.outcome(card, pin) for pin in (WRONG_PIN, RIGHT_PIN)]
    assert 3 == await bench.tries_left(card)


async def test_locked_card_stays_locked(bench: JudgeBench) -> None:
    """Whether it was so in the backup or became so after it, as the journal tells."""
    before, after = await bench.card(), await bench.card()
    await bench.lock(before)
    await restored(bench, locked={after.card_ref: bench.now_ms})

    assert [LOCKED] * 2 == [await bench.outcome(card, RIGHT_PIN) for card in (before, after)]


async def test_withdrawn_card_is_unknown(bench: JudgeBench) -> None:
    """A card that was withdrawn after the backup does not come back to life."""
    card = await bench.card()
    await restored(bench, gone={card.card_ref})

    assert VerdictOutcome.NOT_ACCEPTED is await bench.outcome(card, RIGHT_PIN)


async def test_frozen_terminal_stays_frozen(bench: JudgeBench) -> None:
    """Until an operator says so, as before."""
    card = await bench.card()
    await restored(bench, frozen={"t1": bench.now_ms})

    assert VerdictOutcome.FROZEN is await bench.outcome(card, RIGHT_PIN, terminal="t1")
    assert RIGHT is await bench.outcome(card, RIGHT_PIN, terminal="t2")


async def test_store_under_another_pepper_is_told_before_anything_is_done(
    bench: JudgeBench,
) -> None:
    """With other keys every PIN would be wrong."""
    await bench.card()
    await bench.close()

    check_peppers(bench.path, bench.keys.peppers.key_ids)
    with pytest.raises(SetUpError, match="another pepper"):
        check_peppers(bench.path, ["other"])
