"""The PIN judge's decisions, in the order in which they are made.

1. A repeat gets the stored verdict; other content under a used attempt is refused.
2. The challenge is taken, whatever comes after; without one nothing is counted.
3. The card's signature is verified. Unknown and unregistered cards are verified too, against a key
   that belongs to nobody, so that all three refusals are one.
4. A frozen terminal gets no further.
5. The PIN block is opened. Opening is not comparing, and a block that does not open is no try.
6. The try is counted, on the disk. Here the card may be locked or busy.
7. Only now, and only with what counting gave, the PIN is compared.
8. The outcome is on the disk before anybody hears of it.

For a card that judges its PIN itself, 3 is the check of its certificate and signature, and 5 to 7
fall away: nothing is counted for the card. What no genuine card makes is counted for the terminal.
"""

import asyncio
import contextlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Self, final

import msgspec

from issuance_server.adapters.pin_judge.certificates import OF_CERTIFICATES, check_certificate
from issuance_server.adapters.pin_judge.challenges import AttemptKey, Challenges
from issuance_server.adapters.pin_judge.counter import TRY_ACT, Counter
from issuance_server.adapters.pin_judge.registration import NewCard, card_index, card_row, enrol
from issuance_server.adapters.pin_judge.store import JudgeStore
from issuance_server.adapters.pin_judge.tries import CountedTry, Enrolment
from issuance_server.core.card_registration import TRIAL_TERMINAL_PREFIX
from issuance_server.core.pin_policy import (
    AnyAttempt,
    CardState,
    CertificateAttempt,
    JudgeEvent,
    PinAttempt,
    SignedVerdict,
    Verdict,
    VerdictOutcome,
)
from keys.city_keys import JudgeKeys
from keys.operators import OperatorRing, SignedAct
from keys.pepper import pin_verifier
from keys.signing import SEED_BYTES, SigningKey
from protocol.codes import ReplyCode
from protocol.errors import KeyManagementError, SealError
from protocol.secret import Secret
from protocol.statements import card_proof, pin_block_info, signature_holds

UNFREEZE_ACT = "terminal.unfreeze"

_MS_PER_S = 1_000
_NS_PER_MS = 1_000_000


def _now_ms() -> int:
    return int(time.time() * _MS_PER_S)


