"""The judge's decisions, on a real file with real HPKE and Ed25519."""

import msgspec
import pytest

from issuance_server.core.pin_policy import VerdictOutcome
from protocol.codes import ReplyCode
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import signature_holds
from tests.pin_judge.judge_bench import (
    RIGHT_PIN,
    WRONG_PIN,
    JudgeBench,
    badly_signed,
    with_changes,
)

BLOCK_DAMAGED = bytes(1152)


async def test_right_pin_is_right(bench: JudgeBench) -> None:
    """A right PIN gives RIGHT, all tries, the card's reference and the judge's signature."""
    card = await bench.card()

    signed = await bench.try_pin(card, RIGHT_PIN)

    verdict = signed.verdict
    assert (VerdictOutcome.RIGHT, 3) == (verdict.outcome, verdict.tries_left)
    assert card.card_ref == verdict.card_ref
    assert bench.now_ms == verdict.at_ms
    key = bench.keys.verdict.public_key
    assert signature_holds(key, signed.signature, verdict.statement())


async def test_three_wrong_pins_lock(bench: JudgeBench) -> None:
    """The third wrong PIN in a row locks; the right one is then of no use and not compared."""
    card = await bench.card()

    verdicts = [
        (await bench.try_pin(card, WRONG_PIN, terminal=f"t{number}")).verdict for number in range(3)
    ]
    after = (await bench.try_pin(card, RIGHT_PIN)).verdict

    assert [VerdictOutcome.WRONG] * 3 == [v.outcome for v in verdicts]
    assert [2, 1, 0] == [v.tries_left for v in verdicts]
    assert [False, False, True] == [v.locked_now for v in verdicts]
    assert ReplyCode.CARD_LOCKED is verdicts[2].reply_code
    assert (VerdictOutcome.LOCKED, 0, False) == (after.outcome, after.tries_left, after.locked_now)
    assert 3 == bench.comparisons
    (state,) = await bench.judge.card_states(None)
    assert (card.card_ref, True) == (state.card_ref, state.locked)
    assert ["card.locked"] == [e.name.value for e in await bench.judge.events(0)]


async def test_success_resets(bench: JudgeBench) -> None:
    """Two wrong, one right, two wrong: the card is not locked."""
    card = await bench.card()

    pins = [WRONG_PIN, WRONG_PIN, RIGHT_PIN, WRONG_PIN, WRONG_PIN]
    left = [
        (await bench.try_pin(card, pin, terminal=f"t{number}")).verdict.tries_left
        for number, pin in enumerate(pins)
    ]

    assert [2, 1, 3, 2, 1] == left


async def test_lock_survives_restart(bench: JudgeBench) -> None:
    """A locked card is locked after the judge was started again."""
    card = await bench.card()
    await bench.lock(card)

    await bench.restart()

    assert VerdictOutcome.LOCKED is await bench.outcome(card, RIGHT_PIN)


async def test_repeat_gets_the_same_verdict(bench: JudgeBench) -> None:
    """The same request gets the same bytes again, also after a restart, and is not counted."""
    card = await bench.card()
    asked = await bench.attempt(card, WRONG_PIN)

    first = await bench.judge.judge(asked)
    bench.now_ms += 1_000
    second = await bench.judge.judge(asked)
    await bench.restart()
    third = await bench.judge.judge(asked)

    assert first == second == third
    assert (1, 2) == (bench.comparisons, await bench.tries_left(card))


@pytest.mark.parametrize("case", ["challenge", "card", "block"])
async def test_repeat_of_a_refusal_is_the_same(bench: JudgeBench, case: str) -> None:
    """A refusal that counted nothing is answered again as it was."""
    asked = await bench.attempt(await bench.card())
    refused = {
        "challenge": with_changes(asked, visit_id=bench.visit_id()),
        "card": badly_signed(asked),
        "block": with_changes(asked, pin_block=BLOCK_DAMAGED),
    }[case]

    first = await bench.judge.judge(refused)
    bench.now_ms += 1_000

    assert first == await bench.judge.judge(refused)


async def test_other_content_under_a_used_attempt(bench: JudgeBench) -> None:
    """Another request under an attempt that was made is refused, not counted, and not stored."""
    card = await bench.card()
    asked = await bench.attempt(card, WRONG_PIN)
    first = await bench.judge.judge(asked)

    other = await bench.judge.judge(with_changes(asked, request_digest=bytes(32)))

    assert VerdictOutcome.KEY_REUSED is other.verdict.outcome
    assert bytes(32) == other.verdict.request_digest
    assert first == await bench.judge.judge(asked)
    assert 1 == bench.comparisons


