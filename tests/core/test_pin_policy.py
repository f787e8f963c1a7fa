"""The rules for PINs, and what verdicts say."""

from typing import Any

import msgspec
import pytest

from issuance_server.core.pin_policy import (
    WRONG_WINDOW_MS,
    CardState,
    PinAttempt,
    Verdict,
    VerdictOutcome,
    reply_code,
    terminal_is_frozen,
)
from protocol.codes import ReplyCode

VERDICT = Verdict(
    terminal="t1",
    visit_id=bytes(16),
    attempt=1,
    request_digest=bytes(32),
    outcome=VerdictOutcome.WRONG,
    card_ref="card-1",
    tries_left=2,
    at_ms=1,
)
ATTEMPT = PinAttempt(
    terminal="t1",
    city="272035",
    visit_id=bytes(16),
    attempt=1,
    request_digest=bytes(32),
    card=b"0123456789abcdef",
    card_signature=bytes(64),
    pin_block=bytes(1152),
)


def test_every_outcome_has_a_reply_code_of_its_own() -> None:
    """No outcome is without a code; a forgery alone is told as an unknown card."""
    others = [outcome for outcome in VerdictOutcome if outcome is not VerdictOutcome.FORGED]

    assert len(others) == len({reply_code(outcome) for outcome in others})
    assert reply_code(VerdictOutcome.FORGED) is reply_code(VerdictOutcome.NOT_ACCEPTED)


def test_only_right_is_done() -> None:
    """DONE is the code of RIGHT alone."""
    done = [outcome for outcome in VerdictOutcome if reply_code(outcome) is ReplyCode.DONE]

    assert [VerdictOutcome.RIGHT] == done


def test_try_that_locks_is_told_as_the_lock() -> None:
    """The third wrong PIN is told as a locked card, the ones before as wrong."""
    locking = msgspec.structs.replace(VERDICT, tries_left=0, locked_now=True)

    assert ReplyCode.PIN_WRONG is VERDICT.reply_code
    assert ReplyCode.CARD_LOCKED is locking.reply_code


@pytest.mark.parametrize(
    "change",
    [
        {"terminal": "t2"},
        {"visit_id": b"\1" * 16},
        {"attempt": 2},
        {"request_digest": b"\1" * 32},
        {"outcome": VerdictOutcome.RIGHT},
        {"card_ref": None},
        {"certificate_serial": "0a"},
        {"tries_left": None},
        {"locked_now": True},
        {"frozen_now": True},
        {"at_ms": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_statement_covers_every_field(change: dict[str, Any]) -> None:
    """A verdict with any field changed is another statement."""
    assert VERDICT.statement() != msgspec.structs.replace(VERDICT, **change).statement()


def test_statement_covers_all_that_there_is() -> None:
    """The test above names every field of a verdict."""
    names = {"terminal", "visit_id", "attempt", "request_digest", "outcome", "card_ref"}

    names |= {"certificate_serial", "tries_left", "locked_now", "frozen_now", "at_ms"}
    assert names == set(Verdict.__struct_fields__)


@pytest.mark.parametrize("name", ["terminal", "visit_id", "attempt", "request_digest"])
def test_verdict_answers_one_attempt(name: str) -> None:
    """A verdict answers the attempt that it names and no other."""
    other = {"terminal": "t2", "visit_id": b"\1" * 16, "attempt": 2, "request_digest": b"\1" * 32}

    assert VERDICT.answers(ATTEMPT)
    assert not VERDICT.answers(msgspec.structs.replace(ATTEMPT, **{name: other[name]}))


def test_repr_of_an_attempt_hides_the_card() -> None:
    """Neither card number nor PIN block shows."""
    assert "0123456789" not in repr(ATTEMPT)
    assert "x00" not in repr(ATTEMPT)


@pytest.mark.parametrize(
    ("failed_at_ms", "frozen"),
    [
        ([], False),
        ([10, 20, 30, 40], False),
        ([10, 20, 30, 40, 50], True),
        ([50, 10, 40, 20, 30, 60], True),
        ([0, 20, 30, 40, 50], False),
    ],
)
def test_five_failures_within_the_window_freeze(failed_at_ms: list[int], *, frozen: bool) -> None:
    """Five within ten minutes freeze; the one that is exactly ten minutes old is out."""
    assert frozen == terminal_is_frozen(failed_at_ms, WRONG_WINDOW_MS)


def test_card_state_knows_whether_it_is_locked() -> None:
    """A card is locked from when it was, not when its last try is merely under way."""
    assert CardState(card_ref="c", tries_left=0, locked_at_ms=1).locked
    assert not CardState(card_ref="c", tries_left=0).locked
