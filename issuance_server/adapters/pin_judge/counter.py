"""What the counter (窓口) has the judge do with cards: register, unlock, set a PIN anew, withdraw.

The judge checks the operators' signatures itself, both where it takes two, and each act is done
once: whoever holds the server holds no card. A registration that is begun or approved opens nothing
at a terminal; only a trial with the right PIN makes it valid.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from issuance_server.adapters.pin_judge import events
from issuance_server.adapters.pin_judge.registration import NewCard, card_index, card_row, enrol
from issuance_server.adapters.pin_judge.store import JudgeStore, do_once, insert_cards
from issuance_server.adapters.pin_judge.store_file import Transaction
from issuance_server.adapters.pin_judge.tries import enrol_again
from issuance_server.core.card_registration import (
    SealedCard,
    card_digest,
    card_ref_of,
    counter_pin_info,
)
from issuance_server.core.pin_policy import TRIES_MAX, JudgeEvent, JudgeEventName
from keys.city_keys import JudgeKeys
from keys.operators import OperatorRing, SignedAct
from protocol.errors import KeyManagementError, SealError
from protocol.secret import Secret

UNLOCK_ACT = "card.unlock"
RESET_PIN_ACT = "card.reset-pin"
BEGIN_ACT = "card.register-begin"
APPROVE_ACT = "card.register-approve"
TRY_ACT = "card.register-try"
CANCEL_ACT = "card.register-cancel"
WITHDRAW_ACT = "card.withdraw"
ACTS_OF_TWO = frozenset({UNLOCK_ACT, RESET_PIN_ACT})

_INDEX_BYTES = 32
_UNKNOWN = "no card of this reference is registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One act under way.

    Attributes:
        t: its transaction.
        signed: the act of the first or only operator.
        card: what came with it.
        ring: the operators as they are now.
        now_ms: the judge's clock.
    """

    t: Transaction
    signed: SignedAct
    card: SealedCard | None
    ring: OperatorRing
    now_ms: int

    @property
    def card_ref(self) -> str:
        return card_ref_of(self.signed.act.subject)

    @property
    def operator(self) -> str:
        return self.signed.act.operator