def _monotonic_ms() -> int:
    return time.monotonic_ns() // _NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Clock, entropy and comparison; a test gives its own.

    Attributes:
        now_ms: Unix time in milliseconds.
        monotonic_ms: a clock that never goes back, for the life of challenges.
        random_bytes: that many random bytes.
        compare: tells whether two verifiers are the same, in constant time.
    """

    now_ms: Callable[[], int] = _now_ms
    monotonic_ms: Callable[[], int] = _monotonic_ms
    random_bytes: Callable[[int], bytes] = token_bytes
    compare: Callable[[bytes, bytes], bool] = hmac.compare_digest


@final
class PinJudge:
    """Judges the attempts of one city. Any number may be under way at once."""

    def __init__(
        self,
        *,
        store: JudgeStore,
        keys: JudgeKeys,
        operators: Callable[[], OperatorRing],
        surroundings: Surroundings,
    ) -> None:
        self._store = store
        self._keys = keys
        self._operators = operators
        self._around = surroundings
        self._challenges = Challenges(surroundings.random_bytes)
        self._under_way: dict[AttemptKey, asyncio.Event] = {}
        self.counter = Counter(
            store=store,
            keys=keys,
            operators=operators,
            now_ms=surroundings.now_ms,
            random_bytes=surroundings.random_bytes,
        )
        nobody = Secret(surroundings.random_bytes(SEED_BYTES))
        self._nobodys_key = SigningKey.from_seed(nobody).public_key

    @classmethod
    async def start(
        cls,
        *,
        store: JudgeStore,
        keys: JudgeKeys,
        operators_folder: Path,
        surroundings: Surroundings,
    ) -> Self:
        """Begin to judge, after the tries that a predecessor left pending were burned.

        Args:
            store: held by this process alone.
            keys: the judge's keys.
            operators_folder: public keys of the operators, read anew for every act.
            surroundings: clock, entropy and comparison.
        """
        judge = cls(
            store=store,
            keys=keys,
            operators=lambda: OperatorRing.load(operators_folder, keys.trust),
            surroundings=surroundings,
        )
        await store.burn_pending(at_ms=judge._around.now_ms(), sign=judge._sign)
        return judge

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int) -> bytes | ReplyCode:
        """Give the challenge of an attempt.

        Returns:
            32 bytes, the same ones until they are used or expire after 60 s; KEY_REUSED when the
            attempt was made already, BUSY when too many challenges are out.
        """
        key = (terminal, visit_id, attempt)
        if key in self._under_way or await self._store.verdict(key) is not None:
            return ReplyCode.KEY_REUSED
        challenge = self._challenges.give(key, self._around.monotonic_ms())
        return ReplyCode.BUSY if challenge is None else challenge

    async def judge(self, asked: AnyAttempt, *, trial: str | None = None) -> SignedVerdict:
        """Judge one attempt. The verdict is on the disk when it is returned.

        Args:
            asked: the attempt.
            trial: the reference of the one card that this is a trial of.
        """
        key = (asked.terminal, asked.visit_id, asked.attempt)
        async with self._turn(key):
            stored = await self._store.verdict(key)
            if stored is None:
                return await self._judge_new(key, asked, trial)
            if stored.verdict.request_digest == asked.request_digest:
                return stored
            return self._sign(self._verdict(asked, VerdictOutcome.KEY_REUSED))

    async def _judge_new(
        self, key: AttemptKey, asked: AnyAttempt, trial: str | None
    ) -> SignedVerdict:
        challenge = self._challenges.take(key, self._around.monotonic_ms())
        if challenge is None or asked.city != self._keys.city:
            return await self._refuse(asked, VerdictOutcome.CHALLENGE_EXPIRED)
        if isinstance(asked, CertificateAttempt):
            return await self._judge_certificate(challenge, asked)
        return await self._judge_pin(key, challenge, asked, trial)

    async def _judge_certificate(
        self, challenge: bytes, asked: CertificateAttempt
    ) -> SignedVerdict:
        """Check certificate and signature; the card has judged the PIN, and counts by itself."""
        now_ms = self._around.now_ms()
        found = check_certificate(self._keys.jpki, challenge, asked, now_ms)
        outcome = OF_CERTIFICATES[found.finding]
        if outcome is not VerdictOutcome.FORGED and await self._store.is_frozen(asked.terminal):
            outcome = VerdictOutcome.FROZEN
        verdict = msgspec.structs.replace(
            self._verdict(asked, outcome), certificate_serial=found.serial
        )
        if outcome is VerdictOutcome.FORGED:
            return await self._store.record_forged(verdict, self._sign)
        signed = self._sign(verdict)
        await self._store.record(signed)
        return signed

    async def _judge_pin(
        self, key: AttemptKey, challenge: bytes, asked: PinAttempt, trial: str | None
    ) -> SignedVerdict:
        card_ref = await self._present_card(challenge, asked, trial)
        if card_ref is None:
            return await self._refuse(asked, VerdictOutcome.NOT_ACCEPTED)
        if await self._store.is_frozen(asked.terminal):
            return await self._refuse(asked, VerdictOutcome.FROZEN, card_ref)
        pin = self._opened(challenge, asked)
        if pin is None:
            return await self._refuse(asked, VerdictOutcome.BLOCK_INVALID, card_ref)
        counted = await self._store.count_try(
            key,
            request_digest=asked.request_digest,
            card_ref=card_ref,
            at_ms=self._around.now_ms(),
        )
        if isinstance(counted, VerdictOutcome):
            return await self._refuse(asked, counted, card_ref)
        outcome = self._compare(counted, asked.card, pin)
        return await self._store.settle_try(
            counted.pending,
            outcome,
            at_ms=self._around.now_ms(),
            sign=self._sign,
            anew=self._enrolled_anew(outcome, counted, asked.card, pin),
        )

    async def register_card(self, card: bytes, public_key: bytes, pin: Secret) -> str:
        """Register a card.

        Args:
            card: card number, 16 bytes.
            public_key: Ed25519, 32 bytes.
            pin: 4 to 12 digits in ASCII.

        Returns:
            the card's random reference, its only name outside.

        Raises:
            KeyManagementError: it is registered already, or something is out of range.
        """
        (card_ref,) = await self.register_cards(
            [NewCard(number=card, public_key=public_key, pin=pin)]
        )
        return card_ref

    async def register_cards(self, cards: Sequence[NewCard]) -> list[str]:
        """Register cards, all or none; return their references in the same order."""
        random_bytes = self._around.random_bytes
        rows = [card_row(self._keys.peppers, card, random_bytes) for card in cards]
        await self._store.register(rows)
        return [row.card_ref for row in rows]

    async def trial(self, signed: SignedAct, asked: AnyAttempt) -> SignedVerdict:
        """Judge an attempt at the counter, by an operator's signed act ``card.register-try``.

        A card whose registration was approved is registered by its right PIN.

        Args:
            signed: the act; its subject is the card's reference.
            asked: the attempt, with a terminal that is none.

        Raises:
            KeyManagementError: the act is not good or was done before, or it is a terminal's.
        """
        card_ref, now_ms = signed.act.subject, self._around.now_ms()
        self._operators().verify(signed, now_ms, act=TRY_ACT, subject=card_ref)
        if not asked.terminal.startswith(TRIAL_TERMINAL_PREFIX):
            raise KeyManagementError("a trial is made at the counter, not at a terminal")
        await self._store.begin_trial(signed, now_ms)
        given = await self.judge(asked, trial=card_ref)
        if given.verdict.outcome is VerdictOutcome.RIGHT:
            await self._store.set_valid(card_ref)
        return given

    async def unfreeze(self, signed: SignedAct) -> None:
        """Let a frozen terminal go on, by an operator's signed act ``terminal.unfreeze``.

        Raises:
            KeyManagementError: the act is not good, was done before, or the terminal is not frozen.
        """
        now_ms = self._around.now_ms()
        self._operators().verify(signed, now_ms, act=UNFREEZE_ACT, subject=signed.act.subject)
        await self._store.unfreeze(signed, now_ms)

    async def card_states(self, card_ref: str | None, *, after: str = "") -> list[CardState]:
        """Return one card's state, or a page of the cards that have not all their tries."""
        return await self._store.card_states(card_ref, after=after)

    async def card_known(self, card_ref: str) -> bool:
        """Tell whether a card of this reference is registered."""
        return bool(await self._store.card_states(card_ref))

    async def events(self, collected_up_to: int) -> list[JudgeEvent]:
        """Forget the events up to a number, and return the next ones, oldest first."""
        return await self._store.events(collected_up_to)

    async def _present_card(
        self, challenge: bytes, asked: PinAttempt, trial: str | None
    ) -> str | None:
        """Return the reference of the card that signed; None whatever was wrong with it."""
        peppers = self._keys.peppers.accepted()
        indexes = [card_index(one.secret, asked.card) for one in peppers]
        found = await self._store.card(indexes, trial=trial)
        card_ref, public_key = found or (None, self._nobodys_key)
        proof = card_proof(
            challenge=challenge,
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            terminal=asked.terminal,
            city=asked.city,
            card=asked.card,
        )
        return card_ref if signature_holds(public_key, asked.card_signature, proof) else None

    def _opened(self, challenge: bytes, asked: PinAttempt) -> Secret | None:
        info = pin_block_info(
            challenge=challenge,
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            terminal=asked.terminal,
            city=asked.city,
            card=asked.card,
        )
        try:
            return self._keys.pin_opener.open(asked.pin_block, info)
        except SealError:
            return None

    def _compare(self, counted: CountedTry, card: bytes, pin: Secret) -> VerdictOutcome:
        """Return RIGHT or WRONG; BURNED if the pepper was revoked since the card was found."""
        peppers = {one.key_id: one.secret for one in self._keys.peppers.accepted()}
        pepper = peppers.get(counted.pepper)
        if pepper is None:
            return VerdictOutcome.BURNED
        shown = pin_verifier(pepper, card, counted.salt, pin)
        right = self._around.compare(shown, counted.verifier)
        return VerdictOutcome.RIGHT if right else VerdictOutcome.WRONG

    def _enrolled_anew(
        self, outcome: VerdictOutcome, counted: CountedTry, card: bytes, pin: Secret
    ) -> Enrolment | None:
        """Return what to keep of a right PIN under the newest pepper, unless that is kept."""
        newest = self._keys.peppers.newest()
        if outcome is not VerdictOutcome.RIGHT or counted.pepper == newest.key_id:
            return None
        return enrol(newest, card, pin, self._around.random_bytes)

    async def _refuse(
        self, asked: AnyAttempt, outcome: VerdictOutcome, card_ref: str | None = None
    ) -> SignedVerdict:
        signed = self._sign(self._verdict(asked, outcome, card_ref))
        await self._store.record(signed)
        return signed

    def _verdict(
        self, asked: AnyAttempt, outcome: VerdictOutcome, card_ref: str | None = None
    ) -> Verdict:
        return Verdict(
            terminal=asked.terminal,
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            request_digest=asked.request_digest,
            outcome=outcome,
            card_ref=card_ref,
            tries_left=0 if outcome is VerdictOutcome.LOCKED else None,
            at_ms=self._around.now_ms(),
        )

    def _sign(self, verdict: Verdict) -> SignedVerdict:
        signature = self._keys.verdict.sign(verdict.statement())
        return SignedVerdict(verdict=verdict, signature=signature)

    @contextlib.asynccontextmanager
    async def _turn(self, key: AttemptKey) -> AsyncIterator[None]:
        """Let the repeats of an attempt wait for it."""
        while (other := self._under_way.get(key)) is not None:
            await other.wait()
        ended = self._under_way[key] = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[key]
            ended.set()
