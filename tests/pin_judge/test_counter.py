"""Registering at the counter: two operators, two keys, and a trial before a card opens anything."""

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from issuance_server.core.card_registration import (
    SealedCard,
    card_digest,
    counter_pin_info,
    registration_subject,
)
from issuance_server.core.cards import CardOccasion
from issuance_server.core.pin_policy import PinAttempt, VerdictOutcome
from keys.operators import Operator, SignedAct
from keys.pin_sealing import PinSealer
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from tests.pin_judge.judge_bench import CITY, RIGHT_PIN, WRONG_PIN, Card, JudgeBench

CARD_REF = "card-00112233445566aa"
RESIDENT = "10000000017"


class Counter:
    """Two operators, a card, and a judge."""

    def __init__(self, bench: JudgeBench, one: Operator, other: Operator) -> None:
        self.bench, self.one, self.other = bench, one, other
        self.card = bench.unregistered_card()
        self.card.card_ref = CARD_REF
        self.sealed = self.seal(self.card)

    def seal(self, card: Card, pin: bytes = RIGHT_PIN, card_ref: str = CARD_REF) -> SealedCard:
        info = counter_pin_info(city=CITY, card_ref=card_ref, number=card.number)
        sealer = PinSealer(self.bench.keys.pin_opener.public_key)
        return SealedCard(
            number=card.number,
            public_key=card.key.public_key,
            pin_block=sealer.seal(Secret(pin), info),
        )

    @property
    def subject(self) -> str:
        return registration_subject(CARD_REF, self.sealed, RESIDENT, CardOccasion.NEW_CARD)

    def sign(self, act: str, subject: str, by: Operator | None = None, **said: Any) -> SignedAct:
        usual: dict[str, Any] = {
            "reason": "came to the counter",
            "nonce": self.bench.random.randbytes(16),
            "expires_at_ms": self.bench.now_ms + 60_000,
        }
        return (by or self.one).sign(act=act, subject=subject, **(usual | said))

    async def begin(self) -> None:
        signed = self.sign("card.register-begin", self.subject)
        await self.bench.judge.counter.act(signed, card=self.sealed)

    async def approve(self, by: Operator | None = None) -> None:
        signed = self.sign("card.register-approve", self.subject, by or self.other)
        await self.bench.judge.counter.act(signed)

    async def attempt(self, pin: bytes = RIGHT_PIN, terminal: str = "counter-1") -> PinAttempt:
        return await self.bench.attempt(self.card, pin, terminal=terminal)

    async def trial(self, pin: bytes = RIGHT_PIN, terminal: str = "counter-1") -> VerdictOutcome:
        signed = self.sign("card.register-try", CARD_REF)
        asked = await self.attempt(pin, terminal)
        return (await self.bench.judge.trial(signed, asked)).verdict.outcome

    async def at_terminal(self, pin: bytes = RIGHT_PIN) -> VerdictOutcome:
        return await self.bench.outcome(self.card, pin, terminal="7E-0001")

    async def two(self, act: str, subject: str, card: SealedCard | None = None) -> None:
        first = self.sign(act, subject)
        nonce, expires_at_ms = first.act.nonce, first.act.expires_at_ms
        second = self.sign(act, subject, self.other, nonce=nonce, expires_at_ms=expires_at_ms)
        await self.bench.judge.counter.act(first, second, card)


@pytest.fixture
def counter(bench: JudgeBench, operator: Operator, second: Operator) -> Counter:
    return Counter(bench, operator, second)


async def test_card_opens_nothing_before_its_trial(counter: Counter) -> None:
    """Begun and approved, it is told at a terminal as unknown; after the trial it works."""
    before = await counter.at_terminal()
    await counter.begin()
    begun = [await counter.at_terminal(), await counter.trial()]
    await counter.approve()
    approved = await counter.at_terminal()
    tried = await counter.trial()

    unknown = VerdictOutcome.NOT_ACCEPTED
    assert [unknown] * 4 == [before, *begun, approved]
    assert VerdictOutcome.RIGHT is tried
    assert VerdictOutcome.RIGHT is await counter.at_terminal()


async def test_wrong_pin_at_the_trial_registers_nothing(counter: Counter) -> None:
    """It counts, as at a terminal, and three lock the card before it was ever handed over."""
    await counter.begin()
    await counter.approve()

    assert [VerdictOutcome.WRONG] * 3 + [VerdictOutcome.LOCKED] == [
        await counter.trial(WRONG_PIN, f"counter-{number}") for number in range(4)
    ]
    assert VerdictOutcome.NOT_ACCEPTED is await counter.at_terminal()


async def test_approval_takes_another_operator(counter: Counter) -> None:
    """The one who began cannot approve, and nobody approves another registration."""
    await counter.begin()
    with pytest.raises(KeyManagementError, match="another operator"):
        await counter.approve(counter.one)
    other = registration_subject(CARD_REF, counter.sealed, "99", CardOccasion.NEW_CARD)
    with pytest.raises(KeyManagementError, match="another one"):
        await counter.bench.judge.counter.act(
            counter.sign("card.register-approve", other, counter.other)
        )

    assert VerdictOutcome.NOT_ACCEPTED is await counter.trial()


