"""What the PIN judge remembers: cards, attempts, frozen terminals, operators' acts, events."""

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast, final

import msgspec

from issuance_server.adapters.file_lock import LOCK_WAIT_MS_MAX
from issuance_server.adapters.pin_judge import events, tries
from issuance_server.adapters.pin_judge.challenges import AttemptKey
from issuance_server.adapters.pin_judge.store_file import StoreFile, Transaction
from issuance_server.adapters.pin_judge.tries import (
    CountedTry,
    Enrolment,
    NotCounted,
    PendingTry,
    Sign,
)
from issuance_server.core.pin_policy import (
    CARD_STATES_PER_PAGE,
    TRIES_MAX,
    CardState,
    JudgeEvent,
    JudgeEventName,
    SignedVerdict,
    Verdict,
    VerdictOutcome,
)
from keys.operators import SignedAct
from protocol.errors import KeyManagementError, SetUpError


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """A card as it is registered.

    Attributes:
        card_ref: its random reference.
        public_key: Ed25519, 32 bytes.
        enrolled: what is kept of its number and PIN.
        former_indexes: what it would be found by if it were registered under an older pepper.
    """

    card_ref: str
    public_key: bytes
    enrolled: Enrolment
    former_indexes: tuple[bytes, ...] = ()


