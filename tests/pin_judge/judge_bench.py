"""A judge on a real file with a clock in the hand, and terminals and cards that are real too."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from issuance_server.adapters.pin_judge.judge import PinJudge, Surroundings
from issuance_server.adapters.pin_judge.registration import NewCard, open_store
from issuance_server.adapters.pin_judge.store import JudgeStore
from issuance_server.core.pin_policy import PinAttempt, SignedVerdict, VerdictOutcome
from keys.city_keys import JudgeKeys
from keys.pin_sealing import PinSealer
from keys.signing import SigningKey
from protocol.secret import Secret
from protocol.statements import card_proof, pin_block_info

CITY = "272035"
RIGHT_PIN = b"493817260584"
WRONG_PIN = b"111122223333"


class SimulatedCrash(BaseException):
    """The process dies here."""


@dataclass(kw_only=True)
class Card:
    """A fictitious card: number, key, and the reference that it got."""

    number: bytes
    key: SigningKey
    card_ref: str = ""


@dataclass(kw_only=True)
class JudgeBench:
    """Opens and reopens one judge, and makes attempts as terminals do.

    Attributes:
        crash: the judge dies after the next comparison.
        comparisons: counts every comparison, and how many failed since the last success, per
            verifier; nothing in the judge knows of it.
    """

    path: Path
    keys: JudgeKeys
    operators_folder: Path
    now_ms: int = 1_800_000_000_000
    random: Random = field(default_factory=lambda: Random(7))
    crash: bool = False
    comparisons: int = 0
    failed_in_a_row: dict[bytes, int] = field(default_factory=dict)
    failed_in_a_row_max: int = 0
    _store: JudgeStore | None = None
    _judge: PinJudge | None = None

    @property
    def judge(self) -> PinJudge:
        assert self._judge is not None, "the judge is closed"
        return self._judge

    @property
    def store(self) -> JudgeStore:
        assert self._store is not None, "the judge is closed"
        return self._store

    async def open(self) -> None:
        self._store = await open_store(self.path, self.keys, lock_wait_ms=0)
        self._judge = await PinJudge.start(
            store=self._store,
            keys=self.keys,
            operators_folder=self.operators_folder,
            surroundings=Surroundings(
                now_ms=lambda: self.now_ms,
                monotonic_ms=lambda: self.now_ms,
                random_bytes=self.random.randbytes,
                compare=self._compare,
            ),
        )

    async def close(self) -> None:
        store, self._store, self._judge = self._store, None, None
        if store is not None:
            await store.close()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def card(self, pin: bytes = RIGHT_PIN) -> Card:
        card = self.unregistered_card()
        new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(pin))
        (card.card_ref,) = await self.judge.register_cards([new])
        return card

    def unregistered_card(self) -> Card:
        seed = Secret(self.random.randbytes(32))
        return Card(number=self.random.randbytes(16), key=SigningKey.from_seed(seed))

    def visit_id(self) -> bytes:
        return self.random.randbytes(16)

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int = 1) -> bytes:
        challenge = await self.judge.challenge(terminal, visit_id, attempt)
        assert isinstance(challenge, bytes), challenge
        return challenge

    async def attempt(
        self, card: Card, pin: bytes = RIGHT_PIN, *, terminal: str = "t1", attempt: int = 1
    ) -> PinAttempt:
        """Make an attempt in a visit of its own, its challenge taken from the judge."""
        visit_id = self.visit_id()
        challenge = await self.challenge(terminal, visit_id, attempt)
        return self.answer(
            card, pin, challenge=challenge, visit_id=visit_id, terminal=terminal, attempt=attempt
        )

    def answer(self, card: Card, pin: bytes = RIGHT_PIN, **bound: Any) -> PinAttempt:
        """Make the attempt that answers a challenge."""
        return answered(card, pin, sealing_key=self.keys.pin_opener.public_key, **bound)

    async def try_pin(self, card: Card, pin: bytes, *, terminal: str = "t1") -> SignedVerdict:
        return await self.judge.judge(await self.attempt(card, pin, terminal=terminal))

    async def outcome(self, card: Card, pin: bytes, *, terminal: str = "t1") -> VerdictOutcome:
        return (await self.try_pin(card, pin, terminal=terminal)).verdict.outcome

    async def tries_left(self, card: Card) -> int:
        (state,) = await self.judge.card_states(card.card_ref)
        return state.tries_left

    async def lock(self, card: Card) -> None:
        for number in range(3):
            await self.try_pin(card, WRONG_PIN, terminal=f"locker-{card.card_ref}-{number}")

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.path.parent.glob("*")}

    def _compare(self, shown: bytes, stored: bytes) -> bool:
        self.comparisons += 1
        failed = 0 if shown == stored else self.failed_in_a_row.get(stored, 0) + 1
        self.failed_in_a_row[stored] = failed
        self.failed_in_a_row_max = max(self.failed_in_a_row_max, failed)
        if self.crash:
            raise SimulatedCrash
        return shown == stored


def answered(
    card: Card,
    pin: bytes,
    *,
    sealing_key: bytes,
    challenge: bytes,
    visit_id: bytes,
    terminal: str = "t1",
    attempt: int = 1,
) -> PinAttempt:
    """Do what terminal and card do with a challenge."""
    bound: dict[str, Any] = {
        "challenge": challenge,
        "visit_id": visit_id,
        "attempt": attempt,
        "terminal": terminal,
        "city": CITY,
        "card": card.number,
    }
    block = PinSealer(sealing_key).seal(Secret(pin), pin_block_info(**bound))
    return PinAttempt(
        terminal=terminal,
        city=CITY,
        visit_id=visit_id,
        attempt=attempt,
        request_digest=sha256(block).digest(),
        card=card.number,
        card_signature=card.key.sign(card_proof(**bound)),
        pin_block=block,
    )


def badly_signed(asked: PinAttempt) -> PinAttempt:
    """The same attempt with one bit of the card's signature changed."""
    first, rest = asked.card_signature[0], asked.card_signature[1:]
    return with_changes(asked, card_signature=bytes([first ^ 1]) + rest)


def with_changes(asked: PinAttempt, **changes: object) -> PinAttempt:
    """The same attempt with other content."""
    return msgspec.structs.replace(asked, **changes)
