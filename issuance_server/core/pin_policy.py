"""The rules for PINs, and what the PIN judge (照合係) says: verdicts, events, states of cards.

1. Three failures in a row lock a card; only the counter (窓口) resets it. A success resets.
2. A try counts before it is compared, so one that a crash interrupted is a failure (BURNED).
3. An attempt without the card's own signature is never counted: nobody locks another's card.
   Unknown, unregistered and badly signed cards get one and the same answer.
4. Five failures within ten minutes at one terminal, over all cards, freeze the terminal.
5. A card with a certificate judges its PIN itself; here its certificate and signature are checked,
   and nothing is counted but what no genuine card makes: that is a failure of the terminal.

The judge signs each verdict, so the journal can show who said what; a verdict names the attempt
and the request that it answers and is good for nothing else.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from protocol.codes import ReplyCode
from protocol.fields import (
    Attempt,
    CardCertificate,
    Count,
    Digest,
    Id,
    Name,
    PinBlock,
    Signature,
    TimeMs,
)
from protocol.limits import CHALLENGE_MS_MAX
from protocol.statements import statement

TRIES_MAX = 3
WRONG_PER_TERMINAL_MAX = 5
WRONG_WINDOW_MS = 600_000
CHALLENGE_VALID_MS = CHALLENGE_MS_MAX
CHALLENGES_OUTSTANDING_MAX = 10_000
CHALLENGES_PER_TERMINAL_MAX = 8
"""A terminal serves one person at a time; with more than this its oldest challenges are void."""
ATTEMPT_KEPT_MS = 24 * 60 * 60 * 1_000
"""How long a verdict is kept to answer a repeat; a visit lasts five minutes at most."""
CARD_STATES_PER_PAGE = 1_000
"""How many states of cards one answer lists; a page that is not full is the last."""

TriesLeft: TypeAlias = Annotated[int, Meta(ge=0, le=TRIES_MAX)]


class VerdictOutcome(Enum):
    """What the judge found."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"  # no try is left; nothing was compared
    NOT_ACCEPTED = "not-accepted"  # unknown, unregistered or badly signed
    BUSY = "busy"  # another attempt with this card is pending
    FROZEN = "frozen"  # the terminal is
    CHALLENGE_EXPIRED = "challenge-expired"  # or used, or never given for this attempt
    BLOCK_INVALID = "block-invalid"  # the PIN block does not open
    BURNED = "burned"  # counted, and the judge died before it could answer
    KEY_REUSED = "key-reused"  # this attempt was made before with other content
    FORGED = "forged"  # a certificate or a signature that no genuine card makes
    CERTIFICATE_EXPIRED = "certificate-expired"  # or not valid yet
    CERTIFICATE_REVOKED = "certificate-revoked"
    CERTIFICATE_NOT_CHECKABLE = "certificate-not-checkable"  # without a list that is in time


_REPLY_CODES = {
    VerdictOutcome.RIGHT: ReplyCode.DONE,
    VerdictOutcome.WRONG: ReplyCode.PIN_WRONG,
    VerdictOutcome.LOCKED: ReplyCode.CARD_LOCKED,
    VerdictOutcome.NOT_ACCEPTED: ReplyCode.CARD_NOT_ACCEPTED,
    VerdictOutcome.BUSY: ReplyCode.CARD_BUSY,
    VerdictOutcome.FROZEN: ReplyCode.TERMINAL_FROZEN,
    VerdictOutcome.CHALLENGE_EXPIRED: ReplyCode.CHALLENGE_EXPIRED,
    VerdictOutcome.BLOCK_INVALID: ReplyCode.PIN_BLOCK_INVALID,
    VerdictOutcome.BURNED: ReplyCode.TRY_BURNED,
    VerdictOutcome.KEY_REUSED: ReplyCode.KEY_REUSED,
    VerdictOutcome.FORGED: ReplyCode.CARD_NOT_ACCEPTED,
    VerdictOutcome.CERTIFICATE_EXPIRED: ReplyCode.CERTIFICATE_EXPIRED,
    VerdictOutcome.CERTIFICATE_REVOKED: ReplyCode.CERTIFICATE_REVOKED,
    VerdictOutcome.CERTIFICATE_NOT_CHECKABLE: ReplyCode.CERTIFICATE_NOT_CHECKABLE,
}


class PinAttempt(msgspec.Struct, frozen=True, kw_only=True, tag="pin"):
    """One attempt, as the judge is asked about it. Its repr shows neither card nor PIN block.

    Attributes:
        terminal: the terminal's id, as its line proved it.
        city: municipality code, 6 digits.
        visit_id: the visit.
        attempt: 1 and up, per visit.
        request_digest: of the telegram; a repeat has the same one.
        card: card number, 16 bytes; never logged.
        card_signature: Ed25519 over ``statements.card_proof``.
        pin_block: HPKE sealed to the judge with ``statements.pin_block_info``.
    """

    terminal: Name
    city: Name
    visit_id: Id
    attempt: Attempt
    request_digest: Digest
    card: Id
    card_signature: Signature
    pin_block: PinBlock

    def __repr__(self) -> str:
        return f"PinAttempt({self.terminal}, {self.visit_id.hex()}, {self.attempt})"