async def test_act_is_for_one_card_and_one_pin(counter: Counter) -> None:
    """What comes with an act is what was signed, and opens for that reference alone."""
    other = counter.seal(counter.bench.unregistered_card())
    elsewhere = counter.seal(counter.card, card_ref="card-ffffffffffffffff")
    signed = counter.sign("card.register-begin", counter.subject)
    for card in (other, None):
        with pytest.raises(KeyManagementError, match="another card"):
            await counter.bench.judge.counter.act(signed, card=card)
    subject = registration_subject(CARD_REF, elsewhere, RESIDENT, CardOccasion.NEW_CARD)
    with pytest.raises(KeyManagementError, match="does not open"):
        await counter.bench.judge.counter.act(
            counter.sign("card.register-begin", subject), card=elsewhere
        )


async def test_registered_card_is_not_registered_again(counter: Counter) -> None:
    """A beginning that came to nothing gives way to the next one, a registered card does not."""
    await counter.begin()
    await counter.bench.judge.counter.act(counter.sign("card.register-cancel", CARD_REF))
    taken = await counter.bench.card()
    sealed = counter.seal(taken)
    subject = registration_subject(CARD_REF, sealed, RESIDENT, CardOccasion.IN_USE)
    with pytest.raises(KeyManagementError, match="registered already"):
        await counter.bench.judge.counter.act(
            counter.sign("card.register-begin", subject), card=sealed
        )


async def test_trial_is_signed_and_made_at_the_counter(counter: Counter) -> None:
    """Without an operator, at a terminal's name, or of another card nothing is tried."""
    await counter.begin()
    await counter.approve()
    with pytest.raises(KeyManagementError, match="not at a terminal"):
        await counter.trial(terminal="7E-0001")
    asked = await counter.attempt()
    with pytest.raises(KeyManagementError):
        await counter.bench.judge.trial(counter.sign("card.unlock", CARD_REF), asked)
    assert VerdictOutcome.NOT_ACCEPTED is (await counter.bench.judge.judge(asked)).verdict.outcome
    other = counter.sign("card.register-try", "card-ffffffffffffffff")
    given = await counter.bench.judge.trial(other, await counter.attempt(terminal="counter-2"))
    assert VerdictOutcome.NOT_ACCEPTED is given.verdict.outcome


async def test_new_pin_by_two_operators(counter: Counter) -> None:
    """The old PIN is wrong from then on, the tries are back; one operator alone changes nothing."""
    card = await counter.bench.card()
    await counter.bench.lock(card)
    sealed = counter.seal(card, WRONG_PIN, card.card_ref)
    subject = f"{card.card_ref} {card_digest(card.card_ref, sealed)}"
    with pytest.raises(KeyManagementError, match="takes two"):
        await counter.bench.judge.counter.act(counter.sign("card.reset-pin", subject), card=sealed)
    await counter.two("card.reset-pin", subject, sealed)

    assert VerdictOutcome.WRONG is await counter.bench.outcome(card, RIGHT_PIN)
    assert VerdictOutcome.RIGHT is await counter.bench.outcome(card, WRONG_PIN)


async def test_new_pin_for_the_card_that_is_there(counter: Counter) -> None:
    """Another card than the one of the reference sets nobody's PIN."""
    card, other = await counter.bench.card(), await counter.bench.card()
    sealed = counter.seal(other, WRONG_PIN, card.card_ref)
    subject = f"{card.card_ref} {card_digest(card.card_ref, sealed)}"

    with pytest.raises(KeyManagementError, match="another card was presented"):
        await counter.two("card.reset-pin", subject, sealed)

    assert VerdictOutcome.RIGHT is await counter.bench.outcome(other, RIGHT_PIN)


async def test_withdrawn_card_is_forgotten(counter: Counter) -> None:
    """It is unknown at once, nothing to compare with is kept, and it can be registered anew."""
    card = await counter.bench.card()
    before = b"".join(counter.bench.files().values())
    assert card.key.public_key in before
    await counter.bench.judge.counter.act(counter.sign("card.withdraw", card.card_ref))
    counter.card = card
    counter.sealed = counter.seal(card)
    await counter.begin()
    await counter.approve()

    assert VerdictOutcome.NOT_ACCEPTED is await counter.at_terminal()
    assert () == tuple(await counter.bench.judge.card_states(card.card_ref or "none"))[1:]
    assert VerdictOutcome.RIGHT is await counter.trial()


async def test_acts_are_done_once(counter: Counter) -> None:
    """Also those about cards: a signature is good for one time."""
    card = await counter.bench.card()
    signed = counter.sign("card.withdraw", card.card_ref)
    await counter.bench.judge.counter.act(signed)

    with pytest.raises(KeyManagementError, match="done before"):
        await counter.bench.judge.counter.act(signed)
    with pytest.raises(KeyManagementError, match="no act about a card"):
        await counter.bench.judge.counter.act(counter.sign("terminal.unfreeze", "7E-0001"))


def test_repr_of_a_card_shows_nothing(counter: Counter) -> None:
    """Neither number nor PIN block."""
    assert "SealedCard(***)" == repr(counter.sealed)
    digest = sha256(msgspec.msgpack.encode(counter.sealed)).hexdigest()
    assert counter.sealed.number.hex() not in counter.subject + digest