async def test_challenge_is_good_once(bench: JudgeBench) -> None:
    """A used challenge is neither given nor taken again, whatever the attempt came to."""
    card = await bench.card()
    asked = badly_signed(await bench.attempt(card))
    await bench.judge.judge(asked)

    again = await bench.judge.challenge("t1", asked.visit_id, 1)

    assert ReplyCode.KEY_REUSED is again


async def test_challenge_is_the_same_until_used(bench: JudgeBench) -> None:
    """Asking again before use gives the same challenge; after a minute it is another one."""
    visit_id = bench.visit_id()

    first = await bench.challenge("t1", visit_id)
    bench.now_ms += 59_999
    second = await bench.challenge("t1", visit_id)
    bench.now_ms += 1
    third = await bench.challenge("t1", visit_id)

    assert first == second
    assert first != third


async def test_challenge_expires(bench: JudgeBench) -> None:
    """An answer that comes after 60 s is expired and not counted."""
    card = await bench.card()
    asked = await bench.attempt(card, WRONG_PIN)
    bench.now_ms += 60_000

    verdict = (await bench.judge.judge(asked)).verdict

    assert VerdictOutcome.CHALLENGE_EXPIRED is verdict.outcome
    assert (None, None) == (verdict.card_ref, verdict.tries_left)
    assert (0, 3) == (bench.comparisons, await bench.tries_left(card))


async def test_challenge_is_lost_with_a_restart(bench: JudgeBench) -> None:
    """Challenges live in memory only: after a restart the answer is expired and not counted."""
    card = await bench.card()
    asked = await bench.attempt(card)
    await bench.restart()

    outcome = (await bench.judge.judge(asked)).verdict.outcome

    assert VerdictOutcome.CHALLENGE_EXPIRED is outcome


@pytest.mark.parametrize("other", ["terminal", "visit", "attempt"])
async def test_challenge_of_another_attempt(bench: JudgeBench, other: str) -> None:
    """A challenge given to another terminal, visit or attempt is worth nothing here."""
    card = await bench.card()
    theirs = bench.visit_id()
    challenge = await bench.challenge("t1", theirs, 1)
    mine = {
        "terminal": {"terminal": "t2", "visit_id": theirs, "attempt": 1},
        "visit": {"terminal": "t1", "visit_id": bench.visit_id(), "attempt": 1},
        "attempt": {"terminal": "t1", "visit_id": theirs, "attempt": 2},
    }[other]
    stolen = bench.answer(card, WRONG_PIN, challenge=challenge, **mine)

    without_own = (await bench.judge.judge(stolen)).verdict

    assert VerdictOutcome.CHALLENGE_EXPIRED is without_own.outcome
    assert 3 == await bench.tries_left(card)


async def test_challenge_swapped_for_anothers(bench: JudgeBench) -> None:
    """Who has a challenge of their own but answers another's is not accepted, and not counted."""
    card = await bench.card()
    stolen = await bench.challenge("t1", bench.visit_id())
    visit_id = bench.visit_id()
    await bench.challenge("t2", visit_id)

    asked = bench.answer(card, WRONG_PIN, challenge=stolen, visit_id=visit_id, terminal="t2")
    verdict = (await bench.judge.judge(asked)).verdict

    assert VerdictOutcome.NOT_ACCEPTED is verdict.outcome
    assert 3 == await bench.tries_left(card)


async def test_attempt_for_another_city(bench: JudgeBench) -> None:
    """An attempt that names another city gets nowhere."""
    card = await bench.card()
    asked = with_changes(await bench.attempt(card), city="131016")

    assert VerdictOutcome.CHALLENGE_EXPIRED is (await bench.judge.judge(asked)).verdict.outcome


async def test_cards_not_accepted_get_one_answer(bench: JudgeBench) -> None:
    """Unknown, unregistered and badly signed cards get the same bytes; nothing is counted."""
    card = await bench.card()
    visit_id = bench.visit_id()
    encoded = []
    for case in ("unknown", "never-made", "badly-signed"):
        challenge = await bench.challenge("t1", visit_id)
        asked = bench.answer(
            bench.unregistered_card() if case == "unknown" else card,
            WRONG_PIN,
            challenge=challenge,
            visit_id=visit_id,
        )
        asked = with_changes(asked, request_digest=bytes(32))
        if case == "never-made":
            asked = with_changes(asked, card=bytes(16))
        if case == "badly-signed":
            asked = badly_signed(asked)
        encoded.append(msgspec.msgpack.encode(await bench.judge.judge(asked)))
        async with bench.store._file.transaction() as t:
            await t.change("DELETE FROM attempt")  # so that the next one has the same attempt

    assert 1 == len(set(encoded))
    verdict = msgspec.msgpack.decode(encoded[0])["verdict"]
    assert ("not-accepted", None, None) == (
        verdict["outcome"],
        verdict["card_ref"],
        verdict["tries_left"],
    )
    assert (0, 3) == (bench.comparisons, await bench.tries_left(card))


