"""Unlocking and unfreezing: named operators, a reason, once, and not for long."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from issuance_server.core.pin_policy import VerdictOutcome
from keys.authority import Authority
from keys.city_folder import OPERATORS_FOLDER, CityFolder
from keys.operator_files import OperatorFile, sign_operator
from keys.operators import Operator, SignedAct
from keys.signing import SigningKey
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from tests.pin_judge.judge_bench import RIGHT_PIN, WRONG_PIN, JudgeBench

STRANGER = Operator("hanako", SigningKey.from_seed(Secret(bytes(32))))


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Signs acts as of the bench's clock."""

    bench: JudgeBench
    operator: Operator
    second: Operator

    async def unlock(self, signed: SignedAct, second: SignedAct | None = None) -> None:
        """Have a card unlocked; the second operator signs the same unless told otherwise."""
        act = signed.act
        same = self.second.sign(
            act=act.act,
            subject=act.subject,
            reason="saw it",
            nonce=act.nonce,
            expires_at_ms=act.expires_at_ms,
        )
        await self.bench.judge.counter.act(signed, second or same)

    def sign(self, act: str, subject: str, **changes: Any) -> SignedAct:
        said: dict[str, Any] = {
            "act": act,
            "subject": subject,
            "reason": "came to the counter with the card",
            "nonce": self.bench.random.randbytes(16),
            "expires_at_ms": self.bench.now_ms + 60_000,
        }
        return self.operator.sign(**(said | changes))


@pytest.fixture
def acts(bench: JudgeBench, operator: Operator, second: Operator) -> Acts:
    return Acts(bench=bench, operator=operator, second=second)


async def test_unlock(bench: JudgeBench, acts: Acts) -> None:
    """Two operators' act gives a locked card its tries back, and an event names who began it."""
    card = await bench.card()
    await bench.lock(card)

    await acts.unlock(acts.sign("card.unlock", card.card_ref))

    (state,) = await bench.judge.card_states(card.card_ref)
    assert (3, None) == (state.tries_left, state.locked_at_ms)
    assert VerdictOutcome.RIGHT is await bench.outcome(card, RIGHT_PIN)
    locked, unlocked = await bench.judge.events(0)
    assert ("card.locked", None) == (locked.name.value, locked.operator)
    assert ("card.unlocked", "hanako") == (unlocked.name.value, unlocked.operator)


def _forged(act: SignedAct) -> SignedAct:
    return msgspec.structs.replace(act, signature=bytes(64))


def _other_reason(act: SignedAct) -> SignedAct:
    return msgspec.structs.replace(act, act=msgspec.structs.replace(act.act, reason="other"))


def _unknown_operator(act: SignedAct) -> SignedAct:
    return msgspec.structs.replace(act, act=msgspec.structs.replace(act.act, operator="jiro"))


@pytest.mark.parametrize("change", [_forged, _other_reason, _unknown_operator])
async def test_act_that_was_changed(
    bench: JudgeBench, acts: Acts, change: Callable[[SignedAct], SignedAct]
) -> None:
    """An act with another signature, reason or name than was signed does nothing."""
    card = await bench.card()
    await bench.lock(card)

    with pytest.raises(KeyManagementError):
        await acts.unlock(change(acts.sign("card.unlock", card.card_ref)))

    assert 0 == await bench.tries_left(card)


async def test_act_of_another_key(bench: JudgeBench, acts: Acts) -> None:
    """An operator's name under another key does nothing."""
    card = await bench.card()
    await bench.lock(card)
    forger = Acts(bench=bench, operator=STRANGER, second=acts.second)

    with pytest.raises(KeyManagementError):
        await acts.unlock(forger.sign("card.unlock", card.card_ref))

    assert 0 == await bench.tries_left(card)


@pytest.mark.parametrize(
    ("act", "valid_ms"),
    [("card.unlock", 0), ("card.unlock", 3_600_000), ("terminal.unfreeze", 60_000)],
    ids=["expired", "good for too long", "another act"],
)
async def test_act_that_is_not_good(bench: JudgeBench, acts: Acts, act: str, valid_ms: int) -> None:
    """An act that is expired, good for an hour, or of another kind does not unlock."""
    card = await bench.card()
    await bench.lock(card)
    signed = acts.sign(act, card.card_ref, expires_at_ms=bench.now_ms + valid_ms)

    with pytest.raises(KeyManagementError):
        await acts.unlock(signed)

    assert 0 == await bench.tries_left(card)


