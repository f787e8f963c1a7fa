"""The two transactions of a try: count it, then settle it. Comparing lies between, elsewhere.

A verifier leaves the store only inside a ``CountedTry``, and that only after the try was taken off
the card and the pending attempt written. So there is nothing to compare with for whoever has not
counted. That one card has one pending attempt is a unique index; that no card goes below zero is
the condition of an UPDATE; no race gets around either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

import msgspec

from issuance_server.adapters.pin_judge import events
from issuance_server.adapters.pin_judge.challenges import AttemptKey
from issuance_server.adapters.pin_judge.store_file import Row, Transaction
from issuance_server.core.pin_policy import (
    ATTEMPT_KEPT_MS,
    WRONG_PER_TERMINAL_MAX,
    WRONG_WINDOW_MS,
    SignedVerdict,
    Verdict,
    VerdictOutcome,
    terminal_is_frozen,
)
from protocol.errors import Misuse

Sign: TypeAlias = Callable[[Verdict], SignedVerdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTry:
    """A try that was taken off its card and waits for its outcome.

    Attributes:
        attempt_id: the pending attempt in the store.
        key: terminal, visit and attempt number.
        request_digest: of the request.
        card_ref: the card.
    """

    attempt_id: int
    key: AttemptKey
    request_digest: bytes
    card_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What is kept of a card's number and PIN.

    Attributes:
        card_index: what the card is found by in place of its number, 32 bytes.
        salt: of the verifier.
        verifier: what is kept in place of the PIN, 32 bytes.
        pepper: key id of the pepper that all of it was made under.
    """

    card_index: bytes
    salt: bytes
    verifier: bytes
    pepper: str

    def __repr__(self) -> str:
        return "Enrolment(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTry:
    """What counting gives: the right to compare once.

    Attributes:
        pending: the try.
        salt: of the verifier.
        verifier: what to compare with.
        pepper: key id of the pepper that the verifier was made under.
    """

    pending: PendingTry
    salt: bytes
    verifier: bytes
    pepper: str

    def __repr__(self) -> str:
        return f"CountedTry({self.pending.attempt_id})"