async def test_nobody_locks_anothers_card(bench: JudgeBench) -> None:
    """Any number of attempts without the card's signature leave its tries alone."""
    card = await bench.card()

    for number in range(6):
        asked = badly_signed(await bench.attempt(card, WRONG_PIN, terminal=f"t{number}"))
        await bench.judge.judge(asked)

    assert VerdictOutcome.RIGHT is await bench.outcome(card, RIGHT_PIN)


@pytest.mark.parametrize("damage", ["damaged", "of another attempt", "short"])
async def test_block_that_does_not_open(bench: JudgeBench, damage: str) -> None:
    """A PIN block that does not open is refused and is no try, for opening is not comparing."""
    card = await bench.card()
    asked = await bench.attempt(card)
    block = {
        "damaged": BLOCK_DAMAGED,
        "of another attempt": (await bench.attempt(card)).pin_block,
        "short": bytes(16),
    }[damage]

    verdict = (await bench.judge.judge(with_changes(asked, pin_block=block))).verdict

    assert VerdictOutcome.BLOCK_INVALID is verdict.outcome
    assert (0, 3) == (bench.comparisons, await bench.tries_left(card))


async def test_five_wrong_pins_freeze_the_terminal(bench: JudgeBench) -> None:
    """Five wrong PINs in ten minutes over several cards freeze the terminal, not the cards."""
    cards = [await bench.card() for _ in range(5)]

    verdicts = [(await bench.try_pin(card, WRONG_PIN)).verdict for card in cards]
    there = (await bench.try_pin(cards[0], RIGHT_PIN)).verdict
    elsewhere = await bench.outcome(cards[0], RIGHT_PIN, terminal="t2")

    assert [False, False, False, False, True] == [v.frozen_now for v in verdicts]
    assert (VerdictOutcome.FROZEN, None) == (there.outcome, there.tries_left)
    assert VerdictOutcome.RIGHT is elsewhere
    (event,) = await bench.judge.events(0)
    assert ("terminal.frozen", "t1", None) == (event.name.value, event.terminal, event.card_ref)


async def test_frozen_survives_restart_and_time(bench: JudgeBench) -> None:
    """A frozen terminal stays so over a restart and a day; an operator is needed."""
    card = await bench.card()
    for _ in range(5):
        await bench.try_pin(await bench.card(), WRONG_PIN)
    await bench.restart()
    bench.now_ms += 86_400_000

    assert VerdictOutcome.FROZEN is await bench.outcome(card, RIGHT_PIN)


async def test_five_wrong_pins_over_a_longer_time(bench: JudgeBench) -> None:
    """Wrong PINs further apart do not freeze a terminal."""
    for _ in range(8):
        assert VerdictOutcome.WRONG is await bench.outcome(await bench.card(), WRONG_PIN)
        bench.now_ms += 150_000


async def test_old_attempts_are_forgotten(bench: JudgeBench) -> None:
    """A day later a verdict is gone from the store; asking again is expired, not compared."""
    card = await bench.card()
    asked = await bench.attempt(card)
    await bench.judge.judge(asked)
    bench.now_ms += 86_400_001
    await bench.try_pin(card, RIGHT_PIN)

    outcome = (await bench.judge.judge(asked)).verdict.outcome

    assert VerdictOutcome.CHALLENGE_EXPIRED is outcome
    assert 2 == bench.comparisons


async def test_registration_is_checked(bench: JudgeBench) -> None:
    """A card is registered once, with a number, a key and a PIN that are some."""
    card = await bench.card()
    key, pin = card.key.public_key, Secret(b"1234")

    for number, public_key, wanted in (
        (card.number, key, pin),
        (b"short", key, pin),
        (bytes(16), b"short", pin),
        (bytes(16), key, Secret(b"123")),
        (bytes(16), key, Secret(b"12a4")),
    ):
        with pytest.raises(KeyManagementError):
            await bench.judge.register_card(number, public_key, wanted)

    assert await bench.judge.card_known(card.card_ref)
    assert not await bench.judge.card_known("card-0000")
    assert [] == await bench.judge.card_states(None)