async def test_one_operator_unlocks_nothing(bench: JudgeBench, acts: Acts) -> None:
    """Alone, twice by one key, or with another nonce or subject: the judge itself refuses."""
    card = await bench.card()
    await bench.lock(card)
    act = acts.sign("card.unlock", card.card_ref)
    elsewhere = Acts(bench=bench, operator=acts.second, second=acts.second)
    others = [
        act,
        elsewhere.sign("card.unlock", card.card_ref),
        elsewhere.sign("card.unlock", "card-0000", nonce=act.act.nonce),
    ]

    with pytest.raises(KeyManagementError, match="takes two operators"):
        await bench.judge.counter.act(act)
    for other in others:
        with pytest.raises(KeyManagementError):
            await acts.unlock(act, other)

    assert 0 == await bench.tries_left(card)


async def test_who_writes_a_file_is_no_operator(
    bench: JudgeBench, acts: Acts, city_keys: Path
) -> None:
    """The judge itself asks for the authority's signature; what is signed counts at once."""
    card = await bench.card()
    await bench.lock(card)
    written = city_keys / OPERATORS_FOLDER / "jiro.pub"
    jiro = Operator("jiro", SigningKey.generate())
    written.write_bytes(OperatorFile(name="jiro", key=jiro.public_key).text)
    unsigned = Acts(bench=bench, operator=acts.operator, second=jiro)
    try:
        with pytest.raises(KeyManagementError, match="issuance-keys operator sign jiro"):
            await unsigned.unlock(unsigned.sign("card.unlock", card.card_ref))
        assert 0 == await bench.tries_left(card)
        sign_operator(written.parent, "jiro", Authority.of_city(CityFolder.at(city_keys)))
        await unsigned.unlock(unsigned.sign("card.unlock", card.card_ref))
    finally:
        written.unlink()

    assert 3 == await bench.tries_left(card)


async def test_act_is_done_once(bench: JudgeBench, acts: Acts) -> None:
    """The same act again, or another with its nonce, does nothing; also after a restart."""
    card = await bench.card()
    await bench.lock(card)
    done = acts.sign("card.unlock", card.card_ref)
    await acts.unlock(done)
    await bench.lock(card)
    await bench.restart()

    for again in (done, acts.sign("card.unlock", card.card_ref, nonce=done.act.nonce)):
        with pytest.raises(KeyManagementError, match="done before"):
            await acts.unlock(again)

    assert 0 == await bench.tries_left(card)


async def test_unlock_of_a_card_that_is_not_there(bench: JudgeBench, acts: Acts) -> None:
    """An unknown reference is said to be unknown."""
    with pytest.raises(KeyManagementError, match="registered"):
        await acts.unlock(acts.sign("card.unlock", "card-0000"))


async def test_unlock_waits_for_a_pending_try(bench: JudgeBench, acts: Acts) -> None:
    """A card under comparison is not unlocked, or its try would come on top of three new ones."""
    card = await bench.card()
    counted = await bench.store.count_try(
        ("t1", bytes(16), 1), request_digest=bytes(32), card_ref=card.card_ref, at_ms=bench.now_ms
    )
    assert not isinstance(counted, VerdictOutcome)
    act = acts.sign("card.unlock", card.card_ref)

    with pytest.raises(KeyManagementError, match="being checked"):
        await acts.unlock(act)
    await bench.restart()
    await acts.unlock(act)

    assert 3 == await bench.tries_left(card)


async def test_unfreeze(bench: JudgeBench, acts: Acts) -> None:
    """An operator's act lets the terminal go on, and its failures are forgiven."""
    for _ in range(5):
        await bench.try_pin(await bench.card(), WRONG_PIN)

    await bench.judge.unfreeze(acts.sign("terminal.unfreeze", "t1"))

    for _ in range(4):
        assert VerdictOutcome.WRONG is await bench.outcome(await bench.card(), WRONG_PIN)
    assert VerdictOutcome.RIGHT is await bench.outcome(await bench.card(), RIGHT_PIN)
    frozen, unfrozen = await bench.judge.events(0)
    assert ("terminal.frozen", "t1") == (frozen.name.value, frozen.terminal)
    assert ("terminal.unfrozen", "hanako") == (unfrozen.name.value, unfrozen.operator)


async def test_unfreeze_of_a_terminal_that_is_not_frozen(bench: JudgeBench, acts: Acts) -> None:
    """There is nothing to forgive ahead."""
    with pytest.raises(KeyManagementError, match="not frozen"):
        await bench.judge.unfreeze(acts.sign("terminal.unfreeze", "t1"))