@final
class JudgeStore:
    """The store of one city's judge. Each method is one transaction, on the disk at its end."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        city: str,
        pepper_ids: frozenset[str],
        lock_wait_ms: int = LOCK_WAIT_MS_MAX,
    ) -> Self:
        """Open a city's store, or begin it.

        Args:
            path: the database file.
            city: municipality code, 6 digits.
            pepper_ids: key ids of all peppers that there ever were; a store whose cards name
                another one is not opened, for every PIN would be wrong.
            lock_wait_ms: how long another process may still hold the file.

        Raises:
            SetUpError: it is in use, of another city or pepper, or no such store.
        """
        file = await StoreFile.open(path, lock_wait_ms=lock_wait_ms)
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(file.close)
            if not await _is_store_of(file, city, pepper_ids):
                raise SetUpError(
                    f"{path} is of another city, or has cards under another pepper; "
                    "give it the judge's keys that it was made with"
                )
            undo.pop_all()
        return cls(file)

    async def close(self) -> None:
        """Close the file and let go of it."""
        await self._file.close()

    async def register(self, cards: Iterable[CardRow]) -> None:
        """Add cards, all or none.

        Raises:
            KeyManagementError: one of them is registered already.
        """
        new = list(cards)
        try:
            async with self._file.transaction() as t:
                await insert_cards(t, new)
        except sqlite3.IntegrityError:
            raise KeyManagementError("this card is registered already") from None

    def transaction(self) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """Run a block as one transaction, for the acts of the counter."""
        return self._file.transaction()

    async def card(
        self, card_indexes: Sequence[bytes], *, trial: str | None = None
    ) -> tuple[str, bytes] | None:
        """Return reference and public key of a registered card.

        Args:
            card_indexes: what it is found by under each accepted pepper.
            trial: the reference of a card that may be tried before it is registered.
        """
        async with self._file.transaction() as t:
            rows = [  # all are asked for, so that an unknown card takes no longer
                await t.first(
                    "SELECT card_ref, public_key FROM card WHERE card_index = ?"
                    " AND (stage = 'valid' OR (stage = 'approved' AND card_ref = ?))",
                    *(card_index, trial),
                )
                for card_index in card_indexes
            ]
        row = next((row for row in rows if row is not None), None)
        return None if row is None else (cast("str", row[0]), cast("bytes", row[1]))

    async def begin_trial(self, signed: SignedAct, at_ms: int) -> None:
        """Keep an operator's act to try a card.

        Raises:
            KeyManagementError: it was done before.
        """
        async with self._file.transaction() as t:
            await do_once(t, signed, at_ms)

    async def set_valid(self, card_ref: str) -> None:
        """Let a card that was tried with the right PIN be taken at terminals."""
        async with self._file.transaction() as t:
            await t.change(
                "UPDATE card SET stage = 'valid' WHERE card_ref = ? AND stage = 'approved'",
                card_ref,
            )

    async def verdict(self, key: AttemptKey) -> SignedVerdict | None:
        """Return the stored verdict about an attempt; None when it was not made."""
        async with self._file.transaction() as t:
            row = await t.first(
                "SELECT signed_verdict FROM attempt"
                " WHERE terminal = ? AND visit_id = ? AND attempt = ?",
                *key,
            )
        if row is None:
            return None
        return msgspec.msgpack.decode(cast("bytes", row[0]), type=SignedVerdict)

    async def is_frozen(self, terminal: str) -> bool:
        """Tell whether a terminal waits for an operator."""
        async with self._file.transaction() as t:
            return await tries.is_frozen(t, terminal)

    async def count_try(
        self, key: AttemptKey, *, request_digest: bytes, card_ref: str, at_ms: int
    ) -> CountedTry | VerdictOutcome:
        """Take one try off the card, or say why not.

        Returns:
            the counted try; or FROZEN, BUSY or LOCKED, with nothing changed.
        """
        try:
            async with self._file.transaction() as t:
                return await tries.count_try(
                    t, key=key, request_digest=request_digest, card_ref=card_ref, at_ms=at_ms
                )
        except NotCounted as refused:
            return refused.outcome

    async def settle_try(
        self,
        pending: PendingTry,
        outcome: VerdictOutcome,
        *,
        at_ms: int,
        sign: Sign,
        anew: Enrolment | None = None,
    ) -> SignedVerdict:
        """Write what became of a counted try, and return the verdict about it.

        Args:
            pending: the try.
            outcome: RIGHT, WRONG or BURNED.
            at_ms: the judge's clock.
            sign: signs the verdict.
            anew: after a right PIN, what is kept of it from now on, if that changes.
        """
        async with self._file.transaction() as t:
            if anew is not None:
                await tries.enrol_again(t, pending.card_ref, anew)
            return await tries.settle_try(t, pending, outcome, at_ms, sign)

    async def burn_pending(self, *, at_ms: int, sign: Sign) -> int:
        """Settle as burned what a predecessor counted and did not answer; return how many."""
        async with self._file.transaction() as t:
            pending = await tries.pending_tries(t)
            for one in pending:
                await tries.settle_try(t, one, VerdictOutcome.BURNED, at_ms, sign)
        return len(pending)

    async def record(self, signed: SignedVerdict) -> None:
        """Store a verdict about an attempt for which nothing was counted."""
        async with self._file.transaction() as t:
            await tries.write_verdict(t, signed)

    async def record_forged(self, forged: Verdict, sign: Sign) -> SignedVerdict:
        """Store a verdict about a forgery, and freeze the terminal if that is due."""
        async with self._file.transaction() as t:
            return await tries.write_forged(t, forged, sign)

    async def unfreeze(self, signed: SignedAct, at_ms: int) -> None:
        """Let a terminal go on, its failed attempts forgiven, by an act that was found good.

        Raises:
            KeyManagementError: the act was done before, or the terminal is not frozen.
        """
        terminal = signed.act.subject
        async with self._file.transaction() as t:
            await do_once(t, signed, at_ms)
            if not await t.change("DELETE FROM frozen_terminal WHERE terminal = ?", terminal):
                raise KeyManagementError("this terminal is not frozen")
            await t.change("UPDATE attempt SET forgiven = 1 WHERE terminal = ?", terminal)
            await events.report(
                t,
                JudgeEvent(
                    number=0,
                    name=JudgeEventName.TERMINAL_UNFROZEN,
                    at_ms=at_ms,
                    terminal=terminal,
                    operator=signed.act.operator,
                ),
            )

    async def card_states(self, card_ref: str | None, *, after: str = "") -> list[CardState]:
        """Return one card's state, or a page of the cards that have not all their tries.

        Args:
            card_ref: the card; None for the page.
            after: the page begins after this reference.
        """
        columns = (
            "SELECT card_ref, tries_left, locked_at_ms FROM card WHERE stage <> 'gone' AND card_ref"
        )
        async with self._file.transaction() as t:
            rows = (
                await t.rows(f"{columns} = ?", card_ref)
                if card_ref is not None
                else await t.rows(
                    f"{columns} > ? AND tries_left < 3 ORDER BY card_ref LIMIT ?",
                    *(after, CARD_STATES_PER_PAGE),
                )
            )
        fields = CardState.__struct_fields__
        return [msgspec.convert(dict(zip(fields, row, strict=True)), CardState) for row in rows]

    async def events(self, collected_up_to: int) -> list[JudgeEvent]:
        """Forget the events up to a number, and return the next ones, oldest first.

        Args:
            collected_up_to: number of the last event that is safe elsewhere; 0 for none.
        """
        async with self._file.transaction() as t:
            return await events.page(t, collected_up_to)


async def _is_store_of(file: StoreFile, city: str, pepper_ids: frozenset[str]) -> bool:
    async with file.transaction() as t:
        found = await t.first("SELECT city FROM identity")
        if found is None:
            await t.change("INSERT INTO identity VALUES (?)", city)
        rows = await t.rows("SELECT DISTINCT pepper FROM card WHERE stage <> 'gone'")
    return found in (None, (city,)) and {row[0] for row in rows} <= pepper_ids


async def _refuse_former(t: Transaction, cards: list[CardRow]) -> None:
    """Raise if a card is registered under an older pepper."""
    for card in cards:
        for card_index in card.former_indexes:
            if await t.first("SELECT 1 FROM card WHERE card_index = ?", card_index):
                raise KeyManagementError("this card is registered already")


async def insert_cards(t: Transaction, cards: list[CardRow]) -> None:
    """Write cards that are registered.

    Raises:
        KeyManagementError: one of them is registered under an older pepper.
        sqlite3.IntegrityError: or under the newest one.
    """
    rows = [
        (c.card_ref, e.card_index, c.public_key, e.salt, e.verifier, e.pepper, TRIES_MAX, None)
        for c in cards
        for e in [c.enrolled]
    ]
    await _refuse_former(t, cards)
    await t.insert_all(
        "INSERT INTO card (card_ref, card_index, public_key, salt, verifier, pepper,"
        " tries_left, locked_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


async def do_once(
    t: Transaction, signed: SignedAct, at_ms: int, *, second: SignedAct | None = None
) -> None:
    """Keep what operators signed, so that it is done once.

    Raises:
        KeyManagementError: it was done before.
    """
    kept = [signed] if second is None else [signed, second]
    if not await t.change(
        "INSERT INTO operator_act VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        *(signed.act.nonce, msgspec.msgpack.encode(kept), at_ms),
    ):
        raise KeyManagementError("this act was done before; sign a new one")