class Counter:
    """Carries out what operators signed about cards."""

    def __init__(
        self,
        *,
        store: JudgeStore,
        keys: JudgeKeys,
        operators: Callable[[], OperatorRing],
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Take what the judge has.

        Args:
            store: its store.
            keys: its keys.
            operators: gives the operators as they are now.
            now_ms: its clock.
            random_bytes: draws salts.
        """
        self._store = store
        self._keys = keys
        self._operators = operators
        self._now_ms = now_ms
        self._random_bytes = random_bytes

    async def act(
        self, signed: SignedAct, second: SignedAct | None = None, card: SealedCard | None = None
    ) -> None:
        """Do what operators signed.

        Args:
            signed: the act.
            second: the same act of another operator, where it takes two.
            card: card and PIN, where the act brings them; the act is signed for their digest.

        Raises:
            KeyManagementError: it is not good, was done before, or fits no card.
        """
        name, now_ms, ring = signed.act.act, self._now_ms(), self._operators()
        do = _DO.get(name)
        if do is None:
            raise KeyManagementError(f"{name} is no act about a card")
        if name not in ACTS_OF_TWO:
            ring.verify(signed, now_ms, act=name, subject=signed.act.subject)
        elif second is None:
            raise KeyManagementError(f"{name} takes two operators with keys of their own")
        else:
            ring.verify_two(signed, second, now_ms, act=name, subject=signed.act.subject)
        async with self._store.transaction() as t:
            await do_once(t, signed, now_ms, second=second)
            asked = _Asked(t=t, signed=signed, card=card, ring=ring, now_ms=now_ms)
            await do(self, asked)

    async def _unlock(self, asked: _Asked) -> None:
        await _refuse_pending(asked.t, asked.card_ref)
        if not await asked.t.change(
            "UPDATE card SET tries_left = ?1, tries_max = ?1, locked_at_ms = NULL"
            " WHERE card_ref = ?2 AND stage <> 'gone'",
            *(TRIES_MAX, asked.card_ref),
        ):
            raise KeyManagementError(_UNKNOWN)
        await _report_unlocked(asked)

    async def _reset_pin(self, asked: _Asked) -> None:
        card, pin = self._opened(asked)
        await _refuse_pending(asked.t, asked.card_ref)
        peppers = self._keys.peppers
        row = await asked.t.first(
            "SELECT card_index FROM card WHERE card_ref = ? AND stage = 'valid'", asked.card_ref
        )
        own = {card_index(one.secret, card.number) for one in peppers.accepted()}
        if row is None or row[0] not in own:
            raise KeyManagementError(f"{_UNKNOWN}, or another card was presented")
        anew = enrol(peppers.newest(), card.number, pin, self._random_bytes)
        await enrol_again(asked.t, asked.card_ref, anew)
        await asked.t.change(
            "UPDATE card SET tries_left = ?1, tries_max = ?1, locked_at_ms = NULL"
            " WHERE card_ref = ?2",
            *(TRIES_MAX, asked.card_ref),
        )
        await _report_unlocked(asked)

    async def _begin(self, asked: _Asked) -> None:
        card, pin = self._opened(asked)
        new = NewCard(number=card.number, public_key=card.public_key, pin=pin)
        row = replace(
            card_row(self._keys.peppers, new, self._random_bytes), card_ref=asked.card_ref
        )
        for index in (row.enrolled.card_index, *row.former_indexes):
            former = await asked.t.first("SELECT card_ref FROM card WHERE card_index = ?", index)
            if former is not None:  # nothing came of an earlier beginning
                await self._forget(asked.t, cast("str", former[0]))
        try:
            await insert_cards(asked.t, [row])
        except sqlite3.IntegrityError:
            raise KeyManagementError("this card is registered already") from None
        await asked.t.change(
            "UPDATE card SET stage = 'begun', begun_by = ?, subject = ? WHERE card_ref = ?",
            *(asked.operator, asked.signed.act.subject, asked.card_ref),
        )

    async def _approve(self, asked: _Asked) -> None:
        row = await asked.t.first(
            "SELECT begun_by, subject FROM card"
            " WHERE card_ref = ? AND stage IN ('begun', 'approved')",
            asked.card_ref,
        )
        if row is None:
            raise KeyManagementError("no registration of this card waits for approval")
        begun_by, subject = cast("str", row[0]), row[1]
        if subject != asked.signed.act.subject:
            raise KeyManagementError("the registration that was begun is another one")
        check_other_operator(asked.ring, begun_by, asked.operator)
        await asked.t.change(
            "UPDATE card SET stage = 'approved' WHERE card_ref = ?", asked.card_ref
        )

    async def _cancel(self, asked: _Asked) -> None:
        await self._forget(asked.t, asked.card_ref)

    async def _withdraw(self, asked: _Asked) -> None:
        await _refuse_pending(asked.t, asked.card_ref)
        await self._forget(asked.t, asked.card_ref, registered=True)

    async def _forget(self, t: Transaction, card_ref: str, *, registered: bool = False) -> None:
        """Keep nothing of a card but its reference, which attempts name.

        Args:
            t: the transaction.
            card_ref: its reference.
            registered: whether also one that is registered is forgotten.
        """
        await t.change(
            "UPDATE card SET stage = 'gone', card_index = ?, public_key = x'', salt = x'',"
            " verifier = x'', pepper = '', tries_left = 0, locked_at_ms = NULL"
            " WHERE card_ref = ? AND (stage IN ('begun', 'approved') OR ?)",
            *(self._random_bytes(_INDEX_BYTES), card_ref, int(registered)),
        )

    def _opened(self, asked: _Asked) -> tuple[SealedCard, Secret]:
        """Return what came with the act, and the PIN in it."""
        card, subject = asked.card, asked.signed.act.subject
        if card is None or subject.split(" ")[1:2] != [card_digest(asked.card_ref, card)]:
            raise KeyManagementError("the operator signed this act for another card; sign it again")
        info = counter_pin_info(city=self._keys.city, card_ref=asked.card_ref, number=card.number)
        try:
            return card, self._keys.pin_opener.open(card.pin_block, info)
        except SealError:
            raise KeyManagementError("the sealed PIN does not open; have it typed again") from None


def check_other_operator(ring: OperatorRing, first: str, second: str) -> None:
    """Check that the second operator is another person with a key of their own.

    Raises:
        KeyManagementError: it is the same one.
    """
    keys = ring.operators
    if first == second or keys.get(first) == keys.get(second):
        raise KeyManagementError(
            f"{first} began it; approval takes another operator with a key of their own"
        )


async def _refuse_pending(t: Transaction, card_ref: str) -> None:
    if await t.first("SELECT 1 FROM attempt WHERE card_ref = ? AND outcome = 'pending'", card_ref):
        raise KeyManagementError("this card is being checked at a terminal; try again in a minute")


async def _report_unlocked(asked: _Asked) -> None:
    await events.report(
        asked.t,
        JudgeEvent(
            number=0,
            name=JudgeEventName.CARD_UNLOCKED,
            at_ms=asked.now_ms,
            card_ref=asked.card_ref,
            tries_left=TRIES_MAX,
            operator=asked.operator,
        ),
    )


_Do: TypeAlias = Callable[[Counter, _Asked], Awaitable[None]]

_DO: Mapping[str, _Do] = {
    UNLOCK_ACT: Counter._unlock,  # noqa: SLF001  # its own table
    RESET_PIN_ACT: Counter._reset_pin,  # noqa: SLF001
    BEGIN_ACT: Counter._begin,  # noqa: SLF001
    APPROVE_ACT: Counter._approve,  # noqa: SLF001
    CANCEL_ACT: Counter._cancel,  # noqa: SLF001
    WITHDRAW_ACT: Counter._withdraw,  # noqa: SLF001
}