class NotCounted(Exception):
    """The way out of the transaction that undoes it, with the outcome that says why."""

    def __init__(self, outcome: VerdictOutcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


async def count_try(
    t: Transaction, *, key: AttemptKey, request_digest: bytes, card_ref: str, at_ms: int
) -> CountedTry:
    """Take one try off the card.

    Raises:
        NotCounted: with FROZEN, BUSY or LOCKED.
    """
    if await is_frozen(t, key[0]):
        raise NotCounted(VerdictOutcome.FROZEN)
    # What is pending may all turn out wrong: together it stays within the terminal's limit.
    if await _tries_of_terminal(t, key[0], at_ms) >= WRONG_PER_TERMINAL_MAX:
        raise NotCounted(VerdictOutcome.BUSY)
    if not await t.change(
        "INSERT INTO attempt"
        " (terminal, visit_id, attempt, request_digest, card_ref, outcome, at_ms)"
        " VALUES (?, ?, ?, ?, ?, 'pending', ?)"
        " ON CONFLICT (card_ref) WHERE outcome = 'pending' DO NOTHING",
        *(*key, request_digest, card_ref, at_ms),
    ):
        raise NotCounted(VerdictOutcome.BUSY)
    if not await t.change(
        "UPDATE card SET tries_left = tries_left - 1 WHERE card_ref = ? AND tries_left > 0",
        card_ref,
    ):
        raise NotCounted(VerdictOutcome.LOCKED)
    row = await t.first(
        "SELECT id, terminal, visit_id, attempt, request_digest, card_ref, salt, verifier, pepper"
        " FROM attempt JOIN card USING (card_ref) WHERE card_ref = ? AND outcome = 'pending'",
        card_ref,
    )
    if row is None:
        raise Misuse("the attempt just written is not there")
    *pending, salt, verifier, pepper = row
    return CountedTry(
        pending=_pending_try(tuple(pending)),
        salt=cast("bytes", salt),
        verifier=cast("bytes", verifier),
        pepper=cast("str", pepper),
    )


async def settle_try(
    t: Transaction, pending: PendingTry, outcome: VerdictOutcome, at_ms: int, sign: Sign
) -> SignedVerdict:
    """Write what became of a counted try, and the signed verdict about it.

    Args:
        t: the transaction.
        pending: the try; it is settled once.
        outcome: RIGHT, WRONG or BURNED.
        at_ms: the judge's clock.
        sign: signs the verdict.
    """
    terminal, visit_id, attempt = pending.key
    failed = outcome is not VerdictOutcome.RIGHT
    tries_left = await _tries_after(t, pending.card_ref, at_ms, failed=failed)
    signed = sign(
        Verdict(
            terminal=terminal,
            visit_id=visit_id,
            attempt=attempt,
            request_digest=pending.request_digest,
            outcome=outcome,
            card_ref=pending.card_ref,
            tries_left=tries_left,
            locked_now=tries_left == 0,
            frozen_now=failed and await _freeze_if_due(t, terminal, at_ms),
            at_ms=at_ms,
        )
    )
    settled = await t.change(
        "UPDATE attempt SET outcome = ?, signed_verdict = ? WHERE id = ? AND outcome = 'pending'",
        *(outcome.value, msgspec.msgpack.encode(signed), pending.attempt_id),
    )
    if settled != 1:
        raise Misuse("a counted try is settled once")
    await events.report_failures(t, signed.verdict)
    await forget_old_attempts(t, at_ms)
    return signed


async def write_forged(t: Transaction, forged: Verdict, sign: Sign) -> SignedVerdict:
    """Write a verdict about what no genuine card makes; it counts for the terminal.

    Args:
        t: the transaction.
        forged: the verdict, as far as it is known before.
        sign: signs the verdict.
    """
    frozen_now = await _freeze_if_due(t, forged.terminal, forged.at_ms)
    signed = sign(msgspec.structs.replace(forged, frozen_now=frozen_now))
    await write_verdict(t, signed)
    await events.report_failures(t, signed.verdict)
    return signed


async def write_verdict(t: Transaction, signed: SignedVerdict) -> None:
    """Write a verdict about an attempt for which nothing was counted."""
    v = signed.verdict
    await t.change(
        "INSERT INTO attempt (terminal, visit_id, attempt, request_digest, card_ref,"
        " outcome, at_ms, signed_verdict) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(v.terminal, v.visit_id, v.attempt, v.request_digest, v.card_ref),
        *(v.outcome.value, v.at_ms, msgspec.msgpack.encode(signed)),
    )
    await forget_old_attempts(t, v.at_ms)


async def enrol_again(t: Transaction, card_ref: str, anew: Enrolment) -> None:
    """Keep a card's number and PIN in another way, such as under the newest pepper."""
    await t.change(
        "UPDATE card SET card_index = ?, salt = ?, verifier = ?, pepper = ? WHERE card_ref = ?",
        *(anew.card_index, anew.salt, anew.verifier, anew.pepper, card_ref),
    )


async def pending_tries(t: Transaction) -> list[PendingTry]:
    """Return what was counted and never answered; at most one for each card."""
    return [
        _pending_try(row)
        for row in await t.rows(
            "SELECT id, terminal, visit_id, attempt, request_digest, card_ref"
            " FROM attempt WHERE outcome = 'pending'"
        )
    ]


async def is_frozen(t: Transaction, terminal: str) -> bool:
    """Tell whether a terminal waits for an operator."""
    return bool(await t.first("SELECT 1 FROM frozen_terminal WHERE terminal = ?", terminal))


async def forget_old_attempts(t: Transaction, at_ms: int) -> None:
    """Remove the attempts that no visit can still ask about."""
    await t.change(
        "DELETE FROM attempt WHERE at_ms < ? AND outcome <> 'pending'", at_ms - ATTEMPT_KEPT_MS
    )


async def _tries_of_terminal(t: Transaction, terminal: str, at_ms: int) -> int:
    row = await t.first(
        "SELECT count(*) FROM attempt WHERE terminal = ? AND at_ms > ?"
        " AND forgiven = 0 AND outcome IN ('pending', 'wrong', 'burned', 'forged')",
        *(terminal, at_ms - WRONG_WINDOW_MS),
    )
    return 0 if row is None else cast("int", row[0])


async def _tries_after(t: Transaction, card_ref: str, at_ms: int, *, failed: bool) -> int:
    """Return the tries that are left, all that a card may have after a success; lock it at none."""
    if not failed:
        await t.change("UPDATE card SET tries_left = tries_max WHERE card_ref = ?", card_ref)
    row = await t.first("SELECT tries_left FROM card WHERE card_ref = ?", card_ref)
    if row is None:
        raise Misuse("a card with a pending attempt is not there")
    tries_left = cast("int", row[0])
    if tries_left == 0:
        await t.change("UPDATE card SET locked_at_ms = ? WHERE card_ref = ?", at_ms, card_ref)
    return tries_left


async def _freeze_if_due(t: Transaction, terminal: str, at_ms: int) -> bool:
    """Freeze a terminal if the failure being settled is one too many; tell whether it is new."""
    rows = await t.rows(
        "SELECT at_ms FROM attempt WHERE terminal = ? AND at_ms > ?"
        " AND forgiven = 0 AND outcome IN ('wrong', 'burned', 'forged')",
        *(terminal, at_ms - WRONG_WINDOW_MS),
    )
    failed_at_ms = [*(cast("int", row[0]) for row in rows), at_ms]
    if not terminal_is_frozen(failed_at_ms, at_ms):
        return False
    return bool(
        await t.change(
            "INSERT INTO frozen_terminal VALUES (?, ?) ON CONFLICT DO NOTHING", terminal, at_ms
        )
    )


def _pending_try(row: Row) -> PendingTry:
    attempt_id, terminal, visit_id, attempt, request_digest, card_ref = row
    return PendingTry(
        attempt_id=cast("int", attempt_id),
        key=(cast("str", terminal), cast("bytes", visit_id), cast("int", attempt)),
        request_digest=cast("bytes", request_digest),
        card_ref=cast("str", card_ref),
    )