class CertificateAttempt(msgspec.Struct, frozen=True, kw_only=True, tag="certificate"):
    """One attempt with a card that judged its PIN itself. Its repr does not show the certificate.

    Attributes:
        terminal: the terminal's id, as its line proved it.
        city: municipality code, 6 digits.
        visit_id: the visit.
        attempt: 1 and up, per visit.
        request_digest: of the telegram; a repeat has the same one.
        certificate: of the card, in DER form; never logged.
        card_signature: ECDSA over ``statements.certificate_proof``.
    """

    terminal: Name
    city: Name
    visit_id: Id
    attempt: Attempt
    request_digest: Digest
    certificate: CardCertificate
    card_signature: Signature

    def __repr__(self) -> str:
        return f"CertificateAttempt({self.terminal}, {self.visit_id.hex()}, {self.attempt})"


AnyAttempt: TypeAlias = PinAttempt | CertificateAttempt


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge says about one attempt.

    Attributes:
        terminal: where the attempt was made.
        visit_id: in which visit.
        attempt: which one of the visit.
        request_digest: digest of the request that is answered.
        outcome: what was found.
        card_ref: the card's random reference; None when no registered card proved its presence.
        certificate_serial: in place of the reference, that of the certificate that a card proved
            to hold, in hexadecimal; the city knows whose it is.
        tries_left: None where nothing was counted and the card is not known to be locked.
        locked_now: this very attempt locked the card.
        frozen_now: this very attempt froze the terminal.
        at_ms: the judge's clock, Unix time in milliseconds.
    """

    terminal: Name
    visit_id: Id
    attempt: Attempt
    request_digest: Digest
    outcome: VerdictOutcome
    card_ref: Name | None = None
    certificate_serial: Name | None = None
    tries_left: TriesLeft | None = None
    locked_now: bool = False
    frozen_now: bool = False
    at_ms: TimeMs

    def statement(self) -> bytes:
        """Return the bytes that the judge signs."""
        return statement(
            "pin-verdict",
            self.terminal,
            self.visit_id,
            self.attempt,
            self.request_digest,
            self.outcome.value,
            self.card_ref,
            self.certificate_serial,
            self.tries_left,
            int(self.locked_now),
            int(self.frozen_now),
            self.at_ms,
        )

    @property
    def reply_code(self) -> ReplyCode:
        """What the terminal is told; the try that locked the card is told as the lock."""
        return ReplyCode.CARD_LOCKED if self.locked_now else reply_code(self.outcome)

    def answers(self, attempt: AnyAttempt) -> bool:
        """Tell whether this is the verdict about that attempt and that very request."""
        asked = (attempt.terminal, attempt.visit_id, attempt.attempt, attempt.request_digest)
        return asked == (self.terminal, self.visit_id, self.attempt, self.request_digest)


class SignedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with the judge's Ed25519 signature over its statement."""

    verdict: Verdict
    signature: Signature


class JudgeEventName(Enum):
    """What happened to cards and terminals, as the log has it."""

    TRY_BURNED = "card.try_burned"
    CARD_LOCKED = "card.locked"
    CARD_UNLOCKED = "card.unlocked"
    TERMINAL_FROZEN = "terminal.frozen"
    TERMINAL_UNFROZEN = "terminal.unfrozen"


class JudgeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the judge reports, durably until it was collected.

    Attributes:
        number: rises from event to event and is never used again.
        name: what happened.
        at_ms: the judge's clock.
        card_ref: the card's random reference, where it is about one.
        terminal: the terminal's id, where there is one.
        tries_left: of the card, where it is about one.
        operator: who did it, where it was somebody's act.
    """

    number: Count
    name: JudgeEventName
    at_ms: TimeMs
    card_ref: Name | None = None
    terminal: Name | None = None
    tries_left: TriesLeft | None = None
    operator: Name | None = None


class CardState(msgspec.Struct, frozen=True, kw_only=True):
    """How a card stands with the judge.

    Attributes:
        card_ref: the card's random reference.
        tries_left: 0 when it is locked.
        locked_at_ms: when it was locked; None when it is not.
    """

    card_ref: Name
    tries_left: TriesLeft
    locked_at_ms: TimeMs | None = None

    @property
    def locked(self) -> bool:
        """Whether only the counter can help."""
        return self.locked_at_ms is not None


def reply_code(outcome: VerdictOutcome) -> ReplyCode:
    """Return what a peer is told about an outcome."""
    return _REPLY_CODES[outcome]


def terminal_is_frozen(failed_at_ms: Iterable[int], now_ms: int) -> bool:
    """Tell whether a terminal's failed attempts are enough to freeze it.

    Args:
        failed_at_ms: times of its wrong and burned attempts, over all cards, in any order.
        now_ms: Unix time in milliseconds.
    """
    recent = sum(1 for at_ms in failed_at_ms if at_ms > now_ms - WRONG_WINDOW_MS)
    return recent >= WRONG_PER_TERMINAL_MAX
